#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use stoop_domain::{AreaUnit, Currency, Time};
use stoop_market::{Definition, Figures, Flows, Segment, THIN_SAMPLE, Unit, Window};

use super::ConfidenceInterval;
use super::sum::Sum;

/// See [`Figures`]. Prices are in major units of the currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "as in the figures they come from")]
pub struct FiguresView {
    pub active: i64,
    pub unconfirmed: i64,
    pub priced: i64,
    /// Whether too few homes have a price for meaningful figures ([`stoop_market::THIN_SAMPLE`]).
    pub thin: bool,
    pub median_price: Option<f64>,
    pub mean_price: Option<f64>,
    pub p25_price: Option<f64>,
    pub p75_price: Option<f64>,
    pub min_price: Option<f64>,
    pub max_price: Option<f64>,
    pub priced_per_area: i64,
    pub median_price_per_area: Option<f64>,
    pub median_age_days: Option<f64>,
    pub cut_share: Option<f64>,
    pub cut: i64,
    pub median_cut: Option<f64>,
    /// The other figures of the moment.
    #[serde(flatten)]
    pub values: ValuesView,
    /// The 95 % intervals of the figures of the moment that have one, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<&'static str, ConfidenceInterval>,
    pub last_24_hours: Option<Flows>,
    pub last_7_days: WindowView,
    pub last_28_days: WindowView,
    pub last_90_days: WindowView,
}

/// The figures of a window of days.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WindowView {
    /// The number of events of each kind.
    #[serde(flatten)]
    pub flows: Flows,
    /// The other figures of the window.
    #[serde(flatten)]
    pub values: ValuesView,
    /// The 95 % intervals of the figures of the window that have one, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<&'static str, ConfidenceInterval>,
}

/// Figures by name, in the order of the catalogue.
#[derive(Clone, Debug, Default)]
pub struct ValuesView(Vec<(&'static Definition, Option<f64>)>);

/// The units of figures.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) currency: Currency,
    pub(super) unit: AreaUnit,
}

impl FiguresView {
    /// The figures of a whole market at `now`.
    #[must_use]
    pub fn of(sum: Sum<'_>, now: Time, currency: Currency, unit: AreaUnit, zone: &TimeZone) -> Self {
        Terms { currency, unit }.figures(&sum.figures(Segment::All, now, zone))
    }

    /// A window of days; `None` for the last 24 hours, which have flows only.
    #[must_use]
    pub fn window(&self, window: Window) -> Option<&WindowView> {
        match window {
            Window::Hours24 => None,
            Window::Days7 => Some(&self.last_7_days),
            Window::Days28 => Some(&self.last_28_days),
            Window::Days90 => Some(&self.last_90_days),
        }
    }

    /// The figures of stock and flows only, for a store that pays for every byte.
    #[must_use]
    pub fn without_values(self) -> Self {
        let flows = |window: WindowView| WindowView { flows: window.flows, ..WindowView::default() };
        Self {
            values: ValuesView::default(),
            intervals: BTreeMap::new(),
            last_7_days: flows(self.last_7_days),
            last_28_days: flows(self.last_28_days),
            last_90_days: flows(self.last_90_days),
            ..self
        }
    }
}

impl ValuesView {
    /// The figure of this name; `None` if it is unknown here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(figure, _)| figure.name == name).and_then(|(_, value)| *value)
    }
}

impl PartialEq for ValuesView {
    fn eq(&self, other: &Self) -> bool {
        let values = |view: &Self| view.0.iter().map(|(figure, value)| (figure.name, *value)).collect::<Vec<_>>();
        values(self) == values(other)
    }
}

impl Serialize for ValuesView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (figure, value) in &self.0 {
            match value {
                Some(value) if figure.unit.is_whole() => map.serialize_entry(figure.name, &whole(*value))?,
                value => map.serialize_entry(figure.name, value)?,
            }
        }
        map.end()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a number of homes or events")]
fn whole(count: f64) -> i64 {
    count as i64
}

impl Terms {
    /// Minor units as major ones, rounded to the minor digit.
    pub(super) fn major(self, minor: f64) -> f64 {
        minor.round() / 10_f64.powi(self.currency.minor_digits().cast_signed())
    }

    /// A value in the unit of views.
    fn shown(self, unit: Unit, value: f64) -> f64 {
        match unit {
            Unit::Money => self.major(value),
            Unit::MoneyPerArea => self.major(value * self.unit.square_metres()),
            Unit::Share => rounded(value, 10_000.0),
            Unit::Months => rounded(value, 100.0),
            Unit::Homes | Unit::Events | Unit::Days => value,
        }
    }

    pub(super) fn figures(self, figures: &Figures) -> FiguresView {
        let price = |minor: Option<f64>| minor.map(|minor| self.shown(Unit::Money, minor));
        let share = |share: Option<f64>| share.map(|share| self.shown(Unit::Share, share));
        let window = |window: Window, flows: Flows| WindowView {
            flows,
            values: self.values(figures.values.window(window)),
            intervals: self.intervals(figures, Some(window)),
        };
        FiguresView {
            active: figures.active,
            unconfirmed: figures.unconfirmed,
            priced: figures.priced,
            thin: figures.priced < THIN_SAMPLE,
            median_price: price(figures.median_price),
            mean_price: price(figures.mean_price),
            p25_price: price(figures.p25_price),
            p75_price: price(figures.p75_price),
            min_price: price(figures.min_price),
            max_price: price(figures.max_price),
            priced_per_area: figures.priced_per_area,
            median_price_per_area: figures.median_price_per_m2.map(|price| self.shown(Unit::MoneyPerArea, price)),
            median_age_days: figures.median_age_days,
            cut_share: share(figures.cut_share),
            cut: figures.cut,
            median_cut: share(figures.median_cut),
            values: self.values(figures.values.moment()),
            intervals: self.intervals(figures, None),
            last_24_hours: figures.last_24_hours,
            last_7_days: window(Window::Days7, figures.last_7_days),
            last_28_days: window(Window::Days28, figures.last_28_days),
            last_90_days: window(Window::Days90, figures.last_90_days),
        }
    }

    /// The intervals of figures of the moment, or of a window.
    fn intervals(self, figures: &Figures, window: Option<Window>) -> BTreeMap<&'static str, ConfidenceInterval> {
        let all = Definition::all().filter(|figure| figure.is_of_windows() == window.is_some());
        let interval = |figure: &'static Definition| {
            let ends = figure.interval(figures, window)?;
            Some((figure.name, ConfidenceInterval::of(ends, |end| self.shown(figure.unit, end))))
        };
        all.filter_map(interval).collect()
    }

    fn values(self, values: impl Iterator<Item = (&'static Definition, Option<f64>)>) -> ValuesView {
        let shown = |(figure, value): (&'static Definition, Option<f64>)| {
            (figure, value.map(|value| self.shown(figure.unit, value)))
        };
        ValuesView(values.map(shown).collect())
    }
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
