//! Compares the mix-adjusted index with its definition, computed from the prices of all homes on all days.

use proptest::prelude::*;
use stoop_domain::{Day, Market, PropertyType, Watch};
use stoop_market::{Cells, LogPrices, PriceIndex, log_prices};

use crate::archive::{feed_of, keep};
use crate::balance::{parts, states};
use crate::oracle::{Interval, Part, day_of, intervals, on_offer};
use crate::support::{MadeSighting, State, homes, homes_of_two_kinds, plain};

/// The most by which a logarithm of two prices' ratio read from their buckets is off.
const LOG_ERROR: f64 = 0.003_7;

/// The cells of homes, of known and unknown type and bedrooms.
fn cells() -> Vec<Part> {
    parts().into_iter().filter(|part| matches!(part, Part::Both(..))).collect()
}

/// The logarithms of the prices of a cell on each of the 28 days that end with `day`.
#[expect(clippy::cast_precision_loss, reason = "known to a thousandth")]
fn logs(homes: &[Vec<Interval>], market: &Market, cell: Part, day: i32) -> Vec<f64> {
    let offered = (day - 27..=day).flat_map(|day| on_offer(homes, market, cell, day));
    offered.filter_map(|home| home.price).map(|price| (price as f64).ln()).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The index by its definition.
fn index(homes: &[Vec<Interval>], market: &Market, base: i32, day: i32) -> Option<PriceIndex> {
    let sides = cells().into_iter().map(|cell| [base, day].map(|day| logs(homes, market, cell, day)));
    let sides: Vec<[Vec<f64>; 2]> = sides.collect();
    let is_matched = |sides: &&[Vec<f64>; 2]| sides.iter().all(|logs| logs.len() >= 28 * 5);
    let matched: Vec<&[Vec<f64>; 2]> = sides.iter().filter(is_matched).collect();
    let count = |side: usize| sides.iter().map(|sides| sides[side].len()).sum::<usize>() as f64;
    let compared = |side: usize| matched.iter().map(|sides| sides[side].len()).sum::<usize>() as f64;
    let matched_share = (compared(0) / count(0)).min(compared(1) / count(1));
    let log: f64 = matched
        .iter()
        .map(|[then, now]| {
            let weight = (then.len() as f64 / compared(0) + now.len() as f64 / compared(1)) / 2.0;
            weight * (mean(now) - mean(then))
        })
        .sum();
    let homes = [count(0) / 28.0, count(1) / 28.0];
    (matched_share >= 0.5).then(|| PriceIndex { value: log.exp(), matched_share, homes })
}

/// Compares indices between some days, and how many of them exist.
fn check(
    homes: &[Vec<MadeSighting>],
    markets: impl IntoIterator<Item = (Market, Cells)>,
    (base, later): (i32, i32),
) -> Result<usize, TestCaseError> {
    let expected: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
    let mut found = 0;
    for (market, cells) in markets {
        let zone = market.area.country().zone;
        let first = expected.iter().flatten().map(|interval| day_of(interval.at, &zone)).min().unwrap();
        let [base, day] = [first + base, first + base + later];
        let prices = log_prices(&cells, &[Day(base), Day(day)]);
        let (got, back) = (prices[1].index(&prices[0]), prices[0].index(&prices[1]));
        let want = index(&expected, &market, base, day);
        let near = |a: f64, b: f64, error: f64| (a - b).abs() <= error * b.abs();
        match (got, want) {
            (Some(got), Some(want)) => {
                let is_equal = near(got.value, want.value, LOG_ERROR.exp_m1())
                    && near(got.matched_share, want.matched_share, 1e-12)
                    && got.homes.iter().zip(want.homes).all(|(got, want)| near(*got, want, 1e-12));
                prop_assert!(is_equal, "{:?} for {:?}", got, want);
                let back = back.unwrap();
                prop_assert!(near(got.value * back.value, 1.0, 1e-12), "{:?} and back {:?}", got, back);
                prop_assert_eq!((back.matched_share, [back.homes[1], back.homes[0]]), (got.matched_share, got.homes));
                found += 1;
            }
            (got, want) => {
                prop_assert_eq!(got, want);
                prop_assert_eq!(back, None);
            }
        }
    }
    Ok(found)
}

proptest! {
    #[test]
    fn an_index_is_that_of_all_prices_of_all_days(
        homes in prop_oneof![3 => homes_of_two_kinds(), 1 => homes()],
        days in (20_i32..60, 1_i32..80),
    ) {
        check(&homes, states(&homes), days)?;
    }

    /// Observations in any order, folded in between, with the archive.
    #[test]
    fn an_index_of_shuffled_and_folded_observations_is_that_of_all_prices(
        (homes, order) in homes_of_two_kinds().prop_flat_map(|homes| {
            let count = homes.iter().map(Vec::len).sum::<usize>();
            (Just(homes), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
        batch in 1_usize..30,
        days in (20_i32..60, 1_i32..80),
    ) {
        let feed = feed_of(&homes);
        let shuffled: Vec<_> = order.into_iter().map(|index| feed[index]).collect();
        let kept = keep(&shuffled, homes.len(), batch, |number| number % 2 == 0).into_iter();
        check(&homes, kept.map(|(market, kept)| (market, kept.hot.with_archive(&kept.archive))), days)?;
    }

    /// The days of a list may lie apart.
    #[test]
    fn the_log_prices_of_a_day_do_not_depend_on_other_days(homes in homes_of_two_kinds(), days in prop::collection::btree_set(17_940_i32..18_100, 1..6)) {
        let days: Vec<Day> = days.into_iter().map(Day).collect();
        for cells in states(&homes).into_values() {
            let each: Vec<LogPrices> = days.iter().flat_map(|day| log_prices(&cells, &[*day])).collect();
            prop_assert_eq!(log_prices(&cells, &days), each);
        }
    }

    /// Prices rise and fall, each home's by the same share, on day 40.
    #[test]
    fn a_change_of_all_prices_at_the_same_mix_is_the_index(
        prices in prop::collection::vec(20_000_000_i64..90_000_000, 5..20),
        kinds in 1_usize..3,
        percent in prop::sample::select(vec![-40_i64, -5, -1, 0, 1, 7, 100]),
    ) {
        let homes: Vec<Vec<MadeSighting>> = prices.iter().enumerate().flat_map(|(number, price)| {
            let of = move |cents, day, kind| seen(kind, Some(cents), day + (number % 3) as i64);
            (0..kinds).map(move |kind| vec![of(*price, 0, kind), of(price * (100 + percent) / 100, 40, kind)])
        }).collect();
        let index = index_of(&homes, 39, 70).unwrap();
        let expected = (100 + percent) as f64 / 100.0;
        prop_assert!((index.value / expected).ln().abs() <= LOG_ERROR, "{:?} for {}", index, expected);
        prop_assert_eq!((index.matched_share, index.homes), (1.0, [(prices.len() * kinds) as f64; 2]));
        prop_assert!(percent != 0 || index.value == 1.0);
    }

    /// Homes of a dear kind come, or leave, and no price changes.
    #[test]
    fn a_shift_to_dearer_homes_is_no_change(cheap in 5_usize..20, dear in 5_usize..20, more in 1_usize..40, leave in any::<bool>()) {
        let of = |kind: usize, cents: i64, days: [i64; 2]| vec![seen(kind, Some(cents), days[0]), seen(kind, None, days[1])];
        let mut homes: Vec<Vec<MadeSighting>> = Vec::new();
        homes.extend((0..cheap).map(|_| of(0, 30_000_000, [0, 200])));
        homes.extend((0..dear).map(|_| of(1, 80_000_000, [0, 200])));
        homes.extend((0..more).map(|_| of(1, 80_000_000, if leave { [0, 40] } else { [40, 200] })));
        let index = index_of(&homes, 39, 70).unwrap();
        prop_assert!((index.value - 1.0).abs() < 1e-12, "{:?}", index);
        prop_assert!((index.homes[0] - index.homes[1]).abs() > 0.9);
    }
}

/// A condominium or a house with a price, or without one.
fn seen(kind: usize, cents: Option<i64>, day: i64) -> MadeSighting {
    let kind = [PropertyType::Condominium, PropertyType::SingleFamilyResidence][kind];
    let state = State { price: cents, kind: Some(kind), bedrooms: Some(3), ..plain() };
    MadeSighting {
        at: 1_551_441_600_000 + day * 86_400_000,
        seq: 0,
        state,
        listed: None,
        initial: false,
        watch: Watch::Once,
    }
}

/// Between two days after the first one.
fn index_of(homes: &[Vec<MadeSighting>], base: i32, day: i32) -> Option<PriceIndex> {
    let cells = states(homes).into_values().next()?;
    let prices = log_prices(&cells, &[base, day].map(|day| Day(17_956 + day)));
    prices[1].index(&prices[0])
}

#[test]
fn cells_of_five_homes_on_average_are_compared_if_they_are_half_of_all() {
    let homes = |condominiums: usize, houses: usize, first: i64| -> Vec<Vec<MadeSighting>> {
        let day = |number: usize| if number == 0 { first } else { 0 };
        let condominiums = (0..condominiums).map(|number| vec![seen(0, Some(30_000_000), day(number))]);
        condominiums.chain((0..houses).map(|_| vec![seen(1, Some(80_000_000), 0)])).collect()
    };
    let share = |homes: &[Vec<MadeSighting>]| index_of(homes, 27, 60).map(|index| index.matched_share);
    assert_eq!(share(&homes(5, 5, 0)), Some(1.0));
    assert_eq!(share(&homes(5, 4, 0)), Some(5.0 / 9.0));
    assert_eq!(share(&homes(4, 4, 0)), None, "no cell is large enough");
    assert_eq!(share(&homes(5, 4, 1)), None, "the fifth came a day later");
    assert_eq!(share(&homes(6, 0, 1)), Some(1.0));
}

/// The example of `docs/METRICS.md`.
#[test]
fn the_index_of_the_example() {
    let condominium = || vec![seen(0, Some(40_000_000), 0), seen(0, Some(44_000_000), 30)];
    let house = |first: i64| vec![seen(1, Some(90_000_000), first)];
    let homes: Vec<Vec<MadeSighting>> = (0..10).flat_map(|_| [condominium(), house(0), house(30), house(30)]).collect();
    let index = index_of(&homes, 29, 57).unwrap();
    assert!((index.value - 1.036_4).abs() < 0.000_7, "{index:?}");
    assert_eq!((index.matched_share, index.homes), (1.0, [20.0, 40.0]));
}

/// Without homes that can be compared, the comparison with the definition would prove nothing.
#[test]
fn many_random_homes_can_be_compared() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let found = (0..40).map(|_| {
        let homes = homes_of_two_kinds().new_tree(&mut runner).unwrap().current();
        check(&homes, states(&homes), (40, 30)).unwrap()
    });
    assert!(found.sum::<usize>() >= 20);
}
