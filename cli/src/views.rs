//! The tables: markets, a market, homes, a home, alerts, quarantine, runs.
//!
//! Each view is read from the database into a value that serialises (`--json`), has rows (`--csv`) and is drawn for
//! people.

mod alerts;
mod compare;
mod definition;
mod duplicates;
mod home;
mod homes;
mod market;
mod markets;
mod quarantine;
mod reference;
mod runs;
mod searches;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use futures_util::FutureExt;
use serde::{Serialize, Serializer};
use serde_json::Value;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_embedded::{Database, OpenError};
use stoop_market::Cells;
use stoop_pipeline::ports::{PortError, RunOutcome, RunRecord};
use stoop_serve::{AreaError, FoundArea, NamedArea, ReadError, Reader, covers_days, find_area};

use crate::args::{FormatArgs, StoreArgs};
use crate::failure::{not_opened, usage};
use crate::out::{self, complain};
pub(crate) use crate::show::plural;
use crate::show::{Csv, Look, Page};

pub(crate) use alerts::alerts;
pub(crate) use compare::compare;
pub(crate) use definition::definition;
pub(crate) use duplicates::duplicates;
pub(crate) use home::home;
pub(crate) use homes::homes;
pub(crate) use market::market;
pub(crate) use markets::markets;
pub(crate) use quarantine::quarantine;
pub(crate) use reference::references;
pub(crate) use runs::runs;
pub(crate) use searches::{control, list_searches};

/// The most areas of one name to list.
const AREAS_MAX: usize = 20;

/// Cities suggested when an area is not found.
const CITIES_MAX: usize = 3;

const FILLERS: &str = "fill it with `stoop demo`, `stoop replay --map MAP FILE...` or `stoop run`";

/// A command's output for people, programs and spreadsheets.
pub(crate) trait View: Serialize {
    fn draw(&self, look: Look) -> Page;
    fn csv(&self) -> anyhow::Result<Csv>;
}

/// Prints a view in the requested format.
pub(crate) fn give(view: &impl View, format: &FormatArgs) -> anyhow::Result<ExitCode> {
    match format {
        FormatArgs { json: true, .. } => out::json(view)?,
        FormatArgs { csv: true, .. } => out::csv(&view.csv()?)?,
        FormatArgs { .. } => out::page(&view.draw(Look::of_stdout())),
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a view as of one commit.
fn read<T>(database: &Database, view: impl AsyncFnOnce(Reader<'_>) -> Result<T, ReadError>) -> anyhow::Result<T> {
    database.reading(|| {
        let reader = Reader { store: database, views: database, areas: database, browse: database, controls: None };
        // Calls to SQLite end before they return.
        let read = view(reader).now_or_never().context("a read of the database waits for something")?;
        Ok(read?)
    })
}

/// The state of a market, with its archive if `as_of` and the `days` before it need it.
fn cells_at(database: &Database, market: &Market, as_of: Time, days: u16) -> anyhow::Result<Option<Cells>> {
    let Some(cells) = database.cells(market)? else { return Ok(None) };
    if covers_days(&cells, as_of, &market.area.country().zone, days) {
        return Ok(Some(cells));
    }
    Ok(Some(cells.with_archive(&database.archive(market)?)))
}

/// Homes read at a time.
const PAGE_HOMES: usize = 1_000;

/// Visits homes, a page at a time: `page` returns the given number of homes after an ID.
fn each_home(
    page: impl Fn(Option<&HomeId>, usize) -> Result<Vec<(HomeId, Home)>, PortError>,
    mut visit: impl FnMut(HomeId, Home),
) -> anyhow::Result<()> {
    let mut after: Option<HomeId> = None;
    loop {
        let page = page(after.as_ref(), PAGE_HOMES)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.clone());
        page.into_iter().for_each(|(id, home)| visit(id, home));
    }
}

/// The rows of a view as in its JSON.
fn rows<R: Serialize>(rows: &[R]) -> anyhow::Result<Vec<Value>> {
    Ok(rows.iter().map(serde_json::to_value).collect::<Result<_, _>>()?)
}

/// Opens the database for reading; a wrong path is the user's mistake.
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

/// Warns if the newest data cannot be shown.
pub(crate) fn warn_of_unread(database: &Database) {
    let unread = database.unread_bytes();
    if unread > 0 {
        let (bytes, path) = (crate::show::count(unread), database.path().display());
        complain!("stoop: the newest data is not shown: {bytes} bytes of {path}-wal cannot be read");
    }
}

/// The message for an empty database.
fn empty(database: &Database) -> String {
    format!("The database {} is empty: {FILLERS}.", database.path().display())
}

/// Runs searched for the latest poll; if anything is polled, one is among them.
const RUNS_SEARCHED: usize = 100;

/// The time that figures are shown for: the requested one, otherwise that of the newest observation, or of the last
/// poll that ended well if that is later (a poll without news is information too). `None` if there is no observation.
fn moment(database: &Database, asked: Option<Time>) -> anyhow::Result<Option<Time>> {
    let newest = newest_moment(database)?;
    Ok(newest.map(|newest| asked.unwrap_or(newest)))
}

/// [`moment`] without a requested time.
pub(crate) fn newest_moment(database: &Database) -> anyhow::Result<Option<Time>> {
    let Some(newest) = database.newest_observation()? else { return Ok(None) };
    let runs = database.runs(RUNS_SEARCHED)?;
    let ended_well = |run: &&RunRecord| matches!(run.outcome, RunOutcome::Complete | RunOutcome::Partial);
    let polls = runs.iter().filter(|run| run.kind == "poll").filter(ended_well).map(|run| run.began_at);
    Ok(polls.chain([newest]).max())
}

/// Finds the requested area.
fn area(database: &Database, query: &str) -> anyhow::Result<FoundArea> {
    let known: Vec<Market> = database.market_ids()?;
    if known.is_empty() {
        return Err(usage(empty(database)));
    }
    find_area(query, &known).map_err(|error| match &error {
        AreaError::Ambiguous { query, candidates } => usage(several(query, candidates)),
        AreaError::NoSuchArea { nearest, .. } if nearest.is_empty() => usage(no_other(&error, &known)),
        AreaError::NotWatched { nearest: None, .. } => usage(no_other(&error, &known)),
        _ => usage(error),
    })
}

/// The error for an unknown area, with examples of known ones.
fn no_other(error: &AreaError, known: &[Market]) -> String {
    format!("{error}; `stoop markets` lists what there is, like {}", cities(known).join(", "))
}

/// The areas of one name, likeliest first, each on a line with the query to use instead.
fn several(query: &str, candidates: &[NamedArea]) -> String {
    let mut text = format!("{query:?} is the name of several areas; say which:");
    let width = candidates.iter().take(AREAS_MAX).map(|area| area.path.chars().count()).max().unwrap_or(0);
    for NamedArea { path, name, markets } in candidates.iter().take(AREAS_MAX) {
        text += &format!("\n  {path:<width$}  {name} ({})", plural(*markets as u64, "market"));
    }
    if let Some(rest) = candidates.len().checked_sub(AREAS_MAX).filter(|rest| *rest > 0) {
        text += &format!("\n  … and {rest} more");
    }
    text
}

/// The paths of the cities (or what is known of them) with the most markets.
fn cities(known: &[Market]) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for market in known {
        *counts.entry(market.area.levels()[..4].join("/")).or_default() += 1;
    }
    let mut cities: Vec<(String, usize)> = counts.into_iter().collect();
    cities.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    cities.into_iter().take(CITIES_MAX).map(|(path, _)| path.trim_end_matches(['-', '/']).to_owned()).collect()
}

/// `… and 3 more` if a list was cut.
pub(crate) fn rest(shown: usize, total: usize) -> Option<String> {
    let rest = total.checked_sub(shown).filter(|rest| *rest > 0)?;
    Some(format!("… and {} more; --limit shows more", crate::show::count(rest as u64)))
}

/// Adds [`rest`] below a list.
fn more(page: &mut Page, shown: usize, total: usize) {
    if let Some(rest) = rest(shown, total) {
        page.line([rest.into()]);
    }
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
