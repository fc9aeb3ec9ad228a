use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pipeline::WideLevel;
use stoop_serve::{Allowance, ConfidenceInterval, Figure, FiguresView, MarketRow, Ranking, SortBy, market_columns};

use super::compare::{cell, name};
use super::market::catalogue::dimmed;
use super::market::changes::noisy;
use super::{View, as_text_or_null, empty, give, moment, more, open, plural, read};
use crate::args::{MarketsArgs, StoreArgs, WantedMarkets};
use crate::out::say;
use crate::show::{self, Column, Csv, Look, Page, SafeText, Table, UNKNOWN, or_unknown};

/// Every market that still has the requested day, with its figures, the largest first.
#[derive(Serialize)]
pub(super) struct Markets {
    #[serde(serialize_with = "as_text_or_null")]
    as_of: Option<Time>,
    /// The level of the areas; omitted for markets.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// The total number; `markets` may hold fewer.
    total: usize,
    markets: Vec<MarketRow>,
    /// The figure that the list is sorted by.
    #[serde(skip)]
    figure: Option<Figure>,
    /// Whether it is sorted by the mix-adjusted change, which must then be seen.
    #[serde(skip)]
    is_by_mix: bool,
}

/// `stoop markets`.
pub(crate) fn markets(store: &StoreArgs, args: &MarketsArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Markets::read(&database, args.level, args.as_of.as_of, &args.wanted, args.limit)?;
    if view.as_of.is_none() && args.format.is_for_people() {
        say!("{}", empty(&database));
        return Ok(ExitCode::SUCCESS);
    }
    give(&view, &args.format)
}

impl Markets {
    pub(super) fn read(
        database: &Database,
        level: Option<WideLevel>,
        as_of: Option<Time>,
        wanted: &WantedMarkets,
        limit: usize,
    ) -> anyhow::Result<Self> {
        let as_of = moment(database, as_of)?;
        let mut markets = match as_of {
            None => Vec::new(),
            Some(now) => read_rows(database, level, now, wanted.change_days())?,
        };
        let WantedMarkets { min_homes, sort, desc, .. } = *wanted;
        Ranking { min_homes, sort, desc }.rank(&mut markets)?;
        let total = markets.len();
        markets.truncate(limit);
        let figure = match sort {
            Some(SortBy::Figure(figure)) => Some(figure),
            _ => None,
        };
        let is_by_mix = matches!(sort, Some(SortBy::MixAdjustedChange));
        Ok(Self { as_of, level: level.map(WideLevel::as_str), total, markets, figure, is_by_mix })
    }
}

/// Every market, or every area of a level, with figures and the change that is wanted.
fn read_rows(
    database: &Database,
    level: Option<WideLevel>,
    now: Time,
    change: Option<i32>,
) -> anyhow::Result<Vec<MarketRow>> {
    let all = database.market_ids()?;
    read(database, async |reader| {
        let Some(level) = level else { return Ok(reader.market_rows(&all, now, change).await?) };
        let mut allowance = Allowance::unlimited();
        let mut rows = reader.area_rows(level, &all, now, &mut allowance).await?;
        if let Some(days) = change {
            reader.change_rows(&mut rows, level, &all, now, days, &mut allowance).await?;
        }
        Ok(rows)
    })
}

impl View for Markets {
    fn draw(&self, look: Look) -> Page {
        let as_of = self.as_of.map(show::time);
        let total = match self.level {
            None => plural(self.total as u64, "market"),
            Some(level) => format!("{} of {}", plural(self.total as u64, "sum"), several(level)),
        };
        let heading = format!("{total} as of {} UTC", or_unknown(as_of));
        let is_changed = self.markets.iter().any(|row| row.change.is_some());
        let days = self.markets.iter().find_map(|row| row.change.as_ref()).map_or(0, |change| change.days);
        let figure = self.figure.filter(|figure| !SHOWN.contains(&figure.name().as_str()));
        let columns = [
            Column::left("area"),
            Column::cut("in").optional(1),
            Column::left("for"),
            Column::right("active"),
            Column::right("median"),
            Column::right("p25–p75").optional(5),
            Column::right("per area").optional(3),
            Column::right("age").optional(4),
            Column::right("new"),
            Column::right("cuts"),
            Column::right("% cut").optional(2),
        ];
        let changes = is_changed.then(|| {
            let [active, median, mix] = ["active", "median", "mix-adj."].map(|what| format!("{what}, {days} d"));
            let mix = Column::right(mix).optional(if self.is_by_mix { 0 } else { 6 });
            [Column::right(active), Column::right(median), mix]
        });
        let has_mix = |row: &MarketRow| row.change.as_ref().is_some_and(|change| change.mix_adjusted_change.is_some());
        let shown = if self.is_by_mix || self.markets.iter().any(has_mix) { 3 } else { 2 };
        let sorted = figure.map(|figure| Column::right(name(figure)));
        let mut table = Table::new(columns.into_iter().chain(changes.into_iter().flatten().take(shown)).chain(sorted));
        for row in &self.markets {
            let within = if self.level.is_some() { above(&row.path) } else { parents(&row.path) };
            let change = is_changed.then(|| change_cells(row)).into_iter().flatten().take(shown);
            let sorted = figure.map(|figure| match &row.figures {
                Some(figures) => cell(figure, figures, row.currency, row.area_unit),
                None => UNKNOWN.into(),
            });
            table.row(cells(row, within).into_iter().chain(change).chain(sorted));
        }
        let note = "age: median days on the market. new, cuts: in 7 days. % cut: homes that ask less than at first. dim: fewer \
                    than 10 homes.";
        let mut page = Page::new(look);
        page.line([SafeText::from(heading).bold()]).gap().table(table);
        more(&mut page, self.markets.len(), self.total);
        page.gap().line([SafeText::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        let is_changed = self.markets.iter().any(|row| row.change.is_some());
        Ok(Csv::of(market_columns(is_changed), &self.markets)?)
    }
}

/// The cells of a line; `within` is the path around the area.
fn cells(row: &MarketRow, within: &str) -> [SafeText; 11] {
    let figures = row.figures.as_ref();
    let quartiles = figures.and_then(|figures| figures.p25_price.zip(figures.p75_price));
    let quartiles = quartiles.map(|(low, high)| format!("{}–{}", show::short(low), show::short(high)));
    let per_area = figures.and_then(|figures| figures.median_price_per_area).map(|price| {
        let unit = show::unit_sign(row.area_unit);
        format!("{}/{unit}", show::price_digits(price, row.currency))
    });
    let median = figures.and_then(|figures| figures.median_price);
    let age = figures.and_then(|figures| figures.median_age_days);
    let cut_share = figures.and_then(|figures| figures.cut_share);
    let count = |of: fn(&FiguresView) -> i64| or_unknown(figures.map(|figures| show::whole(of(figures))));
    let dim = |text: Option<String>, name: &str| match figures {
        Some(figures) => dimmed(or_unknown(text), name, figures),
        None => or_unknown(text).into(),
    };
    [
        row.name.as_str().into(),
        SafeText::from(within).dim(),
        row.purpose.into(),
        count(|figures| figures.active).into(),
        dim(median.map(|price| show::price(price, row.currency)), "median_price"),
        dim(quartiles, "p25_price"),
        dim(per_area, "median_price_per_area"),
        dim(age.map(|days| format!("{days:.0} d")), "median_age_days"),
        count(|figures| figures.last_7_days.flows.new).into(),
        count(|figures| figures.last_7_days.flows.price_cuts).into(),
        dim(cut_share.map(|share| format!("{:.0} %", share * 100.0)), "cut_share"),
    ]
}

/// Figures that have a column of their own.
const SHOWN: [&str; 7] = [
    "active",
    "median_price",
    "median_price_per_area",
    "median_age_days",
    "cut_share",
    "last_7_days_new",
    "last_7_days_price_cuts",
];

/// The changes of active homes, of the median price, and of prices at the same mix of homes, dimmed if they are thin or not
/// clear.
fn change_cells(row: &MarketRow) -> [SafeText; 3] {
    let Some(change) = &row.change else { return [UNKNOWN; 3].map(|text| SafeText::from(text).dim()) };
    let values: [(Option<f64>, Option<ConfidenceInterval>); 3] = [
        (change.active_change, None),
        (change.median_price_change, change.median_price_change_interval),
        (change.mix_adjusted_change, change.mix_adjusted_change_interval),
    ];
    values.map(|(value, interval)| noisy(value, interval, change.thin))
}

/// The plural name of a level.
fn several(level: &str) -> String {
    level.strip_suffix('y').map_or_else(|| format!("{level}s"), |stem| format!("{stem}ies"))
}

/// The known levels above the last level of a wide area's path, whether that is known or not.
fn above(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(above, _)| above).trim_end_matches(['-', '/'])
}

/// The known levels above the narrowest known one of a path; followed by its slug they are the path.
fn parents(path: &str) -> &str {
    above(path.trim_end_matches(['-', '/']))
}

#[cfg(test)]
#[test]
fn the_parents_of_an_area_are_its_known_levels_above() {
    let shown = ["us/wa/king/-/98178", "ma/-/-/agadir/haut-founty", "ma/-/-/agadir/-"].map(parents);
    assert_eq!(shown, ["us/wa/king", "ma/-/-/agadir", "ma"]);
    assert_eq!(["us/wa/-", "ma/-", "ma", "us/wa/king/seattle"].map(above), ["us/wa", "ma", "", "us/wa/king"]);
}
