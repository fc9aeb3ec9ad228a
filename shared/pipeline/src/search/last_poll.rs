//! The outcome of a search's last poll. With it the planner finds overdue searches, and the poller finds stale tasks.

use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use crate::Pace;
use crate::search::poll_task::{Continuation, PollTask};

/// A search with a short poll interval is overdue no sooner than this.
const OVERDUE_MIN_MS: i64 = 15 * MINUTE_MS;

/// A task must be polled within this time after it is sent, however long its poll interval is; otherwise its search is
/// overdue.
const UNANSWERED_MAX_MS: i64 = 30 * MINUTE_MS;

/// After this time without news, the continuation of a scan counts as lost: the next tick's task continues instead.
const LOST_AFTER_MS: i64 = Time::HOUR_MS;

/// A stored time more than this ahead of the clock comes from a wrong clock: it is ignored, so that nothing waits for
/// it.
const AHEAD_MAX_MS: i64 = MINUTE_MS;

/// The most continuations of one scan, and their longest time. The rest is left to the next tick.
const CONTINUATIONS_MAX: u32 = 500;
const SCAN_MS_MAX: i64 = Time::DAY_MS;

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

/// The outcome of the last poll of a search, as planner and poller exchange it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastPoll {
    /// When the search was first sent.
    pub first_sent_at: Option<Time>,
    /// When the last finished poll began; one that will be retried is not finished.
    pub polled_at: Option<Time>,
    /// When a poll last ended well.
    pub succeeded_at: Option<Time>,
    /// Whether polls have failed since then.
    pub failed: bool,
    /// The due time of the task that continues the scan, if any.
    pub goes_on: Option<Time>,
    /// How often the search changes and what its polls cost.
    pub pace: Option<Pace>,
}

/// How a poll ended, as it counts for the next ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PollEnd {
    /// Whether it ended well; `None` if that is unknown, because nothing was asked for.
    pub well: Option<bool>,
    /// How often the search changes; `None` if the poll learnt nothing.
    pub pace: Option<Pace>,
}

impl PollEnd {
    /// It failed, and learnt nothing.
    pub const FAILED: Self = Self { well: Some(false), pace: None };
}

/// Why a task is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The search was polled at this time, after the task was due.
    PolledSince(Time),
    /// Another task continues a scan of the search.
    GoesOnElsewhere,
    /// The scan that the task continues has ended, or another task continues it.
    Ended,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolledSince(at) => write!(f, "the search was polled since then, at {at}"),
            Self::GoesOnElsewhere => f.write_str("another task continues a scan of the search"),
            Self::Ended => f.write_str("the scan that it continues has ended"),
        }
    }
}

/// Why a search is overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Its polls fail.
    Fails,
    /// No poll has ended well for this long, in milliseconds; since it was first sent, if none ever did.
    NoSuccess(i64),
    /// It was sent this long ago, in milliseconds, and not polled since.
    Unanswered(i64),
}

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fails => f.write_str("its polls fail"),
            Self::NoSuccess(ms) => write!(f, "no poll has ended well for {} minutes", ms / MINUTE_MS),
            Self::Unanswered(ms) => write!(f, "sent {} minutes ago, and not polled since", ms / MINUTE_MS),
        }
    }
}

impl LastPoll {
    /// The outcome after a further poll, which began at `began_at` and which the task `next` continues. A poll that
    /// learnt nothing keeps the pace; one that asked for nothing neither succeeded nor failed.
    #[must_use]
    pub fn after(self, began_at: Time, end: PollEnd, next: Option<&PollTask>) -> Self {
        Self {
            first_sent_at: self.first_sent_at,
            polled_at: Some(began_at),
            succeeded_at: if end.well == Some(true) { Some(began_at) } else { self.succeeded_at },
            failed: end.well.map_or(self.failed, |well| !well),
            goes_on: next.map(|next| next.due_at),
            pace: end.pace.or(self.pace),
        }
    }

    /// Why the task is stale; `None` if it must be polled.
    ///
    /// A task that is delivered again because its poll was cut short must be polled: [`Self::polled_at`] is set when a
    /// poll finishes.
    #[must_use]
    pub fn stale(&self, task: &PollTask, now: Time) -> Option<Stale> {
        let since = trusted(now, self.polled_at).filter(|at| *at >= task.due_at);
        match (self.goes_on, &task.continuation) {
            // Also its own first task, if it could not send the next one.
            (Some(due_at), _) if due_at == task.due_at => None,
            (_, Some(_)) => Some(Stale::Ended),
            (Some(_), None) if self.continues_well(now) => Some(Stale::GoesOnElsewhere),
            (_, None) => since.map(Stale::PolledSince),
        }
    }

    /// Whether the continuation still has its task. A task that failed repeatedly was given up; until then it blocks
    /// the tasks behind it, so the caller of this is the next one.
    fn continues_well(&self, now: Time) -> bool {
        !self.failed && trusted(now, self.polled_at).is_some_and(|at| now.ms().saturating_sub(at.ms()) < LOST_AFTER_MS)
    }

    /// Why the search is overdue at `now`, if it is: last sent at `sent_at`, and polled every `distance_ms`.
    #[must_use]
    pub fn overdue(&self, sent_at: Option<Time>, distance_ms: u64, now: Time) -> Option<Overdue> {
        let since = |at: Time| now.ms().saturating_sub(at.ms());
        if self.failed {
            return Some(Overdue::Fails);
        }
        let most_ms = i64::try_from(distance_ms.saturating_mul(2)).unwrap_or(i64::MAX).max(OVERDUE_MIN_MS);
        let (succeeded_at, first_sent_at) = (trusted(now, self.succeeded_at), trusted(now, self.first_sent_at));
        let waits_ms = succeeded_at.or(first_sent_at).map_or(0, since);
        if waits_ms > most_ms {
            return Some(Overdue::NoSuccess(waits_ms));
        }
        let polled_at = trusted(now, self.polled_at);
        let unanswered = sent_at.filter(|sent_at| polled_at.is_none_or(|at| at < *sent_at));
        let unanswered_ms = unanswered.map_or(0, since);
        (unanswered_ms > UNANSWERED_MAX_MS).then_some(Overdue::Unanswered(unanswered_ms))
    }
}

/// A stored time, unless it is too far ahead of the clock.
fn trusted(now: Time, reported: Option<Time>) -> Option<Time> {
    reported.filter(|at| at.ms().saturating_sub(now.ms()) <= AHEAD_MAX_MS)
}

impl PollTask {
    /// The task that continues this one's scan; `None` if there were enough continuations.
    #[must_use]
    pub fn next(&self, now: Time) -> Option<Self> {
        let (number, began_at) = match self.continuation {
            Some(Continuation { number, began_at }) => (number, began_at),
            None => (0, now),
        };
        let is_within = number < CONTINUATIONS_MAX && now.ms().saturating_sub(began_at.ms()) < SCAN_MS_MAX;
        let continuation = Some(Continuation { number: number + 1, began_at });
        is_within.then(|| Self { search: self.search.clone(), due_at: self.due_at, continuation })
    }
}

#[cfg(test)]
mod tests;
