use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};
use serde_json::Value;
use stoop_domain::Currency;
use stoop_runtime::plain;

/// A view as rows of plain values: CSV as in RFC 4180, with the names of the JSON.
pub(crate) struct Csv {
    columns: Vec<Field>,
    rows: Vec<Value>,
}

/// A column: the path of its value in the JSON of a row (`last_change.share` becomes `last_change_share`), and its
/// type.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// Text, a time, a number, true or false.
    Plain(&'static str),
    /// An amount in major units of the row's `currency`: a decimal with all its digits.
    Money(&'static str),
    /// A value without a fixed form, as JSON.
    Json(&'static str),
    /// The path of a number whose name is not known in advance.
    Number(String),
}

/// A spreadsheet takes text that begins with one of these as a formula.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

impl Csv {
    /// Rows whose values are those of the JSON.
    pub(crate) fn plain<const N: usize>(columns: [&'static str; N], rows: Vec<Value>) -> Self {
        Self::new(columns.map(Field::Plain), rows)
    }

    pub(crate) fn new(columns: impl IntoIterator<Item = Field>, rows: Vec<Value>) -> Self {
        Self { columns: columns.into_iter().collect(), rows }
    }

    #[cfg(test)]
    pub(crate) fn fields(&self) -> (&[Field], &[Value]) {
        (&self.columns, &self.rows)
    }

    pub(crate) fn text(&self) -> anyhow::Result<String> {
        let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        csv.write_record(self.columns.iter().map(|field| field.path().replace('.', "_")))?;
        for row in &self.rows {
            csv.write_record(self.columns.iter().map(|field| field.cell(row)))?;
        }
        Ok(String::from_utf8(csv.into_inner()?)?)
    }
}

impl Field {
    /// The value of a reference series: `reference.NAME`.
    pub(crate) fn reference(name: &str) -> Self {
        Self::Number(format!("reference.{name}"))
    }

    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Plain(path) | Self::Money(path) | Self::Json(path) => path,
            Self::Number(path) => path,
        }
    }

    /// The value in a row; `null` if the row has none.
    pub(crate) fn value<'r>(&self, row: &'r Value) -> &'r Value {
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
