//! What polling needs of the world.

use async_trait::async_trait;
use stoop_domain::Time;

use super::tokens::Tokens;
use crate::ports::{Budgets, Files, Http, Pages, Quarantine, RunLedger, SearchIndex, Stream};

/// How the poller names itself to every server.
pub const USER_AGENT: &str = concat!("stoop/", env!("CARGO_PKG_VERSION"), " (property market figures)");

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
    /// Waits.
    async fn sleep(&self, ms: u64);
    /// Milliseconds since some moment, by a clock that is never set and advances while the computer sleeps.
    fn steady_ms(&self) -> i64 {
        self.now().ms()
    }
    /// By how many milliseconds the clock was set ahead or back since this asker's last call, compared with a clock that is
    /// never set. 0 if unknown, as at a first call.
    fn jumped_ms(&self, asker: &str) -> i64 {
        let _ = asker;
        0
    }
}

/// What polling needs of the world.
#[derive(Clone, Copy)]
pub struct PollPorts<'a> {
    /// Where to fetch from.
    pub http: &'a dyn Http,
    /// Where files are read from.
    pub files: &'a dyn Files,
    /// Where observations go.
    pub stream: &'a dyn Stream,
    /// The index of each search.
    pub index: &'a dyn SearchIndex,
    /// Where raw pages go.
    pub pages: &'a dyn Pages,
    /// Where rejects go.
    pub quarantine: &'a dyn Quarantine,
    /// Where runs are recorded.
    pub runs: &'a dyn RunLedger,
    /// The budget of each account.
    pub budgets: &'a dyn Budgets,
    /// The tokens of this process.
    pub tokens: &'a Tokens,
    /// The time.
    pub clock: &'a dyn Clock,
    /// No request waits beyond this moment, because the run is ended then.
    pub deadline: Option<Time>,
    /// Whether the run should end after the current page.
    pub stop: &'a (dyn Fn() -> bool + Send + Sync),
}
