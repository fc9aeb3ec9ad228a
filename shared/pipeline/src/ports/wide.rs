use async_trait::async_trait;
use stoop_domain::{Day, Market, Time};
use stoop_market::{Cells, Wide};

use super::PortError;
use crate::rollup::{AreaSum, WideArea, WideLevel};

/// Wide areas, ready to be shown. Never writes.
#[async_trait]
pub trait WideAreas: Send + Sync {
    /// What is kept of an area, for the figures of the moment `now` and the series that ends there. `markets` is how many
    /// markets the area has by [`super::Views::market_ids`].
    ///
    /// `None` where it does not tell that moment, or not all of those markets: then they have to be added up.
    async fn wide(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError>;

    /// Shows the areas of a level that these markets lie in, each as [`WideAreas::wide`] tells it but without its
    /// series. `markets` are all of those areas' markets. As many sums are read as there are areas one level above (of
    /// cities: counties), and few are in memory at a time.
    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError>;
}

/// Takes an area, and what is shown of it.
pub type VisitWide<'v> = dyn FnMut(WideArea, Option<ShownWide>) + Send + 'v;

/// What is kept of a wide area, and how fresh it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownWide {
    /// The sum.
    pub sum: Wide,
    /// All that was committed until then is in it; `None` where that is all there is.
    pub rolled_up: Option<Time>,
}

/// Wide areas, to be kept up, where no transaction holds a market and the areas above it: see [`crate::roll_up`].
///
/// Contract:
/// * A market whose version grew is among [`RollUps::changed`] a moment later, until [`RollUps::settle`] with that version.
/// * [`RollUps::put`] stores the whole sum or nothing, and nothing where the stored one is another than was read.
#[async_trait]
pub trait RollUps: Send + Sync {
    /// Markets that changed since they were settled, in order.
    async fn changed(&self) -> Result<Vec<Market>, PortError>;

    /// All markets, in order. May lag a little.
    async fn markets(&self) -> Result<Vec<Market>, PortError>;

    /// These markets as they are stored now, each at one moment, in their order. The archive may be left out where the state
    /// tells the days from `covered_from` on.
    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError>;

    /// Says of markets that this version of each is in the sums of all areas that it lies in. Nothing happens where one has
    /// another by now. Where it fails, it may be done for some.
    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError>;

    /// What is kept of an area. What cannot be read, being damaged or of another format, is as if there were nothing, and
    /// is told of.
    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError>;

    /// Stores a sum in place of the one that was read; `false` where somebody else was faster.
    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError>;
}

/// A market's state and archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WholeMarket {
    /// The version of both.
    pub version: u64,
    /// What [`super::Store::markets`] gives.
    pub state: Cells,
    /// What [`super::Views::archive`] gives.
    pub archive: Cells,
    /// When that version was committed.
    pub committed: Time,
}

/// What was found in the place of an area's sum.
#[derive(Clone, Debug, Default)]
pub struct StoredSum {
    /// It, if there is one that can be read.
    pub sum: Option<AreaSum>,
    /// What names these very bytes; `None` where there are none.
    pub tag: Option<String>,
}
