use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Country, Currency, Market, Time};
use stoop_embedded::Database;
use stoop_market::Cells;
use stoop_pipeline::serve::{FiguresView, Hours, MergedId, Sum, area_name, unit_name};
use stoop_pipeline::{WideArea, WideLevel, add_up};

use super::{View, as_text_or_null, empty, give, moment, more, open, plural, rows, told_at};
use crate::args::{MarketsArgs, StoreArgs, WantedMarkets};
use crate::out::say;
use crate::show::{self, Column, Csv, Field, Look, Page, Table, Words, or_unknown};

/// Every market that still tells the day asked for, and its figures, the largest first.
#[derive(Serialize)]
pub(super) struct Markets {
    #[serde(serialize_with = "as_text_or_null")]
    as_of: Option<Time>,
    /// Of which level the areas are; left out of markets.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
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
    id: String,
    path: String,
    name: String,
    /// What lies around it, in the table.
    #[serde(skip)]
    within: String,
    purpose: &'static str,
    currency: Currency,
    area_unit: &'static str,
    #[serde(flatten)]
    figures: FiguresView,
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

/// Where the figure with this name in CSV lies in the JSON of a row.
pub(crate) fn figure(name: &str) -> Result<&'static str, String> {
    let named = |field: &Field| field.path().replace('.', "_");
    let found = FIGURES.iter().find(|field| named(field) == name).map(Field::path);
    found.ok_or_else(|| format!("accepted: {}", FIGURES.iter().map(named).collect::<Vec<_>>().join(", ")))
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
        markets.retain(|row| row.figures.priced >= wanted.min_homes);
        sort(&mut markets, wanted)?;
        let total = markets.len();
        markets.truncate(limit);
        Ok(Self { as_of, level: level.map(WideLevel::as_str), total, markets })
    }
}

fn read_markets(database: &Database, now: Time) -> anyhow::Result<Vec<MarketRow>> {
    let mut rows = Vec::new();
    // One state at a time is in memory: there may be thousands of markets.
    for market in database.market_ids()? {
        if let Some(cells) = told_at(database, &market, now, 0)? {
            let (country, id) = (market.area.country(), MergedId::of(&market));
            let row = MarketRow::new(market.area.as_str(), id, &country, Sum::Whole(&cells), now);
            rows.push(MarketRow { name: market.area.name(), within: parents(market.area.as_str()), ..row });
        }
    }
    Ok(rows)
}

fn read_areas(database: &Database, level: WideLevel, now: Time) -> anyhow::Result<Vec<MarketRow>> {
    let mut rows = Vec::new();
    // Of a day that roll-ups do not tell any more the markets are added up.
    let mut untold = BTreeSet::new();
    database.each_wide(level, now, |area, wide| -> anyhow::Result<()> {
        match wide {
            Some(wide) => {
                let sum = Sum::Wide(&wide, level.grain(), Hours::Told);
                rows.push(MarketRow::new(area.path(), area.id(), &area.country(), sum, now));
            }
            None => drop(untold.insert(area)),
        }
        Ok(())
    })?;
    let mut markets: BTreeMap<WideArea, Vec<Market>> = BTreeMap::new();
    if !untold.is_empty() {
        for market in database.market_ids()? {
            markets.entry(WideArea::of(&market, level)).or_default().push(market);
        }
    }
    for area in untold {
        let markets = markets.remove(&area).unwrap_or_default();
        let states = markets.iter().map(|market| told_at(database, market, now, 0));
        let states: Vec<Cells> = states.filter_map(Result::transpose).collect::<anyhow::Result<_>>()?;
        let (wide, hours) = add_up(&area, &states, now);
        let sum = Sum::Wide(&wide, level.grain(), hours);
        rows.push(MarketRow::new(area.path(), area.id(), &area.country(), sum, now));
    }
    Ok(rows)
}

/// By the figure that was asked for, the least first or, with `desc`, the greatest; unknown ones last, and of one value by id.
fn sort(markets: &mut Vec<MarketRow>, wanted: &WantedMarkets) -> anyhow::Result<()> {
    let Some(figure) = wanted.sort else {
        markets.sort_by(|a, b| b.figures.active.cmp(&a.figures.active).then_with(|| a.id.cmp(&b.id)));
        return Ok(());
    };
    let pointer = format!("/{}", figure.replace('.', "/"));
    let mut keyed = Vec::with_capacity(markets.len());
    for row in markets.drain(..) {
        let value = serde_json::to_value(&row.figures)?.pointer(&pointer).and_then(Value::as_f64);
        let value = if wanted.desc { value.map(|value| -value) } else { value };
        keyed.push((value, row));
    }
    keyed.sort_by(|(a, left), (b, right)| {
        let by_value = match (a, b) {
            (Some(a), Some(b)) => a.total_cmp(b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_value.then_with(|| left.id.cmp(&right.id))
    });
    markets.extend(keyed.into_iter().map(|(_, row)| row));
    Ok(())
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
    /// A row of an area whose path is this, named by the last level.
    fn new(path: &str, id: MergedId, country: &Country, sum: Sum<'_>, now: Time) -> Self {
        let (within, slug) = path.rsplit_once('/').unwrap_or(("", path));
        let name = if slug == "-" { "unknown".to_owned() } else { area_name(path) };
        Self {
            id: format!("{path}:{id}"),
            path: path.to_owned(),
            name,
            within: within.trim_end_matches(['-', '/']).to_owned(),
            purpose: id.purpose.as_str(),
            currency: id.currency,
            area_unit: unit_name(country.area_unit),
            figures: FiguresView::of(sum, now, id.currency, country.area_unit, &country.zone),
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
            Words::from(self.within.as_str()).dim(),
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

/// The name of a level in the plural.
fn several(level: &str) -> String {
    level.strip_suffix('y').map_or_else(|| format!("{level}s"), |stem| format!("{stem}ies"))
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
