//! How far apart the polls of a search are worth to be: learnt from what they show, within what the user sets and
//! what the account's limits bear.

use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_sources::{Limit, Metered};

/// At every poll an eighth of what was learnt is forgotten: about eight polls are remembered.
const FORGET: u64 = 8;

/// One poll, in the unit in which polls are counted.
const ONE: u64 = 1_024;

/// So many changed polls in a row are no accident: where half of the polls show a change, it happens once in eight times.
const STREAK: u32 = 3;

/// The natural logarithm of 2, in thousandths.
const LN_2: u64 = 693;

/// A search cannot be set to a longer distance, so nothing is gained by looking back any further.
const DISTANCE_MAX_MS: u64 = 366 * Time::DAY_MS.cast_unsigned();

/// The intervals of limits that are spread over polls. Shorter ones only make a poll slower.
const SPREAD_FROM_MS: u64 = Time::HOUR_MS.cast_unsigned();

/// What the polls of one search have shown of how often it changes, and of what a poll costs.
///
/// The goal is the distance at which half of the polls show a change. With changes that come at random
/// and at a rate, a poll after the time d shows none with probability exp(-rate d), and the rate is the most
/// likely one where the sum of d / (exp(rate d) - 1) over the polls that showed a change is the sum of d over those
/// that did not (after J. Cho, H. Garcia-Molina: Estimating frequency of change, 2003). Where the goal is reached
/// each term is d itself; where changes are rare it is 1 / rate. Between the two lies a straight line, so that
///
/// ```text
/// goal = (ln 2 * time of quiet polls + (1 - ln 2) * time of changed polls) / number of changed polls
/// ```
///
/// is right at both ends, for polls at any distances, and whole numbers are enough. A market that wakes up is believed
/// sooner than these sums would say, so that in the long run it is some two fifths of the polls that show a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// When the last poll began from which something was learnt.
    learnt_at: Option<Time>,
    /// Time before polls that showed no change, in milliseconds, the longer ago the less.
    quiet_ms: u64,
    /// Time before polls that showed one.
    changed_ms: u64,
    /// How many of these there were, in units of [`ONE`].
    changed: u64,
    /// The distance that is wished for, not yet within any bounds; 0 as long as there is none.
    wish_ms: u64,
    /// How many polls in a row have shown one.
    streak: u32,
    /// A poll from which nothing was learnt showed a change: the next counts as changed for it.
    stirred: bool,
    /// How many polls there were, in units of [`ONE`], and what they cost, each in its own unit times [`ONE`].
    polls: u64,
    requests: u64,
    bytes: u64,
}

/// What a poll cost, and how many changes it showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollCost {
    /// Pages that were read.
    pub pages: u64,
    /// Requests that were made.
    pub requests: u64,
    /// Bytes of the pages.
    pub bytes: u64,
    /// Listings that are new, changed or gone.
    pub changes: u64,
}

impl Pace {
    /// Learns from a poll that began at `began_at`. `complete` is whether it saw everything: the first that did says
    /// nothing about changes, because all was new to it, and one that did not see everything may have missed some.
    /// What that one showed counts for the next. So does what a poll showed that came after less than half of the
    /// wished distance, by hand say.
    pub fn learn(&mut self, began_at: Time, complete: bool, poll: impl Into<PollCost>) {
        let poll = poll.into();
        self.weigh(poll);
        let changed = poll.changes > 0;
        let Some(before) = self.learnt_at else {
            self.learnt_at = complete.then_some(began_at);
            return;
        };
        let distance_ms = u64::try_from(began_at.ms().saturating_sub(before.ms())).unwrap_or(0).min(DISTANCE_MAX_MS);
        if began_at < before {
            // The clock was set back: that distance is anybody's guess.
            self.learnt_at = Some(began_at);
        }
        if !complete || distance_ms == 0 || distance_ms < self.wish_ms / 2 {
            self.stirred |= changed;
            return;
        }
        self.learnt_at = Some(began_at);
        let changed = changed || std::mem::take(&mut self.stirred);
        self.wish_ms = if changed { self.after_change(distance_ms) } else { self.after_quiet(distance_ms) };
    }

    /// Never longer than it was, and never less than half of the distance that showed the change.
    fn after_change(&mut self, distance_ms: u64) -> u64 {
        let is_surprise = self.goal_ms() > distance_ms * 2;
        self.streak = self.streak.saturating_add(1);
        self.forget();
        // The market has woken up: what the quiet time before said of it holds no more.
        if is_surprise {
            (self.quiet_ms, self.changed_ms, self.changed) = (0, 0, 0);
        } else if self.streak >= STREAK {
            self.quiet_ms = 0;
        }
        // After a distance that was much longer than this one a change was to be expected anyhow: it says little.
        let most = u128::from(self.changed) * u128::from(distance_ms) * 3 / 2 / u128::from(ONE);
        self.changed_ms = self.changed_ms.min(u64::try_from(most).unwrap_or(u64::MAX)).saturating_add(distance_ms);
        self.changed = self.changed.saturating_add(ONE);
        let least_ms = distance_ms.div_ceil(2);
        let most_ms = if self.wish_ms == 0 { distance_ms } else { self.wish_ms.min(distance_ms) };
        self.goal_ms().clamp(least_ms, most_ms.max(least_ms))
    }

    /// Never shorter than it was, and otherwise one and a half times the distance that was seen to be quiet at most. The
    /// bounds of the search may hold polls closer together than is wished: a wish far beyond them would have to come
    /// back all the way once changes come.
    fn after_quiet(&mut self, distance_ms: u64) -> u64 {
        self.streak = 0;
        self.forget();
        self.quiet_ms = self.quiet_ms.saturating_add(distance_ms);
        self.goal_ms().min(distance_ms * 3 / 2).max(self.wish_ms)
    }

    fn forget(&mut self) {
        for sum in [&mut self.quiet_ms, &mut self.changed_ms, &mut self.changed] {
            *sum -= sum.div_ceil(FORGET);
        }
    }

    /// The distance at which half of the polls would show a change; without end where none ever did.
    fn goal_ms(&self) -> u64 {
        let time =
            u128::from(LN_2) * u128::from(self.quiet_ms) + u128::from(1_000 - LN_2) * u128::from(self.changed_ms);
        let goal_ms = (time * u128::from(ONE)).checked_div(u128::from(self.changed) * 1_000);
        goal_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(u64::MAX)
    }

    /// Notes what a poll cost that read anything at all.
    fn weigh(&mut self, poll: PollCost) {
        if poll.pages == 0 || poll.requests == 0 {
            return;
        }
        let added = [(&mut self.polls, 1), (&mut self.requests, poll.requests), (&mut self.bytes, poll.bytes)];
        for (sum, more) in added {
            *sum = (*sum - sum.div_ceil(FORGET)).saturating_add(more.saturating_mul(ONE));
        }
    }

    /// What a poll costs of what a limit counts, rather too much than too little; `None` before the first.
    fn cost(&self, of: Metered) -> Option<u64> {
        let sum = match of {
            Metered::Requests => self.requests,
            Metered::Bytes => self.bytes,
        };
        (self.polls > 0).then(|| sum.div_ceil(self.polls))
    }
}

/// How far apart the polls of a search may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The shortest distance between the beginnings of two polls, in milliseconds. 0 is taken for 1.
    pub every_ms: u64,
    /// The longest. Without one the search keeps to the shortest, whatever its polls show.
    pub every_max_ms: Option<u64>,
    /// The limits of the source's account.
    pub limits: Vec<Limit>,
    /// How many searches share that account, this one among them. Each has an equal part of the limits.
    pub sharers: u64,
}

impl Cadence {
    /// One that nothing changes.
    #[must_use]
    pub fn steady(every_ms: u64) -> Self {
        Self { every_ms, every_max_ms: None, limits: Vec::new(), sharers: 1 }
    }

    /// The distance to the next poll: always a multiple of the shortest, so that a search keeps to its slots.
    ///
    /// It is no longer than the longest and no shorter than what the account's limits of an hour or more bear, of
    /// which the second comes first.
    #[must_use]
    pub fn distance(&self, pace: Option<&Pace>) -> Distance {
        let every_ms = self.every_ms.max(1);
        let wish_ms = pace.map_or(0, |pace| pace.wish_ms);
        let times_max = self.every_max_ms.map_or(1, |max_ms| (max_ms / every_ms).max(1));
        let times = (wish_ms.saturating_add(every_ms / 2) / every_ms).clamp(1, times_max);
        let wished_ms = every_ms.saturating_mul(times);
        let slowed_by = pace.and_then(|pace| self.floor(pace)).filter(|limit| limit.least_ms > wished_ms);
        let ms =
            slowed_by.as_ref().map_or(wished_ms, |limit| every_ms.saturating_mul(limit.least_ms.div_ceil(every_ms)));
        Distance { ms, slowed_by }
    }

    /// The limit that bears the fewest polls.
    fn floor(&self, pace: &Pace) -> Option<TightLimit> {
        let floors = self.long_limits().filter_map(|limit| {
            let cost = pace.cost(limit.of)?;
            let wanted = (u128::from(limit.per_ms) * u128::from(cost)).saturating_mul(u128::from(self.sharers.max(1)));
            let least_ms = u64::try_from(wanted.div_ceil(u128::from(limit.most.max(1)))).unwrap_or(u64::MAX);
            Some(TightLimit { least_ms, limit: *limit, cost, sharers: self.sharers })
        });
        floors.max_by_key(|limit| limit.least_ms)
    }

    fn long_limits(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter().filter(|limit| limit.per_ms >= SPREAD_FROM_MS)
    }
}

/// How long after the beginning of a poll the next is to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distance {
    /// In milliseconds.
    pub ms: u64,
    /// Why it is longer than was wished for.
    pub slowed_by: Option<TightLimit>,
}

/// A limit that bears fewer polls than are wished for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TightLimit {
    /// The shortest distance that it bears, in milliseconds.
    pub least_ms: u64,
    /// The limit.
    pub limit: Limit,
    /// What a poll costs of it.
    pub cost: u64,
    /// How many searches share it.
    pub sharers: u64,
}

impl fmt::Display for TightLimit {
    /// The reason in words: `50 requests in 31 days, at 2 requests a poll and shared by 3 searches`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.limit.of {
            Metered::Requests if self.cost == 1 => "request",
            Metered::Requests => "requests",
            Metered::Bytes => "bytes",
        };
        write!(f, "{}, at {} {unit} a poll", self.limit, self.cost)?;
        if self.sharers > 1 { write!(f, " and shared by {} searches", self.sharers) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
