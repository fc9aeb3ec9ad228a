//! What is unusual for an area in the last week, by its own past: few false flags, and how many is stated.
//!
//! The value of a week is compared with the median of the 8 weeks before, and the difference with the differences of
//! earlier weeks from their own 8 weeks before: what usually misses by a lot says little when it misses again. The scale
//! is 1.4826 times the median of those absolute differences, which for a normal distribution is a standard deviation, but
//! never less than what counting or sampling alone explains. The probability of such a difference without news is that of
//! Student's t distribution. All figures of an area, or of all areas of a page, share the probability of one false flag in
//! ten weeks (Bonferroni's bound, which holds however they depend on each other).

use serde::Serialize;
use stoop_domain::Day;
use stoop_market::{Close, Flows, Z95};

use super::Series;
use crate::ConfidenceInterval;

/// A figure of this area that is unusual for it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnusualView {
    /// The figure: a kind of event in 7 days, `active_change` (of homes in 7 days), or `mix_adjusted_change` (of prices
    /// against 28 days before).
    pub figure: &'static str,
    /// Its value.
    pub value: f64,
    /// The median of the same figure over the 8 weeks before.
    pub usual: f64,
    /// Where it lies in 19 of 20 weeks.
    pub usual_interval: ConfidenceInterval,
    /// The number of earlier weeks that say so.
    pub weeks: usize,
    /// The probability of a value at least as far off in a week without news.
    pub probability: f64,
    /// Whether it is lower or higher than usual.
    pub is: Usual,
}

/// Which way a value is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Usual {
    /// Lower than usual.
    Low,
    /// Higher than usual.
    High,
}

/// What was compared with the past, whether it is unusual or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparisons(Vec<UnusualView>);

/// The expected number of false flags in a week, of everything that is looked at together.
pub const FALSE_FLAGS: f64 = 0.1;

const WEEK: usize = 7;
const DAYS: i32 = 7;
/// The days over which prices are compared, a whole number of weeks.
const MONTH: i32 = 28;
const MONTH_WEEKS: usize = 4;
/// The weeks before a week that say what is usual for it.
const BEFORE: usize = 8;
/// The fewest and the most earlier weeks whose differences make the scale.
const DIFFERENCES: [usize; 2] = [8, 44];
/// A median absolute deviation of a normal distribution is a standard deviation divided by this.
const NORMAL: f64 = 1.482_6;
/// The standard deviation of the difference between a value and the median of 8 others, each of deviation 1:
/// sqrt(1 + pi / (2 * 8)).
const OF_DIFFERENCE: f64 = 1.093_8;
/// What a difference is worth in degrees of freedom: a median absolute deviation is 37 % efficient.
const FREEDOM: f64 = 0.4;
/// Smaller effects are no news, however certain: a fifth of the usual count and five events, or 1 % of prices.
const COUNT_MIN: f64 = 5.0;
const COUNT_SHARE_MIN: f64 = 0.2;
const PRICE_MIN: f64 = 0.01;

/// A figure by week, the last one first, on a scale on which all weeks vary alike.
struct Weeks {
    figure: &'static str,
    values: Vec<f64>,
    /// What counting or sampling alone explains: a standard deviation.
    floor: f64,
    /// From that scale to the value that is shown.
    shown: fn(f64, f64) -> f64,
    /// The parameter of `shown`.
    unit: f64,
}

impl Comparisons {
    /// What is unusual of these, if nothing else is looked at.
    #[must_use]
    pub fn unusual(&self) -> Vec<UnusualView> {
        Self::of_all([self]).into_iter().map(|(_, view)| view.clone()).collect()
    }

    /// What is unusual of several areas that are looked at together, each with the index of its area; the least probable
    /// first.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "some hundred figures")]
    pub fn of_all<'a>(areas: impl IntoIterator<Item = &'a Self>) -> Vec<(usize, &'a UnusualView)> {
        let all = areas.into_iter().enumerate().flat_map(|(at, area)| area.0.iter().map(move |view| (at, view)));
        let all: Vec<(usize, &UnusualView)> = all.collect();
        let bound = FALSE_FLAGS / all.len().max(1) as f64;
        let is_news = |view: &UnusualView| view.probability <= bound && is_large(view);
        let mut unusual: Vec<(usize, &UnusualView)> = all.into_iter().filter(|(_, view)| is_news(view)).collect();
        unusual.sort_by(|(_, a), (_, b)| a.probability.total_cmp(&b.probability));
        unusual
    }

    /// How many figures were compared: too little past is known for others.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether too little past is known for all of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The number of some events of a day.
type Count = fn(&Flows) -> i64;

/// Whether the difference would matter if it is true.
fn is_large(view: &UnusualView) -> bool {
    let difference = (view.value - view.usual).abs();
    match view.figure {
        "mix_adjusted_change" => difference >= PRICE_MIN,
        "active_change" => difference >= COUNT_MIN,
        _ => difference >= COUNT_MIN.max(COUNT_SHARE_MIN * view.usual),
    }
}

impl Series {
    /// Compares the 7 days that end with `last`, the last day that is over, with the past. A day that is not over has fewer
    /// events than others.
    pub(crate) fn comparisons(&self, last: Day) -> Comparisons {
        let Some(end) = self.closes.iter().rposition(|close| close.day == last) else { return Comparisons::default() };
        let closes = &self.closes[..=end];
        let warm = closes.iter().position(|close| !self.is_warming_up(close.day)).unwrap_or(closes.len());
        let closes = &closes[warm..];
        let counts: [(&'static str, Count); 7] = [
            ("new", |flows| flows.new),
            ("back_on_market", |flows| flows.back_on_market + flows.relisted),
            ("pending", |flows| flows.pending),
            ("gone", |flows| flows.gone),
            ("sold", |flows| flows.sold),
            ("price_cuts", |flows| flows.price_cuts),
            ("price_rises", |flows| flows.price_rises),
        ];
        let counts = counts.into_iter().map(|(figure, of)| events(figure, closes, of));
        let others = [stock(closes)].into_iter().chain(self.prices(closes));
        Comparisons(counts.chain(others).filter_map(|weeks| weeks.compare()).collect())
    }

    /// The change of prices at a constant mix against 28 days before, by week.
    fn prices(&self, closes: &[Close]) -> Option<Weeks> {
        let last = closes.last()?.day.0;
        let change = |week: i32| {
            let day = last - week * DAYS;
            Some(self.index(Day(day - MONTH), Day(day))?.value - 1.0)
        };
        let values: Vec<f64> = (0..super::COMPARED_WEEKS).map_while(change).collect();
        let deviation = self.index_deviation(Day(last - MONTH), Day(last), MONTH)?;
        Some(Weeks {
            figure: "mix_adjusted_change",
            values,
            floor: deviation.max(PRICE_MIN / 4.0),
            shown: |value, _| value,
            unit: 1.0,
        })
    }
}

/// The number of events of each week. Twice the square root of a number of events has a standard deviation of 1, whatever
/// the number (Anscombe, *Biometrika* 35, 1948).
#[expect(clippy::cast_precision_loss, reason = "numbers of events")]
fn events(figure: &'static str, closes: &[Close], of: Count) -> Weeks {
    let count = |week: &[Close]| week.iter().map(|close| of(&close.flows)).sum::<i64>().max(0) as f64;
    Weeks {
        figure,
        values: closes.rchunks_exact(WEEK).map(|week| 2.0 * (count(week) + 0.375).sqrt()).collect(),
        floor: 1.0,
        shown: |value, _| (value * value / 4.0 - 0.375).max(0.0),
        unit: 1.0,
    }
}

/// The change of the stock in each week, in units of what counting entries and exits explains.
#[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
fn stock(closes: &[Close]) -> Weeks {
    let of = |count: Count| move |week: &[Close]| week.iter().map(|close| count(&close.flows)).sum::<i64>();
    let (entries, exits) = (of(Flows::entries), of(Flows::exits));
    let weeks: Vec<(i64, i64)> = closes.rchunks_exact(WEEK).map(|week| (entries(week), exits(week))).collect();
    let mut moves: Vec<f64> =
        weeks.iter().skip(1).take(BEFORE).map(|(entries, exits)| (entries + exits) as f64).collect();
    let unit = if moves.is_empty() { 1.0 } else { (super::median(&mut moves) + 1.0).sqrt() };
    Weeks {
        figure: "active_change",
        values: weeks.into_iter().map(|(entries, exits)| (entries - exits) as f64 / unit).collect(),
        floor: 1.0,
        shown: |value, unit| value * unit,
        unit,
    }
}

impl Weeks {
    /// Compares the last week with those before. `None` if too few are known.
    #[expect(clippy::cast_precision_loss, reason = "numbers of weeks")]
    fn compare(&self) -> Option<UnusualView> {
        let [least, most] = DIFFERENCES;
        // Prices against 28 days before share days with those of the last four weeks.
        let apart = if self.figure == "mix_adjusted_change" { MONTH_WEEKS } else { 1 };
        let usual_at = |week: usize| {
            let before = self.values.get(week + apart..week + apart + BEFORE)?;
            Some(super::median(&mut before.to_vec()))
        };
        let difference = |week: usize| Some(self.values.get(week)? - usual_at(week)?);
        let earlier: Vec<f64> = (1..=most).map_while(difference).collect();
        if earlier.len() < least {
            return None;
        }
        let (value, usual) = (*self.values.first()?, usual_at(0)?);
        let mut distances: Vec<f64> = earlier.iter().map(|it| it.abs()).collect();
        let scale = (NORMAL * super::median(&mut distances)).max(OF_DIFFERENCE * self.floor);
        let off = less_last_year(value - usual, &[51, 52, 53].map(difference));
        let freedom = (FREEDOM * earlier.len() as f64 / apart as f64).max(3.0);
        let shown = |value: f64| (self.shown)(value, self.unit);
        let reach = Z95 * scale;
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        Some(UnusualView {
            figure: self.figure,
            value: rounded(shown(value)),
            usual: rounded(shown(usual)),
            usual_interval: ConfidenceInterval::of([usual - reach, usual + reach], |end| rounded(shown(end))),
            weeks: earlier.len(),
            probability: two_sided(off / scale, freedom),
            is: if value < usual { Usual::Low } else { Usual::High },
        })
    }
}

/// A difference less what came in the same weeks of the last year, if that is known: a week of holidays is no news.
fn less_last_year(difference: f64, last_year: &[Option<f64>; 3]) -> f64 {
    let alike = last_year.iter().flatten().filter(|it| it.signum() == difference.signum());
    let most = alike.map(|it| it.abs()).fold(0.0, f64::max);
    difference.signum() * (difference.abs() - most).max(0.0)
}

/// The probability that a variable of Student's t distribution lies at least so far from 0.
fn two_sided(t: f64, freedom: f64) -> f64 {
    // Wallace's transformation to a normal variable (*Annals of Mathematical Statistics* 30, 1959).
    let z = (freedom * (t * t / freedom).ln_1p()).sqrt() * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0);
    erfc(z / std::f64::consts::SQRT_2)
}

/// The complementary error function of a number that is not negative, to a relative error of 1.2e-7 (Press et al.,
/// *Numerical Recipes*, 2nd ed., 1992, section 6.2).
fn erfc(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let t = 1.0 / (1.0 + 0.5 * x);
    let polynomial = COEFFICIENTS.iter().fold(0.0, |sum, coefficient| sum * t + coefficient);
    t * (-x * x + polynomial).exp()
}

#[cfg(test)]
mod tests;
