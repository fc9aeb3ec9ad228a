//! The parameters of a page's address.

use stoop_domain::{Currency, Purpose, Time};

use crate::problem::Problem;

/// The parameters of a page. Unknown ones are ignored, as everywhere on the web.
pub(crate) struct Query(Vec<(String, String)>);

/// The parameters that some page has. Others are as if they were not there.
const PARAMETERS: [&str; 15] = [
    "area",
    "as_of",
    "beds",
    "by",
    "currency",
    "days",
    "drop",
    "for",
    "kind",
    "max_price",
    "page",
    "q",
    "sort",
    "to",
    "type",
];

/// The longest series of a page, in days: that of a stored sum.
const DAYS_MAX: u16 = stoop_market::WIDE_SERIES_DAYS;

impl Query {
    pub(crate) fn parse(query: &str) -> Self {
        let mut parsed = Self::of_bytes(query.as_bytes());
        parsed.0.retain(|(name, _)| PARAMETERS.contains(&&**name));
        parsed
    }

    /// A text that is the same for queries that ask the same of every page.
    pub(crate) fn key(mut self) -> String {
        // Several values of a name keep their order.
        self.0.sort_by(|a, b| a.0.cmp(&b.0));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(self.0).finish()
    }

    /// The fields of a form that was sent as `application/x-www-form-urlencoded`.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The first value of a name that is not blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The values of a name that are not blank.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim());
        values.filter(|value| !value.is_empty())
    }

    pub(crate) fn purpose(&self) -> Result<Option<Purpose>, Problem> {
        self.read("for", "sale, rent", |text| match text {
            "sale" => Some(Purpose::Sale),
            "rent" => Some(Purpose::Rent),
            _ => None,
        })
    }

    pub(crate) fn currency(&self) -> Result<Option<Currency>, Problem> {
        self.read("currency", "an ISO 4217 code such as USD", |text| Currency::parse(text).ok())
    }

    /// The length of a series.
    pub(crate) fn days(&self, default: u16) -> Result<u16, Problem> {
        let days = |text: &str| text.parse().ok().filter(|days| (2..=DAYS_MAX).contains(days));
        Ok(self.read("days", &format!("a whole number from 2 to {DAYS_MAX}"), days)?.unwrap_or(default))
    }

    /// A time, or a date, which means its midnight in UTC.
    pub(crate) fn as_of(&self) -> Result<Option<Time>, Problem> {
        let accepted = "a date such as 2026-01-13 or a time such as 2026-01-13T18:30:00Z";
        self.read("as_of", accepted, |text| Time::parse_moment(text).ok())
    }

    /// The position in a list, from 1 on.
    pub(crate) fn page(&self) -> Result<usize, Problem> {
        let read = |text: &str| text.parse().ok().filter(|page| (1..=100_000).contains(page));
        Ok(self.read("page", "a whole number from 1 to 100,000", read)?.unwrap_or(1))
    }

    /// One of these words.
    pub(crate) fn word<'w>(&self, name: &str, accepted: &[&'w str]) -> Result<Option<&'w str>, Problem> {
        self.read(name, &accepted.join(", "), |text| accepted.iter().find(|word| **word == text).copied())
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Problem> {
        self.read(name, "a number, 0 or more", |text| {
            text.replace([',', '_'], "").parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
        })
    }

    /// A small number, as of bedrooms.
    pub(crate) fn count(&self, name: &str) -> Result<Option<u8>, Problem> {
        self.read(name, "a whole number from 0 to 255", |text| text.parse().ok())
    }

    fn read<T>(&self, name: &str, accepted: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let shown: String = text.chars().take(80).collect();
        let wrong = || Problem::asked(format!("{name}: {shown:?} is not accepted here. Accepted: {accepted}."));
        read(text).map(Some).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_blank_ones_are_none() {
        let query = Query::parse("q=austin+tx%20&area=a&area=b&for=");
        assert_eq!(query.get("q"), Some("austin tx"));
        assert_eq!(query.all("area").collect::<Vec<_>>(), ["a", "b"]);
        assert!(query.purpose().is_ok_and(|purpose| purpose.is_none()));
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_accepted() {
        let problem = Query::parse("days=1").days(90).err().unwrap();
        assert!(problem.message.contains("days: \"1\" is not accepted here. Accepted: a whole number from 2 to 400"));
        let long = format!("for={}", "x".repeat(1_000_000));
        assert!(Query::parse(&long).purpose().err().unwrap().message.len() < 200);
    }
}
