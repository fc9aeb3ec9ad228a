use jiff::tz::TimeZone;
use serde::Serialize;
use stoop_domain::{AreaUnit, Currency, Day, Time};
use stoop_market::{
    CATALOGUE_VERSION, Cell, Cells, Close, Figures, Flows, Grain, Segment, THIN_SAMPLE, WARM_UP_DAYS, Wide, Window,
    closes, first_day,
};

use super::{FoundArea, MergedId};

/// The figures of one market or one sum of markets, ready to be shown. Prices are in major units of the currency,
/// rounded to the minor unit; times are RFC 3339, days are civil days in `zone`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarketView {
    /// `us/wa/king:sale:USD`: finds it again.
    pub id: String,
    /// The area's path.
    pub path: String,
    /// The area's narrowest name.
    pub name: String,
    /// `sale` or `rent`.
    pub purpose: &'static str,
    /// The currency of all prices.
    pub currency: Currency,
    /// The time of the figures.
    pub as_of: String,
    /// The day of that time, the last of each window.
    pub day: String,
    /// Whether that day is over: if not, each window has only a part of it.
    pub day_is_over: bool,
    /// The first observed day; `None` if nothing was ever on offer, or if that day is before what was read of the
    /// market.
    pub watched_since: Option<String>,
    /// Windows that begin before the market was warm ([`stoop_market::WARM_UP_DAYS`]): `last_28_days`.
    pub warming_up: Vec<&'static str>,
    /// The version of the figures' definitions: `docs/METRICS.md`.
    pub catalogue_version: u32,
    /// The time zone whose midnight closes the day.
    pub zone: String,
    /// The unit of area in `median_price_per_area`: `sqft` or `m2`.
    pub area_unit: &'static str,
    /// The whole market.
    #[serde(flatten)]
    pub figures: FiguresView,
    /// Each property type that the market has or had.
    pub property_types: Vec<SegmentView>,
    /// Each bedroom count that the market has or had.
    pub bedrooms: Vec<SegmentView>,
    /// Each property type with each bedroom count that the market has or had.
    pub cells: Vec<SegmentView>,
    /// The closes of the last days, oldest first, from the first observed day on.
    pub days: Vec<DayView>,
}

/// Whether the events of the last 24 hours are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// They are.
    Known,
    /// A market of the sum no longer has hours.
    Unknown,
}

/// The input of figures.
#[derive(Clone, Copy, Debug)]
pub enum Sum<'s> {
    /// The state of a market, or the sum of several.
    Whole(&'s Cells),
    /// The stored sum of a wide area and its precision: for the times and series that it covers.
    Wide(&'s Wide, Grain, Hours),
}

/// See [`Figures`].
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
    pub last_24_hours: Option<Flows>,
    pub last_7_days: Flows,
    pub last_28_days: Flows,
    pub last_90_days: Flows,
}

/// One property type, or one bedroom count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentView {
    /// `Condominium`, `3 bedrooms`.
    pub label: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: FiguresView,
}

/// The close of one day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DayView {
    /// The day, `2026-01-13`.
    pub day: String,
    /// Active inventory at its end.
    pub active: i64,
    /// The unconfirmed part of it.
    pub unconfirmed: i64,
    /// Median list price at its end.
    pub median_price: Option<f64>,
    /// Mean list price at its end.
    pub mean_price: Option<f64>,
    /// The mean of the medians of this day and the 6 before; `None` until 7 days are known.
    pub median_price_7_days: Option<f64>,
    /// Likewise over 28 days.
    pub median_price_28_days: Option<f64>,
    /// Whether it is one of the first observed days.
    pub warming_up: bool,
    /// The events of the day.
    #[serde(flatten)]
    pub flows: Flows,
}

const AVERAGE_DAYS: [usize; 2] = [7, 28];

impl MarketView {
    /// The view of a market at `now`, with the closes of the last `days` days.
    #[must_use]
    pub fn of(area: &FoundArea, id: MergedId, sum: Sum<'_>, now: Time, days: u16) -> Self {
        let country = area.country();
        let terms = Terms { currency: id.currency, unit: country.area_unit };
        let (today, first) = (now.day_in(&country.zone), sum.first_day());
        let figures = |segment| terms.figures(&sum.figures(segment, now, &country.zone));
        let view = |segment: Segment| SegmentView { label: segment.label(), figures: figures(segment) };
        let segments = |keep: fn(&Segment) -> bool| sum.segments().into_iter().filter(keep).map(view).collect();
        Self {
            id: format!("{}:{}:{}", area.path, id.purpose.as_str(), id.currency),
            path: area.path.clone(),
            name: area.name.clone(),
            purpose: id.purpose.as_str(),
            currency: id.currency,
            as_of: now.to_string(),
            day: today.to_string(),
            day_is_over: now.plus_ms(1).day_in(&country.zone) != today,
            watched_since: first.map(|first| first.to_string()),
            warming_up: warming_up(first, today),
            catalogue_version: CATALOGUE_VERSION,
            zone: country.zone.iana_name().unwrap_or("UTC").to_owned(),
            area_unit: unit_name(country.area_unit),
            figures: figures(Segment::All),
            property_types: segments(|segment| matches!(segment, Segment::Type(_))),
            bedrooms: segments(|segment| matches!(segment, Segment::Bedrooms(_))),
            cells: sum.cells().into_iter().map(Segment::Cell).map(view).collect(),
            days: terms.days(sum, today, days),
        }
    }
}

/// The windows that end `today` and begin before a market first observed on `first` was warm.
fn warming_up(first: Option<Day>, today: Day) -> Vec<&'static str> {
    let windows = [
        ("last_24_hours", 1),
        ("last_7_days", Window::Days7.span()),
        ("last_28_days", Window::Days28.span()),
        ("last_90_days", Window::Days90.span()),
    ];
    let is_touched = |(_, days): &(&str, i32)| first.is_some_and(|first| today.0 - days < first.0 + WARM_UP_DAYS);
    windows.into_iter().filter(is_touched).map(|(name, _)| name).collect()
}

/// Whether a market's state, without its archive, covers what a view at `now` with the closes of the last `days` days
/// needs, including windows and averages.
#[must_use]
pub fn covers_days(cells: &Cells, now: Time, zone: &TimeZone, days: u16) -> bool {
    let before = i32::from(days).max(Window::Days90.span()) + i32::try_from(AVERAGE_DAYS[1]).unwrap_or(i32::MAX);
    cells.horizon().is_none_or(|horizon| now.day_in(zone).0.saturating_sub(before) >= horizon.days.0)
}

impl FiguresView {
    /// The figures of a whole market at `now`.
    #[must_use]
    pub fn of(sum: Sum<'_>, now: Time, currency: Currency, unit: AreaUnit, zone: &TimeZone) -> Self {
        Terms { currency, unit }.figures(&sum.figures(Segment::All, now, zone))
    }
}

impl Sum<'_> {
    fn figures(self, segment: Segment, now: Time, zone: &TimeZone) -> Figures {
        match self {
            Self::Whole(cells) => Figures::of(cells, segment, now, zone),
            Self::Wide(wide, grain, hours) => {
                let figures = wide.figures(grain, segment, now, zone);
                let last_24_hours = figures.last_24_hours.filter(|_| hours == Hours::Known);
                Figures { last_24_hours, ..figures }
            }
        }
    }

    fn segments(self) -> Vec<Segment> {
        match self {
            Self::Whole(cells) => cells.segments(),
            Self::Wide(wide, ..) => wide.segments(),
        }
    }

    fn cells(self) -> Vec<Cell> {
        match self {
            Self::Whole(cells) => cells.cells(),
            Self::Wide(wide, ..) => wide.cells(),
        }
    }

    fn first_day(self) -> Option<Day> {
        match self {
            Self::Whole(cells) => first_day(cells),
            Self::Wide(wide, ..) => wide.first_day(),
        }
    }

    fn closes(self, from: Day, until: Day) -> Vec<Close> {
        match self {
            Self::Whole(cells) => closes(cells, Segment::All, from, until),
            Self::Wide(wide, ..) => wide.closes(from, until),
        }
    }

    /// The first day with its own figures; `None` if all days have them.
    fn covered_from(self) -> Option<Day> {
        match self {
            Self::Whole(cells) => cells.horizon().map(|horizon| horizon.days),
            Self::Wide(..) => None,
        }
    }
}

/// The name of a unit of area in JSON: `sqft`, `m2`.
#[must_use]
pub fn unit_name(unit: AreaUnit) -> &'static str {
    match unit {
        AreaUnit::SquareFeet => "sqft",
        AreaUnit::SquareMeters => "m2",
        AreaUnit::Acres => "acre",
    }
}

/// The units of figures.
#[derive(Clone, Copy)]
struct Terms {
    currency: Currency,
    unit: AreaUnit,
}

impl Terms {
    /// Minor units as major ones, rounded to the minor digit.
    fn major(self, minor: f64) -> f64 {
        minor.round() / 10_f64.powi(self.currency.minor_digits().cast_signed())
    }

    fn figures(self, figures: &Figures) -> FiguresView {
        let price = |minor: Option<f64>| minor.map(|minor| self.major(minor));
        let share = |share: Option<f64>| share.map(|share| (share * 10_000.0).round() / 10_000.0);
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
            median_price_per_area: price(figures.median_price_per_m2.map(|per_m2| per_m2 * self.unit.square_metres())),
            median_age_days: figures.median_age_days,
            cut_share: share(figures.cut_share),
            cut: figures.cut,
            median_cut: share(figures.median_cut),
            last_24_hours: figures.last_24_hours,
            last_7_days: figures.last_7_days,
            last_28_days: figures.last_28_days,
            last_90_days: figures.last_90_days,
        }
    }

    fn days(self, sum: Sum<'_>, today: Day, days: u16) -> Vec<DayView> {
        let longest = i32::try_from(AVERAGE_DAYS[1]).unwrap_or(i32::MAX);
        let mut from = today.0 - i32::from(days) - longest + 2;
        if let Some(covered_from) = sum.covered_from() {
            from = from.max(covered_from.0);
        }
        let watched_since = sum.first_day();
        from = watched_since.map_or(from, |first| from.max(first.0)).min(today.0);
        let mut series = sum.closes(Day(from), today);
        let first = series.iter().position(observed).unwrap_or(series.len());
        series.drain(..first);
        let shown_from = series.len().saturating_sub(usize::from(days));
        let average = |end: usize, days: usize| {
            let medians = series[(end + 1).checked_sub(days)?..=end].iter().filter_map(|close| close.median_price);
            let (sum, count) = medians.fold((0.0, 0.0), |(sum, count), median| (sum + median, count + 1.0));
            (count > 0.0).then(|| self.major(sum / count))
        };
        let cold = |day: Day| watched_since.is_some_and(|first| day.0 < first.0 + WARM_UP_DAYS);
        let day =
            |(at, close): (usize, &Close)| self.day(close, AVERAGE_DAYS.map(|days| average(at, days)), cold(close.day));
        series.iter().enumerate().skip(shown_from).map(day).collect()
    }

    fn day(self, close: &Close, averages: [Option<f64>; 2], warming_up: bool) -> DayView {
        DayView {
            day: close.day.to_string(),
            active: close.active,
            unconfirmed: close.unconfirmed,
            median_price: close.median_price.map(|minor| self.major(minor)),
            mean_price: close.mean_price.map(|minor| self.major(minor)),
            median_price_7_days: averages[0],
            median_price_28_days: averages[1],
            warming_up,
            flows: close.flows,
        }
    }
}

/// Whether the market was observed on a day.
fn observed(close: &Close) -> bool {
    close.active != 0 || close.flows != Flows::default()
}
