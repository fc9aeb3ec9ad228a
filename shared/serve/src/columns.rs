//! The columns of tables: what CSV has of each row, on the command line, in the API and behind charts.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{HOME_FIELDS, HomeKind};
use stoop_show::{Csv, Field};

use super::{Figure, MarketView};

/// Of an [`AlertView`](super::AlertView).
pub const ALERT_COLUMNS: [Field; 14] = [
    Field::Plain("id"),
    Field::Plain("rule"),
    Field::Plain("at"),
    Field::Plain("home"),
    Field::Plain("market"),
    Field::Plain("currency"),
    Field::Money("from"),
    Field::Money("to"),
    Field::Plain("drop"),
    Field::Plain("title"),
    Field::Plain("line"),
    Field::Plain("url"),
    Field::Plain("why_suspect"),
    Field::Plain("withdrawn_at"),
];

/// Of a [`RunView`](super::RunView).
pub const RUN_COLUMNS: [Field; 8] = [
    Field::Plain("id"),
    Field::Plain("kind"),
    Field::Plain("subject"),
    Field::Plain("began_at"),
    Field::Plain("ended_at"),
    Field::Plain("outcome"),
    Field::Plain("message"),
    Field::Json("counts"),
];

/// Of a [`SearchView`](super::SearchView).
pub const SEARCH_COLUMNS: [Field; 8] = [
    Field::Plain("search"),
    Field::Plain("sent_at"),
    Field::Plain("next_at"),
    Field::Plain("every_seconds"),
    Field::Plain("slowed_by"),
    Field::Plain("paused_at"),
    Field::Plain("poll_asked_at"),
    Field::Plain("asked_by"),
];

/// Of a [`DayView`](super::DayView) with its market's ID, purpose and currency.
const DAY_COLUMNS: [Field; 28] = [
    Field::Plain("market"),
    Field::Plain("purpose"),
    Field::Plain("currency"),
    Field::Plain("day"),
    Field::Plain("active"),
    Field::Plain("unconfirmed"),
    Field::Plain("priced"),
    Field::Money("median_price"),
    Field::Money("median_price_interval.low"),
    Field::Money("median_price_interval.high"),
    Field::Money("mean_price"),
    Field::Money("median_price_7_days"),
    Field::Money("median_price_28_days"),
    Field::Money("median_price_91_days"),
    Field::Plain("price_index"),
    Field::Plain("initial"),
    Field::Plain("new"),
    Field::Plain("relisted"),
    Field::Plain("back_on_market"),
    Field::Plain("moved_in"),
    Field::Plain("pending"),
    Field::Plain("closed"),
    Field::Plain("gone"),
    Field::Plain("moved_out"),
    Field::Plain("expired"),
    Field::Plain("price_cuts"),
    Field::Plain("price_rises"),
    Field::Plain("sold"),
];

/// Of a [`MarketRow`](super::MarketRow); `with_change` if a change was asked for.
pub fn market_columns(with_change: bool) -> impl Iterator<Item = Field> {
    let market = ["id", "path", "name", "purpose", "currency", "area_unit"].map(Field::Plain);
    let figure = |figure: Figure| match figure.is_price() {
        true => Field::Money(figure.path()),
        false => Field::Plain(figure.path()),
    };
    let change = [
        Field::Plain("change.days"),
        Field::Plain("change.since"),
        Field::Plain("change.active"),
        Field::Plain("change.active_change"),
        Field::Plain("change.priced"),
        Field::Money("change.median_price"),
        Field::Plain("change.median_price_change"),
        Field::Plain("change.median_price_change_interval.low"),
        Field::Plain("change.median_price_change_interval.high"),
        Field::Plain("change.mix_adjusted_change"),
        Field::Plain("change.mix_adjusted_change_interval.low"),
        Field::Plain("change.mix_adjusted_change_interval.high"),
        Field::Plain("change.mix_matched_share"),
    ];
    let with_interval = |of: Figure| {
        let [low, high] = of.interval_paths()?;
        Some(match of.is_price() {
            true => [Field::Money(low), Field::Money(high)],
            false => [Field::Plain(low), Field::Plain(high)],
        })
    };
    let figures =
        Figure::all().flat_map(move |of| std::iter::once(figure(of)).chain(with_interval(of).into_iter().flatten()));
    market.into_iter().chain(figures).chain(change.into_iter().filter(move |_| with_change))
}

/// Of a [`HomeSummary`](super::HomeSummary).
pub fn home_columns() -> impl Iterator<Item = Field> {
    let first = [
        Field::Plain("id"),
        Field::Plain("market"),
        Field::Plain("status"),
        Field::Money("price"),
        Field::Plain("currency"),
        Field::Plain("last_change.at"),
        Field::Money("last_change.from"),
        Field::Money("last_change.to"),
        Field::Plain("last_change.share"),
    ];
    let of_home = HOME_FIELDS.iter().map(|field| match field.kind {
        HomeKind::Fee => Field::Money(field.name),
        _ => Field::Plain(field.name),
    });
    let rest = [
        Field::Plain("area_unit"),
        Field::Money("price_per_area"),
        Field::Plain("versus_market"),
        Field::Plain("opened_at"),
        Field::Plain("days_on_market"),
        Field::Plain("last_event_at"),
        Field::Plain("title"),
        Field::Plain("line"),
        Field::Plain("url"),
    ];
    first.into_iter().chain(of_home).chain(rest)
}

/// Of an [`IntervalView`](super::IntervalView) with its home's ID: see [`with_values`].
pub const INTERVAL_COLUMNS: [Field; 9] = [
    Field::Plain("id"),
    Field::Plain("first_seen"),
    Field::Plain("last_seen"),
    Field::Plain("status"),
    Field::Money("price"),
    Field::Plain("currency"),
    Field::Plain("change"),
    Field::Plain("market"),
    Field::Plain("doubtful"),
];

/// Rows as JSON, each with more values.
///
/// # Errors
/// If a row is not JSON.
pub fn with_values<R: Serialize>(rows: &[R], values: &[(&str, &str)]) -> Result<Vec<Value>, serde_json::Error> {
    let row = |row: &R| {
        let mut row = serde_json::to_value(row)?;
        for (name, value) in values {
            row[*name] = Value::from(*value);
        }
        Ok(row)
    };
    rows.iter().map(row).collect()
}

/// The days of markets, with a column for each reference series; or their repeat-listing indices, if they have them.
///
/// # Errors
/// If a row is not JSON.
pub fn area_csv(markets: &[MarketView]) -> Result<Csv, serde_json::Error> {
    let mut rows = Vec::new();
    if markets.iter().any(|market| market.repeat_index.is_some()) {
        for market in markets {
            rows.extend(of_market(market.repeat_index.as_deref().unwrap_or_default(), market)?);
        }
        return Ok(Csv::plain(["market", "purpose", "currency", "month", "index", "pairs", "thin"], rows));
    }
    for market in markets {
        rows.extend(of_market(&market.days, market)?);
    }
    let days = markets.iter().flat_map(|market| &market.days);
    let series: BTreeSet<&String> = days.flat_map(|day| day.reference.keys()).collect();
    Ok(Csv::new(DAY_COLUMNS.into_iter().chain(series.into_iter().map(|name| Field::reference(name))), rows))
}

/// Rows of a market as JSON, with its ID, purpose and currency.
fn of_market<R: Serialize>(rows: &[R], market: &MarketView) -> Result<Vec<Value>, serde_json::Error> {
    let currency = market.currency.to_string();
    with_values(rows, &[("market", &market.id), ("purpose", market.purpose), ("currency", &currency)])
}
