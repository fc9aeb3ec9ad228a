//! The figures, as facts about small markets.

use stoop_domain::{Area, AreaUnit, Currency, Facts, History, Listing, Minor, Place, Purpose, Status, Time};
use stoop_market::{Cells, Figures, Segment, Zones, closes, contribution};

fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

/// A home for sale in Seattle, seen at these times with this status and price in dollars.
fn home(seen: &[(&str, Status, i64)]) -> History {
    listed(None, seen)
}

fn listed(listed_at: Option<Time>, seen: &[(&str, Status, i64)]) -> History {
    let mut history = History::default();
    for (time, status, dollars) in seen {
        let place = Place {
            postal_code: Some("98178".into()),
            region: Some("WA".into()),
            country: Some("US".into()),
            ..Place::default()
        };
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, place);
        listing.status = *status;
        listing.list_price = (*dollars > 0).then_some(Minor(dollars * 100));
        listing.living_area = Some(Area::of(100, AreaUnit::SquareMeters));
        listing.bedrooms = Some(3);
        history.apply(at(time), &Facts::of(&listing).unwrap(), listed_at);
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
    assert!((got / want - 1.0).abs() <= 0.001, "{got} is not near {want}");
}

use Status::{Active, Closed, Gone, Pending};

#[test]
fn prices_of_the_homes_on_offer() {
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
fn a_cut_home_counts_as_cut_until_it_asks_its_first_price_again() {
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
    assert_eq!((figures.last_24_hours.price_cuts, figures.last_24_hours.price_rises), (0, 1));
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
fn a_sold_home_listed_again_is_new_and_its_sale_price_no_cut() {
    let home = home(&[
        ("2026-01-01T12:00:00Z", Active, 100),
        ("2026-01-02T12:00:00Z", Pending, 100),
        ("2026-01-03T12:00:00Z", Closed, 100),
        ("2026-02-03T12:00:00Z", Active, 50),
    ]);
    let window = figures(&[home], "2026-02-03T20:00:00Z").last_90_days;
    assert_eq!((window.new, window.pending, window.closed, window.price_cuts), (2, 1, 1, 0));
}

#[test]
fn a_home_back_after_a_long_absence_is_not_cut() {
    let home = home(&[
        ("2025-01-01T12:00:00Z", Active, 100),
        ("2025-01-02T12:00:00Z", Gone, 100),
        ("2025-12-03T12:00:00Z", Active, 50),
    ]);
    let figures = figures(&[home], "2025-12-03T20:00:00Z");
    assert_eq!((figures.last_7_days.back_on_market, figures.last_7_days.price_cuts), (1, 0));
    assert_eq!(figures.cut_share, Some(0.0));
}

#[test]
fn a_listing_is_new_on_the_day_it_was_listed_not_on_the_day_we_first_looked() {
    let home = listed(Some(at("2025-12-20T12:00:00Z")), &[("2026-01-10T12:00:00Z", Active, 100)]);
    let figures = figures(&[home], "2026-01-10T20:00:00Z");
    assert_eq!((figures.last_7_days.new, figures.last_28_days.new), (0, 1));
    near(figures.median_age_days, 21.0);
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
fn a_home_that_comes_back_is_compared_with_what_it_asked_when_it_left() {
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
fn what_is_folded_stays_in_stock_and_is_forgotten_as_an_event() {
    let home = home(&[("2026-01-01T12:00:00Z", Active, 100), ("2026-01-02T12:00:00Z", Active, 80)]);
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let mut cells = market(&[home]);
    let before = cells.len();
    cells.fold_to(at("2026-01-10T12:00:00Z").day_in(&zone));
    let figures = Figures::of(&cells, Segment::All, at("2026-01-11T12:00:00Z"), &zone);
    assert_eq!(figures.active, 1);
    near(figures.median_price, 8_000.0);
    assert_eq!((figures.last_90_days.new, figures.last_90_days.price_cuts), (0, 0));
    assert!(cells.len() < before, "folding makes a state smaller");
}
