//! Makes columns of JSON rows.

use std::collections::HashMap;

use serde_json::{Map as Object, Value};
use stoop_sources::text::{is_missing, purpose_named};

use super::column::{Cell, Column};
use super::find_rows::{DEPTH_MAX, escaped};
use super::levels;
use super::owners;
use super::typed::{self, TypedAmount, TypedLists};
use super::words::Words;

/// Maximum number of columns to read: a row of an API has some hundred.
pub(super) const COLUMNS_MAX: usize = 1_500;
/// Maximum length of a text to read, in characters.
const TEXT_MAX: usize = 4_000;
/// Maximum length of a list of keys with their values.
const KEYED_MAX: usize = 100;

/// The names of a key and of its value in a list of features.
const KEYS: [&str; 10] =
    ["key", "name", "label", "code", "attribute", "title", "slug", "field", "property", "characteristic"];
const VALUES: [&str; 9] =
    ["value", "val", "values", "text", "content", "value_label", "displayValue", "display_value", "localizedValue"];

/// Columns under construction.
#[derive(Default)]
pub(super) struct Table {
    columns: Vec<Column>,
    places: HashMap<String, usize>,
    lists: TypedLists,
}

#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) nth: usize,
    pub(super) depth: usize,
    pub(super) in_list: bool,
}

impl Table {
    pub(super) fn object(&mut self, object: &Object<String, Value>, path: &mut Vec<String>, position: Position) {
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
        self.typed(elements, path, position);
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

    /// Reads the amounts of a list by what they are for.
    fn typed(&mut self, elements: &[Value], path: &[String], position: Position) {
        let pointer: String = path.iter().map(|key| format!("/{}", escaped(key))).collect();
        let Some(list) = path.last().filter(|_| is_in_json_path(path)) else { return };
        if elements.len() >= KEYED_MAX || !typed::note(&mut self.lists, &pointer, elements) {
            return;
        }
        for TypedAmount { kind: (key, text), amount: (of, value) } in typed::amounts(elements, list) {
            let purpose = purpose_named(text);
            let name = match purpose {
                Some(purpose) => format!("{} price", purpose.as_str()),
                None => format!("{text} {list}"),
            };
            let words: Vec<String> = path[..path.len() - 1].iter().cloned().chain([name]).collect();
            let name = format!("$.{}[?@.{key} == '{text}'].{of}", path.join("."));
            if let Some(cell) = scalar(value).filter(|_| is_quotable(text) && self.is_free(&name, position)) {
                self.put_as(name.clone(), &words, cell, position);
                if let Some(at) = self.places.get(&name) {
                    self.columns[*at].purpose = purpose;
                }
            }
        }
    }

    /// Whether a column has no value in this row yet: as a map reads it, the first value of a key counts.
    fn is_free(&self, name: &str, position: Position) -> bool {
        self.places
            .get(name)
            .is_none_or(|at| self.columns[*at].cells.get(position.nth).is_none_or(|cell| *cell == Cell::Absent))
    }

    /// Reads a list like `[{"key": "rooms", "value": 5}]` or `[{"rooms": 5}, {"baths": 2}]` by JSONPaths: the position of a
    /// key differs from row to row. `false` if it is none.
    fn keyed(&mut self, elements: &[Value], path: &[String], position: Position) -> bool {
        let objects: Option<Vec<&Object<String, Value>>> = elements.iter().map(Value::as_object).collect();
        let Some(objects) = objects.filter(|objects| !objects.is_empty() && objects.len() < KEYED_MAX) else {
            return false;
        };
        if !is_in_json_path(path) {
            return false;
        }
        let above = path.join(".");
        let mut put = |name: &str, value: &Value, path_of: String| {
            let words: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
            if let Some(cell) = scalar(value).filter(|_| self.is_free(&path_of, position)) {
                self.put_as(path_of, &words, cell, position);
            }
        };
        let singles: Vec<(&String, &Value)> =
            objects.iter().filter(|it| it.len() == 1).flat_map(|it| it.iter()).collect();
        if singles.len() == objects.len() && singles.len() > 1 && singles.iter().any(|(key, _)| *key != singles[0].0) {
            for (key, value) in singles.into_iter().filter(|(key, _)| is_quotable(key)) {
                put(key, value, format!("$.{above}[*]['{key}']"));
            }
            return true;
        }
        let Some(of) = VALUES.into_iter().find(|name| objects[0].contains_key(*name)) else { return false };
        let is_pair =
            |key: &&str| objects.iter().all(|it| it.get(*key).is_some_and(Value::is_string) && it.contains_key(of));
        let names: Vec<&str> = KEYS.into_iter().filter(is_pair).take(2).collect();
        for key in &names {
            for object in &objects {
                let name = object[*key].as_str().filter(|text| is_quotable(text));
                if let Some(name) = name {
                    put(name, &object[of], format!("$.{above}[?@.{key} == '{name}'].{of}"));
                }
            }
        }
        !names.is_empty()
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

    pub(super) fn columns(mut self, rows: usize) -> Vec<Column> {
        for column in &mut self.columns {
            column.cells.resize(rows, Cell::Absent);
        }
        self.columns.retain(|column| column.filled() > 0);
        typed::settle(&mut self.columns, &self.lists);
        levels::settle(&mut self.columns);
        owners::settle(&mut self.columns);
        self.columns
    }
}

/// Whether a key inside a row is data: a day of a history, an ID.
fn is_data(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    digits >= 4 && digits * 2 > key.len()
}

/// Whether keys can stand in a JSONPath of a map as they are.
fn is_in_json_path(path: &[String]) -> bool {
    path.iter().all(|key| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// Whether a text can stand in quotes in a JSONPath of a map.
fn is_quotable(text: &str) -> bool {
    !text.is_empty() && text.len() < 60 && !text.contains(|c: char| c.is_control() || matches!(c, '\'' | '"' | '\\'))
}

/// The cell of a value that is no list and no object.
fn scalar(value: &Value) -> Option<Cell> {
    match value {
        Value::Number(number) => Some(Cell::Number(number.to_string())),
        Value::String(text) => Some(text_cell(text)),
        Value::Bool(value) => Some(Cell::Bool(*value)),
        _ => None,
    }
}

/// Returns a plain key as is, everything else as a JSON Pointer.
fn name_of(path: &[String]) -> String {
    let plain = |key: &str| !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    match path {
        [key] if plain(key) => key.clone(),
        _ => path.iter().map(|key| format!("/{}", escaped(key))).collect(),
    }
}

pub(super) fn text_cell(text: &str) -> Cell {
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
