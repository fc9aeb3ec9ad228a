//! What comes of refusals: a loopback server answers as the service would, and what is asked of it is looked at.
//! Local emulators refuse next to nothing, so these answers are written after the API references.
#![allow(clippy::unwrap_used, reason = "a test")]

mod bucket;
mod ledger;
mod limits;
mod messages;
mod secrets;
mod service;
mod stream_and_lake;
