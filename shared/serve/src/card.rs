use serde::Serialize;
use stoop_domain::{Day, Time, country};

use super::days::Series;
use super::figures::Terms;
use super::{ChangeView, Comparisons, DayView, MarketRow, Sum};

/// An area in short: its figures, how they changed, how they compare with its past, and its last days.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaCard {
    /// The area and its figures.
    #[serde(flatten)]
    pub row: MarketRow,
    /// See [`super::MarketView::changes`].
    pub changes: Vec<ChangeView>,
    /// See [`super::MarketView::comparisons`].
    #[serde(skip)]
    pub comparisons: Comparisons,
    /// See [`super::MarketView::days`].
    pub days: Vec<DayView>,
}

impl AreaCard {
    /// The card of an area at `now`, with the closes of the last `days` days.
    #[must_use]
    pub fn of(row: MarketRow, sum: Sum<'_>, now: Time, days: u16) -> Self {
        let country = country(&row.path);
        let terms = Terms { currency: row.currency, unit: country.area_unit };
        let today = now.day_in(&country.zone);
        let day_is_over = now.plus_ms(1).day_in(&country.zone) != today;
        let series = Series::of(sum, today, days);
        Self {
            row: row.with_figures(sum, now),
            changes: series.changes(today, terms),
            comparisons: series.comparisons(if day_is_over { today } else { Day(today.0 - 1) }),
            days: series.days(days, terms),
        }
    }

    /// The change since this many days before, if that day was observed.
    #[must_use]
    pub fn change(&self, days: i32) -> Option<&ChangeView> {
        self.changes.iter().find(|change| change.days == days)
    }
}
