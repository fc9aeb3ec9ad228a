//! The handlers of the functions, event in and response out, on ports that work and ports that fail.
//!
//! What is decided for every kind of bad input and for each failing dependency is written down here, one test for
//! each. What a whole stream of mishaps leaves behind is `mapping.rs`'s to prove.

mod alerts;
mod aws;
mod bench;
mod events;
mod metrics;
mod planner;
mod poison;
mod poller;
mod redelivery;
mod rollup;
