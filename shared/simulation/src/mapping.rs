//! Lambda's event source mapping for streams (Kinesis Data Streams and DynamoDB Streams), on simulated
//! time: what AWS documents of batches, failures and shards, without AWS.
//!
//! A [`Stream`] takes records and is split and merged; a [`Mapping`] reads it and calls a function, batch
//! by batch, until nothing is left. Invocations that Lambda would run at once do run at once here: their
//! futures are polled in an order that the seed draws, and one that is to be killed is dropped in the
//! middle. Equal seeds give equal runs, as long as the function has no other randomness and waits for
//! nothing but a [`pause`].
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_simulation::mapping::{Mapping, MappingConfig, Outcome, Stream};
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
//! # What is done as AWS documents it
//!
//! | rule | page of the AWS Lambda Developer Guide, where no other is named |
//! | --- | --- |
//! | a record is put in the shard whose range holds the MD5 of its partition key | "Amazon Kinesis Data Streams Terminology and concepts" (Kinesis guide) |
//! | a batch is of one shard and in order, has at most the batch size and at most 6 MB | "Using Lambda to process records from Amazon Kinesis Data Streams" |
//! | up to ten batches of a shard at once; records of one partition key stay in order | the same; "New AWS Lambda scaling controls for Kinesis and DynamoDB event sources" (AWS Compute Blog) |
//! | the records of a failed batch hold up those behind them | "Using Lambda to process records from Amazon Kinesis Data Streams" |
//! | which responses are success, partial success and failure; the lowest sequence number counts | "Configuring partial batch response with Kinesis Data Streams and Lambda"; the same for DynamoDB |
//! | without `ReportBatchItemFailures` a response is not looked at | the same |
//! | a failed batch is halved; a partial success is bisected at the returned sequence number | the same |
//! | splitting does not count as a retry | "Using AWS Lambda with Amazon Kinesis", Error handling (edition of 2022) |
//! | retries, record age; discarded records go to the destination, with their payload on S3 only | "Retain discarded batch records for a Kinesis Data Streams event source in Lambda" |
//! | throttled before the function was reached: no retry is counted, age and expiry are | the same |
//! | a child shard is read when its parents are done | "Complete the resharding action" (Kinesis guide) |
//! | at least once: what was processed may come again | "Configuring partial batch response with Kinesis Data Streams and Lambda" |
//!
//! # What AWS leaves open, and what is done here
//!
//! * An unknown `itemIdentifier`, and a response that is no JSON or has another shape: the whole batch has
//!   failed. The page on SQS says so of SQS; the pages on streams are silent.
//! * A partial success that names the first record, with bisect on: see [`Stuck`].
//! * What is left of a partial success is not filled up from the stream. That it is sent is no retry, also
//!   with bisect off: those who tried it on AWS saw only the very same batch counted. How many retries its
//!   batch had before is remembered, by the parts of a bisected batch too.
//! * Which keys of a shard share a lane when several batches run at once: those whose MD5 is equal
//!   modulo the factor.
//! * How long Lambda waits before a retry: from one second on, twice as long each time, at most a minute.
//! * With [`MappingConfig::short_batches`] a poll finds any number of records up to the batch size.
//!
//! What is not here: tumbling windows, batching windows, filters, provisioned pollers, and that Lambda may
//! write one destination record for several neighbouring batches that were discarded after a bisect.

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

/// The settings of an event source mapping, by AWS's names, and the mishaps it meets.
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
    /// `MaximumRetryAttempts`; `None` for -1, without end.
    pub maximum_retry_attempts: Option<u32>,
    /// `MaximumRecordAgeInSeconds` in milliseconds; `None` for -1, without end.
    pub maximum_record_age_ms: Option<i64>,
    /// How long the stream keeps a record. What is not processed by then is lost without a trace at
    /// the destination.
    pub retention_ms: i64,
    /// What an invocation takes. Invocations are counted one after another, also those that run at once.
    pub invocation_ms: i64,
    /// What an invocation takes that is killed.
    pub timeout_ms: i64,
    /// What becomes of a batch whose first record is reported as failed, with bisect on.
    pub stuck: Stuck,
    /// Whether polls find any number of records up to the batch size, rather than all there are.
    pub short_batches: bool,
    /// What goes wrong between Lambda and the function.
    pub mishaps: Mishaps,
}

/// What becomes of a batch whose first record is reported as failed, with bisect on. A split at that
/// record leaves nothing on one side, and AWS does not say what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The batch is halved, as on an error: a poison record ends up alone. So it was seen on AWS.
    Halved,
    /// The batch is retried as it is, and that counts: with too few retries, sound records are discarded
    /// together with a poison one.
    Retried,
    /// The seed draws one of the two each time.
    Either,
}

/// What goes wrong between Lambda and the function, each in so many of a thousand cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishaps {
    /// The function is killed in the middle, at one of its first 24 pauses, as by a timeout or when it is out of memory.
    pub killed_permille: u32,
    /// The function is done, but killed before its response is taken.
    pub response_lost_permille: u32,
    /// The batch is processed, but its checkpoint is lost: it comes again.
    pub again_permille: u32,
    /// The function is throttled: it is not reached.
    pub throttled_permille: u32,
}

/// What a mapping has done until now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Invocations that reached the function.
    pub invocations: u64,
    /// Of them, those that ended as a complete success.
    pub succeeded: u64,
    /// Of them, partial successes.
    pub partial: u64,
    /// Of them, complete failures, killed ones included.
    pub failed: u64,
    /// Of them, those that were killed.
    pub killed: u64,
    /// Attempts to invoke that did not reach the function.
    pub throttled: u64,
    /// Batches that were sent again as they were, and that counted as a retry.
    pub retries: u64,
    /// Batches that were split, or cut at their checkpoint with bisect on.
    pub bisects: u64,
    /// Batches that came again though they were processed.
    pub again: u64,
    /// Records that are done: processed, and not to come again.
    pub records_processed: u64,
    /// Records sent to the destination.
    pub records_discarded: u64,
    /// Records that the stream no longer had when their turn came.
    pub records_expired: u64,
    /// The most invocations that ever ran at once.
    pub concurrency_max: u64,
}

impl Default for MappingConfig {
    /// What AWS takes where a template says nothing, without mishaps.
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
