use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Market, Time};
use stoop_embedded::Database;
use stoop_market::Cells;
use stoop_pipeline::serve::{Figure, FiguresView, Hours, MarketRow, Ranking, Sum};
use stoop_pipeline::{WideArea, WideLevel, add_up};

use super::{View, as_text_or_null, cells_at, empty, give, moment, more, open, plural, rows};
use crate::args::{MarketsArgs, StoreArgs, WantedMarkets};
use crate::out::say;
use crate::show::{self, Column, Csv, Field, Look, Page, SafeText, Table, or_unknown};

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
        let mut markets = match (as_of, level) {
            (None, _) => Vec::new(),
            (Some(now), None) => read_markets(database, now)?,
            (Some(now), Some(level)) => read_areas(database, level, now)?,
        };
        let WantedMarkets { min_homes, sort, desc } = *wanted;
        Ranking { min_homes, sort, desc }.rank(&mut markets)?;
        let total = markets.len();
        markets.truncate(limit);
        Ok(Self { as_of, level: level.map(WideLevel::as_str), total, markets })
    }
}

fn read_markets(database: &Database, now: Time) -> anyhow::Result<Vec<MarketRow>> {
    let mut rows = Vec::new();
    // One state at a time is in memory: there may be thousands of markets.
    for market in database.market_ids()? {
        if let Some(cells) = cells_at(database, &market, now, 0)? {
            rows.push(MarketRow::of_market(&market).with_figures(Sum::Whole(&cells), now));
        }
    }
    Ok(rows)
}

fn read_areas(database: &Database, level: WideLevel, now: Time) -> anyhow::Result<Vec<MarketRow>> {
    let mut rows = Vec::new();
    // For a day that roll-ups no longer hold, the markets are added up.
    let mut without_figures = BTreeSet::new();
    database.each_wide(level, now, |area, wide| -> anyhow::Result<()> {
        match wide {
            Some(wide) => {
                let sum = Sum::Wide(&wide, level.grain(), Hours::Known);
                rows.push(MarketRow::of_area(&area).with_figures(sum, now));
            }
            None => drop(without_figures.insert(area)),
        }
        Ok(())
    })?;
    let mut markets: BTreeMap<WideArea, Vec<Market>> = BTreeMap::new();
    if !without_figures.is_empty() {
        for market in database.market_ids()? {
            markets.entry(WideArea::of(&market, level)).or_default().push(market);
        }
    }
    for area in without_figures {
        let markets = markets.remove(&area).unwrap_or_default();
        let states = markets.iter().map(|market| cells_at(database, market, now, 0));
        let states: Vec<Cells> = states.filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
        let (wide, hours) = add_up(&area, &states, now);
        let sum = Sum::Wide(&wide, level.grain(), hours);
        rows.push(MarketRow::of_area(&area).with_figures(sum, now));
    }
    Ok(rows)
}

impl View for Markets {
    fn draw(&self, look: Look) -> Page {
        let as_of = self.as_of.map(show::time);
        let total = match self.level {
            None => plural(self.total as u64, "market"),
            Some(level) => format!("{} of {}", plural(self.total as u64, "sum"), several(level)),
        };
        let heading = format!("{total} as of {} UTC", or_unknown(as_of));
        let mut table = Table::new([
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
        ]);
        for row in &self.markets {
            let within = if self.level.is_some() { above(&row.path) } else { parents(&row.path) };
            table.row(cells(row, within));
        }
        let note = "age: median days on the market. new, cuts: in 7 days. % cut: homes that ask less than at first.";
        let mut page = Page::new(look);
        page.line([SafeText::from(heading).bold()]).gap().table(table);
        more(&mut page, self.markets.len(), self.total);
        page.gap().line([SafeText::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        let market = ["id", "path", "name", "purpose", "currency", "area_unit"].map(Field::Plain);
        let figure = |figure: Figure| match figure.is_price() {
            true => Field::Money(figure.path()),
            false => Field::Plain(figure.path()),
        };
        Ok(Csv::new(market.into_iter().chain(Figure::all().map(figure)), rows(&self.markets)?))
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
    [
        row.name.as_str().into(),
        SafeText::from(within).dim(),
        row.purpose.into(),
        count(|figures| figures.active).into(),
        or_unknown(median.map(|price| show::price(price, row.currency))).into(),
        or_unknown(quartiles).into(),
        or_unknown(per_area).into(),
        or_unknown(age.map(|days| format!("{days:.0} d"))).into(),
        count(|figures| figures.last_7_days.flows.new).into(),
        count(|figures| figures.last_7_days.flows.price_cuts).into(),
        or_unknown(cut_share.map(|share| format!("{:.0} %", share * 100.0))).into(),
    ]
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
