use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_market::Cells;

use super::{CommitError, MarketChange, PortError, Versioned};

/// The merged homes of markets, in a store that has no transaction over the markets of a county: see [`crate::merge_counties`].
///
/// Contract:
/// * [`MergedMarkets::replace`] stores the state of a market and its merged homes at once or not at all, and is refused with
///   [`CommitError::Conflict`] if the stored version is not the one that was read.
/// * Every other commit to the market leaves its merged homes as they are.
/// * [`MergedMarkets::settle`] loses no mark of [`MergedMarkets::mark`].
#[async_trait]
pub trait MergedMarkets: Send + Sync {
    /// The counties that were ever marked, in order.
    async fn counties(&self) -> Result<Vec<CountyRecord>, PortError>;

    /// Notes that listings of a county changed.
    async fn mark(&self, county: &str) -> Result<(), PortError>;

    /// Stores what a pass did in a county, except for the marks. Does nothing if a pass that included more of them has ended.
    async fn settle(&self, county: &CountyRecord) -> Result<(), PortError>;

    /// The listings that are counted in these markets, in order of their IDs; `None` if they are more than `limit`. May lack
    /// those that were stored a moment ago.
    async fn listings(&self, markets: &[Market], limit: usize) -> Result<Option<Vec<(HomeId, Home)>>, PortError>;

    /// The merged homes of a market; none for a market without. Without its state.
    async fn merged(&self, market: &Market) -> Result<MergedMarket, PortError>;

    /// The state of a market, with its merged homes; `None` if there is no such market.
    async fn whole(&self, market: &Market) -> Result<Option<(Versioned<Cells>, MergedMarket)>, PortError>;

    /// Stores a market with its merged homes.
    async fn replace(&self, change: &MarketChange<'_>, merged: &MergedMarket) -> Result<(), CommitError>;
}

/// How listings are merged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergingTerms {
    /// The sources whose listings are never merged with others.
    pub except: BTreeSet<String>,
    /// The version of the weights.
    pub model: u16,
}

/// What is known of a county whose homes count once each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountyRecord {
    /// Its path, as [`crate::merging_area`] gives it.
    pub county: String,
    /// How often it was marked. Never falls: it dates what markets have.
    pub changes: u64,
    /// How many of these marks the last pass included.
    pub merged: u64,
    /// When that was; `None` if each listing counts, and 1970 if the first pass has begun and not ended.
    pub merged_at: Option<Time>,
    /// How its listings were merged then.
    pub terms: MergingTerms,
    /// Homes with several listings.
    pub homes: u64,
    /// The listings of these.
    pub listings: u64,
    /// The markets of other counties that may have corrections of its homes.
    pub elsewhere: BTreeSet<Market>,
}

/// What a market has of merged homes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MergedMarket {
    /// Of each county whose listings were compared, by its path: mostly its own. A listing that moved to another county leaves
    /// corrections behind.
    pub counties: BTreeMap<String, MergedOfCounty>,
}

/// What a market has of the merged homes of one county.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedOfCounty {
    /// How many marks of the county it includes. A pass that included fewer does not replace it.
    pub changes: u64,
    /// The homes with several listings, of which one at least is counted here, in order of their IDs.
    pub homes: Vec<MergedHomeRecord>,
    /// What the state of the market has besides what its listings contribute: the sum of the corrections.
    #[serde(with = "cells")]
    pub corrections: Cells,
}

/// The listings of a merged home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedHomeRecord {
    /// The least ID of its listings.
    pub id: HomeId,
    /// Its listings, in order of their IDs.
    pub listings: Vec<HomeId>,
    /// The listing that speaks for it; `None` if all have expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<HomeId>,
}

impl MergedMarket {
    /// Whether the market is as if each listing counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counties.is_empty()
    }

    /// Its merged homes.
    pub fn homes(&self) -> impl Iterator<Item = &MergedHomeRecord> {
        self.counties.values().flat_map(|county| &county.homes)
    }

    /// What its state has besides what its listings contribute.
    #[must_use]
    pub fn corrections(&self) -> Cells {
        let mut sum = Cells::default();
        self.counties.values().for_each(|county| sum.merge(&county.corrections));
        sum
    }

    /// The merged home of a listing.
    #[must_use]
    pub fn home_of(&self, listing: &HomeId) -> Option<&MergedHomeRecord> {
        self.homes().find(|home| home.listings.binary_search(listing).is_ok())
    }

    /// The listings that do not speak for their home.
    #[must_use]
    pub fn silent(&self) -> BTreeSet<&HomeId> {
        let of_home = |home: &'_ MergedHomeRecord| home.speaker.clone();
        let silent = self.homes().flat_map(|home| {
            let speaker = of_home(home);
            home.listings.iter().filter(move |listing| speaker.as_ref() != Some(*listing))
        });
        silent.collect()
    }
}

impl MergedOfCounty {
    /// Whether it has the same homes and corrections, as of whatever changes.
    #[must_use]
    pub fn has(&self, other: &Self) -> bool {
        (&self.homes, &self.corrections) == (&other.homes, &other.corrections)
    }
}

/// A state as its bytes in hexadecimal.
mod cells {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use stoop_market::Cells;

    pub(super) fn serialize<S: Serializer>(cells: &Cells, to: S) -> Result<S::Ok, S::Error> {
        use std::fmt::Write;
        let mut text = String::new();
        for byte in cells.to_bytes() {
            write!(text, "{byte:02x}").map_err(serde::ser::Error::custom)?;
        }
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Cells, D::Error> {
        let text = String::deserialize(from)?;
        let pair = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(pair).collect();
        Cells::from_bytes(&bytes.ok_or_else(|| D::Error::custom("not hexadecimal"))?).map_err(D::Error::custom)
    }
}
