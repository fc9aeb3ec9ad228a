//! Refusals of AWS services: a loopback server answers as the service would, and the tests check the requests. Local
//! emulators refuse almost nothing, so these answers follow the API references.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bucket;
mod kinds;
mod ledger;
mod limits;
mod messages;
mod secrets;
mod service;
mod stream_and_lake;
