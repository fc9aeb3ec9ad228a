//! The lake function: on each tick of its schedule, copies new files of bronze into the tables, then keeps the tables
//! small.
//!
//! The next tick does what one tick leaves undone. Two execution environments at the same time cost more and do no
//! harm.

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_domain::Time;
use stoop_lake_tables::{Bronze, Counts, Ingest, Lake, LakeError, Maintained, RETENTION_DAYS, maintain};
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
}

/// The function's response, which is also logged.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What was copied.
    pub ingested: Counts,
    /// Whether files of bronze may be left to the next tick.
    pub left: bool,
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
    /// Copies what is new and maintains the tables, until the invocation's `deadline` is near.
    ///
    /// # Errors
    ///
    /// Bronze cannot be read, or a table cannot be read or written.
    pub async fn handle(&self, deadline: Time) -> Result<Answer, TickError> {
        let left_ms = || deadline.ms() - self.clock.now().ms();
        let mut ingest = Ingest::open(&self.lake, self.clock.now()).await?;
        let mut bronze = Bronze::of_bucket(self.lake.clone(), ingest.taken().await?);
        let mut left = false;
        while let Some(chunk) = bronze.next().await? {
            if left_ms() < CHUNK_MS {
                left = true;
                break;
            }
            ingest.take(&chunk, self.clock.now()).await?;
        }
        let stop = || left_ms() < MERGE_MS;
        let maintained = maintain(&self.lake, RETENTION_DAYS, self.clock.now(), &stop).await?;
        let answer = Answer { ingested: ingest.counts(), left, maintained };
        let Counts { objects, lines, added, repeated, quarantined, conflicts } = answer.ingested;
        tracing::info!(objects, lines, added, repeated, quarantined, conflicts, left, "bronze was copied");
        for done in &answer.maintained {
            let Maintained { table, files_merged, files_written, rows_written, files_removed, .. } = done;
            tracing::info!(table, files_merged, files_written, rows_written, files_removed, "a table was maintained");
        }
        Ok(answer)
    }
}
