//! The archive has what leaves a state by folding, and what arrives too late for the state. Both together have every
//! day as if nothing had been folded, in any order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stoop_domain::{Day, History, Market, Status, Time, Watch};
use stoop_market::{Cells, Figures, Horizon, Segment, Zones, closes, update};

use crate::balance::{check, states};
use crate::oracle::{Interval, intervals, noon};
use crate::support::{MadeSighting, State, homes, plain};

/// A stored market: its state, its archive, and the newest day of its observations.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoredMarket {
    pub(crate) hot: Cells,
    pub(crate) archive: Cells,
    newest: i32,
}

impl StoredMarket {
    fn fold(&mut self, horizon: Horizon) {
        let leaving = self.hot.fold_to(horizon);
        self.archive.merge(&leaving);
    }
}

/// Applies observations in this order, in batches of `batch`. After each batch whose number `folds` selects, folds
/// every market as its newest day requires.
pub(crate) fn keep(
    feed: &[(usize, &MadeSighting)],
    homes: usize,
    batch: usize,
    folds: impl Fn(usize) -> bool,
) -> BTreeMap<Market, StoredMarket> {
    let mut markets: BTreeMap<Market, StoredMarket> = BTreeMap::new();
    let mut histories = vec![History::default(); homes];
    let mut zones = Zones::default();
    for (number, batch) in feed.chunks(batch.max(1)).enumerate() {
        let before = histories.clone();
        for (home, seen) in batch {
            seen.apply_to(&mut histories[*home]);
        }
        for (old, new) in before.iter().zip(&histories) {
            for (market, delta) in update(Some(old), new, &mut zones) {
                let kept = markets.entry(market).or_default();
                let late = kept.hot.add(&delta);
                kept.archive.merge(&late);
            }
        }
        for (_, seen) in batch {
            let kept = markets.entry(seen.state.market()).or_default();
            kept.newest = kept.newest.max(i32::try_from(seen.at.div_euclid(Time::DAY_MS)).unwrap());
        }
        if folds(number) {
            markets.values_mut().for_each(|kept| kept.fold(Horizon::of(Day(kept.newest))));
        }
    }
    markets.values_mut().for_each(|kept| kept.fold(Horizon::of(Day(kept.newest))));
    markets
}

pub(crate) fn feed_of(homes: &[Vec<MadeSighting>]) -> Vec<(usize, &MadeSighting)> {
    homes.iter().enumerate().flat_map(|(home, seen)| seen.iter().map(move |seen| (home, seen))).collect()
}

/// A horizon with all single days, and the hours from `hours` on.
fn all_days(hours: Day) -> Horizon {
    Horizon { days: Day(i32::MIN), hours }
}

/// A year after the last day of any observation here.
const LAST: i32 = 24_000;

proptest! {
    #[test]
    fn order_batches_and_time_of_folding_do_not_matter(
        (homes, order) in homes().prop_flat_map(|homes| {
            let count = homes.iter().map(Vec::len).sum::<usize>();
            (Just(homes), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
        (one, other) in (1_usize..30, 1_usize..30),
        every in 1_usize..5,
    ) {
        let in_order = feed_of(&homes);
        let shuffled: Vec<_> = order.into_iter().map(|index| in_order[index]).collect();
        let backward: Vec<_> = in_order.iter().rev().copied().collect();
        let kept = keep(&in_order, homes.len(), one, |number| number % every == 0);
        for feed in [&in_order, &shuffled, &backward] {
            let again = keep(feed, homes.len(), other, |_| true);
            for (market, kept) in &kept {
                let again = &again[market];
                prop_assert_eq!(kept.hot.to_bytes(), again.hot.to_bytes());
                prop_assert_eq!(kept.archive.to_bytes(), again.archive.to_bytes());
            }
        }
    }

    /// Bit by bit, and in the figures of every day.
    #[test]
    fn a_state_with_its_archive_equals_the_unfolded_state(
        homes in homes(),
        by in prop::option::of(17_900_i32..24_000),
        sample in 0_usize..5,
    ) {
        let expected_intervals: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
        let unfolded = states(&homes);
        for (market, kept) in keep(&feed_of(&homes), homes.len(), 7, |number| number % 2 == 0) {
            let mut kept = kept;
            if let Some(day) = by {
                kept.fold(Horizon { days: Day(day), hours: Day(day - 20) });
            }
            let hours = kept.hot.horizon().unwrap().hours;
            let mut expected = unfolded.get(&market).cloned().unwrap_or_default();
            prop_assert!(expected.fold_to(all_days(hours)).is_empty());
            let whole = kept.hot.clone().with_archive(&kept.archive);
            prop_assert_eq!(whole.first_difference(&expected), None);
            prop_assert_eq!(&whole, &expected);
            // Hours before the horizon are dropped; everything else is kept.
            let mut without_hours = unfolded.get(&market).cloned().unwrap_or_default();
            drop(without_hours.fold_to(all_days(Day(i32::MIN))));
            check(&expected_intervals, &market, &without_hours, sample)?;
            let zone = market.area.country().zone;
            for day in [hours.0 - 400, hours.0 - 1, hours.0 + 1, LAST] {
                let now = noon(day, &zone);
                let of = |cells| Figures::of(cells, Segment::All, now, &zone);
                let figures = of(&without_hours);
                let last_24_hours = figures.last_24_hours.filter(|_| day > hours.0);
                prop_assert_eq!(of(&whole), Figures { last_24_hours, ..figures });
            }
        }
    }

    /// A reader that reads the state before a folding commit, and the archive after it, counts nothing twice.
    #[test]
    fn what_is_folded_between_two_reads_is_counted_once(homes in homes(), further in 0_i32..2_000) {
        for (_, kept) in keep(&feed_of(&homes), homes.len(), 7, |_| true) {
            let expected = kept.hot.clone().with_archive(&kept.archive);
            let before = kept.hot.clone();
            let mut kept = kept;
            let Horizon { days, hours } = kept.hot.horizon().unwrap();
            kept.fold(Horizon { days: Day(days.0 + further), hours });
            prop_assert_eq!(before.with_archive(&kept.archive), expected);
        }
        let unfolded = states(&homes);
        for (market, kept) in keep(&feed_of(&homes), homes.len(), 7, |_| true) {
            let unfolded = unfolded.get(&market).cloned().unwrap_or_default();
            prop_assert_eq!(&unfolded.clone().with_archive(&kept.archive), &unfolded, "it has all days itself");
        }
    }

    #[test]
    fn a_state_is_right_from_its_horizon_on(homes in homes()) {
        let unfolded = states(&homes);
        for (market, kept) in keep(&feed_of(&homes), homes.len(), 3, |_| true) {
            let from = kept.hot.horizon().unwrap().days;
            let days = |cells: &Cells| closes(cells, Segment::All, from, Day(from.0 + 1_000));
            let unfolded = unfolded.get(&market).cloned().unwrap_or_default();
            prop_assert_eq!(days(&kept.hot), days(&unfolded));
            // The opening is the close of the day before.
            let before = |cells: &Cells| {
                let close = closes(cells, Segment::All, Day(from.0 - 1), Day(from.0 - 1)).remove(0);
                (close.active, close.median_price, close.mean_price)
            };
            prop_assert_eq!(before(&kept.hot), before(&unfolded));
        }
    }

    #[test]
    fn an_archive_is_the_sum_of_its_periods_and_round_trips(homes in homes()) {
        for (_, kept) in keep(&feed_of(&homes), homes.len(), 50, |_| true) {
            let mut sum = Cells::default();
            for (_, period) in kept.archive.clone().into_periods() {
                sum.merge(&Cells::from_bytes(&period.to_bytes()).unwrap());
            }
            prop_assert_eq!(sum, kept.archive);
            prop_assert_eq!(Cells::from_bytes(&kept.hot.to_bytes()), Ok(kept.hot));
        }
    }

    /// The sum of markets with different horizons, each with its archive.
    #[test]
    fn an_area_is_the_sum_of_markets_with_their_archives(homes in homes()) {
        let mut whole = Cells::default();
        let mut expected = Cells::default();
        let mut hours = Day(i32::MIN);
        let unfolded = states(&homes);
        for (market, kept) in keep(&feed_of(&homes), homes.len(), 4, |_| true) {
            hours = hours.max(kept.hot.horizon().unwrap().hours);
            whole.merge(&kept.hot.with_archive(&kept.archive));
            expected.merge(unfolded.get(&market).unwrap_or(&Cells::default()));
        }
        drop(expected.fold_to(all_days(hours)));
        prop_assert_eq!(whole, expected);
    }
}

/// Two files, years apart, read in either order, whole and row by row.
#[test]
fn files_may_be_read_in_any_order() {
    let row = |year: i32, number: i64| {
        let at = Time::parse(&format!("{year}-06-01T12:00:00Z")).unwrap().ms() + number * 3 * Time::DAY_MS;
        let status = if number % 3 == 2 { Status::Gone } else { Status::Active };
        let price = Some(20_000_000 + (number * 7 % 11) * 1_000_000);
        MadeSighting {
            at,
            seq: 0,
            state: State { status, price, ..plain() },
            listed: None,
            initial: false,
            watch: Watch::Once,
        }
    };
    let homes: Vec<Vec<MadeSighting>> = (0..10)
        .map(|home| [2016, 2026].into_iter().flat_map(|year| (home..home + 9).map(move |n| row(year, n))).collect())
        .collect();
    let (old, new): (Vec<_>, Vec<_>) = feed_of(&homes).into_iter().partition(|(_, seen)| seen.at < 1_600_000_000_000);
    let feeds = [[old.clone(), new.clone()].concat(), [new, old].concat()];
    let kept: Vec<_> =
        feeds.iter().flat_map(|feed| [1, 5, 1_000].map(|batch| keep(feed, 10, batch, |_| true))).collect();
    assert!(kept.windows(2).all(|pair| pair[0] == pair[1]));
    let kept = &kept[0][&plain().market()];
    let years: BTreeSet<i32> =
        kept.archive.clone().into_periods().into_keys().map(|period| period * 32 / 365).collect();
    assert_eq!(years, BTreeSet::from([46]), "the file of 2016");
    let whole = kept.hot.clone().with_archive(&kept.archive);
    let then = closes(&whole, Segment::All, Day(16_953), Day(16_960));
    assert!(then.iter().any(|close| close.active > 0));
}
