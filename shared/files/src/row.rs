use std::fmt;

use csv::ByteRecord;
use stoop_domain::{Reason, Reject};
use stoop_sources::declared::{Format, Map, ReadHints};
use stoop_sources::text::Encoding;

/// How to read a file. The file determines what is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadOptions {
    /// `None`: by the extension.
    pub format: Option<Format>,
    /// The separator of CSV columns. `None`: a comma, or a tab in `.tsv`.
    pub delimiter: Option<u8>,
    /// JSON Pointer to the array of rows inside a JSON object. `None`: an object is one row.
    pub rows: Option<String>,
    /// The encoding of text without a byte order mark. `None`: UTF-8.
    pub encoding: Option<Encoding>,
    /// Lines to skip before the header of CSV, or before the first row of JSON Lines.
    pub skip_lines: u32,
    /// Prefixes of CSV and JSON Lines rows that are comments.
    pub comments: Vec<String>,
    /// The maximum length of a row in bytes. A longer one is a fault.
    pub row_bytes_max: usize,
}

/// The location of a row in a file, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// The first line of the row, in CSV and JSON Lines.
    Line(u64),
    /// The number of the element in a JSON array.
    Element(u64),
    /// The number of the row in a Parquet file.
    Row(u64),
}

/// A row of the file. Borrowed until the next one is read.
#[derive(Clone, Copy, Debug)]
pub struct RawRow<'a> {
    pub location: Location,
    pub content: Content<'a>,
}

/// The content of a row.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// The text of one JSON value.
    Json(&'a [u8]),
    /// A CSV record.
    Csv(&'a ByteRecord),
    /// A comment, unchanged.
    Comment(&'a [u8]),
}

/// A row that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {reason}: {detail}")]
pub struct RowFault {
    pub location: Location,
    /// The kind of reason, for counting.
    pub reason: Reason,
    /// Explains what is wrong.
    pub detail: String,
    /// The beginning of the row, at most [`Reject::RAW_MAX`] bytes.
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
    /// The options that a map sets.
    #[must_use]
    pub fn of(map: &Map) -> Self {
        let hints = map.hints();
        let ReadHints { format, delimiter, encoding, skip_lines, .. } = *hints;
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
    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Comment(bytes) => bytes.len(),
            Self::Csv(record) => record.as_slice().len(),
        }
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of the row, for the quarantine; for a CSV record, its fields joined by commas.
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
