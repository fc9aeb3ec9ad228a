//! The repeat-listing index: its pairs against plain loops over the intervals of homes, and the fit against known values.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stoop_domain::{Day, Market, Status, Time, Watch};
use stoop_market::{Cells, Month, RepeatPairs, repeat_pairs};

use crate::archive::{feed_of, keep};
use crate::balance::states;
use crate::oracle::again::listed_again;
use crate::oracle::{Interval, intervals};
use crate::support::{MadeSighting, State, homes, plain};

/// Compares the pairs of markets with those of the homes' intervals. Returns how many there are.
fn check(
    homes: &[Vec<MadeSighting>],
    markets: impl IntoIterator<Item = (Market, Cells)>,
    [since, until]: [i32; 2],
) -> Result<i64, TestCaseError> {
    let expected: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
    let all = listed_again(&expected);
    let mut found = 0;
    for (market, cells) in markets {
        let mut want: BTreeMap<[Month; 2], (i64, f64)> = BTreeMap::new();
        let is_wanted = |day: i32| day <= until && Month::of(Day(day)) >= Month::of(Day(since));
        for again in all.iter().filter(|again| again.market == market && is_wanted(again.day)) {
            let (count, log) = want.entry(again.months.map(Month)).or_default();
            *count += 1;
            *log += again.log;
        }
        let got: Vec<_> = repeat_pairs(&cells, Day(since), Day(until)).iter().collect();
        prop_assert_eq!(got.len(), want.len(), "{:?} for {:?}", got, want);
        for ((months, count, millionths), (want_months, (want_count, log))) in got.into_iter().zip(want) {
            prop_assert_eq!((months, count), (want_months, want_count));
            prop_assert!((millionths as f64 - log * 1e6).abs() <= 0.501 * count as f64, "{} for {}", millionths, log);
            found += count;
        }
    }
    Ok(found)
}

/// From the first days of the homes to years later.
fn days() -> impl Strategy<Value = [i32; 2]> {
    (prop_oneof![Just(-20_000), 17_900_i32..20_000], 0_i32..3_000)
        .prop_map(|(since, days)| [since, since.max(17_900) + days])
}

proptest! {
    #[test]
    fn pairs_are_those_of_homes_listed_again(homes in homes(), days in days()) {
        check(&homes, states(&homes), days)?;
    }

    /// Observations in any order, folded in between, with the archive.
    #[test]
    fn pairs_of_shuffled_and_folded_observations_are_those_of_homes_listed_again(
        (homes, order) in homes().prop_flat_map(|homes| {
            let count = homes.iter().map(Vec::len).sum::<usize>();
            (Just(homes), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
        batch in 1_usize..30,
        days in days(),
    ) {
        let feed = feed_of(&homes);
        let shuffled: Vec<_> = order.into_iter().map(|index| feed[index]).collect();
        let kept = keep(&shuffled, homes.len(), batch, |number| number % 2 == 0).into_iter();
        check(&homes, kept.map(|(market, kept)| (market, kept.hot.with_archive(&kept.archive))), days)?;
    }

    /// One chain through all months, and more pairs that agree with it.
    #[test]
    fn known_values_are_recovered(
        logs in prop::collection::vec(-1.0_f64..1.0, 3..30),
        more in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1_i64..9), 0..40),
    ) {
        let chain = (1..logs.len()).map(|at| [at - 1, at, 15]);
        let more = more.iter().map(|(one, other, count)| {
            [one.index(logs.len()), other.index(logs.len()), usize::try_from(*count).unwrap()]
        });
        let mut pairs = RepeatPairs::default();
        for [one, other, count] in chain.chain(more).filter(|[one, other, _]| one != other) {
            let [first, second] = [one.min(other), one.max(other)];
            let sum = (logs[second] - logs[first]) * count as f64 * 1e6;
            pairs.add([first, second].map(|at| Month(24_000 + at as i32)), count as i64, sum.round() as i64);
        }
        let index = pairs.index();
        prop_assert_eq!(index.len(), logs.len());
        for (at, month) in index.iter().enumerate() {
            let expected = 100.0 * (logs[at] - logs[0]).exp();
            prop_assert!((month.index.unwrap() / expected - 1.0).abs() < 1e-5, "{:?} for {}", month, expected);
            prop_assert_eq!(month.month, Month(24_000 + at as i32));
        }
    }
}

/// Without pairs, the comparison with plain loops would prove nothing.
#[test]
fn random_homes_are_listed_again() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let found = (0..200).map(|_| {
        let homes = homes().new_tree(&mut runner).unwrap().current();
        check(&homes, states(&homes), [-20_000, 30_000]).unwrap()
    });
    assert!(found.sum::<i64>() >= 20);
}

/// A home in this state at noon in Los Angeles.
fn seen(date: &str, state: State) -> MadeSighting {
    let at = Time::parse(&format!("{date}T20:00:00Z")).unwrap().ms();
    MadeSighting { at, seq: 0, state, listed: None, initial: false, watch: Watch::Once }
}

fn asked(date: &str, dollars: i64) -> MadeSighting {
    seen(date, State { price: Some(dollars * 100), ..plain() })
}

fn sold(date: &str) -> MadeSighting {
    seen(date, State { status: Status::Closed, ..plain() })
}

/// All pairs of the market of [`plain`]: months, number, sum of logarithms in millionths.
fn pairs_of(homes: &[Vec<MadeSighting>]) -> RepeatPairs {
    repeat_pairs(&states(homes)[&plain().market()], Day(-20_000), Day(30_000))
}

/// The pairs of one home, as text.
fn pairs(home: &[MadeSighting]) -> Vec<String> {
    let text = |([first, second], count, log): ([Month; 2], i64, i64)| format!("{first} {second} {count} {log}");
    pairs_of(&[home.to_vec()]).iter().map(text).collect()
}

#[test]
fn a_pair_has_the_first_prices_of_two_spells_in_their_months() {
    let home =
        [asked("2026-01-05", 400_000), asked("2026-01-20", 390_000), sold("2026-02-01"), asked("2026-03-31", 420_000)];
    assert_eq!(pairs(&home), ["2026-01 2026-03 1 48790"]);
    let again = [&home[..], &[sold("2026-04-02"), asked("2026-06-01", 420_000)]].concat();
    assert_eq!(pairs(&again), ["2026-01 2026-03 1 48790", "2026-03 2026-06 1 0"]);
    // Within 90 days the spell goes on; after a longer time off it is another one.
    let off = |date| seen(date, State { status: Status::Withdrawn, ..plain() });
    assert!(pairs(&[asked("2026-01-05", 400_000), off("2026-01-06"), asked("2026-04-01", 420_000)]).is_empty());
    let back = [asked("2026-01-05", 400_000), off("2026-01-06"), asked("2026-04-30", 420_000)];
    assert_eq!(pairs(&back), ["2026-01 2026-04 1 48790"]);
}

#[test]
fn a_price_that_came_later_is_of_its_own_month() {
    let none = |date| seen(date, State { price: None, ..plain() });
    let home = [asked("2026-01-05", 400_000), sold("2026-01-20"), none("2026-02-03"), asked("2026-03-04", 420_000)];
    assert_eq!(pairs(&home), ["2026-01 2026-03 1 48790"]);
    let listed = MadeSighting {
        listed: Some(Time::parse("2026-02-27T20:00:00Z").unwrap().ms()),
        ..asked("2026-03-04", 420_000)
    };
    let home = [asked("2026-01-05", 400_000), sold("2026-01-20"), listed];
    assert_eq!(pairs(&home), ["2026-01 2026-02 1 48790"], "the spell opened when it was listed");
    let never = [asked("2026-01-05", 400_000), sold("2026-01-20"), none("2026-02-03"), sold("2026-03-04")];
    assert!(pairs(&never).is_empty());
    let skipped = [&never[..], &[asked("2026-05-01", 380_000)]].concat();
    assert_eq!(pairs(&skipped), ["2026-01 2026-05 1 -51293"]);
}

#[test]
fn other_terms_markets_months_and_far_prices_make_no_pair() {
    let with = |date, dollars: i64, change: fn(&mut State)| {
        let mut state = State { price: Some(dollars * 100), ..plain() };
        change(&mut state);
        seen(date, state)
    };
    let first = || [asked("2026-01-05", 400_000), sold("2026-01-08")];
    let after = |more: &[MadeSighting]| pairs(&[&first()[..], more].concat());
    assert!(after(&[asked("2026-01-31", 420_000)]).is_empty(), "the same month");
    assert!(after(&[asked("2026-03-01", 1_200_001)]).is_empty() && after(&[asked("2026-03-01", 133_333)]).is_empty());
    assert_eq!(after(&[asked("2026-03-01", 1_200_000)]), ["2026-01 2026-03 1 1098612"]);
    assert!(after(&[with("2026-03-01", 420_000, |it| it.zip = "98101")]).is_empty(), "another market");
    let rent = with("2026-02-01", 2_000, |it| it.rent = true);
    assert_eq!(after(&[rent, asked("2026-03-01", 420_000)]), ["2026-01 2026-03 1 48790"], "let in between");
}

/// The example of `docs/METRICS.md`.
#[test]
fn the_index_of_the_example() {
    let home = |first: (&str, i64), end: &str, second: (&str, i64)| {
        vec![asked(first.0, first.1), sold(end), asked(second.0, second.1)]
    };
    let homes: Vec<Vec<MadeSighting>> = (0..12)
        .flat_map(|_| {
            [
                home(("2026-01-05", 400_000), "2026-01-20", ("2026-02-10", 420_000)),
                home(("2026-02-03", 400_000), "2026-02-20", ("2026-03-10", 420_000)),
                home(("2026-01-07", 400_000), "2026-02-20", ("2026-03-20", 450_000)),
            ]
        })
        .collect();
    let index = pairs_of(&homes).index();
    let read: Vec<_> =
        index.iter().map(|it| (it.month.to_string(), (it.index.unwrap() * 100.0).round(), it.pairs)).collect();
    let expected = [("2026-01", 10_000.0, 24), ("2026-02", 10_571.0, 24), ("2026-03", 11_174.0, 24)];
    assert_eq!(read, expected.map(|(month, index, pairs)| (month.to_owned(), index, pairs)));
    assert!(pairs_of(&homes[..29]).index().is_empty(), "fewer than 30 pairs");
    assert_eq!(pairs_of(&homes[..30]).index().len(), 3);
}

#[test]
fn months_without_a_chain_of_pairs_to_the_first_one_have_no_value() {
    let months = |first: i32, second: i32| [Month(first), Month(second)];
    let mut pairs = RepeatPairs::default();
    pairs.add(months(1, 9), 7, 0);
    pairs.add(months(2, 4), 20, 2_000_000);
    pairs.add(months(4, 5), 10, 0);
    let read: Vec<_> = pairs.index().iter().map(|it| (it.month.0, it.index.map(f64::round), it.pairs)).collect();
    let expected = [(1, None, 7), (2, Some(100.0), 20), (4, Some(111.0), 30), (5, Some(111.0), 10), (9, None, 7)];
    assert_eq!(read, expected);
    let mut few = RepeatPairs::default();
    few.add(months(1, 9), 29, 0);
    few.add(months(2, 4), 29, 0);
    assert!(few.index().is_empty(), "neither part has 30");
}
