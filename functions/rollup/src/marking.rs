use async_trait::async_trait;
use stoop_domain::{Day, Market};
use stoop_pipeline::ports::{MergedMarkets, MergingTerms, PortError, RollUps, StoredSum, WholeMarket};
use stoop_pipeline::{AreaSum, WideArea, mark_counties};

/// Areas of markets whose counties are marked to be merged before what changed is forgotten. If they cannot be marked, the markets are
/// rolled up once more.
pub(crate) struct MarkingRollUps<'a> {
    pub(crate) areas: &'a dyn RollUps,
    pub(crate) merged: &'a dyn MergedMarkets,
    pub(crate) terms: Option<&'a MergingTerms>,
}

#[async_trait]
impl RollUps for MarkingRollUps<'_> {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        self.areas.changed().await
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.areas.markets().await
    }

    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        self.areas.whole(markets, covered_from).await
    }

    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError> {
        mark_counties(self.merged, self.terms, markets.iter().map(|(market, _)| market)).await?;
        self.areas.settle(markets).await
    }

    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError> {
        self.areas.sum(area).await
    }

    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError> {
        self.areas.put(area, sum, read).await
    }
}
