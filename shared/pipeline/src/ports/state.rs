use std::borrow::Cow;

use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market, Minor, Observation, Status, Time};
use stoop_market::{Cells, Delta, Horizon};
use stoop_wire::home_to_bytes;

use super::PortError;

/// The state: every home and every market, each with a version.
///
/// Contract:
/// * A version is 0 for what does not exist and grows with each commit to the item.
/// * [`Store::commit`] is atomic: all of it is stored, or nothing is. It is refused with [`CommitError::Conflict`] when
///   any version it names is not the stored one.
/// * The commit's observations are kept for ever (in the lake) no later than the state that includes them: at least
///   once on AWS, exactly once on SQLite.
/// * Every home change marked [`HomeChange::notable`] appears on the change feed with its old and new image, at least
///   once, in the order of that home's commits.
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

/// A store that holds the observations of a coming commit compactly while they are gathered.
#[async_trait]
pub trait Gathers: Store {
    /// Observations that wait for their commit, in order of arrival; empty by default.
    type Held: Default + Send;

    /// Adds observations to those that wait.
    fn hold(&self, held: &mut Self::Held, observations: &[&Observation]) -> Result<(), PortError>;

    /// Their approximate memory in bytes.
    fn held_bytes(held: &Self::Held) -> usize;

    /// Returns the observations that were held first, some thousands at a time; none when none is left.
    fn release(&self, held: &mut Self::Held) -> Result<Vec<Observation>, PortError>;

    /// [`Store::commit`] with the waiting observations instead of the commit's own, which must be empty. The deltas of
    /// a new market may be left out: its new state is enough.
    async fn commit_held(&self, commit: &Commit<'_>, held: &mut Self::Held) -> Result<(), CommitError>;
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
    /// Homes to write.
    pub homes: Vec<HomeChange<'a>>,
    /// Markets to write.
    pub markets: Vec<MarketChange<'a>>,
    /// Observations that the new state includes.
    pub observations: Vec<&'a Observation>,
}

/// A home to write.
#[derive(Clone, Debug)]
pub struct HomeChange<'a> {
    /// The ID of the home.
    pub id: &'a HomeId,
    /// The version that was read; 0 for a new home.
    pub version_read: u64,
    /// The image that was read, as bytes, if the change is [`HomeChange::notable`]; `None` for a new home.
    pub old: Option<Cow<'a, [u8]>>,
    /// The image to store.
    pub new: HomeImage<'a>,
    /// Whether it goes on the change feed: the home's history changed, and the home may have alerts
    /// ([`stoop_rules::may_raise`]).
    pub notable: bool,
    /// Whether the home is new, or counted in another market than before.
    pub moved: bool,
}

/// A stored home, and the attributes that can be queried without decoding it.
#[derive(Clone, Debug)]
pub struct HomeImage<'a> {
    /// As [`home_to_bytes`] wrote it.
    pub bytes: Cow<'a, [u8]>,
    /// The market in which it is counted; `None` if in none.
    pub market: Option<Market>,
    /// Its newest status.
    pub status: Option<Status>,
    /// Its asking price, in the minor unit of its market's currency.
    pub list_price: Option<Minor>,
    /// When it was last seen.
    pub last_seen: Option<Time>,
}

impl<'a> HomeChange<'a> {
    /// The change of a home from the image that was read to another.
    #[must_use]
    pub fn of(id: &'a HomeId, version_read: u64, old: Option<&Home>, new: &Home, notable: bool) -> Self {
        let market = |home: &'_ Home| home.history.current().map(|facts| facts.market.clone());
        let new = HomeImage::of(new, home_to_bytes(new));
        let moved = old.is_none_or(|old| market(old) != new.market);
        let old = old.filter(|_| notable).map(|old| home_to_bytes(old).into());
        Self { id, version_read, old, new, notable, moved }
    }
}

impl<'a> HomeImage<'a> {
    /// Borrows the image.
    #[must_use]
    pub fn borrowed(&self) -> HomeImage<'_> {
        let Self { bytes, market, status, list_price, last_seen } = self;
        HomeImage {
            bytes: Cow::Borrowed(bytes),
            market: market.clone(),
            status: *status,
            list_price: *list_price,
            last_seen: *last_seen,
        }
    }

    /// The image of a home with these bytes.
    #[must_use]
    pub fn of(home: &Home, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let facts = home.history.current();
        Self {
            bytes: bytes.into(),
            market: facts.map(|facts| facts.market.clone()),
            status: facts.map(|facts| facts.status),
            list_price: facts.and_then(|facts| facts.list_price),
            last_seen: home.history.seen().map(|(_, last)| last),
        }
    }

    /// Its market, if it is on offer or under contract there.
    #[must_use]
    pub fn open_in(&self) -> Option<&Market> {
        self.market.as_ref().filter(|_| self.status.is_some_and(Status::is_open))
    }
}

/// A market to write.
#[derive(Clone, Debug)]
pub struct MarketChange<'a> {
    /// The ID of the market.
    pub market: &'a Market,
    /// The version that was read; 0 for a new market.
    pub version_read: u64,
    /// The state to store.
    pub new: &'a Cells,
    /// The changes, for a store that keeps changes instead of whole states: `new` is the state that was read, with all
    /// of these added, folded to `fold_to`.
    pub deltas: Vec<&'a Delta>,
    /// See `deltas`.
    pub fold_to: Option<Horizon>,
    /// Cells that `new` no longer holds, because they were folded away or came late: to be added to the market's
    /// archive, which is kept for ever ([`super::Views::archive`]). Usually empty.
    pub archived: Cells,
}

/// A home's change on the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The home.
    pub home: HomeId,
    /// The home before; `None` if it is new.
    pub old: Option<Home>,
    /// The home now.
    pub new: Home,
}

/// Why a commit was not stored.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Another writer changed an item in between: read again, apply again.
    #[error("an item changed since it was read")]
    Conflict,
    /// A home is larger than an item of the store may be. Nothing of the commit is stored.
    #[error("the home {home} takes {bytes} bytes, more than an item may have")]
    TooLarge {
        /// The home.
        home: HomeId,
        /// Its size in bytes.
        bytes: usize,
    },
    /// Another failure.
    #[error(transparent)]
    Port(#[from] PortError),
}
