use std::collections::BTreeMap;

use stoop_domain::Time;
use stoop_sources::{Contradictions, Limit};

use crate::error_code::ErrorCode;
use crate::ports::{RawPages, RunOutcome};
use crate::search::last_poll::PollEnd;
use crate::search::loss::HeldBack;
use crate::search::pace::{Pace, PollCost};

/// The beginning of the names of counts of what a limit has left. The limit follows in words.
pub const LEFT_OF: &str = "left of ";

/// The count of the requests that the server says are left in its own tightest window.
pub const LEFT_BY_SERVER: &str = "left by the server";

/// The ledger has what a limit has left if its window is at least this long.
const BUDGET_MS: u64 = 60_000;

/// What a poll did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Why, if it did not see everything.
    pub message: Option<String>,
    /// HTTP requests, including retries.
    pub requests: u64,
    /// The retries among them.
    pub retries: u64,
    /// How long it waited for its turn or for the server, in milliseconds.
    pub waited_ms: u64,
    /// What each limit of the account has left at the end.
    pub left: Vec<(Limit, u64)>,
    /// How many requests the server reports as left in its tightest window.
    pub left_by_server: Option<u64>,
    /// The poll ended because no poll may ask the account before this time.
    pub held_until: Option<Time>,
    /// Files read to their end.
    pub files: u64,
    /// Pages read.
    pub pages: u64,
    /// The raw pages among them.
    pub raw_pages: Option<RawPages>,
    /// Bytes of those pages.
    pub bytes: u64,
    /// Rows on them, including those that are not listings of the search.
    pub rows: u64,
    /// Rows that were read as listings: new, changed, seen again unchanged, or not taken.
    pub listings: u64,
    /// Listings that this search sees for the first time.
    pub new: u64,
    /// Listings that differ from what was known.
    pub changed: u64,
    /// Unchanged listings that were sent again as a confirmation.
    pub confirmed: u64,
    /// Listings that were not compared with the index, because too many rows of the poll or file were refused.
    pub not_taken: u64,
    /// Rows that were refused. The first of them are in quarantine.
    pub rejects: u64,
    /// Values of accepted rows that were refused: their homes are without them. The first of them are in quarantine.
    pub values_refused: u64,
    /// Listings that were reported gone.
    pub gone: u64,
    /// The loss that is held back.
    pub held_back: Option<HeldBack>,
    /// The rulings on what is held back that were applied, in words.
    pub rulings: Vec<String>,
    /// Observations that were put on the stream. More than changed, if files have the past out of order.
    pub sent: u64,
    /// The fields that drifted, in words.
    pub drifts: Vec<String>,
    /// The contradictions in the listings that were sent.
    pub contradictions: Contradictions,
    /// Fields that became distrusted, or trusted again, in words.
    pub verdicts: Vec<String>,
    /// How many fields are now distrusted.
    pub fields_distrusted: u64,
    /// Prices that are held back because many moved alike.
    pub prices_held: u64,
    /// The common moves that are held back for the first time, and those that are over, in words.
    pub held_moves: Vec<String>,
    /// Jumps of the clock of more than a minute, in words.
    pub clock_jumps: Vec<String>,
    /// How often the search changes; `None` if the poll learnt nothing.
    pub pace: Option<Pace>,
}

impl Polled {
    /// Listings that were seen unchanged.
    #[must_use]
    pub fn seen_again(&self) -> u64 {
        self.listings.saturating_sub(self.new + self.changed + self.not_taken)
    }

    /// Rows that are not listings of the search.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.rows.saturating_sub(self.listings + self.rejects)
    }

    /// The codes of what operators should know of it, in the order of [`ErrorCode::ALL`].
    #[must_use]
    pub fn codes(&self) -> Vec<ErrorCode> {
        let has = |code: &ErrorCode| match code {
            ErrorCode::SourceFailed => self.outcome == Some(RunOutcome::Failed),
            ErrorCode::FieldsDrifted => !self.drifts.is_empty(),
            ErrorCode::FieldsDistrusted => !self.verdicts.is_empty(),
            ErrorCode::LossesHeld => self.held_back.is_some(),
            ErrorCode::MovesHeld => !self.held_moves.is_empty(),
            ErrorCode::ClockJumped => !self.clock_jumps.is_empty(),
            ErrorCode::Quarantined => self.rejects > 0,
            _ => false,
        };
        ErrorCode::ALL.into_iter().filter(has).collect()
    }

    /// How it ended, as it counts for the next polls.
    #[must_use]
    pub fn end(&self) -> PollEnd {
        let well = match self.outcome {
            Some(RunOutcome::Failed) => Some(false),
            Some(RunOutcome::Skipped) => None,
            // If the limits allowed no request, the outcome is unknown.
            Some(RunOutcome::Partial) => (self.pages + self.files > 0).then_some(true),
            _ => Some(true),
        };
        PollEnd { well, pace: self.pace }
    }

    /// The counts by name, for the ledger.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let pairs = [
            ("requests", self.requests),
            ("retries", self.retries),
            ("waited_ms", self.waited_ms),
            ("files", self.files),
            ("pages", self.pages),
            ("bytes", self.bytes),
            ("rows", self.rows),
            ("listings", self.listings),
            ("new", self.new),
            ("changed", self.changed),
            ("seen_again", self.seen_again()),
            ("confirmed", self.confirmed),
            ("not_taken", self.not_taken),
            ("left_out", self.left_out()),
            ("rejects", self.rejects),
            ("values_refused", self.values_refused),
            ("gone", self.gone),
            ("held_back", self.held_back.map_or(0, |held_back| held_back.listings)),
            ("prices_held", self.prices_held),
            ("sent", self.sent),
            ("drifts", self.drifts.len() as u64),
            ("contradictions", self.contradictions.counts().map(|count| count.contradict).sum()),
            ("fields_distrusted", self.fields_distrusted),
            ("clock_jumps", self.clock_jumps.len() as u64),
        ];
        let counts = pairs.into_iter().map(|(name, count)| (name.to_owned(), count));
        // What is left of a window of seconds is useless after the poll.
        let ours = self.left.iter().filter(|(limit, _)| limit.per_ms >= BUDGET_MS);
        let ours = ours.map(|(limit, left)| (format!("{LEFT_OF}{limit}"), *left));
        let theirs = self.left_by_server.map(|left| (LEFT_BY_SERVER.to_owned(), left));
        counts.chain(ours).chain(theirs).collect()
    }
}

impl From<&Polled> for PollCost {
    fn from(polled: &Polled) -> Self {
        let Polled { pages, requests, bytes, new, changed, gone, .. } = polled;
        Self { pages: *pages, requests: *requests, bytes: *bytes, changes: new + changed + gone }
    }
}
