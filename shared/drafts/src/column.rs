//! One column of a sample: its name and its cells.

use std::collections::BTreeMap;

use stoop_domain::Purpose;

use super::measures::Measure;
use super::words::Words;

/// Maximum number of distinct values to count; a column with more is not an enumeration.
const DISTINCT_MAX: usize = 60;

/// A column, a key of a row, or a nested value.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Name as in a map's `from`.
    pub(super) name: String,
    pub(super) words: Words,
    /// Number of keys above it.
    pub(super) depth: usize,
    /// Whether it is in the first element of a list of objects.
    pub(super) in_list: bool,
    /// The word that says that its values are not the listing's own.
    pub(super) owner: Option<String>,
    /// What the name says about its numbers.
    pub(super) measure: Measure,
    /// Why it is of one thing in some rows and of another in others.
    pub(super) mixed: Option<String>,
    /// The purpose that its amounts are for, where a list has them for several.
    pub(super) purpose: Option<Purpose>,
    /// Whether the header has this name more than once.
    pub(super) is_repeated: bool,
    /// The cells, row by row.
    pub(super) cells: Vec<Cell>,
}

/// The content of a column in one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Absent key, `null`, empty text or empty list.
    #[default]
    Absent,
    /// Trimmed text, truncated if very long.
    Text(String),
    /// A number as written.
    Number(String),
    /// A boolean.
    Bool(bool),
    /// A list of texts.
    List(Vec<String>),
    /// Any other object or list.
    Nested,
}

impl Cell {
    /// Returns the text that a map's field would read.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }),
            Self::Absent | Self::List(_) | Self::Nested => None,
        }
    }
}

impl Column {
    /// Whether it is the value of a key in a list of keys and values.
    pub(super) fn is_keyed(&self) -> bool {
        self.name.starts_with("$.")
    }

    /// All texts of the column, with repetitions.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        self.cells.iter().filter_map(Cell::text)
    }

    /// Number of rows that are not absent.
    pub(super) fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| **cell != Cell::Absent).count()
    }

    /// Number of rows with a text or a number.
    pub(super) fn scalars(&self) -> usize {
        self.texts().count()
    }

    /// Whether all values are texts, numbers or booleans, and at least one row has a value.
    pub(super) fn is_scalar(&self) -> bool {
        self.scalars() > 0 && !self.cells.iter().any(|cell| matches!(cell, Cell::List(_) | Cell::Nested))
    }

    pub(super) fn all(&self, fits: impl FnMut(&str) -> bool) -> bool {
        self.is_scalar() && self.texts().all(fits)
    }

    /// Share of texts for which `fits` holds.
    pub(super) fn share(&self, fits: impl Fn(&str) -> bool) -> f64 {
        ratio(self.texts().filter(|text| fits(text)).count(), self.scalars())
    }

    /// Returns the values if all are numbers.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        if !self.is_scalar() {
            return None;
        }
        self.texts().map(|text| text.parse::<f64>().ok().filter(|n| n.is_finite())).collect()
    }

    /// Like `numbers`, but also accepts decimal commas.
    pub(super) fn degrees(&self) -> Option<Vec<f64>> {
        let number = |text: &str| match text.split_once(',') {
            Some((whole, part)) if !text.contains('.') => format!("{whole}.{part}").parse::<f64>().ok(),
            _ => text.parse().ok(),
        };
        if !self.is_scalar() {
            return None;
        }
        self.texts().map(|text| number(text).filter(|n| n.is_finite())).collect()
    }

    /// Number of distinct texts.
    pub(super) fn distinct(&self) -> usize {
        self.texts().collect::<std::collections::HashSet<_>>().len()
    }

    /// Distinct texts with their counts, the most frequent first; `None` if there are too many.
    pub(super) fn values(&self) -> Option<Vec<(&str, usize)>> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for text in self.texts() {
            *counts.entry(text).or_default() += 1;
            if counts.len() > DISTINCT_MAX {
                return None;
            }
        }
        let mut values: Vec<_> = counts.into_iter().collect();
        values.sort_by_key(|(text, count)| (std::cmp::Reverse(*count), *text));
        Some(values)
    }

    pub(super) fn first(&self) -> Option<&str> {
        self.texts().next()
    }
}

/// `part` as a share of `whole`; 0 if `whole` is 0.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
