//! The functions' handlers, from event to response, on working and failing ports.
//!
//! There is one test for every kind of bad input and for each failing dependency. `mapping.rs` tests whole streams of
//! faults.

mod alerts;
mod aws;
mod bench;
mod book;
mod events;
mod metrics;
mod planner;
mod poison;
mod poller;
mod redelivery;
mod rollup;
