use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use serde::Serialize;
use serde_json::Value;
use stoop_domain::Currency;

use crate::plain;

/// A table of plain values: CSV as in RFC 4180, with the names of the JSON. Text on one line that a spreadsheet does not
/// evaluate.
pub struct Csv {
    columns: Vec<Field>,
    rows: Vec<Value>,
}

/// A column: the path of its value in the JSON of a row (`last_change.share` becomes `last_change_share`), and its
/// type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Text, a time, a number, true or false.
    Plain(&'static str),
    /// An amount in major units of the row's `currency`: a decimal with all its digits.
    Money(&'static str),
    /// A value without a fixed form, as JSON.
    Json(&'static str),
    /// The path of a number whose name is not known in advance.
    Number(String),
}

/// A table could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the table cannot be written as CSV")]
pub struct CsvError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A spreadsheet takes text that begins with one of these as a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

impl Csv {
    /// Rows whose values are those of the JSON.
    #[must_use]
    pub fn plain<const N: usize>(columns: [&'static str; N], rows: Vec<Value>) -> Self {
        Self::new(columns.map(Field::Plain), rows)
    }

    /// Rows with these columns; each row is an object.
    pub fn new(columns: impl IntoIterator<Item = Field>, rows: Vec<Value>) -> Self {
        Self { columns: columns.into_iter().collect(), rows }
    }

    /// Rows with these columns, from what they are in JSON.
    ///
    /// # Errors
    /// If a row is not JSON.
    pub fn of<R: Serialize>(columns: impl IntoIterator<Item = Field>, rows: &[R]) -> Result<Self, CsvError> {
        let rows: Result<_, _> = rows.iter().map(serde_json::to_value).collect();
        Ok(Self::new(columns, rows.map_err(|error| CsvError(error.into()))?))
    }

    /// The columns and the rows.
    #[must_use]
    pub fn fields(&self) -> (&[Field], &[Value]) {
        (&self.columns, &self.rows)
    }

    /// The names of the columns, then the rows.
    ///
    /// # Errors
    /// None that is known: it writes to memory.
    pub fn text(&self) -> Result<String, CsvError> {
        let written = || -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
            let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
            csv.write_record(self.columns.iter().map(|field| field.path().replace('.', "_")))?;
            for row in &self.rows {
                csv.write_record(self.columns.iter().map(|field| field.cell(row)))?;
            }
            Ok(String::from_utf8(csv.into_inner()?)?)
        };
        written().map_err(CsvError)
    }
}

impl Field {
    /// The value of a reference series: `reference.NAME`.
    #[must_use]
    pub fn reference(name: &str) -> Self {
        Self::Number(format!("reference.{name}"))
    }

    /// The path of its value in a row, its names separated by full stops.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Plain(path) | Self::Money(path) | Self::Json(path) => path,
            Self::Number(path) => path,
        }
    }

    /// The value in a row; `null` if the row has none.
    #[must_use]
    pub fn value<'r>(&self, row: &'r Value) -> &'r Value {
        self.path().split('.').fold(row, |value, name| &value[name])
    }

    fn cell(&self, row: &Value) -> String {
        match (self, self.value(row)) {
            (_, Value::Null) => String::new(),
            (Self::Money(_), Value::Number(amount)) => decimal(amount.as_f64().unwrap_or_default(), row),
            (Self::Json(_), value) => value.to_string(),
            (_, Value::String(text)) => harmless(text).into_owned(),
            (_, value) => value.to_string(),
        }
    }
}

/// Text on one line that a spreadsheet does not evaluate: a `'` precedes what looks like a formula.
fn harmless(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    if text.trim_start().starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { text }
}

fn decimal(amount: f64, row: &Value) -> String {
    let currency = row["currency"].as_str().and_then(|code| Currency::parse(code).ok());
    let digits = currency.map_or(2, Currency::minor_digits) as usize;
    format!("{amount:.digits$}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_follow_rfc_4180() {
        let columns = [
            Field::Plain("id"),
            Field::Money("price"),
            Field::Plain("currency"),
            Field::Plain("change.share"),
            Field::Json("counts"),
        ];
        let rows = vec![
            json!({ "id": "a,\"b\"", "price": 1250.5, "currency": "USD", "change": { "share": -0.15 }, "counts": { "n": 1 } }),
            json!({ "id": "c", "price": 1250000.0, "currency": "JPY", "change": null, "counts": {} }),
        ];
        let text = Csv::new(columns, rows).text().unwrap();
        let expected = "id,price,currency,change_share,counts\r\n\"a,\"\"b\"\"\",1250.50,USD,-0.15,\"{\"\"n\"\":1}\"\r\nc,1250000,JPY,,{}\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn formulas_are_quoted_and_control_characters_removed() {
        let shown =
            ["=1+1", " @SUM(A1)", "+1 555", "-2", "\t=x", "a\u{1b}]0;x\u{7}\r\n\u{202e}b", "plain"].map(harmless);
        assert_eq!(shown, ["'=1+1", "' @SUM(A1)", "'+1 555", "'-2", "' =x", "a ]0;x b", "plain"]);
    }
}
