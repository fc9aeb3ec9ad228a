//! A search in, observations on the stream out.

mod account;
mod address;
mod believe;
mod breaker;
mod budget;
mod confirm;
mod drift;
mod feed;
mod fetch;
mod gone;
mod jumps;
mod origin;
mod peek;
mod progress;
mod quota;
mod robots;
mod rows;
mod scan;
mod take;
mod tokens;
mod watch;

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_sources::{Contradictions, Limit};

use crate::Pace;
use crate::loss::HeldBack;
use crate::ports::{Budgets, Files, Http, Pages, PortError, Quarantine, RunLedger, RunOutcome, SearchIndex, Stream};

/// How the poller names itself to every server.
pub const USER_AGENT: &str = concat!("stoop/", env!("CARGO_PKG_VERSION"), " (property market figures)");

/// One source with one set of parameters, on its own cadence.
pub struct Search {
    /// The search's name in configuration, ledger and index.
    pub name: String,
    /// Where its listings come from, and how to read them.
    pub source: Origin,
    /// What to do when the source does not say any more what it used to say.
    pub on_drift: OnDrift,
    /// After so long an incremental search asks for everything again, to find what is gone.
    pub full_scan_every_ms: i64,
    /// The greatest share of its rows, in percent, that may be refused. A poll or file with more is given up, and so is
    /// one of which nothing is understood, whatever this says.
    pub max_rejects: Option<f64>,
    /// Limits in place of the source's own ([`stoop_sources::CrawlPolicy::limits`]), where the plan of this account has others.
    pub limits: Option<Vec<Limit>>,
}

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
    /// Waits.
    async fn sleep(&self, ms: u64);
    /// By how many milliseconds the clock was set ahead, or back, since this was asked last: how much more time has passed
    /// by it than by one that nobody sets. 0 where it is not known.
    fn jumped_ms(&self) -> i64 {
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
    /// What each search has seen.
    pub index: &'a dyn SearchIndex,
    /// Where raw pages go.
    pub pages: &'a dyn Pages,
    /// Where rejects go.
    pub quarantine: &'a dyn Quarantine,
    /// Where runs are told of.
    pub runs: &'a dyn RunLedger,
    /// What each account of a source has left.
    pub budgets: &'a dyn Budgets,
    /// The tokens of this process.
    pub tokens: &'a Tokens,
    /// The time.
    pub clock: &'a dyn Clock,
    /// No request is waited for beyond this moment: the run will have been ended by then.
    pub deadline: Option<Time>,
    /// Set when the run should end after the page in hand.
    pub stop: &'a (dyn Fn() -> bool + Send + Sync),
}

/// What a poll did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Why, where it saw less than everything.
    pub message: Option<String>,
    /// HTTP requests made, retries among them.
    pub requests: u64,
    /// Of them, those that asked again for what was not had the first time.
    pub retries: u64,
    /// How long was waited for a turn or for the server, in milliseconds.
    pub waited_ms: u64,
    /// How much each limit of the account had left in the end.
    pub left: Vec<(Limit, u64)>,
    /// How many requests the server said were left in the tightest of its own windows, where it said so.
    pub left_by_server: Option<u64>,
    /// The account is not to be asked before this moment, which is why the poll ended.
    pub held_until: Option<Time>,
    /// Files read to their end.
    pub files: u64,
    /// Pages read.
    pub pages: u64,
    /// Bytes of those pages.
    pub bytes: u64,
    /// Rows on them, those included that are none of the search's.
    pub rows: u64,
    /// Of them, those that were understood as listings: new, changed, seen again as they were, or not taken.
    pub listings: u64,
    /// Of these, the first ones of listings that this search never saw before.
    pub new: u64,
    /// Of these, those that say something else of their listing than was known.
    pub changed: u64,
    /// Of the listings that are as they were known to be, those that were sent once more all the same, because they had not been
    /// for days.
    pub confirmed: u64,
    /// Of the listings, those that were not looked at any further, because too many rows beside them were refused.
    pub not_taken: u64,
    /// Rows that were refused. The first of them are in quarantine.
    pub rejects: u64,
    /// Listings that are not shown any more, and are said to be gone.
    pub gone: u64,
    /// What is missing and not said to be gone, because it is too much to be believed yet.
    pub held_back: Option<HeldBack>,
    /// What a person said of what was held back, in words, where something was made of it.
    pub rulings: Vec<String>,
    /// Observations put on the stream: more than changed, where files tell of the past out of order.
    pub sent: u64,
    /// Fields of which the source tells less than it ever did, in words.
    pub drifts: Vec<String>,
    /// What was counted of contradictions in the listings that were sent.
    pub contradictions: Contradictions,
    /// Fields that came to be distrusted, or to be trusted again, in words.
    pub verdicts: Vec<String>,
    /// How many fields are distrusted by now.
    pub fields_distrusted: u64,
    /// Jumps of the clock of more than a minute, in words.
    pub clock_jumps: Vec<String>,
    /// What is known by now of how often the search changes; `None` where the poll learnt nothing.
    pub pace: Option<Pace>,
}

/// Why a poll failed. What was put on the stream before stays there; the next poll sends again what
/// was not put.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The source would not answer, or not as it should.
    #[error("{0}")]
    Source(String),
    /// The source does not accept the key or token; a newer one may help.
    #[error("{0}")]
    Denied(String),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Records were refused by the stream to the end.
    #[error("the stream refused {0} records, again and again")]
    Refused(usize),
    /// The source does not say any more what it used to say, and the search is to stop at that.
    #[error("frozen, because the source drifts: {0}; accept it with drift = \"evolve\"")]
    Drifted(String),
    /// Another poller has the same search in hand.
    #[error("another poller has polled {0:?} in the meantime")]
    Raced(String),
}

impl Search {
    /// A search that asks for everything once a day, with the source's own limits.
    pub fn new(name: impl Into<String>, source: impl Into<Origin>) -> Self {
        let full_scan_every_ms = Time::DAY_MS;
        Self {
            name: name.into(),
            source: source.into(),
            on_drift: OnDrift::default(),
            full_scan_every_ms,
            max_rejects: None,
            limits: None,
        }
    }

    /// The limits of its account: its own, or else those of its source.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        self.limits.clone().unwrap_or_else(|| self.source.crawl_policy().limits)
    }
}

pub use account::release;
pub use budget::{Account, AccountError};
pub use drift::{OnDrift, Profiles};
pub use origin::{FileSet, Origin};
pub use peek::{Peeked, peek};
pub use scan::{LEFT_BY_SERVER, LEFT_OF, poll};
pub use tokens::Tokens;
