use stoop_domain::{AreaUnit, Currency};

use super::*;

const DOLLARS: Terms = Terms { currency: Currency::USD, unit: AreaUnit::SquareFeet };

/// The first day of each series here.
const FIRST: i32 = 20_000;

fn close(day: i32) -> Close {
    Close {
        day: Day(day),
        active: 100,
        unconfirmed: 0,
        priced: 50,
        median_price: Some(40_000_000.0),
        median_interval: None,
        mean_price: Some(40_000_000.0),
        flows: Flows { new: 1, ..Flows::default() },
    }
}

/// A series of this many days, changed by `change`, which gets the index of the day.
fn series(days: usize, change: impl Fn(usize, &mut Close)) -> Series {
    let closes = (FIRST..).take(days).map(close).enumerate().map(|(at, mut close)| {
        change(at, &mut close);
        close
    });
    Series { closes: closes.collect(), ..nothing() }
}

/// The last day of a series.
fn last(series: &Series) -> Day {
    series.closes.last().unwrap().day
}

fn changes(series: &Series) -> Vec<ChangeView> {
    series.changes(last(series), DOLLARS)
}

/// A series without days.
fn nothing() -> Series {
    Series {
        closes: Vec::new(),
        medians: Vec::new(),
        log_prices: BTreeMap::new(),
        watched_since: None,
        now: Stock::default(),
    }
}

#[test]
fn changes_are_relative_to_the_earlier_day() {
    let series = series(366, |at, close| match at {
        0 => (close.active, close.median_price) = (80, Some(30_000_000.0)),
        358 => (close.active, close.median_price) = (0, None),
        364 => (close.active, close.median_price) = (300, Some(40_000_001.0)),
        _ => {}
    });
    let changes = changes(&series);
    let read: Vec<_> = changes
        .iter()
        .map(|it| (it.days, it.active, it.active_change, it.median_price, it.median_price_change, it.thin))
        .collect();
    let same = |days| (days, 100, Some(0.0), Some(400_000.0), Some(0.0), false);
    let expected = [
        (1, 300, Some(-0.6667), Some(400_000.01), Some(0.0), false),
        (7, 0, None, None, None, false),
        same(28),
        same(91),
        (365, 80, Some(0.25), Some(300_000.0), Some(0.3333), false),
    ];
    assert_eq!(read, expected);
    assert_eq!(changes[4].since, Day(FIRST).to_string());
}

#[test]
fn a_change_since_a_day_before_the_first_is_unknown() {
    let days = |of: usize| changes(&series(of, |_, _| {})).iter().map(|it| it.days).collect::<Vec<_>>();
    assert!(days(1).is_empty());
    assert_eq!((days(7), days(8)), (vec![1], vec![1, 7]));
    assert_eq!((days(365), days(366)), (vec![1, 7, 28, 91], vec![1, 7, 28, 91, 365]));
}

#[test]
fn there_are_no_changes_of_a_day_that_was_not_observed() {
    let series = series(400, |_, _| {});
    let tomorrow = Day(last(&series).0 + 1);
    assert_eq!((series.changes(tomorrow, DOLLARS), series.comparisons(tomorrow).len()), (vec![], 0));
    assert_eq!((nothing().changes(Day(FIRST), DOLLARS), nothing().comparisons(Day(FIRST)).len()), (vec![], 0));
}

#[test]
fn a_change_is_thin_if_either_day_has_few_prices_or_the_earlier_one_is_of_the_first() {
    let thin = |then: i64, now: i64| {
        let series = series(8, |at, close| match at {
            0 => close.priced = then,
            7 => close.priced = now,
            _ => {}
        });
        changes(&series).into_iter().map(|it| (it.days, it.thin)).collect::<Vec<_>>()
    };
    assert_eq!(thin(10, 10), [(1, false), (7, false)]);
    assert_eq!(thin(9, 10), [(1, false), (7, true)]);
    assert_eq!(thin(10, 9), [(1, true), (7, true)]);
    let mut warm = series(9, |_, _| {});
    warm.watched_since = Some(Day(FIRST));
    let read: Vec<_> = changes(&warm).into_iter().map(|it| (it.days, it.thin)).collect();
    assert_eq!(read, [(1, false), (7, true)]);
}

/// Of 100 homes that ask 300,000 to 500,000, the 95 % interval of the median is some 10 % to either side. Those that were there
/// before make the change better known than either median.
#[test]
fn a_change_has_an_interval_that_common_homes_narrow() {
    let of = |common: i64, priced: i64| {
        let mut series = series(29, |at, close| {
            close.priced = priced;
            close.median_interval = (priced >= 6).then_some([36_000_000.0, 44_000_000.0]);
            close.median_price = Some(if at == 28 { 38_000_000.0 } else { 40_000_000.0 });
        });
        series.now.common = [common; 5];
        let change = changes(&series).into_iter().find(|it| it.days == 28).unwrap();
        change.median_price_change_interval.map(|it| [it.low, it.high])
    };
    let [low, high] = of(0, 100).unwrap();
    assert!((-0.20..=-0.15).contains(&low) && (0.05..=0.12).contains(&high), "{low} {high}: no clear change");
    let [low, high] = of(95, 100).unwrap();
    assert!((-0.10..=-0.07).contains(&low) && (-0.03..=0.0).contains(&high), "{low} {high}: prices fell");
    let [low, high] = of(100, 100).unwrap();
    assert!((low + 0.052).abs() < 0.000_3 && (high + 0.048).abs() < 0.000_3, "only the buckets: {low} {high}");
    assert_eq!(of(5, 5), None);
}

#[test]
fn pooled_medians_show_once_their_days_are_known() {
    let mut series = series(91, |_, _| {});
    series.medians = vec![[Some(100.0), Some(200.0), Some(300.0)]; 91];
    let days = series.days(400, DOLLARS);
    let read = |at: usize| {
        let day = &days[at];
        (day.median_price_7_days, day.median_price_28_days, day.median_price_91_days)
    };
    assert_eq!(days.len(), 91);
    assert_eq!((read(5), read(6)), ((None, None, None), (Some(1.0), None, None)));
    assert_eq!((read(26).1, read(27).1), (None, Some(2.0)));
    assert_eq!((read(89).2, read(90).2), (None, Some(3.0)));
    // The last days only: what is known of the days before them counts.
    series.medians.drain(..90);
    let day = series.days(1, DOLLARS).remove(0);
    assert_eq!((day.day, day.median_price_91_days), (last(&series).to_string(), Some(3.0)));
}

#[test]
fn the_median_of_an_even_number_is_between_the_middle_two() {
    assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
    assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
    assert_eq!(relative(Some(0.0), Some(1.0)), None);
    assert_eq!(relative(Some(3.0), Some(1.0)), Some(-0.6667));
}

/// The first single day of a state says nothing of when it was first observed.
#[test]
fn a_state_that_is_older_than_its_single_days_has_a_change() {
    use stoop_domain::{Address, Facts, History, Listing, Minor, Purpose, Sighting, Time};
    use stoop_market::{Cells, Horizon, Zones, contribution};

    let address = Address { postal_code: Some("98178".into()), country: Some("US".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    let mut history = History::default();
    let first = Time::parse("2024-01-01T20:00:00Z").unwrap();
    for (days, dollars) in [(0, 500_000), (500, 450_000)] {
        listing.list_price = Some(Minor(dollars * 100));
        let at = first.plus_ms(days * Time::DAY_MS);
        history.apply(Sighting::at(at), &Facts::of(&listing).unwrap(), None);
    }
    let mut cells = Cells::default();
    for (_, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
        cells.add(&delta);
    }
    let today = Day(i32::try_from(first.ms() / Time::DAY_MS).unwrap() + 510);
    let of = |cells: &Cells, days| {
        let change = change(Sum::Whole(cells), today, days, Currency::USD, AreaUnit::SquareFeet)?;
        Some((change.active, change.median_price, change.median_price_change))
    };
    let expected = Some((1, Some(500_000.0), Some(-0.1)));
    assert_eq!((of(&cells, 28), of(&cells, 511)), (expected, None), "first observed 510 days before");
    drop(cells.fold_to(Horizon { days: Day(today.0 - 400), hours: today }));
    assert_eq!(of(&cells, 28), expected);
}

/// The state of eight condominiums for sale at 400,000 dollars from the first day, at 440,000 from the 61st, and of eight
/// houses at 900,000 dollars from the 41st on.
fn condominiums_and_houses() -> stoop_market::Cells {
    use stoop_domain::{Address, Facts, History, Listing, Minor, PropertyType, Purpose, Sighting, Time};
    use stoop_market::{Cells, Zones, contribution};

    let mut cells = Cells::default();
    for home in 0..16 {
        let address = Address { postal_code: Some("98178".into()), country: Some("US".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
        let mut history = History::default();
        let (kind, prices): (_, &[(i64, i64)]) = match home {
            0..8 => (PropertyType::Condominium, &[(0, 400_000), (60, 440_000)]),
            _ => (PropertyType::SingleFamilyResidence, &[(40, 900_000)]),
        };
        listing.property_type = Some(kind);
        for (day, dollars) in prices {
            listing.list_price = Some(Minor(dollars * 100));
            let at = Time::from_ms((i64::from(FIRST) + day) * Time::DAY_MS + 72_000_000);
            history.apply(Sighting::at(at), &Facts::of(&listing).unwrap(), None);
        }
        for (_, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
            drop(cells.add(&delta));
        }
    }
    cells
}

#[test]
fn a_mix_adjusted_change_compares_homes_of_the_same_kind() {
    let cells = condominiums_and_houses();
    let sum = Sum::Whole(&cells);
    let on = |day: i32, against: i32| {
        let today = Day(FIRST + day);
        let all = Series::of(sum, today, 400).changes(today, DOLLARS);
        let change = all.into_iter().find(|change| change.days == against)?;
        let listed = super::change(sum, today, against, Currency::USD, AreaUnit::SquareFeet).unwrap();
        assert_eq!(listed, change, "in a list");
        Some((change.mix_adjusted_change, change.mix_matched_share))
    };
    assert_eq!(on(54, 28), Some((None, None)), "27 days are known 28 days before");
    assert_eq!(on(55, 28), Some((Some(0.0), Some(0.6364))), "28 days with condominiums, 16 with houses");
    assert_eq!(on(118, 1), Some((None, None)), "over one day");
    let (change, share) = on(118, 91).unwrap();
    assert_eq!(share, Some(0.5), "houses are on one side only");
    assert!((change.unwrap() - 0.1).abs() < 0.004, "{change:?}");
}

#[test]
fn the_price_index_begins_on_the_first_shown_day_with_28_days() {
    let cells = condominiums_and_houses();
    let index = |day: i32, days: u16| -> Vec<Option<f64>> {
        let (sum, today) = (Sum::Whole(&cells), Day(FIRST + day));
        let days_shown = Series::of(sum, today, days).days(days, DOLLARS);
        let known = days_shown.iter().filter_map(|day| Some((day.day.clone(), day.price_index?)));
        let alone = Series::price_index(sum, today, days).into_iter().map(|(day, index)| (day.to_string(), index));
        assert!(alone.eq(known), "the same without the other figures");
        days_shown.iter().map(|day| day.price_index).collect()
    };
    let all = index(100, 400);
    assert_eq!(all.len(), 101);
    assert_eq!((all[26], all[27], all[59]), (None, Some(100.0), Some(100.0)));
    assert!(all[59..].is_sorted() && (all[87].unwrap() - 110.0).abs() < 0.5, "{all:?}");
    assert_eq!(index(100, 13)[..], [Some(100.0); 13], "the base is the first day shown");
}
