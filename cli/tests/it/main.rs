//! `stoop`, run as a person would run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acceptance;
mod bad_input;
mod crash;
mod files;
mod kinds;
mod live;
mod readme;
mod replay;
mod sources;
mod support;
mod zillow;
