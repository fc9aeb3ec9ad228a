//! Whether a command prints what a page says, and how the page would say it.

use anyhow::{Result, ensure};

/// The line in a page that stands for any lines.
const ELISION: &str = "...";

/// Whether this is printed; `...` matches any lines.
pub(crate) fn fits(printed: &[&str], prints: &[String]) -> bool {
    match prints.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == ELISION => (0..=printed.len()).any(|at| fits(&printed[at..], rest)),
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, printed)| line == first && fits(printed, rest))
        }
    }
}

/// What the page says, with what is printed now: as many lines at the beginning, at the end and between two `...` as before,
/// and those between them where most words are the same.
///
/// # Errors
/// If too few lines are printed.
pub(crate) fn updated(prints: &[String], printed: &[&str]) -> Result<Vec<String>> {
    let parts: Vec<&[String]> = prints.split(|line| line == ELISION).collect();
    if let [_] = parts[..] {
        return Ok(printed.iter().map(|line| (*line).to_owned()).collect());
    }
    let mut new: Vec<String> = Vec::new();
    let mut from = 0;
    for (number, part) in parts.iter().enumerate() {
        let last = printed.len().checked_sub(part.len()).filter(|last| *last >= from);
        ensure!(last.is_some(), "fewer lines are printed than the page shows: write the block by hand");
        let last = last.unwrap_or_default();
        let at = if number == 0 {
            0
        } else if number + 1 == parts.len() {
            last
        } else {
            let common = |at: usize| -> usize {
                part.iter().zip(&printed[at..]).map(|(old, new)| words_in_common(old, new)).sum()
            };
            // The first of the best.
            (from..=last).rev().max_by_key(|at| common(*at)).unwrap_or(from)
        };
        if number > 0 {
            new.push(ELISION.to_owned());
        }
        new.extend(printed[at..at + part.len()].iter().map(|line| (*line).to_owned()));
        from = at + part.len();
    }
    Ok(new)
}

/// How many words without digits two lines have in common, at the same place among those.
fn words_in_common(one: &str, other: &str) -> usize {
    let words = |line: &str| -> Vec<String> {
        let is_word = |word: &&str| !word.contains(|c: char| c.is_ascii_digit()) && word.contains(char::is_alphabetic);
        line.split_whitespace().filter(is_word).map(str::to_owned).collect()
    };
    words(one).iter().zip(&words(other)).filter(|(one, other)| one == other).count()
}

/// The lines that differ: `-` of the page, `+` printed; with `  ` before those of both.
pub(crate) fn difference(prints: &[String], printed: &[&str]) -> Vec<String> {
    let shown = updated(prints, printed).unwrap_or_else(|_| printed.iter().map(|line| (*line).to_owned()).collect());
    // The longest common subsequence, from the end.
    let (rows, columns) = (prints.len(), shown.len());
    let mut longest = vec![vec![0_usize; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            longest[row][column] = if prints[row] == shown[column] {
                longest[row + 1][column + 1] + 1
            } else {
                longest[row + 1][column].max(longest[row][column + 1])
            };
        }
    }
    let (mut row, mut column) = (0, 0);
    let mut lines = Vec::new();
    while row < rows || column < columns {
        if row < rows && column < columns && prints[row] == shown[column] {
            lines.push(format!("  {}", prints[row]));
            (row, column) = (row + 1, column + 1);
        } else if column == columns || row < rows && longest[row + 1][column] >= longest[row][column + 1] {
            lines.push(format!("- {}", prints[row]));
            row += 1;
        } else {
            lines.push(format!("+ {}", shown[column]));
            column += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn printed(text: &str) -> Vec<&str> {
        text.lines().collect()
    }

    #[test]
    fn elisions_match_any_lines_and_nothing_else_does() {
        for (said, fitting) in [
            ("a\nb", true),
            ("a\n...", true),
            ("...\nb", true),
            ("a\n...\nb", true),
            ("...", true),
            ("a", false),
            ("b\n...", false),
            ("", false),
            ("a\nc", false),
        ] {
            assert_eq!(fits(&printed("a\nb"), &lines(said)), fitting, "{said:?}");
        }
        assert!(fits(&printed("a\nb\nc\nb\nd"), &lines("a\n...\nb\nd")));
    }

    #[test]
    fn what_is_whole_becomes_what_is_printed() {
        assert_eq!(updated(&lines("a\nb"), &printed("c")).unwrap(), ["c"]);
        assert_eq!(updated(&lines(""), &printed("c")).unwrap(), ["c"]);
    }

    #[test]
    fn what_is_left_out_stays_left_out() {
        let said = "first 1\n...\nactive 10 homes\nmedian $5\n...\nthe end";
        let now = "first 2\nx\nother 3 homes\nactive 12 homes\nmedian $6\ny\nz\nthe very end";
        let new = updated(&lines(said), &printed(now)).unwrap();
        assert_eq!(new, ["first 2", "...", "active 12 homes", "median $6", "...", "the very end"]);
        assert!(fits(&printed(now), &new));
        assert_eq!(updated(&lines("...\nb 1\n..."), &printed("a 2\nb 2\nc 2")).unwrap(), ["...", "b 2", "..."]);
        assert_eq!(updated(&lines("a\nb\n..."), &printed("c\nd\ne\nf")).unwrap(), ["c", "d", "..."]);
        updated(&lines("a\n...\nb"), &printed("a")).unwrap_err();
    }

    #[test]
    fn a_difference_shows_both_and_what_is_the_same() {
        let shown = difference(&lines("a\nb\nc\n..."), &printed("a\nx\nc\nmore"));
        assert_eq!(shown, ["  a", "- b", "+ x", "  c", "  ..."]);
    }
}
