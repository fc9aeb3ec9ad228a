//! Areas side by side.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Currency, Time};
use stoop_embedded::Database;
use stoop_market::{Definition, Window};
use stoop_pipeline::serve::{AreaView, Figure, FiguresView, MarketView, SegmentView};

use super::market::catalogue::{sample, shown, title};
use super::market::{Area, changes, reference};
use super::{View, as_text, give, moment, open};
use crate::args::{CompareArgs, Part, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Field, Look, Page, SafeText, Table, UNKNOWN};

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

/// Several areas, of one purpose.
#[derive(Serialize)]
pub(super) struct Compared {
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    purpose: &'static str,
    /// One for each area, in the order given.
    areas: Vec<MarketView>,
    #[serde(skip)]
    figures: Vec<Figure>,
    /// No figures were asked for: changes and reference series are shown, too.
    #[serde(skip)]
    is_of_all: bool,
    #[serde(skip)]
    by: Option<Part>,
}

/// `stoop compare`.
pub(crate) fn compare(store: &StoreArgs, args: &CompareArgs) -> anyhow::Result<ExitCode> {
    give(&Compared::read(&*open(store)?, args)?, &args.format)
}

/// The area's one market of a purpose.
fn of_purpose(view: AreaView, purpose: &str) -> anyhow::Result<MarketView> {
    let (name, path) = (view.name, view.path);
    let mut markets: Vec<MarketView> = view.markets.into_iter().filter(|market| market.purpose == purpose).collect();
    match (markets.pop(), markets.len()) {
        (Some(market), 0) => Ok(market),
        (None, _) => Err(usage(format!("no home for {purpose} is watched in {name}, {path}"))),
        (Some(last), _) => {
            let currencies: Vec<String> =
                markets.iter().chain([&last]).map(|market| market.currency.to_string()).collect();
            Err(usage(format!(
                "homes for {purpose} in {name} are priced in {}: name one market, as in {path}:{purpose}:{}",
                currencies.join(" and "),
                currencies[0]
            )))
        }
    }
}

impl Compared {
    pub(super) fn read(database: &Database, args: &CompareArgs) -> anyhow::Result<Self> {
        let as_of = moment(database, args.as_of.as_of)?.unwrap_or_default();
        let purpose = if args.rent { "rent" } else { "sale" };
        let mut areas = Vec::new();
        for query in &args.areas {
            // One day: changes are wanted, and no series.
            let view = Area::read(database, query, Some(as_of), 1)?.view;
            areas.push(of_purpose(view, purpose)?);
        }
        reference::add(database, &mut areas)?;
        let window = match args.window.as_str() {
            "7" => Window::Days7,
            "90" => Window::Days90,
            _ => Window::Days28,
        };
        let named = |name: &&str| Definition::all().find(|figure| figure.name == *name);
        let figures: Vec<&Definition> = match (&args.figures[..], args.by) {
            ([], None) => FIGURES.iter().filter_map(named).collect(),
            ([], Some(_)) => OF_PARTS.iter().filter_map(named).collect(),
            (asked, _) => asked.to_vec(),
        };
        let of_window = |figure: &Definition| figure.is_of_windows().then_some(window);
        let figures =
            figures.into_iter().filter_map(|figure| Figure::of_definition(figure, of_window(figure))).collect();
        let is_of_all = args.figures.is_empty();
        Ok(Self { as_of, purpose, areas, figures, is_of_all, by: args.by })
    }

    /// One row for each figure, one column for each area.
    fn table(&self) -> Table {
        let areas = self.areas.iter().map(|area| Column::right(area.name.clone()));
        let mut table = Table::new([Column::left("figure")].into_iter().chain(areas));
        for figure in &self.figures {
            let is_known = |area: &MarketView| figure.of(&area.figures).is_ok_and(|value| value.is_some());
            if !self.areas.iter().any(is_known) {
                continue;
            }
            let cells = self.areas.iter().map(|area| cell(*figure, &area.figures, area.currency, area.area_unit));
            table.row([SafeText::from(name(*figure))].into_iter().chain(cells));
        }
        for days in [7, 28, 365].into_iter().filter(|_| self.is_of_all) {
            type Change = fn(&stoop_pipeline::serve::ChangeView) -> Option<f64>;
            let rows: [(&str, Change); 3] = [
                ("active", |it| it.active_change),
                ("median price", |it| it.median_price_change),
                ("mix-adjusted price", |it| it.mix_adjusted_change),
            ];
            for (what, of) in rows {
                let is_known =
                    |area: &MarketView| area.changes.iter().any(|change| change.days == days && of(change).is_some());
                if !self.areas.iter().any(is_known) {
                    continue;
                }
                let cells = self.areas.iter().map(|area| {
                    let change = area.changes.iter().find(|change| change.days == days);
                    let text = SafeText::from(changes::signed(change.and_then(of)));
                    if change.is_none_or(|change| change.thin) { text.dim() } else { text }
                });
                table.row([format!("{what} against {days} days before").into()].into_iter().chain(cells));
            }
        }
        for (name, cells) in reference::rows(&self.areas).into_iter().filter(|_| self.is_of_all) {
            table.row([SafeText::from(name)].into_iter().chain(cells));
        }
        table
    }

    /// One row for each part, one column for each area.
    fn table_of(&self, figure: Figure, part: Part) -> Table {
        let parts = |area: &MarketView| match part {
            Part::Type => area.property_types.clone(),
            Part::Bedrooms => area.bedrooms.clone(),
        };
        let mut labels: Vec<String> = Vec::new();
        for segment in self.areas.iter().flat_map(parts).filter(|segment| segment.figures.active > 0) {
            if !labels.contains(&segment.label) {
                labels.push(segment.label);
            }
        }
        let areas = self.areas.iter().map(|area| Column::right(area.name.clone()));
        let mut table = Table::new([Column::left(name(figure))].into_iter().chain(areas));
        for label in labels {
            let cells = self.areas.iter().map(|area| {
                let segment: Option<SegmentView> = parts(area).into_iter().find(|segment| segment.label == label);
                let unknown = || SafeText::from(UNKNOWN).dim();
                segment.map_or_else(unknown, |it| cell(figure, &it.figures, area.currency, area.area_unit))
            });
            table.row([SafeText::from(label.as_str())].into_iter().chain(cells));
        }
        table
    }
}

/// A value, dimmed if its sample is too small.
pub(super) fn cell(figure: Figure, figures: &FiguresView, currency: Currency, unit: &str) -> SafeText {
    let Ok(Some(value)) = figure.of(figures) else { return SafeText::from(UNKNOWN).dim() };
    let text = SafeText::from(shown(figure.definition(), value, currency, unit));
    let is_thin = figure
        .definition()
        .sample
        .is_some_and(|(of, least)| sample(of, figure.window(), figures).is_none_or(|sample| sample < least));
    if is_thin { text.dim() } else { text }
}

pub(super) fn name(figure: Figure) -> String {
    let title = title(figure.definition());
    figure.window().map_or_else(|| title.clone(), |window| format!("{title}, {}", window.label()))
}

impl View for Compared {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let heading = format!("For {} as of {} UTC", self.purpose, show::time(self.as_of));
        page.line([SafeText::from(heading).bold()]).gap();
        match self.by {
            None => drop(page.table(self.table())),
            Some(part) => {
                for (at, figure) in self.figures.iter().enumerate() {
                    if at > 0 {
                        page.gap();
                    }
                    page.table(self.table_of(*figure, part));
                }
            }
        }
        page.gap().line([SafeText::from("dim: fewer than 10 homes, or one of the first observed days").dim()]);
        page
    }

    /// One row for each area, with all figures and one more column for each reference series.
    fn csv(&self) -> anyhow::Result<Csv> {
        let mut rows = super::rows(&self.areas)?;
        for (row, area) in rows.iter_mut().zip(&self.areas) {
            let values = area.reference.iter().map(|series| (series.name.clone(), series.value.into()));
            row["reference"] = Value::Object(values.collect());
        }
        let series = reference::rows(&self.areas).into_iter().map(|(name, _)| Field::reference(name));
        let market = ["id", "path", "name", "purpose", "currency", "area_unit"].map(Field::Plain);
        let figure = |figure: Figure| match figure.is_price() {
            true => Field::Money(figure.path()),
            false => Field::Plain(figure.path()),
        };
        Ok(Csv::new(market.into_iter().chain(Figure::all().map(figure)).chain(series), rows))
    }
}
