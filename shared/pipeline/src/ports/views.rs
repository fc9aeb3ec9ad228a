use async_trait::async_trait;
use stoop_domain::{Alert, Market};
use stoop_market::Cells;

use super::PortError;

/// What is read for people and programs beside homes and states of markets ([`super::Store`]). Never writes.
#[async_trait]
pub trait Views: Send + Sync {
    /// The names of all markets, in order. May lag a little behind the store.
    async fn market_ids(&self) -> Result<Vec<Market>, PortError>;

    /// The archive of a market: the sum of all that its state was told and tells of no more ([`Cells::with_archive`]).
    /// Empty for a market that has none.
    async fn archive(&self, market: &Market) -> Result<Cells, PortError>;

    /// The alerts told last, the latest first by the time of the change, at most `limit`; with `suspects`, those
    /// that were held back as well.
    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError>;
}
