//! The metrics function: reads a batch of Kinesis records and writes the state and the lake.
//!
//! A record is done when its effect is stored: its observations in state and lake, its unreadable lines in quarantine.
//! The response names the first record that is not done (`batchItemFailures`), and Lambda delivers again from there;
//! processing a record twice changes nothing. A record with a line in a newer format is not processed, nor any record
//! after it: during a deployment the poller may be updated a little earlier than this function.

mod duty;

use aws_lambda_events::kinesis::KinesisEventRecord;
use aws_lambda_events::streams::KinesisEventResponse;
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_json::value::RawValue;
use stoop_domain::{Observation, Reason, Reject, Time, locate};
use stoop_emf::Meter;
use stoop_pipeline::ports::{FailureKind, Quarantine, Store};
use stoop_pipeline::{
    CacheLimits, Clock, ErrorCode, Inbox, InboxDone, InboxError, Measured, Measurer, NewerRecord, measure_inbox,
    with_causes,
};
use tokio::sync::Mutex;

pub use duty::{Duty, NoDuty};

/// The default size of a group. A stored group is done, whatever the outcome of the rest of the batch; smaller groups
/// would read and write the same markets more often.
const GROUP_OBSERVATIONS_MIN: usize = 1_000;

/// If less time than this is left, the rest of the batch waits for the next invocation.
const MARGIN_MS: i64 = 5_000;

/// How much of the state an execution environment caches between invocations: it must fit into the function's memory
/// together with a batch.
pub const MEMORY: CacheLimits = CacheLimits { homes_max: 10_000, markets_max: 64 };

/// The function's ports.
pub struct MetricsHandler<'a> {
    measurer: Mutex<Measurer<'a>>,
    quarantine: &'a dyn Quarantine,
    clock: &'a dyn Clock,
    meter: &'a Meter,
    group_observations_min: usize,
}

/// The event is not a Kinesis batch. There is no record to name, so the invocation fails.
#[derive(Debug, thiserror::Error)]
#[error("the event is not a Kinesis batch: {0}; accepted: {{\"Records\": [...]}}")]
pub struct NoBatch(#[from] serde_json::Error);

impl From<NoBatch> for Diagnostic {
    fn from(error: NoBatch) -> Self {
        Self { error_type: "NoBatch".into(), error_message: error.to_string() }
    }
}

/// The batch with its records unparsed, so that one bad record does not affect the others.
#[derive(Deserialize)]
struct StreamBatch<'e> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'e RawValue>,
}

/// The part of a record that is needed if it cannot be read in full.
#[derive(Deserialize)]
struct Outline<'e> {
    #[serde(borrow)]
    kinesis: OutlineOfData<'e>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutlineOfData<'e> {
    sequence_number: &'e str,
}

/// Records that are processed together.
#[derive(Default)]
struct RecordGroup {
    /// The records' sequence numbers: if the group fails, Lambda starts again at the first. An empty one stands for a
    /// record without a number and makes Lambda deliver the whole batch again.
    sequences: Vec<String>,
    inbox: Inbox,
}

/// A record in a newer format than this program knows.
struct Newer {
    sequence: String,
    why: NewerRecord,
}

impl<'a> MetricsHandler<'a> {
    /// Creates a function on these ports.
    pub fn new(store: &'a dyn Store, quarantine: &'a dyn Quarantine, clock: &'a dyn Clock, meter: &'a Meter) -> Self {
        let measurer = Mutex::new(Measurer::new(store).with_memory(MEMORY));
        Self { measurer, quarantine, clock, meter, group_observations_min: GROUP_OBSERVATIONS_MIN }
    }

    /// Sets the least number of observations per group (the last group of a batch may have fewer). Records are not
    /// split.
    #[must_use]
    pub fn with_groups_of(self, observations: usize) -> Self {
        Self { group_observations_min: observations, ..self }
    }

    /// Processes a batch in groups until all of it is stored, something fails or the deadline is near.
    ///
    /// # Errors
    ///
    /// The event is not a batch of records.
    pub async fn handle(&self, event: &RawValue, deadline: Time) -> Result<KinesisEventResponse, NoBatch> {
        let batch: StreamBatch<'_> = serde_json::from_str(event.get())?;
        let mut response = KinesisEventResponse::default();
        let mut records = batch.records.into_iter();
        let mut group = RecordGroup::default();
        let mut newer = None;
        loop {
            let record = if newer.is_none() { records.next() } else { None };
            if let Some(record) = record {
                newer = self.read(record, &mut group);
                if newer.is_none() && group.inbox.observations.len() < self.group_observations_min {
                    continue;
                }
            }
            if group.sequences.is_empty() {
                if let Some(Newer { sequence, why }) = newer {
                    let left = records.len() + 1;
                    self.meter.count("RecordsNewer", 1);
                    let code = ErrorCode::NewerFormat;
                    tracing::error!(%why, %code, first = sequence, left, "records are to be delivered again, to a newer Stoop");
                    response.add_failure(sequence);
                }
                // Otherwise the last record filled a group, or there was none: nothing is left.
                return Ok(response);
            }
            let in_time = deadline.ms() - self.clock.now().ms() > MARGIN_MS;
            let stored = if in_time { self.store(&mut group.inbox).await.map_err(Some) } else { Err(None) };
            if let Err(error) = stored {
                let left = group.sequences.len() + records.len() + usize::from(newer.is_some());
                self.meter.count("RecordsFailed", left as u64);
                let first = group.sequences.into_iter().next().unwrap_or_default();
                match error {
                    Some(error) => {
                        self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&error)));
                        let kind = FailureKind::word(&error);
                        let error = with_causes(&error);
                        tracing::error!(error, kind, first, left, "records are to be delivered again");
                    }
                    None => tracing::warn!(first, left, "the deadline is near: records are to be delivered again"),
                }
                response.add_failure(first);
                return Ok(response);
            }
            group = RecordGroup::default();
        }
    }

    /// Reads a record's observations and rejects into the group, unless one of its lines is in a newer format.
    fn read(&self, raw: &RawValue, group: &mut RecordGroup) -> Option<Newer> {
        let now = self.clock.now();
        let record: KinesisEventRecord = match serde_json::from_str(raw.get()) {
            Ok(record) => record,
            Err(error) => {
                let outline = serde_json::from_str::<Outline<'_>>(raw.get());
                let sequence = outline.map(|outline| outline.kinesis.sequence_number).unwrap_or_default();
                group.sequences.push(sequence.to_owned());
                let why = format!("not a Kinesis record: {error}");
                let reject =
                    Reject::new("stream", now, position(sequence), Reason::Unreadable, why, raw.get().as_bytes());
                group.inbox.rejects.push(reject);
                return None;
            }
        };
        let sequence = record.kinesis.sequence_number;
        if let Err(why) = group.inbox.read_known(&position(&sequence), &record.kinesis.data, now) {
            return Some(Newer { sequence, why });
        }
        group.sequences.push(sequence);
        None
    }

    /// Stores a group, and counts what was done.
    async fn store(&self, inbox: &mut Inbox) -> Result<(), InboxError> {
        let mut done = InboxDone::default();
        let mut measurer = self.measurer.lock().await;
        let stored = measure_inbox(inbox, &mut measurer, self.quarantine, self.clock.now(), &mut done).await;
        self.meter.count("Quarantined", done.quarantined);
        self.meter.count("ItemsTooLarge", done.homes_outgrown);
        if let Some(measured) = done.measured {
            self.count(&measured, &inbox.observations);
        }
        stored
    }

    fn count(&self, measured: &Measured, observations: &[Observation]) {
        self.meter.count("ObservationsMeasured", measured.observations);
        self.meter.count("ObservationsOverfull", measured.overfull);
        self.meter.count("Duplicates", measured.duplicates);
        self.meter.count("Conflicts", measured.conflicts);
        let contradictory = observations.iter().filter(|seen| locate(&seen.listing.address).is_contradictory).count();
        self.meter.count("AddressesContradictory", contradictory as u64);
        if let Some(newest) = observations.iter().map(|seen| seen.at).max() {
            let lag_ms = (self.clock.now().ms() - newest.ms()).max(0);
            self.meter.milliseconds("EventLagMs", lag_ms.cast_unsigned());
        }
    }
}

/// A record's name in the position of its rejects.
fn position(sequence: &str) -> String {
    let named = if sequence.is_empty() { "without a sequence number" } else { sequence };
    format!("stream record {named}")
}
