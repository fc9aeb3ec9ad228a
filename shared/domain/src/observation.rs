use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::has_letter;
use crate::country::currency_of;
use crate::listing::Listing;
use crate::money::Minor;
use crate::price_bounds::price_bounds;
use crate::reject::Reason;
use crate::sighting::Sighting;
use crate::time::Time;
use crate::watch::Watch;

/// Which home a listing is of. Today `source/native id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HomeId(pub Arc<str>);

/// A fact: this source showed this listing, in this state, at this time. Never changes; may arrive
/// twice, late, or out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Line", into = "Line")]
pub struct Observation {
    /// Which source, such as `avito`.
    pub source: Arc<str>,
    /// The source's own id of the listing.
    pub native_id: String,
    /// Since when it was so, by the source's own time, where it tells one; else the same as `seen`. Not after `seen`.
    pub at: Time,
    /// When its origin saw it. See [`Sighting`].
    pub seen: Time,
    /// Its place among differing rows of one moment. See [`Sighting`].
    pub seq: u32,
    /// `at` is a version of the listing. See [`Sighting`].
    pub versioned: bool,
    /// It was there when its search began. See [`Sighting`].
    pub initial: bool,
    /// How its origin will look again.
    pub watch: Watch,
    /// What it showed.
    pub listing: Listing,
}

/// An observation as it is written: what is as usual is left out.
#[derive(Serialize, Deserialize)]
struct Line {
    source: Arc<str>,
    native_id: String,
    at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Time>,
    #[serde(default, skip_serializing_if = "is_zero")]
    seq: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    versioned: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    initial: bool,
    #[serde(default, skip_serializing_if = "is_once")]
    watch: Watch,
    listing: Listing,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_once(watch: &Watch) -> bool {
    *watch == Watch::Once
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(seq: &u32) -> bool {
    *seq == 0
}

impl From<Line> for Observation {
    fn from(line: Line) -> Self {
        let Line { source, native_id, at, seen, seq, versioned, initial, watch, listing } = line;
        Self { source, native_id, at, seen: seen.unwrap_or(at), seq, versioned, initial, watch, listing }
    }
}

impl From<Observation> for Line {
    fn from(observation: Observation) -> Self {
        let Observation { source, native_id, at, seen, seq, versioned, initial, watch, listing } = observation;
        Self { source, native_id, at, seen: (seen != at).then_some(seen), seq, versioned, initial, watch, listing }
    }
}

/// The one function that says of which home an observation is.
#[must_use]
pub fn home_id(observation: &Observation) -> HomeId {
    let mut id = String::new();
    write_home_id(observation, &mut id);
    HomeId(id.into())
}

/// Puts the text of [`home_id`] into `id`, in place of what was there.
pub fn write_home_id(observation: &Observation, id: &mut String) {
    id.clear();
    id.push_str(&observation.source);
    id.push('/');
    id.push_str(&observation.native_id);
}

/// The longest name of a place, in bytes. The longest of a town has 85. A market is named by five of them, and a
/// name must fit into a key of a table.
const PLACE_NAME_BYTES_MAX: usize = 200;

/// How far a source's clock may run ahead of ours before we call its times wrong.
const CLOCK_SKEW_MS: i64 = 15 * 60 * 1_000;

impl Observation {
    /// An observation that tells of one moment only: seen `at` the time that it tells of, by who does not look again.
    #[must_use]
    pub fn new(source: impl Into<Arc<str>>, native_id: impl Into<String>, at: Time, listing: Listing) -> Self {
        let (source, native_id) = (source.into(), native_id.into());
        let watch = Watch::Once;
        Self { source, native_id, at, seen: at, seq: 0, versioned: false, initial: false, watch, listing }
    }

    /// Where it stands in the order of all that was seen of its listing.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        let Self { at, seen, seq, versioned, initial, .. } = *self;
        Sighting { at: at.min(seen), seen, seq, versioned, initial }
    }

    /// The same in another place of the order.
    #[must_use]
    pub fn with_sighting(self, sighting: Sighting) -> Self {
        let Sighting { at, seen, seq, versioned, initial } = sighting;
        Self { at, seen, seq, versioned, initial, ..self }
    }

    /// Says what, if anything, makes this observation unfit to be counted. `now` is the moment of
    /// reading, against which dates in the future are found.
    ///
    /// # Errors
    /// The reason and the offending part, for the quarantine.
    pub fn check(&self, now: Time) -> Result<(), (Reason, String)> {
        let listing = &self.listing;
        if self.native_id.is_empty() {
            return Err((Reason::MissingField, "native_id".into()));
        }
        if self.native_id.len() > 256 {
            return Err((Reason::BadValue, format!("native_id of {} bytes, at most 256", self.native_id.len())));
        }
        check_prices(listing)?;
        let address = &listing.address;
        let in_range = |degrees: Option<i32>, limit: i32| degrees.is_none_or(|d| (-limit..=limit).contains(&d));
        if !in_range(address.latitude_e6, 90_000_000) || !in_range(address.longitude_e6, 180_000_000) {
            let show = |e6: Option<i32>| e6.map_or("none".to_owned(), |e6| format!("{}", f64::from(e6) / 1e6));
            let detail = format!("latitude {}, longitude {}", show(address.latitude_e6), show(address.longitude_e6));
            return Err((Reason::CoordinatesOutOfRange, detail));
        }
        for at in [self.at, self.seen] {
            if at > now.plus_ms(CLOCK_SKEW_MS) {
                return Err((Reason::DateInFuture, format!("observed at {at}")));
            }
        }
        let levels = [
            ("country", &address.country),
            ("region", &address.region),
            ("county", &address.county),
            ("city", &address.city),
            ("neighbourhood", &address.neighbourhood),
            ("postal_code", &address.postal_code),
        ];
        for (name, value) in levels {
            if let Some(value) = value.as_ref().filter(|value| value.len() > PLACE_NAME_BYTES_MAX) {
                let detail = format!("{name} of {} bytes, at most {PLACE_NAME_BYTES_MAX}", value.len());
                return Err((Reason::BadValue, detail));
            }
        }
        let names = [&address.postal_code, &address.neighbourhood, &address.city];
        if !names.into_iter().flatten().any(|name| has_letter(name)) {
            return Err((Reason::MissingField, "postal_code, neighbourhood or city".into()));
        }
        if let Some(code) = &address.country
            && let Some(expected) = currency_of(code)
            && expected != listing.currency
        {
            let detail = format!("{} in {code}, where homes are priced in {expected}", listing.currency);
            return Err((Reason::ForeignCurrency, detail));
        }
        Ok(())
    }
}

/// What is asked has a least and a greatest amount. What was asked at first is no price of today, and what was paid may be a
/// deed's token sum of a dollar: those have a greatest amount alone.
fn check_prices(listing: &Listing) -> Result<(), (Reason, String)> {
    let bounds = price_bounds(listing.currency, listing.purpose);
    let prices = [
        ("list_price", listing.list_price, *bounds.start()),
        ("original_list_price", listing.original_list_price, Minor(1)),
        ("close_price", listing.close_price, Minor(1)),
    ];
    for (name, price, least) in prices {
        let Some(price) = price else { continue };
        let reported = |bound: &str| format!("{name} is {} minor units{bound}", price.0);
        if price.0 <= 0 {
            return Err((Reason::PriceNotPositive, reported("")));
        }
        let (for_what, currency) = (listing.purpose.as_str(), listing.currency);
        if price < least {
            return Err((
                Reason::PriceAbsurd,
                reported(&format!(", at least {} for {for_what} in {currency}", least.0)),
            ));
        }
        if price > *bounds.end() {
            let greatest = bounds.end().0;
            return Err((Reason::PriceAbsurd, reported(&format!(", at most {greatest} for {for_what} in {currency}"))));
        }
    }
    Ok(())
}

impl HomeId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for HomeId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HomeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Address, Currency, Minor, Purpose};

    const NOW: &str = "2026-01-14T12:00:00Z";

    fn of_vienna() -> Listing {
        let address = Address { city: Some("Wien".into()), country: Some("AT".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Rent, Currency::EUR, address);
        listing.list_price = Some(Minor(139_285));
        listing
    }

    fn observation(change: impl FnOnce(&mut Observation)) -> Result<(), Reason> {
        let at = Time::parse("2026-01-14T11:00:00Z").unwrap();
        let mut observation = Observation::new("t", "1", at, of_vienna());
        change(&mut observation);
        observation.check(Time::parse(NOW).unwrap()).map_err(|(reason, _)| reason)
    }

    #[test]
    fn a_plain_observation_passes() {
        assert_eq!(observation(|_| ()), Ok(()));
        assert_eq!(observation(|o| o.listing.list_price = None), Ok(()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        assert_eq!(observation(|o| o.native_id.clear()), Err(Reason::MissingField));
        assert_eq!(observation(|o| o.listing.list_price = Some(Minor(0))), Err(Reason::PriceNotPositive));
        assert_eq!(observation(|o| o.listing.list_price = Some(Minor(-5))), Err(Reason::PriceNotPositive));
        assert_eq!(observation(|o| o.listing.list_price = Some(Minor(i64::MAX))), Err(Reason::PriceAbsurd));
        assert_eq!(
            observation(|o| o.listing.address.latitude_e6 = Some(90_000_001)),
            Err(Reason::CoordinatesOutOfRange)
        );
        assert_eq!(
            observation(|o| o.listing.address.longitude_e6 = Some(-180_000_001)),
            Err(Reason::CoordinatesOutOfRange)
        );
        assert_eq!(observation(|o| o.listing.address.city = None), Err(Reason::MissingField));
        assert_eq!(observation(|o| o.listing.currency = Currency::USD), Err(Reason::ForeignCurrency));
    }

    #[test]
    fn a_price_that_no_home_has_is_refused_and_says_the_bound() {
        // A rent in EUR: 10 to a hundred million.
        for (minor, want) in [
            (999, Err(Reason::PriceAbsurd)),
            (1_000, Ok(())),
            (10_000_000_000, Ok(())),
            (10_000_000_001, Err(Reason::PriceAbsurd)),
        ] {
            assert_eq!(observation(|o| o.listing.list_price = Some(Minor(minor))), want, "{minor}");
        }
        let mut placeholder = Observation::new("t", "1", Time::default(), of_vienna());
        placeholder.listing.list_price = Some(Minor(100));
        let (_, detail) = placeholder.check(Time::default()).unwrap_err();
        assert_eq!(detail, "list_price is 100 minor units, at least 1000 for rent in EUR");
    }

    #[test]
    fn what_was_paid_or_asked_at_first_may_be_little_and_not_too_much() {
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(1_000))), Ok(()), "a deed's ten dollars");
        assert_eq!(observation(|o| o.listing.original_list_price = Some(Minor(1))), Ok(()));
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(0))), Err(Reason::PriceNotPositive));
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(i64::MAX))), Err(Reason::PriceAbsurd));
        assert_eq!(observation(|o| o.listing.original_list_price = Some(Minor(i64::MAX))), Err(Reason::PriceAbsurd));
    }

    #[test]
    fn a_name_that_no_place_has_is_refused() {
        let city = |bytes: usize| observation(|o| o.listing.address.city = Some("x".repeat(bytes)));
        assert_eq!(city(200), Ok(()));
        assert_eq!(city(201), Err(Reason::BadValue));
    }

    #[test]
    fn a_clock_a_little_ahead_is_forgiven_a_date_tomorrow_is_not() {
        let at = |text: &str| Time::parse(text).unwrap();
        assert_eq!(observation(|o| o.at = at("2026-01-14T12:10:00Z")), Ok(()));
        assert_eq!(observation(|o| o.at = at("2026-01-15T12:00:00Z")), Err(Reason::DateInFuture));
    }
}
