use std::collections::BTreeMap;

use stoop_domain::Time;
use stoop_sources::{Contradictions, Limit};

use crate::loss::HeldBack;
use crate::pace::{Pace, PollCost};
use crate::ports::RunOutcome;

/// Prefix of the counts of remaining limits; the limit follows in words.
pub const LEFT_OF: &str = "left of ";

/// Name of the count of requests left in the server's tightest window.
pub const LEFT_BY_SERVER: &str = "left by the server";

/// Only limits of at least this length are recorded in the ledger.
const BUDGET_MS: u64 = 60_000;

/// Results of a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// Why it saw less than everything, if so.
    pub message: Option<String>,
    /// HTTP requests, including retries.
    pub requests: u64,
    /// Requests that repeated an earlier one.
    pub retries: u64,
    /// Time spent waiting for a turn or for the server, in milliseconds.
    pub waited_ms: u64,
    /// Remaining amount of each limit of the account at the end.
    pub left: Vec<(Limit, u64)>,
    /// Requests left in the server's tightest window, if the server reported it.
    pub left_by_server: Option<u64>,
    /// The account may not be polled before this time, which is why the poll ended.
    pub held_until: Option<Time>,
    /// Files read to their end.
    pub files: u64,
    /// Pages read.
    pub pages: u64,
    /// Bytes of those pages.
    pub bytes: u64,
    /// Rows on the pages, including skipped ones.
    pub rows: u64,
    /// Rows that were read as listings: new, changed, unchanged, or not taken.
    pub listings: u64,
    /// Listings that this search never saw before.
    pub new: u64,
    /// Listings that differ from what was known.
    pub changed: u64,
    /// Unchanged listings that were sent again because their confirmation was due.
    pub confirmed: u64,
    /// Listings that were not processed because too many other rows were refused.
    pub not_taken: u64,
    /// Refused rows. The first of them are in quarantine.
    pub rejects: u64,
    /// Listings reported gone.
    pub gone: u64,
    /// Missing listings that are not reported gone because the loss is too large.
    pub held_back: Option<HeldBack>,
    /// Rulings of a person on a held-back loss that were applied, as text.
    pub rulings: Vec<String>,
    /// Observations published: more than the changes if files contain history out of order.
    pub sent: u64,
    /// Fields that are filled less than before, as text.
    pub drifts: Vec<String>,
    /// Contradictions counted in the sent listings.
    pub contradictions: Contradictions,
    /// Fields that became distrusted or trusted again, as text.
    pub verdicts: Vec<String>,
    /// Number of fields that are distrusted now.
    pub fields_distrusted: u64,
    /// Jumps of the clock of more than a minute, as text.
    pub clock_jumps: Vec<String>,
    /// How often the search changes; `None` if the poll learned nothing.
    pub pace: Option<Pace>,
}

impl Polled {
    /// Number of unchanged listings.
    #[must_use]
    pub fn seen_again(&self) -> u64 {
        self.listings.saturating_sub(self.new + self.changed + self.not_taken)
    }

    /// Number of skipped rows.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.rows.saturating_sub(self.listings + self.rejects)
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
            ("gone", self.gone),
            ("held_back", self.held_back.map_or(0, |held_back| held_back.listings)),
            ("sent", self.sent),
            ("drifts", self.drifts.len() as u64),
            ("contradictions", self.contradictions.counts().map(|count| count.contradict).sum()),
            ("fields_distrusted", self.fields_distrusted),
            ("clock_jumps", self.clock_jumps.len() as u64),
        ];
        let counts = pairs.into_iter().map(|(name, count)| (name.to_owned(), count));
        // A limit over a few seconds is irrelevant once the poll is over.
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
