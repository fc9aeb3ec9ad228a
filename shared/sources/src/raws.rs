//! Limits on what is read of an answer, so that memory is bounded by its size.

use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Number of rows that are always read. More are read if the answer has [`ROW_BYTES`] per row: a parsed listing takes
/// one or two kilobytes, however short its text.
const ROWS_ALWAYS: usize = 20_000;
const ROW_BYTES: usize = 1_024;

/// Maximum number of fields of an object. RESO's `Property` has about 700, and vendors add a few hundred.
pub(crate) const FIELDS_MAX: usize = 10_000;

/// Maximum size of a list inside a row, for example of pictures, as written.
pub(crate) const LIST_BYTES_MAX: usize = 1 << 20;

/// The rows of an answer, as written.
#[derive(Debug, Default)]
pub(crate) struct Raws<'a> {
    pub(crate) rows: Vec<&'a RawValue>,
    /// Number of rows beyond the limit, which are not read.
    more: usize,
    most: usize,
}

impl<'a> Raws<'a> {
    /// Parses a JSON array of an answer of `answer_bytes`.
    pub(crate) fn parse(json: &'a str, answer_bytes: usize) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let rows = reader.deserialize_seq(RawsVisitor { most: rows_max(answer_bytes) })?;
        reader.end()?;
        Ok(rows)
    }

    /// Message if some rows were not read.
    pub(crate) fn cut(&self) -> Option<String> {
        cut(self.rows.len() + self.more, self.most)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Maximum number of rows for an answer of this size.
pub(crate) fn rows_max(answer_bytes: usize) -> usize {
    ROWS_ALWAYS.max(answer_bytes / ROW_BYTES)
}

/// Message that an answer has more rows than are read.
pub(crate) fn cut(rows: usize, most: usize) -> Option<String> {
    (rows > most).then(|| {
        format!(
            "it has {rows} rows, of which {most} are read: no answer may have more than {ROWS_ALWAYS} rows, unless \
             each has {ROW_BYTES} bytes of it"
        )
    })
}

struct RawsVisitor {
    most: usize,
}

impl<'de> Visitor<'de> for RawsVisitor {
    type Value = Raws<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut raws = Raws { most: self.most, ..Raws::default() };
        while raws.rows.len() < self.most
            && let Some(row) = elements.next_element()?
        {
            raws.rows.push(row);
        }
        if raws.rows.len() == self.most {
            while elements.next_element::<IgnoredAny>()?.is_some() {
                raws.more += 1;
            }
        }
        Ok(raws)
    }
}

/// Visits the members of an object, at most [`FIELDS_MAX`].
pub(crate) fn members<'de, A, K>(mut map: A, mut take: impl FnMut(K, &'de RawValue)) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    K: serde::Deserialize<'de>,
{
    let mut count = 0;
    while let Some((name, value)) = map.next_entry()? {
        count += 1;
        if count > FIELDS_MAX {
            return Err(A::Error::custom(format!("more than {FIELDS_MAX} fields")));
        }
        take(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_beyond_the_most_are_counted_and_not_kept() {
        let json = format!("[{}]", vec!["{}"; 25_000].join(","));
        let raws = Raws::parse(&json, json.len()).unwrap();
        assert_eq!((raws.len(), raws.more), (20_000, 5_000));
        assert!(raws.cut().unwrap().starts_with("it has 25000 rows, of which 20000 are read"));
        let raws = Raws::parse(&json, 32 << 20).unwrap();
        assert_eq!((raws.len(), raws.cut()), (25_000, None));
        for wrong in ["{}", "[1,]", "[1", "[1] 2", "null"] {
            assert!(Raws::parse(wrong, 0).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_broken_row_behind_the_most_breaks_the_answer_as_any_other() {
        let json = format!("[{},{{]", vec!["1"; 20_000].join(","));
        assert!(Raws::parse(&json, json.len()).is_err());
    }
}
