use jiff::tz::TimeZone;
use serde::Serialize;
use stoop_domain::Time;

use crate::catalogue::values;
use crate::cells::Cells;
use crate::figures::Figures;
use crate::flows::{Flows, Window};
use crate::kind::Quantity;
use crate::measures::{KeptSums, Measures};
use crate::segment::Segment;

/// The version of the definitions of figures in `docs/METRICS.md`.
pub const CATALOGUE_VERSION: u32 = 5;

/// The length of the warm-up, in days from the first day of a market. Homes that were on offer before are still being
/// found, so figures that include these days are marked as warming up.
pub const WARM_UP_DAYS: i32 = 7;

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
    /// The figures of one segment.
    #[must_use]
    pub fn of(cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        Self::of_sums(KeptSums::Whole, cells, segment, now, zone)
    }

    /// The figures of one segment of sums.
    pub(crate) fn of_sums(kept: KeptSums, cells: &Cells, segment: Segment, now: Time, zone: &TimeZone) -> Self {
        let today = now.day_in(zone);
        let sums = Measures::of(cells, kept, segment, today);
        let [last_7_days, last_28_days, last_90_days] = [0, 1, 2].map(|window| sums.windows[window].flows);
        let figures = Self { last_7_days, last_28_days, last_90_days, ..sums.stock.figures(today) };
        Self { last_24_hours: hours_24(cells, segment, now), values: values(&sums), ..figures }
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
