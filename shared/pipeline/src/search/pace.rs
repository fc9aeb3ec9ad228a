//! The poll interval of a search, learnt from its polls, within the user's bounds and the account's limits.

use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_sources::{Limit, Metered};

/// Each poll discounts the past by an eighth: about eight polls are remembered.
const FORGET: u64 = 8;

/// One poll, in the unit of the counts.
const ONE: u64 = 1_024;

/// This many consecutive changed polls are not a coincidence: if half of the polls show a change, it happens once in
/// eight times.
const STREAK: u32 = 3;

/// The natural logarithm of 2, in thousandths.
const LN_2: u64 = 693;

/// The longest interval that can be configured; a longer past is useless.
const DISTANCE_MAX_MS: u64 = 366 * Time::DAY_MS.cast_unsigned();

/// Limits with intervals from this on are spread over polls. Shorter ones only slow a poll down.
const SPREAD_FROM_MS: u64 = Time::HOUR_MS.cast_unsigned();

/// How often a search changes and what a poll costs, learnt from its polls.
///
/// The goal is the interval at which half of the polls show a change. If changes come at random with a rate, a poll
/// after the time d shows none with probability exp(-rate d). The most likely rate is the one for which the sum of d /
/// (exp(rate d) - 1) over the polls with a change equals the sum of d over those without (after J. Cho, H.
/// Garcia-Molina: Estimating frequency of change, 2003). At the goal each term is d itself; if changes are rare it is 1
/// / rate. A straight line between the two,
///
/// ```text
/// goal = (ln 2 * time of quiet polls + (1 - ln 2) * time of changed polls) / number of changed polls
/// ```
///
/// is right at both ends, for polls at any intervals, and needs only integers. A market that becomes active is followed
/// sooner than these sums would say, so in the long run some two fifths of the polls show a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// When the last poll used for learning began.
    learnt_at: Option<Time>,
    /// Time before polls without a change, in milliseconds; older polls weigh less.
    quiet_ms: u64,
    /// Time before polls with a change, likewise.
    changed_ms: u64,
    /// The number of polls with a change, in units of [`ONE`].
    changed: u64,
    /// The desired interval before any bounds, in milliseconds; 0 if there is none yet.
    wish_ms: u64,
    /// Consecutive polls with a change.
    streak: u32,
    /// Whether a poll that is not used for learning showed a change: then the next one counts as changed.
    stirred: bool,
    /// The number of polls, in units of [`ONE`], and their cost, each in its own unit times [`ONE`].
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
    /// Learns from a poll that began at `began_at`. `complete` is whether it saw everything. The first complete poll
    /// says nothing about changes, because everything was new, and an incomplete one may have missed some: its changes
    /// count for the next poll. The same holds for polls after less than half of the desired interval, such as manual
    /// ones.
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
            // The clock was set back: the interval is unknown.
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

    /// Never longer than before, and never less than half of the interval that showed the change.
    fn after_change(&mut self, distance_ms: u64) -> u64 {
        let is_surprise = self.goal_ms() > distance_ms * 2;
        self.streak = self.streak.saturating_add(1);
        self.forget();
        // The market has become active: the quiet time before no longer applies.
        if is_surprise {
            (self.quiet_ms, self.changed_ms, self.changed) = (0, 0, 0);
        } else if self.streak >= STREAK {
            self.quiet_ms = 0;
        }
        // After an interval much longer than this one, a change was to be expected: it says little.
        let most = u128::from(self.changed) * u128::from(distance_ms) * 3 / 2 / u128::from(ONE);
        self.changed_ms = self.changed_ms.min(u64::try_from(most).unwrap_or(u64::MAX)).saturating_add(distance_ms);
        self.changed = self.changed.saturating_add(ONE);
        let least_ms = distance_ms.div_ceil(2);
        let most_ms = if self.wish_ms == 0 { distance_ms } else { self.wish_ms.min(distance_ms) };
        self.goal_ms().clamp(least_ms, most_ms.max(least_ms))
    }

    /// Never shorter than before, and otherwise at most one and a half times the interval observed to be quiet. The
    /// search's bounds may keep polls closer together than desired; a desired interval far beyond them would take long
    /// to return when changes come.
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

    /// The interval at which half of the polls would show a change; unlimited if none ever did.
    fn goal_ms(&self) -> u64 {
        let time =
            u128::from(LN_2) * u128::from(self.quiet_ms) + u128::from(1_000 - LN_2) * u128::from(self.changed_ms);
        let goal_ms = (time * u128::from(ONE)).checked_div(u128::from(self.changed) * 1_000);
        goal_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(u64::MAX)
    }

    /// Records the cost of a poll that read anything.
    fn weigh(&mut self, poll: PollCost) {
        if poll.pages == 0 || poll.requests == 0 {
            return;
        }
        let added = [(&mut self.polls, 1), (&mut self.requests, poll.requests), (&mut self.bytes, poll.bytes)];
        for (sum, more) in added {
            *sum = (*sum - sum.div_ceil(FORGET)).saturating_add(more.saturating_mul(ONE));
        }
    }

    /// The cost of a poll in what a limit counts, rounded up; `None` before the first.
    fn cost(&self, of: Metered) -> Option<u64> {
        let sum = match of {
            Metered::Requests => self.requests,
            Metered::Bytes => self.bytes,
        };
        (self.polls > 0).then(|| sum.div_ceil(self.polls))
    }
}

/// The bounds of a search's poll interval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The shortest interval between the starts of two polls, in milliseconds. 0 counts as 1.
    pub every_ms: u64,
    /// The longest interval. Without one the search keeps to the shortest.
    pub every_max_ms: Option<u64>,
    /// The limits of the source's account.
    pub limits: Vec<Limit>,
    /// How many searches share that account, including this one. Each has an equal part of the limits.
    pub sharers: u64,
}

impl Cadence {
    /// A fixed interval.
    #[must_use]
    pub fn steady(every_ms: u64) -> Self {
        Self { every_ms, every_max_ms: None, limits: Vec::new(), sharers: 1 }
    }

    /// The interval to the next poll: always a multiple of the shortest, so that a search keeps to its slots.
    ///
    /// It is no longer than the longest and no shorter than the account's limits of an hour or more allow; the latter
    /// takes precedence.
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

    /// The limit that allows the fewest polls.
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

/// The interval to the next poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distance {
    /// In milliseconds.
    pub ms: u64,
    /// The limit that makes it longer than desired, if any.
    pub slowed_by: Option<TightLimit>,
}

/// A limit that allows fewer polls than desired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TightLimit {
    /// The shortest interval that it allows, in milliseconds.
    pub least_ms: u64,
    /// The limit.
    pub limit: Limit,
    /// The cost of a poll in what it counts.
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
