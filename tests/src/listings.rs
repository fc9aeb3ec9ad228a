use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market};
use stoop_pipeline::ports::{OtherListings, PortError, Store};

/// Homes of which each has one listing.
pub struct NoOthers;

#[async_trait]
impl OtherListings for NoOthers {
    async fn others(&self, _: &HomeId, _: &Market) -> Result<Vec<(HomeId, Home)>, PortError> {
        Ok(Vec::new())
    }
}

/// Listings of one home.
pub struct OneHome<'a> {
    /// The store that has them.
    pub store: &'a dyn Store,
    /// Their IDs.
    pub listings: Vec<HomeId>,
}

#[async_trait]
impl OtherListings for OneHome<'_> {
    async fn others(&self, listing: &HomeId, _: &Market) -> Result<Vec<(HomeId, Home)>, PortError> {
        if !self.listings.contains(listing) {
            return Ok(Vec::new());
        }
        let ids: Vec<HomeId> = self.listings.iter().filter(|other| *other != listing).cloned().collect();
        let homes = self.store.homes(&ids).await?;
        Ok(ids.into_iter().zip(homes).filter_map(|(id, home)| Some((id, home?.value))).collect())
    }
}
