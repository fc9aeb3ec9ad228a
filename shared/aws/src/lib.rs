//! The ports on AWS: translation and the services' limits, no decisions.
//!
//! | port | here | on |
//! | --- | --- | --- |
//! | `Stream` | [`KinesisStream`] | Kinesis Data Streams, KPL-aggregated |
//! | `TaskQueue` | [`PollQueue`] | SQS FIFO |
//! | `SearchIndex`, `Pages`, `Quarantine` | [`S3Index`], [`S3Pages`], [`S3Quarantine`] | the data bucket |
//! | `Files` | [`S3Files`] | the data bucket, below `files/` |
//! | `Store`, `Views`, `Browse` | [`DynamoStore`], [`DynamoViews`], [`DynamoBrowse`] | DynamoDB |
//! | `Ledger`, `RunLedger`, `PlanLedger`, `Budgets` | [`DynamoLedger`], [`DynamoRuns`], [`DynamoBudgets`] | DynamoDB |
//! | `SearchControls` | [`DynamoControls`] | DynamoDB |
//! | `Publisher` | [`TopicPublisher`] | SNS |
//! | `Configuration` | [`S3Configuration`] | the data bucket |
//! | [`Lake`] | [`LakeDelivery`] | Data Firehose, and the data bucket |
//!
//! [`S3Lake`] and [`DynamoTables`] read the whole stored content of a stack.
//!
//! [`Clients`] makes the SDK's clients for all of them, and [`Secrets`] reads secrets.
//!
//! All ports treat refusals alike. What may be accepted later is returned by its index in the request (or retried here
//! if the port has no such result). What can never be accepted is an error that names the thing, the limit and the
//! service's message. The SDK makes three attempts at a call, so a refusal that arrives here has lasted.
//!
//! Not here: the set of tables, buckets and queues (see the template), and decisions.

mod chance;
mod clients;
mod concurrently;
mod configuration;
mod dynamo;
mod error;
mod failure;
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
    DynamoBrowse, DynamoBudgets, DynamoControls, DynamoLedger, DynamoRuns, DynamoStore, DynamoTables, DynamoViews,
    StackAreas, TableItem, TableMarket,
};
pub use firehose::LakeDelivery;
pub use kinesis::KinesisStream;
pub use lake::{Lake, NoLake};
pub use s3::{LakeEntry, S3Files, S3Index, S3Lake, S3Pages, S3Quarantine};
pub use secrets::{Secret, Secrets};
pub use sns::TopicPublisher;
pub use sqs::PollQueue;
