use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

/// The circuit breaker opens after this many consecutive polls that fail because of the source.
const FAILURES_MAX: u32 = 5;

/// How long it is open the first time. Each further time takes twice as long, up to the maximum.
const PAUSE_MS: i64 = 60_000;
const PAUSE_MAX_MS: i64 = Time::HOUR_MS;

/// A poll on trial that does not report within this time is dead. It reports with every request.
const TRIAL_MS: i64 = 600_000;

/// The circuit breaker of an account: a server that fails gets at most one poll at a time.
///
/// While it is closed, polls pass. After [`FAILURES_MAX`] failures it opens, and no poll passes for a while. Then it is
/// half-open: one poll passes, and its end closes the breaker or opens it for twice as long.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Breaker {
    /// Consecutive failures.
    #[serde(default)]
    failures: u32,
    /// How often it opened since it was last closed.
    #[serde(default)]
    openings: u32,
    /// No poll passes before this time.
    #[serde(default)]
    open_until_ms: i64,
    /// A poll is on trial. It counts as dead from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial_until_ms: Option<i64>,
}

/// How a poll ended, for the circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BreakerOutcome {
    /// The source answered as expected.
    Well,
    /// It did not.
    Badly,
    /// Unknown: the poll was stopped, had to wait, or failed on our side.
    Otherwise,
}

/// How a poll passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// The breaker is closed.
    Freely,
    /// The breaker is half-open. The poll has to report its end.
    OnTrial,
}

/// The circuit breaker of the account is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CircuitOpen {
    pub(crate) failures: u32,
    pub(crate) until: Time,
}

impl fmt::Display for CircuitOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit breaker is open: {} polls in a row failed", self.failures)
    }
}

impl Breaker {
    /// Lets a poll pass, or not.
    pub(super) fn pass(&mut self, now: Time) -> Result<Permit, CircuitOpen> {
        if self.openings == 0 {
            return Ok(Permit::Freely);
        }
        if let Some(open) = self.open_at(now) {
            return Err(open);
        }
        self.still_trying(now);
        Ok(Permit::OnTrial)
    }

    /// Until when the breaker is open, if it is open now.
    pub(super) fn open_at(&self, now: Time) -> Option<CircuitOpen> {
        let until_ms = self.open_until_ms.max(self.trial_until_ms.unwrap_or(i64::MIN));
        let is_open = self.openings > 0 && now.ms() < until_ms;
        is_open.then(|| CircuitOpen { failures: self.failures, until: Time::from_ms(until_ms) })
    }

    /// The poll on trial goes on.
    pub(super) fn still_trying(&mut self, now: Time) {
        self.trial_until_ms = Some(now.plus_ms(TRIAL_MS).ms());
    }

    /// A poll has ended.
    pub(super) fn ended(&mut self, passed: Permit, how: BreakerOutcome, now: Time) {
        match (how, passed) {
            (BreakerOutcome::Well, _) => *self = Self::default(),
            (BreakerOutcome::Otherwise, Permit::Freely) => {}
            (BreakerOutcome::Otherwise, Permit::OnTrial) => self.trial_until_ms = None,
            // It began before the breaker opened: its failure is not news.
            (BreakerOutcome::Badly, Permit::Freely) if self.openings > 0 => {}
            (BreakerOutcome::Badly, Permit::Freely) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures >= FAILURES_MAX {
                    self.open(now);
                }
            }
            (BreakerOutcome::Badly, Permit::OnTrial) => {
                self.failures = self.failures.saturating_add(1);
                self.open(now);
            }
        }
    }

    fn open(&mut self, now: Time) {
        let pause_ms = (PAUSE_MS << self.openings.min(16)).min(PAUSE_MAX_MS);
        self.openings = self.openings.saturating_add(1);
        self.open_until_ms = now.plus_ms(pause_ms).ms();
        self.trial_until_ms = None;
    }

    /// Moves its times back by `ms`, because the clock was set back.
    pub(super) fn shift(&mut self, ms: i64) {
        self.open_until_ms = self.open_until_ms.saturating_sub(ms);
        self.trial_until_ms = self.trial_until_ms.map(|until| until.saturating_sub(ms));
    }

    /// Whether it has no failures.
    pub(super) fn is_fresh(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_ms(seconds * 1_000)
    }

    /// A breaker that opened at second 0.
    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.pass(at(0)), Ok(Permit::Freely));
            breaker.ended(Permit::Freely, BreakerOutcome::Badly, at(0));
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it_and_four_do_not() {
        let mut breaker = Breaker::default();
        for how in [
            BreakerOutcome::Badly,
            BreakerOutcome::Badly,
            BreakerOutcome::Badly,
            BreakerOutcome::Badly,
            BreakerOutcome::Otherwise,
            BreakerOutcome::Well,
            BreakerOutcome::Badly,
        ] {
            breaker.ended(Permit::Freely, how, at(0));
            assert_eq!(breaker.pass(at(0)), Ok(Permit::Freely));
        }
        let left_alone = CircuitOpen { failures: 5, until: at(60) };
        assert_eq!(opened().pass(at(59)), Err(left_alone));
    }

    #[test]
    fn one_poll_at_a_time_tries_whether_the_source_is_back() {
        let mut breaker = opened();
        assert_eq!(breaker.pass(at(60)), Ok(Permit::OnTrial));
        assert!(breaker.pass(at(61)).is_err(), "another one tries already");
        breaker.still_trying(at(500));
        assert!(breaker.pass(at(1_000)).is_err(), "and it lives");
        breaker.ended(Permit::OnTrial, BreakerOutcome::Well, at(1_001));
        assert_eq!(breaker.pass(at(1_001)), Ok(Permit::Freely));
        assert!(breaker.is_fresh());

        let mut breaker = opened();
        assert_eq!(breaker.pass(at(60)), Ok(Permit::OnTrial));
        assert_eq!(breaker.pass(at(660)), Ok(Permit::OnTrial), "one that died is replaced");
        breaker.ended(Permit::OnTrial, BreakerOutcome::Otherwise, at(661));
        assert_eq!(breaker.pass(at(662)), Ok(Permit::OnTrial), "one that learned nothing as well");
    }

    #[test]
    fn each_failed_trial_doubles_the_pause_up_to_an_hour() {
        let (mut breaker, mut now, mut pauses) = (opened(), 0, Vec::new());
        for _ in 0..9 {
            let until = breaker.pass(at(now)).unwrap_err().until;
            pauses.push(until.ms() / 1_000 - now);
            now = until.ms() / 1_000;
            assert_eq!(breaker.pass(at(now)), Ok(Permit::OnTrial));
            breaker.ended(Permit::OnTrial, BreakerOutcome::Badly, at(now));
        }
        assert_eq!(pauses, [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]);
    }

    #[test]
    fn polls_that_began_before_it_opened_do_not_hold_it_open() {
        let mut breaker = opened();
        for _ in 0..20 {
            breaker.ended(Permit::Freely, BreakerOutcome::Badly, at(30));
        }
        assert_eq!(breaker, opened());
        breaker.ended(Permit::Freely, BreakerOutcome::Well, at(30));
        assert_eq!(breaker.pass(at(30)), Ok(Permit::Freely), "an answer says that the source is back");
    }
}
