use jiff::tz::TimeZone;
use serde::Serialize;
use stoop_domain::Time;

use crate::catalogue::Values;
use crate::cells::Cells;
use crate::flows::{Flows, Window};
use crate::grain::Grain;
use crate::key::Segment;
use crate::kind::Quantity;
use crate::measures::{Kept, Measures};

/// The version of the definitions of figures in `docs/METRICS.md`.
pub const CATALOGUE_VERSION: u32 = 3;

/// A figure of fewer homes is thin: one home more or less may change it a lot.
pub const THIN_SAMPLE: i64 = 10;

/// The length of the warm-up, in days from the first day of a market. Homes that were on offer before are still being
/// found, so figures that include these days are marked as warming up.
pub const WARM_UP_DAYS: i32 = 7;

/// The figures of one segment of a market. Prices are in minor units. `None` if no home has the value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Active stock.
    pub active: i64,
    /// The part of `active` that is unconfirmed.
    pub unconfirmed: i64,
    /// The part of `active` that has a price.
    pub priced: i64,
    /// Median list price.
    pub median_price: Option<f64>,
    /// Mean list price.
    pub mean_price: Option<f64>,
    /// Lower quartile of list prices.
    pub p25_price: Option<f64>,
    /// Upper quartile of list prices.
    pub p75_price: Option<f64>,
    /// Lowest list price: the lower end of its bucket, at most 0.2 % too low.
    pub min_price: Option<f64>,
    /// Highest list price: the upper end of its bucket, at most 0.2 % too high.
    pub max_price: Option<f64>,
    /// The part of `active` that has a price and a living area.
    pub priced_per_area: i64,
    /// Median list price per living area, in minor units per square metre.
    pub median_price_per_m2: Option<f64>,
    /// Median days since the beginning of the spell.
    pub median_age_days: Option<f64>,
    /// Share (0 to 1) of priced active homes below their original price.
    pub cut_share: Option<f64>,
    /// Number of active homes below their original price.
    pub cut: i64,
    /// Median of those cuts, as a fraction of the original price.
    pub median_cut: Option<f64>,
    /// Events of the last 24 hours. `None` if the state no longer has those hours.
    pub last_24_hours: Option<Flows>,
    /// Events of the last 7 days.
    pub last_7_days: Flows,
    /// Events of the last 28 days.
    pub last_28_days: Flows,
    /// Events of the last 90 days.
    pub last_90_days: Flows,
    /// The other figures of the [`crate::CATALOGUE`].
    #[serde(skip)]
    pub values: Values,
}

/// The figures of a market at a moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// The version of the definitions ([`CATALOGUE_VERSION`]).
    pub catalogue_version: u32,
    pub as_of: Time,
    pub all: Figures,
    /// Each property type and number of bedrooms that the market has or had, by name.
    pub segments: Vec<(String, Figures)>,
}

/// The figures of a market at `now`: a pure function of state and time. The stock is that of the end of the day of
/// `now`, as far as it is known.
#[must_use]
pub fn snapshot(cells: &Cells, now: Time, zone: &TimeZone) -> Snapshot {
    let parts = cells.segments().into_iter();
    Snapshot {
        catalogue_version: CATALOGUE_VERSION,
        as_of: now,
        all: Figures::of(cells, Segment::All, now, zone),
        segments: parts.map(|segment| (segment.label(), Figures::of(cells, segment, now, zone))).collect(),
    }
}

impl Figures {
    /// The flows of a window. `None` if the state no longer has them.
    #[must_use]
    pub fn flows(&self, window: Window) -> Option<&Flows> {
        match window {
            Window::Hours24 => self.last_24_hours.as_ref(),
            Window::Days7 => Some(&self.last_7_days),
            Window::Days28 => Some(&self.last_28_days),
            Window::Days90 => Some(&self.last_90_days),
        }
    }

    /// The figures of one segment.
    #[must_use]
    pub fn of(cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        Self::of_sums(Grain::Fine, Kept::Whole, cells, segment, now, zone)
    }

    /// The figures of one segment of sums with prices of this grain.
    pub(crate) fn of_sums(
        grain: Grain,
        kept: Kept,
        cells: &Cells,
        segment: Segment,
        now: Time,
        zone: &TimeZone,
    ) -> Self {
        let today = now.day_in(zone);
        let sums = Measures::of(cells, kept, segment, today);
        let [last_7_days, last_28_days, last_90_days] = [0, 1, 2].map(|window| sums.windows[window].flows);
        let figures = Self { last_7_days, last_28_days, last_90_days, ..sums.stock.figures(today, grain) };
        Self { last_24_hours: hours_24(cells, segment, now), values: Values::of(&sums), ..figures }
    }
}

/// Whether a state still has the hours of the 24 hours before `now`.
#[must_use]
pub fn tells_hours(cells: &Cells, now: Time) -> bool {
    let first = now.hour().0 - Window::Hours24.span() + 1;
    cells.horizon().is_none_or(|horizon| first >= horizon.hours.0.saturating_mul(24))
}

/// Events of the current UTC hour and the 23 before it.
fn hours_24(cells: &Cells, segment: Segment, now: Time) -> Option<Flows> {
    if !tells_hours(cells, now) {
        return None;
    }
    let last = now.hour().0;
    let first = last - Window::Hours24.span() + 1;
    let mut flows = Flows::default();
    for (key, value) in cells.of(segment, Quantity::Hour).filter(|(key, _)| (first..=last).contains(&key.hour_of())) {
        flows.add(segment, key, value);
    }
    Some(flows)
}
