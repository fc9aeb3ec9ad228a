//! Reads files of every format as rows.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archives;
mod bounds;
mod common;
mod declared_real;
mod formats;
mod guide;
mod parquet;
mod reference;
mod rows;
mod stray;
