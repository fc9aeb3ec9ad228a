use serde_json::{Value, json};
use stoop_domain::Time;

use super::Batch;

/// Discarded records, as an on-failure destination receives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    pub condition: Condition,
    /// The records. AWS sends them to an S3 destination only.
    pub batch: Batch,
    /// The number of invocations with the batch, as far as known: a part of a bisected batch counts from its own
    /// beginning. 0 for records that were too old from the start.
    pub approximate_invoke_count: u32,
    /// Whether the last of those invocations ended in an error, not in reported item failures.
    pub is_function_error: bool,
    pub at: Time,
}

/// Why records were discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `MaximumRetryAttempts` is exhausted.
    RetryAttemptsExhausted,
    /// Older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
}

impl Discarded {
    /// The document for an S3 destination: that of queues and topics plus `payload`, the event as a JSON string.
    #[must_use]
    pub fn s3_document(&self) -> Value {
        let mut document = self.message();
        document["payload"] = self.batch.kinesis_event().to_string().into();
        document
    }

    /// The document for an SQS or SNS destination: the positions of the records without their data.
    #[must_use]
    pub fn message(&self) -> Value {
        let records = &self.batch.records;
        let sequence_number = |record: Option<&std::sync::Arc<super::Record>>| {
            record.map(|record| record.sequence_number.to_string()).unwrap_or_default()
        };
        let arrival = |record: Option<&std::sync::Arc<super::Record>>| {
            record.map(|record| record.arrived_at.to_string()).unwrap_or_default()
        };
        let mut message = json!({
            "requestContext": {
                "requestId": format!("00000000-0000-4000-8000-{:012x}", self.at.ms() & 0xffff_ffff_ffff),
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:simulated",
                "condition": match self.condition {
                    Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
                    Condition::RecordAgeExceeded => "RecordAgeExceeded",
                },
                "approximateInvokeCount": self.approximate_invoke_count,
            },
            "version": "1.0",
            "timestamp": self.at.to_string(),
            "KinesisBatchInfo": {
                "shardId": self.batch.shard.to_string(),
                "startSequenceNumber": sequence_number(records.first()),
                "endSequenceNumber": sequence_number(records.last()),
                "approximateArrivalOfFirstRecord": arrival(records.first()),
                "approximateArrivalOfLastRecord": arrival(records.last()),
                "batchSize": records.len(),
                "streamArn": Batch::stream_arn(),
            },
        });
        if self.approximate_invoke_count > 0 {
            message["responseContext"] = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
            if self.is_function_error {
                message["responseContext"]["functionError"] = "Unhandled".into();
            }
        }
        message
    }
}
