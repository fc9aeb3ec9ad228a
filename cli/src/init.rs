//! `stoop init`: a first configuration, taken from the example.

mod example;

use std::fs::File;
use std::io::{BufRead, ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use console::Term;

use crate::args::{CHOICES, InitArgs};
use crate::failure::usage;
use crate::out::{self, say};
use crate::show::{Look, Page, SafeText};
use example::Example;

/// The longest accepted answer.
const ANSWER_BYTES_MAX: u64 = 200;

/// `stoop init`.
pub(crate) fn init(args: &InitArgs) -> anyhow::Result<ExitCode> {
    if args.to.exists() {
        return Err(there_already(&args.to));
    }
    let example = Example::read();
    let chosen = match &args.source {
        Some(name) => Some(name.clone()),
        // Ask only if there is a terminal to answer from.
        None if std::io::stdin().is_terminal() && Term::stdout().is_term() => ask(&example)?,
        None => None,
    };
    write(&args.to, &example.config(chosen.as_deref()))?;
    say!("Wrote {}.", args.to.display());
    for (name, text) in example::maps(chosen.as_deref()) {
        let file = args.to.with_file_name(name);
        if !file.exists() {
            std::fs::create_dir_all(file.parent().unwrap_or(Path::new(".")))
                .with_context(|| format!("cannot make the folder of {}", file.display()))?;
            write(&file, text)?;
            say!("Wrote {}, a map that it names: replace it with your own.", file.display());
        }
    }
    say!("\nNext");
    for line in next(&example, chosen.as_deref(), &args.to) {
        say!("  {line}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks for a source kind; an empty answer means all of them, switched off.
fn ask(example: &Example) -> anyhow::Result<Option<String>> {
    let mut page = Page::new(Look::of_stdout());
    page.line([SafeText::from("Which source is to be polled first?").bold()]).gap();
    page.facts(CHOICES.iter().zip(1..).map(|(name, at)| (format!("{at}  {name}"), example.summary(name).into())));
    page.gap().line(["A number or a name; Enter alone writes all of them, switched off:".into()]);
    out::page(&page);
    let mut answer = String::new();
    std::io::stdin().lock().take(ANSWER_BYTES_MAX).read_line(&mut answer).context("cannot read the answer")?;
    choice(&answer).map_err(usage)
}

/// Parses an answer.
fn choice(answer: &str) -> Result<Option<String>, String> {
    let answer = answer.trim();
    let by_number = answer.parse::<usize>().ok().and_then(|number| CHOICES.get(number.checked_sub(1)?));
    match by_number.or_else(|| CHOICES.iter().find(|name| name.eq_ignore_ascii_case(answer))) {
        _ if answer.is_empty() => Ok(None),
        Some(name) => Ok(Some((*name).to_owned())),
        None => Err(format!("there is no source {answer:?}; accepted: {}", CHOICES.join(", "))),
    }
}

/// Writes a new file. A file that appeared in the meantime is not overwritten.
fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    match File::options().write(true).create_new(true).open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(there_already(file)),
        opened => opened
            .and_then(|mut opened| opened.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", file.display())),
    }
}

fn there_already(file: &Path) -> anyhow::Error {
    usage(format!("{} exists already and is not changed; --to names another file", file.display()))
}

/// The next steps, a command or a sentence each.
fn next(example: &Example, chosen: Option<&str>, file: &PathBuf) -> Vec<String> {
    let config = if file == Path::new("stoop.toml") { String::new() } else { format!(" --config {}", file.display()) };
    let Some(search) = chosen.and_then(|name| example.search(name)) else {
        let switch =
            format!("remove what you do not need from {}, and `enabled = false` from the rest", file.display());
        return vec![switch, format!("stoop sources{config}")];
    };
    let mut next = vec![format!("edit {}: area and filters are an example", file.display())];
    next.extend(search.variables().map(|name| format!("export {name}=...   (the key; do not put it in the file)")));
    if search.is_scraped() {
        next.push("read the site's terms, then remove `enabled = false`".to_owned());
    }
    if chosen == Some("map") {
        next.push("stoop sources new NAME --from sample.json   (drafts a map of your own)".to_owned());
    }
    next.push(format!("stoop sources check {}{config}", search.name()));
    next.push(format!("stoop run{config}"));
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_number_a_name_or_nothing() {
        assert_eq!(choice("1\n"), Ok(Some("reso".to_owned())));
        assert_eq!(choice(" RentCast \n"), Ok(Some("rentcast".to_owned())));
        assert_eq!(choice("\n"), Ok(None));
        assert!(choice("0").unwrap_err().contains("accepted: reso, zillow"));
        assert!(choice("99").is_err());
    }
}
