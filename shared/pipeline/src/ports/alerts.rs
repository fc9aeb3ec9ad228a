use async_trait::async_trait;
use stoop_domain::{Alert, AlertId, Time};
use stoop_rules::Rules;

use super::PortError;

/// The ledger of alerts. An ID in it is never sent again.
///
/// Contract: what [`Ledger::record`] returned from is known to every later [`Ledger::known`], for ever. Recording an ID
/// twice keeps the first.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Which of these IDs are recorded, in their order.
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError>;

    /// Records alerts, sent or held back, and the rules they were judged by. A known alert always has known rules.
    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError>;

    /// Marks alerts as withdrawn at a time ([`Alert::withdrawn`]), or removes the mark: each ID is there once. An alert
    /// that is marked keeps its time. Unknown IDs stay unknown. Returns how many alerts changed.
    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError>;
}

/// An alert of the ledger with its position. An error if what is stored is damaged: it delays no other alert.
pub type LedgerRow = (i64, Result<Alert, PortError>);

/// The progress of those who send a ledger's alerts, each at its own pace.
///
/// Contract: alerts have positions that grow in the order in which they were recorded, and are never removed. A
/// follower without recorded progress is at the beginning.
#[async_trait]
pub trait DeliveryCursors: Send + Sync {
    /// Whether a follower has recorded progress.
    async fn is_known(&self, follower: &str) -> Result<bool, PortError>;

    /// The position of the alert that was recorded last; 0 if there is none.
    async fn newest(&self) -> Result<i64, PortError>;

    /// The first `limit` alerts that a follower has not done, sent or held back, each with its position.
    async fn waiting(&self, follower: &str, limit: usize) -> Result<Vec<LedgerRow>, PortError>;

    /// The alert that the one at this position repeats: it was recorded before, of another listing of the same home, and says as
    /// much. Then this one is not sent. `None` if there is none, and where each listing counts as a home.
    async fn repeated(&self, position: i64, alert: &Alert) -> Result<Option<AlertId>, PortError> {
        let _ = (position, alert);
        Ok(None)
    }

    /// Records that a follower has done every alert up to this position.
    async fn done(&self, follower: &str, position: i64) -> Result<(), PortError>;

    /// Records that the alert at this position was refused for good: it becomes a dead letter, and the follower has
    /// done every alert up to it.
    async fn refused(&self, follower: &str, position: i64, at: Time, why: &str) -> Result<(), PortError>;
}

/// An alert that a subscriber refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The position of the alert in the ledger.
    pub position: i64,
    /// When it was refused.
    pub at: Time,
    /// The reason.
    pub why: String,
    /// The alert.
    pub alert: Alert,
}

/// The dead letters of those who send a ledger's alerts.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The first `limit` dead letters of a follower after a position (0: from the beginning), in the order of the
    /// ledger.
    async fn list(&self, follower: &str, after: i64, limit: usize) -> Result<Vec<DeadLetter>, PortError>;

    /// Stores a dead letter again, with a new reason.
    async fn keep(&self, follower: &str, position: i64, at: Time, why: &str) -> Result<(), PortError>;

    /// Removes a dead letter that was accepted after all.
    async fn remove(&self, follower: &str, position: i64) -> Result<(), PortError>;
}

/// Receives alerts one by one.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// Sends an alert once.
    async fn notify(&self, alert: &Alert) -> Result<(), DeliveryError>;
}

/// Why an alert was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It would be refused again.
    #[error(transparent)]
    Refused(PortError),
    /// It may be accepted later.
    #[error("{error}")]
    Later {
        /// The error.
        error: PortError,
        /// When to retry, in milliseconds, if the subscriber said so.
        after_ms: Option<u64>,
    },
}

/// Publishes alerts. Contract: an alert whose outcome is not an error has been handed over.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Publishes alerts, in their order, with one outcome for each: some may be accepted and others refused.
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>>;
}
