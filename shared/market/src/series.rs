use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::Day;

use crate::cells::Cells;
use crate::key::{Key, Kind, Quantity, Segment};
use crate::snapshot::{Flows, Stock};

/// The close of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Close {
    /// The civil day in the market's time zone.
    pub day: Day,
    /// Active inventory at its end.
    pub active: i64,
    /// How much of it nobody had seen for longer than it is confirmed.
    pub unconfirmed: i64,
    /// Median list price at its end, in minor units.
    pub median_price: Option<f64>,
    /// Mean list price at its end, in minor units.
    pub mean_price: Option<f64>,
    /// What happened on it.
    #[serde(flatten)]
    pub flows: Flows,
}

/// The quantities that a close tells of.
const OF_CLOSE: [Quantity; 5] =
    [Quantity::Count, Quantity::Price, Quantity::PriceSum, Quantity::PriceSumHigh, Quantity::Unconfirmed];

/// The closes of the days `from..=until`, one for each day, read from the state in one sweep. What lies before the state's
/// horizon is in its opening: [`Cells::with_archive`] tells those days too.
#[must_use]
pub fn closes(cells: &Cells, segment: Segment, from: Day, until: Day) -> Vec<Close> {
    let mut changes: BTreeMap<i32, Vec<(Key, i64)>> = BTreeMap::new();
    let mut stock = Stock::default();
    for quantity in OF_CLOSE {
        for (key, value) in cells.of(segment, quantity) {
            match key.day() {
                day if day < from.0 => stock.add(key, value),
                day if day <= until.0 => changes.entry(day).or_default().push((key, value)),
                _ => {}
            }
        }
    }
    let mut series = Vec::new();
    for day in from.0..=until.0 {
        let mut flows = Flows::default();
        for (key, value) in changes.remove(&day).unwrap_or_default() {
            stock.add(key, value);
            if key.quantity() == Quantity::Count {
                flows.add(segment, key, value);
            }
        }
        let (median_price, mean_price) = (stock.median_price(), stock.mean_price());
        let (active, unconfirmed) = (stock.active(), stock.unconfirmed());
        series.push(Close { day: Day(day), active, unconfirmed, median_price, mean_price, flows });
    }
    series
}

/// The first day on which anything changed; `None` where nothing did, or where that is in the state's opening.
#[must_use]
pub fn first_day(cells: &Cells) -> Option<Day> {
    let counts = || cells.of(Segment::All, Quantity::Count);
    let is_reported = counts().all(|(key, _)| key.kind() != Some(Kind::Opening));
    counts().map(|(key, _)| Day(key.day())).min().filter(|_| is_reported)
}
