use async_trait::async_trait;
use stoop_domain::{Alert, AlertId};

use super::PortError;

/// What has been told. An id that is in it is never told again.
///
/// Contract: what [`Ledger::record`] returned from is known to every later [`Ledger::known`], for ever.
/// Recording an id twice keeps the first.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Which of these ids are recorded, in their order.
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError>;

    /// Records alerts, told or held back.
    async fn record(&self, alerts: &[Alert]) -> Result<(), PortError>;
}

/// Where alerts are told. Contract: an alert whose outcome is not an error has left our hands.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Tells alerts, in their order. There is one outcome for each: some may be taken and others refused.
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>>;
}
