//! `stoop explain`: what docs/ERRORS.md says of a code.

use std::process::ExitCode;

use crate::args::ExplainArgs;
use crate::out::say;

/// A section for each code: `## full`, its first line a summary.
const PAGE: &str = include_str!("../../docs/ERRORS.md");

/// `stoop explain [CODE]`.
pub(crate) fn explain(args: &ExplainArgs) -> ExitCode {
    for (code, text) in sections() {
        match &args.code {
            None => say!("{code}: {}", text.lines().next().unwrap_or_default()),
            Some(asked) if asked == code => say!("{code}\n\n{text}"),
            Some(_) => {}
        }
    }
    ExitCode::SUCCESS
}

/// Each code with the text of its section, in the order of the page.
fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    sections.map(|section| section.split_once('\n').unwrap_or((section, ""))).map(|(code, text)| (code, text.trim()))
}

#[cfg(test)]
mod tests {
    use stoop_pipeline::ErrorCode;

    use super::*;

    #[test]
    fn every_code_has_its_section_and_every_section_a_code() {
        assert!(sections().map(|(code, _)| code).eq(ErrorCode::ALL.map(ErrorCode::as_str)));
    }

    #[test]
    fn each_section_says_what_it_is_and_its_cause_how_to_see_it_and_what_to_do() {
        for (code, text) in sections() {
            let mut from = 0;
            for part in ["\n\n**Cause.** ", "\n\n**How to see it.** ", "\n\n**What to do.** "] {
                let at =
                    text[from..].find(part).unwrap_or_else(|| panic!("{code} lacks {part:?}, or has it too early"));
                assert!(from > 0 || at > 0, "{code} has no summary");
                from += at + part.len();
            }
            let summary = text.lines().next().unwrap_or_default();
            assert!(summary.ends_with('.') && !summary.contains("]("), "{code}: {summary}");
        }
    }
}
