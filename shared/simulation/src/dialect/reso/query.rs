use stoop_domain::Time;

use super::{ListedHome, RowPosition};
use crate::exchange::decode;
use crate::render::standard_status;

/// A request, in the subset of OData that this site supports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ResoQuery {
    pub(super) since: Option<Since>,
    pub(super) equals: Vec<(ResoField, String)>,
    /// `MlgCanView eq`.
    pub(super) viewable: Option<bool>,
    pub(super) order: Option<OrderClock>,
    pub(super) top: Option<usize>,
    pub(super) skip: usize,
    pub(super) after: Option<RowPosition>,
    pub(super) count: bool,
    pub(super) replication: bool,
    /// The query as received, without `$skip` and `$skiptoken`: the beginning of the next link.
    pub(super) rest: String,
    /// The number of endless links that led to this request.
    pub(super) endless: u64,
}

/// A lower bound of the modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Since {
    pub(super) clock: OrderClock,
    pub(super) time: Time,
    /// Whether the bound itself is included.
    pub(super) inclusive: bool,
}

/// The order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderClock {
    /// `ModificationTimestamp`.
    Standard,
    /// `BridgeModificationTimestamp`.
    Bridge,
    /// By key only.
    None,
}

/// A field of the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResoField {
    City,
    CountyOrParish,
    StateOrProvince,
    PostalCode,
    PropertyType,
    StandardStatus,
    ListingKey,
    OriginatingSystemName,
}

const FIELDS: [(&str, ResoField); 8] = [
    ("City", ResoField::City),
    ("CountyOrParish", ResoField::CountyOrParish),
    ("StateOrProvince", ResoField::StateOrProvince),
    ("PostalCode", ResoField::PostalCode),
    ("PropertyType", ResoField::PropertyType),
    ("StandardStatus", ResoField::StandardStatus),
    ("ListingKey", ResoField::ListingKey),
    ("OriginatingSystemName", ResoField::OriginatingSystemName),
];

impl ResoQuery {
    /// Parses a query string, percent-encoded or not.
    ///
    /// # Errors
    /// Describes what is wrong, for a 400.
    pub(super) fn parse(raw: &str) -> Result<Self, String> {
        let mut query = Self::default();
        let mut rest: Vec<&str> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            let number = || value.parse::<usize>().map_err(|_| format!("{name}={value}: not a whole number"));
            match &*name {
                "$filter" => query.filter(&value)?,
                "$orderby" => query.order = Some(order(&value)?),
                "$top" => query.top = Some(number()?),
                "$skip" => query.skip = number()?,
                "$skiptoken" => query.token(&value)?,
                "$count" => query.count = value == "true",
                // Extra fields do no harm, and there is nothing to expand.
                "$select" | "$expand" => {}
                "replication" => query.replication = value == "true",
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

    /// Whether the filter names a system, which MLS Grid requires.
    pub(super) fn names_system(&self) -> bool {
        self.equals.iter().any(|(field, _)| *field == ResoField::OriginatingSystemName)
    }

    pub(super) fn matches(&self, row: &ListedHome<'_>) -> bool {
        let (home, city) = (row.home, row.home.area.city);
        let equal = self.equals.iter().all(|(field, wanted)| match field {
            ResoField::City => city.name == wanted,
            ResoField::CountyOrParish => city.county == wanted,
            ResoField::StateOrProvince => city.region == wanted,
            ResoField::PostalCode => home.area.postal_code == *wanted,
            ResoField::PropertyType => crate::render::property_type(home.purpose) == wanted,
            ResoField::StandardStatus => {
                standard_status(row.offer.status) == wanted || row.offer.status.as_str() == wanted
            }
            ResoField::ListingKey => home.listing_key() == *wanted,
            ResoField::OriginatingSystemName => wanted == "simulated",
        });
        let later = self.since.is_none_or(|since| {
            let time = if since.clock == OrderClock::Bridge { row.served_at } else { row.offer.modified_at };
            time > since.time || (since.inclusive && time == since.time)
        });
        equal && later && self.viewable.is_none_or(|viewable| viewable != row.withdrawn)
    }

    /// Parses comparisons joined by `and`, with or without parentheses.
    fn filter(&mut self, text: &str) -> Result<(), String> {
        for clause in text.split(" and ") {
            let clause = clause.trim().trim_start_matches('(').trim_end_matches(')').trim();
            let mut words = clause.splitn(3, ' ');
            let (Some(name), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(format!("$filter: {clause:?} is not like City eq 'Chicago'"));
            };
            if let Some(clock) = clock(name) {
                let inclusive = match operator {
                    "gt" => false,
                    "ge" => true,
                    _ => return Err(format!("$filter: {name} {operator}: only gt and ge are supported")),
                };
                let time = Time::parse(value.trim().trim_matches('\'')).map_err(|error| format!("$filter: {error}"))?;
                self.since = Some(Since { clock, time, inclusive });
                continue;
            }
            if name == "MlgCanView" {
                let viewable = value.trim().parse().ok().filter(|_| operator == "eq");
                self.viewable =
                    Some(viewable.ok_or_else(|| format!("$filter: {clause:?} is not like MlgCanView eq true"))?);
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
        let (position, endless) = text.split_once('~').unwrap_or((text, "0"));
        self.endless = endless.parse().map_err(|_| bad())?;
        if position != "-" {
            let (ms, home) = position.split_once('.').ok_or_else(bad)?;
            self.after = Some((Time::from_ms(ms.parse().map_err(|_| bad())?), home.parse().map_err(|_| bad())?));
        }
        Ok(())
    }
}

/// The token that continues after `position`.
pub(super) fn token(position: Option<RowPosition>, endless: u64) -> String {
    let mut token = position.map_or("-".to_owned(), |(time, home)| format!("{}.{home}", time.ms()));
    if endless > 0 {
        token.push_str(&format!("~{endless}"));
    }
    token
}

fn clock(name: &str) -> Option<OrderClock> {
    match name {
        "ModificationTimestamp" => Some(OrderClock::Standard),
        "BridgeModificationTimestamp" => Some(OrderClock::Bridge),
        _ => None,
    }
}

fn order(text: &str) -> Result<OrderClock, String> {
    let field = text.strip_suffix(" asc").unwrap_or(text);
    let order = if field == "ListingKey" { Some(OrderClock::None) } else { clock(field) };
    order.ok_or_else(|| format!("$orderby={text}: only ModificationTimestamp and ListingKey are supported"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_means_the_same_in_any_encoding() {
        let plain = "$filter=ModificationTimestamp+gt+2026-01-13T10:51:00Z+and+(City+eq+'Chicago')&$top=5&$count=true";
        let coded = "%24filter=ModificationTimestamp%20gt%202026-01-13T10%3A51%3A00Z%20and%20(City%20eq%20%27Chicago%27)&%24top=5&%24count=true";
        let (plain, coded) = (ResoQuery::parse(plain).unwrap(), ResoQuery::parse(coded).unwrap());
        assert_eq!(ResoQuery { rest: String::new(), ..plain.clone() }, ResoQuery { rest: String::new(), ..coded });
        let time = Time::parse("2026-01-13T10:51:00Z").unwrap();
        assert_eq!(plain.since, Some(Since { clock: OrderClock::Standard, time, inclusive: false }));
        assert_eq!(plain.equals, [(ResoField::City, "Chicago".to_owned())]);
        assert_eq!((plain.top, plain.count), (Some(5), true));
    }

    #[test]
    fn unsupported_parts_are_named() {
        for (raw, named) in [
            ("$filter=Price+gt+5", "Price"),
            ("$filter=ModificationTimestamp+gt+yesterday", "yesterday"),
            ("$filter=City+ne+'X'", "City ne 'X'"),
            ("$orderby=ListPrice+desc", "ListPrice desc"),
            ("$filter=MlgCanView+eq+maybe", "MlgCanView eq true"),
            ("$top=ten", "$top=ten"),
            ("$skiptoken=abc", "abc"),
            ("$apply=x", "$apply"),
            ("$top=%zz", "%zz"),
        ] {
            let error = ResoQuery::parse(raw).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_token_round_trips() {
        let position = Some((Time::from_ms(12_345), 7));
        assert_eq!(ResoQuery::parse(&format!("$skiptoken={}", token(position, 0))).unwrap().after, position);
        assert_eq!(ResoQuery::parse(&format!("$skiptoken={}", token(None, 3))).unwrap().endless, 3);
    }
}
