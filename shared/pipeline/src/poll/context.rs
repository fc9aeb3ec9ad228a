//! The external dependencies of a poll.

use async_trait::async_trait;
use stoop_domain::Time;

use super::tokens::Tokens;
use crate::ports::{Budgets, Files, Http, Pages, Quarantine, RunLedger, SearchIndex, Stream};

/// The User-Agent for all servers.
pub const USER_AGENT: &str = concat!("stoop/", env!("CARGO_PKG_VERSION"), " (property market figures)");

/// The current time, and waiting.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Time;
    /// Waits for `ms` milliseconds.
    async fn sleep(&self, ms: u64);
    /// Milliseconds by which the clock was set forward (or back, if negative) since the last call: wall clock time
    /// minus monotonic time. 0 if unknown.
    fn jumped_ms(&self) -> i64 {
        0
    }
}

/// The ports that a poll uses.
#[derive(Clone, Copy)]
pub struct PollPorts<'a> {
    /// HTTP client.
    pub http: &'a dyn Http,
    /// Files to read.
    pub files: &'a dyn Files,
    /// Stream for observations.
    pub stream: &'a dyn Stream,
    /// Index of each search.
    pub index: &'a dyn SearchIndex,
    /// Store for raw pages.
    pub pages: &'a dyn Pages,
    /// Store for rejects.
    pub quarantine: &'a dyn Quarantine,
    /// Ledger of runs.
    pub runs: &'a dyn RunLedger,
    /// Budgets of accounts.
    pub budgets: &'a dyn Budgets,
    /// Tokens of this process.
    pub tokens: &'a Tokens,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// No request is waited for beyond this time: the run would be killed by then.
    pub deadline: Option<Time>,
    /// Returns true if the run should end after the current page.
    pub stop: &'a (dyn Fn() -> bool + Send + Sync),
}
