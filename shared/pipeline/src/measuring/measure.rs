//! Applies observations to the state.

mod gather;
mod work;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use stoop_domain::{
    Applied, FACTS_MAX, FACTS_PER_DAY_MAX, HomeId, Market, Observation, Reason, Reject, Time, write_home_id,
};
use stoop_market::{Cells, Delta, Horizon, Zones};

use crate::ports::{Commit, CommitError, MarketChange, PortError, Store};
pub use gather::Gatherer;
use stoop_wire::home_to_bytes;
pub(crate) use work::offered_until;
use work::{Work, cut_into_pieces};

/// The outcome of observations. All counts can be added over batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Observations processed.
    pub observations: u64,
    /// Those that were the first of their home.
    pub new: u64,
    /// Those that changed their home's history.
    pub changed: u64,
    /// Those that confirmed it.
    pub unchanged: u64,
    /// Those that were known already.
    pub duplicates: u64,
    /// Those of overfull homes ([`stoop_domain::History::is_overfull`]): such a home contributes nothing.
    pub overfull: u64,
    /// Homes that became overfull with this batch.
    pub homes_overfull: u64,
    /// Price cuts added to the homes' histories (a late observation can remove some).
    pub price_cuts: i64,
    /// Price rises, likewise.
    pub price_rises: i64,
    /// Commits that were retried because of another writer.
    pub conflicts: u64,
}

/// Why a batch could not be measured. What is stored stays; feeding the whole batch again is safe.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A home is larger than the store allows: measure again without its observations.
    #[error("the home {home} takes {bytes} bytes, more than an item may have")]
    TooLarge {
        /// The home.
        home: HomeId,
        /// Its size in bytes.
        bytes: usize,
    },
    /// Other writers were faster, repeatedly.
    #[error("gave up after {CONFLICTS_MAX} conflicts with other writers")]
    Contended,
}

/// Conflicts with other writers in one batch before it is given up.
const CONFLICTS_MAX: u64 = 20;

/// How much a measurer caches between batches. Beyond it the cache is cleared, and items are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheLimits {
    /// Homes: a few hundred bytes each.
    pub homes_max: usize,
    /// Markets: up to a few hundred kilobytes each.
    pub markets_max: usize,
}

impl Default for CacheLimits {
    /// Fits into a laptop's memory.
    fn default() -> Self {
        Self { homes_max: 1_000_000, markets_max: 100_000 }
    }
}

/// Applies observations to the state.
///
/// It caches what it reads and writes, so that a home or market that comes again needs no read; versions make this safe
/// with other writers.
pub struct Measurer<'a> {
    store: &'a dyn Store,
    memory: CacheLimits,
    /// As stored, some two hundred bytes each; a home in memory has more than a thousand.
    homes: FxHashMap<HomeId, StoredItem<Box<[u8]>>>,
    markets: FxHashMap<Market, StoredItem<Cells>>,
    zones: Zones,
    overfull: BTreeSet<HomeId>,
}

/// An item as stored, with its version; version 0 if it is not stored.
#[derive(Default)]
struct StoredItem<T> {
    value: T,
    version: u64,
}

/// What a commit does to one market.
#[derive(Default)]
struct MarketWork<'w> {
    deltas: Vec<&'w Delta>,
    fold_to: Option<Horizon>,
    archived: Cells,
}

impl<'a> Measurer<'a> {
    /// A measurer with an empty cache.
    #[must_use]
    pub fn new(store: &'a dyn Store) -> Self {
        let (homes, markets, zones) = (FxHashMap::default(), FxHashMap::default(), Zones::default());
        Self { store, memory: CacheLimits::default(), homes, markets, zones, overfull: BTreeSet::new() }
    }

    /// Sets the size of the cache.
    #[must_use]
    pub fn with_memory(self, memory: CacheLimits) -> Self {
        Self { memory, ..self }
    }

    /// Measures a batch. The same batch again changes nothing, and its counts say so.
    ///
    /// # Errors
    ///
    /// The store fails or cannot hold a home, or conflicts with other writers never end.
    pub async fn measure(&mut self, observations: &[Observation]) -> Result<Measured, MeasureError> {
        let mut total = Measured::default();
        let mut indexes: Vec<usize> = (0..observations.len()).collect();
        while !indexes.is_empty() {
            let works = self.apply(observations, &indexes).await?;
            indexes = self.commit(observations, works, &mut total).await?;
            if !indexes.is_empty() {
                total.conflicts += 1;
            }
            if total.conflicts > CONFLICTS_MAX {
                return Err(MeasureError::Contended);
            }
        }
        if self.homes.len() > self.memory.homes_max {
            self.homes.clear();
        }
        if self.markets.len() > self.memory.markets_max {
            self.markets.clear();
        }
        Ok(total)
    }

    /// The homes that are overfull ([`stoop_domain::History::is_overfull`]) and were in a batch since the last call, as
    /// rejects. They are returned again with each batch that has observations of them.
    #[must_use]
    pub fn take_overfull(&mut self, now: Time) -> Vec<Reject> {
        let reported = std::mem::take(&mut self.overfull).into_iter().map(|id| {
            let source = id.as_str().split_once('/').map_or(id.as_str(), |(source, _)| source);
            let detail = format!(
                "it has more than {FACTS_MAX} different observations, or more than {FACTS_PER_DAY_MAX} on one day: it \
                 counts nowhere; does the map use the right column for the ID?"
            );
            Reject::new(source, now, format!("home {id}"), Reason::Overfull, detail, &[])
        });
        reported.collect()
    }

    /// Applies the observations at these indexes to their homes, in memory. The homes leave the cache of stored homes,
    /// and return when they are stored.
    async fn apply(&mut self, observations: &[Observation], indexes: &[usize]) -> Result<Vec<Work>, PortError> {
        let mut group_of: FxHashMap<HomeId, usize> = FxHashMap::default();
        let mut groups: Vec<(HomeId, Vec<usize>)> = Vec::new();
        let mut id = String::new();
        for &index in indexes {
            write_home_id(&observations[index], &mut id);
            if let Some(group) = group_of.get(id.as_str()) {
                groups[*group].1.push(index);
            } else {
                let id = HomeId(id.as_str().into());
                group_of.insert(id.clone(), groups.len());
                groups.push((id, vec![index]));
            }
        }
        self.read_homes(groups.iter().map(|(id, _)| id)).await?;
        let work = |(id, indexes): (HomeId, Vec<usize>)| {
            let kept = self.homes.remove(&id).unwrap_or_default();
            let what = format!("read the home {id} from memory");
            Work::new(id, &kept.value, kept.version, observations, indexes, &mut self.zones)
                .map_err(|error| PortError::damaged(what, error))
        };
        groups.into_iter().map(work).collect()
    }

    /// Stores works in as few commits as the store allows. Returns the indexes of the observations to apply again
    /// because of another writer.
    async fn commit(
        &mut self,
        observations: &[Observation],
        works: Vec<Work>,
        total: &mut Measured,
    ) -> Result<Vec<usize>, MeasureError> {
        let mut pending = Vec::with_capacity(works.len());
        for work in works {
            if work.is_idle() {
                self.settle(work, total);
            } else {
                pending.push(work);
            }
        }
        let touched = pending.iter().flat_map(|work| &work.deltas).map(|(market, _)| market);
        self.read_markets(touched).await?;
        let mut pieces = cut_into_pieces(pending, self.store.commit_items_max()).into_iter();
        while let Some(piece) = pieces.next() {
            match self.commit_piece(observations, &piece).await {
                Ok(()) => piece.into_iter().for_each(|work| self.settle(work, total)),
                Err(error) => {
                    // The additions in memory are not stored: drop them.
                    for (market, _) in piece.iter().flat_map(|work| &work.deltas) {
                        self.markets.remove(market);
                    }
                    return match error {
                        CommitError::Conflict => {
                            let unsettled = piece.into_iter().chain(pieces.flatten());
                            let mut indexes: Vec<usize> = unsettled.flat_map(|work| work.indexes).collect();
                            indexes.sort_unstable();
                            Ok(indexes)
                        }
                        CommitError::TooLarge { home, bytes } => Err(MeasureError::TooLarge { home, bytes }),
                        CommitError::Port(error) => Err(error.into()),
                    };
                }
            }
        }
        Ok(Vec::new())
    }

    async fn commit_piece(&mut self, observations: &[Observation], piece: &[Work]) -> Result<(), CommitError> {
        let mut touched: FxHashMap<&Market, MarketWork<'_>> = FxHashMap::default();
        for work in piece {
            for (market, delta) in &work.deltas {
                let kept = self.markets.entry(market.clone()).or_default();
                let late = kept.value.add(delta);
                let touched = touched.entry(market).or_default();
                touched.archived.merge(&late);
                touched.deltas.push(delta);
                touched.fold_to = work.fold_to(market).max(touched.fold_to);
            }
        }
        for (market, touched) in &mut touched {
            if let (Some(kept), Some(fold_to)) = (self.markets.get_mut(*market), touched.fold_to) {
                touched.archived.merge(&kept.value.fold_to(fold_to));
            }
        }
        let index = |indexes: fn(&Work) -> &[usize]| {
            let mut indexes: Vec<usize> = piece.iter().flat_map(indexes).copied().collect();
            indexes.sort_unstable();
            indexes.into_iter().map(|index| &observations[index]).collect()
        };
        let mut touched: Vec<(&Market, MarketWork<'_>)> = touched.into_iter().collect();
        touched.sort_unstable_by_key(|(market, _)| *market);
        let written: Vec<&Market> = touched.iter().map(|(market, _)| *market).collect();
        let commit = Commit {
            homes: piece.iter().filter(|work| !work.taken.is_empty()).map(Work::change).collect(),
            markets: touched
                .into_iter()
                .map(|(market, MarketWork { deltas, fold_to, archived })| {
                    let StoredItem { version, value: new } = &self.markets[market];
                    MarketChange { market, version_read: *version, new, deltas, fold_to, archived }
                })
                .collect(),
            observations: index(|work| &work.taken),
        };
        self.store.commit(&commit).await?;
        for market in written {
            if let Some(kept) = self.markets.get_mut(market) {
                kept.version += 1;
            }
        }
        Ok(())
    }

    /// Counts a work that is stored, or needed no storing, and caches the home.
    fn settle(&mut self, work: Work, total: &mut Measured) {
        total.add(&work.counts);
        if work.counts.overfull + work.counts.homes_overfull > 0 {
            self.overfull.insert(work.id.clone());
        }
        let version = work.version_read + u64::from(!work.taken.is_empty());
        self.homes.insert(work.id, StoredItem { value: work.new.bytes.into_owned().into(), version });
    }

    async fn read_homes(&mut self, ids: impl Iterator<Item = &HomeId>) -> Result<(), PortError> {
        let unread: Vec<HomeId> = ids.filter(|id| !self.homes.contains_key(*id)).cloned().collect();
        if unread.is_empty() {
            return Ok(());
        }
        for (id, found) in unread.iter().zip(self.store.homes(&unread).await?) {
            if let Some(found) = found {
                let value = home_to_bytes(&found.value).into();
                self.homes.insert(id.clone(), StoredItem { value, version: found.version });
            }
        }
        Ok(())
    }

    async fn read_markets(&mut self, touched: impl Iterator<Item = &Market>) -> Result<(), PortError> {
        let unread: BTreeSet<Market> = touched.filter(|m| !self.markets.contains_key(*m)).cloned().collect();
        let unread: Vec<Market> = unread.into_iter().collect();
        if unread.is_empty() {
            return Ok(());
        }
        for (market, found) in unread.iter().zip(self.store.markets(&unread).await?) {
            if let Some(found) = found {
                self.markets.insert(market.clone(), StoredItem { value: found.value, version: found.version });
            }
        }
        Ok(())
    }
}

impl Measured {
    /// Adds the counts of another batch.
    pub fn add(&mut self, other: &Self) {
        self.observations += other.observations;
        self.new += other.new;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.duplicates += other.duplicates;
        self.overfull += other.overfull;
        self.homes_overfull += other.homes_overfull;
        self.price_cuts += other.price_cuts;
        self.price_rises += other.price_rises;
        self.conflicts += other.conflicts;
    }

    fn count(&mut self, applied: Applied) {
        let count = match applied {
            Applied::New => &mut self.new,
            Applied::Changed => &mut self.changed,
            Applied::Confirmed | Applied::Unchanged => &mut self.unchanged,
            Applied::Duplicate => &mut self.duplicates,
            Applied::Overfull | Applied::Refused => &mut self.overfull,
        };
        *count += 1;
        self.homes_overfull += u64::from(applied == Applied::Overfull);
    }

    /// Whether the observations changed nothing in the store.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.new + self.changed + self.unchanged + self.homes_overfull == 0
    }
}
