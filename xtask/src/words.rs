//! Words that must not stand in the project, and why not: `xtask/words.txt`, and terms that the glossary replaces:
//! `xtask/terms.txt`.

use anyhow::{Context, Result};

use crate::project::Project;

/// Words, as they are written, that stand in no file.
const WORDS: &str = "xtask/words.txt";
/// Terms, in any case, that stand in no file outside of [`RECORDS`].
const TERMS: &str = "xtask/terms.txt";
/// History, and names that others gave.
const RECORDS: [&str; 2] = ["docs/adr/", "shared/gazetteer/data/"];

/// A word and what to write instead.
#[derive(Debug, PartialEq, Eq)]
struct Banned<'t> {
    word: &'t str,
    instead: &'t str,
}

/// Searches all files that git tracks or would add. Returns whether none contains a banned word.
///
/// # Errors
/// If the list or a file cannot be read.
pub(crate) fn hold(project: &Project) -> Result<bool> {
    let read = |list: &str| {
        let path = project.root().join(list);
        std::fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))
    };
    let (words, terms) = (read(WORDS)?, read(TERMS)?);
    let (words, terms) = (parse(&words, WORDS)?, parse(&terms, TERMS)?);
    let mut git = project.command("git");
    let files = project.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]))?;
    let mut found = 0;
    let mut looked_at = 0;
    for file in files.split('\0').filter(|file| !file.is_empty() && ![WORDS, TERMS].contains(file)) {
        let Ok(bytes) = std::fs::read(project.root().join(file)) else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        looked_at += 1;
        let mut all = hits(&text, &words);
        let lower = text.to_lowercase();
        if !RECORDS.iter().any(|folder| file.starts_with(folder)) {
            all.extend(hits(&lower, &terms));
        }
        for (line, Banned { word, instead }) in all {
            eprintln!("{file}:{line}: {word}: {instead}");
            found += 1;
        }
    }
    println!("{found} banned words in {looked_at} files");
    Ok(found == 0)
}

fn parse<'t>(list: &'t str, name: &str) -> Result<Vec<Banned<'t>>> {
    let lines = list.lines().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|(at, line)| {
            let (word, instead) = line
                .split_once(" => ")
                .with_context(|| format!("{name}:{}: accepted is WORD => WHY OR WHAT INSTEAD", at + 1))?;
            Ok(Banned { word: word.trim(), instead: instead.trim() })
        })
        .collect()
}

/// Numbers, from 1, of the lines that contain a banned word as a whole word.
fn hits<'b>(text: &str, banned: &'b [Banned<'b>]) -> Vec<(usize, &'b Banned<'b>)> {
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            banned.iter().filter(|banned| stands_in(line, banned.word)).map(move |banned| (at + 1, banned))
        })
        .collect()
}

fn stands_in(line: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let begins_as_word = is_part(word.chars().next());
    let ends_as_word = is_part(word.chars().next_back());
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !(begins_as_word && is_part(before) || ends_as_word && is_part(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_by_itself_and_not_within_another() {
        let banned = parse("# words\n\nfoo => bar\n/srv/ => no paths\n", WORDS).unwrap();
        let lines =
            |text: &str| hits(text, &banned).iter().map(|(line, banned)| (*line, banned.word)).collect::<Vec<_>>();
        assert_eq!(lines("a foo.\nfool, foo_d\n x/srv/y"), [(1, "foo"), (3, "/srv/")]);
    }

    #[test]
    fn a_line_without_a_reason_is_refused() {
        assert_eq!(
            parse("foo", WORDS).unwrap_err().to_string(),
            "xtask/words.txt:1: accepted is WORD => WHY OR WHAT INSTEAD"
        );
    }
}
