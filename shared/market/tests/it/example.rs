//! The example of `docs/METRICS.md`: the figures of eight homes, worked out by hand.

use stoop_domain::{Day, Facts, History, Minor, Sighting, Status};
use stoop_market::{Cells, Definition, Figures, Flows, Segment, Unit, Window, Zones, contribution};

use crate::support::{at, for_sale};

/// A sighting: day of the year 2026 and hour in UTC, status, price in dollars (0: unknown).
type Seen = (&'static str, Status, i64);

fn seen(area: Option<u32>, listed: Option<&str>, sold: Option<(i64, Day)>, seen: &[Seen]) -> History {
    let mut history = History::default();
    for (time, status, dollars) in seen {
        let mut listing = for_sale(*status, *dollars, area);
        if let Some((dollars, day)) = sold.filter(|_| *status == Status::Closed) {
            listing.close_price = Some(Minor(dollars * 100));
            listing.close_date = Some(day);
        }
        history.apply(Sighting::at(at(time)), &Facts::of(&listing).unwrap(), listed.map(at));
    }
    history
}

fn homes() -> [History; 8] {
    use Status::{Active, Closed, Pending, Withdrawn};
    let first = "2026-03-01T12:00:00Z";
    let close_day = Day(at("2026-03-05T12:00:00Z").ms().div_euclid(86_400_000) as i32);
    [
        seen(
            Some(100),
            Some("2026-02-20T12:00:00Z"),
            None,
            &[(first, Active, 500_000), ("2026-03-09T17:00:00Z", Active, 450_000)],
        ),
        seen(
            Some(80),
            None,
            None,
            &[
                (first, Active, 400_000),
                ("2026-03-05T12:00:00Z", Pending, 400_000),
                ("2026-03-08T12:00:00Z", Active, 400_000),
            ],
        ),
        seen(None, None, None, &[("2026-03-10T06:30:00Z", Active, 300_000)]),
        seen(None, None, None, &[("2026-03-02T12:00:00Z", Active, 0)]),
        seen(Some(70), None, None, &[(first, Active, 350_000), ("2026-03-10T19:00:00Z", Closed, 350_000)]),
        seen(
            Some(80),
            None,
            Some((410_000, close_day)),
            &[
                ("2026-01-20T12:00:00Z", Active, 420_000),
                ("2026-02-15T12:00:00Z", Active, 400_000),
                ("2026-02-25T12:00:00Z", Pending, 400_000),
                ("2026-03-06T12:00:00Z", Closed, 400_000),
            ],
        ),
        seen(
            None,
            None,
            None,
            &[
                ("2025-11-01T12:00:00Z", Active, 600_000),
                ("2025-11-20T12:00:00Z", Withdrawn, 600_000),
                ("2026-03-03T12:00:00Z", Active, 570_000),
            ],
        ),
        seen(None, None, None, &[(first, Active, 380_000), ("2026-03-08T12:00:00Z", Pending, 380_000)]),
    ]
}

fn figures() -> Figures {
    let (mut cells, mut zones) = (Cells::default(), Zones::default());
    for home in homes() {
        contribution(&home, &mut zones).into_deltas().iter().for_each(|(_, delta)| drop(cells.add(delta)));
    }
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    Figures::of(&cells, Segment::All, at("2026-03-10T20:00:00Z"), &zone)
}

/// Whether a value from buckets, or one rounded to four decimals, is the exact one.
fn is_near(figure: &Definition, value: f64, exact: f64) -> bool {
    let error = match figure.unit {
        Unit::Money | Unit::MoneyPerArea => exact * 0.002_02,
        Unit::Share | Unit::Months => 0.000_1,
        Unit::Homes | Unit::Events | Unit::Days => 0.0,
    };
    (value - exact).abs() <= error
}

#[test]
fn every_figure_has_the_value_of_the_example() {
    let figures = figures();
    let mut wrong = Vec::new();
    for figure in Definition::all() {
        let value = figure.value(&figures, Some(Window::Days28));
        if !value.is_some_and(|value| is_near(figure, value, figure.example)) {
            wrong.push(format!("{}: {value:?}, by hand {}", figure.name, figure.example));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_windows_of_the_example_balance() {
    let figures = figures();
    let none = Flows::default();
    assert_eq!(figures.last_24_hours, Some(Flows { new: 1, closed: 1, sold: 1, ..none }));
    let week = Flows { new: 1, back_on_market: 1, pending: 2, closed: 1, price_cuts: 1, sold: 2, ..none };
    assert_eq!(figures.last_7_days, Flows { relisted: 0, ..week });
    let month = figures.last_28_days;
    assert_eq!((month.entries(), month.exits()), (8, 4), "one home was active 28 days ago, five are now");
}

#[test]
fn prices_come_from_buckets_within_a_thousandth() {
    let figures = figures();
    let dollars = |minor: Option<f64>| minor.map(|minor| format!("{:.2}", minor / 100.0)).unwrap();
    assert_eq!(dollars(figures.mean_price), "430000.00");
    let ends = (figures.min_price.unwrap(), figures.max_price.unwrap());
    let error = |got: f64, exact: f64| (got / exact - 1.0).abs();
    assert!(error(ends.0, 30_000_000.0) <= stoop_market::RELATIVE_ERROR, "{ends:?}");
    assert!(error(ends.1, 57_000_000.0) <= stoop_market::RELATIVE_ERROR, "{ends:?}");
    let median = figures.median_price.unwrap();
    assert!((median / 42_500_000.0 - 1.0).abs() <= stoop_market::RELATIVE_ERROR, "{median}");
}
