use serde::Serialize;

use crate::flows::{Flows, Window};

/// A figure of fewer homes is thin: one home more or less may change it a lot.
pub const THIN_SAMPLE: i64 = 10;

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
    /// Lowest list price.
    pub min_price: Option<f64>,
    /// Highest list price.
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

/// Figures of the [`crate::CATALOGUE`] that have no field of [`Figures`] or [`Flows`], and the intervals of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    pub(crate) moment: Vec<Option<f64>>,
    /// [`Window::OF_DAYS`].
    pub(crate) windows: [Vec<Option<f64>>; 3],
    /// Of all figures of the moment, in the order of the catalogue.
    pub(crate) moment_intervals: Vec<Option<[f64; 2]>>,
    /// Of all figures of windows, in that order.
    pub(crate) window_intervals: [Vec<Option<[f64; 2]>>; 3],
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
}
