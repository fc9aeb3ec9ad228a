//! The tables: markets, a market, homes, a home, alerts, quarantine, runs.
//!
//! Each view is read from the database into a value that serialises (`--json`) and is drawn for people.

mod alerts;
mod home;
mod homes;
mod market;
mod markets;
mod quarantine;
mod runs;
#[cfg(test)]
mod tests;
mod told;

use std::fmt::Display;
use std::sync::Arc;

use serde::Serializer;
use stoop_domain::{Market, Time};
use stoop_embedded::{Database, OpenError};
use stoop_pipeline::serve::{FoundArea, find_area};

use crate::args::StoreArgs;
use crate::failure::{not_opened, usage};

pub(crate) use alerts::alerts;
pub(crate) use home::home;
pub(crate) use homes::homes;
pub(crate) use market::market;
pub(crate) use markets::markets;
pub(crate) use quarantine::quarantine;
pub(crate) use runs::runs;

const FILLERS: &str = "fill it with `stoop demo`, `stoop replay --map MAP FILE...` or `stoop run`";

/// Opens the database for reading; what is wrong with its path is the user's to mend.
pub(crate) fn open(store: &StoreArgs) -> anyhow::Result<Arc<Database>> {
    let database = Database::open_read(store.db(), &store.data()).map_err(|error| match error {
        OpenError::Missing(path) => {
            let path = path.display();
            usage(format!("there is no database {path}: make it and {FILLERS}, or name another one with --db"))
        }
        error => not_opened(error),
    })?;
    warn_of_unread(&database);
    Ok(database)
}

/// Says so where the newest cannot be shown.
pub(crate) fn warn_of_unread(database: &Database) {
    let unread = database.unread_bytes();
    if unread > 0 {
        let (bytes, path) = (crate::show::count(unread), database.path().display());
        eprintln!("stoop: the newest is not shown: {bytes} bytes of {path}-wal cannot be read");
    }
}

/// Says that there is nothing to show yet.
fn empty(database: &Database) -> String {
    format!("The database {} is empty: {FILLERS}.", database.path().display())
}

/// The moment that figures are shown of: the one asked for, else that of the newest observation; `None`
/// where there is none.
fn moment(database: &Database, asked: Option<Time>) -> anyhow::Result<Option<Time>> {
    let newest = database.newest_observation()?;
    Ok(newest.map(|newest| asked.unwrap_or(newest)))
}

/// The area that was asked for.
fn area(database: &Database, query: &str) -> anyhow::Result<FoundArea> {
    let known: Vec<Market> = database.market_ids()?;
    if known.is_empty() {
        return Err(usage(empty(database)));
    }
    find_area(query, &known).map_err(usage)
}

/// `… and 3 more` where a list was cut.
pub(crate) fn more(shown: usize, total: usize) -> String {
    match total.saturating_sub(shown) {
        0 => String::new(),
        rest => format!("… and {} more; --limit shows more\n", crate::show::count(rest as u64)),
    }
}

/// `1 home`, `2 homes`.
pub(crate) fn plural(number: u64, one: &str) -> String {
    format!("{} {one}{}", crate::show::count(number), if number == 1 { "" } else { "s" })
}

/// A share rounded to a hundredth of a percent, for JSON.
fn rounded(share: f64) -> f64 {
    // Adding zero makes a negative zero a plain one.
    (share * 10_000.0).round() / 10_000.0 + 0.0
}

/// In JSON, times and markets are what they print as: RFC 3339, `us/wa/king/-/98178:sale:USD`.
pub(crate) fn as_text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_text_or_null<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
