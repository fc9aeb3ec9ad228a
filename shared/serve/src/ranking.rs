use std::cmp::Reverse;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Currency, Market, Time, country};
use stoop_market::{Definition, Unit, Window};

use super::{ChangeView, FiguresView, MarketView, MergedId, Sum, area_name, days, unit_name};
use stoop_pipeline::WideArea;

/// A row of a list: a market, or the sum of a wide area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarketRow {
    /// `us/wa/king:sale:USD`.
    pub id: String,
    /// The area's path.
    pub path: String,
    /// The area's narrowest known name; `unknown` for a wide area whose own name is not known.
    pub name: String,
    /// `sale` or `rent`.
    pub purpose: &'static str,
    /// The currency of all prices.
    pub currency: Currency,
    /// The unit of area in `median_price_per_area`: `sqft` or `m2`.
    pub area_unit: &'static str,
    /// Omitted if there are none.
    #[serde(flatten)]
    pub figures: Option<FiguresView>,
    /// The change since an earlier day; omitted unless it was requested and that day was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<ChangeView>,
}

/// What lists are sorted by.
#[derive(Clone, Copy, Debug)]
pub enum SortBy {
    /// A figure.
    Figure(Figure),
    /// The change of the active homes.
    ActiveChange,
    /// The change of the median list price.
    MedianPriceChange,
    /// The change of list prices at the same mix of homes.
    MixAdjustedChange,
}

/// A figure by which lists are sorted, and its name in CSV: a figure of the moment, or one of a window.
#[derive(Clone, Copy, Debug)]
pub struct Figure(&'static NamedFigure);

#[derive(Debug)]
struct NamedFigure {
    definition: &'static Definition,
    window: Option<Window>,
    /// In the JSON of a row: `last_7_days.new`.
    path: String,
    /// There, too: the ends of its interval, `last_7_days.intervals.median_sale_price.low`.
    interval: Option<[String; 2]>,
}

impl NamedFigure {
    fn new(definition: &'static Definition, window: Option<Window>) -> Self {
        let within = window.map(|window| format!("{}.", window.as_str())).unwrap_or_default();
        let name = definition.name;
        let interval =
            definition.interval_method().map(|_| ["low", "high"].map(|end| format!("{within}intervals.{name}.{end}")));
        Self {
            definition,
            window,
            path: format!("{within}{name}"),
            interval: interval.filter(|_| window != Some(Window::Hours24)),
        }
    }
}

static FIGURES: LazyLock<Vec<NamedFigure>> = LazyLock::new(|| {
    let moment = Definition::all().filter(|figure| !figure.is_of_windows());
    let moment = moment.map(|definition| NamedFigure::new(definition, None));
    let of_window = |window: Window| {
        let figures = Definition::all().filter(move |figure| figure.windows().contains(&window));
        figures.map(move |definition| NamedFigure::new(definition, Some(window)))
    };
    moment.chain(Window::ALL.into_iter().flat_map(of_window)).collect()
});

/// Which rows are listed, and in what order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ranking {
    /// Only rows with at least this many homes with an asking price.
    pub min_homes: i64,
    /// Sort by this figure, ascending; by default by active homes, descending.
    pub sort: Option<SortBy>,
    /// Descending; with a figure only.
    pub desc: bool,
}

impl MarketRow {
    /// The row of a market, without figures.
    #[must_use]
    pub fn of_market(market: &Market) -> Self {
        Self::new(market.area.as_str(), market.area.name(), MergedId::of(market))
    }

    /// The row of a wide area, without figures.
    #[must_use]
    pub fn of_area(area: &WideArea) -> Self {
        let is_unknown = area.path().rsplit('/').next() == Some("-");
        let name = if is_unknown { "unknown".to_owned() } else { area_name(area.path()) };
        Self::new(area.path(), name, area.id())
    }

    /// The row of a market or sum that is shown, without figures.
    pub(super) fn of_view(view: &MarketView) -> Self {
        let MarketView { id, path, name, purpose, currency, area_unit, .. } = view;
        let (id, path, name) = (id.clone(), path.clone(), name.clone());
        Self { id, path, name, purpose, currency: *currency, area_unit, figures: None, change: None }
    }

    /// Adds the figures of a time.
    #[must_use]
    pub fn with_figures(self, sum: Sum<'_>, now: Time) -> Self {
        let country = country(&self.path);
        let figures = FiguresView::of(sum, now, self.currency, country.area_unit, &country.zone);
        Self { figures: Some(figures), ..self }
    }

    /// Adds the change since this many days before, for a sum that has a series.
    #[must_use]
    pub fn with_change(self, sum: Sum<'_>, now: Time, days: i32) -> Self {
        let country = country(&self.path);
        Self { change: days::change(sum, now.day_in(&country.zone), days, self.currency, country.area_unit), ..self }
    }

    fn new(path: &str, name: String, id: MergedId) -> Self {
        Self {
            id: format!("{path}:{id}"),
            path: path.to_owned(),
            name,
            purpose: id.purpose.as_str(),
            currency: id.currency,
            area_unit: unit_name(country(path).area_unit),
            figures: None,
            change: None,
        }
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl SortBy {
    /// The days of a change that is only sorted by.
    pub const CHANGE_DAYS: i32 = 28;

    /// All names, as in [`Figure::names`], then those of the changes.
    #[must_use]
    pub fn names() -> String {
        format!("{}; active_change, median_price_change, mix_adjusted_change", Figure::names())
    }

    /// The figure or change of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "active_change" => Some(Self::ActiveChange),
            "median_price_change" => Some(Self::MedianPriceChange),
            "mix_adjusted_change" => Some(Self::MixAdjustedChange),
            name => Figure::named(name).map(Self::Figure),
        }
    }

    /// Whether it needs rows with changes.
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(self, Self::ActiveChange | Self::MedianPriceChange | Self::MixAdjustedChange)
    }

    fn of(self, row: &MarketRow) -> Result<Option<f64>, serde_json::Error> {
        let change = row.change.as_ref();
        match self {
            Self::Figure(figure) => row.figures.as_ref().map_or(Ok(None), |figures| figure.of(figures)),
            Self::ActiveChange => Ok(change.and_then(|change| change.active_change)),
            Self::MedianPriceChange => Ok(change.and_then(|change| change.median_price_change)),
            Self::MixAdjustedChange => Ok(change.and_then(|change| change.mix_adjusted_change)),
        }
    }
}

impl Figure {
    /// All figures, in order of output: those of the moment, then those of each window.
    pub fn all() -> impl Iterator<Item = Self> {
        FIGURES.iter().map(Self)
    }

    /// The paths of the ends of its 95 % interval in the JSON of a row; `None` if it has none.
    #[must_use]
    pub fn interval_paths(self) -> Option<[&'static str; 2]> {
        self.0.interval.as_ref().map(|ends| ends.each_ref().map(String::as_str))
    }

    /// The figure of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|figure| figure.name() == name)
    }

    /// The figure of a definition, in a window if it has windows. `None` if it does not have that one.
    #[must_use]
    pub fn of_definition(definition: &'static Definition, window: Option<Window>) -> Option<Self> {
        Self::all().find(|figure| figure.0.definition.name == definition.name && figure.0.window == window)
    }

    /// All names, in order; the figures of windows once each, after a pattern for the window.
    #[must_use]
    pub fn names() -> String {
        let (windows, moment): (Vec<_>, Vec<_>) = Definition::all().partition(|figure| figure.is_of_windows());
        let names = |figures: Vec<&Definition>| figures.iter().map(|it| it.name).collect::<Vec<_>>().join(", ");
        format!("{}; after last_7_days_, last_28_days_ or last_90_days_: {}", names(moment), names(windows))
    }

    /// Its name: `last_7_days_new`.
    #[must_use]
    pub fn name(self) -> String {
        self.path().replace('.', "_")
    }

    /// Its path in the JSON of a row: `last_7_days.new`.
    #[must_use]
    pub fn path(self) -> &'static str {
        &self.0.path
    }

    /// Its window; `None` for a figure of the moment.
    #[must_use]
    pub fn window(self) -> Option<Window> {
        self.0.window
    }

    /// Its definition.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0.definition
    }

    /// Whether it is an amount in major units of the currency.
    #[must_use]
    pub fn is_price(self) -> bool {
        matches!(self.0.definition.unit, Unit::Money | Unit::MoneyPerArea)
    }

    /// The number of homes or events that it is computed from: of the same window if there is one, otherwise of the
    /// moment. `None` for a figure that counts, or if the number is unknown.
    #[must_use]
    pub fn sample(self, figures: &FiguresView) -> Option<i64> {
        let (name, _) = self.0.definition.sample?;
        let counts = |window: Option<Window>| {
            let is_it = |figure: &Self| figure.0.definition.name == name && figure.0.window == window;
            Self::all().find(is_it)?.of(figures).ok()?
        };
        #[expect(clippy::cast_possible_truncation, reason = "a number of homes or events")]
        self.0.window.and_then(|window| counts(Some(window))).or_else(|| counts(None)).map(|count| count as i64)
    }

    /// Whether its sample is too small to say much, or unknown.
    #[must_use]
    pub fn is_thin(self, figures: &FiguresView) -> bool {
        let least = self.0.definition.sample.map(|(_, least)| least);
        least.is_some_and(|least| self.sample(figures).is_none_or(|sample| sample < least))
    }

    /// Its value in a view; `None` if it is unknown.
    ///
    /// # Errors
    ///
    /// Figures cannot be serialised.
    pub fn of(self, figures: &FiguresView) -> Result<Option<f64>, serde_json::Error> {
        if self.0.definition.is_value() {
            let values = match self.0.window {
                None => Some(&figures.values),
                Some(window) => figures.window(window).map(|window| &window.values),
            };
            return Ok(values.and_then(|values| values.get(self.0.definition.name)));
        }
        let pointer = format!("/{}", self.path().replace('.', "/"));
        Ok(serde_json::to_value(figures)?.pointer(&pointer).and_then(Value::as_f64))
    }
}

impl Ranking {
    /// Whether it sorts by a change.
    #[must_use]
    pub fn is_by_change(self) -> bool {
        self.sort.is_some_and(SortBy::is_change)
    }

    /// The same for rows that have no changes yet.
    #[must_use]
    pub fn of_figures(self) -> Self {
        Self { sort: self.sort.filter(|sort| !sort.is_change()), ..self }
    }

    /// Removes unwanted rows and sorts the others; unknown values last, ties by ID. For a row without figures the
    /// number of homes is unknown.
    ///
    /// # Errors
    ///
    /// Figures cannot be serialised.
    pub fn rank(self, rows: &mut Vec<MarketRow>) -> Result<(), serde_json::Error> {
        let priced = |row: &MarketRow| row.figures.as_ref().map_or(0, |figures| figures.priced);
        rows.retain(|row| priced(row) >= self.min_homes);
        let Some(figure) = self.sort else {
            let active = |row: &MarketRow| Reverse(row.figures.as_ref().map(|figures| figures.active));
            rows.sort_by(|a, b| active(a).cmp(&active(b)).then_with(|| a.id.cmp(&b.id)));
            return Ok(());
        };
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let value = figure.of(&row)?;
            keyed.push((if self.desc { value.map(|value| -value) } else { value }, row));
        }
        keyed.sort_by(|(a, left), (b, right)| {
            let by_value = match (a, b) {
                (Some(a), Some(b)) => a.total_cmp(b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            by_value.then_with(|| left.id.cmp(&right.id))
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stoop_market::Cells;

    use super::*;

    /// A row with this many active homes, this many with an asking price, and this median; `None` for no figures.
    fn row(path: &str, figures: Option<(i64, i64, Option<f64>)>) -> MarketRow {
        let row = MarketRow::of_area(&WideArea::new(path, "sale:USD".parse().unwrap()).unwrap());
        let Some((active, priced, median_price)) = figures else { return row };
        let mut row = row.with_figures(Sum::Whole(&Cells::default()), Time::default());
        let figures_of_row = row.figures.as_mut().unwrap();
        (
            figures_of_row.active,
            figures_of_row.priced,
            figures_of_row.median_price,
            figures_of_row.last_7_days.flows.new,
        ) = (active, priced, median_price, active - priced);
        row
    }

    fn rows() -> Vec<MarketRow> {
        vec![
            row("us/wa/-", None),
            row("us/wa/king", Some((4, 3, Some(2.0)))),
            row("us/wa/asotin", Some((4, 0, None))),
            row("us/wa/adams", Some((9, 9, Some(0.0)))),
            row("us/wa/pierce", Some((5, 3, Some(2.0)))),
        ]
    }

    fn ranked(min_homes: i64, sort: &str, desc: bool) -> Vec<String> {
        let mut rows = rows();
        let sort = (!sort.is_empty()).then(|| SortBy::named(sort).unwrap());
        Ranking { min_homes, sort, desc }.rank(&mut rows).unwrap();
        rows.into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn rows_are_sorted_with_unknown_values_last_either_way() {
        assert_eq!(ranked(0, "", false), ["Adams", "Pierce", "Asotin", "King", "unknown"], "the most homes first");
        assert_eq!(ranked(0, "median_price", false), ["Adams", "King", "Pierce", "unknown", "Asotin"]);
        assert_eq!(ranked(0, "median_price", true), ["King", "Pierce", "Adams", "unknown", "Asotin"]);
        assert_eq!(ranked(0, "last_7_days_new", true), ["Asotin", "Pierce", "King", "Adams", "unknown"]);
    }

    #[test]
    fn rows_with_few_or_unknown_homes_are_left_out() {
        assert_eq!(ranked(1, "", false), ["Adams", "Pierce", "King"]);
        assert_eq!(ranked(4, "active", false), ["Adams"]);
        assert_eq!(ranked(10, "active", false), [""; 0]);
    }

    #[test]
    fn every_figure_is_a_number_of_a_row_and_found_by_its_name() {
        let row = serde_json::to_value(row("us/wa", Some((1, 1, Some(1.0))))).unwrap();
        for figure in Figure::all() {
            assert_eq!(Figure::named(&figure.name()).unwrap().name(), figure.name());
            let value = figure.path().split('.').try_fold(&row, |value, name| value.get(name)).cloned();
            assert!(value.is_some_and(|value| value.is_number() || value.is_null()), "{}", figure.path());
        }
        assert!(Figure::named("last_7_days.new").is_none() && Figure::named("name").is_none());
    }
}
