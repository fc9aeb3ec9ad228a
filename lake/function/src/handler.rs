//! The lake function: on each tick of its schedule, copies new files of bronze into the tables, then keeps the tables
//! small.
//!
//! The next tick does what one tick leaves undone. Two execution environments at the same time cost more and do no
//! harm.

use std::collections::HashSet;

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_lake_tables::{Bronze, Counts, Ingest, Lake, LakeError, Maintained, RETENTION_DAYS, Waiting, maintain};
use stoop_pipeline::{Clock, with_causes};

/// No chunk is begun if less than this is left of the invocation.
const CHUNK_MS: i64 = 60_000;
/// No merge of files is begun if less than this is left.
const MERGE_MS: i64 = 120_000;

/// The function's ports.
pub struct App<'a> {
    /// The bucket.
    pub lake: Lake,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The metrics.
    pub meter: &'a Meter,
}

/// The function's response, which is also logged.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What was copied.
    pub ingested: Counts,
    /// Files of bronze that are left to the next tick, for lack of time or since they are damaged.
    pub left: usize,
    /// Files of bronze that cannot be read to their ends.
    pub damaged: usize,
    /// What was done to each table. Empty if there was no time.
    pub maintained: Vec<Maintained>,
}

/// Why a tick failed. The next one goes on where it ended.
#[derive(Debug)]
pub struct TickError(LakeError);

impl From<LakeError> for TickError {
    fn from(error: LakeError) -> Self {
        Self(error)
    }
}

impl From<TickError> for Diagnostic {
    fn from(TickError(error): TickError) -> Self {
        let error_type = match &error {
            LakeError::Newer { .. } => "NewerTable",
            LakeError::Unfit { .. } => "UnfitTable",
            LakeError::Busy { .. } => "TableBusy",
            LakeError::Missing(_) | LakeError::Failed { .. } => "LakeError",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl App<'_> {
    /// Copies what is new and maintains the tables, until the invocation's `deadline` is near. Prints metrics.
    ///
    /// # Errors
    ///
    /// Bronze cannot be read, or a table cannot be read or written.
    pub async fn handle(&self, deadline: Time) -> Result<Answer, TickError> {
        let answer = self.tick(deadline).await;
        self.meter.flush(self.clock.now());
        answer
    }

    async fn tick(&self, deadline: Time) -> Result<Answer, TickError> {
        let left_ms = || deadline.ms() - self.clock.now().ms();
        let mut ingest = Ingest::open(&self.lake, self.clock.now()).await?;
        let files = Waiting::list(&self.lake, &ingest.taken().await?).await?;
        let mut ended = HashSet::new();
        let mut bronze = Bronze::of_bucket(self.lake.clone(), files.clone());
        while left_ms() >= CHUNK_MS
            && let Some(chunk) = bronze.next().await?
        {
            ingest.take(&chunk, self.clock.now()).await?;
            ended.extend(chunk.ended().cloned());
        }
        let left: Vec<&Waiting> = files.iter().filter(|file| !ended.contains(file.path.as_str())).collect();
        self.report(&ingest, &left);
        let stop = || left_ms() < MERGE_MS;
        let maintained = maintain(&self.lake, RETENTION_DAYS, self.clock.now(), &stop).await?;
        for done in &maintained {
            let Maintained { table, files_merged, files_written, rows_written, files_removed, .. } = done;
            tracing::info!(table, files_merged, files_written, rows_written, files_removed, "a table was maintained");
        }
        Ok(Answer { ingested: ingest.counts(), left: left.len(), damaged: ingest.damaged().len(), maintained })
    }

    fn report(&self, ingest: &Ingest, left: &[&Waiting]) {
        let Counts { objects, lines, added, repeated, quarantined, conflicts } = ingest.counts();
        tracing::info!(objects, lines, added, repeated, quarantined, conflicts, left = left.len(), "bronze was copied");
        for file in ingest.damaged() {
            tracing::error!(file = %file.object, error = %file.why, "a file of bronze cannot be read to its end");
        }
        let waited = left.iter().map(|file| self.clock.now().ms() - file.since.ms()).max().unwrap_or_default();
        self.meter.milliseconds("TablesLagMs", u64::try_from(waited).unwrap_or_default());
        self.meter.count("TableRows", added);
        self.meter.count("LakeRefused", quarantined + ingest.damaged().len() as u64);
    }
}
