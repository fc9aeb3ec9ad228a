//! What a daily series shows: closes, moving averages, changes, and what is unusual.

#[cfg(test)]
mod tests;
mod unusual;

use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::{AreaUnit, Currency, Day};
use stoop_market::{
    AVERAGE_DAYS, Close, Flows, INDEX_DAYS, KindPrices, LogPrices, PooledMedians, PriceIndex, RELATIVE_ERROR,
    WARM_UP_DAYS, Z95, change_interval,
};

use super::ConfidenceInterval;
use super::figures::Terms;
use super::sum::Sum;

pub use unusual::{Comparisons, FALSE_FLAGS, UnusualView, Usual};

/// The close of one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayView {
    /// The day, `2026-01-13`.
    pub day: String,
    /// Active inventory at its end.
    pub active: i64,
    /// The unconfirmed part of it.
    pub unconfirmed: i64,
    /// The part of it with a price.
    pub priced: i64,
    /// Median list price at its end.
    pub median_price: Option<f64>,
    /// Its 95 % interval; `None` for fewer than 6 homes.
    pub median_price_interval: Option<ConfidenceInterval>,
    /// Mean list price at its end.
    pub mean_price: Option<f64>,
    /// The median of the list prices at the end of this day and the 6 before, pooled; `None` until 7 days are known.
    pub median_price_7_days: Option<f64>,
    /// Likewise over 28 days.
    pub median_price_28_days: Option<f64>,
    /// Likewise over 91 days.
    pub median_price_91_days: Option<f64>,
    /// The mix-adjusted index of list prices: 100 on the first day shown on which it is known.
    pub price_index: Option<f64>,
    /// Whether it is one of the first observed days.
    pub warming_up: bool,
    /// The events of the day.
    #[serde(flatten)]
    pub flows: Flows,
    /// The values of reference series on that day, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reference: BTreeMap<String, f64>,
}

/// The change from an earlier day to the day of the view. Shares are relative to the earlier day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeView {
    /// The number of days between both.
    pub days: i32,
    /// The earlier day.
    pub since: String,
    /// Active homes then.
    pub active: i64,
    /// The change of active homes: 0.1 is 10 % more. `None` if there were none.
    pub active_change: Option<f64>,
    /// Homes with a price then: the sample of the median.
    pub priced: i64,
    /// Median list price then.
    pub median_price: Option<f64>,
    /// The change of the median list price.
    pub median_price_change: Option<f64>,
    /// Its 95 % interval: if it contains 0, there may be no change. `None` if either day has fewer than 6 homes.
    pub median_price_change_interval: Option<ConfidenceInterval>,
    /// The change of list prices over 28 days at the same mix of property types and bedrooms. `None` over one day, if
    /// 28 days are not known on both sides, or if less than half of the homes are comparable.
    pub mix_adjusted_change: Option<f64>,
    /// Its 95 % interval.
    pub mix_adjusted_change_interval: Option<ConfidenceInterval>,
    /// The share of homes that it compares: of both sides, the lower one.
    pub mix_matched_share: Option<f64>,
    /// Whether either sample is thin, or the earlier day was one of the first observed days.
    pub thin: bool,
}

/// The days before, to which the changes refer.
pub(super) const CHANGE_DAYS: [i32; 5] = [1, 7, 28, 91, 365];

/// The weeks of the past with which the last one is compared, at most: a year, and some before.
const COMPARED_WEEKS: i32 = 66;
/// Fewer homes than this in the earlier or later stock make a change thin.
const THIN: i64 = stoop_market::THIN_SAMPLE;

/// The closes of an area, from its first observed day or as far as a view needs, to the day of the view.
pub(super) struct Series {
    closes: Vec<Close>,
    /// Of the last closes.
    medians: Vec<PooledMedians>,
    /// Of the days shown and those they are compared with, if [`INDEX_DAYS`] days are known.
    log_prices: BTreeMap<Day, LogPrices>,
    watched_since: Option<Day>,
    now: Stock,
}

/// What the stock of the day of a view says of its past.
#[derive(Clone, Debug, Default)]
struct Stock {
    /// For each of [`COMMON_DAYS`], the homes on offer whose spell opened so many days before, or earlier.
    common: [i64; COMMON_DAYS.len()],
    prices: KindPrices,
}

/// The days before for which homes are counted that were on offer then and still are.
const COMMON_DAYS: [i32; 5] = CHANGE_DAYS;

impl Stock {
    fn of(sum: Sum<'_>, today: Day) -> Self {
        let days = COMMON_DAYS.map(|days| Day(today.0.saturating_sub(days)));
        let mut common = [0; COMMON_DAYS.len()];
        common.iter_mut().zip(sum.opened_by(today, &days)).for_each(|(common, homes)| *common = homes);
        Self { common, prices: sum.kind_prices(today) }
    }

    /// The homes on offer so many days before and still.
    fn common(&self, days: i32) -> i64 {
        COMMON_DAYS.iter().zip(self.common).find(|(of, _)| **of == days).map_or(0, |(_, homes)| homes)
    }
}

impl Series {
    /// The days before the day of a view, with the closes of `days` days, that it needs.
    pub(super) fn days_before(days: u16) -> i32 {
        let averages = i32::from(days) + AVERAGE_DAYS[AVERAGE_DAYS.len() - 1];
        averages.max(CHANGE_DAYS[CHANGE_DAYS.len() - 1] + INDEX_DAYS)
    }

    pub(super) fn of(sum: Sum<'_>, today: Day, days: u16) -> Self {
        let watched_since = sum.first_day();
        let closes = Self::closes(sum, watched_since, today, days);
        let shown = closes.len().min(usize::from(days));
        let medians = match closes.get(closes.len() - shown) {
            Some(first) => sum.pooled_medians(first.day, today),
            None => Vec::new(),
        };
        let shown = closes[closes.len() - shown..].iter().map(|close| close.day);
        let weeks = |end: Day| (0..COMPARED_WEEKS + 4).map(move |week| Day(end.0 - 7 * week));
        let compared = weeks(today).chain(weeks(Day(today.0 - 1)));
        let wanted = shown.chain(CHANGE_DAYS.map(|days| Day(today.0 - days))).chain(compared);
        let log_prices = log_prices_of(sum, &closes, wanted);
        Self { closes, medians, log_prices, watched_since, now: Stock::of(sum, today) }
    }

    /// The days that are known, of those that a view with the closes of `days` days needs.
    fn closes(sum: Sum<'_>, watched_since: Option<Day>, today: Day, days: u16) -> Vec<Close> {
        let mut from = today.0.saturating_sub(Self::days_before(days).max(sum.days_kept() - 1));
        for bound in [sum.covered_from(), watched_since].into_iter().flatten() {
            from = from.max(bound.0);
        }
        let mut closes = sum.closes(Day(from.min(today.0)), today);
        // An area that nobody ever watched has no days. One whose first day is before those that are read is known on all.
        if watched_since.is_none() && !closes.iter().any(is_observed) {
            closes.clear();
        }
        closes
    }

    /// The mix-adjusted index of the last days, for a view that shows nothing else: as in [`DayView`].
    pub(super) fn price_index(sum: Sum<'_>, today: Day, days: u16) -> Vec<(Day, f64)> {
        let watched_since = sum.first_day();
        let closes = Self::closes(sum, watched_since, today, days);
        let shown: Vec<Day> = closes.iter().rev().take(days.into()).rev().map(|close| close.day).collect();
        let log_prices = log_prices_of(sum, &closes, shown.iter().copied());
        let series = Self { closes, medians: Vec::new(), log_prices, watched_since, now: Stock::default() };
        let Some(base) = series.base(shown.iter().copied()) else { return Vec::new() };
        shown.into_iter().filter_map(|day| Some((day, series.price_index_of(base, day)?))).collect()
    }

    /// The first of these days on which the index is known.
    fn base(&self, mut days: impl Iterator<Item = Day>) -> Option<Day> {
        days.find(|day| self.index(*day, *day).is_some())
    }

    /// 100 on the day `base`.
    fn price_index_of(&self, base: Day, day: Day) -> Option<f64> {
        Some((self.index(base, day)?.value * 10_000.0).round() / 100.0)
    }

    /// The views of the last days.
    pub(super) fn days(&self, days: u16, terms: Terms) -> Vec<DayView> {
        let shown = self.closes.len().min(usize::from(days));
        let before = self.closes.len() - shown;
        let base = self.base(self.closes[before..].iter().map(|close| close.day));
        let days = self.closes[before..].iter().zip(&self.medians).enumerate();
        let day = |(at, (close, medians)): (usize, (&Close, &PooledMedians))| {
            let price_index = base.and_then(|base| self.price_index_of(base, close.day));
            DayView { price_index, ..self.day(close, before + at, *medians, terms) }
        };
        days.map(day).collect()
    }

    /// The mix-adjusted index of list prices of a day.
    fn index(&self, base: Day, day: Day) -> Option<PriceIndex> {
        self.log_prices.get(&day)?.index(self.log_prices.get(&base)?)
    }

    fn day(&self, close: &Close, at: usize, medians: PooledMedians, terms: Terms) -> DayView {
        let major = |minor: Option<f64>| minor.map(|minor| terms.major(minor));
        let pooled = |window: usize| {
            let is_known = usize::try_from(AVERAGE_DAYS[window]).is_ok_and(|days| at + 1 >= days);
            major(medians[window].filter(|_| is_known))
        };
        DayView {
            day: close.day.to_string(),
            active: close.active,
            unconfirmed: close.unconfirmed,
            priced: close.priced,
            median_price: major(close.median_price),
            median_price_interval: close
                .median_interval
                .map(|ends| ConfidenceInterval::of(ends, |end| terms.major(end))),
            mean_price: major(close.mean_price),
            median_price_7_days: pooled(0),
            median_price_28_days: pooled(1),
            median_price_91_days: pooled(2),
            price_index: None,
            warming_up: self.is_warming_up(close.day),
            flows: close.flows,
            reference: BTreeMap::new(),
        }
    }

    /// The changes since the days of [`CHANGE_DAYS`] that were observed.
    pub(super) fn changes(&self, today: Day, terms: Terms) -> Vec<ChangeView> {
        CHANGE_DAYS.into_iter().filter_map(|days| self.change(today, days, terms)).collect()
    }

    fn change(&self, today: Day, days: i32, terms: Terms) -> Option<ChangeView> {
        let now = self.closes.last().filter(|last| last.day == today)?;
        let then = self.closes.iter().rfind(|close| close.day.0 == today.0 - days)?;
        let index = if days > 1 { self.index(then.day, today) } else { None };
        Some(ChangeView {
            days,
            since: then.day.to_string(),
            active: then.active,
            #[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
            active_change: relative(Some(then.active as f64), Some(now.active as f64)),
            priced: then.priced,
            median_price: then.median_price.map(|minor| terms.major(minor)),
            median_price_change: relative(then.median_price, now.median_price),
            median_price_change_interval: self.median_interval(then, now, days),
            mix_adjusted_change_interval: index.and_then(|index| {
                let reach = Z95 * self.index_deviation(then.day, today, days)?;
                let log = index.value.ln();
                Some(ConfidenceInterval::of([log - reach, log + reach], |log| rounded(log.exp_m1())))
            }),
            mix_adjusted_change: index.and_then(|index| relative(Some(1.0), Some(index.value))),
            mix_matched_share: index.map(|index| (index.matched_share * 10_000.0).round() / 10_000.0),
            thin: then.priced.min(now.priced) < THIN || self.is_warming_up(then.day),
        })
    }

    /// The 95 % interval of the change of the median between two closes.
    fn median_interval(&self, then: &Close, now: &Close, days: i32) -> Option<ConfidenceInterval> {
        let of = |close: &Close| Some((close.median_price?, close.median_interval?));
        let common = self.now.common(days).min(then.priced).min(now.priced);
        let ends = change_interval(of(then)?, of(now)?, [then.priced, now.priced], common, RELATIVE_ERROR)?;
        Some(ConfidenceInterval::of(ends, rounded))
    }

    /// The standard deviation of the logarithm of the index between two days, because of sampling.
    ///
    /// Prices of 28 days that end with a day less than 28 days after another such end share most of their days: the change is
    /// then that part of the change of single days 28 days apart.
    #[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
    fn index_deviation(&self, then: Day, now: Day, days: i32) -> Option<f64> {
        let (base, prices) = (self.log_prices.get(&then)?, self.log_prices.get(&now)?);
        let [before, after] = prices.index(base)?.homes;
        let common = self.now.common(days.max(INDEX_DAYS)) as f64;
        let correlation = common / (before * after).sqrt();
        let deviation = prices.index_deviation(base, |kind| self.now.prices.log_variance(kind), correlation)?;
        Some(deviation * f64::from(days.min(INDEX_DAYS)) / f64::from(INDEX_DAYS))
    }

    fn is_warming_up(&self, day: Day) -> bool {
        self.watched_since.is_some_and(|first| day.0 < first.0 + WARM_UP_DAYS)
    }
}

/// The change of a sum in the `days` days to `today`; `None` if it was first observed later.
pub(super) fn change(sum: Sum<'_>, today: Day, days: i32, currency: Currency, unit: AreaUnit) -> Option<ChangeView> {
    let mut closes = sum.closes(Day(today.0.saturating_sub(days + INDEX_DAYS - 1)), today);
    // Of a sum that is older than its single days, the first one is unknown.
    let watched_since = sum.first_day();
    if watched_since.is_some_and(|first| first.0 > today.0.saturating_sub(days)) {
        return None;
    }
    closes.retain(|close| watched_since.is_none_or(|first| first <= close.day));
    let log_prices = log_prices_of(sum, &closes, [Day(today.0 - days), today]);
    let series = Series { closes, medians: Vec::new(), log_prices, watched_since, now: Stock::of(sum, today) };
    series.change(today, days, Terms { currency, unit })
}

/// The log prices of these days, for those of which [`INDEX_DAYS`] days are known: the days of `closes`.
fn log_prices_of(sum: Sum<'_>, closes: &[Close], days: impl IntoIterator<Item = Day>) -> BTreeMap<Day, LogPrices> {
    let Some((first, last)) = closes.first().zip(closes.last()) else { return BTreeMap::new() };
    let known = first.day.0.saturating_add(INDEX_DAYS - 1)..=last.day.0;
    let mut days: Vec<Day> = days.into_iter().filter(|day| known.contains(&day.0)).collect();
    days.sort_unstable();
    days.dedup();
    let prices = sum.log_prices(&days);
    days.into_iter().zip(prices).collect()
}

/// The median; the slice is sorted.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

/// The relative change, to a hundredth of a percent.
fn relative(then: Option<f64>, now: Option<f64>) -> Option<f64> {
    let (then, now) = (then.filter(|then| *then > 0.0)?, now?);
    Some(rounded(now / then - 1.0))
}

/// A share to a hundredth of a percent. Adding zero makes a negative zero a plain one.
fn rounded(share: f64) -> f64 {
    (share * 10_000.0).round() / 10_000.0 + 0.0
}

/// Whether the market was observed on a day.
fn is_observed(close: &Close) -> bool {
    close.active != 0 || close.flows != Flows::default()
}
