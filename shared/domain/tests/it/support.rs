//! Observations for the tests.

use proptest::prelude::*;
use stoop_domain::{Address, Currency, Day, Facts, History, Listing, Minor, Purpose, Sighting, Status, Time, Watch};

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-01-10, midnight UTC.
pub(crate) const START: i64 = 1_768_003_200_000;

/// One observation of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MadeObservation {
    pub(crate) sighting: Sighting,
    pub(crate) facts: Facts,
    pub(crate) listed: Option<Time>,
    pub(crate) watch: Watch,
}

pub(crate) fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A home for sale in Lisbon, where winter time is UTC.
pub(crate) fn facts(status: Status, price: i64) -> Facts {
    in_area("Alfama", Purpose::Sale, status, price)
}

pub(crate) fn in_area(neighbourhood: &str, purpose: Purpose, status: Status, price: i64) -> Facts {
    let address =
        Address { neighbourhood: Some(neighbourhood.into()), country: Some("PT".into()), ..Address::default() };
    let mut listing = Listing::new(purpose, Currency::EUR, address);
    listing.status = status;
    listing.list_price = (price > 0).then_some(Minor(price));
    Facts::of(&listing).unwrap()
}

pub(crate) fn history(said: &[MadeObservation]) -> History {
    let mut history = History::default();
    for MadeObservation { sighting, facts, listed, watch } in said {
        history.apply_watched(*sighting, facts, *listed, *watch);
    }
    history
}

/// Sightings on a few days, some years apart and close together within a day, so that many coincide. Clocks are right,
/// ahead, behind, standing still or give dates only; some times are versions.
pub(crate) fn sighting() -> impl Strategy<Value = Sighting> {
    sighting_of(vec![-2_000, -1, 0, 1, 9, 30, 31, 62, 1_500])
}

fn sighting_of(days: Vec<i64>) -> impl Strategy<Value = Sighting> {
    let day = prop::sample::select(days);
    let quarter = prop_oneof![0_i64..8, 88_i64..96];
    (day, quarter, 0..6, 0_u32..2, prop::bool::weighted(0.3), prop::bool::weighted(0.2)).prop_map(
        |(day, quarter, clock, seq, versioned, initial)| {
            let seen = START + day * DAY + quarter * 15 * MINUTE;
            let at = match clock {
                0 => seen,
                1 => seen - 10 * MINUTE,
                2 => seen - 3 * HOUR,
                3 => START - 3_000 * DAY,
                4 => seen.div_euclid(DAY) * DAY,
                _ => seen + 10 * MINUTE,
            };
            Sighting { at: Time::from_ms(at.min(seen)), seen: Time::from_ms(seen), seq, versioned, initial }
        },
    )
}

/// A listing date: none, possible ones, one of 1989, and one after most sightings.
fn listed() -> impl Strategy<Value = Option<Time>> {
    let days = vec![-2_010_i64, -40, -3, 0, 2, 40, -13_160, 9_000];
    prop::option::of(prop::sample::select(days).prop_map(|day| Time::from_ms(START + day * DAY)))
}

/// One of a few states, so that equal ones occur.
fn state() -> impl Strategy<Value = Facts> {
    use Status::{Active, Closed, ComingSoon, Gone, Incomplete, Pending};
    let prices = vec![1_i64, 2, 9, 9, 1_234_500, 123_450_000, 0];
    let statuses = vec![Active, Active, Active, Pending, Gone, Closed, Closed, ComingSoon, Incomplete];
    let sale = (prop::option::of(-60_i64..60), prop::option::of(prop::sample::select(vec![9, 1_200_000])));
    let original = prop::option::weighted(0.2, Just(Minor(10)));
    (prop::sample::select(statuses), prop::sample::select(prices), sale, original).prop_map(
        |(status, price, (on, paid), original)| {
            let mut facts = Facts { original_list_price: original, ..facts(status, price) };
            if status == Closed {
                // Few days, so that equal states occur.
                facts.close_date = on.map(|on| Day((START / DAY + on / 20 * 20) as i32));
                facts.close_price = paid.map(Minor);
            }
            facts
        },
    )
}

pub(crate) fn said() -> impl Strategy<Value = MadeObservation> {
    (sighting(), state(), listed()).prop_map(|(sighting, facts, listed)| MadeObservation {
        sighting,
        facts,
        listed,
        watch: Watch::Once,
    })
}

/// Observations of a listing: over years in any order, or within two days mostly in order.
pub(crate) fn all_said() -> impl Strategy<Value = Vec<MadeObservation>> {
    let close = (sighting_of(vec![0, 0, 1]), state(), prop::option::weighted(0.3, Just(Time::from_ms(START - DAY))));
    let close =
        close.prop_map(|(sighting, facts, listed)| MadeObservation { sighting, facts, listed, watch: Watch::Once });
    let in_order = (prop::collection::vec(close, 1..12), 0_usize..4).prop_map(|(mut said, late)| {
        said.sort_by_key(|one| one.sighting);
        let late = late % said.len();
        said.rotate_left(late);
        said
    });
    prop_oneof![prop::collection::vec(said(), 1..24), in_order]
}

/// The same with varying watches.
pub(crate) fn all_watched() -> impl Strategy<Value = Vec<MadeObservation>> {
    let kinds = vec![Watch::Repeated, Watch::Repeated, Watch::Complete, Watch::Once];
    (all_said(), prop::collection::vec(prop::sample::select(kinds), 24)).prop_map(|(said, watches)| {
        said.into_iter().zip(watches).map(|(one, watch)| MadeObservation { watch, ..one }).collect()
    })
}
