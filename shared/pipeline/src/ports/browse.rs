use async_trait::async_trait;
use serde::Serialize;
use stoop_domain::{Day, Home, HomeId, Market, Reason, ReferenceAround, Reject};

use stoop_identity::PairRulings;

use super::{PortError, RunRecord};
use crate::NextPoll;

/// What polls searches at intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polling {
    /// Nothing: what is shown is as it was left.
    Nothing,
    /// `stoop run`.
    Searches,
    /// `stoop demo`: homes, portal and time are simulated.
    Simulation,
}

/// What people browse besides figures and alerts. Never writes.
#[async_trait]
pub trait Browse: Send + Sync {
    /// The first `limit` homes of a market that are on offer or under contract, by ID, after `after`; where each home counts
    /// once, the listing that speaks for each. Fewer than `limit` mean that there are no more. A home that expired meanwhile may still be among them.
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError>;

    /// The last `limit` runs, newest first.
    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError>;

    /// The last run of a kind, such as `verify`; `None` if there is none.
    async fn last_run(&self, kind: &str) -> Result<Option<RunRecord>, PortError>;

    /// When each search is polled next, by its name, also of those that were removed from the configuration.
    async fn next_polls(&self) -> Result<Vec<NextPoll>, PortError>;

    /// What polls searches at intervals. `None` if this store cannot know.
    async fn polling(&self) -> Result<Option<Polling>, PortError> {
        Ok(None)
    }

    /// What was refused, with the last `newest` rejects. `None` if this store does not list its quarantine.
    async fn quarantine(&self, newest: usize) -> Result<Option<Quarantined>, PortError> {
        let _ = newest;
        Ok(None)
    }

    /// As [`Browse::homes_of`]; where each home counts once, also the listings that do not speak for their home.
    async fn listings_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.homes_of(market, after, limit).await
    }

    /// What people ruled on pairs of listings. Empty if this store keeps no rulings.
    async fn pair_rulings(&self) -> Result<PairRulings, PortError> {
        Ok(PairRulings::default())
    }

    /// Whether each home counts once, though several listings show it.
    async fn merges(&self) -> Result<bool, PortError> {
        Ok(false)
    }

    /// The homes that are counted in place of their listings. `None` if each listing counts as a home.
    async fn merged(&self) -> Result<Option<MergedCounts>, PortError> {
        Ok(None)
    }

    /// The reference series of an area: the values of the area and of the areas around it, from the last one at or before
    /// `first` to `last`, by name; without series that have no value there. Empty if this store has no reference series.
    async fn reference(&self, path: &str, first: Day, last: Day) -> Result<Vec<ReferenceAround>, PortError> {
        let _ = (path, first, last);
        Ok(Vec::new())
    }
}

/// The homes that are counted in place of their listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MergedCounts {
    /// Homes with more than one listing.
    pub homes: u64,
    /// The listings of these.
    pub listings: u64,
    /// Counties with changes that are not merged yet.
    pub counties_waiting: u64,
}

/// What a store keeps in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quarantined {
    /// The number of refused rows and values, by source and reason.
    pub counts: Vec<RefusedRows>,
    /// Some rejects, the newest first.
    pub newest: Vec<Reject>,
}

/// The number of refused rows and values of one source with one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRows {
    /// The source, or `stream` and `changes` for records of Stoop itself.
    pub source: String,
    /// Why they were refused.
    pub reason: Reason,
    /// How many rows; one reject may stand for several.
    pub rows: u64,
    /// How many values of rows that were kept without them.
    pub values: u64,
}
