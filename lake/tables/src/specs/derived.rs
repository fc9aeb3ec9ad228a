use std::collections::BTreeMap;

use stoop_market::Flows;

use super::{MONEY, SQUARE_METRES, Spec, home_columns};
use crate::columns::{ColumnType, TableColumn};

use ColumnType::{Date, Decimal, Flag, Int, Long, Number, Text, Time};

/// The tables that are written from the database of a laptop.
#[must_use]
pub fn derived() -> Vec<Spec> {
    vec![listing_history(), homes(), price_changes(), alerts(), market_days(), runs(), raw_pages(), rejects()]
}

fn spec(name: &'static str, meaning: &'static str, order: &'static [&'static str], columns: Vec<TableColumn>) -> Spec {
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
            TableColumn::required("listing_id", Text, "ID of the home"),
            TableColumn::required("interval_no", Int, "Counts the intervals of the home from 1"),
            TableColumn::required("valid_from", Time, "When the interval began"),
            TableColumn::new("valid_to", Time, "When the next one began; empty for the current one"),
            TableColumn::required("last_confirmed_at", Time, "When it was last seen so"),
            TableColumn::new("expires_at", Time, "When it ends if nobody sees the home again; may lie in the future"),
            TableColumn::required("status", Text, "RESO StandardStatus, or Gone"),
            TableColumn::required("is_active", Flag, "Whether the status counts as active stock"),
            TableColumn::required("purpose", Text, "sale or rent"),
            TableColumn::required("currency", Text, "ISO 4217 code of all amounts"),
            TableColumn::new("list_price", MONEY, "Asking price"),
            TableColumn::new("doubtful", Text, "Why the price is in no figure, if so"),
            TableColumn::new("original_list_price", MONEY, "First asking price according to the source"),
            TableColumn::new("close_price", MONEY, "Price of the sale or letting"),
            TableColumn::new("close_date", Date, "Day of the sale or letting"),
            TableColumn::required("market", Text, "Area, purpose and currency"),
            TableColumn::required("area", Text, "Narrowest known area as a path"),
            TableColumn::new("property_type", Text, "What is offered"),
            TableColumn::new("bedrooms", Int, "Bedrooms; 0 is a studio"),
            TableColumn::new("living_area_m2", SQUARE_METRES, "Floor area, exactly in square metres"),
            TableColumn::required("spell_opened_at", Time, "When the home's stay on the market began"),
            TableColumn::new(
                "event",
                Text,
                "What happened at the beginning, such as new or price_cut; several have commas",
            ),
        ],
    )
}

/// Every home as it is now.
#[must_use]
pub fn homes() -> Spec {
    let mut columns = vec![
        TableColumn::required("listing_id", Text, "ID of the home: source/native_id"),
        TableColumn::required("source", Text, "Name of the source"),
        TableColumn::required("native_id", Text, "The source's own ID of the listing"),
        TableColumn::required("first_seen_at", Time, "When it was first seen"),
        TableColumn::required("last_seen_at", Time, "When it was last seen"),
        TableColumn::new("listed_at", Time, "Earliest listing date that the source gave"),
        TableColumn::required("status", Text, "Status now; Expired if nobody has shown it for too long"),
        TableColumn::required("is_active", Flag, "Whether it counts as active stock"),
        TableColumn::required("purpose", Text, "sale or rent"),
        TableColumn::required("currency", Text, "ISO 4217 code of all amounts"),
        TableColumn::new("list_price", MONEY, "Asking price"),
        TableColumn::new("original_list_price", MONEY, "First asking price according to the source"),
        TableColumn::new("close_price", MONEY, "Price of the sale or letting"),
        TableColumn::new("close_date", Date, "Day of the sale or letting"),
        TableColumn::required("market", Text, "Area, purpose and currency"),
        TableColumn::required("area", Text, "Narrowest known area as a path"),
        TableColumn::new("country", Text, "First level of area"),
        TableColumn::new("region", Text, "Second level of area"),
        TableColumn::new("county", Text, "Third level of area"),
        TableColumn::new("city", Text, "Fourth level of area"),
        TableColumn::new("area_name", Text, "Fifth level of area: a postal code or quarter"),
        TableColumn::required("intervals", Int, "Number of intervals"),
        TableColumn::required("price_cuts", Int, "Cuts that sightings show"),
        TableColumn::required("price_rises", Int, "Rises that sightings show"),
    ];
    columns.extend(home_columns());
    columns.extend([
        TableColumn::new("title", Text, "Headline"),
        TableColumn::new("address_line", Text, "Street, number and unit"),
        TableColumn::new("latitude", Decimal(9, 6), "Degrees, north positive"),
        TableColumn::new("longitude", Decimal(9, 6), "Degrees, east positive"),
        TableColumn::new("url", Text, "URL of the listing's page"),
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
            TableColumn::required("listing_id", Text, "ID of the home"),
            TableColumn::required(
                "changed_at",
                Time,
                "When it was first seen, or when it happened according to the source",
            ),
            TableColumn::required("kind", Text, "price_cut, price_rise, reported_cut or reported_rise"),
            TableColumn::required("reported", Flag, "Whether only the source reports it"),
            TableColumn::required("from_price", MONEY, "Price before"),
            TableColumn::required("to_price", MONEY, "Price after"),
            TableColumn::new(
                "percent",
                Decimal(18, 4),
                "Change in percent of the price before, rounded; a cut is negative",
            ),
            TableColumn::required("purpose", Text, "sale or rent"),
            TableColumn::required("currency", Text, "ISO 4217 code"),
            TableColumn::required("market", Text, "Market in which it counts"),
            TableColumn::required("area", Text, "Area of the market"),
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
            TableColumn::required("alert_id", Text, "ID of the alert"),
            TableColumn::required("rule", Text, "Name of the rule"),
            TableColumn::required("verdict", Text, "alert or suspect"),
            TableColumn::new("why", Text, "Why it is suspect"),
            TableColumn::required("listing_id", Text, "ID of the home"),
            TableColumn::required("seen_at", Time, "When the price was first seen"),
            TableColumn::required("from_price", MONEY, "Price that it is compared with"),
            TableColumn::required("to_price", MONEY, "New price"),
            TableColumn::required("drop_bp", Int, "Drop in hundredths of a percent, rounded down"),
            TableColumn::required("currency", Text, "ISO 4217 code"),
            TableColumn::required("market", Text, "Market of the home"),
            TableColumn::required("area", Text, "Area of the market"),
            TableColumn::new("title", Text, "Headline"),
            TableColumn::new("address_line", Text, "Street, number and unit"),
            TableColumn::new("url", Text, "URL of the listing's page"),
        ],
    )
}

/// The close of every day of every market.
#[must_use]
pub fn market_days() -> Spec {
    let mut columns = vec![
        TableColumn::required("market", Text, "Area, purpose and currency"),
        TableColumn::required("area", Text, "Area of the market"),
        TableColumn::required("purpose", Text, "sale or rent"),
        TableColumn::required("currency", Text, "ISO 4217 code"),
        TableColumn::required("day", Date, "Civil day in the market's time zone"),
        TableColumn::required("active", Long, "Active stock at the end of the day"),
        TableColumn::required("unconfirmed", Long, "Part of it that is unconfirmed"),
        TableColumn::required("priced", Long, "Part of it that has a price"),
        TableColumn::new("median_price", Number, "Median list price at the end of the day, in major units"),
        TableColumn::new("mean_price", Number, "Mean list price at the end of the day, in major units"),
    ];
    columns.extend(flows_of(&Flows::default()).into_keys().map(|name| {
        let meaning = format!("Events of the day: {}, as in docs/METRICS.md", name.replace('_', " "));
        TableColumn::required(name, Long, meaning)
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
            TableColumn::required("run_id", Text, "ID of the run"),
            TableColumn::required("kind", Text, "poll, replay, ..."),
            TableColumn::required("subject", Text, "Name of the search, or the files"),
            TableColumn::required("began_at", Time, "When it began"),
            TableColumn::new("ended_at", Time, "When it ended"),
            TableColumn::required("outcome", Text, "running, complete, partial, failed, skipped or killed"),
            TableColumn::new("message", Text, "Why it did not end well"),
            TableColumn::required("counts", Text, "Counts by name, as JSON"),
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
            TableColumn::required("run_id", Text, "ID of the run"),
            TableColumn::required("page_no", Int, "Counts the pages of the run from 0"),
            TableColumn::required("source", Text, "Source of its observations"),
            TableColumn::required("seen_at", Time, "When it was seen: seen_at of its observations"),
            TableColumn::required(
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
            TableColumn::required("source", Text, "Name of the source"),
            TableColumn::required("rejected_at", Time, "When it was refused"),
            TableColumn::required("location", Text, "Its position"),
            TableColumn::required("reason", Text, "Why it was refused, such as bad_value"),
            TableColumn::required("detail", Text, "The offending part"),
            TableColumn::required("raw", Text, "The input"),
            TableColumn::required("rows", Long, "Rows that it stands for; 0 for a value whose row was kept"),
        ],
    )
}
