use async_trait::async_trait;
use stoop_domain::{Alert, AlertId, Time};
use stoop_rules::Rules;

use super::PortError;

/// What has been told. An id that is in it is never told again.
///
/// Contract: what [`Ledger::record`] returned from is known to every later [`Ledger::known`], for ever.
/// Recording an id twice keeps the first.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Which of these ids are recorded, in their order.
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError>;

    /// Records alerts, told or held back, and by which rules they were judged. No alert is known whose rules are not.
    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError>;
}

/// Those who tell what a ledger holds, at their own pace: how far each has come.
///
/// Contract: alerts have places that grow in the order in which they were recorded, and are never removed. A follower
/// that never said how far it has come stands at the beginning.
#[async_trait]
pub trait DeliveryCursors: Send + Sync {
    /// The first `limit` alerts that a follower has not done with, told or held back, each with its place.
    async fn waiting(&self, follower: &str, limit: usize) -> Result<Vec<(i64, Alert)>, PortError>;

    /// A follower has done with every alert up to this place.
    async fn done(&self, follower: &str, position: i64) -> Result<(), PortError>;

    /// The alert at this place was refused for ever: it is kept as a dead letter, and a follower has done with
    /// every alert up to it.
    async fn refused(&self, follower: &str, position: i64, at: Time, why: &str) -> Result<(), PortError>;
}

/// Somebody who is told alerts one by one.
#[async_trait]
pub trait Subscriber: Send + Sync {
    /// Tells an alert once.
    async fn notify(&self, alert: &Alert) -> Result<(), DeliveryError>;
}

/// Why an alert was not heard.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// It would be refused again.
    #[error(transparent)]
    Refused(PortError),
    /// It may be heard later.
    #[error("{error}")]
    Later {
        /// What went wrong.
        error: PortError,
        /// After so long, if the subscriber said so.
        after_ms: Option<u64>,
    },
}

/// Where alerts are told. Contract: an alert whose outcome is not an error has left our hands.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Tells alerts, in their order. There is one outcome for each: some may be taken and others refused.
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>>;
}
