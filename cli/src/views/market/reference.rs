//! The reference series of an area.

use std::collections::BTreeSet;

use stoop_domain::{Currency, Day, Minor, ReferenceUnit};
use stoop_embedded::Database;
use stoop_market::THIN_SAMPLE;
use stoop_pipeline::serve::{MarketView, ReferenceView};

use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

/// Adds the stored series to markets and their days.
pub(in crate::views) fn add(database: &Database, markets: &mut [MarketView]) -> anyhow::Result<()> {
    for market in markets {
        let Some(last) = Day::last_of(&market.day) else { continue };
        let first = market.days.first().and_then(|day| Day::last_of(&day.day)).unwrap_or(last);
        market.add_reference(&database.reference_around(&market.path, first, last)?);
    }
    Ok(())
}

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
            value(series).into(),
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
        format!("{} ({of}{})", value(series), series.date).into()
    };
    names.into_iter().map(|name| (name, markets.iter().map(|market| cell(market, name)).collect())).collect()
}

/// A value with its unit.
fn value(series: &ReferenceView) -> String {
    match series.unit {
        ReferenceUnit::Money(currency) => amount(series.value, currency),
        ReferenceUnit::Share => format!("{:.2} %", series.value * 100.0),
        #[expect(clippy::cast_possible_truncation, reason = "a number of people")]
        ReferenceUnit::Persons => show::whole(series.value.round() as i64),
        ReferenceUnit::Index => format!("{:.1}", series.value),
    }
}

/// An amount in major units; minor units only below a hundred. Unlike a figure, it is not rounded to four digits.
fn amount(major: f64, currency: Currency) -> String {
    let major = if major.abs() < 100.0 { major } else { major.round() };
    #[expect(clippy::cast_possible_truncation, reason = "a price or an income, in minor units")]
    let minor = (major * 10_f64.powi(currency.minor_digits().cast_signed())).round() as i64;
    show::money(Minor(minor), currency)
}
