use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stoop_domain::Day;

use crate::cells::{Cells, HORIZON_DAYS};
use crate::histogram::{Bucket, Histogram};
use crate::key::{Key, Measure, Segment};
use crate::snapshot::Flows;

/// The close of one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Close {
    /// The civil day in the market's time zone.
    pub day: Day,
    /// Active inventory at its end.
    pub active: i64,
    /// Median list price at its end, in minor units.
    pub median_price: Option<f64>,
    /// Mean list price at its end, in minor units.
    pub mean_price: Option<f64>,
    /// What happened on it.
    #[serde(flatten)]
    pub flows: Flows,
}

/// The closes of the days `from..=until`, one for each day, read from the state in one sweep.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
pub fn closes(cells: &Cells, segment: Segment, from: Day, until: Day) -> Vec<Close> {
    let mut changes: BTreeMap<i32, Vec<(Measure, Key, i64)>> = BTreeMap::new();
    for measure in [Measure::Active, Measure::Price, Measure::PriceSum] {
        for (key, value) in cells.range(segment, measure, until.0) {
            changes.entry(key.time().max(from.0)).or_default().push((measure, key, value));
        }
    }
    for (key, value) in cells.range_between(segment, Measure::FlowDay, from.0, until.0) {
        changes.entry(key.time()).or_default().push((Measure::FlowDay, key, value));
    }
    let (mut active, mut price_sum, mut prices) = (0, 0_i64, Histogram::default());
    let mut series = Vec::new();
    for day in from.0..=until.0 {
        let mut flows = Flows::default();
        for (measure, key, value) in changes.remove(&day).unwrap_or_default() {
            match measure {
                Measure::Active => active += value,
                Measure::PriceSum => price_sum = price_sum.wrapping_add(value),
                Measure::Price => prices.add(Bucket(key.bucket()), value),
                _ => flows.add(key.bucket(), value),
            }
        }
        let priced = prices.count();
        series.push(Close {
            day: Day(day),
            active,
            median_price: prices.quantile(0.5),
            mean_price: (priced > 0).then(|| price_sum as f64 / priced as f64),
            flows,
        });
    }
    series
}

/// The closes of the days before `day` on which anything changed, for keeping before they are folded.
/// Days that are folded already are not told again.
#[must_use]
pub fn closes_before(cells: &Cells, day: Day) -> Vec<Close> {
    let from = cells.folded_to();
    let measures = [Measure::Active, Measure::Price, Measure::FlowDay];
    let days: BTreeSet<i32> = measures
        .into_iter()
        .flat_map(|measure| cells.range(Segment::All, measure, day.0 - 1))
        .map(|(key, _)| key.time())
        .filter(|time| from.is_none_or(|from| *time >= from.0))
        .collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let mut series = closes(cells, Segment::All, Day(*first), Day(*last));
    series.retain(|close| days.contains(&close.day.0));
    series
}

/// The day to fold to when the newest observation is of `newest`: [`HORIZON_DAYS`] before it, or up to
/// a month more, so that folding is rare.
#[must_use]
pub fn fold_day(newest: Day) -> Day {
    const STEP_DAYS: i32 = 32;
    Day(newest.0.saturating_sub(HORIZON_DAYS).div_euclid(STEP_DAYS) * STEP_DAYS)
}
