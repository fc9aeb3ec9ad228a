use jiff::tz::TimeZone;
use serde::Serialize;
use stoop_domain::{AreaUnit, Currency, Day, Market, Purpose, ReferenceAround, Time};
use stoop_market::{CATALOGUE_VERSION, Cells, PriceRange, Segment, WARM_UP_DAYS, Window};

use super::days::{ChangeView, Comparisons, DayView, Series, UnusualView};
use super::figures::{FiguresView, Terms};
use super::reference::ReferenceView;
use super::repeat::{RepeatMonthView, repeat_index};
use super::sum::Sum;
use super::{FoundArea, MergedId, as_text_or_null};

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
    /// When the newest observation of its homes was made. `None` if it was not looked up
    /// ([`MarketView::observed_markets`]).
    #[serde(serialize_with = "as_text_or_null")]
    pub observed_at: Option<Time>,
    /// How long before the time of the figures that was; `None` if it was later.
    pub lag_seconds: Option<i64>,
    /// The whole market.
    #[serde(flatten)]
    pub figures: FiguresView,
    /// The list prices that the median is read from, in minor units and rising order.
    #[serde(skip)]
    pub asking_prices: Vec<PriceRange>,
    /// Each property type that the market has or had.
    pub property_types: Vec<SegmentView>,
    /// Each bedroom count that the market has or had.
    pub bedrooms: Vec<SegmentView>,
    /// Each property type with each bedroom count that the market has or had.
    pub cells: Vec<SegmentView>,
    /// The change since earlier days, as far as they were observed.
    pub changes: Vec<ChangeView>,
    /// What of this week and month is unusual for this area, by its own past.
    pub unusual: Vec<UnusualView>,
    /// What that was chosen from.
    #[serde(skip)]
    pub comparisons: Comparisons,
    /// The closes of the last days, oldest first, from the first observed day on.
    pub days: Vec<DayView>,
    /// The repeat-listing index by month, oldest first, if it was asked for ([`MarketView::add_repeat_index`]); empty if
    /// too few homes were listed again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_index: Option<Vec<RepeatMonthView>>,
    /// The reference series of the area, by name ([`MarketView::add_reference`]).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reference: Vec<ReferenceView>,
}

/// The most markets whose newest observation is looked up.
const OBSERVED_MARKETS_MAX: usize = 200;

/// One property type, or one bedroom count.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SegmentView {
    /// `Condominium`, `3 bedrooms`.
    pub label: String,
    /// Which part it is.
    #[serde(skip)]
    pub segment: Segment,
    /// Its figures.
    #[serde(flatten)]
    pub figures: FiguresView,
}

impl MarketView {
    /// The view of a market at `now`, with the closes of the last `days` days.
    #[must_use]
    pub fn of(area: &FoundArea, id: MergedId, sum: Sum<'_>, now: Time, days: u16) -> Self {
        let country = area.country();
        let terms = Terms { currency: id.currency, unit: country.area_unit };
        let (today, first) = (now.day_in(&country.zone), sum.first_day());
        let series = Series::of(sum, today, days);
        let day_is_over = now.plus_ms(1).day_in(&country.zone) != today;
        let comparisons = series.comparisons(if day_is_over { today } else { Day(today.0 - 1) });
        let figures = |segment| terms.figures(&sum.figures(segment, now, &country.zone));
        let view = |segment: Segment| SegmentView { label: segment.label(), segment, figures: figures(segment) };
        let segments = |keep: fn(&Segment) -> bool| sum.segments().into_iter().filter(keep).map(view).collect();
        Self {
            id: format!("{}:{}:{}", area.path, id.purpose.as_str(), id.currency),
            path: area.path.clone(),
            name: area.name.clone(),
            purpose: id.purpose.as_str(),
            currency: id.currency,
            as_of: now.to_string(),
            day: today.to_string(),
            day_is_over,
            watched_since: first.map(|first| first.to_string()),
            warming_up: warming_up(first, today),
            catalogue_version: CATALOGUE_VERSION,
            zone: country.zone.iana_name().unwrap_or("UTC").to_owned(),
            area_unit: unit_name(country.area_unit),
            observed_at: None,
            lag_seconds: None,
            figures: figures(Segment::All),
            asking_prices: sum.asking_prices(today),
            property_types: segments(|segment| matches!(segment, Segment::Type(_))),
            bedrooms: segments(|segment| matches!(segment, Segment::Bedrooms(_))),
            cells: sum.cells().into_iter().map(Segment::Cell).map(view).collect(),
            changes: series.changes(today, terms),
            unusual: comparisons.unusual(),
            comparisons,
            days: series.days(days, terms),
            repeat_index: None,
            reference: Vec::new(),
        }
    }

    /// The markets of the area that it is the sum of. Empty if they are more than 200.
    #[must_use]
    pub fn observed_markets(&self, area: &FoundArea) -> Vec<Market> {
        let is_own = |market: &&Market| market.purpose.as_str() == self.purpose && market.currency == self.currency;
        let markets: Vec<Market> = area.markets.iter().filter(is_own).cloned().collect();
        if markets.len() > OBSERVED_MARKETS_MAX { Vec::new() } else { markets }
    }

    /// Adds when the newest observation of those markets was made; `as_of` is the time of the figures.
    pub fn add_observed(&mut self, newest: Option<Time>, as_of: Time) {
        let lag_ms = newest.map(|newest| as_of.ms() - newest.ms());
        (self.observed_at, self.lag_seconds) = (newest, lag_ms.filter(|ms| *ms >= 0).map(|ms| ms / Time::SECOND_MS));
    }

    /// Adds the repeat-listing index. `sum` is that of the view, with the days of [`super::repeat_days`] of `days`.
    pub fn add_repeat_index(&mut self, sum: Sum<'_>, days: u16) {
        self.repeat_index = Day::last_of(&self.day).map(|today| repeat_index(sum, today, days));
    }

    /// The first and the last day whose reference series are shown.
    #[must_use]
    pub fn reference_days(&self) -> Option<(Day, Day)> {
        let last = Day::last_of(&self.day)?;
        let first = self.days.first().and_then(|day| Day::last_of(&day.day));
        Some((first.unwrap_or(last), last))
    }

    /// Adds the values of reference series to the view and to its days.
    pub fn add_reference(&mut self, series: &[ReferenceAround]) {
        for day in &mut self.days {
            let Some(of) = Day::last_of(&day.day) else { continue };
            let values = series.iter().filter_map(|one| Some((one.name.clone(), one.at(of)?.2)));
            day.reference.extend(values);
        }
        let median = self.figures.median_price.filter(|_| self.purpose == Purpose::Sale.as_str());
        let median = median.map(|median| (median, self.currency));
        let today = Day::last_of(&self.day);
        let views = series.iter().filter_map(|one| ReferenceView::of(one, today?, median));
        self.reference.extend(views);
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

/// Whether a market's state, without its archive, covers what a view at `now` needs: with the closes of the last `days`
/// days, averages, changes and usual values; without closes (0), windows only.
#[must_use]
pub fn covers_days(cells: &Cells, now: Time, zone: &TimeZone, days: u16) -> bool {
    let before = if days == 0 { Window::Days90.span() } else { Series::days_before(days) };
    cells.horizon().is_none_or(|horizon| now.day_in(zone).0.saturating_sub(before) >= horizon.days.0)
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
