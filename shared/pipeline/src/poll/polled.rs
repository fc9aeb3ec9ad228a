use std::collections::BTreeMap;

use stoop_domain::Time;
use stoop_sources::{Contradictions, Limit};

use crate::loss::HeldBack;
use crate::pace::{Pace, PollCost};
use crate::ports::RunOutcome;

/// How the counts begin of what a limit has left; the limit follows in words.
pub const LEFT_OF: &str = "left of ";

/// The count of the requests that the server says are left in its own tightest window.
pub const LEFT_BY_SERVER: &str = "left by the server";

/// What a limit has left is in the ledger if it is for so long or longer.
const BUDGET_MS: u64 = 60_000;

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

impl Polled {
    /// Listings that are as they were known to be.
    #[must_use]
    pub fn seen_again(&self) -> u64 {
        self.listings.saturating_sub(self.new + self.changed + self.not_taken)
    }

    /// Rows that are none of the search's.
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
        // What a few seconds have left says nothing when the poll is over.
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
