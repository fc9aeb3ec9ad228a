use std::collections::BTreeMap;

use stoop_market::Flows;

use super::{MONEY, SQUARE_METRES, Spec, home_columns};
use crate::columns::{Column, Kind};

use Kind::{Date, Decimal, Flag, Int, Long, Number, Text, Time};

/// The tables that are written from the database of a laptop.
#[must_use]
pub fn derived() -> Vec<Spec> {
    vec![listing_history(), homes(), price_changes(), alerts(), market_days(), runs(), raw_pages(), rejects()]
}

fn spec(name: &'static str, meaning: &'static str, order: &'static [&'static str], columns: Vec<Column>) -> Spec {
    let (partition, key, moment, constraints) = (None, None, None, Vec::new());
    Spec { name: name.into(), meaning, columns, partition, key, moment, order, constraints }
}

/// The intervals of every home.
#[must_use]
pub fn listing_history() -> Spec {
    spec(
        "listing_history",
        "One row for each time in which the facts of a home were equal (a type 2 dimension)",
        &["listing_id", "interval_no"],
        vec![
            Column::required("listing_id", Text, "ID of the home"),
            Column::required("interval_no", Int, "Counts the intervals of the home from 1"),
            Column::required("valid_from", Time, "When the interval began"),
            Column::new("valid_to", Time, "When the next one began; empty for the current one"),
            Column::required("last_confirmed_at", Time, "When it was last seen so"),
            Column::new("expires_at", Time, "When it ends if nobody sees the home again; may lie in the future"),
            Column::required("status", Text, "RESO StandardStatus, or Gone"),
            Column::required("is_active", Flag, "Whether the status counts as active stock"),
            Column::required("purpose", Text, "sale or rent"),
            Column::required("currency", Text, "ISO 4217 code of all amounts"),
            Column::new("list_price", MONEY, "Asking price"),
            Column::new("doubtful", Text, "Why the price is in no figure, if so"),
            Column::new("original_list_price", MONEY, "First asking price according to the source"),
            Column::new("close_price", MONEY, "Price of the sale or letting"),
            Column::new("close_date", Date, "Day of the sale or letting"),
            Column::required("market", Text, "Area, purpose and currency"),
            Column::required("area", Text, "Narrowest known area as a path"),
            Column::new("property_type", Text, "What is offered"),
            Column::new("bedrooms", Int, "Bedrooms; 0 is a studio"),
            Column::new("living_area_m2", SQUARE_METRES, "Floor area, exactly in square metres"),
            Column::required("spell_opened_at", Time, "When the home's stay on the market began"),
            Column::new("event", Text, "What happened at the beginning, such as new or price_cut; several have commas"),
        ],
    )
}

/// Every home as it is now.
#[must_use]
pub fn homes() -> Spec {
    let mut columns = vec![
        Column::required("listing_id", Text, "ID of the home: source/native_id"),
        Column::required("source", Text, "Name of the source"),
        Column::required("native_id", Text, "The source's own ID of the listing"),
        Column::required("first_seen_at", Time, "When it was first seen"),
        Column::required("last_seen_at", Time, "When it was last seen"),
        Column::new("listed_at", Time, "Earliest listing date that the source gave"),
        Column::required("status", Text, "Status now; Expired if nobody has shown it for too long"),
        Column::required("is_active", Flag, "Whether it counts as active stock"),
        Column::required("purpose", Text, "sale or rent"),
        Column::required("currency", Text, "ISO 4217 code of all amounts"),
        Column::new("list_price", MONEY, "Asking price"),
        Column::new("original_list_price", MONEY, "First asking price according to the source"),
        Column::new("close_price", MONEY, "Price of the sale or letting"),
        Column::new("close_date", Date, "Day of the sale or letting"),
        Column::required("market", Text, "Area, purpose and currency"),
        Column::required("area", Text, "Narrowest known area as a path"),
        Column::new("country", Text, "First level of area"),
        Column::new("region", Text, "Second level of area"),
        Column::new("county", Text, "Third level of area"),
        Column::new("city", Text, "Fourth level of area"),
        Column::new("area_name", Text, "Fifth level of area: a postal code or quarter"),
        Column::required("intervals", Int, "Number of intervals"),
        Column::required("price_cuts", Int, "Cuts that sightings show"),
        Column::required("price_rises", Int, "Rises that sightings show"),
    ];
    columns.extend(home_columns());
    columns.extend([
        Column::new("title", Text, "Headline"),
        Column::new("address_line", Text, "Street, number and unit"),
        Column::new("latitude", Decimal(9, 6), "Degrees, north positive"),
        Column::new("longitude", Decimal(9, 6), "Degrees, east positive"),
        Column::new("url", Text, "URL of the listing's page"),
    ]);
    spec("homes", "One row for each home, as it is now", &["listing_id"], columns)
}

/// Every change of a price.
#[must_use]
pub fn price_changes() -> Spec {
    spec(
        "price_changes",
        "One row for each cut or rise, seen or reported by the source",
        &["listing_id", "changed_at"],
        vec![
            Column::required("listing_id", Text, "ID of the home"),
            Column::required("changed_at", Time, "When it was first seen, or when it happened according to the source"),
            Column::required("kind", Text, "price_cut, price_rise, reported_cut or reported_rise"),
            Column::required("reported", Flag, "Whether only the source reports it"),
            Column::required("from_price", MONEY, "Price before"),
            Column::required("to_price", MONEY, "Price after"),
            Column::new("percent", Decimal(18, 4), "Change in percent of the price before, rounded; a cut is negative"),
            Column::required("purpose", Text, "sale or rent"),
            Column::required("currency", Text, "ISO 4217 code"),
            Column::required("market", Text, "Market in which it counts"),
            Column::required("area", Text, "Area of the market"),
        ],
    )
}

/// The ledger of alerts.
#[must_use]
pub fn alerts() -> Spec {
    spec(
        "alerts",
        "One row for each alert of the ledger, sent or suspect",
        &["seen_at", "alert_id"],
        vec![
            Column::required("alert_id", Text, "ID of the alert"),
            Column::required("rule", Text, "Name of the rule"),
            Column::required("verdict", Text, "alert or suspect"),
            Column::new("why", Text, "Why it is suspect"),
            Column::required("listing_id", Text, "ID of the home"),
            Column::required("seen_at", Time, "When the price was first seen"),
            Column::required("from_price", MONEY, "Price that it is compared with"),
            Column::required("to_price", MONEY, "New price"),
            Column::required("drop_bp", Int, "Drop in hundredths of a percent, rounded down"),
            Column::required("currency", Text, "ISO 4217 code"),
            Column::required("market", Text, "Market of the home"),
            Column::required("area", Text, "Area of the market"),
            Column::new("title", Text, "Headline"),
            Column::new("address_line", Text, "Street, number and unit"),
            Column::new("url", Text, "URL of the listing's page"),
        ],
    )
}

/// The close of every day of every market.
#[must_use]
pub fn market_days() -> Spec {
    let mut columns = vec![
        Column::required("market", Text, "Area, purpose and currency"),
        Column::required("area", Text, "Area of the market"),
        Column::required("purpose", Text, "sale or rent"),
        Column::required("currency", Text, "ISO 4217 code"),
        Column::required("day", Date, "Civil day in the market's time zone"),
        Column::required("active", Long, "Active stock at the end of the day"),
        Column::required("unconfirmed", Long, "Part of it that is unconfirmed"),
        Column::required("priced", Long, "Part of it that has a price"),
        Column::new("median_price", Number, "Median list price at the end of the day, in major units"),
        Column::new("mean_price", Number, "Mean list price at the end of the day, in major units"),
    ];
    columns.extend(flows_of(&Flows::default()).into_keys().map(|name| {
        let meaning = format!("Events of the day: {}, as in docs/METRICS.md", name.replace('_', " "));
        Column::required(name, Long, meaning)
    }));
    spec("market_days", "One row for each market and day, from its first event", &["market", "day"], columns)
}

/// The events of a day, by their names in JSON.
pub(crate) fn flows_of(flows: &Flows) -> BTreeMap<String, i64> {
    let named = serde_json::to_value(flows).ok();
    let named = named.and_then(|flows| flows.as_object().cloned()).unwrap_or_default();
    named.into_iter().filter_map(|(name, count)| Some((name, count.as_i64()?))).collect()
}

/// What was run.
#[must_use]
pub fn runs() -> Spec {
    spec(
        "runs",
        "One row for each poll, replay, rebuild or verification that is kept",
        &["began_at"],
        vec![
            Column::required("run_id", Text, "ID of the run"),
            Column::required("kind", Text, "poll, replay, ..."),
            Column::required("subject", Text, "Name of the search, or the files"),
            Column::required("began_at", Time, "When it began"),
            Column::new("ended_at", Time, "When it ended"),
            Column::required("outcome", Text, "running, complete, partial, failed, skipped or killed"),
            Column::new("message", Text, "Why it did not end well"),
            Column::required("counts", Text, "Counts by name, as JSON"),
        ],
    )
}

/// What polls read, as it was.
#[must_use]
pub fn raw_pages() -> Spec {
    spec(
        "raw_pages",
        "One row for each raw page that a kept poll read: it shows the observations of its source and seen_at",
        &["source", "seen_at", "run_id", "page_no"],
        vec![
            Column::required("run_id", Text, "ID of the run"),
            Column::required("page_no", Int, "Counts the pages of the run from 0"),
            Column::required("source", Text, "Source of its observations"),
            Column::required("seen_at", Time, "When it was seen: seen_at of its observations"),
            Column::required(
                "path",
                Text,
                "Its path in the data folder or bucket, compressed by zstd; it is removed before its run",
            ),
        ],
    )
}

/// What was refused before it became an observation.
#[must_use]
pub fn rejects() -> Spec {
    spec(
        "rejects",
        "One row for each refused row, record or value in the database's quarantine",
        &["rejected_at"],
        vec![
            Column::required("source", Text, "Name of the source"),
            Column::required("rejected_at", Time, "When it was refused"),
            Column::required("location", Text, "Its position"),
            Column::required("reason", Text, "Why it was refused, such as bad_value"),
            Column::required("detail", Text, "The offending part"),
            Column::required("raw", Text, "The input"),
            Column::required("rows", Long, "Rows that it stands for; 0 for a value whose row was kept"),
        ],
    )
}
