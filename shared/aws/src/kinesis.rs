use async_trait::async_trait;
use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use stoop_pipeline::ports::{FailureKind, PortError, Stream};
use stoop_wire::kpl::{aggregate, aggregated_len};

use crate::error::{Reason, reason};

/// The most bytes of lines in one record. Kinesis bills units of 25 KB and takes up to 1 MiB. At this size the last,
/// partial unit is a small share of a record, and retries for a busy shard (which takes 1 MiB a second) stay small too.
const RECORD_BYTES_MAX: usize = 256 << 10;

/// The most bytes of a record on the stream, including the partition key, unless the stream's own limit was raised.
const STREAM_RECORD_BYTES_MAX: usize = 1 << 20;

/// `PutRecords` takes 500 records and 10 MiB, keys included. The limit was 5 MiB until 2025. A shard still takes 1 MiB
/// a second, so more gains nothing.
const BATCH_RECORDS_MAX: usize = 500;
const BATCH_BYTES_MAX: usize = 5 << 20;

const KEY_CHARS_MAX: usize = 256;

/// Puts records on a Kinesis data stream, each as one KPL-aggregated record with a user record per line.
///
/// Kinesis keeps the order of the records of one call in one shard, except for refused records that are put again.
#[derive(Clone, Debug)]
pub struct KinesisStream {
    client: Client,
    name: String,
}

impl KinesisStream {
    /// The stream of this name.
    #[must_use]
    pub fn new(client: Client, name: &str) -> Self {
        Self { client, name: name.to_owned() }
    }

    fn error(&self, kind: FailureKind, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PortError {
        PortError::new(kind, format!("PutRecords on the stream {}", self.name), why)
    }

    /// The bytes of a record on the stream, including its key.
    ///
    /// # Errors
    ///
    /// It is too large for any attempt.
    fn checked_len(&self, position: usize, key: &str, lines: &[u8]) -> Result<usize, PortError> {
        let chars = key.chars().count();
        if !(1..=KEY_CHARS_MAX).contains(&chars) {
            let why = format!("the key {key:?} has {chars} characters; accepted: 1 to {KEY_CHARS_MAX}");
            return Err(self.error(FailureKind::Refused, why));
        }
        if lines.len() > RECORD_BYTES_MAX {
            let why = format!("record {position} has {} bytes; accepted: at most {RECORD_BYTES_MAX}", lines.len());
            return Err(self.error(FailureKind::Refused, why));
        }
        // Each line adds a few bytes, which is much only if lines are almost empty.
        let bytes = key.len() + aggregated_len(key, user_records(lines).map(<[u8]>::len));
        if bytes > STREAM_RECORD_BYTES_MAX {
            let why = format!(
                "record {position} takes {bytes} bytes as an aggregate of {} lines; accepted: at most {STREAM_RECORD_BYTES_MAX}",
                user_records(lines).count()
            );
            return Err(self.error(FailureKind::Refused, why));
        }
        Ok(bytes)
    }

    /// Puts a batch of records beginning at index `first`, and collects the indexes of those that were refused.
    async fn put_batch(
        &self,
        first: usize,
        batch: &[(String, Vec<u8>)],
        refused: &mut Vec<usize>,
    ) -> Result<(), PortError> {
        let mut entries = Vec::with_capacity(batch.len());
        for (key, lines) in batch {
            let data = Blob::new(aggregate(key, user_records(lines)));
            let entry = PutRecordsRequestEntry::builder().partition_key(key).data(data).build();
            entries.push(entry.map_err(|error| self.error(FailureKind::Refused, error))?);
        }
        let answer = match self.client.put_records().stream_name(&self.name).set_records(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = reason(&error);
                if reason.code.as_deref().is_some_and(may_be_put_again) {
                    refused.extend(first..first + batch.len());
                    return Ok(());
                }
                return Err(self.error(reason.kind, reason));
            }
        };
        let outcomes = answer.records();
        if outcomes.len() != batch.len() {
            let why = format!("{} records were put and {} answered for", batch.len(), outcomes.len());
            return Err(self.error(FailureKind::Unavailable, why));
        }
        for (position, outcome) in (first..).zip(outcomes) {
            match outcome.error_code() {
                None => {}
                Some(code) if may_be_put_again(code) => refused.push(position),
                Some(code) => {
                    let reason = Reason::of_entry(code, outcome.error_message(), FailureKind::Refused);
                    let why = format!("record {position} was refused for good: {reason}");
                    return Err(self.error(reason.kind, why));
                }
            }
        }
        Ok(())
    }
}

/// The user records of a record: its lines with their line ends; joined, they are the record again.
fn user_records(lines: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines.split_inclusive(|byte| *byte == b'\n')
}

/// Whether a record refused for this reason may be accepted later. Only the first two apply to single records; the
/// others refuse a whole call and outlast the SDK's own attempts.
fn may_be_put_again(code: &str) -> bool {
    const CODES: [&str; 5] = [
        "ProvisionedThroughputExceededException",
        "InternalFailure",
        "KMSThrottlingException",
        "LimitExceededException",
        "ThrottlingException",
    ];
    CODES.contains(&code)
}

#[async_trait]
impl Stream for KinesisStream {
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError> {
        // All are checked before any is put.
        let lens = records.iter().enumerate().map(|(position, (key, lines))| self.checked_len(position, key, lines));
        let lens = lens.collect::<Result<Vec<usize>, PortError>>()?;
        let mut refused = Vec::new();
        let mut first = 0;
        while first < records.len() {
            let mut bytes = 0;
            let fits = lens[first..].iter().take(BATCH_RECORDS_MAX).take_while(|len| {
                bytes += **len;
                bytes <= BATCH_BYTES_MAX
            });
            let end = first + fits.count();
            self.put_batch(first, &records[first..end], &mut refused).await?;
            first = end;
        }
        Ok(refused)
    }

    fn record_bytes_max(&self) -> usize {
        RECORD_BYTES_MAX
    }
}
