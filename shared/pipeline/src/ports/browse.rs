use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market};

use super::{PortError, RunRecord};

/// What people browse besides figures and alerts. Never writes.
#[async_trait]
pub trait Browse: Send + Sync {
    /// The first `limit` homes that are now counted in a market, by ID, after `after`.
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError>;

    /// The last `limit` runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError>;
}
