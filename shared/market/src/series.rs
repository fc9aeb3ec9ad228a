use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::Day;

use crate::cells::Cells;
use crate::flows::Flows;
use crate::key::Key;
use crate::kind::{Kind, Quantity};
use crate::segment::Segment;
use crate::stock::Stock;

/// The figures of one day at its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Close {
    /// The civil day in the market's time zone.
    pub day: Day,
    /// Active stock at the end of the day.
    pub active: i64,
    /// The part of `active` that is unconfirmed.
    pub unconfirmed: i64,
    /// The part of `active` that has a price.
    pub priced: i64,
    /// Median list price at the end of the day, in minor units.
    pub median_price: Option<f64>,
    /// Mean list price at the end of the day, in minor units.
    pub mean_price: Option<f64>,
    /// Events of the day.
    #[serde(flatten)]
    pub flows: Flows,
}

/// The quantities that a close needs.
const OF_CLOSE: [Quantity; 5] =
    [Quantity::Count, Quantity::Price, Quantity::PriceSum, Quantity::PriceSumHigh, Quantity::Unconfirmed];

/// The closes of the days `from..=until`, computed in one pass. Days before the state's horizon are in its opening; use
/// [`Cells::with_archive`] to get them as single days.
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
        let (active, unconfirmed, priced) = (stock.active(), stock.unconfirmed(), stock.priced());
        series.push(Close { day: Day(day), active, unconfirmed, priced, median_price, mean_price, flows });
    }
    series
}

/// The first day on which a home entered or left the stock. `None` if there is none or it is in the state's opening. What a
/// source reports of earlier days, such as a sale, does not count: nobody watched then.
#[must_use]
pub fn first_day(cells: &Cells) -> Option<Day> {
    let is_stock = |kind: Kind| Quantity::Count.is_stock(kind);
    let counts = || cells.of(Segment::All, Quantity::Count).filter(|(key, _)| key.kind().is_some_and(is_stock));
    let is_opened = counts().any(|(key, _)| key.kind() == Some(Kind::Opening));
    counts().map(|(key, _)| Day(key.day())).min().filter(|_| !is_opened)
}
