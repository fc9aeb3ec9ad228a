//! What a map says, made ready for reading rows.

use std::sync::Arc;

use jiff::tz::TimeZone;
use regex::Regex;
use stoop_domain::{AreaUnit, Currency, PropertyType, Purpose, Status};

use super::http_plan::HttpPlan;
use super::json_path::JsonPath;
use super::target::Target;
use super::trie::Trie;
use crate::text::{DateFormat, Encoding, Language, NumberStyle};

/// A whole map.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) file: String,
    pub(super) name: Arc<str>,
    pub(super) country: Option<String>,
    pub(super) currency: Option<Currency>,
    pub(super) purpose: Option<Purpose>,
    pub(super) zone: TimeZone,
    pub(super) order: Order,
    pub(super) history: bool,
    pub(super) hints: ReadHints,
    /// Everything that rows are asked for; recipes speak of it by its number, the slot.
    pub(super) columns: Vec<Column>,
    /// Where in a JSON row the columns are found.
    pub(super) trie: Trie,
    /// Those columns that a JSONPath leads to. Rows of a map that has none are never built whole.
    pub(super) paths: Vec<(u16, JsonPath)>,
    pub(super) skips: Vec<Condition>,
    pub(super) fields: [Option<Recipe>; Target::COUNT],
    pub(super) http: Option<HttpPlan>,
}

/// In which order a map's rows come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By the time they were observed.
    #[default]
    ByTime,
    /// In any: whoever feeds them sorts them by `observed_at` first. Rows of one listing and time stand in their order.
    Any,
    /// The same, and rows of one listing and time stand with the latest first.
    NewestFirst,
}

/// What a map says of how its files are to be opened (`[read]`); `None` where the file decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadHints {
    /// The format of the files.
    pub format: Option<Format>,
    /// The sign between CSV columns.
    pub delimiter: Option<u8>,
    /// JSON Pointer to the array of rows inside a JSON document; for the answers of an API also a JSONPath.
    pub rows: Option<String>,
    /// How the bytes of text stand for letters, where no mark at their beginning says it. UTF-8 otherwise.
    pub encoding: Option<Encoding>,
    /// Lines before the header, or before the first row of JSON Lines, that are passed over.
    pub skip_lines: u32,
    /// Rows that begin with one of these are passed over.
    pub comments: Vec<String>,
}

/// The format of a file of listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a header.
    Csv,
    /// A JSON document.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// A column, top-level key, JSON Pointer or JSONPath, and where in the map it is first named.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: Box<str>,
    pub(super) key: String,
    pub(super) line: usize,
}

/// What may be asked of a column: whether to leave out a row, whether to read a field.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) slot: u16,
    pub(super) rule: Rule,
}

#[derive(Debug)]
pub(super) enum Rule {
    Is(Vec<Box<str>>),
    Not(Vec<Box<str>>),
    Absent,
}

/// How one field is read.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) origin: Origin,
    /// The field is read only in rows where this holds.
    pub(super) only: Option<Condition>,
    pub(super) null: Vec<Box<str>>,
    pub(super) regex: Option<Regex>,
    pub(super) replace: Vec<(Regex, Box<str>)>,
    pub(super) lookup: Option<Lookup>,
    pub(super) default: Option<Word>,
    pub(super) lenient: bool,
    pub(super) number: NumberStyle,
    pub(super) unit: AreaUnit,
    /// How many months a fee is for.
    pub(super) months: i64,
    pub(super) when: When,
    pub(super) split: Option<Box<str>>,
}

/// Where a field's text comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// The first of these columns that has something.
    Columns(Vec<u16>),
    /// Several columns joined.
    Template(Vec<Piece>),
    /// Always the same.
    Constant(Word),
    /// The name of the file, through the regex.
    FileName(Regex),
}

#[derive(Debug)]
pub(super) enum Piece {
    Text(Box<str>),
    Slot(u16),
}

/// How a date is read.
#[derive(Debug)]
pub(super) enum When {
    Formats(Vec<DateFormat>),
    Relative(Language),
}

/// Text to text.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) entries: Vec<(Box<str>, Word)>,
    pub(super) otherwise: Option<Word>,
}

/// A text that stands in the map; where it names a value of an enumeration, that value too, so that
/// rows need not read it again.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: Box<str>,
    pub(super) known: Known,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    No,
    Status(Status),
    PropertyType(PropertyType),
    Purpose(Purpose),
    Currency(Currency),
}

impl Recipe {
    /// Whether a file's name is looked at.
    pub(super) fn file_name(&self) -> Option<&Regex> {
        match &self.origin {
            Origin::FileName(regex) => Some(regex),
            _ => None,
        }
    }
}
