//! The daily closes of a market: two sparklines and the last days.

use stoop_domain::Currency;
use stoop_market::THIN_SAMPLE;
use stoop_serve::MarketView;

use super::number;
use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN, or_unknown};
use crate::views::plural;

/// The daily closes listed below the sparklines; `--json` has all days.
const DAYS_LISTED: usize = 14;

pub(super) fn daily(market: &MarketView, page: &mut Page) {
    let days = &market.days;
    if days.is_empty() {
        return;
    }
    let heading = SafeText::from(format!("Daily closes, {}", plural(days.len() as u64, "day"))).bold();
    let listed = if days.len() > DAYS_LISTED { format!(", the last {DAYS_LISTED} listed") } else { String::new() };
    let remark = SafeText::from(format!(" of {}{listed}", market.zone)).dim();
    let medians: Vec<Option<f64>> = days.iter().map(|day| day.median_price).collect();
    #[expect(clippy::cast_precision_loss, reason = "for a picture")]
    let active: Vec<Option<f64>> = days.iter().map(|day| Some(day.active as f64)).collect();
    let width = page.width().saturating_sub(50).clamp(10, 90);
    let lines = [
        ("median price", &medians, (|value, currency| show::price(value, currency)) as fn(f64, Currency) -> String),
        ("active homes", &active, |value, _| show::short(value)),
    ];
    page.gap().line([heading, remark]).gap();
    for (name, series, shown) in lines {
        let bounds = bounds(series).map(|(low, high)| {
            let [low, high] = [low, high].map(|value| shown(value, market.currency));
            if low == high { low } else { format!("{low} to {high}") }
        });
        let line = SafeText::from(format!("  {name}  {}  {}", show::sparkline(series, width), or_unknown(bounds)));
        let is_thin = name == "median price" && days.iter().any(|day| day.priced < THIN_SAMPLE);
        page.hung(4, [if is_thin { line.dim() } else { line }]);
    }
    page.gap().table(closes(market));
}

fn bounds(series: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut known = series.iter().flatten().copied();
    let first = known.next()?;
    Some(known.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

fn closes(market: &MarketView) -> Table {
    let mut table = Table::new([
        Column::left("day"),
        Column::right("active"),
        Column::right("in"),
        Column::right("out"),
        Column::right("median"),
        Column::right("7-day median").optional(1),
        Column::right("new").optional(3),
        Column::right("cuts"),
        Column::right("sold").optional(2),
    ]);
    let from = market.days.len().saturating_sub(DAYS_LISTED);
    let price = |price: Option<f64>, priced: i64| -> SafeText {
        let Some(price) = price else { return SafeText::from(UNKNOWN).dim() };
        let text = SafeText::from(show::price(price, market.currency));
        if priced < THIN_SAMPLE { text.dim() } else { text }
    };
    for day in market.days[from..].iter().rev() {
        table.row([
            day.day.as_str().into(),
            show::whole(day.active).into(),
            number(day.flows.entries()),
            number(day.flows.exits()),
            price(day.median_price, day.priced),
            price(day.median_price_7_days, day.priced),
            number(day.flows.new),
            number(day.flows.price_cuts),
            number(day.flows.sold),
        ]);
    }
    table
}
