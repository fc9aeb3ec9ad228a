//! The lake function: on each tick of its schedule, copies new files of bronze into the tables, then keeps the tables
//! small.
//!
//! The next tick does what one tick leaves undone. Two execution environments at the same time cost more and do no
//! harm.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Diagnostic;
use serde::Serialize;
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_lake_tables::{
    Bronze, Ingest, IngestCounts, Lake, LakeError, Maintained, RETENTION_DAYS, Waiting, maintain, record_versions,
};
use stoop_pipeline::{Clock, with_causes};

/// No chunk is begun if less than this is left of the invocation: merges need time, too, most of all while much waits.
const CHUNK_MS: i64 = 300_000;
/// No merge of files is begun if less than this is left.
const MERGE_MS: i64 = 120_000;

/// The function's ports.
pub struct LakeHandler<'a> {
    /// The bucket.
    pub lake: Lake,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The metrics.
    pub meter: &'a Meter,
}

/// The function's response, which is also logged.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct IngestResponse {
    /// What was copied.
    pub ingested: IngestCounts,
    /// Files of bronze that are left to the next tick, for lack of time or since they are held.
    pub left: usize,
    /// Files of bronze that cannot be read to their ends, or that a newer program wrote.
    pub held: usize,
    /// What was done to each table. Empty if there was no time.
    pub maintained: Vec<Maintained>,
}

/// Why a tick failed. The next one goes on where it ended.
#[derive(Debug)]
pub struct LakeTickError(LakeError);

impl From<LakeError> for LakeTickError {
    fn from(error: LakeError) -> Self {
        Self(error)
    }
}

impl From<LakeTickError> for Diagnostic {
    fn from(LakeTickError(error): LakeTickError) -> Self {
        let error_type = match &error {
            LakeError::Newer { .. } => "NewerTable",
            LakeError::Unfit { .. } => "UnfitTable",
            LakeError::Busy { .. } => "TableBusy",
            LakeError::Missing(_) | LakeError::Failed { .. } => "LakeError",
        };
        Self { error_type: error_type.into(), error_message: with_causes(&error) }
    }
}

impl LakeHandler<'_> {
    /// Copies what is new and maintains the tables, until the invocation's `deadline` is near. Prints metrics.
    ///
    /// # Errors
    ///
    /// Bronze cannot be read, or a table cannot be read or written.
    pub async fn handle(&self, deadline: Time) -> Result<IngestResponse, LakeTickError> {
        let answer = self.tick(deadline).await;
        self.meter.flush(self.clock.now());
        answer
    }

    async fn tick(&self, deadline: Time) -> Result<IngestResponse, LakeTickError> {
        let left_ms = || deadline.ms() - self.clock.now().ms();
        let mut ingest = Ingest::open(&self.lake, self.clock.now()).await?;
        let files = Waiting::list(&self.lake, &ingest.taken().await?).await?;
        let copied = self.copy(&mut ingest, &files, deadline).await;
        let left = match &copied {
            Ok(ended) => files.iter().filter(|file| !ended.contains(file.path.as_str())).collect(),
            Err(_) => files.iter().collect::<Vec<_>>(),
        };
        self.report(&ingest, &left);
        copied?;
        let stop = || left_ms() < MERGE_MS;
        let maintained = maintain(&self.lake, RETENTION_DAYS, self.clock.now(), &stop).await?;
        // Also if this tick changed nothing: the last one may have died before it recorded what it changed.
        record_versions(&self.lake, self.clock.now()).await?;
        for done in &maintained {
            let Maintained { table, files_merged, files_written, rows_written, files_removed, .. } = done;
            tracing::info!(table, files_merged, files_written, rows_written, files_removed, "a table was maintained");
        }
        Ok(IngestResponse { ingested: ingest.counts(), left: left.len(), held: ingest.held().len(), maintained })
    }

    /// Copies files until there is no time for more. Returns those that were read to their ends.
    async fn copy(
        &self,
        ingest: &mut Ingest,
        files: &[Waiting],
        deadline: Time,
    ) -> Result<HashSet<Arc<str>>, LakeError> {
        let mut ended = HashSet::new();
        let mut bronze = Bronze::of_bucket(self.lake.clone(), files.to_vec());
        loop {
            let left_ms = deadline.ms() - self.clock.now().ms() - CHUNK_MS;
            let Some(left_ms) = u64::try_from(left_ms).ok().filter(|left_ms| *left_ms > 0) else { break };
            // A bucket that does not answer must not take the time of merges.
            let next = tokio::time::timeout(Duration::from_millis(left_ms), bronze.next());
            let Ok(next) = next.await else { break };
            let Some(chunk) = next? else { break };
            ingest.take(&chunk, self.clock.now()).await?;
            ended.extend(chunk.ended().filter(|object| !ingest.is_held(object)).cloned());
        }
        Ok(ended)
    }

    fn report(&self, ingest: &Ingest, left: &[&Waiting]) {
        let IngestCounts { objects, lines, added, repeated, quarantined, newer, conflicts } = ingest.counts();
        let (files, left) = (left, left.len());
        tracing::info!(objects, lines, added, repeated, quarantined, newer, conflicts, left, "bronze was copied");
        for file in ingest.held() {
            tracing::error!(file = %file.object, error = %file.why, "a file of bronze cannot be taken as a whole");
        }
        let waited = files.iter().map(|file| self.clock.now().ms() - file.since.ms()).max().unwrap_or_default();
        self.meter.milliseconds("TablesLagMs", u64::try_from(waited).unwrap_or_default());
        self.meter.count("TableRows", added);
        self.meter.count("LakeRefused", quarantined + ingest.held().len() as u64);
    }
}
