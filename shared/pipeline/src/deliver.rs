//! Alerts of the ledger to one subscriber, at its own pace.

use stoop_domain::{Alert, Verdict};

use crate::Clock;
use crate::causes::with_causes;
use crate::ports::{DeliveryCursors, DeliveryError, PortError, Subscriber};

/// What it takes to deliver.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The ledger's followers.
    pub followers: &'a dyn DeliveryCursors,
    /// Which of them this is.
    pub follower: &'a str,
    /// Who is told.
    pub subscriber: &'a dyn Subscriber,
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

/// The longest wait, whatever a subscriber asks for.
const WAIT_MS_MAX: u64 = 5 * 60_000;

/// How often a ledger without news is looked at.
const IDLE_MS: u64 = 1_000;

/// Alerts read at a time.
const ALERTS_MAX: usize = 100;

/// How a subscriber has taken it lately.
#[derive(Default)]
struct DeliveryHealth {
    failures: u32,
    refusals: u64,
}

/// Tells a subscriber every alert that the ledger has or gets and that was told, in order, until stopped. One that fails is
/// tried again and holds up those behind it; one that is refused for ever becomes a dead letter and holds up nothing. When
/// it is stopped it goes on while alerts are waiting and taken: bound it in time.
///
/// An alert whose answer is lost is told again, with the same id.
pub async fn deliver(delivery: Delivery<'_>) {
    let mut health = DeliveryHealth::default();
    loop {
        let is_last = (delivery.stop)();
        let wait_ms = match delivery.some(&mut health).await {
            Ok(0) => IDLE_MS,
            Ok(_) => continue,
            Err((error, after_ms)) => {
                let wait_ms =
                    after_ms.unwrap_or_else(|| WAIT_MS << health.failures.min(16)).clamp(WAIT_MS, WAIT_MS_MAX);
                health.failures = health.failures.saturating_add(1);
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
    /// Tells some of what waits; says how many it is done with, or what failed and how long the subscriber wants to be
    /// left alone.
    async fn some(&self, health: &mut DeliveryHealth) -> Result<usize, (PortError, Option<u64>)> {
        let failed = |error| (error, None);
        let waiting = self.followers.waiting(self.follower, ALERTS_MAX).await.map_err(failed)?;
        for (position, alert) in &waiting {
            self.one(*position, alert, health).await?;
        }
        Ok(waiting.len())
    }

    async fn one(
        &self,
        position: i64,
        alert: &Alert,
        health: &mut DeliveryHealth,
    ) -> Result<(), (PortError, Option<u64>)> {
        let failed = |error| (error, None);
        if alert.verdict != Verdict::Alert {
            return self.followers.done(self.follower, position).await.map_err(failed);
        }
        match self.subscriber.notify(alert).await {
            Ok(()) => {
                self.followers.done(self.follower, position).await.map_err(failed)?;
                *health = DeliveryHealth::default();
                Ok(())
            }
            Err(DeliveryError::Refused(error)) => {
                let why = with_causes(&error);
                let now = self.clock.now();
                self.followers.refused(self.follower, position, now, &why).await.map_err(failed)?;
                *health = DeliveryHealth { failures: 0, refusals: health.refusals + 1 };
                (self.report)(&Trouble::Refused { why, in_a_row: health.refusals });
                Ok(())
            }
            Err(DeliveryError::Later { error, after_ms }) => Err((error, after_ms)),
        }
    }
}
