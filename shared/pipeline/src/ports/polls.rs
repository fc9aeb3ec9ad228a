use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::{Reject, Time};
use stoop_sources::Request;

use super::PortError;
use crate::budget::Account;

/// The stream between poller and metrics.
///
/// Contract: a record that was accepted is delivered at least once, those of one key in the order in
/// which they were put.
#[async_trait]
pub trait Stream: Send + Sync {
    /// Puts records (partition key, bytes) on the stream. The answer holds the places of those that
    /// were refused and may be put again; an empty one means that all were accepted.
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError>;

    /// The most bytes that one record may have.
    fn record_bytes_max(&self) -> usize;
}

/// Where the poller fetches from. Contract: does what the request says once; no retries of its own, no
/// redirect to another host, at most [`HttpAnswer::BODY_MAX`] bytes, decompressed.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request.
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError>;
}

/// An HTTP answer of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No answer in time, or the connection failed or broke: trying again may help.
    #[error("{0}")]
    Transient(String),
    /// The body is larger than [`HttpAnswer::BODY_MAX`].
    #[error("the answer has more than {} MiB", HttpAnswer::BODY_MAX >> 20)]
    TooLarge,
    /// The address is none, or may not be fetched.
    #[error("{0}")]
    Refused(String),
}

impl HttpAnswer {
    /// The largest body that is read: 32 MiB.
    pub const BODY_MAX: usize = 32 << 20;

    /// The value of a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Raw pages, verbatim, so that a parser's mistake can be repaired by reading them again.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Stores the page `number` (from 0) of a run, compressed. Storing it twice keeps the later.
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError>;
}

/// What was refused, kept to be looked at and read again.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Keeps rejects. One that is kept already (same source, location, reason and raw) is kept once.
    /// Returns how many were new.
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError>;
}

/// One run of a search, replay or recomputation, for `stoop runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's id.
    pub id: String,
    /// `poll`, `replay`, ...
    pub kind: String,
    /// The search's name, or the files.
    pub subject: String,
    /// When it began.
    pub began_at: Time,
    /// When it ended; `None` while it runs, and if it was killed.
    pub ended_at: Option<Time>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why, where it did not end well.
    pub message: Option<String>,
    /// Counts by name: pages, rows, new, changed, gone, rejects, bytes, requests.
    pub counts: BTreeMap<String, u64>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Not yet.
    Running,
    /// It saw everything.
    Complete,
    /// The source would not show everything, or the run was stopped in time.
    Partial,
    /// It failed.
    Failed,
    /// It asked for nothing: its source is left alone for a while, because polls of it failed.
    Skipped,
    /// Its process ended before it. What it had stored is stored.
    Killed,
}

/// What was asked of each account of a source, shared by everyone who polls it: one record an account, named by
/// [`stoop_sources::Source::account`].
///
/// Contract: [`Budgets::save`] is conditional on the version that was loaded, and atomic; [`Budgets::load`] sees what
/// was saved before it was called, whoever did. So no request is counted by none of two pollers, nor a limit overspent.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// The record of an account and its version; a fresh one with version 0 where there is none.
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError>;

    /// Stores the record of an account if `version` is still that of the stored one; `false` if it is not. The
    /// stored version is one higher.
    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError>;
}

/// The ledger of runs. Contract: recording a run again by its id replaces it.
#[async_trait]
pub trait RunLedger: Send + Sync {
    /// Records the beginning, progress or end of a run.
    async fn record(&self, run: &RunRecord) -> Result<(), PortError>;
}
