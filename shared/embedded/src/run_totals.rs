//! The sums of all runs, which outlast the runs.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use stoop_pipeline::ports::{RunOutcome, RunRecord};
use stoop_pipeline::{LEFT_BY_SERVER, LEFT_OF};

use crate::error::Result;

/// The setting with the [`RunTotals`], as JSON.
const TOTALS: &str = "run totals";

/// The sums of the runs of each kind.
pub type RunTotals = BTreeMap<String, KindTotals>;

/// The sums of all runs of one kind that ended, including those that [`crate::Database::prune`] removed since. They never
/// fall.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KindTotals {
    /// The number of runs by outcome, as in a run's JSON: `complete`.
    pub outcomes: BTreeMap<String, u64>,
    /// The sums of their counts by name ([`RunRecord::counts`]), without what limits have left.
    pub counts: BTreeMap<String, u64>,
    /// The number of runs that held a loss back.
    pub losses_held: u64,
}

/// The stored sums; without them, those of the stored runs.
pub(crate) fn run_totals(connection: &Connection) -> Result<RunTotals> {
    let mut statement = connection.prepare_cached("SELECT body FROM settings WHERE name = ?1")?;
    let stored: Option<String> = statement.query_row([TOTALS], |row| row.get(0)).optional()?;
    if let Some(stored) = stored {
        return Ok(serde_json::from_str(&stored)?);
    }
    let mut totals = RunTotals::new();
    let mut statement = connection.prepare_cached("SELECT body FROM runs")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        add(&mut totals, None, &serde_json::from_str(row.get_ref(0)?.as_str()?)?);
    }
    Ok(totals)
}

/// Adds a run that is about to be stored to the sums, in the same transaction. Adds only what is more than in the
/// stored run with its ID, so that recording it again adds nothing.
pub(crate) fn tally(connection: &Connection, run: &RunRecord) -> Result<()> {
    let mut totals = run_totals(connection)?;
    let mut statement = connection.prepare_cached("SELECT body FROM runs WHERE id = ?1")?;
    let known: Option<String> = statement.query_row([&run.id], |row| row.get(0)).optional()?;
    let known: Option<RunRecord> = known.map(|body| serde_json::from_str(&body)).transpose()?;
    add(&mut totals, known.as_ref(), run);
    keep(connection, &totals)
}

/// Stores the sums, so that they outlast the runs. A database of an earlier program has none.
pub(crate) fn keep_run_totals(connection: &Connection) -> Result<()> {
    keep(connection, &run_totals(connection)?)
}

fn keep(connection: &Connection, totals: &RunTotals) -> Result<()> {
    let sql = "INSERT INTO settings(name, body) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
    connection.prepare_cached(sql)?.execute(params![TOTALS, serde_json::to_string(totals)?])?;
    Ok(())
}

fn add(totals: &mut RunTotals, known: Option<&RunRecord>, run: &RunRecord) {
    let has_ended = |run: &&RunRecord| run.outcome != RunOutcome::Running;
    let known = known.filter(has_ended);
    let Some(run) = Some(run).filter(has_ended) else { return };
    let of_kind = totals.entry(run.kind.clone()).or_default();
    if known.is_none_or(|known| known.outcome != run.outcome) {
        *of_kind.outcomes.entry(run.outcome.as_str().to_owned()).or_default() += 1;
    }
    let before = |name: &str| known.and_then(|known| known.counts.get(name)).copied().unwrap_or(0);
    for (name, count) in &run.counts {
        if name != LEFT_BY_SERVER && !name.starts_with(LEFT_OF) {
            *of_kind.counts.entry(name.clone()).or_default() += count.saturating_sub(before(name));
        }
    }
    let is_held = run.counts.get("held_back").is_some_and(|held| *held > 0) && before("held_back") == 0;
    of_kind.losses_held += u64::from(is_held);
}
