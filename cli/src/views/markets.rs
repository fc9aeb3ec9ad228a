use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Currency, Market, Time};
use stoop_embedded::Database;
use stoop_market::Cells;
use stoop_pipeline::serve::{FiguresView, unit_name};

use super::{View, as_text, as_text_or_null, empty, give, moment, more, open, plural, rows, told_at};
use crate::args::{MarketsArgs, StoreArgs};
use crate::out::say;
use crate::show::{self, Column, Csv, Field, Look, Page, Table, Words, or_unknown};

/// Every market that still tells the day asked for, and its figures, the largest first.
#[derive(Serialize)]
pub(super) struct Markets {
    #[serde(serialize_with = "as_text_or_null")]
    as_of: Option<Time>,
    /// How many markets there are, of which `markets` may show fewer.
    total: usize,
    markets: Vec<MarketRow>,
}

/// The figures of a market in CSV.
const FIGURES: [Field; 45] = [
    Field::Plain("active"),
    Field::Plain("unconfirmed"),
    Field::Plain("priced"),
    Field::Money("median_price"),
    Field::Money("mean_price"),
    Field::Money("p25_price"),
    Field::Money("p75_price"),
    Field::Money("min_price"),
    Field::Money("max_price"),
    Field::Money("median_price_per_area"),
    Field::Plain("median_age_days"),
    Field::Plain("cut_share"),
    Field::Plain("median_cut"),
    Field::Plain("last_24_hours.new"),
    Field::Plain("last_24_hours.back_on_market"),
    Field::Plain("last_24_hours.price_cuts"),
    Field::Plain("last_24_hours.price_rises"),
    Field::Plain("last_24_hours.pending"),
    Field::Plain("last_24_hours.closed"),
    Field::Plain("last_24_hours.gone"),
    Field::Plain("last_24_hours.expired"),
    Field::Plain("last_7_days.new"),
    Field::Plain("last_7_days.back_on_market"),
    Field::Plain("last_7_days.price_cuts"),
    Field::Plain("last_7_days.price_rises"),
    Field::Plain("last_7_days.pending"),
    Field::Plain("last_7_days.closed"),
    Field::Plain("last_7_days.gone"),
    Field::Plain("last_7_days.expired"),
    Field::Plain("last_28_days.new"),
    Field::Plain("last_28_days.back_on_market"),
    Field::Plain("last_28_days.price_cuts"),
    Field::Plain("last_28_days.price_rises"),
    Field::Plain("last_28_days.pending"),
    Field::Plain("last_28_days.closed"),
    Field::Plain("last_28_days.gone"),
    Field::Plain("last_28_days.expired"),
    Field::Plain("last_90_days.new"),
    Field::Plain("last_90_days.back_on_market"),
    Field::Plain("last_90_days.price_cuts"),
    Field::Plain("last_90_days.price_rises"),
    Field::Plain("last_90_days.pending"),
    Field::Plain("last_90_days.closed"),
    Field::Plain("last_90_days.gone"),
    Field::Plain("last_90_days.expired"),
];

#[derive(Serialize)]
struct MarketRow {
    #[serde(serialize_with = "as_text")]
    id: Market,
    path: String,
    name: String,
    purpose: &'static str,
    currency: Currency,
    area_unit: &'static str,
    #[serde(flatten)]
    figures: FiguresView,
}

/// `stoop markets`.
pub(crate) fn markets(store: &StoreArgs, args: &MarketsArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Markets::read(&database, args.as_of.as_of, args.limit)?;
    if view.as_of.is_none() && args.format.is_for_people() {
        say!("{}", empty(&database));
        return Ok(ExitCode::SUCCESS);
    }
    give(&view, &args.format)
}

impl Markets {
    pub(super) fn read(database: &Database, as_of: Option<Time>, limit: usize) -> anyhow::Result<Self> {
        let as_of = moment(database, as_of)?;
        let mut markets = Vec::new();
        if let Some(now) = as_of {
            // One state at a time is in memory: there may be thousands of markets.
            for market in database.market_ids()? {
                if let Some(cells) = told_at(database, &market, now, 0)? {
                    markets.push(MarketRow::new(market, &cells, now));
                }
            }
        }
        markets.sort_by(|a, b| b.figures.active.cmp(&a.figures.active).then_with(|| a.id.cmp(&b.id)));
        let total = markets.len();
        markets.truncate(limit);
        Ok(Self { as_of, total, markets })
    }
}

impl View for Markets {
    fn draw(&self, look: Look) -> Page {
        let as_of = self.as_of.map(show::time);
        let heading = format!("{} as of {} UTC", plural(self.total as u64, "market"), or_unknown(as_of));
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
            table.row(row.cells());
        }
        let note = "age: median days on the market. new, cuts: in 7 days. % cut: homes that ask less than at first.";
        let mut page = Page::new(look);
        page.line([Words::from(heading).bold()]).gap().table(table);
        more(&mut page, self.markets.len(), self.total);
        page.gap().line([Words::from(note).dim()]);
        page
    }

    fn csv(&self) -> anyhow::Result<Csv> {
        let market = ["id", "path", "name", "purpose", "currency", "area_unit"].map(Field::Plain);
        Ok(Csv::new(market.into_iter().chain(FIGURES), rows(&self.markets)?))
    }
}

impl MarketRow {
    fn new(id: Market, cells: &Cells, now: Time) -> Self {
        let country = id.area.country();
        Self {
            path: id.area.to_string(),
            name: id.area.name(),
            purpose: id.purpose.as_str(),
            currency: id.currency,
            area_unit: unit_name(country.area_unit),
            figures: FiguresView::of(cells, now, id.currency, country.area_unit, &country.zone),
            id,
        }
    }

    fn cells(&self) -> [Words; 11] {
        let figures = &self.figures;
        let quartiles = figures.p25_price.zip(figures.p75_price);
        let quartiles = quartiles.map(|(low, high)| format!("{}–{}", show::short(low), show::short(high)));
        let per_area = figures.median_price_per_area.map(|price| {
            let unit = show::unit_sign(self.area_unit);
            format!("{}/{unit}", show::price_digits(price, self.currency))
        });
        [
            self.name.as_str().into(),
            Words::from(parents(&self.path)).dim(),
            self.purpose.into(),
            show::whole(figures.active).into(),
            or_unknown(figures.median_price.map(|price| show::price(price, self.currency))).into(),
            or_unknown(quartiles).into(),
            or_unknown(per_area).into(),
            or_unknown(figures.median_age_days.map(|days| format!("{days:.0} d"))).into(),
            show::whole(figures.last_7_days.new).into(),
            show::whole(figures.last_7_days.price_cuts).into(),
            or_unknown(figures.cut_share.map(|share| format!("{:.0} %", share * 100.0))).into(),
        ]
    }
}

/// The known levels above the narrowest one of a path: with its slug behind them they are the path.
fn parents(path: &str) -> String {
    let known = path.trim_end_matches(['-', '/']);
    known.rsplit_once('/').map_or("", |(parents, _)| parents).trim_end_matches(['-', '/']).to_owned()
}

#[cfg(test)]
#[test]
fn the_parents_of_an_area_are_its_known_levels_above() {
    let shown = ["us/wa/king/-/98178", "ma/-/-/agadir/haut-founty", "ma/-/-/agadir/-"].map(parents);
    assert_eq!(shown, ["us/wa/king", "ma/-/-/agadir", "ma"]);
}
