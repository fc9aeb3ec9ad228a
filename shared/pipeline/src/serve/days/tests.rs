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
    Series { closes: closes.collect(), medians: Vec::new(), log_prices: BTreeMap::new(), watched_since: None }
}

/// The last day of a series.
fn last(series: &Series) -> Day {
    series.closes.last().unwrap().day
}

fn changes(series: &Series) -> Vec<ChangeView> {
    series.changes(last(series), DOLLARS)
}

/// What is unusual on the last day: its figure, value and usual value, deviation, and how much.
fn unusual_of(series: &Series) -> Vec<(&'static str, f64, f64, f64, Usual)> {
    let all = series.unusual(last(series)).into_iter();
    all.map(|it| (it.figure, it.value, it.usual, it.deviation, it.is)).collect()
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
    assert_eq!((series.changes(tomorrow, DOLLARS), series.unusual(tomorrow)), (vec![], vec![]));
    let nothing = Series { closes: Vec::new(), medians: Vec::new(), log_prices: BTreeMap::new(), watched_since: None };
    assert_eq!((nothing.changes(Day(FIRST), DOLLARS), nothing.unusual(Day(FIRST))), (vec![], vec![]));
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

/// A year of weeks with 7, 14 and 21 new homes in turn, and this many in the last one.
fn weeks_of_new(last: i64) -> Series {
    series(53 * 7, |at, close| {
        let week = i64::try_from(at / 7).unwrap();
        close.flows.new = match week {
            52 if at % 7 == 0 => last,
            52 => 0,
            week => week % 3 + 1,
        };
    })
}

#[test]
fn a_week_is_compared_with_the_weeks_of_the_past_year() {
    // The median is 14, the median distance from it 7: a deviation of 10.4.
    assert_eq!(weeks_of_new(14).unusual(last(&weeks_of_new(14)))[..], []);
    for (new, is) in
        [(0, None), (34, None), (35, Some(Usual::High)), (50, Some(Usual::High)), (51, Some(Usual::VeryHigh))]
    {
        let expected: Vec<_> = is.map(|is| ("new", new as f64, 14.0, 7.0, is)).into_iter().collect();
        assert_eq!(unusual_of(&weeks_of_new(new)), expected, "{new} new homes");
    }
    let weeks = weeks_of_new(51);
    assert_eq!(weeks.unusual(last(&weeks))[0].weeks, 52);
}

#[test]
fn few_active_homes_are_low() {
    let active = |now: i64| {
        let series = series(365, move |at, close| {
            close.active = if at == 364 { now } else { [90, 100, 110][at / 7 % 3] };
        });
        unusual_of(&series)
    };
    assert_eq!(active(71), []);
    assert_eq!(active(70), [("active", 70.0, 100.0, 10.0, Usual::Low)]);
    assert_eq!(active(48), [("active", 48.0, 100.0, 10.0, Usual::VeryLow)]);
}

#[test]
fn nothing_is_unusual_until_twelve_weeks_are_known() {
    let weeks = |days: usize| unusual_of(&series(days, |at, close| close.flows.gone = i64::from(at + 7 >= days)));
    assert_eq!(weeks(13 * 7 - 1), []);
    assert_eq!(weeks(13 * 7), [("gone", 7.0, 0.0, 0.0, Usual::High)], "the last week and twelve before");
}

#[test]
fn the_first_days_of_an_area_say_nothing_of_what_is_usual() {
    let mut of_weeks = series(14 * 7, |at, close| close.flows.gone = i64::from(at >= 13 * 7));
    assert_eq!(of_weeks.unusual(last(&of_weeks))[0].weeks, 13);
    of_weeks.watched_since = Some(Day(FIRST));
    assert_eq!(of_weeks.unusual(last(&of_weeks))[0].weeks, 12);
    of_weeks.watched_since = Some(Day(FIRST + 1));
    assert_eq!(of_weeks.unusual(last(&of_weeks)), []);
}

#[test]
fn any_other_value_than_one_of_all_weeks_is_unusual() {
    for (active, expected) in [(100, None), (99, Some(Usual::Low)), (500, Some(Usual::High))] {
        let series = series(365, |at, close| close.active = if at == 364 { active } else { 100 });
        let expected: Vec<_> = expected.map(|is| ("active", active as f64, 100.0, 0.0, is)).into_iter().collect();
        assert_eq!(unusual_of(&series), expected, "{active} active homes");
    }
}

#[test]
fn the_median_price_is_compared_by_its_change_in_four_weeks() {
    let series = |days: usize, share: f64| {
        let last = days - 1;
        series(days, move |at, close| {
            close.median_price = Some(if at == last { 40_000_000.0 * (1.0 + share) } else { 40_000_000.0 });
        })
    };
    // Twelve weeks before the last day, and four before those.
    assert_eq!(unusual_of(&series(12 * 7 + 28, 0.1)), []);
    assert_eq!(unusual_of(&series(12 * 7 + 29, 0.1)), [("median_price_change", 0.1, 0.0, 0.0, Usual::High)]);
    assert_eq!(unusual_of(&series(12 * 7 + 29, 0.0)), []);
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

/// A week whose last day is not over has fewer events than others, which says nothing.
#[test]
fn only_days_that_are_over_are_compared() {
    let series = series(140, |at, close| {
        close.flows.new = if at == 139 { 0 } else { 10 + i64::from(at % 14 == 3) };
    });
    let [today, yesterday] = [last(&series), Day(last(&series).0 - 1)];
    assert!(series.unusual(yesterday).is_empty());
    let low: Vec<_> = series.unusual(today).into_iter().map(|it| (it.figure, it.is)).collect();
    assert_eq!(low, [("new", Usual::Low)], "if the day were over");
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
        let series = Series::of(Sum::Whole(&cells), Day(FIRST + day), days);
        series.days(days, DOLLARS).iter().map(|day| day.price_index).collect()
    };
    let all = index(100, 400);
    assert_eq!(all.len(), 101);
    assert_eq!((all[26], all[27], all[59]), (None, Some(100.0), Some(100.0)));
    assert!(all[59..].is_sorted() && (all[87].unwrap() - 110.0).abs() < 0.5, "{all:?}");
    assert_eq!(index(100, 13)[..], [Some(100.0); 13], "the base is the first day shown");
}
