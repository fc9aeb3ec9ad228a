//! The catalogue: every figure, with its definition. `docs/METRICS.md`, the figures of the API's document, the columns of
//! CSV and the figures that lists are sorted by are made from it.

mod flow;
mod pressure;
mod sales;
mod speed;
mod stock;

use crate::figures::{Figures, Values};
use crate::flows::{Flows, Window};
use crate::histogram::{Histogram, RELATIVE_ERROR};
use crate::interval::wilson;
use crate::measures::{Measures, WindowSums};
use crate::segment::Segment;

/// The definition of a figure.
#[derive(Debug)]
pub struct Definition {
    /// The name in JSON and CSV; unique among the figures of the moment and among those of windows.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// The unit of its values.
    pub unit: Unit,
    /// One sentence.
    pub meaning: &'static str,
    /// How it is computed, from the names of other figures where possible.
    pub formula: &'static str,
    /// The fields of the RESO Data Dictionary that it needs, besides `StandardStatus` and an area.
    pub fields: &'static [&'static str],
    /// The figure that counts its sample, and the least sample that says much; `None` for a count.
    pub sample: Option<(&'static str, i64)>,
    /// The largest relative error of its value that is not one of sampling: that of the buckets, or 0 if it is exact.
    pub resolution: f64,
    interval: Interval,
    /// Whose definition it follows, and where it departs from it; empty for our own.
    pub follows: &'static str,
    /// Its value in the example of `docs/METRICS.md`; for a figure of windows, that of 28 days. Money is in minor units.
    pub example: f64,
    value: FigureValue,
}

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Homes on offer at the end of the day, and their prices.
    Stock,
    /// Entries, exits and other events of a window.
    Flow,
    /// Sales of a window.
    Sales,
    /// How fast homes leave the market.
    Speed,
    /// Supply against demand, and cuts.
    Pressure,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    Homes,
    Events,
    /// Minor units of the market's currency; views show major units. A rent is one of a month.
    Money,
    /// Minor units per square metre; views show major units per square foot or metre.
    MoneyPerArea,
    Days,
    /// A mean month of 30.4375 days.
    Months,
    /// A share or ratio: 1 is the whole.
    Share,
}

/// How a figure is computed.
#[derive(Clone, Copy, Debug)]
enum FigureValue {
    Typed(fn(&Figures) -> Option<f64>),
    Flow(fn(&Flows) -> i64),
    Moment(fn(&Measures) -> Option<f64>),
    Window(fn(&Measures, &WindowSums) -> Option<f64>),
}

/// How the 95 % interval of a figure is computed: how far it may lie from that of the market, because the homes on offer
/// are a sample of those that might be.
#[derive(Clone, Copy, Debug)]
enum Interval {
    /// It has none: a count is exact, and of others we know no interval.
    None,
    /// That of a quantile, by order statistics.
    Order(fn(&Measures, &WindowSums) -> Option<[f64; 2]>),
    /// Wilson's, of a part and the whole.
    Share(fn(&Measures, &WindowSums) -> (i64, i64)),
    /// That of an estimate by Kaplan and Meier, from Greenwood's variance of the logarithm of minus the logarithm.
    Survival(fn(&Measures) -> Option<[f64; 2]>),
}

/// The resolution of what is counted, and of sums.
const EXACT: f64 = 0.0;
/// The resolution of what is read from buckets of prices.
const BUCKET: f64 = RELATIVE_ERROR;

/// Every figure, by group, in order of output. See [`Definition::all`].
pub const CATALOGUE: [&[Definition]; 5] =
    [stock::FIGURES, flow::FIGURES, sales::FIGURES, speed::FIGURES, pressure::FIGURES];

impl Definition {
    /// Every figure, in order of output.
    pub fn all() -> impl Iterator<Item = &'static Self> + Clone {
        CATALOGUE.into_iter().flatten()
    }

    /// Whether it has a value for each window; otherwise it has one for the moment.
    #[must_use]
    pub fn is_of_windows(&self) -> bool {
        matches!(self.value, FigureValue::Flow(_) | FigureValue::Window(_))
    }

    /// The windows for which it has values: flows have the last 24 hours too.
    #[must_use]
    pub fn windows(&self) -> &'static [Window] {
        match self.value {
            FigureValue::Flow(_) => &Window::ALL,
            FigureValue::Window(_) => &Window::OF_DAYS,
            FigureValue::Typed(_) | FigureValue::Moment(_) => &[],
        }
    }

    /// Whether it is in [`Figures::values`], and not a field of [`Figures`] or [`Flows`].
    #[must_use]
    pub fn is_value(&self) -> bool {
        matches!(self.value, FigureValue::Moment(_) | FigureValue::Window(_))
    }

    /// The value among these figures, in the unit of the definition. `window` is ignored by figures of the moment.
    /// `None` if it is unknown, or if there is no such window.
    #[must_use]
    pub fn value(&self, figures: &Figures, window: Option<Window>) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a number of events")]
        match self.value {
            FigureValue::Typed(of) => of(figures),
            FigureValue::Flow(of) => figures.flows(window?).map(|flows| of(flows) as f64),
            FigureValue::Moment(_) => *figures.values.moment.get(self.index()?)?,
            FigureValue::Window(_) => {
                let window = Window::OF_DAYS.iter().position(|it| Some(*it) == window)?;
                *figures.values.windows[window].get(self.index()?)?
            }
        }
    }

    /// The 95 % interval of the value among these figures, in the same unit. `None` if the figure has no interval, or the
    /// sample is too small for one.
    #[must_use]
    pub fn interval(&self, figures: &Figures, window: Option<Window>) -> Option<[f64; 2]> {
        let alike = Self::all().filter(|other| other.is_of_windows() == self.is_of_windows());
        let at = alike.into_iter().position(|other| other.name == self.name)?;
        match window.filter(|_| self.is_of_windows()) {
            None => *figures.values.moment_intervals.get(at)?,
            Some(window) => {
                let window = Window::OF_DAYS.iter().position(|it| *it == window)?;
                *figures.values.window_intervals[window].get(at)?
            }
        }
    }

    /// How its interval is computed, in a few words; `None` if it has none.
    #[must_use]
    pub fn interval_method(&self) -> Option<&'static str> {
        match self.interval {
            Interval::None => None,
            Interval::Order(_) => Some("order statistics"),
            Interval::Share(_) => Some("Wilson"),
            Interval::Survival(_) => Some("Greenwood"),
        }
    }

    fn interval_of(&self, sums: &Measures, window: &WindowSums) -> Option<[f64; 2]> {
        match self.interval {
            Interval::None => None,
            Interval::Order(of) => of(sums, window),
            Interval::Share(of) => {
                let (part, whole) = of(sums, window);
                wilson(part, whole)
            }
            Interval::Survival(of) => of(sums),
        }
    }

    /// The index among the figures of the same kind of value.
    fn index(&self) -> Option<usize> {
        let alike = |other: &&Self| other.is_value() && other.is_of_windows() == self.is_of_windows();
        Self::all().filter(alike).position(|other| other.name == self.name)
    }
}

/// The figures that have no field of [`Figures`] or [`Flows`].
pub(crate) fn values(sums: &Measures) -> Values {
    let moment = Definition::all().filter_map(|figure| match figure.value {
        FigureValue::Moment(of) => Some(of(sums)),
        _ => None,
    });
    let window = |window: &WindowSums| {
        let values = Definition::all().filter_map(|figure| match figure.value {
            FigureValue::Window(of) => Some(of(sums, window)),
            _ => None,
        });
        values.collect()
    };
    let intervals = |of_windows: bool, window: &WindowSums| {
        let figures = Definition::all().filter(|figure| figure.is_of_windows() == of_windows);
        figures.map(|figure| figure.interval_of(sums, window)).collect()
    };
    Values {
        moment: moment.collect(),
        windows: sums.windows.each_ref().map(window),
        moment_intervals: intervals(false, &sums.windows[0]),
        window_intervals: sums.windows.each_ref().map(|window| intervals(true, window)),
    }
}

impl Values {
    /// The figures of the moment, in the order of the catalogue.
    pub fn moment(&self) -> impl Iterator<Item = (&'static Definition, Option<f64>)> + '_ {
        let figures = Definition::all().filter(|figure| matches!(figure.value, FigureValue::Moment(_)));
        figures.zip(self.moment.iter().copied())
    }

    /// The figures of a window, in the order of the catalogue; none for the last 24 hours.
    pub fn window(&self, window: Window) -> impl Iterator<Item = (&'static Definition, Option<f64>)> + '_ {
        let figures = Definition::all().filter(|figure| matches!(figure.value, FigureValue::Window(_)));
        let values = Window::OF_DAYS.iter().position(|it| *it == window).map(|at| &self.windows[at]);
        figures.zip(values.into_iter().flatten().copied())
    }
}

impl Figures {
    /// The figures that a stored sum of a wide area has: for a part of an area those without how long homes stay, which is
    /// stored for the whole only.
    #[must_use]
    pub fn stored(&self, segment: Segment) -> Self {
        let is_stored = |figure: &Definition| segment == Segment::All || !OF_WHOLE_AREAS.contains(&figure.name);
        let kept = |values: &mut dyn Iterator<Item = (&'static Definition, Option<f64>)>| {
            values.map(|(figure, value)| value.filter(|_| is_stored(figure))).collect()
        };
        let intervals = |of_windows: bool, intervals: &[Option<[f64; 2]>]| {
            let figures = Definition::all().filter(|figure| figure.is_of_windows() == of_windows);
            figures.zip(intervals).map(|(figure, interval)| interval.filter(|_| is_stored(figure))).collect()
        };
        let values = Values {
            moment: kept(&mut self.values.moment()),
            windows: Window::OF_DAYS.map(|window| kept(&mut self.values.window(window))),
            moment_intervals: intervals(false, &self.values.moment_intervals),
            window_intervals: self.values.window_intervals.each_ref().map(|it| intervals(true, it)),
        };
        Self { values, ..self.clone() }
    }
}

/// Figures that stored sums have for the whole area only.
const OF_WHOLE_AREAS: [&str; 12] = [
    "stays_90_days",
    "median_days_to_pending",
    "pending_within_7_days",
    "pending_within_14_days",
    "pending_within_30_days",
    "pending_within_60_days",
    "median_days_to_off_market",
    "off_market_within_7_days",
    "off_market_within_14_days",
    "off_market_within_30_days",
    "off_market_within_60_days",
    "median_days_on_market",
];

impl Group {
    /// Every group, in order of output.
    pub const ALL: [Self; 5] = [Self::Stock, Self::Flow, Self::Sales, Self::Speed, Self::Pressure];

    /// The heading of the group.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stock => "Stock",
            Self::Flow => "Entries, exits and price changes",
            Self::Sales => "Sales",
            Self::Speed => "Speed",
            Self::Pressure => "Pressure",
        }
    }
}

impl Unit {
    /// Whether values are whole numbers.
    #[must_use]
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Homes | Self::Events)
    }

    /// The name of the unit, as views show it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Homes => "homes",
            Self::Events => "events",
            Self::Money => "currency",
            Self::MoneyPerArea => "currency per area",
            Self::Days => "days",
            Self::Months => "months",
            Self::Share => "1 = 100 %",
        }
    }
}

/// A part of a whole; `None` if there is no whole.
#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The interval of the median of whole numbers, divided by `parts`.
fn whole(values: &Histogram, parts: f64) -> Option<[f64; 2]> {
    Some(values.order_interval(0.5)?.map(|bucket| f64::from(bucket.0) / parts))
}

/// Basis points as shares.
fn points(interval: Option<[f64; 2]>) -> Option<[f64; 2]> {
    interval.map(|ends| ends.map(|points| points / 10_000.0))
}

#[expect(clippy::cast_precision_loss, reason = "a number of homes")]
#[expect(clippy::unnecessary_wraps, reason = "the form of a figure")]
fn count(count: i64) -> Option<f64> {
    Some(count as f64)
}

#[cfg(test)]
#[test]
fn names_are_unique_and_every_name_in_a_list_is_a_figure() {
    let names =
        |of_windows: bool| Definition::all().filter(move |it| it.is_of_windows() == of_windows).map(|it| it.name);
    for of_windows in [false, true] {
        let mut unique: Vec<&str> = names(of_windows).collect();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names(of_windows).count());
    }
    let is_figure = |name: &str| Definition::all().any(|figure| figure.name == name);
    assert!(OF_WHOLE_AREAS.into_iter().all(is_figure));
    let samples = Definition::all().filter_map(|figure| figure.sample);
    assert!(samples.clone().all(|(name, _)| Definition::all().any(|it| it.name == name && it.unit.is_whole())));
    assert!(Definition::all().all(|it| !it.meaning.is_empty() && !it.formula.is_empty()));
}
