//! Compiles `[read]` to [`ReadHints`].

use super::envelope;
use super::json_path;
use super::plan::{Format, ReadHints};
use crate::settings::{Mistakes, Section, accepted};
use crate::text::Encoding;

pub(super) const KEYS: [&str; 6] = ["format", "delimiter", "rows", "encoding", "skip_lines", "comment"];

/// A header must come within this many lines.
const SKIP_LINES_MAX: u32 = 1_000;

pub(super) fn hints(root: &Section<'_>, mistakes: &mut Mistakes<'_>) -> ReadHints {
    let Some(read) = root.table("read", mistakes) else { return ReadHints::default() };
    read.only(&KEYS, mistakes);
    let format = read.text("format", mistakes).and_then(|(text, line)| {
        let known = Format::NAMES.into_iter().find(|(name, _)| *name == text);
        known.map(|(_, format)| format).or_else(|| {
            let problem = format!("{text:?}; {}", accepted(text, Format::NAMES.map(|(name, _)| name)));
            note(mistakes, line, "read.format", problem)
        })
    });
    let delimiter = read.text("delimiter", mistakes).and_then(|(text, line)| match text.as_bytes() {
        [sign] if sign.is_ascii() && !matches!(sign, b'"' | b'\n' | b'\r') => Some(*sign),
        _ => {
            let problem = format!("{text:?}; accepted: one ASCII sign, like \";\" or \"\\t\"");
            note(mistakes, line, "read.delimiter", problem)
        }
    });
    let rows = read.text("rows", mistakes).map(|(text, line)| {
        if let Err(problem) = envelope::check(text) {
            mistakes.add(line, "read.rows", problem);
        } else if json_path::is_path(text) && !root.has("http") {
            let problem = format!("{text:?} is a JSONPath, which only [http] has; accepted: a JSON Pointer like /data");
            mistakes.add(line, "read.rows", problem);
        }
        text.to_owned()
    });
    let encoding = read.text("encoding", mistakes).and_then(|(text, line)| match Encoding::parse(text) {
        Some(encoding) => Some(encoding),
        None => note(mistakes, line, "read.encoding", format!("{text:?}; {}", accepted(text, Encoding::NAMES))),
    });
    let lines = lines(&read, format, mistakes);
    ReadHints { format, delimiter, rows, encoding, ..lines }
}

/// Reads the keys that only line-based files accept.
fn lines(read: &Section<'_>, format: Option<Format>, mistakes: &mut Mistakes<'_>) -> ReadHints {
    if matches!(format, Some(Format::Json | Format::Parquet | Format::Xml | Format::Html | Format::Blm)) {
        for key in ["skip_lines", "comment"].into_iter().filter(|key| read.has(key)) {
            let line = read.value(key, mistakes).map_or(read.line(), |value| value.line);
            mistakes.add(line, read.key(key), "only CSV and JSON Lines have lines");
        }
    }
    let skip_lines = read.count("skip_lines", mistakes).map_or(0, |lines| {
        u32::try_from(lines).ok().filter(|lines| *lines <= SKIP_LINES_MAX).unwrap_or_else(|| {
            let line = read.value("skip_lines", mistakes).map_or(read.line(), |value| value.line);
            mistakes.add(line, "read.skip_lines", format!("{lines}; accepted: 0 to {SKIP_LINES_MAX}"));
            0
        })
    });
    let mut comments = Vec::new();
    for (text, line) in read.texts("comment", mistakes).unwrap_or_default() {
        if text.trim().is_empty() {
            mistakes.add(
                line,
                "read.comment",
                format!("{text:?} begins every row; accepted: what only comments begin with"),
            );
        }
        comments.push(text.to_owned());
    }
    ReadHints { skip_lines, comments, ..ReadHints::default() }
}

pub(super) fn note<T>(mistakes: &mut Mistakes<'_>, line: usize, key: &str, problem: String) -> Option<T> {
    mistakes.add(line, key, problem);
    None
}
