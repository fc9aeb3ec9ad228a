//! The envelope of an answer: everything except the rows.

use serde_json::value::RawValue;

use super::json_path::{self, JsonPath, Selected};
use super::trie::{self, Span, Trie};
use crate::port::ReadError;
use crate::raws::{Raws, cut, rows_max};

/// Paths in an answer to its rows and to the values that lead to the next page.
#[derive(Debug)]
pub(super) struct Envelope {
    trie: Trie,
    /// Whether any value is addressed by a JSON Pointer.
    pointers: bool,
    /// Values addressed by a JSONPath, with their slots.
    paths: Vec<(usize, JsonPath)>,
    /// Path to the rows as the map writes it; `None` if the answer itself is the array of rows.
    rows: Option<String>,
}

/// Slots of an [`Envelope`].
pub(super) const ROWS: usize = 0;
pub(super) const NEXT: usize = 1;
pub(super) const TOTAL: usize = 2;
pub(super) const TOTAL_PAGES: usize = 3;
pub(super) const MORE: usize = 4;
pub(super) const COUNT: usize = 5;

/// A parsed answer.
#[derive(Debug)]
pub(super) struct OpenEnvelope<'j> {
    pub(super) rows: Vec<&'j str>,
    /// Number of rows that count towards the page.
    pub(super) counted: u64,
    /// Why some of the rows are not read.
    pub(super) cut: Option<String>,
    values: [&'j str; COUNT],
}

/// Validates the path to a value: a JSON Pointer or a JSONPath.
pub(super) fn check(text: &str) -> Result<(), String> {
    if json_path::is_path(text) { JsonPath::parse(text).map(drop) } else { trie::pointer(text).map(drop) }
}

impl Envelope {
    /// Compiles the path of each slot. Invalid paths find nothing: `check` reports them.
    pub(super) fn new(paths: [Option<&str>; COUNT]) -> Self {
        let is_path = |text: &&str| json_path::is_path(text);
        let pointers = paths.map(|text| text.filter(|text| !is_path(text)).and_then(|text| trie::pointer(text).ok()));
        let parsed = paths.into_iter().enumerate();
        Self {
            pointers: pointers.iter().any(Option::is_some),
            trie: Trie::new(&pointers),
            rows: paths[ROWS].map(str::to_owned),
            paths: parsed
                .filter_map(|(slot, text)| Some((slot, JsonPath::parse(text.filter(is_path)?).ok()?)))
                .collect(),
        }
    }

    /// Parses an answer: a whole JSON document without surrounding white space. `hide` removes secrets from text for
    /// messages.
    pub(super) fn open<'j>(&self, body: &'j str, hide: impl Fn(&str) -> String) -> Result<OpenEnvelope<'j>, ReadError> {
        let unreadable = |error: serde_json::Error| ReadError::Unreadable(error.to_string());
        let mut values = [""; COUNT];
        if self.pointers {
            let mut spans = [Span::default(); COUNT];
            self.trie.find(body, &mut spans).map_err(unreadable)?;
            values = spans.map(|span| body.get(span.start as usize..span.end as usize).unwrap_or_default());
        }
        let mut selected_rows = None;
        if !self.paths.is_empty() {
            let paths: Vec<&JsonPath> = self.paths.iter().map(|(_, path)| path).collect();
            let selected = json_path::select(&paths, body).map_err(unreadable)?;
            for ((slot, path), selected) in self.paths.iter().zip(selected) {
                values[*slot] = selected.values.first().copied().unwrap_or_default();
                if *slot == ROWS && !path.is_singular() {
                    selected_rows = Some(selected);
                }
            }
        }
        match selected_rows {
            // Rows that a JSONPath selects one by one. If it selects none, the array that its prefix leads to must
            // still exist: otherwise an error message would look like a page without rows. If that array is longer than
            // the selection, its length counts as the page's: a filter does not shorten the page.
            Some(Selected { values: rows, elements: None }) if rows.is_empty() => Err(self.no_rows("", body, hide)),
            Some(Selected { values: mut rows, elements }) => {
                let (counted, most) = (rows.len().max(elements.unwrap_or(0)) as u64, rows_max(body.len()));
                let cut = cut(rows.len(), most);
                rows.truncate(most);
                Ok(OpenEnvelope { counted, rows, cut, values })
            }
            None => {
                let rows = if self.rows.is_none() { body } else { values[ROWS] };
                if !rows.starts_with('[') {
                    return Err(self.no_rows(rows, body, hide));
                }
                let raws = Raws::parse(rows, body.len()).map_err(unreadable)?;
                let cut = raws.cut();
                let rows: Vec<&str> = raws.rows.into_iter().map(RawValue::get).collect();
                Ok(OpenEnvelope { counted: rows.len() as u64, rows, cut, values })
            }
        }
    }

    fn no_rows(&self, got: &str, body: &str, hide: impl Fn(&str) -> String) -> ReadError {
        let place = self.rows.as_deref().unwrap_or("the top");
        let got = if got.is_empty() { "nothing".to_owned() } else { hide(got) };
        let got = format!("{got:.80} at {place}, in {:.200}", hide(body));
        ReadError::NotOurs { expected: "an array of rows", got }
    }
}

impl<'j> OpenEnvelope<'j> {
    /// Returns the raw JSON of a slot's value; empty if absent.
    pub(super) fn written(&self, slot: usize) -> &'j str {
        self.values[slot]
    }

    /// Returns a whole number, or a text that contains one.
    pub(super) fn number(&self, slot: usize) -> Option<u64> {
        self.values[slot].trim_matches('"').trim().parse().ok()
    }

    /// Returns a boolean, also if written as a text or a number.
    pub(super) fn boolean(&self, slot: usize) -> Option<bool> {
        match self.values[slot].trim_matches('"') {
            "true" | "True" | "1" => Some(true),
            "false" | "False" | "0" => Some(false),
            _ => None,
        }
    }
}
