use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use stoop_domain::{Currency, Minor, MoneyError, Reason, RefusedValue, Time, parse_decimal, parse_flag};

use crate::raws::{LIST_BYTES_MAX, members};

/// One JSON object, read field by field. Numbers stay text, so that prices never pass through a float. An absent, null
/// or blank field is unknown: `None`.
pub(crate) struct Fields<'a> {
    by_name: BTreeMap<Name<'a>, &'a RawValue>,
}

/// Why a row is refused, or one of its values.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FieldRefusal {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

/// The values that are left out of a row, because they cannot be read.
#[derive(Debug, Default)]
pub(crate) struct RefusedValues(pub(crate) Vec<RefusedValue>);

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Accepted years of construction, including planned ones.
pub(crate) const YEARS_BUILT: RangeInclusive<i16> = 1_000..=2_100;

/// Maximum length of a value in a message, in characters.
const SHOWN_MAX: usize = 100;

impl<'a> Fields<'a> {
    pub(crate) fn parse(json: &'a str) -> Result<Self, FieldRefusal> {
        serde_json::from_str(json).map_err(|error| FieldRefusal {
            reason: Reason::Unreadable,
            detail: format!("not a JSON object: {}", shown(&error.to_string())),
        })
    }

    /// Returns the field as written; `None` if absent or null.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.by_name.get(name).copied().filter(|raw| raw.get() != "null")
    }

    /// Returns a text or number as trimmed text, with runs of white space collapsed.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, FieldRefusal> {
        let Some(raw) = self.get(name) else { return Ok(None) };
        let Some(text) = scalar(raw) else { return Err(FieldRefusal::bad(name, raw.get())) };
        let mut words = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
        }
        Ok((!words.is_empty()).then_some(words))
    }

    /// Returns text for people, with its lines. Values that are not text are unknown: prose enters no figure.
    pub(crate) fn prose(&self, name: &str) -> Option<String> {
        let text = scalar(self.get(name)?)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Parses a number, or a text that contains one, with `parse`.
    pub(crate) fn parsed<T, E>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, FieldRefusal> {
        let Some(raw) = self.get(name) else { return Ok(None) };
        let Some(text) = scalar(raw) else { return Err(FieldRefusal::bad(name, raw.get())) };
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).map_err(|_| FieldRefusal::bad(name, text))
    }

    pub(crate) fn price(&self, name: &str, currency: Currency) -> Result<Option<Minor>, FieldRefusal> {
        let price = self.parsed(name, |text| match Minor::parse_major(text, currency) {
            Err(MoneyError::TooLarge(_)) => {
                Ok(Err(FieldRefusal { reason: Reason::PriceAbsurd, detail: format!("{name} is {}", shown(text)) }))
            }
            other => other.map(Ok),
        })?;
        price.transpose()
    }

    /// Reads a fee above zero; zero may mean "none". Fees enter no figure, so an unreadable one is unknown.
    pub(crate) fn fee(&self, name: &str, currency: Currency) -> Option<Minor> {
        self.price(name, currency).ok().flatten().filter(|fee| fee.0 > 0)
    }

    /// Reads a year of construction. It enters no figure, so anything else is unknown.
    pub(crate) fn year(&self, name: &str) -> Option<i16> {
        self.number(name, 0).ok().flatten().filter(|year| YEARS_BUILT.contains(year))
    }

    /// Reads a number scaled by 10^`digits` and rounded to a whole `T`.
    pub(crate) fn number<T: TryFrom<i64>>(&self, name: &str, digits: u32) -> Result<Option<T>, FieldRefusal> {
        self.parsed(name, |text| scaled(text, digits))
    }

    /// Reads latitude and longitude in millionths of a degree. Databases write two zeros for "unknown".
    pub(crate) fn coordinates(
        &self,
        latitude: &str,
        longitude: &str,
    ) -> Result<(Option<i32>, Option<i32>), FieldRefusal> {
        let read = |name: &str| {
            let degrees = self.parsed(name, |text| parse_decimal(text, 6))?;
            degrees
                .map(|e6| {
                    i32::try_from(e6).map_err(|_| FieldRefusal {
                        reason: Reason::CoordinatesOutOfRange,
                        detail: format!("{name} is {e6} millionths of a degree"),
                    })
                })
                .transpose()
        };
        match (read(latitude)?, read(longitude)?) {
            (Some(0), Some(0)) => Ok((None, None)),
            both => Ok(both),
        }
    }

    /// Reads a time with an offset. A local time without a zone is unknown: `None`.
    pub(crate) fn time(&self, name: &str) -> Result<Option<Time>, FieldRefusal> {
        self.parsed(name, |text| match Time::parse(text) {
            Ok(time) => Ok(Some(time)),
            Err(_) if text.parse::<civil::DateTime>().is_ok() => Ok(None),
            Err(error) => Err(error),
        })
        .map(Option::flatten)
    }

    pub(crate) fn date(&self, name: &str) -> Result<Option<civil::Date>, FieldRefusal> {
        self.parsed(name, str::parse)
    }

    /// Reads `true`, `1` or `"true"`; `None` if absent or anything else.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        parse_flag(self.get(name)?.get().trim_matches('"'))
    }

    /// Reads a nested object; `None` if it has no fields.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, FieldRefusal> {
        let Some(raw) = self.get(name) else { return Ok(None) };
        let fields = Self::parse(raw.get()).map_err(|_| FieldRefusal::bad(name, raw.get()))?;
        Ok((!fields.by_name.is_empty()).then_some(fields))
    }

    /// Returns the items of a list as written; empty if the field is absent, not a list, or too long.
    pub(crate) fn list(&self, name: &str) -> Vec<&'a RawValue> {
        let raw = self.get(name).filter(|raw| raw.get().len() <= LIST_BYTES_MAX);
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    }

    /// Returns the texts of a list and skips other items.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.list(name)
            .into_iter()
            .filter_map(scalar)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .collect()
    }
}

/// Converts a fee that is due `times` times in `months` months to a monthly fee.
pub(crate) fn per_month(fee: Minor, times: i64, months: i64) -> Option<Minor> {
    let due = fee.0.checked_mul(times)?;
    // Rounds half up; fees are above zero.
    (months > 0).then(|| Minor(due / months + i64::from(due % months * 2 >= months)))
}

/// Removes the +4 of a ZIP+4, which names a side of a block: homes are counted by ZIP code.
pub(crate) fn zip_code(mut code: String) -> String {
    if code.as_bytes().get(5) == Some(&b'-') {
        code.truncate(5);
    }
    code
}

/// Parses a decimal number scaled by 10^`digits`.
pub(crate) fn scaled<T: TryFrom<i64>>(text: &str, digits: u32) -> Result<T, ()> {
    let number = parse_decimal(text, digits).map_err(|_| ())?;
    T::try_from(number).map_err(|_| ())
}

/// Returns the content of a string or the digits of a number.
pub(crate) fn scalar(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str::<Name<'_>>(json).ok().map(|text| text.0),
        b'-' | b'0'..=b'9' => Some(Cow::Borrowed(json)),
        _ => None,
    }
}

/// Truncates a text for messages.
pub(crate) fn shown(text: &str) -> &str {
    text.char_indices().nth(SHOWN_MAX).map_or(text, |(end, _)| &text[..end])
}

impl RefusedValues {
    /// The value of an optional field. One that cannot be read is unknown.
    pub(crate) fn take<T: Default>(&mut self, read: Result<T, FieldRefusal>) -> T {
        read.unwrap_or_else(|FieldRefusal { reason, detail }| {
            self.0.push(RefusedValue { reason, detail });
            T::default()
        })
    }
}

impl FieldRefusal {
    pub(crate) fn bad(name: &str, value: &str) -> Self {
        Self { reason: Reason::BadValue, detail: format!("{name} is {}", shown(value)) }
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self { reason: Reason::MissingField, detail: name.to_owned() }
    }
}

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let mut by_name = BTreeMap::new();
                members(map, |name, value| {
                    by_name.insert(name, value);
                })?;
                Ok(Fields { by_name })
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.by_name.iter().map(|(name, raw)| (&*name.0, raw.get()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields<'_> {
        Fields::parse(json).unwrap()
    }

    #[test]
    fn a_price_is_read_digit_by_digit() {
        let row = fields(r#"{"a": 90071992547409.93, "b": "4934.00", "c": null, "d": " ", "e": "ask", "f": 1e30}"#);
        assert_eq!(row.price("a", Currency::USD), Ok(Some(Minor(9_007_199_254_740_993))));
        assert_eq!(row.price("b", Currency::USD), Ok(Some(Minor(493_400))));
        assert_eq!(row.price("c", Currency::USD), Ok(None));
        assert_eq!(row.price("d", Currency::USD), Ok(None));
        assert_eq!(row.price("missing", Currency::USD), Ok(None));
        assert_eq!(row.price("e", Currency::USD), Err(FieldRefusal::bad("e", "ask")));
        assert_eq!(row.price("f", Currency::USD).unwrap_err().reason, Reason::PriceAbsurd);
    }

    #[test]
    fn a_fee_by_the_month_is_rounded_half_up() {
        assert_eq!(per_month(Minor(10_000), 1, 12), Some(Minor(833)));
        assert_eq!(per_month(Minor(6), 1, 12), Some(Minor(1)));
        assert_eq!(per_month(Minor(5), 1, 12), Some(Minor(0)));
        assert_eq!(per_month(Minor(i64::MAX), 2, 1), None);
    }

    #[test]
    fn blanks_in_a_text_are_made_one_and_escapes_undone() {
        let row = fields(r#"{"caf\u00e9": " 1506  Timber\tSt  ", "n": 5, "o": {}}"#);
        assert_eq!(row.text("café"), Ok(Some("1506 Timber St".into())));
        assert_eq!(row.text("n"), Ok(Some("5".into())));
        assert_eq!(row.text("o"), Err(FieldRefusal::bad("o", "{}")));
    }

    #[test]
    fn a_local_time_without_a_zone_is_no_moment() {
        let row = fields(r#"{"utc": "2020-12-05T21:32:42.000Z", "local": "2020-12-05T15:32:42.710", "bad": "soon"}"#);
        assert_eq!(row.time("utc").unwrap().unwrap().to_string(), "2020-12-05T21:32:42Z");
        assert_eq!(row.time("local"), Ok(None));
        assert_eq!(row.time("bad"), Err(FieldRefusal::bad("bad", "soon")));
    }

    #[test]
    fn coordinates_keep_their_millionths_and_zero_zero_is_unknown() {
        let row = fields(r#"{"a": 30.6304975, "b": -97.680934, "z": 0.0, "far": 99999}"#);
        assert_eq!(row.coordinates("a", "b"), Ok((Some(30_630_498), Some(-97_680_934))));
        assert_eq!(row.coordinates("z", "z"), Ok((None, None)));
        assert_eq!(row.coordinates("far", "b").unwrap_err().reason, Reason::CoordinatesOutOfRange);
    }

    #[test]
    fn an_object_with_more_fields_than_any_row_and_a_list_longer_than_any_are_not_read() {
        let object = |n: usize| format!("{{{}}}", (0..n).map(|i| format!("\"{i}\":1")).collect::<Vec<_>>().join(","));
        assert!(Fields::parse(&object(10_000)).is_ok());
        let refusal = Fields::parse(&object(10_001)).unwrap_err();
        assert!(refusal.detail.contains("more than 10000 fields"), "{}", refusal.detail);
        let list = |n: usize| format!("{{\"images\": [\"a\"{}]}}", ",\"a\"".repeat(n));
        assert_eq!(fields(&list(9)).texts("images").len(), 10);
        assert_eq!(fields(&list(1 << 18)).texts("images").len(), 0);
    }

    #[test]
    fn items_that_are_not_objects_are_refused() {
        for json in ["42", "null", "[]", "\"x\"", "{\"a\": "] {
            assert_eq!(Fields::parse(json).unwrap_err().reason, Reason::Unreadable, "{json}");
        }
    }
}
