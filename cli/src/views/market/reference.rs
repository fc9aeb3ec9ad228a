//! The reference series of an area.

use std::collections::BTreeSet;

use stoop_market::THIN_SAMPLE;
use stoop_serve::MarketView;

use crate::show::{Column, Page, SafeText, Table, UNKNOWN};

pub(super) fn reference(market: &MarketView, page: &mut Page) {
    if market.reference.is_empty() {
        return;
    }
    let mut table = Table::new([
        Column::left("series"),
        Column::right("value"),
        Column::left("date"),
        Column::left("of").optional(2),
        Column::right("median price / value").optional(1),
    ]);
    for series in &market.reference {
        let ratio =
            SafeText::from(series.price_ratio.map_or_else(|| UNKNOWN.to_owned(), |ratio| format!("{ratio:.2}")));
        let is_thin = market.figures.priced < THIN_SAMPLE;
        table.row([
            series.name.as_str().into(),
            series.text().into(),
            series.date.as_str().into(),
            series.of.as_str().into(),
            if is_thin || series.price_ratio.is_none() { ratio.dim() } else { ratio },
        ]);
    }
    page.heading("Reference").table(table);
}

/// One row for each series, one cell for each market.
pub(in crate::views) fn rows(markets: &[MarketView]) -> Vec<(&str, Vec<SafeText>)> {
    let names: BTreeSet<&str> =
        markets.iter().flat_map(|market| &market.reference).map(|series| series.name.as_str()).collect();
    let cell = |market: &MarketView, name: &str| {
        let Some(series) = market.reference.iter().find(|series| series.name == name) else {
            return SafeText::from(UNKNOWN).dim();
        };
        let of = if series.of == market.path { String::new() } else { format!("{}, ", series.of) };
        format!("{} ({of}{})", series.text(), series.date).into()
    };
    names.into_iter().map(|name| (name, markets.iter().map(|market| cell(market, name)).collect())).collect()
}
