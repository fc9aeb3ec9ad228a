//! What is asked for the homes of a stock, as a distribution.

use stoop_domain::Day;

use crate::cells::Cells;
use crate::histogram::{Bucket, Histogram};
use crate::kind::Quantity;
use crate::segment::Segment;

/// Homes whose list prices lie in a narrow range. Where in it each of them lies is not stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceRange {
    /// The lower end, in minor units; up to rounding.
    pub from: f64,
    /// The upper end, not included: at most 0.2 % above the lower one.
    pub to: f64,
    /// The value that stands for all of them, within [`crate::RELATIVE_ERROR`] of each.
    pub value: f64,
    /// Their number: above 0.
    pub homes: i64,
}

/// The list prices of the stock at the end of `today`, in rising order. Homes without a price are left out. They are as many as
/// [`Figures::priced`](crate::Figures::priced).
#[must_use]
pub fn asking_prices(cells: &Cells, today: Day) -> Vec<PriceRange> {
    let mut prices = Histogram::default();
    let of_stock = |(key, value): (crate::key::Key, i64)| {
        let is_stock = key.kind().is_some_and(|kind| Quantity::Price.is_stock(kind));
        (is_stock && key.day() <= today.0).then_some((Bucket(key.bucket()), value))
    };
    for (bucket, homes) in cells.of(Segment::All, Quantity::Price).filter_map(of_stock) {
        prices.add(bucket, homes);
    }
    let range = |(bucket, homes): (Bucket, i64)| PriceRange {
        from: bucket.lower(),
        to: bucket.upper(),
        value: bucket.value(),
        homes,
    };
    prices.buckets().map(range).filter(|range| range.homes > 0).collect()
}
