//! The blocks and commands of a page.

use anyhow::{Context, Result, bail};

/// A page with its blocks.
#[derive(Debug)]
pub(crate) struct ConsolePage {
    /// Its path in the project.
    pub(crate) path: String,
    pub(crate) blocks: Vec<Block>,
}

/// A block of commands with their output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The line where it begins, counted from 1.
    pub(crate) line: usize,
    pub(crate) need: Option<Need>,
    pub(crate) steps: Vec<ConsoleStep>,
}

/// What a block needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// `data`: the real data in `STOOP_DATA`.
    Data,
    /// `lake`: `stoop-lake` and the Python programs of the lake.
    Lake,
    /// `network`, `aws` or `server`: it is not run.
    Elsewhere(&'static str),
}

/// A command, and what the page says that it prints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConsoleStep {
    /// The line of the command, counted from 1. Its output begins in the next one.
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) prints: Vec<String>,
}

impl Need {
    fn parse(word: &str) -> Result<Option<Self>> {
        Ok(Some(match word {
            "" => return Ok(None),
            "data" => Self::Data,
            "lake" => Self::Lake,
            "network" => Self::Elsewhere("the network"),
            "aws" => Self::Elsewhere("AWS"),
            "server" => Self::Elsewhere("a running server"),
            other => {
                bail!("`console {other}`: accepted after `console` is nothing, data, lake, network, aws or server")
            }
        }))
    }
}

impl ConsolePage {
    /// # Errors
    /// If a block needs something unknown, or begins with output.
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (number, line) in (1..).zip(text.lines()) {
            let at = || format!("{path}:{number}");
            if let Some(info) = line.strip_prefix("```") {
                let words = info.strip_prefix("console").filter(|rest| rest.is_empty() || rest.starts_with(' '));
                inside = words.is_some() && !inside;
                if inside {
                    let need = Need::parse(words.unwrap_or_default().trim()).with_context(at)?;
                    blocks.push(Block { line: number, need, steps: Vec::new() });
                }
            } else if inside && let Some(block) = blocks.last_mut() {
                match line.strip_prefix("$ ") {
                    Some(command) => {
                        block.steps.push(ConsoleStep { line: number, command: command.to_owned(), prints: Vec::new() });
                    }
                    None => {
                        let step = block.steps.last_mut().context("a block begins with a command").with_context(at)?;
                        step.prints.push(line.to_owned());
                    }
                }
            }
        }
        Ok(Self { path: path.to_owned(), blocks })
    }
}

/// The quoted words in tables, each with its line.
pub(crate) fn in_tables(text: &str) -> Vec<(usize, &str)> {
    let rows = (1..).zip(text.lines()).filter(|(_, line)| line.starts_with("| "));
    rows.flat_map(|(number, line)| line.split('`').skip(1).step_by(2).map(move |quoted| (number, quoted))).collect()
}

/// The commands in blocks for the shell, which show no output; without comments, and up to a pipe, a redirection or the next
/// command. A command over several lines is left out.
pub(crate) fn without_output(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix("```"), fence) {
            (Some(_), Some(_)) => fence = None,
            (Some(info), None) => fence = Some(info),
            (None, Some("" | "sh")) if !line.ends_with('\\') => {
                let end = [" #", " |", " >", " &&", ";"].iter().filter_map(|end| line.find(end)).min();
                found.push((number, &line[..end.unwrap_or(line.len())]));
            }
            _ => {}
        }
    }
    found
}

/// Whether a command has a word in capitals, to be filled in, or `...`.
pub(crate) fn has_blank(command: &str) -> bool {
    let is_blank = |word: &str| {
        word.len() > 1 && !word.contains(char::is_lowercase) && word.contains(char::is_uppercase)
            || word.contains("...")
    };
    command.split([' ', '=']).any(is_blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_commands_with_their_output_and_what_they_need() {
        let text =
            "```console\n$ one > file\n$ two\nsays\n\n...\n```\n```sh\n$ no\n```\n```console data\n$ three\n```\n";
        let page = ConsolePage::parse("a.md", text).unwrap();
        let step = |line, command: &str, prints: &[&str]| ConsoleStep {
            line,
            command: command.to_owned(),
            prints: prints.iter().map(|line| (*line).to_owned()).collect(),
        };
        let first = Block {
            line: 1,
            need: None,
            steps: vec![step(2, "one > file", &[]), step(3, "two", &["says", "", "..."])],
        };
        let second = Block { line: 11, need: Some(Need::Data), steps: vec![step(12, "three", &[])] };
        assert_eq!(page.blocks, [first, second]);
    }

    #[test]
    fn an_unknown_need_and_output_without_a_command_are_mistakes() {
        let error = format!("{:#}", ConsolePage::parse("a.md", "\n```console dta\n```\n").unwrap_err());
        assert!(error.starts_with("a.md:2: `console dta`: accepted"), "{error}");
        let error = format!("{:#}", ConsolePage::parse("a.md", "```console\nsays\n```\n").unwrap_err());
        assert_eq!(error, "a.md:2: a block begins with a command");
    }

    #[test]
    fn commands_are_found_in_tables_and_in_blocks_without_output() {
        let text = "| list | `stoop homes`, `x` |\n```\nstoop run   # until Ctrl-C\nstoop a | b\nstoop c \\\n  --d\n```\n```toml\nstoop e\n```\n";
        assert_eq!(in_tables(text), [(1, "stoop homes"), (1, "x")]);
        assert_eq!(without_output(text), [(3, "stoop run  "), (4, "stoop a"), (6, "  --d")]);
        assert!(has_blank("stoop poll SEARCH") && has_blank("stoop x --db=FILE") && has_blank("stoop ..."));
        assert!(!has_blank("stoop homes 60602") && !has_blank("stoop home \"147 A St\""));
    }
}
