//! `stoop`, run as a person would run it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod acceptance;
mod bad_input;
mod bounds;
mod causes;
mod crash;
mod files;
mod judge;
mod kinds;
mod live;
mod read_only;
mod replay;
mod sources;
mod stop;
mod support;
mod webhook;
mod zillow;
