//! Tests that need AWS on this machine: the ports on it, and the functions' handlers.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod api_dynamo;
mod areas;
mod conformance_aws;
mod conformance_dynamo;
mod deploy;
mod dynamo;
mod functions;
mod kpl;
mod local;
mod services;
mod state;
// The town of the API's tests without AWS.
#[path = "../it/small_town/mod.rs"]
mod small_town;
