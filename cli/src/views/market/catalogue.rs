//! The figures of sales, speed and pressure, as the catalogue defines them.

use stoop_market::{Definition, Group, Window};
use stoop_serve::{Figure, FiguresView, MarketView, figure_text, figure_title};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

const GROUPS: [Group; 3] = [Group::Sales, Group::Speed, Group::Pressure];

/// One table for each group that has a figure, and what is missing.
pub(super) fn figures(market: &MarketView, page: &mut Page) {
    for group in GROUPS {
        let figures = Definition::all().filter(|figure| figure.group == group && !figure.unit.is_whole());
        let (of_windows, of_moment): (Vec<_>, Vec<_>) = figures.partition(|figure| figure.is_of_windows());
        let mut table = Table::new([
            Column::left("figure"),
            Column::right("7 days").optional(1),
            Column::right("28 days"),
            Column::right("90 days").optional(2),
        ]);
        let windows = [Window::Days7, Window::Days28, Window::Days90];
        for figure in of_windows {
            let cells = windows.map(|window| cell(figure, Some(window), market));
            if cells.iter().any(Option::is_some) {
                let cells = cells.map(|cell| cell.unwrap_or_else(|| SafeText::from(UNKNOWN).dim()));
                table.row([figure_title(figure).into()].into_iter().chain(cells));
            }
        }
        let within = within(market);
        let is_speed = group == Group::Speed;
        if table.is_empty() && (!is_speed || within.is_empty()) {
            if group == Group::Sales {
                page.heading(group.as_str());
                page.line([SafeText::from("  no closing price was observed: not every portal shows sales").dim()]);
            }
            continue;
        }
        page.heading(group.as_str());
        if is_speed && !within.is_empty() {
            page.table(within).gap();
        }
        for figure in of_moment.iter().filter(|_| !is_speed) {
            if let Some(value) = cell(figure, None, market) {
                page.line([format!("  {}  ", figure_title(figure)).into(), value]).gap();
            }
        }
        page.table(table);
    }
}

/// How fast homes that were listed in the last 90 days leave.
fn within(market: &MarketView) -> Table {
    let mut table = Table::new([
        Column::left("listed in 90 days"),
        Column::right("half after"),
        Column::right("in 7 days"),
        Column::right("14"),
        Column::right("30"),
        Column::right("60"),
    ]);
    for (title, median, share) in [
        ("under contract", "median_days_to_pending", "pending"),
        ("off the market too", "median_days_to_off_market", "off_market"),
    ] {
        let named = |name: &str| {
            let figure = Definition::all().find(|figure| figure.name == name)?;
            let named = Figure::of_definition(figure, None)?;
            let value = named.of(&market.figures).ok()??;
            let text = SafeText::from(figure_text(figure, value, market.currency, market.area_unit));
            Some(if named.is_thin(&market.figures) { text.dim() } else { text })
        };
        let cells = [named(median)]
            .into_iter()
            .chain([7, 14, 30, 60].map(|days| named(&format!("{share}_within_{days}_days"))));
        let cells: Vec<Option<SafeText>> = cells.collect();
        if cells.iter().any(Option::is_some) {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| SafeText::from(UNKNOWN).dim()));
            table.row([title.into()].into_iter().chain(cells));
        }
    }
    table
}

/// The value with its sample in brackets, dimmed if that is too small; `None` if there is no value.
fn cell(figure: &'static Definition, window: Option<Window>, market: &MarketView) -> Option<SafeText> {
    let named = Figure::of_definition(figure, window)?;
    let value = named.of(&market.figures).ok()??;
    let shown = figure_text(figure, value, market.currency, market.area_unit);
    if figure.sample.is_none() {
        return Some(shown.into());
    }
    let text = SafeText::from(format!("{shown} ({})", show::whole(named.sample(&market.figures)?)));
    Some(if named.is_thin(&market.figures) { text.dim() } else { text })
}

/// Text of a figure of the moment, by its name, dimmed if its sample is too small.
pub(crate) fn dimmed(text: impl AsRef<str>, name: &str, figures: &FiguresView) -> SafeText {
    let text = SafeText::from(text);
    if Figure::named(name).is_some_and(|figure| figure.is_thin(figures)) { text.dim() } else { text }
}
