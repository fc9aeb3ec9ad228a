use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market};

use super::PortError;

/// Finds the other listings of homes that count once.
#[async_trait]
pub trait OtherListings: Send + Sync {
    /// The other listings of the home that a listing shows, which is counted in `market`, in order of their IDs. None where each
    /// listing counts as a home, and of a change that is not merged yet.
    async fn others(&self, listing: &HomeId, market: &Market) -> Result<Vec<(HomeId, Home)>, PortError>;
}
