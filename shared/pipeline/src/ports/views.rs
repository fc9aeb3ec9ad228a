use async_trait::async_trait;
use stoop_domain::{Alert, Market};
use stoop_market::Cells;

use super::PortError;

/// What people and programs read in addition to homes and states of markets ([`super::Store`]). Never writes.
#[async_trait]
pub trait Views: Send + Sync {
    /// The names of all markets, in order. May lag slightly behind the store.
    async fn market_ids(&self) -> Result<Vec<Market>, PortError>;

    /// The archive of a market: the sum of the cells that its state no longer holds ([`Cells::with_archive`]). Empty
    /// for a market that has none.
    async fn archive(&self, market: &Market) -> Result<Cells, PortError>;

    /// The last alerts, the latest first by the time of the change, at most `limit`; with `suspects`, including those
    /// held back.
    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError>;
}
