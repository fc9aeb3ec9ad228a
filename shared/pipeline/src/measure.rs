//! Observations in, state out.

mod work;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use stoop_domain::{Day, Home, HomeId, Market, Observation, write_home_id};
use stoop_market::{Cells, Close, Delta, Zones, closes_before};

use crate::ports::{Commit, CommitError, HomeChange, MarketChange, PortError, Store};
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
    /// Of them, those that came later than the horizon.
    pub stale: u64,
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
    /// Other writers were faster, again and again.
    #[error("gave up after {CONFLICTS_MAX} conflicts with other writers")]
    Contended,
}

/// Commits of one batch that may meet another writer before it is given up.
const CONFLICTS_MAX: u64 = 20;

/// Homes kept in memory between batches; beyond that the memory is cleared, and they are read again.
const HOMES_KEPT_MAX: usize = 1_000_000;

/// Takes observations up into the state.
///
/// It keeps what it read and wrote, so that a home or market that comes again costs no read; versions
/// make that safe beside other writers.
pub struct Measurer<'a> {
    store: &'a dyn Store,
    homes: FxHashMap<HomeId, Kept<Home>>,
    markets: FxHashMap<Market, Kept<Cells>>,
    zones: Zones,
}

/// An item as it is stored, with its version; version 0 where it is not stored.
#[derive(Default)]
struct Kept<T> {
    value: T,
    version: u64,
}

impl<'a> Measurer<'a> {
    /// A measurer that remembers nothing yet.
    #[must_use]
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store, homes: FxHashMap::default(), markets: FxHashMap::default(), zones: Zones::default() }
    }

    /// Takes up a batch. The same batch again changes nothing and says so in its counts.
    ///
    /// # Errors
    /// When the store fails or other writers never let go.
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
        if self.homes.len() > HOMES_KEPT_MAX {
            self.homes.clear();
        }
        Ok(total)
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
            Work::new(id, kept.value, kept.version, observations, places)
        };
        Ok(groups.into_iter().map(work).collect())
    }

    /// Stores works in as few commits as the store allows. Gives the places of the observations that
    /// are to be applied again because another writer came between.
    async fn commit(
        &mut self,
        observations: &[Observation],
        works: Vec<Work>,
        total: &mut Measured,
    ) -> Result<Vec<usize>, PortError> {
        let mut pending = Vec::with_capacity(works.len());
        for mut work in works {
            if work.is_idle() {
                self.settle(work, total);
            } else {
                work.weigh(&mut self.zones);
                pending.push(work);
            }
        }
        self.read_markets(&pending).await?;
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
                        CommitError::Port(error) => Err(error),
                    };
                }
            }
        }
        Ok(Vec::new())
    }

    async fn commit_piece(&mut self, observations: &[Observation], piece: &[Work]) -> Result<(), CommitError> {
        let mut touched: BTreeMap<&Market, Option<Day>> = BTreeMap::new();
        for work in piece {
            for (market, delta) in &work.deltas {
                let kept = self.markets.entry(market.clone()).or_default();
                kept.value.add(delta);
                let fold_to = touched.entry(market).or_default();
                *fold_to = work.fold_to(market).max(*fold_to);
            }
        }
        let mut leaving: BTreeMap<&Market, Vec<Close>> = BTreeMap::new();
        for (market, fold_to) in &touched {
            if let (Some(kept), Some(fold_to)) = (self.markets.get_mut(*market), *fold_to)
                && kept.value.folded_to().is_none_or(|folded| folded < fold_to)
            {
                leaving.insert(market, closes_before(&kept.value, fold_to));
                kept.value.fold_to(fold_to);
            }
        }
        let place = |places: fn(&Work) -> &[usize]| {
            let mut places: Vec<usize> = piece.iter().flat_map(places).copied().collect();
            places.sort_unstable();
            places.into_iter().map(|place| &observations[place]).collect()
        };
        let market_change = |market: &'_ Market| {
            let kept = &self.markets[market];
            (kept.version, &kept.value)
        };
        let commit = Commit {
            homes: piece.iter().filter(|work| !work.taken.is_empty()).map(Work::change).collect(),
            markets: touched
                .keys()
                .map(|market| {
                    let (version_read, new) = market_change(market);
                    MarketChange { market, version_read, new, closes: leaving.remove(market).unwrap_or_default() }
                })
                .collect(),
            observations: place(|work| &work.taken),
            stale: place(|work| &work.stale),
        };
        self.store.commit(&commit).await?;
        for market in touched.keys() {
            if let Some(kept) = self.markets.get_mut(*market) {
                kept.version += 1;
            }
        }
        Ok(())
    }

    /// A work that is stored, or needed no storing: count it and remember the home.
    fn settle(&mut self, work: Work, total: &mut Measured) {
        total.add(&work.counts);
        let version = work.version_read + u64::from(!work.taken.is_empty());
        self.homes.insert(work.id, Kept { value: work.new, version });
    }

    async fn read_homes(&mut self, ids: impl Iterator<Item = &HomeId>) -> Result<(), PortError> {
        let unread: Vec<HomeId> = ids.filter(|id| !self.homes.contains_key(*id)).cloned().collect();
        if unread.is_empty() {
            return Ok(());
        }
        for (id, found) in unread.iter().zip(self.store.homes(&unread).await?) {
            if let Some(found) = found {
                self.homes.insert(id.clone(), Kept { value: found.value, version: found.version });
            }
        }
        Ok(())
    }

    async fn read_markets(&mut self, works: &[Work]) -> Result<(), PortError> {
        let touched = works.iter().flat_map(|work| work.deltas.iter().map(|(market, _): &(Market, Delta)| market));
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
        self.stale += other.stale;
        self.price_cuts += other.price_cuts;
        self.price_rises += other.price_rises;
        self.conflicts += other.conflicts;
    }

    /// Whether the observations changed nothing that is stored.
    #[must_use]
    pub fn changed_nothing(&self) -> bool {
        self.new + self.changed + self.unchanged == 0
    }
}

impl<'a> Work {
    fn change(&'a self) -> HomeChange<'a> {
        HomeChange {
            id: &self.id,
            version_read: self.version_read,
            old: self.old.as_ref(),
            new: &self.new,
            notable: self.notable,
        }
    }
}
