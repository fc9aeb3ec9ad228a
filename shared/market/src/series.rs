use serde::{Deserialize, Serialize};
use stoop_domain::Day;

use crate::cells::Cells;
use crate::counts::BucketCounts;
use crate::flows::Flows;
use crate::key::Key;
use crate::kind::{CounterKind, Quantity};
use crate::outlying::Outlying;
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
    /// Its 95 % interval, by order statistics. `None` for fewer than 6 homes.
    pub median_interval: Option<[f64; 2]>,
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
    let mut changes: Vec<(Key, i64)> = Vec::new();
    for quantity in OF_CLOSE {
        changes.extend(cells.of(segment, quantity).filter(|(key, _)| key.day() <= until.0));
    }
    changes.sort_by_key(|(key, _)| key.day());
    let is_stock = |key: Key| key.kind().is_some_and(|kind| key.quantity().is_stock(kind));
    let prices = changes.iter().filter(|(key, _)| key.quantity() == Quantity::Price && is_stock(*key));
    let mut prices = BucketCounts::for_buckets(prices.map(|(key, _)| key.bucket()));
    let mut stock = Stock::default();
    let mut changes = changes.into_iter().peekable();
    let mut series: Vec<Close> = Vec::new();
    // Of the prices as they are: most days of a small area change none.
    let (mut median, mut median_interval, mut outlying) = (None, None, Outlying::default());
    for day in from.0..=until.0 {
        let (mut flows, mut are_same) = (Flows::default(), !series.is_empty());
        while let Some((key, value)) = changes.next_if(|(key, _)| key.day() <= day) {
            match (key.quantity(), &mut prices) {
                (Quantity::Price, Some(prices)) if is_stock(key) => {
                    prices.add(key.bucket(), value);
                    are_same = false;
                }
                _ => stock.add(key, value),
            }
            if key.quantity() == Quantity::Count && key.day() == day {
                flows.add(segment, key, value);
            }
        }
        let priced = prices.as_ref().map_or(0, BucketCounts::total);
        if let Some(prices) = prices.as_ref().filter(|_| !are_same) {
            (median, median_interval) = (prices.median(), prices.median_interval());
            outlying = prices.outlying(median);
        }
        let mean_price = outlying.mean_of_others(stock.price_sum(), priced);
        series.push(Close {
            day: Day(day),
            active: stock.active(),
            unconfirmed: stock.unconfirmed(),
            priced,
            // Of a single home it is the price itself, not that of its bucket.
            median_price: if priced == 1 { mean_price } else { median },
            median_interval,
            mean_price,
            flows,
        });
    }
    series
}

/// The first day on which a home entered or left the stock. `None` if there is none or it is in the state's opening. What a
/// source reports of earlier days, such as a sale, does not count: nobody watched then.
#[must_use]
pub fn first_day(cells: &Cells) -> Option<Day> {
    let is_stock = |kind: CounterKind| Quantity::Count.is_stock(kind);
    let counts = || cells.of(Segment::All, Quantity::Count).filter(|(key, _)| key.kind().is_some_and(is_stock));
    let is_opened = counts().any(|(key, _)| key.kind() == Some(CounterKind::Opening));
    counts().map(|(key, _)| Day(key.day())).min().filter(|_| !is_opened)
}
