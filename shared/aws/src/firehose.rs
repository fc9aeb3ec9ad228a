use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_firehose::primitives::Blob;
use aws_sdk_firehose::types::Record;
use stoop_domain::Observation;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{FailureKind, PortError};

use crate::chance::backoff_ms;
use crate::error::{Reason, reason};
use crate::lake::Lake;

/// `PutRecordBatch` takes up to 500 records of 1,000 KiB each, 4 MiB together. Each is billed in steps of 5 KB, so a
/// record holds as many lines as fit.
const RECORD_BYTES_MAX: usize = 1_000 << 10;
const BATCH_RECORDS_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Attempts at refused records, and the pauses between them: usually under three seconds in all.
const ATTEMPTS_MAX: u32 = 6;
const BACKOFF_FIRST_MS: u64 = 200;
const BACKOFF_MAX_MS: u64 = 3_000;

/// Delivers observations to the lake through a Firehose delivery stream, as lines of wire JSON.
pub struct LakeDelivery {
    client: aws_sdk_firehose::Client,
    name: String,
    clock: Arc<dyn Clock>,
}

impl LakeDelivery {
    /// Delivers to the delivery stream of this name.
    #[must_use]
    pub fn new(client: aws_sdk_firehose::Client, name: &str, clock: Arc<dyn Clock>) -> Self {
        Self { client, name: name.to_owned(), clock }
    }

    fn error(&self, kind: FailureKind, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
        PortError::new(kind, format!("PutRecordBatch on the delivery stream {}", self.name), why)
    }

    /// Puts the records of one call, and retries the refused ones.
    async fn deliver(&self, mut records: Vec<Record>) -> Result<(), PortError> {
        let mut last_reason = None;
        for attempt in 0..ATTEMPTS_MAX {
            if attempt > 0 {
                self.clock.sleep(backoff_ms(attempt - 1, BACKOFF_FIRST_MS, BACKOFF_MAX_MS)).await;
            }
            let request = self.client.put_record_batch().delivery_stream_name(&self.name);
            let answer = match request.set_records(Some(records.clone())).send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let reason = reason(&error);
                    if reason.code.as_deref() == Some("ServiceUnavailableException") {
                        last_reason = Some(reason);
                        continue;
                    }
                    return Err(self.error(reason.kind, reason));
                }
            };
            let outcomes = answer.request_responses();
            if outcomes.len() != records.len() {
                let why = format!("{} records were put and {} answered for", records.len(), outcomes.len());
                return Err(self.error(FailureKind::Unavailable, why));
            }
            let refused = outcomes.iter().zip(records).filter(|(outcome, _)| outcome.error_code().is_some());
            let refused = refused.map(|(outcome, record)| {
                let code = outcome.error_code().unwrap_or_default();
                last_reason = Some(Reason::of_entry(code, outcome.error_message(), FailureKind::Unavailable));
                record
            });
            records = refused.collect();
            if records.is_empty() {
                return Ok(());
            }
        }
        let kind = last_reason.as_ref().map_or(FailureKind::Unavailable, |reason| reason.kind);
        let last_reason = last_reason.map(|reason| reason.to_string()).unwrap_or_default();
        let why = format!("{} records are still refused after {ATTEMPTS_MAX} attempts: {last_reason}", records.len());
        Err(self.error(kind, why))
    }
}

/// Packs observations, one per line, into records, and these into batches for one call each.
///
/// # Errors
///
/// A line is larger than a record may be: returns its index and size in bytes.
fn pack(observations: &[&Observation]) -> Result<Vec<Vec<Vec<u8>>>, (usize, usize)> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    let mut line = Vec::new();
    for (index, observation) in observations.iter().enumerate() {
        line.clear();
        stoop_wire::encode(observation, &mut line);
        line.push(b'\n');
        if line.len() > RECORD_BYTES_MAX {
            return Err((index, line.len()));
        }
        match records.last_mut() {
            Some(record) if record.len() + line.len() <= RECORD_BYTES_MAX => record.extend_from_slice(&line),
            _ => records.push(line.clone()),
        }
    }
    let mut batches: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        bytes += record.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_RECORDS_MAX && bytes <= BATCH_BYTES_MAX => batch.push(record),
            _ => {
                bytes = record.len();
                batches.push(vec![record]);
            }
        }
    }
    Ok(batches)
}

#[async_trait]
impl Lake for LakeDelivery {
    async fn keep(&self, observations: &[&Observation]) -> Result<(), PortError> {
        let batches = pack(observations).map_err(|(index, bytes)| {
            let seen = observations[index];
            let why = format!("the line of {}/{} at {} has {bytes} bytes", seen.source, seen.native_id, seen.at);
            self.error(FailureKind::Refused, format!("{why}; accepted: at most {RECORD_BYTES_MAX}"))
        })?;
        for batch in batches {
            let records = batch.into_iter().map(|record| Record::builder().data(Blob::new(record)).build());
            let records = records.collect::<Result<_, _>>().map_err(|error| self.error(FailureKind::Refused, error))?;
            self.deliver(records).await?;
        }
        Ok(())
    }
}
