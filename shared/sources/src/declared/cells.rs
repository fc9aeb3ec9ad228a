//! The columns of a row, independent of the row's format.

use std::borrow::Cow;

use csv::ByteRecord;
use stoop_domain::Reason;

use super::row::RowError;
use super::trie::Span;
use crate::fields::shown;

/// The content of a column.
#[derive(Debug)]
pub(super) enum RowCell<'s> {
    /// Absent key, `null` or empty text.
    Absent,
    /// Trimmed text.
    Text(Cow<'s, str>),
    /// A JSON number or boolean, as written.
    Plain(&'s str),
    /// A JSON object or array, as written.
    Nested(&'s str),
}

/// The columns of one row.
pub(super) trait Cells<'s> {
    fn cell(&self, slot: u16) -> Result<RowCell<'s>, RowError>;

    /// All values that a JSONPath selects, starting with `cell`; `None` for columns without a JSONPath.
    fn several(&self, _slot: u16) -> Result<Option<Vec<RowCell<'s>>>, RowError> {
        Ok(None)
    }
}

/// A JSON row and the spans of its wanted values.
pub(super) struct JsonCells<'s, 'r> {
    pub(super) row: &'s str,
    pub(super) spans: &'r [Span],
    /// Values selected by the JSONPaths.
    pub(super) several: &'r [Several],
}

/// The values that one JSONPath selects in one row.
#[derive(Debug)]
pub(super) struct Several {
    pub(super) slot: u16,
    /// All values that are not absent.
    pub(super) spans: Vec<Span>,
}

/// A CSV record and the field of each slot.
pub(super) struct CsvCells<'s, 'r> {
    pub(super) row: &'s ByteRecord,
    pub(super) fields: &'r [Option<usize>],
}

impl<'s> Cells<'s> for JsonCells<'s, '_> {
    fn cell(&self, slot: u16) -> Result<RowCell<'s>, RowError> {
        self.at(self.spans[usize::from(slot)])
    }

    fn several(&self, slot: u16) -> Result<Option<Vec<RowCell<'s>>>, RowError> {
        let several = self.several.iter().find(|several| several.slot == slot);
        several.map(|several| several.spans.iter().map(|span| self.at(*span)).collect()).transpose()
    }
}

impl<'s> JsonCells<'s, '_> {
    fn at(&self, span: Span) -> Result<RowCell<'s>, RowError> {
        json_cell(&self.row[span.start as usize..span.end as usize], span.escaped)
    }
}

/// Converts a JSON value to a cell. `escaped`: a string may contain escapes.
#[inline]
pub(super) fn json_cell(raw: &str, escaped: bool) -> Result<RowCell<'_>, RowError> {
    Ok(match raw.as_bytes() {
        [] | [b'n', ..] => RowCell::Absent,
        [b'"', inside @ .., b'"'] if !escaped => text(Cow::Borrowed(&raw[1..=inside.len()])),
        [b'"', ..] => text(unescape(raw)?),
        [b'{' | b'[', ..] => RowCell::Nested(raw),
        _ => RowCell::Plain(raw),
    })
}

impl<'s> Cells<'s> for CsvCells<'s, '_> {
    fn cell(&self, slot: u16) -> Result<RowCell<'s>, RowError> {
        let field = self.fields[usize::from(slot)].and_then(|i| self.row.get(i));
        match std::str::from_utf8(field.unwrap_or_default()) {
            Ok(field) => Ok(text(Cow::Borrowed(field))),
            Err(error) => {
                let lossy = String::from_utf8_lossy(field.unwrap_or_default());
                Err(RowError::new(
                    Reason::NotUtf8,
                    format!(
                        "{:?} has bytes that are no UTF-8, from byte {}: [read] of the map may say encoding = \"windows-1252\"",
                        shown(&lossy),
                        error.valid_up_to()
                    ),
                ))
            }
        }
    }
}

/// Whether a text is how a program writes a missing value: `nan`, `None`, `NULL`, `NaT`, `N/A`, `-`.
pub(super) fn is_missing(text: &str) -> bool {
    text.len() <= 5 && crate::text::is_missing(text)
}

/// Decodes a JSON string; borrows if it contains no escapes.
pub(super) fn unescape(raw: &str) -> Result<Cow<'_, str>, RowError> {
    if raw.as_bytes().contains(&b'\\') {
        return serde_json::from_str(raw)
            .map(Cow::Owned)
            .map_err(|error| RowError::new(Reason::BadValue, format!("{raw:.80}: {error}")));
    }
    Ok(Cow::Borrowed(raw.get(1..raw.len() - 1).unwrap_or_default()))
}

fn text(text: Cow<'_, str>) -> RowCell<'_> {
    if let (Some(first), Some(last)) = (text.as_bytes().first(), text.as_bytes().last())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return RowCell::Text(text);
    }
    let text = trim(text);
    if text.is_empty() { RowCell::Absent } else { RowCell::Text(text) }
}

/// Trims white space at both ends; copies only if it must.
pub(super) fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    if matches!(text.as_bytes(), [b'!'..=b'~', .., b'!'..=b'~'] | [b'!'..=b'~']) {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}
