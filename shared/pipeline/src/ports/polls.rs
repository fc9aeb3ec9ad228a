use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::{Reject, Time};
use stoop_sources::Request;

use super::PortError;
use crate::ports::RawPages;
use crate::search::budget::Account;

/// The stream between poller and metrics.
///
/// Contract: an accepted record is delivered at least once, those of one key in the order in which they were put.
#[async_trait]
pub trait Stream: Send + Sync {
    /// Puts records (partition key, bytes) on the stream. Returns the indexes of those that were refused and may be put
    /// again; empty if all were accepted.
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError>;

    /// The most bytes of one record.
    fn record_bytes_max(&self) -> usize;
}

/// The stream, as its only reader sees it.
///
/// Contract: a record that was put stays until it is removed. Positions grow, and are never used again.
#[async_trait]
pub trait StreamReader: Send + Sync {
    /// The first `limit` records with their positions, in the order in which they were put.
    async fn records(&self, limit: usize) -> Result<Vec<(i64, Vec<u8>)>, PortError>;

    /// Removes all records up to this position, which have been processed.
    async fn remove(&self, position: i64) -> Result<(), PortError>;

    /// The latest [`StreamReader::keep_newest_sighting`]; `None` if there was none.
    async fn newest_sighting(&self) -> Result<Option<Time>, PortError>;

    /// Records the time of the newest sighting that was processed.
    async fn keep_newest_sighting(&self, seen: Time) -> Result<(), PortError>;
}

/// Fetches for the poller. Contract: sends the request once; no retries, no redirect to another host, at most
/// [`HttpAnswer::BODY_MAX`] bytes, decompressed.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends a request.
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError>;
}

/// An HTTP response of any status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// No response in time, or the connection failed or broke: retrying may help.
    #[error("{0}")]
    Transient(String),
    /// The body is larger than [`HttpAnswer::BODY_MAX`].
    #[error("the answer has more than {} MiB", HttpAnswer::BODY_MAX >> 20)]
    TooLarge,
    /// The URL is invalid, or may not be fetched.
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

/// Raw pages, verbatim, so that a parser's mistake can be corrected by reading them again.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Stores the page `number` (from 0) of a run, compressed. Storing it again keeps the later one.
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError>;

    /// The folder of a run's pages in the data folder or bucket. A page is `NUMBER.zst` in it, compressed by zstd.
    ///
    /// # Errors
    /// If there can be no such folder. Then no page of the run can be stored either.
    fn folder_of(&self, run: &str) -> Result<String, PortError>;
}

/// Rejects, kept for inspection and reprocessing.
#[async_trait]
pub trait Quarantine: Send + Sync {
    /// Stores rejects, each once (by [`Reject::identity`]). Returns how many were new.
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError>;
}

/// One run of a search, replay or recomputation, for `stoop runs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's ID.
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
    /// Why it did not end well, if so.
    pub message: Option<String>,
    /// Counts by name: pages, rows, new, changed, gone, rejects, bytes, requests.
    pub counts: BTreeMap<String, u64>,
    /// The raw pages that a poll read. `None` if it read none, and of programs that did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_pages: Option<RawPages>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Not ended yet.
    Running,
    /// It saw everything.
    Complete,
    /// The source did not show everything, or the run was stopped.
    Partial,
    /// It failed.
    Failed,
    /// It asked for nothing: the source's circuit breaker is open.
    Skipped,
    /// Its process ended before it did. What it stored stays.
    Killed,
}

impl RunOutcome {
    /// Its name in JSON and for people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Killed => "killed",
        }
    }
}

/// The requests of each account, shared by all who poll it: one record per account, named by
/// [`stoop_sources::Source::account`].
///
/// Contract: [`Budgets::save`] is conditional on the version that was loaded, and atomic; [`Budgets::load`] sees
/// everything saved before, by anybody. So two pollers count every request and exceed no limit.
#[async_trait]
pub trait Budgets: Send + Sync {
    /// The record of an account and its version; a new one with version 0 if there is none.
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError>;

    /// Stores the record of an account if `version` is still the stored one; `false` if not. The stored version is one
    /// higher.
    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError>;
}

/// The ledger of runs. Contract: recording a run with the same ID replaces it.
#[async_trait]
pub trait RunLedger: Send + Sync {
    /// Records the beginning, progress or end of a run.
    async fn record(&self, run: &RunRecord) -> Result<(), PortError>;
}
