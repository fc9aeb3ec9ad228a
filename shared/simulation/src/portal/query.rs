use stoop_domain::Time;

use crate::home::{Home, Offer};
use crate::render::standard_status;

/// What a request asks for, in the part of OData that this portal speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Only what was modified after this: the moment, and whether the moment itself counts too.
    pub(crate) since: Option<(Time, Inclusive)>,
    pub(crate) equals: Vec<(Field, String)>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) after: Option<(Time, u32)>,
    pub(crate) count: bool,
    /// The query as it came, less `$skip` and `$skiptoken`: the beginning of the link to the next page.
    pub(crate) rest: String,
    /// How many endless links this request followed so far.
    pub(crate) endless: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inclusive {
    Yes,
    No,
}

/// What can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    City,
    CountyOrParish,
    StateOrProvince,
    PostalCode,
    PropertyType,
    StandardStatus,
    ListingKey,
    OriginatingSystemName,
}

const FIELDS: [(&str, Field); 8] = [
    ("City", Field::City),
    ("CountyOrParish", Field::CountyOrParish),
    ("StateOrProvince", Field::StateOrProvince),
    ("PostalCode", Field::PostalCode),
    ("PropertyType", Field::PropertyType),
    ("StandardStatus", Field::StandardStatus),
    ("ListingKey", Field::ListingKey),
    ("OriginatingSystemName", Field::OriginatingSystemName),
];

impl Query {
    /// Reads a query string, percent-encoded or not.
    ///
    /// # Errors
    /// What is wrong, in words, for a 400.
    pub(crate) fn parse(raw: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut rest: Vec<&str> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            let number = || value.parse::<usize>().map_err(|_| format!("{name}={value}: not a whole number"));
            match &*name {
                "$filter" => query.filter(&value)?,
                "$orderby" if matches!(&*value, "ModificationTimestamp" | "ModificationTimestamp asc") => {}
                "$orderby" => return Err(format!("$orderby={value}: only ModificationTimestamp is supported")),
                "$top" => query.top = Some(number()?),
                "$skip" => query.skip = number()?,
                "$skiptoken" => query.token(&value)?,
                "$count" => query.count = value == "true",
                // More fields than asked for do no harm; there is nothing to expand.
                "$select" | "$expand" => {}
                _ if name.starts_with('$') => return Err(format!("{name} is not supported")),
                _ => {}
            }
            if name != "$skip" && name != "$skiptoken" {
                rest.push(pair);
            }
        }
        query.rest = rest.join("&");
        Ok(query)
    }

    /// Where in the order by modification the answer begins.
    pub(crate) fn begins_after(&self) -> Option<(Time, u32)> {
        let since = self.since.map(|(time, inclusive)| match inclusive {
            Inclusive::Yes => (time.plus_ms(-1), u32::MAX),
            Inclusive::No => (time, u32::MAX),
        });
        since.max(self.after)
    }

    pub(crate) fn matches(&self, home: &Home, offer: &Offer) -> bool {
        let city = home.area.city;
        self.equals.iter().all(|(field, wanted)| match field {
            Field::City => city.name == wanted,
            Field::CountyOrParish => city.county == wanted,
            Field::StateOrProvince => city.region == wanted,
            Field::PostalCode => home.area.postal_code == *wanted,
            Field::PropertyType => crate::render::property_type(home.purpose) == wanted,
            Field::StandardStatus => standard_status(offer.status) == wanted || offer.status.as_str() == wanted,
            Field::ListingKey => home.listing_key() == *wanted,
            Field::OriginatingSystemName => wanted == "simulated",
        })
    }

    /// Reads comparisons joined by `and`, with or without parentheses.
    fn filter(&mut self, text: &str) -> Result<(), String> {
        for clause in text.split(" and ") {
            let clause = clause.trim().trim_start_matches('(').trim_end_matches(')').trim();
            let mut words = clause.splitn(3, ' ');
            let (Some(name), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(format!("$filter: {clause:?} is not like City eq 'Chicago'"));
            };
            if name == "ModificationTimestamp" {
                let inclusive = match operator {
                    "gt" => Inclusive::No,
                    "ge" => Inclusive::Yes,
                    _ => {
                        return Err(format!("$filter: ModificationTimestamp {operator}: only gt and ge are supported"));
                    }
                };
                let time = Time::parse(value.trim().trim_matches('\'')).map_err(|error| format!("$filter: {error}"))?;
                self.since = Some((time, inclusive));
                continue;
            }
            let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) else {
                let known = FIELDS.map(|(name, _)| name).join(", ");
                return Err(format!("$filter: cannot filter by {name}, only by ModificationTimestamp, {known}"));
            };
            let quoted = value.trim().strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            let (Some(value), "eq") = (quoted, operator) else {
                return Err(format!("$filter: {clause:?} is not like City eq 'Chicago'"));
            };
            self.equals.push((*field, value.replace("''", "'")));
        }
        Ok(())
    }

    fn token(&mut self, text: &str) -> Result<(), String> {
        let bad = || format!("$skiptoken={text}: not a token of this portal");
        let (place, endless) = text.split_once('~').unwrap_or((text, "0"));
        self.endless = endless.parse().map_err(|_| bad())?;
        if place != "-" {
            let (ms, home) = place.split_once('.').ok_or_else(bad)?;
            self.after = Some((Time::from_ms(ms.parse().map_err(|_| bad())?), home.parse().map_err(|_| bad())?));
        }
        Ok(())
    }
}

/// The token that continues after `place`.
pub(crate) fn token(place: Option<(Time, u32)>, endless: u64) -> String {
    let mut token = place.map_or("-".to_owned(), |(time, home)| format!("{}.{home}", time.ms()));
    if endless > 0 {
        token.push_str(&format!("~{endless}"));
    }
    token
}

/// Undoes percent-encoding; `+` is a space.
fn decode(text: &str) -> Result<String, String> {
    let bad = || format!("{text:?} is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
                u8::try_from(high * 16 + low).map_err(|_| bad())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_means_the_same_however_it_is_encoded() {
        let plain = "$filter=ModificationTimestamp+gt+2026-01-13T10:51:00Z+and+(City+eq+'Chicago')&$top=5&$count=true";
        let coded = "%24filter=ModificationTimestamp%20gt%202026-01-13T10%3A51%3A00Z%20and%20(City%20eq%20%27Chicago%27)&%24top=5&%24count=true";
        let (plain, coded) = (Query::parse(plain).unwrap(), Query::parse(coded).unwrap());
        assert_eq!(Query { rest: String::new(), ..plain.clone() }, Query { rest: String::new(), ..coded });
        assert_eq!(plain.since, Some((Time::parse("2026-01-13T10:51:00Z").unwrap(), Inclusive::No)));
        assert_eq!(plain.equals, [(Field::City, "Chicago".to_owned())]);
        assert_eq!((plain.top, plain.count), (Some(5), true));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (raw, named) in [
            ("$filter=Price+gt+5", "Price"),
            ("$filter=ModificationTimestamp+gt+yesterday", "yesterday"),
            ("$filter=City+ne+'X'", "City ne 'X'"),
            ("$orderby=ListPrice+desc", "ListPrice desc"),
            ("$top=ten", "$top=ten"),
            ("$skiptoken=abc", "abc"),
            ("$apply=x", "$apply"),
            ("$top=%zz", "%zz"),
        ] {
            let error = Query::parse(raw).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_token_goes_there_and_back() {
        let place = Some((Time::from_ms(12_345), 7));
        assert_eq!(Query::parse(&format!("$skiptoken={}", token(place, 0))).unwrap().after, place);
        assert_eq!(Query::parse(&format!("$skiptoken={}", token(None, 3))).unwrap().endless, 3);
    }
}
