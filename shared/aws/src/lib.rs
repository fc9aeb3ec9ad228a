//! The ports on AWS: translation and the providers' limits, no decisions.
//!
//! | port | here | on |
//! | --- | --- | --- |
//! | `Stream` | [`KinesisStream`] | Kinesis Data Streams, KPL-aggregated |
//! | `TaskQueue` | [`PollQueue`] | SQS FIFO |
//! | `SearchIndex`, `Pages`, `Quarantine` | [`S3Index`], [`S3Pages`], [`S3Quarantine`] | the data bucket |
//! | `Files` | [`S3Files`] | the data bucket, below `files/` |
//! | `Store`, `Views` | [`DynamoStore`], [`DynamoViews`] | DynamoDB |
//! | `Ledger`, `RunLedger`, `PlanLedger`, `Budgets` | [`DynamoLedger`], [`DynamoRuns`], [`DynamoBudgets`] | DynamoDB |
//! | `Publisher` | [`TopicPublisher`] | SNS |
//! | `Configuration` | [`S3Configuration`] | the data bucket |
//! | [`Lake`] | [`LakeDelivery`] | Data Firehose, and the data bucket |
//!
//! What a stack has stored is read as it is by [`S3Lake`] and [`DynamoTables`], for those who look at all of it.
//!
//! [`Clients`] makes the SDK's clients for all of them, [`Secrets`] reads secrets and [`Meter`] prints metrics.
//!
//! What a service refuses is told apart in one way everywhere: what may be taken later is named by its place in
//! what was asked (or tried again here where the port has no such answer), and what can never be taken is an
//! error that names the thing, the limit and the service's own words. The SDK makes three attempts at a call, so
//! what comes through has lasted.
//!
//! Not here: which tables, buckets and queues there are (the template's), and anything that decides.

mod chance;
mod clients;
mod concurrently;
mod configuration;
mod dynamo;
mod emf;
mod error;
mod firehose;
mod kinesis;
mod lake;
mod processor;
mod s3;
mod secrets;
mod sns;
mod sqs;

pub use clients::{Clients, MissingVariables, required};
pub use configuration::S3Configuration;
pub use dynamo::{
    DynamoBudgets, DynamoLedger, DynamoRuns, DynamoStore, DynamoTables, DynamoViews, StackAreas, TableItem, TableMarket,
};
pub use emf::{Meter, NAMESPACE};
pub use firehose::LakeDelivery;
pub use kinesis::KinesisStream;
pub use lake::{Lake, NoLake};
pub use s3::{LakeEntry, S3Files, S3Index, S3Lake, S3Pages, S3Quarantine};
pub use secrets::{Secret, Secrets};
pub use sns::TopicPublisher;
pub use sqs::PollQueue;
