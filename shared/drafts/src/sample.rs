//! A sample answer or file: its rows and the content of their columns.

use std::collections::HashMap;

use csv::ByteRecord;
use serde_json::{Map as Object, Value};

use super::DraftError;
use super::column::{Cell, Column};
use super::find_rows::{DEPTH_MAX, arrays, beside, escaped, keyed, looks_like_a_row};
use super::layout::Layout;
use super::owners;
use super::words::Words;
use stoop_sources::text::is_missing;

/// Maximum number of rows to read.
pub(super) const ROWS_MAX: usize = 1_000;
/// Maximum number of columns to read: a row of an API has some hundred.
const COLUMNS_MAX: usize = 1_500;
/// Maximum length of a text to read, in characters.
const TEXT_MAX: usize = 4_000;
/// Maximum length of a list of keys with their values.
const KEYED_MAX: usize = 100;

/// A sample of a source's answers or files.
///
/// Built from parsed data, without I/O; see [`draft`](super::draft) for an example.
#[derive(Clone, Debug)]
pub struct Sample {
    pub(super) rows: SampleRows,
    pub(super) columns: Vec<Column>,
    /// JSON Pointer to the array of rows; `None` if there is no document around the rows.
    pub(super) pointer: Option<String>,
    /// Whether the document is a single row.
    pub(super) is_one_row: bool,
    /// Texts and numbers outside of the rows, by JSON Pointer.
    pub(super) envelope: Vec<(String, Value)>,
    /// Layout of the file.
    pub(super) layout: Layout,
    /// Number of rows, including those not read.
    pub(super) total: usize,
}

/// The rows, to test the draft with.
#[derive(Clone, Debug)]
pub(super) enum SampleRows {
    Json(Vec<Value>),
    Csv(ByteRecord, Vec<ByteRecord>),
}

impl Sample {
    /// Creates a sample of a JSON document: an array of rows, an object that contains an array of rows, or one row. Of
    /// several arrays of objects, takes the one with the most values.
    ///
    /// # Errors
    /// Fails if no object in it could be a row.
    pub fn of_document(document: Value) -> Result<Self, DraftError> {
        let mut document = document;
        if let Value::Array(elements) = document {
            return Self::of_rows(elements);
        }
        let Value::Object(object) = &document else {
            return Err(DraftError::one("the sample is one value, and no object or array: there are no rows in it"));
        };
        let mut found = Vec::new();
        arrays(object, &mut String::new(), 0, &mut found);
        let best = found.into_iter().max_by_key(|(_, weight)| *weight).map(|(pointer, _)| pointer);
        let Some(pointer) = best.filter(|_| !looks_like_a_row(object)) else {
            if let Some(position) = keyed(object, &mut String::new(), 0) {
                return Err(DraftError::one(format!(
                    "the rows at {position} are an object keyed by their ids; a map reads arrays of objects only"
                )));
            }
            let mut sample = Self::of_rows(vec![document])?;
            sample.is_one_row = true;
            return Ok(sample);
        };
        let mut envelope = Vec::new();
        beside(object, &pointer, &mut String::new(), 0, &mut envelope);
        let rows = document.pointer_mut(&pointer).map(Value::take);
        let Some(Value::Array(elements)) = rows else { return Err(DraftError::one("the sample has no array of rows")) };
        let mut sample = Self::of_rows(elements)?;
        sample.pointer = Some(pointer);
        sample.envelope = envelope;
        Ok(sample)
    }

    /// Creates a sample of JSON rows: items of an array or lines of a file. Skips items that are not objects.
    ///
    /// # Errors
    /// Fails if no item is an object with content.
    pub fn of_rows(elements: Vec<Value>) -> Result<Self, DraftError> {
        let mut rows = elements;
        rows.retain(|row| row.as_object().is_some_and(|row| !row.is_empty()));
        if rows.is_empty() {
            return Err(DraftError::one("the sample has no array of objects: there are no rows in it"));
        }
        let total = rows.len();
        rows.truncate(ROWS_MAX);
        let mut table = Table::default();
        for (nth, row) in rows.iter().enumerate() {
            if let Value::Object(object) = row {
                let mut path = Vec::new();
                table.object(object, &mut path, Position { nth, depth: 0, in_list: false });
            }
        }
        let columns = table.columns(rows.len());
        Ok(Self {
            rows: SampleRows::Json(rows),
            columns,
            pointer: None,
            is_one_row: false,
            envelope: Vec::new(),
            layout: Layout::default(),
            total,
        })
    }

    /// Creates a sample of CSV rows.
    ///
    /// # Errors
    /// Fails if there is no row, or if no column has a name.
    pub fn of_csv(headers: &ByteRecord, rows: Vec<ByteRecord>) -> Result<Self, DraftError> {
        let mut rows = rows;
        if rows.is_empty() {
            return Err(DraftError::one("the sample has a header and no rows"));
        }
        let total = rows.len();
        rows.truncate(ROWS_MAX);
        let mut columns: Vec<Column> = Vec::new();
        for (at, header) in headers.iter().take(COLUMNS_MAX).enumerate() {
            let name = String::from_utf8_lossy(header).trim().to_owned();
            // A name that begins with / would be read as a JSON Pointer. The first of duplicate names counts.
            let usable = !name.is_empty() && !name.starts_with('/') && !name.contains('\u{fffd}');
            if let Some(known) = columns.iter_mut().find(|column| column.name == name) {
                known.is_repeated = true;
                continue;
            }
            if !usable {
                continue;
            }
            let cells = rows.iter().map(|row| text_cell(&String::from_utf8_lossy(row.get(at).unwrap_or_default())));
            let words = Words::of(std::slice::from_ref(&name));
            columns.push(Column { cells: cells.collect(), words, name, ..Column::default() });
        }
        owners::settle(&mut columns);
        if columns.is_empty() {
            return Err(DraftError::one("no column of the sample has a name: the first line is to name them"));
        }
        Ok(Self {
            rows: SampleRows::Csv(headers.clone(), rows),
            columns,
            pointer: None,
            is_one_row: false,
            envelope: Vec::new(),
            layout: Layout::default(),
            total,
        })
    }

    /// Sets the layout, which the map's `[read]` will contain.
    #[must_use]
    pub fn opened(self, layout: Layout) -> Self {
        Self { layout, ..self }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.total
    }

    /// JSON Pointer to the array of rows; `None` if there is no document around the rows.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.pointer.as_deref()
    }

    pub(super) fn looked_at(&self) -> usize {
        match &self.rows {
            SampleRows::Json(rows) => rows.len(),
            SampleRows::Csv(_, rows) => rows.len(),
        }
    }

    pub(super) fn is_csv(&self) -> bool {
        matches!(self.rows, SampleRows::Csv(..))
    }
}

/// Columns under construction.
#[derive(Default)]
struct Table {
    columns: Vec<Column>,
    places: HashMap<String, usize>,
}

#[derive(Clone, Copy)]
struct Position {
    nth: usize,
    depth: usize,
    in_list: bool,
}

impl Table {
    fn object(&mut self, object: &Object<String, Value>, path: &mut Vec<String>, position: Position) {
        for (key, value) in object {
            if position.depth > 0 && is_data(key) {
                continue;
            }
            path.push(key.clone());
            self.value(value, path, position);
            path.pop();
        }
    }

    fn value(&mut self, value: &Value, path: &mut Vec<String>, position: Position) {
        let deeper = Position { depth: position.depth + 1, ..position };
        let cell = match value {
            Value::Null => Cell::Absent,
            Value::Bool(value) => Cell::Bool(*value),
            Value::Number(number) => Cell::Number(number.to_string()),
            Value::String(text) => text_cell(text),
            Value::Object(object) => {
                if deeper.depth <= DEPTH_MAX {
                    self.object(object, path, deeper);
                }
                return;
            }
            Value::Array(elements) => {
                self.elements(elements, path, deeper);
                list_cell(elements)
            }
        };
        self.put(path, cell, position);
    }

    /// Reads the first object of a list, a list of one value, the numbers of a pair, which may be coordinates, and a list
    /// of keys with their values.
    fn elements(&mut self, elements: &[Value], path: &mut Vec<String>, position: Position) {
        if self.keyed(elements, path, position) {
            return;
        }
        let is_point = matches!(elements.len(), 2..=3) && elements.iter().all(Value::is_number);
        for (at, element) in elements.iter().take(if is_point { 2 } else { 1 }).enumerate() {
            path.push(at.to_string());
            match element {
                Value::Object(object) if position.depth <= DEPTH_MAX => {
                    self.object(object, path, Position { in_list: true, ..position });
                }
                Value::Number(number) if is_point || elements.len() == 1 => {
                    self.put(path, Cell::Number(number.to_string()), position);
                }
                Value::String(text) if elements.len() == 1 => self.put(path, text_cell(text), position),
                _ => {}
            }
            path.pop();
        }
    }

    /// Reads a list like `[{"key": "rooms", "value": 5}]` by JSONPaths: the position of a key differs from row to row.
    /// `false` if it is none.
    fn keyed(&mut self, elements: &[Value], path: &[String], position: Position) -> bool {
        const KEYS: [&str; 6] = ["key", "name", "label", "code", "attribute", "title"];
        const VALUES: [&str; 6] = ["value", "val", "values", "text", "content", "value_label"];
        let Some(first) = elements.first().and_then(Value::as_object).filter(|_| elements.len() < KEYED_MAX) else {
            return false;
        };
        let has = |wanted: &[&'static str]| wanted.iter().copied().find(|name| first.contains_key(*name));
        let (Some(key), Some(of)) = (has(&KEYS), has(&VALUES)) else { return false };
        let plain = |text: &str| {
            !text.is_empty() && text.len() < 60 && text.chars().all(|c| c.is_alphanumeric() || " _-".contains(c))
        };
        let pairs: Option<Vec<(&str, &Value)>> = elements
            .iter()
            .map(|element| Some((element.get(key)?.as_str().filter(|text| plain(text))?, element.get(of)?)))
            .collect();
        let Some(pairs) =
            pairs.filter(|_| path.iter().all(|key| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')))
        else {
            return false;
        };
        for (name, value) in pairs {
            let cell = match value {
                Value::Number(number) => Cell::Number(number.to_string()),
                Value::String(text) => text_cell(text),
                Value::Bool(value) => Cell::Bool(*value),
                _ => continue,
            };
            let above = path.join(".");
            let words: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
            self.put_as(format!("$.{above}[?@.{key} == '{name}'].{of}"), &words, cell, position);
        }
        true
    }

    fn put(&mut self, path: &[String], cell: Cell, position: Position) {
        self.put_as(name_of(path), path, cell, position);
    }

    fn put_as(&mut self, name: String, path: &[String], cell: Cell, position: Position) {
        let known = self.places.get(&name).copied();
        let at = match known {
            Some(at) => at,
            None if cell == Cell::Absent || self.columns.len() >= COLUMNS_MAX => return,
            None => {
                let words = Words::of(path);
                let Position { depth, in_list, .. } = position;
                self.columns.push(Column { name: name.clone(), words, depth, in_list, ..Column::default() });
                self.places.insert(name, self.columns.len() - 1);
                self.columns.len() - 1
            }
        };
        let cells = &mut self.columns[at].cells;
        if cells.len() <= position.nth {
            cells.resize(position.nth + 1, Cell::Absent);
        }
        cells[position.nth] = cell;
    }

    fn columns(mut self, rows: usize) -> Vec<Column> {
        for column in &mut self.columns {
            column.cells.resize(rows, Cell::Absent);
        }
        self.columns.retain(|column| column.filled() > 0);
        owners::settle(&mut self.columns);
        self.columns
    }
}

/// Whether a key inside a row is data: a day of a history, an ID.
fn is_data(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    digits >= 4 && digits * 2 > key.len()
}

/// Returns a plain key as is, everything else as a JSON Pointer.
fn name_of(path: &[String]) -> String {
    let plain = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    match path {
        [key] if plain(key) => key.clone(),
        _ => path.iter().map(|key| format!("/{}", escaped(key))).collect(),
    }
}

fn text_cell(text: &str) -> Cell {
    let text = text.trim();
    if is_missing(text) { Cell::Absent } else { Cell::Text(text[..text.floor_char_boundary(TEXT_MAX)].to_owned()) }
}

fn list_cell(elements: &[Value]) -> Cell {
    let texts: Option<Vec<String>> = elements.iter().map(|element| element.as_str().map(str::to_owned)).collect();
    match texts {
        Some(texts) if texts.is_empty() => Cell::Absent,
        Some(texts) => Cell::List(texts),
        None => Cell::Nested,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(document: Value) -> Vec<String> {
        Sample::of_document(document).unwrap().columns.iter().map(|column| column.name.clone()).collect()
    }

    #[test]
    fn the_array_that_holds_most_is_that_of_the_rows() {
        let document = json!({
            "facets": [{"n": 1}, {"n": 2}, {"n": 3}],
            "data": {"total": 2, "homes": [{"id": 1, "a": 1, "b": 2}, {"id": 2, "a": 1, "photos": [{"u": 1}, {"u": 2}]}]},
        });
        let sample = Sample::of_document(document).unwrap();
        assert_eq!(sample.pointer(), Some("/data/homes"));
        assert_eq!(sample.envelope, [("/data/total".to_owned(), json!(2))]);
        assert_eq!(sample.rows(), 2);
    }

    #[test]
    fn columns_are_named_as_a_map_names_them() {
        let row =
            json!([{"a": 1, "b/c": {"d~": "x"}, "@id": 2, "at": [1.5, 2.5], "tags": ["x"], "pics": [{"u": "y"}]}]);
        let mut names = columns(row);
        names.sort();
        assert_eq!(names, ["/@id", "/at/0", "/at/1", "/b~1c/d~0", "/pics/0/u", "/tags/0", "a", "at", "pics", "tags"]);
    }

    #[test]
    fn a_listing_alone_is_a_row_though_it_has_lists_inside() {
        let listing = json!({"ListingKey": "A1", "ListPrice": 5, "Media": [{"MediaURL": "a"}, {"MediaURL": "b"}]});
        let sample = Sample::of_document(listing).unwrap();
        assert!(sample.is_one_row && sample.pointer().is_none());
    }

    #[test]
    fn where_there_are_no_rows_the_error_says_so() {
        let hints = |document: Value| Sample::of_document(document).unwrap_err().to_string();
        assert!(hints(json!(5)).contains("no object or array"));
        assert!(hints(json!([1, 2])).contains("no array of objects"));
        assert!(hints(json!({})).contains("no array of objects"));
        let keyed = json!({"listings": {"12": {"price": 1, "city": "A"}, "13": {"price": 2, "city": "B"}}});
        assert!(hints(keyed).contains("/listings are an object keyed by their ids"));
    }
}
