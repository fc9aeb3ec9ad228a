//! Simulates Lambda's event source mapping for streams (Kinesis Data Streams and DynamoDB Streams) on simulated time:
//! batches, failures and shards as AWS documents them, without AWS.
//!
//! A [`Stream`] accepts records and can be split and merged. A [`Mapping`] reads it and calls a function, batch by
//! batch, until nothing is left. Concurrent invocations run concurrently here: their futures are polled in an order
//! drawn from the seed, and a killed one is dropped in the middle. Equal seeds give equal runs, as long as the function
//! has no other randomness and waits only for [`pause`].
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_tests::mapping::{Mapping, MappingConfig, Outcome, Stream};
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let mut stream = Stream::new(2);
//! for n in 0..100 {
//!     stream.put(Time::from_ms(0), &format!("home-{}", n % 7), format!("{n}"));
//! }
//! let config = MappingConfig { batch_size: 10, report_batch_item_failures: true, ..MappingConfig::default() };
//! let mut mapping = Mapping::new(config, 42);
//! mapping.run(&stream, async |batch| Outcome::fails_from(&batch.records[0])).await;
//! # });
//! ```
//!
//! # Behaviour that AWS documents
//!
//! | rule | page of the AWS Lambda Developer Guide, unless another is named |
//! | --- | --- |
//! | a record is put in the shard whose range contains the MD5 of its partition key | "Amazon Kinesis Data Streams Terminology and concepts" (Kinesis guide) |
//! | a batch has records of one shard, in order, at most the batch size and at most 6 MB | "Using Lambda to process records from Amazon Kinesis Data Streams" |
//! | up to ten concurrent batches of a shard; records of one partition key stay in order | the same; "New AWS Lambda scaling controls for Kinesis and DynamoDB event sources" (AWS Compute Blog) |
//! | a failed batch blocks the records after it | "Using Lambda to process records from Amazon Kinesis Data Streams" |
//! | which responses are success, partial success and failure; the lowest sequence number counts | "Configuring partial batch response with Kinesis Data Streams and Lambda"; the same for DynamoDB |
//! | without `ReportBatchItemFailures` a response is ignored | the same |
//! | a failed batch is halved; a partial success is bisected at the returned sequence number | the same |
//! | splitting does not count as a retry | "Using AWS Lambda with Amazon Kinesis", Error handling (edition of 2022) |
//! | retries, record age; discarded records go to the destination, with their payload on S3 only | "Retain discarded batch records for a Kinesis Data Streams event source in Lambda" |
//! | throttled before the function was reached: no retry is counted, but age and expiry apply | the same |
//! | a child shard is read after its parents are processed | "Complete the resharding action" (Kinesis guide) |
//! | at least once: processed records may come again | "Configuring partial batch response with Kinesis Data Streams and Lambda" |
//!
//! # Behaviour that AWS does not specify
//!
//! * An unknown `itemIdentifier`, and a response that is not JSON or has another shape, fail the whole batch. The page
//!   on SQS documents this for SQS; the pages on streams do not.
//! * A partial success that names the first record, with bisect on: see [`Stuck`].
//! * The rest of a partial success is not filled up from the stream. Sending it is not a retry, even with bisect off:
//!   tests on AWS saw only identical batches counted. The number of retries of its batch is kept, also by the parts of
//!   a bisected batch.
//! * Keys of a shard share a lane, if several batches run concurrently, when their MD5s are equal modulo the factor.
//! * The delay before a retry starts at one second and doubles each time, up to a minute.
//! * With [`MappingConfig::short_batches`] a poll finds any number of records up to the batch size.
//!
//! Not simulated: tumbling windows, batching windows, filters, provisioned pollers, and that Lambda may write a single
//! destination record for several neighbouring batches that were discarded after a bisect.

mod batch;
mod destination;
mod invoke;
mod reader;
mod response;
mod run;
mod stream;
#[cfg(test)]
mod tests;

use stoop_domain::Time;

pub use batch::Batch;
pub use destination::{Condition, Discarded};
pub use invoke::pause;
pub use response::Outcome;
pub use run::Mapping;
pub use stream::{Record, ShardId, Stream};

/// The settings of an event source mapping, named as in AWS, and simulated failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingConfig {
    /// `BatchSize`, 1 to 10,000.
    pub batch_size: usize,
    /// `ParallelizationFactor`, 1 to 10.
    pub parallelization_factor: usize,
    /// Whether `FunctionResponseTypes` has `ReportBatchItemFailures`.
    pub report_batch_item_failures: bool,
    /// `BisectBatchOnFunctionError`.
    pub bisect_batch_on_function_error: bool,
    /// `MaximumRetryAttempts`; `None` for -1 (no limit).
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds` in milliseconds; `None` for -1 (no limit).
    pub maximum_record_age_ms: Option<i64>,
    /// How long the stream keeps a record. A record that is not processed by then is lost without a trace at the
    /// destination.
    pub retention_ms: i64,
    /// The duration of an invocation. Durations add up, also those of concurrent invocations.
    pub invocation_ms: i64,
    /// The duration of a killed invocation.
    pub timeout_ms: i64,
    /// What happens to a batch whose first record is reported as failed, with bisect on.
    pub stuck: Stuck,
    /// Whether polls find any number of records up to the batch size, instead of all.
    pub short_batches: bool,
    /// Failures between Lambda and the function.
    pub mishaps: Mishaps,
}

/// What happens to a batch whose first record is reported as failed, with bisect on. A split at that record leaves one
/// side empty, and AWS does not document the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The batch is halved, as after an error, so a poison record ends up alone. Observed on AWS.
    Halved,
    /// The batch is retried unchanged, and that counts: with too few retries, good records are discarded together with
    /// a poison one.
    Retried,
    /// The seed draws one of the two each time.
    Either,
}

/// Failures between Lambda and the function, as rates per thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// The function is killed in the middle, at one of its first 24 pauses, as by a timeout or lack of memory.
    pub killed_permille: u64,
    /// The function finishes, but is killed before its response is received.
    pub response_lost_permille: u64,
    /// The batch is processed, but its checkpoint is lost: it comes again.
    pub again_permille: u64,
    /// The function is throttled and not reached.
    pub throttled_permille: u64,
}

/// The work of a mapping so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Invocations that reached the function.
    pub invocations: u64,
    /// Invocations with complete success.
    pub succeeded: u64,
    /// Invocations with partial success.
    pub partial: u64,
    /// Invocations with complete failure, including killed ones.
    pub failed: u64,
    /// Killed invocations.
    pub killed: u64,
    /// Attempts that did not reach the function.
    pub throttled: u64,
    /// Batches that were sent again unchanged, counted as a retry.
    pub retries: u64,
    /// Batches that were split, or cut at their checkpoint with bisect on.
    pub bisects: u64,
    /// Batches that came again although they were processed.
    pub again: u64,
    /// Records that are processed and will not come again.
    pub records_processed: u64,
    /// Records sent to the destination.
    pub records_discarded: u64,
    /// Records that expired before they were read.
    pub records_expired: u64,
    /// The maximum number of concurrent invocations.
    pub concurrency_max: u64,
}

impl Default for MappingConfig {
    /// The defaults of AWS, without failures.
    fn default() -> Self {
        Self {
            batch_size: 100,
            parallelization_factor: 1,
            report_batch_item_failures: false,
            bisect_batch_on_function_error: false,
            maximum_retry_attempts: None,
            maximum_record_age_ms: None,
            retention_ms: Time::DAY_MS,
            invocation_ms: 100,
            timeout_ms: 60_000,
            stuck: Stuck::Halved,
            short_batches: false,
            mishaps: Mishaps::default(),
        }
    }
}
