//! The tables in a folder: rows that come in any order, processes that die, writers at the same time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bucket;
mod columns;
mod derived;
mod documents;
mod exact;
mod hook;
mod hostile;
mod killed;
mod lost;
mod maintained;
mod once;
mod recorded;
mod skipped;
mod support;
mod writers;
