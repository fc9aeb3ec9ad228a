//! What holds of the stream's bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod kpl;
mod round_trips;
