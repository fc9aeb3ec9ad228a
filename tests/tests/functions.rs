//! The handlers of the functions, event in and response out, on ports that work and ports that fail.
//!
//! What is decided for every kind of bad input and for each failing dependency is written down here, one test for
//! each. What a whole stream of mishaps leaves behind is `mapping.rs`'s to prove.

#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

#[path = "functions/alerts.rs"]
mod alerts;
#[path = "functions/aws.rs"]
mod aws;
#[path = "functions/bench.rs"]
mod bench;
#[path = "functions/events.rs"]
mod events;
#[path = "functions/metrics.rs"]
mod metrics;
#[path = "functions/planner.rs"]
mod planner;
#[path = "functions/poison.rs"]
mod poison;
#[path = "functions/poller.rs"]
mod poller;
#[path = "functions/redelivery.rs"]
mod redelivery;
