//! Prices of the homes on offer by kind: property type and number of bedrooms.

use std::collections::BTreeMap;

use stoop_domain::Day;

use crate::cells::Cells;
use crate::histogram::{Bucket, Histogram, LN_OF_BUCKET};
use crate::kind::Quantity;
use crate::pooling::{LogEstimate, SPREAD};
use crate::segment::{Cell, Segment};

/// List prices, or list prices per square metre, by kind of home, in minor units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KindPrices {
    kinds: BTreeMap<Cell, Histogram>,
}

/// The median of the homes of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindMedian {
    /// Their number: above 0.
    pub homes: i64,
    /// The median, to within [`crate::RELATIVE_ERROR`].
    pub median: f64,
    /// Its 95 % interval, by order statistics; `None` for fewer than 6 homes.
    pub interval: Option<[f64; 2]>,
}

impl KindPrices {
    /// The list prices of a market's homes on offer at the end of a day.
    #[must_use]
    pub fn of(cells: &Cells, today: Day) -> Self {
        Self::read(cells, Quantity::Price, today)
    }

    /// Their list prices per square metre.
    #[must_use]
    pub fn per_m2(cells: &Cells, today: Day) -> Self {
        Self::read(cells, Quantity::PricePerArea, today)
    }

    fn read(cells: &Cells, quantity: Quantity, today: Day) -> Self {
        let mut kinds: BTreeMap<Cell, Histogram> = BTreeMap::new();
        let is_stock = |key: crate::key::Key| key.kind().is_some_and(|kind| quantity.is_stock(kind));
        for (key, value) in cells.of(Segment::All, quantity).filter(|(key, _)| key.day() <= today.0 && is_stock(*key)) {
            if let Some(cell) = key.cell() {
                kinds.entry(cell).or_default().add(Bucket(key.bucket()), value);
            }
        }
        kinds.retain(|_, prices| prices.count() > 0);
        Self { kinds }
    }

    /// The kinds with a price, in order.
    pub fn kinds(&self) -> impl Iterator<Item = Cell> + '_ {
        self.kinds.keys().copied()
    }

    /// The median of a kind. `None` without prices.
    #[must_use]
    pub fn median(&self, kind: Cell) -> Option<KindMedian> {
        KindMedian::of(self.kinds.get(&kind)?)
    }

    /// The variance of the logarithms of the prices of a kind; for fewer than 6 homes, that of a usual kind.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub fn log_variance(&self, kind: Cell) -> f64 {
        let Some(prices) = self.kinds.get(&kind).filter(|prices| prices.count() >= 6) else { return SPREAD * SPREAD };
        let n = prices.count() as f64;
        let mean = prices.buckets().map(|(bucket, count)| f64::from(bucket.0) * count as f64).sum::<f64>() / n;
        let square = |(bucket, count): (Bucket, i64)| (f64::from(bucket.0) - mean).powi(2) * count as f64;
        prices.buckets().map(square).sum::<f64>() / (n - 1.0) * LN_OF_BUCKET * LN_OF_BUCKET
    }

    /// The median of the other homes of a kind than one with this price.
    #[must_use]
    pub fn median_without(&self, kind: Cell, price: f64) -> Option<KindMedian> {
        let mut others = self.kinds.get(&kind)?.clone();
        let bucket = Bucket::of(price)?;
        if others.buckets().any(|(known, count)| known == bucket && count > 0) {
            others.add(bucket, -1);
        }
        KindMedian::of(&others)
    }
}

impl KindMedian {
    fn of(prices: &Histogram) -> Option<Self> {
        let (homes, median) = (prices.count(), prices.quantile(0.5)?);
        Some(Self { homes, median, interval: prices.interval(0.5) })
    }

    /// The median as an estimate.
    #[must_use]
    pub fn estimate(self) -> Option<LogEstimate> {
        LogEstimate::of_median(self.median, self.interval, self.homes)
    }
}
