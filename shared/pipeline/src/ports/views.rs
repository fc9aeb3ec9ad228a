use async_trait::async_trait;
use stoop_domain::{Alert, AlertId, Market, Time};
use stoop_market::Cells;
use stoop_rules::Rules;

use super::PortError;

/// What people and programs read in addition to homes and states of markets ([`super::Store`]). Never writes.
#[async_trait]
pub trait Views: Send + Sync {
    /// The names of all markets, in order. May lag slightly behind the store.
    async fn market_ids(&self) -> Result<Vec<Market>, PortError>;

    /// The archive of a market: the sum of the cells that its state no longer holds ([`Cells::with_archive`]). Empty
    /// for a market that has none.
    async fn archive(&self, market: &Market) -> Result<Cells, PortError>;

    /// When the newest observation that these markets count was made; `None` if there is none. A store may give the time
    /// of its commit instead, which is a little later.
    async fn observed_at(&self, markets: &[Market]) -> Result<Option<Time>, PortError>;

    /// The last alerts, the latest first by the time of the change, at most `limit`; with `suspects`, including those
    /// held back.
    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError>;

    /// The alert with this ID, sent or held back, however old; `None` if there is none.
    async fn alert(&self, id: &AlertId) -> Result<Option<JudgedAlert>, PortError>;
}

/// An alert and the rules that it was judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedAlert {
    /// The alert.
    pub alert: Alert,
    /// The rules; `None` for an alert of a version that did not store them.
    pub rules: Option<Rules>,
}
