//! Properties of the ports on SQLite and folders.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod backup;
mod crash;
mod followers;
mod from_lake;
mod handles;
mod import;
mod merging;
mod meters;
mod open;
mod processes;
mod prune;
mod queues_and_files;
mod rebuild;
mod reference;
mod rollups;
mod support;
mod tails;
mod verify;
