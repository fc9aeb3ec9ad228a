//! What a monitor reads: sizes, queues, and the sums of all runs, in a few index look-ups.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_pipeline::ports::{PortError, RunOutcome, RunRecord};
use stoop_pipeline::{LEFT_BY_SERVER, LEFT_OF};

use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::views::RejectCount;

/// The setting with the [`RunTotals`], as JSON.
const TOTALS: &str = "run totals";

/// The sums of the runs of each kind.
pub type RunTotals = BTreeMap<String, KindTotals>;

/// The sums of all runs of one kind that ended, including those that [`Database::prune`] removed since. They never
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

/// The state of a database in numbers that are quick to read: no home is read, however many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meters {
    /// Stored homes.
    pub homes: u64,
    /// Stored markets.
    pub markets: u64,
    /// Observations in the lake.
    pub observations: u64,
    /// The time of the newest observation in the lake.
    pub newest: Option<Time>,
    /// Alerts of the ledger that are sent.
    pub alerts: u64,
    /// Alerts of the ledger that are held back.
    pub suspects: u64,
    /// The stored rejects by source and reason. A reject may stand for several rows.
    pub quarantine: Vec<RejectCount>,
    /// Changes that some consumer has not processed yet.
    pub changes: u64,
    /// Records on the stream.
    pub records: u64,
    /// Alerts that a subscriber refused permanently.
    pub dead_letters: u64,
    /// Bytes of the lake's files, compressed.
    pub lake_bytes: u64,
    /// Bytes of the database file, without its write-ahead log.
    pub file_bytes: u64,
    /// Bytes of the write-ahead log.
    pub log_bytes: u64,
    /// The sums of the runs.
    pub runs: RunTotals,
}

impl Database {
    /// The state in numbers.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn meters(&self) -> Result<Meters, PortError> {
        self.read_meters().map_err(self.doing("read the meters"))
    }

    fn read_meters(&self) -> Result<Meters> {
        // Homes are never deleted, so the last row ID is their number. Queues have no gaps.
        let sql = "SELECT (SELECT coalesce(max(rowid), 0) FROM homes), (SELECT count(*) FROM markets),
                   (SELECT lake_rows FROM totals), (SELECT newest FROM totals),
                   (SELECT count(*) FROM alerts WHERE verdict = 'alert'),
                   (SELECT count(*) FROM alerts WHERE verdict = 'suspect'),
                   (SELECT coalesce((SELECT max(seq) FROM changes) - (SELECT min(seq) FROM changes) + 1, 0)),
                   (SELECT coalesce((SELECT max(seq) FROM stream) - (SELECT min(seq) FROM stream) + 1, 0)),
                   (SELECT count(*) FROM dead_letters), (SELECT coalesce(sum(bytes), 0) FROM lake_objects)";
        let read = self.rows(sql, [], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Meters {
                homes: count(0)?,
                markets: count(1)?,
                observations: count(2)?,
                newest: row.get::<_, Option<i64>>(3)?.map(Time::from_ms),
                alerts: count(4)?,
                suspects: count(5)?,
                changes: count(6)?,
                records: count(7)?,
                dead_letters: count(8)?,
                lake_bytes: count(9)?,
                ..Meters::default()
            })
        })?;
        let sql = "SELECT source, reason, count(*) FROM quarantine GROUP BY source, reason ORDER BY source, reason";
        let quarantine = self.rows(sql, [], |row| {
            Ok(RejectCount { source: row.get(0)?, reason: row.get(1)?, count: row.get::<_, i64>(2)?.cast_unsigned() })
        })?;
        let mut log = PathBuf::from(self.path()).into_os_string();
        log.push("-wal");
        let (file_bytes, log_bytes) = (file_bytes(self.path()), file_bytes(&PathBuf::from(log)));
        let runs = run_totals(&self.lock().connection)?;
        Ok(Meters { quarantine, file_bytes, log_bytes, runs, ..read.into_iter().next().unwrap_or_default() })
    }
}

/// The stored sums; without them, those of the stored runs.
fn run_totals(connection: &Connection) -> Result<RunTotals> {
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
        *of_kind.outcomes.entry(outcome_name(run.outcome).to_owned()).or_default() += 1;
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

/// The name of an outcome in a run's JSON.
fn outcome_name(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Running => "running",
        RunOutcome::Complete => "complete",
        RunOutcome::Partial => "partial",
        RunOutcome::Failed => "failed",
        RunOutcome::Skipped => "skipped",
        RunOutcome::Killed => "killed",
    }
}
