//! What a daily series shows: closes, moving averages, changes, and what is unusual.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::{AreaUnit, Currency, Day};
use stoop_market::{AVERAGE_DAYS, Close, Flows, INDEX_DAYS, LogPrices, PooledMedians, PriceIndex, WARM_UP_DAYS};

use super::figures::Terms;
use super::sum::Sum;

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
    /// The change of list prices over 28 days at the same mix of property types and bedrooms. `None` over one day, if
    /// 28 days are not known on both sides, or if less than half of the homes are comparable.
    pub mix_adjusted_change: Option<f64>,
    /// The share of homes that it compares: of both sides, the lower one.
    pub mix_matched_share: Option<f64>,
    /// Whether either sample is thin, or the earlier day was one of the first observed days.
    pub thin: bool,
}

/// A figure of this area that is unusual for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnusualView {
    /// The figure.
    pub figure: &'static str,
    /// The value of the last 7 days, or for a change of the last 28.
    pub value: f64,
    /// The median of the same figure over the earlier weeks.
    pub usual: f64,
    /// Their median absolute deviation from it.
    pub deviation: f64,
    /// The number of earlier weeks.
    pub weeks: usize,
    /// How unusual it is.
    pub is: Usual,
}

/// How a value compares with earlier ones: its distance from their median in units of 1.4826 median absolute
/// deviations, which for a normal distribution is one standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Usual {
    /// More than 3.5 below.
    VeryLow,
    /// More than 2 below.
    Low,
    /// More than 2 above.
    High,
    /// More than 3.5 above.
    VeryHigh,
}

/// The days before, to which the changes refer.
pub(super) const CHANGE_DAYS: [i32; 5] = [1, 7, 28, 91, 365];

/// The weeks before that say what is usual, and the fewest that do.
const WEEKS: [usize; 2] = [52, 12];
const WEEK: usize = 7;
/// The days over which a change of price is compared with earlier ones.
const MONTH: usize = 28;
/// A median absolute deviation of a normal distribution is a standard deviation divided by this.
const NORMAL: f64 = 1.482_6;
const UNUSUAL: f64 = 2.0;
const VERY_UNUSUAL: f64 = 3.5;
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
}

impl Series {
    /// The days before the day of a view, with the closes of `days` days, that it needs.
    pub(super) fn days_before(days: u16) -> i32 {
        let averages = i32::from(days) + AVERAGE_DAYS[AVERAGE_DAYS.len() - 1];
        averages.max(CHANGE_DAYS[CHANGE_DAYS.len() - 1] + i32::try_from(MONTH).unwrap_or_default())
    }

    pub(super) fn of(sum: Sum<'_>, today: Day, days: u16) -> Self {
        let watched_since = sum.first_day();
        let mut from = today.0.saturating_sub(Self::days_before(days));
        for bound in [sum.covered_from(), watched_since].into_iter().flatten() {
            from = from.max(bound.0);
        }
        let mut closes = sum.closes(Day(from.min(today.0)), today);
        let first = closes.iter().position(is_observed).unwrap_or(closes.len());
        closes.drain(..first);
        let shown = closes.len().min(usize::from(days));
        let medians = match closes.get(closes.len() - shown) {
            Some(first) => sum.pooled_medians(first.day, today),
            None => Vec::new(),
        };
        let shown = closes[closes.len() - shown..].iter().map(|close| close.day);
        let log_prices = log_prices_of(sum, &closes, shown.chain(CHANGE_DAYS.map(|days| Day(today.0 - days))));
        Self { closes, medians, log_prices, watched_since }
    }

    /// The views of the last days.
    pub(super) fn days(&self, days: u16, terms: Terms) -> Vec<DayView> {
        let shown = self.closes.len().min(usize::from(days));
        let before = self.closes.len() - shown;
        let base = self.closes[before..].iter().find_map(|close| self.index(close.day, close.day).map(|_| close.day));
        let days = self.closes[before..].iter().zip(&self.medians).enumerate();
        let day = |(at, (close, medians)): (usize, (&Close, &PooledMedians))| {
            let index = base.and_then(|base| self.index(base, close.day));
            let price_index = index.map(|index| (index.value * 10_000.0).round() / 100.0);
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
            mix_adjusted_change: index.and_then(|index| relative(Some(1.0), Some(index.value))),
            mix_matched_share: index.map(|index| (index.matched_share * 10_000.0).round() / 10_000.0),
            thin: then.priced.min(now.priced) < THIN || self.is_warming_up(then.day),
        })
    }

    /// What is unusual in the 7 days that end with `last`, the last day that is over: events of a week against those of
    /// earlier weeks, the stock against that at the end of earlier weeks, and the change of the median price in 28 days
    /// against earlier ones. A day that is not over has fewer events than others.
    #[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
    pub(super) fn unusual(&self, last: Day) -> Vec<UnusualView> {
        let Some(end) = self.closes.iter().rposition(|close| close.day == last) else { return Vec::new() };
        let closes = &self.closes[..=end];
        let warm = closes.iter().position(|close| !self.is_warming_up(close.day)).unwrap_or(closes.len());
        let closes = &closes[warm..];
        let flow = |of: fn(&Flows) -> i64| {
            move |end: usize| {
                let week = closes.get((end + 1).checked_sub(WEEK)?..=end)?;
                Some(week.iter().map(|close| of(&close.flows)).sum::<i64>() as f64)
            }
        };
        let stock = |end: usize| Some(closes.get(end)?.active as f64);
        let price =
            |end: usize| relative(closes.get(end.checked_sub(MONTH)?)?.median_price, closes.get(end)?.median_price);
        let figures: [(&'static str, &ValueAt<'_>); 6] = [
            ("active", &stock),
            ("new", &flow(|flows| flows.new)),
            ("pending", &flow(|flows| flows.pending)),
            ("price_cuts", &flow(|flows| flows.price_cuts)),
            ("gone", &flow(|flows| flows.gone)),
            ("median_price_change", &price),
        ];
        figures.into_iter().filter_map(|(figure, of)| unusual(figure, closes.len(), of)).collect()
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
    let series = Series { closes, medians: Vec::new(), log_prices, watched_since };
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

/// A figure by the index of a close; `None` if it is unknown.
type ValueAt<'a> = dyn Fn(usize) -> Option<f64> + 'a;

/// Compares the value at the last of `n` days with those at the end of earlier weeks.
fn unusual(figure: &'static str, n: usize, of: &ValueAt<'_>) -> Option<UnusualView> {
    let last = n.checked_sub(1)?;
    let value = of(last)?;
    let [most, least] = WEEKS;
    let mut earlier: Vec<f64> = (1..=most).map_while(|week| last.checked_sub(week * WEEK)).filter_map(of).collect();
    if earlier.len() < least {
        return None;
    }
    let usual = median(&mut earlier);
    let mut distances: Vec<f64> = earlier.iter().map(|value| (value - usual).abs()).collect();
    let deviation = median(&mut distances);
    let z = (value - usual) / (deviation * NORMAL);
    // Equal values in most weeks: any other one is unusual, but how much is unknown.
    let z = if deviation > 0.0 { z } else { (value - usual).signum() * UNUSUAL * 1.5 };
    let is = match z {
        z if value == usual || z.abs() <= UNUSUAL => return None,
        z if z < -VERY_UNUSUAL => Usual::VeryLow,
        z if z < 0.0 => Usual::Low,
        z if z > VERY_UNUSUAL => Usual::VeryHigh,
        _ => Usual::High,
    };
    Some(UnusualView { figure, value, usual, deviation, weeks: earlier.len(), is })
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
    Some(((now / then - 1.0) * 10_000.0).round() / 10_000.0)
}

/// Whether the market was observed on a day.
fn is_observed(close: &Close) -> bool {
    close.active != 0 || close.flows != Flows::default()
}
