use stoop_domain::Day;

use crate::figures::Figures;
use crate::histogram::{Bucket, Histogram};
use crate::key::Key;
use crate::kind::Quantity;
use crate::outlying::{Outlying, bounds};

/// The stock at the end of a day: a sum of coordinates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stock {
    active: i64,
    unconfirmed: i64,
    prices: Histogram,
    price_sum: i128,
    per_area: Histogram,
    opened: Histogram,
    cuts: Histogram,
}

impl Stock {
    /// Adds a coordinate if it belongs to the stock.
    pub(crate) fn add(&mut self, key: Key, value: i64) {
        let quantity = key.quantity();
        if !key.kind().is_some_and(|kind| quantity.is_stock(kind)) {
            return;
        }
        let bucket = Bucket(key.bucket());
        match quantity {
            Quantity::Count => self.active += value,
            Quantity::Unconfirmed => self.unconfirmed += value,
            Quantity::Price => self.prices.add(bucket, value),
            Quantity::PriceSum => self.price_sum += i128::from(value),
            Quantity::PriceSumHigh => self.price_sum += i128::from(value) << 32,
            Quantity::PricePerArea => self.per_area.add(bucket, value),
            Quantity::Opened => self.opened.add(bucket, value),
            Quantity::Cut => self.cuts.add(bucket, value),
            _ => {}
        }
    }

    /// Active stock.
    pub(crate) fn active(&self) -> i64 {
        self.active
    }

    /// The sum of list prices, in minor units.
    pub(crate) fn price_sum(&self) -> i128 {
        self.price_sum
    }

    /// The priced part of the stock.
    pub(crate) fn priced(&self) -> i64 {
        self.prices.count()
    }

    /// The list prices of the stock.
    pub(crate) fn prices(&self) -> &Histogram {
        &self.prices
    }

    /// The list prices by square metre, in minor units.
    pub(crate) fn per_area(&self) -> &Histogram {
        &self.per_area
    }

    /// The homes below the first price of their spell, by their cut in basis points.
    pub(crate) fn cuts(&self) -> &Histogram {
        &self.cuts
    }

    /// The stock by days since the spell opened.
    pub(crate) fn ages(&self, today: Day) -> Histogram {
        let mut ages = Histogram::default();
        self.opened.buckets().for_each(|(day, count)| ages.add(Bucket((today.0 - day.0).max(0)), count));
        ages
    }

    /// The unconfirmed part of the stock.
    pub(crate) fn unconfirmed(&self) -> i64 {
        self.unconfirmed
    }

    /// The median list price. For a single home it is the price itself, not that of its bucket.
    pub(crate) fn median_price(&self) -> Option<f64> {
        self.price(0.5)
    }

    /// The median price per square metre, in minor units.
    pub(crate) fn median_price_per_m2(&self) -> Option<f64> {
        self.per_area.quantile(0.5)
    }

    /// The mean list price, without outlying ones.
    pub(crate) fn mean_price(&self) -> Option<f64> {
        self.outlying().mean_of_others(self.price_sum, self.prices.count())
    }

    /// The prices that cannot belong here.
    pub(crate) fn outlying(&self) -> Outlying {
        Outlying::of(self.prices.buckets().map(|(bucket, count)| (bucket.0, count)), self.bounds())
    }

    fn bounds(&self) -> Option<(i32, i32)> {
        bounds(self.prices.quantile(0.5), self.prices.count())
    }

    /// The lowest or the highest list price that is not outlying.
    fn extreme(&self, mut prices: impl Iterator<Item = (Bucket, i64)>) -> Option<f64> {
        let bounds = self.bounds();
        let is_inside = |bucket: Bucket| bounds.is_none_or(|(low, high)| (low..=high).contains(&bucket.0));
        let (bucket, _) = prices.find(|(bucket, count)| *count > 0 && is_inside(*bucket))?;
        if self.prices.count() == 1 { self.mean_price() } else { Some(bucket.value()) }
    }

    fn price(&self, quantile: f64) -> Option<f64> {
        if self.prices.count() == 1 { self.mean_price() } else { self.prices.quantile(quantile) }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of homes")]
    pub(crate) fn figures(&self, today: Day) -> Figures {
        let priced = self.prices.count();
        Figures {
            active: self.active,
            unconfirmed: self.unconfirmed,
            priced,
            median_price: self.median_price(),
            mean_price: self.mean_price(),
            p25_price: self.price(0.25),
            p75_price: self.price(0.75),
            min_price: self.extreme(self.prices.buckets()),
            max_price: self.extreme(self.prices.buckets().rev()),
            priced_per_area: self.per_area.count(),
            median_price_per_m2: self.median_price_per_m2(),
            median_age_days: self.ages(today).median_number(),
            cut_share: (priced > 0).then(|| self.cuts.count() as f64 / priced as f64),
            cut: self.cuts.count(),
            median_cut: self.cuts.quantile(0.5).map(|bp| bp / 10_000.0),
            ..Figures::default()
        }
    }
}
