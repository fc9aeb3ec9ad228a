use std::fmt;

use csv::ByteRecord;
use stoop_domain::{Reason, Reject};
use stoop_sources::declared::{self, Map, ReadHints};
use stoop_sources::text::Encoding;

/// How to read a file; what is `None` is told by the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// The format; by the file's extension.
    pub format: Option<Format>,
    /// The sign between CSV columns; a comma, or a tab in `.tsv`.
    pub delimiter: Option<u8>,
    /// JSON Pointer to the array of rows inside a JSON object; without it an object is one row.
    pub rows: Option<String>,
    /// How the bytes of text stand for letters, where no mark at their beginning says it; UTF-8.
    pub encoding: Option<Encoding>,
    /// Lines before the header of CSV, or before the first row of JSON Lines, that are passed over.
    pub skip_lines: u32,
    /// Rows of CSV and JSON Lines that begin with one of these are no rows of data.
    pub comments: Vec<String>,
    /// A longer row is a fault.
    pub row_bytes_max: usize,
}

/// The format of a file, below its compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// JSON: an array of rows, an object with an array of rows in it, or objects one after another.
    Json,
    /// One JSON value a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// Where in a file a row stands, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// The line on which it begins, of CSV and JSON Lines.
    Line(u64),
    /// Its number in a JSON array.
    Element(u64),
    /// Its number in a Parquet file.
    Row(u64),
}

/// A row as it stands in the file. Lives until the next one is asked for.
#[derive(Clone, Copy, Debug)]
pub struct RawRow<'a> {
    /// Where it stands.
    pub location: Location,
    /// What it holds.
    pub content: Content<'a>,
}

/// What a row holds.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// The text of one JSON value.
    Json(&'a [u8]),
    /// A record of CSV.
    Csv(&'a ByteRecord),
    /// What begins like a comment, as it stands there.
    Comment(&'a [u8]),
}

/// A row that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {reason}: {detail}")]
pub struct RowFault {
    /// Where it stands.
    pub location: Location,
    /// The kind of reason, for counting.
    pub reason: Reason,
    /// What is wrong, in words.
    pub detail: String,
    /// Its beginning, at most [`Reject::RAW_MAX`] bytes.
    pub raw: Vec<u8>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            delimiter: None,
            rows: None,
            encoding: None,
            skip_lines: 0,
            comments: Vec::new(),
            row_bytes_max: 16 << 20,
        }
    }
}

impl ReadOptions {
    /// As a map says.
    #[must_use]
    pub fn of(map: &Map) -> Self {
        let hints = map.hints();
        let format = hints.format.map(|format| match format {
            declared::Format::Csv => Format::Csv,
            declared::Format::Json => Format::Json,
            declared::Format::JsonLines => Format::JsonLines,
            declared::Format::Parquet => Format::Parquet,
        });
        let ReadHints { delimiter, encoding, skip_lines, .. } = *hints;
        let (rows, comments) = (hints.rows.clone(), hints.comments.clone());
        Self { format, delimiter, rows, encoding, skip_lines, comments, ..Self::default() }
    }
}

impl RowFault {
    pub(crate) fn new(location: Location, reason: Reason, detail: impl Into<String>, raw: &[u8]) -> Self {
        Self { location, reason, detail: detail.into(), raw: raw[..raw.len().min(Reject::RAW_MAX)].to_vec() }
    }
}

impl Content<'_> {
    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Comment(bytes) => bytes.len(),
            Self::Csv(record) => record.as_slice().len(),
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row's text, for the quarantine; a record of CSV with its fields joined by commas.
    #[must_use]
    pub fn raw(&self) -> Vec<u8> {
        match self {
            Self::Json(bytes) | Self::Comment(bytes) => bytes[..bytes.len().min(Reject::RAW_MAX)].to_vec(),
            Self::Csv(record) => {
                let mut raw = Vec::new();
                for (i, field) in record.iter().enumerate() {
                    if i > 0 {
                        raw.push(b',');
                    }
                    raw.extend_from_slice(field);
                }
                raw.truncate(Reject::RAW_MAX);
                raw
            }
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Element(n) => write!(f, "element {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}
