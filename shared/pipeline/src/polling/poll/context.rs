//! What polling needs of the world.

use stoop_domain::Time;

use super::tokens::Tokens;
use crate::ports::{Budgets, Clock, Files, Http, Pages, Quarantine, RunLedger, SearchIndex, Stream};

/// How the poller names itself to every server.
pub const USER_AGENT: &str = concat!("stoop/", env!("CARGO_PKG_VERSION"), " (property market figures)");

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
