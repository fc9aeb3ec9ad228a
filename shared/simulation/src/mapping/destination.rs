use serde_json::{Value, json};
use stoop_domain::Time;

use super::Batch;

/// Records that Lambda gave up, as an on-failure destination receives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// Why.
    pub condition: Condition,
    /// The records, which AWS sends to an S3 destination only.
    pub batch: Batch,
    /// How often the function was invoked with the batch, as far as it is known: a part of a bisected
    /// batch counts from its own beginning. 0 for records that were too old from the start.
    pub approximate_invoke_count: u32,
    /// Whether the last of those invocations ended in an error, not in a report of failed items.
    pub is_function_error: bool,
    /// When.
    pub at: Time,
}

/// Why records were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `MaximumRetryAttempts` is used up.
    RetryAttemptsExhausted,
    /// Older than `MaximumRecordAgeInSeconds`.
    RecordAgeExceeded,
}

impl Discarded {
    /// The document that an S3 destination keeps: what queues and topics get, and the `payload`, which is
    /// the event as a string of JSON.
    #[must_use]
    pub fn s3_document(&self) -> Value {
        let mut document = self.message();
        document["payload"] = self.batch.kinesis_event().to_string().into();
        document
    }

    /// The document that an SQS or SNS destination gets: where the records are, not what they say.
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
