//! Finds the rows in a JSON document.

use serde_json::{Map as Object, Value};

use super::words::{Phrase, Words};

/// Maximum nesting inside a row.
pub(super) const DEPTH_MAX: usize = 6;

/// Maximum number of values outside of the rows to keep.
const ENVELOPE_MAX: usize = 200;

/// Escapes a key for a JSON Pointer.
pub(super) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Whether the top-level object is itself a row: it has an ID and a price or address of its own.
pub(super) fn looks_like_a_row(object: &Object<String, Value>) -> bool {
    let has = |phrases: &[&'static str]| {
        object.iter().any(|(key, value)| {
            let words = Words::of(std::slice::from_ref(key));
            (value.is_number() || value.is_string())
                && phrases.iter().any(|phrase| words.likeness(&Phrase::of(phrase)) >= 82)
        })
    };
    has(&["id", "listing key", "listing id", "zpid", "url", "reference"])
        && has(&["price", "list price", "rent", "prix", "preis", "precio", "loyer", "miete"])
}

/// Finds arrays of objects that are reached through objects alone, each with the number of its values.
pub(super) fn arrays(
    object: &Object<String, Value>,
    path: &mut String,
    depth: usize,
    found: &mut Vec<(String, usize)>,
) {
    for (key, value) in object {
        let before = path.len();
        path.push('/');
        path.push_str(&escaped(key));
        match value {
            Value::Object(inside) if depth < 2 * DEPTH_MAX => arrays(inside, path, depth + 1, found),
            Value::Array(elements) if elements.iter().any(Value::is_object) => {
                let objects = elements.iter().filter(|element| element.is_object());
                found.push((path.clone(), objects.map(leaves).sum()));
            }
            _ => {}
        }
        path.truncate(before);
    }
}

/// Number of scalar values inside.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.values().map(leaves).sum(),
        Value::Array(elements) => elements.iter().map(leaves).sum(),
        Value::Null => 0,
        _ => 1,
    }
}

/// Finds an object whose values are many objects of the same shape.
pub(super) fn keyed(object: &Object<String, Value>, path: &mut String, depth: usize) -> Option<String> {
    let mut objects = object.values().filter_map(Value::as_object);
    if let Some(first) = objects.next()
        && object.len() >= 2
        && object.values().all(Value::is_object)
        && !first.is_empty()
        && objects.all(|other| other.keys().filter(|key| first.contains_key(*key)).count() * 2 >= first.len())
    {
        return Some(if path.is_empty() { "the top".to_owned() } else { path.clone() });
    }
    object.iter().filter(|_| depth < DEPTH_MAX).find_map(|(key, value)| {
        let before = path.len();
        path.push('/');
        path.push_str(&escaped(key));
        let found = keyed(value.as_object()?, path, depth + 1);
        path.truncate(before);
        found
    })
}

/// Collects texts and numbers outside of the rows.
pub(super) fn beside(
    object: &Object<String, Value>,
    rows: &str,
    path: &mut String,
    depth: usize,
    found: &mut Vec<(String, Value)>,
) {
    for (key, value) in object {
        let before = path.len();
        path.push('/');
        path.push_str(&escaped(key));
        match value {
            Value::Object(inside) if depth < DEPTH_MAX => beside(inside, rows, path, depth + 1, found),
            Value::String(_) | Value::Number(_) if path != rows && found.len() < ENVELOPE_MAX => {
                found.push((path.clone(), value.clone()));
            }
            _ => {}
        }
        path.truncate(before);
    }
}
