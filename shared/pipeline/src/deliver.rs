//! Alerts of the ledger to one listener, at its own pace.

use stoop_domain::{Alert, Verdict};

use crate::Clock;
use crate::causes::with_causes;
use crate::ports::{Followers, Listener, NotHeard, PortError};

/// What it takes to deliver.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The ledger's followers.
    pub followers: &'a dyn Followers,
    /// Which of them this is.
    pub follower: &'a str,
    /// Who is told.
    pub listener: &'a dyn Listener,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Whether to end.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Hears what does not go well.
    pub report: &'a (dyn Fn(&Trouble) + Sync),
}

/// What did not go well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An alert could not be told for now; it is tried again after so long.
    Waits {
        /// Why, with all causes.
        why: String,
        /// How long.
        ms: u64,
    },
    /// An alert was refused for ever and is a dead letter.
    Refused {
        /// Why, with all causes.
        why: String,
        /// How many were refused one after the other, this one included.
        in_a_row: u64,
    },
}

/// The wait after a first failure; each further one waits twice as long. An answer that the alert was taken, or
/// will never be, ends the waiting.
const WAIT_MS: u64 = 250;

/// The longest wait, whatever a listener asks for.
const WAIT_MS_MAX: u64 = 5 * 60_000;

/// How often a ledger without news is looked at.
const IDLE_MS: u64 = 1_000;

/// Alerts read at a time.
const ALERTS_MAX: usize = 100;

/// How a listener has taken it lately.
#[derive(Default)]
struct Mood {
    failures: u32,
    refusals: u64,
}

/// Tells a listener every alert that the ledger has or gets and that was told, in order, until stopped. One that fails is
/// tried again and holds up those behind it; one that is refused for ever becomes a dead letter and holds up nothing. When
/// it is stopped it goes on while alerts are waiting and taken: bound it in time.
///
/// An alert whose answer is lost is told again, with the same id.
pub async fn deliver(delivery: Delivery<'_>) {
    let mut mood = Mood::default();
    loop {
        let is_last = (delivery.stop)();
        let wait_ms = match delivery.some(&mut mood).await {
            Ok(0) => IDLE_MS,
            Ok(_) => continue,
            Err((error, after_ms)) => {
                let wait_ms = after_ms.unwrap_or_else(|| WAIT_MS << mood.failures.min(16)).clamp(WAIT_MS, WAIT_MS_MAX);
                mood.failures = mood.failures.saturating_add(1);
                (delivery.report)(&Trouble::Waits { why: with_causes(&error), ms: wait_ms });
                wait_ms
            }
        };
        if is_last {
            return;
        }
        delivery.clock.sleep(wait_ms).await;
    }
}

impl Delivery<'_> {
    /// Tells some of what waits; says how many it is done with, or what failed and how long the listener wants to be
    /// left alone.
    async fn some(&self, mood: &mut Mood) -> Result<usize, (PortError, Option<u64>)> {
        let failed = |error| (error, None);
        let waiting = self.followers.waiting(self.follower, ALERTS_MAX).await.map_err(failed)?;
        for (place, alert) in &waiting {
            self.one(*place, alert, mood).await?;
        }
        Ok(waiting.len())
    }

    async fn one(&self, place: i64, alert: &Alert, mood: &mut Mood) -> Result<(), (PortError, Option<u64>)> {
        let failed = |error| (error, None);
        if alert.verdict != Verdict::Alert {
            return self.followers.done(self.follower, place).await.map_err(failed);
        }
        match self.listener.hear(alert).await {
            Ok(()) => {
                self.followers.done(self.follower, place).await.map_err(failed)?;
                *mood = Mood::default();
                Ok(())
            }
            Err(NotHeard::Refused(error)) => {
                let why = with_causes(&error);
                let now = self.clock.now();
                self.followers.refused(self.follower, place, now, &why).await.map_err(failed)?;
                *mood = Mood { failures: 0, refusals: mood.refusals + 1 };
                (self.report)(&Trouble::Refused { why, in_a_row: mood.refusals });
                Ok(())
            }
            Err(NotHeard::Later { error, after_ms }) => Err((error, after_ms)),
        }
    }
}
