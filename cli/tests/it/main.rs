//! `stoop`, run as a person would run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acceptance;
mod bad_input;
mod crash;
mod files;
mod judge;
mod kinds;
mod live;
mod replay;
mod sources;
mod support;
mod webhook;
mod zillow;
