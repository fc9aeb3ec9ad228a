use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::{Currency, Minor, Time};
use stoop_embedded::Database;
use stoop_market::Flows;
use stoop_pipeline::serve::{AreaView, FiguresView, MarketView, SegmentView, merged};

use super::{area, moment, open, plural};
use crate::args::{MarketArgs, StoreArgs};
use crate::failure::usage;
use crate::show::{self, Cell, Column, Look, Table, UNKNOWN, or_unknown, print, print_json};

/// Everything about one area, drawn for people.
#[derive(Serialize)]
pub(super) struct Area(AreaView);

/// The closes that are listed below the sparklines; `--json` has all days.
const DAYS_LISTED: usize = 14;

/// `stoop market AREA`.
pub(crate) fn market(store: &StoreArgs, args: &MarketArgs) -> anyhow::Result<ExitCode> {
    let database = open(store)?;
    let view = Area::read(&database, &args.area, args.as_of.as_of, args.days)?;
    if args.json.json {
        print_json(&view)?
    } else {
        print(&view.draw(Look::of_stdout()))?
    }
    Ok(ExitCode::SUCCESS)
}

impl Area {
    pub(super) fn read(database: &Database, query: &str, as_of: Option<Time>, days: u16) -> anyhow::Result<Self> {
        let found = area(database, query)?;
        let as_of = moment(database, as_of)?.unwrap_or_default();
        let mut states = Vec::new();
        for market in &found.markets {
            if let Some(cells) = database.cells(market)? {
                states.push((market.clone(), cells));
            }
        }
        let mut older = BTreeMap::new();
        for market in found.lone() {
            older.insert(market.clone(), database.closes(market)?);
        }
        let view = AreaView::of(&found, &merged(states), &older, as_of, days);
        let begin = |first| usage(format!("--as-of {as_of}: the days that are still told begin with {first}"));
        view.map(Self).map_err(begin)
    }

    pub(super) fn draw(&self, look: Look) -> String {
        let parts: Vec<String> = self.0.markets.iter().map(|market| self.market(market, look)).collect();
        parts.join("\n\n")
    }

    fn market(&self, market: &MarketView, look: Look) -> String {
        let heading = format!("{} · for {} · {}", self.0.name, market.purpose, market.currency);
        let terms = format!(":{}:{}", market.purpose, market.currency);
        let parts = match self.0.consists_of.iter().filter(|id| id.ends_with(&terms)).count() {
            1 => String::new(),
            n => format!(", {}", plural(n as u64, "market")),
        };
        let under = format!("{}{parts}, as of {} UTC", self.0.path, show::time(self.0.as_of));
        let mut text = format!("{}\n{}\n\n", look.bold(&heading), look.dim(&under));
        text += &figures(market);
        text += &format!("\n{}\n\n{}", look.bold("What happened"), flows(&market.figures).draw(look));
        for (heading, segments) in [("type", &market.property_types), ("bedrooms", &market.bedrooms)] {
            let table = by_segment(heading, segments, market);
            if !table.is_empty() {
                text += &format!("\n{}\n\n{}", look.bold(&format!("By {heading}")), table.draw(look));
            }
        }
        text + &daily(market, look)
    }
}

fn figures(market: &MarketView) -> String {
    let FiguresView { active, priced, .. } = market.figures;
    let figures = &market.figures;
    let price = |price: Option<f64>| or_unknown(price.map(|price| show::price(price, market.currency)));
    let per_area =
        figures.median_price_per_area.map(|price| show::price_per_area(price, market.currency, market.area_unit));
    let unpriced = if priced == active { String::new() } else { format!(" ({} with a price)", show::whole(priced)) };
    let cut = figures.cut_share.map(|share| match figures.median_cut {
        Some(median) if share > 0.0 => format!("{}, median cut {}", show::percent(share), show::percent(median)),
        _ => show::percent(share),
    });
    // The mean is a sum of whole numbers: exact, where the others are read from a histogram.
    #[expect(clippy::cast_possible_truncation, reason = "a price, in minor units")]
    let minor = |major: f64| (major.round() * 10_f64.powi(market.currency.minor_digits().cast_signed())) as i64;
    let mean = figures.mean_price.map(|mean| show::money(Minor(minor(mean)), market.currency));
    let left = [
        ("active", format!("{}{unpriced}", show::whole(active))),
        ("median price", price(figures.median_price)),
        ("mean price", or_unknown(mean)),
        ("median per area", or_unknown(per_area)),
    ];
    let right = [
        ("quartiles", format!("{} to {}", price(figures.p25_price), price(figures.p75_price))),
        ("range", format!("{} to {}", price(figures.min_price), price(figures.max_price))),
        ("median age", or_unknown(figures.median_age_days.map(|days| plural(whole_days(days), "day")))),
        ("share cut", or_unknown(cut)),
    ];
    let width = left.iter().map(|(_, value)| value.chars().count()).max().unwrap_or(0);
    let lines = left.iter().zip(&right);
    lines.map(|((a, av), (b, bv))| format!("  {a:<15}  {av:<width$}    {b:<10}  {bv}\n")).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ages in days, never negative")]
fn whole_days(days: f64) -> u64 {
    days.round() as u64
}

fn flows(figures: &FiguresView) -> Table {
    let names = ["new", "back", "cuts", "rises", "pending", "closed", "gone"].map(Column::right);
    let mut table = Table::new([Column::left("in the last")].into_iter().chain(names));
    let windows = [
        ("24 hours", &figures.last_24_hours),
        ("7 days", &figures.last_7_days),
        ("28 days", &figures.last_28_days),
        ("90 days", &figures.last_90_days),
    ];
    for (window, flows) in windows {
        let Flows { new, back_on_market, price_cuts, price_rises, pending, closed, gone } = *flows;
        let counts = [new, back_on_market, price_cuts, price_rises, pending, closed, gone];
        table.row([window.into()].into_iter().chain(counts.map(number)));
    }
    table
}

/// A count, faint where nothing happened.
fn number(count: i64) -> Cell {
    let cell = Cell::from(show::whole(count));
    if count == 0 { cell.dim() } else { cell }
}

/// The segments that have homes now; `--json` has those that had some, too.
fn by_segment(heading: &'static str, segments: &[SegmentView], market: &MarketView) -> Table {
    let mut table = Table::new([
        Column::left(heading),
        Column::right("active"),
        Column::right("median"),
        Column::right("p25–p75").optional(2),
        Column::right("per area"),
        Column::right("age").optional(1),
        Column::right("share cut"),
        Column::right("new 28 d").optional(3),
        Column::right("cuts 28 d").optional(4),
    ]);
    let currency: Currency = market.currency;
    let mut living = segments.iter().filter(|segment| segment.figures.active != 0).peekable();
    // Of homes that are all of unknown kind there is nothing more to say.
    if living.peek().is_some_and(|first| first.label.starts_with("unknown")) {
        return table;
    }
    for SegmentView { label, figures } in living {
        let quartiles = figures.p25_price.zip(figures.p75_price);
        let quartiles = quartiles.map(|(low, high)| format!("{}–{}", show::short(low), show::short(high)));
        let per_area = figures.median_price_per_area;
        table.row([
            label.as_str().into(),
            show::whole(figures.active).into(),
            or_unknown(figures.median_price.map(|price| show::price(price, currency))).into(),
            or_unknown(quartiles).into(),
            or_unknown(per_area.map(|price| show::price_per_area(price, currency, market.area_unit))).into(),
            or_unknown(figures.median_age_days.map(|days| format!("{days:.0} d"))).into(),
            or_unknown(figures.cut_share.map(show::percent)).into(),
            number(figures.last_28_days.new),
            number(figures.last_28_days.price_cuts),
        ]);
    }
    table
}

fn daily(market: &MarketView, look: Look) -> String {
    let days = &market.days;
    if days.is_empty() {
        return String::new();
    }
    let heading = look.bold(&format!("Daily closes, {}", plural(days.len() as u64, "day")));
    let listed = if days.len() > DAYS_LISTED { format!(", the last {DAYS_LISTED} listed") } else { String::new() };
    let remark = look.dim(&format!("of {}{listed}", market.zone));
    let medians: Vec<Option<f64>> = days.iter().map(|day| day.median_price).collect();
    #[expect(clippy::cast_precision_loss, reason = "for a picture")]
    let active: Vec<Option<f64>> = days.iter().map(|day| Some(day.active as f64)).collect();
    let width = usize::from(look.width).saturating_sub(50).min(90);
    let lines = [
        ("median price", &medians, (|value, currency| show::price(value, currency)) as fn(f64, Currency) -> String),
        ("active homes", &active, |value, _| show::short(value)),
    ];
    let mut text = format!("\n{heading} {remark}\n\n");
    for (name, series, shown) in lines {
        let bounds = bounds(series).map(|(low, high)| {
            let [low, high] = [low, high].map(|value| shown(value, market.currency));
            if low == high { low } else { format!("{low} to {high}") }
        });
        text += &format!("  {name}  {}  {}\n", show::sparkline(series, width), or_unknown(bounds));
    }
    text + "\n" + &closes(market).draw(look)
}

fn bounds(series: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut known = series.iter().flatten().copied();
    let first = known.next()?;
    Some(known.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

fn closes(market: &MarketView) -> Table {
    let names = ["active", "median", "7-day mean", "new", "cuts", "pending", "closed"].map(Column::right);
    let mut table = Table::new([Column::left("day")].into_iter().chain(names));
    let from = market.days.len().saturating_sub(DAYS_LISTED);
    let price = |price: Option<f64>| -> Cell {
        price.map_or_else(|| Cell::from(UNKNOWN).dim(), |price| show::price(price, market.currency).into())
    };
    for day in market.days[from..].iter().rev() {
        table.row([
            day.day.as_str().into(),
            show::whole(day.active).into(),
            price(day.median_price),
            price(day.median_price_7_days),
            number(day.flows.new),
            number(day.flows.price_cuts),
            number(day.flows.pending),
            number(day.flows.closed),
        ]);
    }
    table
}
