use std::sync::Arc;

use serde_json::{Map, Value, json};
use stoop_domain::Time;

use super::stream::{Record, ShardId};

/// The input of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The shard of all records.
    pub shard: ShardId,
    /// At least one, in the order of the shard.
    pub records: Vec<Arc<Record>>,
    /// When it is sent.
    pub sent_at: Time,
    /// The number of retries counted before; 0 the first time.
    pub retries: u32,
}

/// The stream ARN in events.
const STREAM_ARN: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/simulated";
const TABLE_STREAM_ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/simulated/stream/2026-01-01T00:00:00.000";

/// The maximum payload of a synchronous invocation: 6 MB.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 6 * 1_024 * 1_024;
/// The maximum size of a record in an event, other than its data and key.
const ENVELOPE_BYTES: usize = 512;

/// The size of a record in an event, with data in base64.
pub(crate) fn event_bytes(record: &Record) -> usize {
    record.data.len().div_ceil(3) * 4 + record.partition_key.len() + ENVELOPE_BYTES
}

impl Batch {
    /// The event for a function on a Kinesis stream.
    #[must_use]
    pub fn kinesis_event(&self) -> Value {
        let record = |record: &Arc<Record>| {
            json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": record.partition_key,
                    "sequenceNumber": record.sequence_number.to_string(),
                    "data": base64(&record.data),
                    "approximateArrivalTimestamp": seconds(record.arrived_at),
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": format!("{}:{}", self.shard, record.sequence_number),
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::000000000000:role/simulated",
                "awsRegion": "us-east-1",
                "eventSourceARN": STREAM_ARN,
            })
        };
        json!({ "Records": self.records.iter().map(record).collect::<Vec<_>>() })
    }

    /// The event for a function on a DynamoDB stream. The data of each record is a JSON object with `Keys`, `NewImage`
    /// and `OldImage`, as far as they apply, in DynamoDB's notation.
    ///
    /// # Errors
    /// If the data of a record is not a JSON object.
    pub fn dynamodb_event(&self) -> Result<Value, serde_json::Error> {
        let record = |record: &Arc<Record>| -> Result<Value, serde_json::Error> {
            let mut images: Map<String, Value> = serde_json::from_slice(&record.data)?;
            let name = match (images.contains_key("OldImage"), images.contains_key("NewImage")) {
                (false, _) => "INSERT",
                (true, true) => "MODIFY",
                (true, false) => "REMOVE",
            };
            images.insert("ApproximateCreationDateTime".into(), seconds(record.arrived_at).into());
            images.insert("SequenceNumber".into(), record.sequence_number.to_string().into());
            images.insert("SizeBytes".into(), record.data.len().into());
            images.insert("StreamViewType".into(), "NEW_AND_OLD_IMAGES".into());
            Ok(json!({
                "eventID": format!("{:032x}", record.sequence_number),
                "eventName": name,
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": images,
                "eventSourceARN": TABLE_STREAM_ARN,
            }))
        };
        Ok(json!({ "Records": self.records.iter().map(record).collect::<Result<Vec<_>, _>>()? }))
    }

    /// The ARN of the simulated Kinesis stream.
    pub(crate) fn stream_arn() -> &'static str {
        STREAM_ARN
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit in 53 bits")]
fn seconds(at: Time) -> f64 {
    at.ms() as f64 / 1_000.0
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = (three >> (18 - 6 * i)) & 63;
            out.push(if i <= chunk.len() { char::from(DIGITS[digit as usize]) } else { '=' });
        }
    }
    out
}
