//! Areas side by side: the content of `stoop compare` and of the API's route.

use serde::Serialize;
use stoop_domain::Purpose;
use stoop_market::{Definition, Segment, Window};

use super::{AreaView, ChangeView, Figure, FiguresView, MarketView, SegmentView};

/// The figures compared by default; by part, [`OF_PARTS`].
const FIGURES: [&str; 15] = [
    "active",
    "median_price",
    "median_price_per_area",
    "median_age_days",
    "cut_share",
    "new",
    "median_new_price",
    "homes_cut_share",
    "median_days_to_pending",
    "pending_within_14_days",
    "pending_ratio",
    "months_of_supply",
    "months_to_contract",
    "median_sale_price",
    "median_sale_to_list",
];
const OF_PARTS: [&str; 4] = ["active", "median_price", "median_days_to_pending", "cut_share"];
/// The days of the changes that are compared.
const CHANGE_DAYS: [i32; 3] = [7, 28, 365];

/// A part of an area with figures of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breakdown {
    /// Property types.
    Type,
    /// Numbers of bedrooms.
    Bedrooms,
}

/// What is compared.
#[derive(Clone, Debug)]
pub struct Comparing {
    /// The figures; empty for the usual ones and, without parts, changes.
    pub figures: Vec<&'static Definition>,
    /// The window of figures that have windows.
    pub window: Window,
    /// By this part of each area; `None` for whole areas.
    pub by: Option<Breakdown>,
}

/// Areas side by side. Each list of values has one entry for each area, in their order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The figures, each of whole areas or of one part after another. Without those that no whole area has.
    pub figures: Vec<ComparedFigure>,
    /// The changes that an area has, if no figures were asked for.
    pub changes: Vec<ComparedChange>,
}

/// A figure of each area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// Its name in JSON.
    #[serde(serialize_with = "as_name")]
    pub figure: Figure,
    /// Its window, `last_28_days`; `None` for a figure of the moment.
    pub window: Option<&'static str>,
    /// The part: `3 bedrooms`; `None` for whole areas.
    #[serde(serialize_with = "as_label")]
    pub part: Option<Segment>,
    /// By area.
    pub values: Vec<ComparedValue>,
}

/// The value of a figure in one area.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ComparedValue {
    /// `None` if it is unknown.
    pub value: Option<f64>,
    /// The homes or events that it is computed from; `None` if it counts.
    pub sample: Option<i64>,
    /// Whether these are too few to say much.
    pub thin: bool,
}

/// The change of each area since an earlier day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparedChange {
    /// The number of days.
    pub days: i32,
    /// By area; `None` if that day was not observed.
    pub values: Vec<Option<ChangeView>>,
}

/// Why an area cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// It has no homes of the purpose.
    #[error("no home for {purpose} is watched in {name}, {path}")]
    NoHomes {
        /// `sale` or `rent`.
        purpose: &'static str,
        /// The area's name.
        name: String,
        /// The area's path.
        path: String,
    },
    /// Its homes have prices in several currencies.
    #[error("homes for {purpose} in {name} are priced in {}: name one market, as in {path}:{purpose}:{}", .currencies.join(" and "), .currencies[0])]
    SeveralCurrencies {
        /// `sale` or `rent`.
        purpose: &'static str,
        /// The area's name.
        name: String,
        /// The area's path.
        path: String,
        /// At least two.
        currencies: Vec<String>,
    },
}

/// The area's one market of a purpose.
///
/// # Errors
///
/// The area has none, or several: in several currencies.
pub fn market_for(view: AreaView, purpose: Purpose) -> Result<MarketView, CompareError> {
    let (name, path, purpose) = (view.name, view.path, purpose.as_str());
    let mut markets: Vec<MarketView> = view.markets.into_iter().filter(|market| market.purpose == purpose).collect();
    match (markets.pop(), markets.len()) {
        (Some(market), 0) => Ok(market),
        (None, _) => Err(CompareError::NoHomes { purpose, name, path }),
        (Some(last), _) => {
            let currencies = markets.iter().chain([&last]).map(|market| market.currency.to_string()).collect();
            Err(CompareError::SeveralCurrencies { purpose, name, path, currencies })
        }
    }
}

impl Breakdown {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Type, Self::Bedrooms];

    /// `type` or `bedrooms`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Bedrooms => "bedrooms",
        }
    }

    fn of(self, area: &MarketView) -> &[SegmentView] {
        match self {
            Self::Type => &area.property_types,
            Self::Bedrooms => &area.bedrooms,
        }
    }
}

impl Comparing {
    /// Compares areas.
    #[must_use]
    pub fn compare(&self, areas: &[MarketView]) -> Comparison {
        let figures = self.figures();
        let figures = match self.by {
            None => figures.into_iter().filter_map(|figure| of_whole(figure, areas)).collect(),
            Some(part) => figures.into_iter().flat_map(|figure| of_parts(figure, part, areas)).collect(),
        };
        let is_of_all = self.figures.is_empty() && self.by.is_none();
        let changes = CHANGE_DAYS.into_iter().filter(|_| is_of_all).filter_map(|days| changes(days, areas));
        Comparison { figures, changes: changes.collect() }
    }

    fn figures(&self) -> Vec<Figure> {
        let named = |name: &&str| Definition::all().find(|figure| figure.name == *name);
        let figures: Vec<&Definition> = match (&self.figures[..], self.by) {
            ([], None) => FIGURES.iter().filter_map(named).collect(),
            ([], Some(_)) => OF_PARTS.iter().filter_map(named).collect(),
            (asked, _) => asked.to_vec(),
        };
        let of_window = |figure: &Definition| figure.is_of_windows().then_some(self.window);
        figures.into_iter().filter_map(|figure| Figure::of_definition(figure, of_window(figure))).collect()
    }
}

/// `None` if no area has a value.
fn of_whole(figure: Figure, areas: &[MarketView]) -> Option<ComparedFigure> {
    let values: Vec<ComparedValue> = areas.iter().map(|area| ComparedValue::of(figure, &area.figures)).collect();
    let is_known = values.iter().any(|value| value.value.is_some());
    is_known.then(|| ComparedFigure::new(figure, None, values))
}

/// One for each part that has homes in an area now.
fn of_parts(figure: Figure, part: Breakdown, areas: &[MarketView]) -> Vec<ComparedFigure> {
    let mut parts: Vec<Segment> = Vec::new();
    for of_area in areas.iter().flat_map(|area| part.of(area)).filter(|of_area| of_area.figures.active > 0) {
        if !parts.contains(&of_area.segment) {
            parts.push(of_area.segment);
        }
    }
    let row = |segment: Segment| {
        let value = |area: &MarketView| {
            let of_area = part.of(area).iter().find(|of_area| of_area.segment == segment);
            of_area.map_or(ComparedValue::UNKNOWN, |of_area| ComparedValue::of(figure, &of_area.figures))
        };
        ComparedFigure::new(figure, Some(segment), areas.iter().map(value).collect())
    };
    parts.into_iter().map(row).collect()
}

/// `None` if no area has a change since that day.
fn changes(days: i32, areas: &[MarketView]) -> Option<ComparedChange> {
    let change = |area: &MarketView| area.changes.iter().find(|change| change.days == days).cloned();
    let values: Vec<Option<ChangeView>> = areas.iter().map(change).collect();
    values.iter().any(Option::is_some).then_some(ComparedChange { days, values })
}

impl ComparedFigure {
    fn new(figure: Figure, part: Option<Segment>, values: Vec<ComparedValue>) -> Self {
        Self { figure, window: figure.window().map(Window::as_str), part, values }
    }
}

impl ComparedValue {
    const UNKNOWN: Self = Self { value: None, sample: None, thin: false };

    fn of(figure: Figure, figures: &FiguresView) -> Self {
        let value = figure.of(figures).ok().flatten();
        Self { value, sample: figure.sample(figures), thin: value.is_some() && figure.is_thin(figures) }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_name<S: serde::Serializer>(figure: &Figure, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(figure.definition().name)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_label<S: serde::Serializer>(part: &Option<Segment>, serializer: S) -> Result<S::Ok, S::Error> {
    part.map(Segment::label).serialize(serializer)
}
