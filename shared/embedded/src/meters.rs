//! What a monitor reads: sizes, queues, and the sums of all runs, in a few index look-ups.

use std::path::PathBuf;

use stoop_domain::Time;
use stoop_pipeline::ports::PortError;

use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::followers::IS_WITHDRAWN;
use crate::run_totals::{RunTotals, run_totals};
use crate::views::RejectCount;

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
    /// Alerts of the ledger that are withdrawn.
    pub withdrawn: u64,
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
        let sql = format!(
            "SELECT (SELECT coalesce(max(rowid), 0) FROM homes), (SELECT count(*) FROM markets),
                   (SELECT lake_rows FROM totals), (SELECT newest FROM totals),
                   (SELECT count(*) FROM alerts WHERE verdict = 'alert'),
                   (SELECT count(*) FROM alerts WHERE verdict = 'suspect'),
                   (SELECT count(*) FROM alerts WHERE {IS_WITHDRAWN}),
                   (SELECT coalesce((SELECT max(seq) FROM changes) - (SELECT min(seq) FROM changes) + 1, 0)),
                   (SELECT coalesce((SELECT max(seq) FROM stream) - (SELECT min(seq) FROM stream) + 1, 0)),
                   (SELECT count(*) FROM dead_letters), (SELECT coalesce(sum(bytes), 0) FROM lake_objects)"
        );
        let read = self.rows(&sql, [], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
            Ok(Meters {
                homes: count(0)?,
                markets: count(1)?,
                observations: count(2)?,
                newest: row.get::<_, Option<i64>>(3)?.map(Time::from_ms),
                alerts: count(4)?,
                suspects: count(5)?,
                withdrawn: count(6)?,
                changes: count(7)?,
                records: count(8)?,
                dead_letters: count(9)?,
                lake_bytes: count(10)?,
                ..Meters::default()
            })
        })?;
        let sql = "SELECT source, reason, count(*) FROM quarantine GROUP BY source, reason ORDER BY source, reason";
        let quarantine = self.rows(sql, [], |row| {
            let count = row.get::<_, i64>(2)?.cast_unsigned();
            Ok(RejectCount { source: row.get(0)?, reason: row.get(1)?, count, values: 0 })
        })?;
        let mut log = PathBuf::from(self.path()).into_os_string();
        log.push("-wal");
        let (file_bytes, log_bytes) = (file_bytes(self.path()), file_bytes(&PathBuf::from(log)));
        let runs = run_totals(&self.lock().connection)?;
        Ok(Meters { quarantine, file_bytes, log_bytes, runs, ..read.into_iter().next().unwrap_or_default() })
    }
}
