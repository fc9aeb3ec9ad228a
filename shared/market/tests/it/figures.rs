//! Figures of small markets.

use stoop_domain::{Facts, History, Minor, Sighting, Status, Time};
use stoop_market::{Cells, Figures, Horizon, Segment, Zones, closes, contribution};

use crate::support::{at, for_sale};

/// A home for sale in Seattle, seen at these times with this status and price in dollars.
fn home(seen: &[(&str, Status, i64)]) -> History {
    listed(None, seen)
}

fn listed(listed_at: Option<Time>, seen: &[(&str, Status, i64)]) -> History {
    let mut history = History::default();
    for (time, status, dollars) in seen {
        let mut listing = for_sale(*status, *dollars, Some(100));
        listing.bedrooms = Some(3);
        history.apply(Sighting::at(at(time)), &Facts::of(&listing).unwrap(), listed_at);
    }
    history
}

fn market(homes: &[History]) -> Cells {
    let mut cells = Cells::default();
    let mut zones = Zones::default();
    for home in homes {
        for (_, delta) in contribution(home, &mut zones).into_deltas() {
            cells.add(&delta);
        }
    }
    cells
}

fn figures(homes: &[History], now: &str) -> Figures {
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    Figures::of(&market(homes), Segment::All, at(now), &zone)
}

fn near(got: Option<f64>, want: f64) {
    let got = got.expect("a figure");
    assert!((got / want - 1.0).abs() <= 0.001, "{got} differs too much from {want}");
}

use Status::{Active, Closed, Gone, Pending};

#[test]
fn prices_cover_the_homes_on_offer() {
    let one = |dollars| home(&[("2026-01-01T12:00:00Z", Active, dollars)]);
    let unpriced = home(&[("2026-01-01T12:00:00Z", Active, 0)]);
    let figures = figures(&[one(100_000), one(200_000), one(300_000), one(600_000), unpriced], "2026-01-05T12:00:00Z");
    assert_eq!((figures.active, figures.priced), (5, 4));
    near(figures.median_price, 25_000_000.0);
    near(figures.mean_price, 30_000_000.0);
    near(figures.p25_price, 17_500_000.0);
    near(figures.p75_price, 37_500_000.0);
    near(figures.min_price, 10_000_000.0);
    near(figures.max_price, 60_000_000.0);
    near(figures.median_price_per_m2, 250_000.0);
    near(figures.median_age_days, 4.0);
    assert_eq!(figures.cut_share, Some(0.0));
    assert_eq!(figures.median_cut, None);
}

#[test]
fn a_home_counts_as_cut_until_it_returns_to_its_original_price() {
    let cut = home(&[("2026-01-01T12:00:00Z", Active, 100), ("2026-01-02T12:00:00Z", Active, 80)]);
    let back = home(&[
        ("2026-01-01T12:00:00Z", Active, 100),
        ("2026-01-02T12:00:00Z", Active, 80),
        ("2026-01-03T12:00:00Z", Active, 100),
    ]);
    let figures = figures(&[cut, back], "2026-01-03T20:00:00Z");
    assert_eq!(figures.cut_share, Some(0.5));
    near(figures.median_cut, 0.2);
    assert_eq!((figures.last_7_days.price_cuts, figures.last_7_days.price_rises), (2, 1));
    let day = figures.last_24_hours.unwrap();
    assert_eq!((day.price_cuts, day.price_rises), (0, 1));
}

#[test]
fn a_relisted_home_is_back_on_market_not_new() {
    let home = home(&[
        ("2026-01-01T12:00:00Z", Active, 100),
        ("2026-01-02T12:00:00Z", Gone, 100),
        ("2026-01-03T12:00:00Z", Active, 90),
    ]);
    let week = figures(&[home], "2026-01-03T20:00:00Z").last_7_days;
    assert_eq!((week.new, week.gone, week.back_on_market, week.price_cuts), (1, 1, 1, 1));
}

#[test]
fn a_sold_home_listed_again_is_new_without_a_cut() {
    let home = home(&[
        ("2026-01-01T12:00:00Z", Active, 100),
        ("2026-01-02T12:00:00Z", Pending, 100),
        ("2026-01-03T12:00:00Z", Closed, 100),
        ("2026-02-03T12:00:00Z", Active, 50),
    ]);
    let window = figures(&[home], "2026-02-03T20:00:00Z").last_90_days;
    let counts = (window.new, window.pending, window.closed, window.sold, window.price_cuts);
    assert_eq!(counts, (2, 1, 0, 1, 0), "it was not in the active stock any more when it was sold");
}

#[test]
fn a_home_back_after_a_long_absence_is_not_cut() {
    let home = home(&[
        ("2025-01-01T12:00:00Z", Active, 100),
        ("2025-01-02T12:00:00Z", Gone, 100),
        ("2025-12-03T12:00:00Z", Active, 50),
    ]);
    let figures = figures(&[home], "2025-12-03T20:00:00Z");
    let week = figures.last_7_days;
    assert_eq!((week.relisted, week.back_on_market, week.price_cuts), (1, 0, 0));
    assert_eq!(figures.cut_share, Some(0.0));
}

#[test]
fn the_listing_date_sets_the_age_and_new_needs_a_sighting_within_a_week() {
    let first = |listed_on| listed(Some(at(listed_on)), &[("2026-01-10T12:00:00Z", Active, 100)]);
    let figures = |listed_on| figures(&[first(listed_on)], "2026-01-10T20:00:00Z");
    let old = figures("2025-12-20T12:00:00Z");
    assert_eq!((old.last_7_days.initial, old.last_90_days.new), (1, 0));
    near(old.median_age_days, 21.0);
    let young = figures("2026-01-05T12:00:00Z");
    assert_eq!((young.last_24_hours.unwrap().new, young.last_90_days.initial), (1, 0));
    near(young.median_age_days, 5.0);
}

#[test]
fn past_days_come_from_the_same_state() {
    let home = home(&[
        ("2026-01-01T12:00:00Z", Active, 100),
        ("2026-01-03T12:00:00Z", Active, 80),
        ("2026-01-04T12:00:00Z", Closed, 80),
    ]);
    let day = |text: &str| at(text).day_in(&jiff::tz::TimeZone::UTC);
    let series = closes(&market(&[home]), Segment::All, day("2025-12-31T12:00:00Z"), day("2026-01-05T12:00:00Z"));
    let read: Vec<_> =
        series.iter().map(|c| (c.day.to_string()[8..].to_owned(), c.active, c.median_price.map(f64::round))).collect();
    let want = [
        ("31", 0, None),
        ("01", 1, Some(10_000.0)),
        ("02", 1, Some(10_000.0)),
        ("03", 1, Some(8_000.0)),
        ("04", 0, None),
        ("05", 0, None),
    ];
    assert_eq!(read.len(), want.len());
    for ((day, active, median), (want_day, want_active, want_median)) in read.iter().zip(want) {
        assert_eq!((day.as_str(), *active), (want_day, want_active));
        match (median, want_median) {
            (Some(got), Some(want)) => assert!((got / want - 1.0_f64).abs() <= 0.002, "{got} {want}"),
            (got, want) => assert_eq!(got.is_some(), want.is_some()),
        }
    }
    assert_eq!(series[3].flows.price_cuts, 1);
    assert_eq!(series[4].flows.closed, 1);
}

#[test]
fn a_returning_home_is_compared_with_its_price_on_exit() {
    let home = home(&[
        ("2026-01-01T12:00:00Z", Active, 335),
        ("2026-01-02T12:00:00Z", Gone, 299),
        ("2026-01-03T12:00:00Z", Active, 259),
    ]);
    let changes: Vec<_> = home.events().into_iter().filter_map(|event| event.change).collect();
    let [cut] = changes[..] else { panic!("{changes:?}") };
    assert_eq!((cut.from, cut.to), (Minor(29_900), Minor(25_900)));
}

#[test]
fn folded_cells_stay_in_stock_and_move_to_the_archive() {
    let home = home(&[("2026-01-01T12:00:00Z", Active, 100), ("2026-01-02T12:00:00Z", Active, 80)]);
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let mut cells = market(&[home]);
    let before = cells.len();
    let day = at("2026-01-10T12:00:00Z").day_in(&zone);
    let archive = cells.fold_to(Horizon { days: day, hours: day });
    let now = at("2026-01-11T12:00:00Z");
    let figures = Figures::of(&cells, Segment::All, now, &zone);
    assert_eq!(figures.active, 1);
    near(figures.median_price, 8_000.0);
    assert_eq!((figures.last_90_days.new, figures.last_90_days.price_cuts), (0, 0));
    assert!(cells.len() < before, "folding makes a state smaller");
    let figures = Figures::of(&cells.with_archive(&archive), Segment::All, now, &zone);
    assert_eq!((figures.active, figures.last_90_days.new, figures.last_90_days.price_cuts), (1, 1, 1));
}

#[test]
fn hours_before_the_horizon_are_not_available() {
    let home = home(&[("2026-01-09T23:30:00Z", Active, 100), ("2026-01-10T00:30:00Z", Pending, 100)]);
    let mut cells = market(&[home]);
    let midnight = at("2026-01-10T00:00:00Z").day_in(&jiff::tz::TimeZone::UTC);
    let left = cells.fold_to(Horizon { days: midnight, hours: midnight });
    assert!(!left.is_empty());
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let hours = |now| Figures::of(&cells, Segment::All, at(now), &zone).last_24_hours;
    assert_eq!(hours("2026-01-10T22:59:59Z"), None);
    let flows = hours("2026-01-10T23:00:00Z").unwrap();
    assert_eq!((flows.new, flows.pending), (0, 1));
    assert_eq!(hours("2026-01-11T00:30:00Z").map(|flows| flows.pending), Some(0));
}

#[test]
fn equal_prices_have_one_value_and_a_single_price_is_exact() {
    let one = |dollars| home(&[("2026-01-01T12:00:00Z", Active, dollars)]);
    let read = |homes: &[History]| figures(homes, "2026-01-05T12:00:00Z");
    let same = read(&[one(500_000), one(500_000), one(500_000)]);
    near(same.min_price, 50_000_000.0);
    assert_eq!([same.min_price, same.p25_price, same.max_price], [same.median_price; 3]);
    let single = read(&[one(499_999)]);
    let exact = Some(49_999_900.0);
    assert_eq!([single.min_price, single.median_price, single.mean_price, single.max_price], [exact; 4]);
    assert_eq!([single.p25_price, single.p75_price], [exact; 2]);
}

/// The greatest accepted price, in a market larger than any real one.
#[test]
fn sums_of_money_do_not_wrap() {
    let home = home(&[("2026-01-01T12:00:00Z", Active, 1_000_000_000_000), ("2026-01-02T12:00:00Z", Closed, 1)]);
    let mut cells = Cells::default();
    let deltas = contribution(&home, &mut Zones::default()).into_deltas();
    let (_, delta) = &deltas[0];
    for _ in 0..100_000 {
        cells.add(delta);
    }
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let figures = |now| Figures::of(&cells, Segment::All, at(now), &zone);
    let open = figures("2026-01-01T20:00:00Z");
    assert_eq!((open.active, open.mean_price), (100_000, Some(1e14)));
    let sold = figures("2026-01-02T20:00:00Z");
    assert_eq!((sold.active, sold.mean_price, sold.last_7_days.sold), (0, None, 100_000));
}
