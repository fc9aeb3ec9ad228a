//! The compiled form of a map.

use std::sync::Arc;

use jiff::tz::TimeZone;
use regex::Regex;
use stoop_domain::{Currency, PropertyType, Purpose, Status};

use super::http_plan::HttpPlan;
use super::json_path::JsonPath;
use super::target::Target;
use super::trie::Trie;
use crate::text::{AreaMeasure, DateFormat, Encoding, Language, NumberStyle, Period};

/// A compiled map.
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
    /// All columns that the map reads. Recipes refer to them by index, the slot.
    pub(super) columns: Vec<MapColumn>,
    /// Paths of the columns in a JSON row.
    pub(super) trie: Trie,
    /// Columns that are JSONPaths. If there are none, rows are never parsed as a whole.
    pub(super) paths: Vec<(u16, JsonPath)>,
    pub(super) skips: Vec<Condition>,
    pub(super) fields: [Option<Recipe>; Target::COUNT],
    pub(super) http: Option<HttpPlan>,
}

/// The order of a map's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By time of observation.
    #[default]
    ByTime,
    /// Any order: the reader sorts rows by `observed_at`. Rows of the same listing and time keep their order.
    Any,
    /// Any order, and of rows of the same listing and time the latest comes first.
    NewestFirst,
}

/// How to open the map's files (`[read]`); `None` means: detect from the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadHints {
    /// File format.
    pub format: Option<Format>,
    /// Separator of CSV columns.
    pub delimiter: Option<u8>,
    /// JSON Pointer to the array of rows in a JSON document; for answers of an API also a JSONPath.
    pub rows: Option<String>,
    /// Character encoding, unless a byte order mark says otherwise. Default: UTF-8.
    pub encoding: Option<Encoding>,
    /// Lines to skip before the header, or before the first row of JSON Lines.
    pub skip_lines: u32,
    /// Rows that begin with one of these texts are skipped.
    pub comments: Vec<String>,
}

/// Format of a file of listings, without its compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a header.
    Csv,
    /// JSON: an array of rows, an object that contains an array of rows, or several objects in sequence.
    Json,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// The first sheet of an Excel workbook, with a header.
    Xlsx,
    /// XML: repeated elements.
    Xml,
    /// An HTML page with JSON-LD.
    Html,
    /// BLM, the delimited text of Rightmove.
    Blm,
}

impl Format {
    /// The names in maps.
    pub const NAMES: [(&str, Self); 8] = [
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("jsonl", Self::JsonLines),
        ("parquet", Self::Parquet),
        ("xlsx", Self::Xlsx),
        ("xml", Self::Xml),
        ("html", Self::Html),
        ("blm", Self::Blm),
    ];
}

/// A column, top-level key, JSON Pointer or JSONPath, and the position in the map that first names it.
#[derive(Debug)]
pub(super) struct MapColumn {
    pub(super) name: Box<str>,
    pub(super) key: String,
    pub(super) line: usize,
}

/// A condition on a column: decides whether to skip a row or to read a field.
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

/// How to read one field.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) origin: FieldOrigin,
    /// Read the field only in rows for which this holds.
    pub(super) only: Option<Condition>,
    pub(super) null: Vec<Box<str>>,
    pub(super) regex: Option<Regex>,
    pub(super) replace: Vec<(Regex, Box<str>)>,
    pub(super) lookup: Option<Lookup>,
    pub(super) default: Option<Word>,
    pub(super) lenient: bool,
    pub(super) number: NumberStyle,
    pub(super) unit: AreaMeasure,
    /// How an amount becomes the price or monthly fee that is stored.
    pub(super) conversion: Conversion,
    pub(super) when: When,
    pub(super) split: Option<Box<str>>,
}

/// How an amount is converted.
#[derive(Debug)]
pub(super) struct Conversion {
    pub(super) times: i64,
    pub(super) divisor: i64,
    pub(super) per: Per,
    /// Whether a range and a minimum are read as their lower end.
    pub(super) takes_floor: bool,
}

/// The period of an amount, unless its text names one.
#[derive(Debug)]
pub(super) enum Per {
    Always(Period),
    /// A column names it; where it is absent, it is a month.
    Column {
        slot: u16,
        lookup: Vec<(Box<str>, Period)>,
    },
}

/// The source of a field's text.
#[derive(Debug)]
pub(super) enum FieldOrigin {
    /// The first of these columns that is not absent.
    Columns(Vec<u16>),
    /// Several columns joined.
    Template(Vec<Piece>),
    /// A fixed text.
    Constant(Word),
    /// The file's name, matched by the regex.
    FileName(Regex),
}

#[derive(Debug)]
pub(super) enum Piece {
    Text(Box<str>),
    Slot(u16),
}

/// How to read a date.
#[derive(Debug)]
pub(super) enum When {
    Formats(Vec<DateFormat>),
    Relative(Language),
}

/// A lookup from text to text.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) entries: Vec<(Box<str>, Word)>,
    /// Whether texts that are not listed mean what Stoop knows of them.
    pub(super) known_words: bool,
    pub(super) otherwise: Option<Word>,
}

/// A text in the map. If it names an enum value, the value is stored too, so that rows need not parse it again.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: Box<str>,
    pub(super) known: KnownValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KnownValue {
    No,
    Status(Status),
    PropertyType(PropertyType),
    Purpose(Purpose),
    Currency(Currency),
}

impl Recipe {
    /// Whether the lookup has this text, which is then no missing value.
    pub(super) fn translates(&self, text: &str) -> bool {
        self.lookup.as_ref().is_some_and(|lookup| lookup.entries.iter().any(|(known, _)| **known == *text))
    }

    /// The regex for the file's name, if the field reads it.
    pub(super) fn file_name(&self) -> Option<&Regex> {
        match &self.origin {
            FieldOrigin::FileName(regex) => Some(regex),
            _ => None,
        }
    }
}
