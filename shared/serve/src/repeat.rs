//! The repeat-listing index of a view.

use serde::Serialize;
use stoop_domain::Day;
use stoop_market::{RepeatMonth, WIDE_SERIES_DAYS};

use super::sum::Sum;

/// A month of the repeat-listing index.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RepeatMonthView {
    /// The month, `2026-01`.
    pub month: String,
    /// First asking prices of the same homes: 100 in the first month. `None` if no chain of homes connects both.
    pub index: Option<f64>,
    /// Pairs of listings of a home of which one is of this month.
    pub pairs: i64,
    /// Whether they are too few to say much.
    pub thin: bool,
}

/// A month with fewer pairs is thin.
const THIN_PAIRS: i64 = 5;

/// The days of the second listings that an index has, for a view with this many daily closes: the index needs a sum with
/// the closes of so many days.
#[must_use]
pub fn repeat_days(days: u16) -> u16 {
    days.max(WIDE_SERIES_DAYS)
}

/// The repeat-listing index on a day, of homes listed again in the months of the last days ([`repeat_days`] of `days`).
pub(super) fn repeat_index(sum: Sum<'_>, today: Day, days: u16) -> Vec<RepeatMonthView> {
    let since = Day(today.0.saturating_sub(i32::from(repeat_days(days)) - 1));
    let view = |RepeatMonth { month, index, pairs }: RepeatMonth| RepeatMonthView {
        month: month.to_string(),
        index: index.map(|index| (index * 100.0).round() / 100.0),
        pairs,
        thin: pairs < THIN_PAIRS,
    };
    sum.repeat_pairs(since, today).index().into_iter().map(view).collect()
}
