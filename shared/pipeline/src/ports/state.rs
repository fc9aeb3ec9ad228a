use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market, Observation};
use stoop_market::{Cells, Delta, Horizon};

use super::PortError;

/// The state: every home and every market, each with a version.
///
/// Contract:
/// * A version is 0 for what does not exist and grows with each commit to the item.
/// * [`Store::commit`] is atomic: all of it is stored, or nothing is. It is refused with
///   [`CommitError::Conflict`] when any version it names is not the stored one.
/// * The commit's observations are kept for ever (the lake) no later than the state that includes them:
///   at least once on AWS, exactly once on SQLite.
/// * Every home change marked [`HomeChange::notable`] appears on the change feed with its old and new
///   image, at least once, in the order of that home's commits.
/// * What a commit has stored survives the death of the process at any later moment.
#[async_trait]
pub trait Store: Send + Sync {
    /// The homes with these ids, in their order.
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError>;

    /// The states of these markets, in their order.
    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError>;

    /// Stores a batch's effect.
    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError>;

    /// How many items (homes and markets together) one commit may hold.
    fn commit_items_max(&self) -> usize;
}

/// A stored item and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The item.
    pub value: T,
    /// Its version, at least 1.
    pub version: u64,
}

/// One atomic step of the state.
#[derive(Clone, Debug, Default)]
pub struct Commit<'a> {
    /// Homes to be written.
    pub homes: Vec<HomeChange<'a>>,
    /// Markets to be written.
    pub markets: Vec<MarketChange<'a>>,
    /// Observations that the new state includes.
    pub observations: Vec<&'a Observation>,
}

/// A home to be written.
#[derive(Clone, Debug)]
pub struct HomeChange<'a> {
    /// Which.
    pub id: &'a HomeId,
    /// The version that was read; 0 for a home that was not there.
    pub version_read: u64,
    /// The image that was read, where it is [`HomeChange::notable`]; `None` for a home that was not there.
    pub old: Option<&'a Home>,
    /// The image to store.
    pub new: &'a Home,
    /// Whether what is read from the home's history moved: then it goes on the change feed. If not, the home is counted
    /// where it was.
    pub notable: bool,
}

/// A market to be written.
#[derive(Clone, Debug)]
pub struct MarketChange<'a> {
    /// Which.
    pub market: &'a Market,
    /// The version that was read; 0 for a market that was not there.
    pub version_read: u64,
    /// The state to store.
    pub new: &'a Cells,
    /// How it came about, for a store that keeps changes rather than whole states: `new` is what was read,
    /// with all of these added, folded to `fold_to`.
    pub deltas: Vec<&'a Delta>,
    /// See `deltas`.
    pub fold_to: Option<Horizon>,
    /// What `new` tells of no more, be it that it was folded away or that it came late: to be added to the market's
    /// archive, which is kept for ever ([`super::Views::archive`]). Empty, as a rule.
    pub archived: Cells,
}

/// A home's step as the change feed tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which home.
    pub home: HomeId,
    /// What it was before; `None` for a home that was not there.
    pub old: Option<Home>,
    /// What it is now.
    pub new: Home,
}

/// Why a commit was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else wrote in between: read again, apply again.
    #[error("an item changed since it was read")]
    Conflict,
    /// A home has more bytes than one item of the store may have. Nothing of the commit is stored.
    #[error("the home {home} takes {bytes} bytes, more than an item may have")]
    TooLarge {
        /// Which home.
        home: HomeId,
        /// How many bytes it takes.
        bytes: usize,
    },
    /// Something else.
    #[error(transparent)]
    Port(#[from] PortError),
}
