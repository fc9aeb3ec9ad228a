//! The laws of the algebra, as properties over random sets of observations.

use proptest::prelude::*;
use stoop_domain::{
    Address, Applied, Area, AreaUnit, Currency, Day, Facts, History, Listing, Market, Minor, PropertyType, Purpose,
    Sighting, Status, Time, Watch,
};
use stoop_market::{Cells, DeltaSum, Horizon, Zones, contribution, snapshot, update};

const HOUR: i64 = 3_600_000;

/// One observation of a home: hours since a start, and a listing.
fn observation() -> impl Strategy<Value = (Time, Facts)> {
    let status = prop::sample::select(vec![
        Status::Active,
        Status::Active,
        Status::Active,
        Status::Pending,
        Status::Closed,
        Status::Gone,
    ]);
    let price = prop::option::weighted(0.9, 1_i64..12);
    let zip = prop::sample::select(vec!["98178", "98178", "98178", "60614"]);
    let kind = prop::option::of(prop::sample::select(vec![PropertyType::Condominium, PropertyType::Townhouse]));
    (0_i64..45, status, price, zip, kind, prop::option::of(0_u8..4)).prop_map(
        |(hour, status, price, zip, kind, bedrooms)| {
            let region = if zip == "98178" { "WA" } else { "IL" };
            let address = Address {
                postal_code: Some(zip.into()),
                region: Some(region.into()),
                country: Some("US".into()),
                ..Address::default()
            };
            let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
            listing.status = status;
            listing.list_price = price.map(|p| Minor(p * 1_000_000));
            listing.property_type = kind;
            listing.bedrooms = bedrooms;
            listing.living_area = Some(Area::of(1_200, AreaUnit::SquareFeet));
            (Time::from_ms(1_768_000_000_000 + hour * HOUR), Facts::of(&listing).unwrap())
        },
    )
}

/// One of each kind, depending on the time.
fn watch(at: Time) -> Watch {
    [Watch::Repeated, Watch::Once, Watch::Repeated, Watch::Complete][at.ms().div_euclid(HOUR).rem_euclid(4) as usize]
}

/// Within some days, close together, in order by either clock.
fn sighting() -> impl Strategy<Value = Sighting> {
    let seen = prop_oneof![0_i64..60, 0_i64..2_000];
    (seen, 0_i64..30, any::<bool>(), any::<bool>()).prop_map(|(seen, back, versioned, initial)| {
        let seen = Time::from_ms(1_768_000_000_000 + seen * HOUR);
        Sighting { at: seen.plus_ms(-back * HOUR), seen, seq: 0, versioned, initial }
    })
}

fn any_watch() -> impl Strategy<Value = Watch> {
    prop::sample::select(vec![Watch::Repeated, Watch::Repeated, Watch::Once, Watch::Complete])
}

/// The observations of some homes within two days.
fn homes() -> impl Strategy<Value = Vec<Vec<(Time, Facts)>>> {
    prop::collection::vec(prop::collection::vec(observation(), 1..12), 1..6)
}

fn history(observations: &[(Time, Facts)]) -> History {
    let mut history = History::default();
    for (at, facts) in observations {
        history.apply_watched(Sighting::at(*at), facts, None, watch(*at));
    }
    history
}

/// The state of every market, recomputed from whole histories.
fn recomputed(homes: &[Vec<(Time, Facts)>]) -> Vec<(Market, Cells)> {
    let mut states = std::collections::BTreeMap::<Market, Cells>::new();
    let mut zones = Zones::default();
    for home in homes {
        for (market, delta) in contribution(&history(home), &mut zones).into_deltas() {
            states.entry(market).or_default().add(&delta);
        }
    }
    states.into_iter().filter(|(_, cells)| !cells.is_empty()).collect()
}

/// The state of every market after applying the observations in batches of this size.
fn incremental(feed: &[(usize, Time, Facts)], homes: usize, batch: usize) -> Vec<(Market, Cells)> {
    let mut states = std::collections::BTreeMap::<Market, Cells>::new();
    let mut zones = Zones::default();
    let mut histories = vec![History::default(); homes];
    for batch in feed.chunks(batch.max(1)) {
        let before = histories.clone();
        for (home, at, facts) in batch {
            histories[*home].apply_watched(Sighting::at(*at), facts, None, watch(*at));
        }
        for (old, new) in before.iter().zip(&histories) {
            for (market, delta) in update(Some(old), new, &mut zones) {
                states.entry(market).or_default().add(&delta);
            }
        }
    }
    states.into_iter().filter(|(_, cells)| !cells.is_empty()).collect()
}

fn horizon(day: i32) -> Horizon {
    Horizon { days: Day(day), hours: Day(day) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn order_of_arrival_does_not_matter(mut observations in prop::collection::vec(observation(), 1..14), seed in any::<u64>()) {
        let forward = history(&observations);
        // Shuffles by a hash of index and seed.
        let mut keyed: Vec<_> = observations.drain(..).enumerate().collect();
        keyed.sort_by_key(|(i, _)| (*i as u64 + 1).wrapping_mul(seed | 1).rotate_left(17).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shuffled: Vec<_> = keyed.into_iter().map(|(_, o)| o).collect();
        prop_assert_eq!(history(&shuffled), forward);
    }

    #[test]
    fn applying_twice_is_applying_once(observations in prop::collection::vec(observation(), 1..14)) {
        let mut once = history(&observations);
        let before = once.clone();
        for (at, facts) in &observations {
            prop_assert_eq!(once.apply_watched(Sighting::at(*at), facts, None, watch(*at)), Applied::Duplicate);
        }
        prop_assert_eq!(once, before);
    }

    #[test]
    fn incremental_equals_recomputed_for_any_batches(homes in homes(), batch in 1_usize..20, seed in any::<u64>()) {
        let mut feed: Vec<_> = homes.iter().enumerate()
            .flat_map(|(i, home)| home.iter().map(move |(at, facts)| (i, *at, facts.clone()))).collect();
        feed.sort_by_key(|(i, at, _)| (at.ms() as u64 ^ *i as u64).wrapping_mul(seed | 1));
        prop_assert_eq!(incremental(&feed, homes.len(), batch), recomputed(&homes));
    }

    #[test]
    fn adding_then_subtracting_gives_back_the_state_bit_by_bit(homes in homes(), other in prop::collection::vec(observation(), 1..12)) {
        let mut zones = Zones::default();
        let deltas = contribution(&history(&other), &mut zones).into_deltas();
        for (market, cells) in recomputed(&homes) {
            let mut moved = cells.clone();
            for (_, delta) in deltas.iter().filter(|(m, _)| *m == market) {
                moved.add(delta);
                moved.add(&delta.negated());
            }
            prop_assert_eq!(moved.to_bytes(), cells.to_bytes());
        }
    }

    #[test]
    fn merging_is_addition(left in homes(), right in homes()) {
        let both = [left.clone(), right.clone()].concat();
        let mut sum = Cells::default();
        for (_, cells) in recomputed(&left).into_iter().chain(recomputed(&right)) {
            sum.merge(&cells);
        }
        let mut whole = Cells::default();
        for (_, cells) in recomputed(&both) {
            whole.merge(&cells);
        }
        prop_assert_eq!(sum, whole);
    }

    #[test]
    fn folding_a_sum_equals_summing_folded_states(homes in homes(), day in 20_460_i32..20_466) {
        for (_, cells) in recomputed(&homes) {
            let delta_homes = recomputed(&homes);
            let mut sum_then_fold = cells.clone();
            for (_, other) in &delta_homes { sum_then_fold.merge(other); }
            sum_then_fold.fold_to(horizon(day));
            let mut fold_then_sum = cells;
            fold_then_sum.fold_to(horizon(day));
            for (_, other) in &delta_homes {
                let mut folded = other.clone();
                folded.fold_to(horizon(day));
                fold_then_sum.merge(&folded);
            }
            prop_assert_eq!(sum_then_fold, fold_then_sum);
        }
    }

    #[test]
    fn adding_a_sum_equals_adding_each_delta(homes in homes(), day in 20_460_i32..20_466) {
        let mut zones = Zones::default();
        let folded = || {
            let mut cells = Cells::default();
            drop(cells.fold_to(horizon(day)));
            (cells, Cells::default())
        };
        let mut sums = std::collections::BTreeMap::<Market, (DeltaSum, (Cells, Cells))>::new();
        for home in &homes {
            for (market, delta) in contribution(&history(home), &mut zones).into_deltas() {
                let (sum, (cells, late)) = sums.entry(market).or_insert_with(|| (DeltaSum::default(), folded()));
                sum.add(&delta);
                late.merge(&cells.add(&delta));
            }
        }
        for (sum, one_by_one) in sums.into_values() {
            let (mut cells, _) = folded();
            let late = cells.add(&sum.sum());
            prop_assert_eq!((cells, late), one_by_one);
        }
    }

    #[test]
    fn folding_does_not_change_todays_stock(homes in homes()) {
        let now = Time::from_ms(1_768_000_000_000 + 60 * HOUR);
        for (market, cells) in recomputed(&homes) {
            let zone = market.area.country().zone;
            let today = now.day_in(&zone);
            let mut folded = cells.clone();
            folded.fold_to(horizon(today.0));
            let (before, after) = (snapshot(&cells, now, &zone).all, snapshot(&folded, now, &zone).all);
            prop_assert_eq!((before.active, before.median_price, before.mean_price), (after.active, after.median_price, after.mean_price));
        }
    }

    #[test]
    fn stored_states_round_trip_and_other_bytes_are_refused(homes in homes(), cut in any::<prop::sample::Index>()) {
        for (_, cells) in recomputed(&homes) {
            let bytes = cells.to_bytes();
            prop_assert_eq!(&Cells::from_bytes(&bytes).unwrap(), &cells);
            prop_assert!(Cells::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
        }
    }

    #[test]
    fn any_bytes_decode_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(cells) = Cells::from_bytes(&bytes) {
            prop_assert_eq!(Cells::from_bytes(&cells.to_bytes()).unwrap(), cells);
        }
    }

    /// The caller updates markets only for outcomes that mean a change.
    #[test]
    fn observations_without_a_change_do_not_change_a_market(
        said in prop::collection::vec((sighting(), observation(), any_watch()), 1..24),
    ) {
        let mut zones = Zones::default();
        let mut history = History::default();
        for (sighting, (_, facts), watch) in said {
            let before = history.clone();
            let applied = history.apply_watched(sighting, &facts, None, watch);
            let moved = !update(Some(&before), &history, &mut zones).is_empty();
            prop_assert!(!moved || matches!(applied, Applied::New | Applied::Changed | Applied::Confirmed), "{applied:?}");
        }
    }

    /// The checksum is corrected, so that the bytes after it are decoded.
    #[test]
    fn no_bytes_make_the_decoder_panic(
        homes in homes(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        for (_, mut cells) in recomputed(&homes) {
            drop(cells.fold_to(horizon(20_463)));
            let mut bytes = cells.to_bytes();
            for (index, byte) in &flips {
                let index = 5 + index.index(bytes.len() - 5);
                bytes[index] ^= byte;
            }
            bytes.truncate(cut.map_or(bytes.len(), |cut| 5 + cut.index(bytes.len() - 5)));
            let sum = crc32fast::hash(&bytes[5..]).to_le_bytes();
            bytes[1..5].copy_from_slice(&sum);
            if let Ok(mut read) = Cells::from_bytes(&bytes) {
                prop_assert_eq!(&Cells::from_bytes(&read.to_bytes()).unwrap(), &read);
                drop(read.fold_to(horizon(20_470)));
                prop_assert!(read.segments().len() <= 2 * read.len() || read.is_empty());
            }
        }
    }
}
