//! The baseline for a replay: only parsing the same file.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The argument that makes a bench parse a file, in a process of its own.
pub(crate) const PARSE: &str = "--parse-only";

/// Parses every line of a file into a JSON value and drops it.
pub(crate) fn parse(file: &Path) {
    let mut lines = BufReader::with_capacity(1 << 20, File::open(file).expect("the file"));
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).expect("the file reads") > 0 {
        let value: serde_json::Value = serde_json::from_slice(&line).expect("a line of JSON");
        black_box(value);
        line.clear();
    }
}
