//! Reading and writing the attributes of items.

use std::collections::HashMap;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::Blob;

/// An item, or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// An item that has not the form in which it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the item has no attribute `{name}` that is {expected}")]
pub(super) struct Malformed {
    name: String,
    expected: &'static str,
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

#[expect(clippy::needless_pass_by_value, reason = "numbers are written as `number(7)`")]
pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// An item or a key with these attributes.
pub(super) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn text_of<'a>(item: &'a Item, name: &str) -> Result<&'a str, Malformed> {
    let found = item.get(name).and_then(|value| value.as_s().ok()).map(String::as_str);
    found.ok_or_else(|| Malformed { name: name.to_owned(), expected: "a string" })
}

pub(super) fn number_of<N: FromStr>(item: &Item, name: &str) -> Result<N, Malformed> {
    let found = item.get(name).and_then(|value| value.as_n().ok()).and_then(|digits| digits.parse().ok());
    found.ok_or_else(|| Malformed { name: name.to_owned(), expected: "a whole number in range" })
}

pub(super) fn bytes_of<'a>(item: &'a Item, name: &str) -> Result<&'a [u8], Malformed> {
    let found = item.get(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref);
    found.ok_or_else(|| Malformed { name: name.to_owned(), expected: "binary" })
}

/// JSON as native attributes, so that it is readable in the table. Nulls are omitted.
pub(super) fn native(value: &serde_json::Value) -> AttributeValue {
    use serde_json::Value;
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        // As DynamoDB writes it: without a trailing `.0`.
        Value::Number(value) => value.as_i64().map_or_else(|| number(value.as_f64().unwrap_or_default()), number),
        Value::String(value) => text(value),
        Value::Array(values) => AttributeValue::L(values.iter().map(native).collect()),
        Value::Object(fields) => {
            let known = fields.iter().filter(|(_, value)| !value.is_null());
            AttributeValue::M(known.map(|(name, value)| (name.clone(), native(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_they_were_written() {
        let item = item([("a", text("x")), ("n", number(-7)), ("b", bytes(vec![0, 255]))]);
        assert_eq!(text_of(&item, "a"), Ok("x"));
        assert_eq!(number_of::<i64>(&item, "n"), Ok(-7));
        assert_eq!(bytes_of(&item, "b"), Ok([0, 255].as_slice()));
        let error = number_of::<u64>(&item, "n").unwrap_err();
        assert_eq!(error.to_string(), "the item has no attribute `n` that is a whole number in range");
        assert!(text_of(&item, "n").is_err() && bytes_of(&item, "none").is_err());
    }

    #[test]
    fn json_becomes_native_attributes_without_its_nulls() {
        let native = native(&serde_json::json!({"price": 0.5, "mean": 900_000.0, "none": null, "flows": {"new": 3}}));
        let expected = item([
            ("price", AttributeValue::N("0.5".into())),
            ("mean", AttributeValue::N("900000".into())),
            ("flows", AttributeValue::M(item([("new", number(3))]))),
        ]);
        assert_eq!(native, AttributeValue::M(expected));
    }
}
