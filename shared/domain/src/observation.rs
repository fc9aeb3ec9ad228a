use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::has_letter;
use crate::country::currency_of;
use crate::listing::Listing;
use crate::reject::{Reason, RefusedValue};
use crate::sighting::Sighting;
use crate::time::Time;
use crate::watch::Watch;

/// The ID of a home: `source/native ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HomeId(pub Arc<str>);

/// A fact: a source showed a listing in this state at this time. Never changes; may arrive twice, late or out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ObservationLine", into = "ObservationLine")]
pub struct Observation {
    /// The name of the source, such as `avito`.
    pub source: Arc<str>,
    /// The source's own ID of the listing.
    pub native_id: String,
    /// Since when the listing has been in this state, by the source's clock; `seen` if the source gives no time. Not
    /// after `seen`.
    pub at: Time,
    /// When the origin saw it. See [`Sighting`].
    pub seen: Time,
    /// The position among differing rows of one moment. See [`Sighting`].
    pub seq: u32,
    /// Whether `at` is a version of the listing. See [`Sighting`].
    pub versioned: bool,
    /// Whether it was there when its search began. See [`Sighting`].
    pub initial: bool,
    /// How the origin will check the listing again.
    pub watch: Watch,
    pub listing: Listing,
}

/// The JSON format of an observation. Default values are left out.
#[derive(Serialize, Deserialize)]
struct ObservationLine {
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

impl From<ObservationLine> for Observation {
    fn from(line: ObservationLine) -> Self {
        let ObservationLine { source, native_id, at, seen, seq, versioned, initial, watch, listing } = line;
        Self { source, native_id, at, seen: seen.unwrap_or(at), seq, versioned, initial, watch, listing }
    }
}

impl From<Observation> for ObservationLine {
    fn from(observation: Observation) -> Self {
        let Observation { source, native_id, at, seen, seq, versioned, initial, watch, listing } = observation;
        Self { source, native_id, at, seen: (seen != at).then_some(seen), seq, versioned, initial, watch, listing }
    }
}

/// The ID of the home of an observation. No other function decides this.
#[must_use]
pub fn home_id(observation: &Observation) -> HomeId {
    let mut id = String::new();
    write_home_id(observation, &mut id);
    HomeId(id.into())
}

/// Replaces the content of `id` with the text of [`home_id`].
pub fn write_home_id(observation: &Observation, id: &mut String) {
    id.clear();
    id.push_str(&observation.source);
    id.push('/');
    id.push_str(&observation.native_id);
}

/// The maximum length of a place name in bytes. The longest name of a town has 85. Five names form a market name, which
/// must fit in a table key.
const PLACE_NAME_BYTES_MAX: usize = 200;

/// How far a source's clock may run ahead of ours before its times are refused.
const CLOCK_SKEW_MS: i64 = 15 * 60 * 1_000;

impl Observation {
    /// An observation seen `at` the time that it describes, from a source that is not polled again.
    #[must_use]
    pub fn new(source: impl Into<Arc<str>>, native_id: impl Into<String>, at: Time, listing: Listing) -> Self {
        let (source, native_id) = (source.into(), native_id.into());
        let watch = Watch::Once;
        Self { source, native_id, at, seen: at, seq: 0, versioned: false, initial: false, watch, listing }
    }

    /// When, and in which order, this observation was made.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        let Self { at, seen, seq, versioned, initial, .. } = *self;
        Sighting { at: at.min(seen), seen, seq, versioned, initial }
    }

    /// The same observation with another sighting.
    #[must_use]
    pub fn with_sighting(self, sighting: Sighting) -> Self {
        let Sighting { at, seen, seq, versioned, initial } = sighting;
        Self { at, seen, seq, versioned, initial, ..self }
    }

    /// Checks whether the observation can be counted, and takes out prices and coordinates that no home can have. Returns
    /// these values. Dates after `now` are refused.
    ///
    /// # Errors
    /// The reason and the offending field, for the quarantine. Only what says which home it is, where, when and on which
    /// terms refuses it as a whole.
    pub fn check(&mut self, now: Time) -> Result<Vec<RefusedValue>, (Reason, String)> {
        if self.native_id.is_empty() {
            return Err((Reason::MissingField, "native_id".into()));
        }
        if self.native_id.len() > 256 {
            return Err((Reason::BadValue, format!("native_id of {} bytes, at most 256", self.native_id.len())));
        }
        self.listing.address.derive_place();
        let listing = &self.listing;
        let address = &listing.address;
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
        Ok(self.listing.take_out_impossible())
    }
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

    /// The reasons for which values are refused, or for which the observation is.
    fn observation(change: impl FnOnce(&mut Observation)) -> Result<Vec<Reason>, Reason> {
        let at = Time::parse("2026-01-14T11:00:00Z").unwrap();
        let mut observation = Observation::new("t", "1", at, of_vienna());
        change(&mut observation);
        let refused = observation.check(Time::parse(NOW).unwrap()).map_err(|(reason, _)| reason)?;
        assert_eq!(observation.check(Time::parse(NOW).unwrap()), Ok(Vec::new()), "what is refused is out");
        Ok(refused.into_iter().map(|value| value.reason).collect())
    }

    #[test]
    fn an_address_line_with_a_known_place_is_enough_and_marked() {
        let at_line = |line: &str, country: Option<&str>| {
            let (line, country) = (Some(line.to_owned()), country.map(str::to_owned));
            let address = Address { line, country, ..Address::default() };
            let listing = Listing::new(Purpose::Sale, Currency::parse("GBP").unwrap(), address);
            let mut home = Observation::new("s", "1", Time::from_ms(0), listing);
            let checked = home.check(Time::from_ms(1_768_392_000_000));
            (checked.is_ok(), home.listing.address)
        };
        let (is_ok, address) = at_line("Caledonian Road, London N1", Some("GB"));
        assert_eq!(
            (is_ok, address.city.as_deref(), address.postal_code.as_deref()),
            (true, Some("London"), Some("N1"))
        );
        assert!(address.derived);
        for (line, country) in [("Caledonian Road", Some("GB")), ("Infirmary Hill, Truro", None)] {
            let (is_ok, address) = at_line(line, country);
            assert!(!is_ok && !address.derived && address.city.is_none(), "{line}");
        }
    }

    #[test]
    fn a_valid_observation_passes() {
        assert_eq!(observation(|_| ()), Ok(vec![]));
        assert_eq!(observation(|o| o.listing.list_price = None), Ok(vec![]));
    }

    #[test]
    fn what_does_not_say_which_home_it_is_and_where_is_refused() {
        assert_eq!(observation(|o| o.native_id.clear()), Err(Reason::MissingField));
        assert_eq!(observation(|o| o.listing.address.city = None), Err(Reason::MissingField));
        assert_eq!(observation(|o| o.listing.currency = Currency::USD), Err(Reason::ForeignCurrency));
    }

    #[test]
    fn a_home_is_kept_without_its_impossible_values() {
        let absurd = Minor(i64::MAX);
        let mut home = Observation::new("t", "1", Time::default(), of_vienna());
        home.listing.list_price = Some(Minor(0));
        home.listing.original_list_price = Some(absurd);
        home.listing.close_price = Some(Minor(-5));
        (home.listing.address.latitude_e6, home.listing.address.longitude_e6) = (Some(90_000_001), Some(5));
        let refused = home.check(Time::default()).unwrap();
        let listing = &home.listing;
        assert_eq!([listing.list_price, listing.original_list_price, listing.close_price], [None; 3]);
        assert_eq!((listing.address.latitude_e6, listing.address.longitude_e6), (None, None));
        let details: Vec<_> =
            refused.iter().map(|value| (value.reason, value.field(), value.detail.as_str())).collect();
        let bound = "original_list_price is 9223372036854775807 minor units, at most 10000000000 for rent in EUR";
        let expected = [
            (Reason::PriceNotPositive, "list_price", "list_price is 0 minor units"),
            (Reason::PriceAbsurd, "original_list_price", bound),
            (Reason::PriceNotPositive, "close_price", "close_price is -5 minor units"),
            (Reason::CoordinatesOutOfRange, "coordinates", "coordinates are latitude 90.000001, longitude 0.000005"),
        ];
        assert_eq!(details, expected);
        let longitude = observation(|o| o.listing.address.longitude_e6 = Some(-180_000_001));
        assert_eq!(longitude, Ok(vec![Reason::CoordinatesOutOfRange]));
    }

    #[test]
    fn an_impossible_price_is_refused_with_its_bound() {
        // A rent in EUR must be between 10 and a hundred million.
        for (minor, want) in [
            (999, vec![Reason::PriceAbsurd]),
            (1_000, vec![]),
            (10_000_000_000, vec![]),
            (10_000_000_001, vec![Reason::PriceAbsurd]),
        ] {
            assert_eq!(observation(|o| o.listing.list_price = Some(Minor(minor))), Ok(want), "{minor}");
        }
        let mut placeholder = Observation::new("t", "1", Time::default(), of_vienna());
        placeholder.listing.list_price = Some(Minor(100));
        let refused = placeholder.check(Time::default()).unwrap();
        assert_eq!(refused[0].detail, "list_price is 100 minor units, at least 1000 for rent in EUR");
    }

    #[test]
    fn closing_and_original_prices_have_a_maximum_only() {
        let [absurd, negative] = [Reason::PriceAbsurd, Reason::PriceNotPositive].map(|reason| Ok(vec![reason]));
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(1_000))), Ok(vec![]), "a deed's ten dollars");
        assert_eq!(observation(|o| o.listing.original_list_price = Some(Minor(1))), Ok(vec![]));
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(0))), negative);
        assert_eq!(observation(|o| o.listing.close_price = Some(Minor(i64::MAX))), absurd);
        assert_eq!(observation(|o| o.listing.original_list_price = Some(Minor(i64::MAX))), absurd);
    }

    #[test]
    fn a_place_name_that_is_too_long_is_refused() {
        let city = |bytes: usize| observation(|o| o.listing.address.city = Some("x".repeat(bytes)));
        assert_eq!(city(200), Ok(vec![]));
        assert_eq!(city(201), Err(Reason::BadValue));
    }

    #[test]
    fn a_clock_slightly_ahead_is_accepted_and_a_date_tomorrow_is_not() {
        let at = |text: &str| Time::parse(text).unwrap();
        assert_eq!(observation(|o| o.at = at("2026-01-14T12:10:00Z")), Ok(vec![]));
        assert_eq!(observation(|o| o.at = at("2026-01-15T12:00:00Z")), Err(Reason::DateInFuture));
    }
}
