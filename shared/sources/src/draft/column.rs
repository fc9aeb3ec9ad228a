//! One column of a sample: its name, and what stands in it in each row.

use std::collections::BTreeMap;

use super::words::Words;

/// Distinct values that are counted; a column with more is no enumeration.
const DISTINCT_MAX: usize = 60;

/// A column, a key of a row, or a place inside one.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// As a map's `from` names it.
    pub(super) name: String,
    pub(super) words: Words,
    /// Keys above it.
    pub(super) depth: usize,
    /// It stands in the first element of a list of objects.
    pub(super) in_list: bool,
    /// What stands there, row by row.
    pub(super) cells: Vec<Cell>,
}

/// What stands in a column of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Nothing: no such key, `null`, an empty text, an empty list.
    #[default]
    Absent,
    /// A text, trimmed, cut where it is very long.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// `true` or `false`.
    Truth(bool),
    /// A list of texts.
    List(Vec<String>),
    /// Anything else with an inside.
    Nested,
}

impl Cell {
    /// The text that a map's field would be given.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Truth(truth) => Some(if *truth { "true" } else { "false" }),
            Self::Absent | Self::List(_) | Self::Nested => None,
        }
    }
}

impl Column {
    /// The texts that stand in it, with repetitions.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        self.cells.iter().filter_map(Cell::text)
    }

    /// How many rows have something in it.
    pub(super) fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| **cell != Cell::Absent).count()
    }

    /// How many rows have a text or a number in it.
    pub(super) fn scalars(&self) -> usize {
        self.texts().count()
    }

    /// Whether nothing but texts, numbers and truths stands in it, in one row at least.
    pub(super) fn is_scalar(&self) -> bool {
        self.scalars() > 0 && !self.cells.iter().any(|cell| matches!(cell, Cell::List(_) | Cell::Nested))
    }

    pub(super) fn all(&self, fits: impl FnMut(&str) -> bool) -> bool {
        self.is_scalar() && self.texts().all(fits)
    }

    /// The share of texts for which `fits` holds.
    pub(super) fn share(&self, fits: impl Fn(&str) -> bool) -> f64 {
        ratio(self.texts().filter(|text| fits(text)).count(), self.scalars())
    }

    /// The numbers in it, where it holds nothing else.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        if !self.is_scalar() {
            return None;
        }
        self.texts().map(|text| text.parse::<f64>().ok().filter(|n| n.is_finite())).collect()
    }

    /// The same, with commas for points.
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

    /// How many different texts stand in it.
    pub(super) fn distinct(&self) -> usize {
        self.texts().collect::<std::collections::HashSet<_>>().len()
    }

    /// The different texts with how often each comes, the most frequent first; `None` where there are many.
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

/// `part` of `whole` as a share; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of rows")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
