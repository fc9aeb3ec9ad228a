use async_trait::async_trait;
use stoop_domain::{Day, Market, Time};
use stoop_market::Wide;

use super::PortError;
use crate::areas::area_sum::{AreaSum, WholeMarket};
use crate::areas::wide_area::{WideArea, WideLevel};

/// Wide areas, ready to be shown. Never writes.
#[async_trait]
pub trait WideAreas: Send + Sync {
    /// The stored sum of an area, for the figures at `now` and the series that ends there. `markets` is the number of
    /// the area's markets by [`super::Views::market_ids`].
    ///
    /// `None` if it does not cover that time, or not all of those markets: then add the markets up.
    async fn wide(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError>;

    /// Like [`WideAreas::wide`] without the series.
    async fn now(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError>;

    /// Whether the markets of a small area should be added up although its sum is stored, because sums may be a moment
    /// behind.
    fn may_lag(&self) -> bool;

    /// Visits the areas of a level that contain these markets, each like [`WideAreas::wide`] without its series.
    /// `markets` are all markets of those areas. It reads as many sums as there are areas one level above (for cities:
    /// counties), and few are in memory at a time.
    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError>;
}

/// Receives an area, and its stored sum.
pub type VisitWide<'v> = dyn FnMut(WideArea, Option<ShownWide>) + Send + 'v;

/// The stored sum of a wide area, and how fresh it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownWide {
    /// The sum.
    pub sum: Wide,
    /// Everything committed before this time is included; `None` if everything is.
    pub rolled_up: Option<Time>,
}

/// Keeps wide areas up to date in a store without transactions over a market and the areas above it: see
/// [`crate::roll_up`].
///
/// Contract:
/// * A market whose version grew is among [`RollUps::changed`] a moment later, until [`RollUps::settle`] with that
///   version.
/// * [`RollUps::put`] stores the whole sum or nothing, and nothing if the stored one is not the one that was read.
#[async_trait]
pub trait RollUps: Send + Sync {
    /// Markets that changed since they were settled, in order.
    async fn changed(&self) -> Result<Vec<Market>, PortError>;

    /// All markets, in order. May lag slightly.
    async fn markets(&self) -> Result<Vec<Market>, PortError>;

    /// These markets as stored now, each consistent in itself, in their order. The archive may be left out if the state
    /// covers the days from `covered_from` on.
    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError>;

    /// Marks this version of each market as included in the sums of all its areas. Markets that have another version by
    /// now are skipped. After an error some may be marked.
    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError>;

    /// The stored sum of an area. A sum that is damaged or of another format counts as missing, and is logged.
    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError>;

    /// Replaces the sum that was read; `false` if another writer was faster.
    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError>;
}

/// The stored object of an area's sum.
#[derive(Clone, Debug, Default)]
pub struct StoredSum {
    /// The sum, if it is readable.
    pub sum: Option<AreaSum>,
    /// Identifies these bytes; `None` if there are none.
    pub tag: Option<String>,
}
