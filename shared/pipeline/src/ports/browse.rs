use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market};

use super::{PortError, RunRecord};

/// What people browse besides figures and alerts. Never writes.
#[async_trait]
pub trait Browse: Send + Sync {
    /// The first `limit` homes of a market that are on offer or under contract, by ID, after `after`. Fewer than `limit`
    /// mean that there are no more. A home that expired meanwhile may still be among them.
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError>;

    /// The last `limit` runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError>;
}
