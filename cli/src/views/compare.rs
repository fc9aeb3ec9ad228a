//! Areas side by side.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Currency, Purpose, Time};
use stoop_embedded::Database;
use stoop_market::{Segment, Window};
use stoop_serve::{
    Breakdown, ChangeView, ComparedChange, ComparedFigure, Comparing, Comparison, Figure, FiguresView, MarketView,
    figure_text, figure_title, market_for,
};

use super::market::{Area, changes, reference};
use super::{View, as_text, give, moment, open, read};
use crate::args::{CompareArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Column, Csv, Field, Look, Page, SafeText, Table, UNKNOWN};

/// Several areas, of one purpose.
#[derive(Serialize)]
pub(super) struct ComparedAreas {
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    purpose: &'static str,
    /// One for each area, in the order given.
    areas: Vec<MarketView>,
    /// The same figures side by side.
    #[serde(flatten)]
    comparison: Comparison,
    /// No figures were asked for: reference series are shown, too.
    #[serde(skip)]
    is_of_all: bool,
}

/// `stoop compare`.
pub(crate) fn compare(store: &StoreArgs, args: &CompareArgs) -> anyhow::Result<ExitCode> {
    give(&ComparedAreas::read(&*open(store)?, args)?, &args.format)
}

impl ComparedAreas {
    pub(super) fn read(database: &Database, args: &CompareArgs) -> anyhow::Result<Self> {
        let as_of = moment(database, args.as_of.as_of)?.unwrap_or_default();
        let purpose = if args.rent { Purpose::Rent } else { Purpose::Sale };
        let mut areas = Vec::new();
        for query in &args.areas {
            // One day: changes are wanted, and no series.
            let view = Area::read(database, query, Some(as_of), 1)?.view;
            areas.push(market_for(view, purpose).map_err(usage)?);
        }
        read(database, async |reader| {
            for area in &mut areas {
                reader.add_reference(area).await?;
            }
            Ok(())
        })?;
        let window = match args.window.as_str() {
            "7" => Window::Days7,
            "90" => Window::Days90,
            _ => Window::Days28,
        };
        let by = args.by.map(Breakdown::from);
        let comparison = Comparing { figures: args.figures.clone(), window, by }.compare(&areas);
        let is_of_all = args.figures.is_empty() && by.is_none();
        Ok(Self { as_of, purpose: purpose.as_str(), areas, comparison, is_of_all })
    }

    /// A table with one column for each area.
    fn new_table(&self, heading: String) -> Table {
        let areas = self.areas.iter().map(|area| Column::right(area.name.clone()));
        Table::new([Column::left(heading)].into_iter().chain(areas))
    }

    fn cells<'a>(&'a self, row: &'a ComparedFigure) -> impl Iterator<Item = SafeText> + 'a {
        self.areas.iter().zip(&row.values).map(|(area, value)| {
            let Some(known) = value.value else { return SafeText::from(UNKNOWN).dim() };
            let text = SafeText::from(figure_text(row.figure.definition(), known, area.currency, area.area_unit));
            if value.thin { text.dim() } else { text }
        })
    }

    /// One row for each figure.
    fn table(&self) -> Table {
        let mut table = self.new_table("figure".to_owned());
        for row in &self.comparison.figures {
            table.row([SafeText::from(name(row.figure))].into_iter().chain(self.cells(row)));
        }
        for ComparedChange { days, values } in &self.comparison.changes {
            type Change = fn(&ChangeView) -> Option<f64>;
            let rows: [(&str, Change); 3] = [
                ("active", |it| it.active_change),
                ("median price", |it| it.median_price_change),
                ("mix-adjusted price", |it| it.mix_adjusted_change),
            ];
            for (what, of) in rows {
                if values.iter().flatten().all(|change| of(change).is_none()) {
                    continue;
                }
                let cells = values.iter().map(|change| {
                    let text = SafeText::from(changes::signed(change.as_ref().and_then(of)));
                    if change.as_ref().is_none_or(|change| change.thin) { text.dim() } else { text }
                });
                table.row([format!("{what} against {days} days before").into()].into_iter().chain(cells));
            }
        }
        for (name, cells) in reference::rows(&self.areas).into_iter().filter(|_| self.is_of_all) {
            table.row([SafeText::from(name)].into_iter().chain(cells));
        }
        table
    }

    /// One table for each figure, with one row for each part.
    fn tables_of_parts(&self) -> Vec<Table> {
        let figures = self.comparison.figures.chunk_by(|one, next| one.figure == next.figure);
        let table = |rows: &[ComparedFigure]| {
            let mut table = self.new_table(name(rows[0].figure));
            for row in rows {
                let part = row.part.map(Segment::words).unwrap_or_default();
                table.row([SafeText::from(part)].into_iter().chain(self.cells(row)));
            }
            table
        };
        figures.map(table).collect()
    }
}

/// A value, dimmed if its sample is too small.
pub(super) fn cell(figure: Figure, figures: &FiguresView, currency: Currency, unit: &str) -> SafeText {
    let Ok(Some(value)) = figure.of(figures) else { return SafeText::from(UNKNOWN).dim() };
    let text = SafeText::from(figure_text(figure.definition(), value, currency, unit));
    if figure.is_thin(figures) { text.dim() } else { text }
}

pub(super) fn name(figure: Figure) -> String {
    let title = figure_title(figure.definition());
    figure.window().map_or_else(|| title.clone(), |window| format!("{title}, {}", window.label()))
}

impl View for ComparedAreas {
    fn draw(&self, look: Look) -> Page {
        let mut page = Page::new(look);
        let heading = format!("For {} as of {} UTC", self.purpose, show::time(self.as_of));
        page.line([SafeText::from(heading).bold()]).gap();
        if self.comparison.figures.iter().any(|row| row.part.is_some()) {
            for (at, table) in self.tables_of_parts().into_iter().enumerate() {
                if at > 0 {
                    page.gap();
                }
                page.table(table);
            }
        } else {
            page.table(self.table());
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
