//! A sample answer or file: its rows and the content of their columns.

use csv::ByteRecord;
use serde_json::Value;

use super::DraftError;
use super::column::Column;
use super::find_rows::{arrays, beside, keyed, looks_like_a_row};
use super::layout::Layout;
use super::owners;
use super::tabulate::{COLUMNS_MAX, Position, Table, text_cell};
use super::words::Words;

/// Maximum number of rows to read.
pub(super) const ROWS_MAX: usize = 1_000;

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
