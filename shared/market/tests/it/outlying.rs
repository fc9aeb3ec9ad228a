//! Prices that cannot belong to their area.

use stoop_domain::{Facts, History, Sighting, Status};
use stoop_market::{Cells, Definition, Figures, Segment, Zones, closes, contribution};

use crate::support::{at, for_sale};

/// The figures of homes that ask this many dollars each, and their mean on the same day in the series.
fn of(prices: &[i64]) -> (Figures, Option<f64>) {
    let mut cells = Cells::default();
    for price in prices {
        let mut home = History::default();
        let facts = Facts::of(&for_sale(Status::Active, *price, Some(100))).unwrap();
        home.apply(Sighting::at(at("2026-01-01T12:00:00Z")), &facts, None);
        let deltas = contribution(&home, &mut Zones::default()).into_deltas();
        deltas.iter().for_each(|(_, delta)| drop(cells.add(delta)));
    }
    let zone = jiff::tz::TimeZone::get("America/Los_Angeles").unwrap();
    let now = at("2026-01-05T12:00:00Z");
    let today = now.day_in(&zone);
    let closes = closes(&cells, Segment::All, today, today);
    (Figures::of(&cells, Segment::All, now, &zone), closes[0].mean_price)
}

fn outlying(figures: &Figures) -> Option<f64> {
    Definition::all().find(|figure| figure.name == "outlying").unwrap().value(figures, None)
}

/// A feed of rents with a sale and a rent of a night in it: ten homes ask 2,000 to 2,900, and their mean is 2,450.
#[test]
fn a_sale_among_rents_moves_no_mean_and_no_extreme() {
    let rents: Vec<i64> = (20..30).map(|hundreds| hundreds * 100).collect();
    let (figures, of_series) = of(&[rents.as_slice(), &[360_000, 30]].concat());
    let dollars = |minor: Option<f64>| (minor.unwrap() / 100.0).round();
    assert_eq!((figures.priced, outlying(&figures)), (12, Some(2.0)));
    assert!((dollars(figures.mean_price) - 2_450.0).abs() <= 40.0, "{figures:?}: known to 0.1 % of what is left out");
    assert_eq!(figures.mean_price, of_series);
    assert!((dollars(figures.min_price) - 2_000.0).abs() <= 2.0 && (dollars(figures.max_price) - 2_900.0).abs() <= 3.0);
    assert!((dollars(figures.median_price) - 2_450.0).abs() <= 3.0, "they count in the median");
}

#[test]
fn what_lies_within_fifty_times_the_median_belongs_and_few_prices_cannot_tell() {
    let (palace, _) = of(&[vec![500_000; 10], vec![24_000_000]].concat());
    assert_eq!(outlying(&palace), Some(0.0));
    assert!((palace.max_price.unwrap() / 2.4e9 - 1.0).abs() < 0.001);
    let (few, mean) = of(&[100, 100, 100, 1_000_000]);
    assert_eq!((outlying(&few), mean.map(f64::round)), (Some(0.0), Some(25_007_500.0)));
}
