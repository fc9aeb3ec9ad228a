//! What became of a search's last poll: by it the planner says which searches are overdue, and the poller which tasks
//! of the queue are stale.

use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use crate::Pace;
use crate::ports::{Continuation, PollTask};

/// A search whose cadence is short is overdue no sooner than this.
const OVERDUE_MIN_MS: i64 = 15 * MINUTE_MS;

/// A task is polled within this time of its sending, or its search is overdue, however long its cadence is.
const UNANSWERED_MAX_MS: i64 = 30 * MINUTE_MS;

/// A scan that goes on in another task has lost it, where nothing was heard of it for so long: the next tick's task goes
/// on in its stead.
const LOST_AFTER_MS: i64 = Time::HOUR_MS;

/// A time that is more than this ahead of the clock was told by a clock that was wrong: it counts for nothing, so that
/// nobody waits for it to come.
const AHEAD_MAX_MS: i64 = MINUTE_MS;

/// The most tasks in which one scan goes on after its first, and the longest time. What is left then is for the next tick.
const CONTINUATIONS_MAX: u32 = 500;
const SCAN_MS_MAX: i64 = Time::DAY_MS;

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

/// What became of the last poll of a search, as planner and poller tell each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LastPoll {
    /// When the search was first sent to be polled.
    pub first_sent_at: Option<Time>,
    /// When the last poll began that is done with: one that is tried again is not.
    pub polled_at: Option<Time>,
    /// When a poll last ended well.
    pub succeeded_at: Option<Time>,
    /// Whether polls have failed since then.
    pub failed: bool,
    /// The scan goes on, in a task of this due time.
    pub goes_on: Option<Time>,
    /// How often the search changes and what its polls cost.
    pub pace: Option<Pace>,
}

/// Why a task is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The search was polled since the task was due, at this time.
    PolledSince(Time),
    /// A scan of the search goes on in another task.
    GoesOnElsewhere,
    /// The scan that the task continues has ended, or goes on in another task.
    Ended,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolledSince(at) => write!(f, "the search was polled since then, at {at}"),
            Self::GoesOnElsewhere => f.write_str("a scan of the search goes on in another task"),
            Self::Ended => f.write_str("the scan that it continues has ended"),
        }
    }
}

/// Why a search is overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Its polls fail.
    Fails,
    /// No poll has ended well for so long, in milliseconds; since it was first sent, where none ever did.
    NoSuccess(i64),
    /// It was sent so long ago, in milliseconds, and not polled since.
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
    /// Why the task is not to be polled, if it is not.
    ///
    /// A task that came again because its poll was cut short is to be: [`Self::polled_at`] is set when a poll is done with.
    #[must_use]
    pub fn stale(&self, task: &PollTask, now: Time) -> Option<Stale> {
        let since = reported_by(now, self.polled_at).filter(|at| *at >= task.due_at);
        match (self.goes_on, &task.continuation) {
            // Its own first task too, where it could not send the next.
            (Some(due_at), _) if due_at == task.due_at => None,
            (_, Some(_)) => Some(Stale::Ended),
            (Some(_), None) if self.goes_on_well(now) => Some(Stale::GoesOnElsewhere),
            (_, None) => since.map(Stale::PolledSince),
        }
    }

    /// Whether the scan that goes on has its task still. One that failed again and again was given up: until then it holds
    /// up the tasks behind it, so that whoever asks this is the next after it.
    fn goes_on_well(&self, now: Time) -> bool {
        !self.failed
            && reported_by(now, self.polled_at).is_some_and(|at| now.ms().saturating_sub(at.ms()) < LOST_AFTER_MS)
    }

    /// Why the search is overdue at `now`, if it is: one that was last sent at `sent_at`, and that is polled every
    /// `distance_ms`.
    #[must_use]
    pub fn overdue(&self, sent_at: Option<Time>, distance_ms: u64, now: Time) -> Option<Overdue> {
        let since = |at: Time| now.ms().saturating_sub(at.ms());
        if self.failed {
            return Some(Overdue::Fails);
        }
        let most_ms = i64::try_from(distance_ms.saturating_mul(2)).unwrap_or(i64::MAX).max(OVERDUE_MIN_MS);
        let (succeeded_at, first_sent_at) = (reported_by(now, self.succeeded_at), reported_by(now, self.first_sent_at));
        let waits_ms = succeeded_at.or(first_sent_at).map_or(0, since);
        if waits_ms > most_ms {
            return Some(Overdue::NoSuccess(waits_ms));
        }
        let polled_at = reported_by(now, self.polled_at);
        let unanswered = sent_at.filter(|sent_at| polled_at.is_none_or(|at| at < *sent_at));
        let unanswered_ms = unanswered.map_or(0, since);
        (unanswered_ms > UNANSWERED_MAX_MS).then_some(Overdue::Unanswered(unanswered_ms))
    }
}

/// A time that was told, unless it is too far ahead of the clock.
fn reported_by(now: Time, reported: Option<Time>) -> Option<Time> {
    reported.filter(|at| at.ms().saturating_sub(now.ms()) <= AHEAD_MAX_MS)
}

impl PollTask {
    /// The task in which the scan of this one goes on; `None` where it has gone on for long enough.
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
