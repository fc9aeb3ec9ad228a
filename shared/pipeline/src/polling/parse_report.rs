//! What was understood of rows, field by field: for people who want to know what a source provides.

use std::collections::BTreeMap;

use stoop_domain::{
    Area, AreaUnit, Currency, HomeValue, Listing, Minor, Observation, Reason, RefusedValue, Time, Value,
};
use stoop_sources::{Contradictions, Row, SeenListing};

use crate::polling::address_report::AddressReport;
use crate::ports::FileRow;

/// The report on some rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParseReport {
    /// Rows.
    pub rows: u64,
    /// Rows that a poll would publish.
    pub listings: u64,
    /// All fields of a listing, in a fixed order; empty if no row was understood.
    pub fields: Vec<FieldCount>,
    /// Rejects by reason, the most frequent first.
    pub refused: Vec<RefusedCount>,
    /// Values that were left out of listings, by field and reason, the most frequent first.
    pub values: Vec<RefusedValues>,
    /// How often fields of the listings contradict each other.
    pub contradictions: Contradictions,
    /// The areas of the listings.
    pub addresses: AddressReport,
}

/// One field over all understood listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCount {
    /// Its name with its parent: `list_price`, `address.city`, `details.title`.
    pub name: &'static str,
    /// Listings in which it has a value.
    pub filled: u64,
    /// The first value.
    pub example: Option<String>,
    /// For fields with few values, the count of each.
    pub values: BTreeMap<String, u64>,
}

/// Rows refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCount {
    /// The reason.
    pub reason: Reason,
    /// How many rows.
    pub rows: u64,
    /// The offending part of the first row, in words.
    pub detail: String,
    /// The first row, as far as the quarantine would keep it.
    pub excerpt: String,
}

/// Values of one field that were left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedValues {
    /// The name of the field, as the source or the map calls it.
    pub field: String,
    /// The reason.
    pub reason: Reason,
    /// How many listings are without the value.
    pub values: u64,
    /// The first one, in words.
    pub detail: String,
}

/// Fields with few distinct values, which are counted.
const COUNTED: [&str; 4] = ["purpose", "status", "currency", "property_type"];

impl ParseReport {
    /// Adds a row. A listing that a poll would refuse is refused here too; `now` is when it was read.
    pub fn take(&mut self, source: &str, row: Row, now: Time) {
        self.rows += 1;
        match row {
            Row::Refused { reason, detail, raw, .. } => self.refuse(reason, detail, raw),
            Row::Found(found) => {
                let SeenListing { native_id, at, listing, refused, .. } = *found;
                let reported_at = at;
                let mut observation =
                    Observation { seen: now, ..Observation::new(source, native_id, at.unwrap_or(now), listing) };
                match observation.check(now) {
                    Ok(more) => {
                        self.count(&observation, reported_at);
                        self.refuse_values([refused, more].concat());
                    }
                    Err((reason, detail)) => {
                        let mut raw = Vec::new();
                        stoop_wire::encode(&observation, &mut raw);
                        self.refuse(reason, detail, String::from_utf8_lossy(&raw).into_owned());
                    }
                }
            }
        }
    }

    /// Adds a row of a file written at `as_of`, which is the time of rows without their own.
    pub fn take_file_row(&mut self, row: FileRow, as_of: Time) {
        self.rows += 1;
        match row {
            FileRow::Refused { reason, detail, raw, .. } => {
                self.refuse(reason, detail, String::from_utf8_lossy(&raw).into_owned());
            }
            FileRow::Found(observation, refused) => {
                let reported_at = Some(observation.at).filter(|at| *at != as_of);
                self.count(&observation, reported_at);
                self.refuse_values(refused);
            }
        }
    }

    fn refuse(&mut self, reason: Reason, detail: String, excerpt: String) {
        match self.refused.iter_mut().find(|refused| refused.reason == reason) {
            Some(refused) => refused.rows += 1,
            None => self.refused.push(RefusedCount { reason, rows: 1, detail, excerpt }),
        }
        self.refused.sort_by_key(|refused| (std::cmp::Reverse(refused.rows), refused.reason));
    }

    fn refuse_values(&mut self, refused: Vec<RefusedValue>) {
        for value in refused {
            let known =
                self.values.iter_mut().find(|it| (it.field.as_str(), it.reason) == (value.field(), value.reason));
            match known {
                Some(known) => known.values += 1,
                None => {
                    let field = value.field().to_owned();
                    self.values.push(RefusedValues { field, reason: value.reason, values: 1, detail: value.detail });
                }
            }
        }
        self.values.sort_by(|a, b| (b.values, &a.field, a.reason).cmp(&(a.values, &b.field, b.reason)));
    }

    fn count(&mut self, observation: &Observation, reported_at: Option<Time>) {
        self.listings += 1;
        self.contradictions.take(&observation.listing, observation.seen);
        self.addresses.take(&observation.listing.address);
        let own =
            [("native_id", Some(observation.native_id.clone())), ("observed_at", reported_at.map(|at| at.to_string()))];
        let values: Vec<(&'static str, Option<String>)> = own.into_iter().chain(fields(&observation.listing)).collect();
        if self.fields.is_empty() {
            let empty = |name| FieldCount { name, filled: 0, example: None, values: BTreeMap::new() };
            self.fields = values.iter().map(|(name, _)| empty(*name)).collect();
        }
        for (field, (_, value)) in self.fields.iter_mut().zip(values) {
            let Some(value) = value else { continue };
            field.filled += 1;
            if COUNTED.contains(&field.name) {
                *field.values.entry(value.clone()).or_default() += 1;
            }
            field.example.get_or_insert(value);
        }
    }
}

/// All fields of a listing by name, as text if known.
fn fields(listing: &Listing) -> impl Iterator<Item = (&'static str, Option<String>)> {
    let always = [
        ("purpose", Some(listing.purpose.as_str().to_owned())),
        ("status", Some(listing.status.as_str().to_owned())),
        ("currency", Some(listing.currency.code().to_owned())),
    ];
    let maybe = stoop_domain::fields(listing);
    always.into_iter().chain(maybe.map(|(name, value)| (name, value.map(|value| text(value, listing.currency)))))
}

fn text(value: Value<'_>, currency: Currency) -> String {
    match value {
        Value::Money(amount) | Value::Home(HomeValue::Fee(amount)) => major(amount, currency),
        Value::Day(day) => day.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Home(HomeValue::PropertyType(kind)) => kind.as_str().to_owned(),
        Value::Home(HomeValue::Count(count)) => count.to_string(),
        Value::Home(HomeValue::Hundredths(hundredths)) => scaled(i64::from(hundredths), 2),
        Value::Home(HomeValue::Area(size)) => area(size),
        Value::Home(HomeValue::Year(year)) => year.to_string(),
        Value::Home(HomeValue::Flag(flag)) => stoop_show::yes_or_no(flag).to_owned(),
        Value::Text(text) => text.to_owned(),
        Value::Degrees(e6) => scaled(i64::from(e6), 6),
        Value::Texts([one]) => one.clone(),
        Value::Texts(texts) => {
            format!("{} of them, {} ...", texts.len(), texts.first().map_or("", String::as_str))
        }
    }
}

fn major(amount: Minor, currency: Currency) -> String {
    format!("{} {currency}", scaled(amount.0, currency.minor_digits()))
}

fn area(area: Area) -> String {
    let unit = match area.unit {
        AreaUnit::SquareMeters => "m²",
        AreaUnit::SquareFeet => "sqft",
        AreaUnit::Acres => "acres",
    };
    format!("{} {unit}", scaled(area.ten_thousandths, 4))
}

/// A decimal with `digits` decimal places, without trailing zeros.
fn scaled(number: i64, digits: u32) -> String {
    let one = 10_u64.pow(digits);
    let (whole, rest) = (number.unsigned_abs() / one, number.unsigned_abs() % one);
    let sign = if number < 0 { "-" } else { "" };
    let fraction = format!("{rest:0width$}", width = digits as usize);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Purpose, Status};
    use stoop_sources::Contradiction;

    use super::*;

    fn found(id: &str, price: Option<i64>, city: &str) -> Row {
        let address = Address { city: (!city.is_empty()).then(|| city.to_owned()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
        listing.list_price = price.map(Minor);
        Row::Found(Box::new(SeenListing::now(id.to_owned(), listing)))
    }

    fn field<'u>(understood: &'u ParseReport, name: &str) -> &'u FieldCount {
        understood.fields.iter().find(|field| field.name == name).unwrap()
    }

    #[test]
    fn each_field_is_counted_if_known() {
        let mut understood = ParseReport::default();
        let now = Time::from_ms(0);
        for row in [found("1", Some(139_285), "Wien"), found("2", None, "Graz"), found("3", Some(50_000), "Graz")] {
            understood.take("x", row, now);
        }
        assert_eq!((understood.rows, understood.listings), (3, 3));
        let price = field(&understood, "list_price");
        assert_eq!((price.filled, price.example.as_deref()), (2, Some("1392.85 EUR")));
        assert_eq!(field(&understood, "address.city").filled, 3);
        assert_eq!(field(&understood, "status").values, BTreeMap::from([("Active".to_owned(), 3)]));
        assert_eq!(field(&understood, "observed_at").filled, 0, "the source has no time");
        assert_eq!(field(&understood, "details.images").example, None);
    }

    #[test]
    fn rows_that_a_poll_would_refuse_are_refused_with_their_reason() {
        let mut understood = ParseReport::default();
        let now = Time::from_ms(0);
        let refused =
            Row::Refused { native_id: None, reason: Reason::BadValue, detail: "price is x".into(), raw: "{}".into() };
        for row in [found("1", Some(-5), "Wien"), refused.clone(), found("3", Some(50_000), ""), refused] {
            understood.take("x", row, now);
        }
        assert_eq!((understood.rows, understood.listings), (4, 1));
        let value = &understood.values[0];
        assert_eq!((value.field.as_str(), value.reason, value.values), ("list_price", Reason::PriceNotPositive, 1));
        assert_eq!((value.detail.as_str(), understood.values.len()), ("list_price is -5 minor units", 1));
        assert_eq!(field(&understood, "list_price").filled, 0, "it is left out");
        let message: Vec<_> = understood.refused.iter().map(|r| (r.reason, r.rows, r.detail.as_str())).collect();
        assert_eq!(message[0], (Reason::BadValue, 2, "price is x"));
        assert!(message.contains(&(Reason::MissingField, 1, "postal_code, neighbourhood or city")), "{message:?}");
    }

    #[test]
    fn contradictions_of_understood_rows_are_counted() {
        let now = Time::from_ms(400 * Time::DAY_MS);
        let mut understood = ParseReport::default();
        for (row, price) in [50_000, 50_000, -5].into_iter().enumerate() {
            let address = Address { city: Some("Graz".to_owned()), ..Address::default() };
            let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
            listing.status = Status::Closed;
            listing.list_price = Some(Minor(price));
            listing.close_price = Some(Minor(50_000));
            understood.take("x", Row::Found(Box::new(SeenListing::now(row.to_string(), listing))), now);
        }
        let count = understood.contradictions.of(Contradiction::SoldAsListed);
        assert_eq!((count.rows, count.contradict, count.is_distrusted()), (2, 2, false));
        assert_eq!(field(&understood, "close_price").example.as_deref(), Some("500 EUR"));
    }

    #[test]
    fn numbers_have_no_trailing_zeros() {
        assert_eq!(scaled(35_462_068, 6), "35.462068");
        assert_eq!(scaled(-6_030_000, 6), "-6.03");
        assert_eq!(scaled(250, 2), "2.5");
        assert_eq!(scaled(7, 0), "7");
        assert_eq!(scaled(i64::MIN, 2), "-92233720368547758.08");
    }
}
