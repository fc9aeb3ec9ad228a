//! Sends alerts of the ledger to one subscriber, at its own pace.

use stoop_domain::{Alert, Verdict};

use crate::Clock;
use crate::causes::with_causes;
use crate::ports::{DeliveryCursors, DeliveryError, PortError, Subscriber};

/// The context of a delivery.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The progress of the ledger's followers.
    pub followers: &'a dyn DeliveryCursors,
    /// The name of this follower.
    pub follower: &'a str,
    /// The subscriber.
    pub subscriber: &'a dyn Subscriber,
    /// Times the waits and dates dead letters.
    pub clock: &'a dyn Clock,
    /// Whether to stop.
    pub stop: &'a (dyn Fn() -> bool + Sync),
    /// Receives problems.
    pub report: &'a (dyn Fn(&Trouble) + Sync),
}

/// A problem of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// An alert could not be sent for now; it is retried after this time.
    Waits {
        /// The reason, with all causes.
        why: String,
        /// The wait in milliseconds.
        ms: u64,
    },
    /// An alert was refused for good and is a dead letter.
    Refused {
        /// The reason, with all causes.
        why: String,
        /// The number of consecutive refusals, including this one.
        in_a_row: u64,
    },
    /// An alert of the ledger is damaged and is passed over.
    Damaged {
        /// Its position and the reason.
        why: String,
    },
}

/// The wait after the first failure; it doubles with each further one. A definite answer, accepted or refused, ends the
/// waiting.
const WAIT_MS: u64 = 250;

/// The longest wait, whatever a subscriber asks for.
const WAIT_MS_MAX: u64 = 5 * 60_000;

/// How often to poll a ledger without new alerts.
const IDLE_MS: u64 = 1_000;

/// Alerts read at a time.
const ALERTS_MAX: usize = 100;

/// How long an accepted alert may wait until it is recorded as sent. Each record waits for other writers.
const RECORD_MS: i64 = 250;

/// The recent failures of a subscriber.
#[derive(Default)]
struct DeliveryHealth {
    failures: u32,
    refusals: u64,
}

/// Lets a new follower begin with the alerts from now on, or with the first one if it is to send the `past`. A known one
/// goes on where it is.
///
/// # Errors
///
/// Its progress cannot be read or recorded.
pub async fn begin_delivery(followers: &dyn DeliveryCursors, follower: &str, past: bool) -> Result<(), PortError> {
    if followers.is_known(follower).await? {
        return Ok(());
    }
    let from = if past { 0 } else { followers.newest().await? };
    followers.done(follower, from).await
}

/// Sends a subscriber all alerts of the ledger that are not suspects, in order, as they are recorded, until stopped; but not one
/// that repeats that of another listing of the home ([`DeliveryCursors::repeated`]). A
/// failed alert is retried and delays those after it; a refused one becomes a dead letter, a damaged one is reported,
/// and neither delays anything. After a stop it continues while alerts are waiting and accepted: limit its time.
///
/// Alerts are sent again, with the same IDs, if the response is lost, or if the program is killed before it has recorded those of
/// the last quarter of a second.
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

/// What was accepted or passed over, and is not recorded yet.
struct Unrecorded {
    position: Option<i64>,
    recorded_ms: i64,
}

impl Delivery<'_> {
    /// Sends some of the waiting alerts. Returns the number done, or the failure and how long the subscriber wants to
    /// wait.
    async fn some(&self, health: &mut DeliveryHealth) -> Result<usize, (PortError, Option<u64>)> {
        let failed = |error| (error, None);
        let waiting = self.followers.waiting(self.follower, ALERTS_MAX).await.map_err(failed)?;
        let mut unrecorded = Unrecorded { position: None, recorded_ms: self.clock.steady_ms() };
        for (position, alert) in &waiting {
            let sent = self.one(*position, alert.as_ref(), health, &mut unrecorded).await;
            let is_time = self.clock.steady_ms() - unrecorded.recorded_ms >= RECORD_MS;
            if sent.is_err() || is_time {
                self.record(&mut unrecorded).await.map_err(failed)?;
            }
            sent?;
        }
        self.record(&mut unrecorded).await.map_err(failed)?;
        Ok(waiting.len())
    }

    async fn record(&self, unrecorded: &mut Unrecorded) -> Result<(), PortError> {
        if let Some(position) = unrecorded.position.take() {
            self.followers.done(self.follower, position).await?;
        }
        unrecorded.recorded_ms = self.clock.steady_ms();
        Ok(())
    }

    async fn one(
        &self,
        position: i64,
        alert: Result<&Alert, &PortError>,
        health: &mut DeliveryHealth,
        unrecorded: &mut Unrecorded,
    ) -> Result<(), (PortError, Option<u64>)> {
        let alert = match alert {
            Ok(alert) if alert.verdict == Verdict::Alert => alert,
            passed => {
                if let Err(damage) = passed {
                    (self.report)(&Trouble::Damaged { why: with_causes(damage) });
                }
                unrecorded.position = Some(position);
                return Ok(());
            }
        };
        if self.followers.repeated(position, alert).await.map_err(|error| (error, None))?.is_some() {
            unrecorded.position = Some(position);
            return Ok(());
        }
        match self.subscriber.notify(alert).await {
            Ok(()) => {
                unrecorded.position = Some(position);
                *health = DeliveryHealth::default();
                Ok(())
            }
            Err(DeliveryError::Refused(error)) => {
                let why = with_causes(&error);
                let now = self.clock.now();
                // Records those before it as well.
                let kept = self.followers.refused(self.follower, position, now, &why).await;
                kept.map_err(|error| (error, None))?;
                unrecorded.position = None;
                *health = DeliveryHealth { failures: 0, refusals: health.refusals + 1 };
                (self.report)(&Trouble::Refused { why, in_a_row: health.refusals });
                Ok(())
            }
            Err(DeliveryError::Later { error, after_ms }) => Err((error, after_ms)),
        }
    }
}
