//! Observations in, state out.

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

/// What became of observations, and what they changed. All counts add up over batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Observations taken in.
    pub observations: u64,
    /// Of them, the first of their home.
    pub new: u64,
    /// Of them, those that moved what is read from their home's history.
    pub changed: u64,
    /// Of them, those that confirmed what was known.
    pub unchanged: u64,
    /// Of them, those that were known already.
    pub duplicates: u64,
    /// Of them, those of homes that say more than a home can say ([`stoop_domain::History::is_overfull`]): such a home
    /// contributes nothing.
    pub overfull: u64,
    /// Homes that became so with this batch.
    pub homes_overfull: u64,
    /// Price cuts that the homes' histories gained (a late observation can take some back).
    pub price_cuts: i64,
    /// Price rises, likewise.
    pub price_rises: i64,
    /// Commits that met another writer and were made again.
    pub conflicts: u64,
}

/// Why a batch could not be measured. What was stored stays; feeding the whole batch again is right.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A home has outgrown what the store can hold: measure again without its observations.
    #[error("the home {home} takes {bytes} bytes, more than an item may have")]
    TooLarge {
        /// Which home.
        home: HomeId,
        /// How many bytes it would take.
        bytes: usize,
    },
    /// Other writers were faster, again and again.
    #[error("gave up after {CONFLICTS_MAX} conflicts with other writers")]
    Contended,
}

/// Commits of one batch that may meet another writer before it is given up.
const CONFLICTS_MAX: u64 = 20;

/// How much a measurer remembers between batches. Beyond it the memory is cleared, and items are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Homes: a few hundred bytes each.
    pub homes_max: usize,
    /// Markets: up to a few hundred kilobytes each.
    pub markets_max: usize,
}

impl Default for Memory {
    /// What a laptop has room for.
    fn default() -> Self {
        Self { homes_max: 1_000_000, markets_max: 100_000 }
    }
}

/// Takes observations up into the state.
///
/// It keeps what it read and wrote, so that a home or market that comes again costs no read; versions
/// make that safe beside other writers.
pub struct Measurer<'a> {
    store: &'a dyn Store,
    memory: Memory,
    /// As they are stored: some two hundred bytes each, where a home in memory has more than a thousand.
    homes: FxHashMap<HomeId, Kept<Box<[u8]>>>,
    markets: FxHashMap<Market, Kept<Cells>>,
    zones: Zones,
    overfull: BTreeSet<HomeId>,
}

/// An item as it is stored, with its version; version 0 where it is not stored.
#[derive(Default)]
struct Kept<T> {
    value: T,
    version: u64,
}

/// What a commit does to one market.
#[derive(Default)]
struct Touched<'w> {
    deltas: Vec<&'w Delta>,
    fold_to: Option<Horizon>,
    archived: Cells,
}

impl<'a> Measurer<'a> {
    /// A measurer that remembers nothing yet.
    #[must_use]
    pub fn new(store: &'a dyn Store) -> Self {
        let (homes, markets, zones) = (FxHashMap::default(), FxHashMap::default(), Zones::default());
        Self { store, memory: Memory::default(), homes, markets, zones, overfull: BTreeSet::new() }
    }

    /// The same with so much memory.
    #[must_use]
    pub fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Takes up a batch. The same batch again changes nothing and says so in its counts.
    ///
    /// # Errors
    /// When the store fails, cannot hold a home, or other writers never let go.
    pub async fn measure(&mut self, observations: &[Observation]) -> Result<Measured, MeasureError> {
        let mut total = Measured::default();
        let mut places: Vec<usize> = (0..observations.len()).collect();
        while !places.is_empty() {
            let works = self.apply(observations, &places).await?;
            places = self.commit(observations, works, &mut total).await?;
            if !places.is_empty() {
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

    /// The homes of the batches since the last call of which more is said than of a home can be
    /// ([`stoop_domain::History::is_overfull`]), as what to put in quarantine. They are told again with each batch that
    /// has observations of them.
    #[must_use]
    pub fn take_overfull(&mut self, now: Time) -> Vec<Reject> {
        let reported = std::mem::take(&mut self.overfull).into_iter().map(|id| {
            let source = id.as_str().split_once('/').map_or(id.as_str(), |(source, _)| source);
            let detail = format!(
                "more than {FACTS_MAX} different things were said of it, or more than {FACTS_PER_DAY_MAX} on one day: it \
                 counts nowhere; is the right column taken for the id?"
            );
            Reject::new(source, now, format!("home {id}"), Reason::Overfull, detail, &[])
        });
        reported.collect()
    }

    /// Applies the observations at `places` to their homes, in memory. The homes leave the memory of
    /// what is stored, and come back when they are.
    async fn apply(&mut self, observations: &[Observation], places: &[usize]) -> Result<Vec<Work>, PortError> {
        let mut group_of: FxHashMap<HomeId, usize> = FxHashMap::default();
        let mut groups: Vec<(HomeId, Vec<usize>)> = Vec::new();
        let mut id = String::new();
        for &place in places {
            write_home_id(&observations[place], &mut id);
            if let Some(group) = group_of.get(id.as_str()) {
                groups[*group].1.push(place);
            } else {
                let id = HomeId(id.as_str().into());
                group_of.insert(id.clone(), groups.len());
                groups.push((id, vec![place]));
            }
        }
        self.read_homes(groups.iter().map(|(id, _)| id)).await?;
        let work = |(id, places): (HomeId, Vec<usize>)| {
            let kept = self.homes.remove(&id).unwrap_or_default();
            let what = format!("read the home {id} from memory");
            Work::new(id, &kept.value, kept.version, observations, places, &mut self.zones)
                .map_err(|error| PortError::new(what, error))
        };
        groups.into_iter().map(work).collect()
    }

    /// Stores works in as few commits as the store allows. Gives the places of the observations that
    /// are to be applied again because another writer came between.
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
                    // What was added in memory is not stored: forget it.
                    for (market, _) in piece.iter().flat_map(|work| &work.deltas) {
                        self.markets.remove(market);
                    }
                    return match error {
                        CommitError::Conflict => {
                            let unsettled = piece.into_iter().chain(pieces.flatten());
                            let mut places: Vec<usize> = unsettled.flat_map(|work| work.places).collect();
                            places.sort_unstable();
                            Ok(places)
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
        let mut touched: FxHashMap<&Market, Touched<'_>> = FxHashMap::default();
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
        let place = |places: fn(&Work) -> &[usize]| {
            let mut places: Vec<usize> = piece.iter().flat_map(places).copied().collect();
            places.sort_unstable();
            places.into_iter().map(|place| &observations[place]).collect()
        };
        let mut touched: Vec<(&Market, Touched<'_>)> = touched.into_iter().collect();
        touched.sort_unstable_by_key(|(market, _)| *market);
        let written: Vec<&Market> = touched.iter().map(|(market, _)| *market).collect();
        let commit = Commit {
            homes: piece.iter().filter(|work| !work.taken.is_empty()).map(Work::change).collect(),
            markets: touched
                .into_iter()
                .map(|(market, Touched { deltas, fold_to, archived })| {
                    let Kept { version, value: new } = &self.markets[market];
                    MarketChange { market, version_read: *version, new, deltas, fold_to, archived }
                })
                .collect(),
            observations: place(|work| &work.taken),
        };
        self.store.commit(&commit).await?;
        for market in written {
            if let Some(kept) = self.markets.get_mut(market) {
                kept.version += 1;
            }
        }
        Ok(())
    }

    /// A work that is stored, or needed no storing: count it and remember the home.
    fn settle(&mut self, work: Work, total: &mut Measured) {
        total.add(&work.counts);
        if work.counts.overfull + work.counts.homes_overfull > 0 {
            self.overfull.insert(work.id.clone());
        }
        let version = work.version_read + u64::from(!work.taken.is_empty());
        self.homes.insert(work.id, Kept { value: work.new.bytes.into_owned().into(), version });
    }

    async fn read_homes(&mut self, ids: impl Iterator<Item = &HomeId>) -> Result<(), PortError> {
        let unread: Vec<HomeId> = ids.filter(|id| !self.homes.contains_key(*id)).cloned().collect();
        if unread.is_empty() {
            return Ok(());
        }
        for (id, found) in unread.iter().zip(self.store.homes(&unread).await?) {
            if let Some(found) = found {
                let value = home_to_bytes(&found.value).into();
                self.homes.insert(id.clone(), Kept { value, version: found.version });
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
                self.markets.insert(market.clone(), Kept { value: found.value, version: found.version });
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

    /// Whether the observations changed nothing that is stored.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.new + self.changed + self.unchanged + self.homes_overfull == 0
    }
}
