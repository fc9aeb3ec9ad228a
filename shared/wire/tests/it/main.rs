//! Properties of the byte formats.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod kpl;
mod round_trips;
