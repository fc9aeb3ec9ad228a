use async_trait::async_trait;
use stoop_domain::{Alert, Market};
use stoop_market::Close;

use super::PortError;

/// What is read for people and programs beside homes and states of markets ([`super::Store`]). Never writes.
#[async_trait]
pub trait Views: Send + Sync {
    /// The names of all markets, in order. May lag a little behind the store.
    async fn market_ids(&self) -> Result<Vec<Market>, PortError>;

    /// The closes of a market's days that have left its horizon, in the order of the days.
    async fn closes(&self, market: &Market) -> Result<Vec<Close>, PortError>;

    /// The alerts told last, the latest first by the time of the change, at most `limit`; with `suspects`, those
    /// that were held back as well.
    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError>;
}
