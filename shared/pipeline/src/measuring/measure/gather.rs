//! Gathers observations for one large commit.

use std::borrow::Cow;

use rustc_hash::FxHashMap;
use stoop_domain::{Applied, Home, HomeId, Market, Observation, Reject, Time, write_home_id};
use stoop_market::{Cells, Delta, DeltaSum, Horizon};
use stoop_wire::{home_from_bytes, home_to_bytes};

use super::work::{Moved, is_notable, is_taken, market_of, offered_until, weigh};
use super::{MeasureError, Measured, Measurer};
use crate::ports::{Commit, CommitError, Gathers, HomeChange, HomeImage, MarketChange, PortError};

/// Applies observations and stores their effect in few, large commits: however often a home or market comes, each
/// commit writes it once. The stored result is that of a [`Measurer`].
///
/// Nothing is stored before [`Gatherer::commit`]; after a crash before it, pass the same observations again. Until then
/// most homes take the bytes of their image and of the stored one, and the observations take what the store needs for
/// them ([`Gathers::hold`]).
pub struct Gatherer<'a, S: Gathers> {
    store: &'a S,
    /// The cached markets, and the fallback after a conflict with another writer.
    measurer: Measurer<'a>,
    indexes: FxHashMap<HomeId, u32>,
    /// All cached homes, in order of arrival.
    homes: Vec<Gathered>,
    /// The indexes of the homes to be stored.
    changed: Vec<u32>,
    held: S::Held,
    /// The approximate size of the images of `changed`, in bytes.
    bytes: usize,
    /// How many homes are open, and the most that may be.
    open: usize,
    open_max: usize,
    /// The counts of the observations that are held, and of the others.
    taken: Measured,
    passed_over: Measured,
}

/// A cached home.
struct Gathered {
    id: HomeId,
    /// The version of the stored image; 0 if there is none.
    version: u64,
    /// The newest image; empty if there is none, or if the home is open.
    image: Box<[u8]>,
    /// The home itself, if it has changed and is one of the first that did.
    open: Option<Box<Home>>,
    /// The stored image, if it is not the newest one.
    stored: Option<Box<[u8]>>,
    /// What has changed in its history since.
    moved: Moved,
}

/// What a commit does to one market.
#[derive(Default)]
struct MarketAdditions {
    /// The sum of its additions.
    sum: DeltaSum,
    fold_to: Option<Horizon>,
}

/// The bytes of a changed home besides its images: its index, and its part of the commit.
const CHANGE_BYTES: usize = 192;

/// This many homes, the first to change, stay decoded, because in a feed of few homes they come again and again.
const OPEN_MAX: usize = 8_192;

/// The approximate size of one of them.
const OPEN_BYTES: usize = 2_048;

impl<'a, S: Gathers> Gatherer<'a, S> {
    /// A gatherer with an empty cache.
    #[must_use]
    pub fn new(store: &'a S) -> Self {
        Self {
            store,
            measurer: Measurer::new(store),
            indexes: FxHashMap::default(),
            homes: Vec::new(),
            changed: Vec::new(),
            held: S::Held::default(),
            bytes: 0,
            open: 0,
            open_max: OPEN_MAX,
            taken: Measured::default(),
            passed_over: Measured::default(),
        }
    }

    /// Sets how many homes stay decoded until they are stored; the default is 8,192.
    #[must_use]
    pub fn with_open_homes(self, open_max: usize) -> Self {
        Self { open_max, ..self }
    }

    /// Gathers observations.
    ///
    /// # Errors
    ///
    /// The store fails. What was gathered is dropped then, and must be passed again.
    pub async fn gather(&mut self, observations: &[Observation]) -> Result<(), MeasureError> {
        let gathered = self.try_gather(observations).await;
        if gathered.is_err() {
            self.forget();
        }
        Ok(gathered?)
    }

    /// The approximate memory in bytes that waits for [`Gatherer::commit`].
    pub fn bytes(&self) -> usize {
        self.bytes + S::held_bytes(&self.held)
    }

    /// Stores what was gathered since the last call, and counts it.
    ///
    /// # Errors
    ///
    /// As for [`Measurer::measure`]. What was gathered is dropped then, and must be passed again.
    pub async fn commit(&mut self) -> Result<Measured, MeasureError> {
        let committed = self.try_commit().await;
        if committed.is_err() || self.measurer.markets.len() > self.measurer.memory.markets_max {
            // The additions in memory are not stored: drop them.
            self.measurer.markets.clear();
        }
        let counts = match committed {
            Ok(()) => Ok(self.settle()),
            Err(CommitError::Conflict) => self.measure_anew().await,
            Err(CommitError::TooLarge { home, bytes }) => Err(MeasureError::TooLarge { home, bytes }),
            Err(CommitError::Port(error)) => Err(error.into()),
        };
        if counts.is_err() || self.homes.len() > self.measurer.memory.homes_max {
            self.forget();
        }
        counts
    }

    /// See [`Measurer::take_overfull`].
    #[must_use]
    pub fn take_overfull(&mut self, now: Time) -> Vec<Reject> {
        self.measurer.take_overfull(now)
    }

    async fn try_gather(&mut self, observations: &[Observation]) -> Result<(), PortError> {
        let indexes = self.indexes_of(observations).await?;
        let mut taken = Vec::with_capacity(observations.len());
        for (observation, index) in observations.iter().zip(indexes) {
            let applied = self.apply(observation, index)?;
            let counts = if is_taken(applied) { &mut self.taken } else { &mut self.passed_over };
            counts.observations += 1;
            counts.count(applied);
            if is_taken(applied) {
                taken.push(observation);
            }
            if matches!(applied, Applied::Overfull | Applied::Refused) {
                self.measurer.overfull.insert(self.homes[index as usize].id.clone());
            }
        }
        self.store.hold(&mut self.held, &taken)
    }

    /// The indexes of the observations' homes. Homes that are not cached are read.
    async fn indexes_of(&mut self, observations: &[Observation]) -> Result<Vec<u32>, PortError> {
        let first_unread = self.homes.len();
        let mut indexes = Vec::with_capacity(observations.len());
        let mut id = String::new();
        for observation in observations {
            write_home_id(observation, &mut id);
            if let Some(index) = self.indexes.get(id.as_str()) {
                indexes.push(*index);
                continue;
            }
            let index =
                u32::try_from(self.homes.len()).map_err(|error| PortError::refused("remember a home", error))?;
            let id = HomeId(id.as_str().into());
            self.indexes.insert(id.clone(), index);
            self.homes.push(Gathered {
                id,
                version: 0,
                image: Box::default(),
                open: None,
                stored: None,
                moved: Moved::Nothing,
            });
            indexes.push(index);
        }
        let unread: Vec<HomeId> = self.homes[first_unread..].iter().map(|home| home.id.clone()).collect();
        if !unread.is_empty() {
            for (home, found) in self.homes[first_unread..].iter_mut().zip(self.store.homes(&unread).await?) {
                if let Some(found) = found {
                    home.image = home_to_bytes(&found.value).into();
                    home.version = found.version;
                }
            }
        }
        Ok(indexes)
    }

    fn apply(&mut self, observation: &Observation, index: u32) -> Result<Applied, PortError> {
        let gathered = &mut self.homes[index as usize];
        if let Some(home) = &mut gathered.open {
            let applied = home.apply(observation);
            gathered.moved = gathered.moved.max(Moved::by(applied));
            return Ok(applied);
        }
        let mut home = gathered.newest()?;
        let applied = home.apply(observation);
        if is_taken(applied) {
            gathered.moved = gathered.moved.max(Moved::by(applied));
            let before = std::mem::take(&mut gathered.image);
            if gathered.stored.is_none() {
                gathered.stored = Some(before);
                self.changed.push(index);
                self.bytes += CHANGE_BYTES;
            } else {
                self.bytes -= before.len();
            }
            if self.open < self.open_max {
                gathered.open = Some(Box::new(home));
                self.open += 1;
                self.bytes += OPEN_BYTES;
            } else {
                gathered.image = home_to_bytes(&home).into();
                self.bytes += gathered.image.len();
            }
        }
        Ok(applied)
    }

    /// Stores everything gathered, or nothing.
    async fn try_commit(&mut self) -> Result<(), CommitError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        self.changed.sort_unstable();
        self.changed.iter().for_each(|index| self.homes[*index as usize].close());
        self.open = 0;
        let mut steps: FxHashMap<Market, MarketAdditions> = FxHashMap::default();
        let mut homes = Vec::with_capacity(self.changed.len());
        for index in &self.changed {
            let gathered = &self.homes[*index as usize];
            let new = gathered.newest()?;
            let is_weighed = gathered.moved > Moved::Nothing || folds(&mut self.measurer, &steps, &new);
            let old = if is_weighed { gathered.as_stored()? } else { None };
            if is_weighed {
                let offered = old.as_ref().map(|old| offered_until(&old.history)).unwrap_or_default();
                let history = old.as_ref().map(|old| &old.history);
                let weighed = weigh(history, &offered, &new.history, gathered.moved, &mut self.measurer.zones);
                self.taken.price_cuts += weighed.price_cuts;
                self.taken.price_rises += weighed.price_rises;
                for (market, delta) in weighed.deltas {
                    steps.entry(market).or_default().sum.add(&delta);
                }
                for (market, horizon) in &weighed.folds {
                    let fold_to = steps.get_mut(market).map(|step| &mut step.fold_to);
                    fold_to.into_iter().for_each(|fold_to| *fold_to = Some(*horizon).max(*fold_to));
                }
            }
            let mut change = gathered.change(old.as_ref(), &new);
            // All homes of a market share its text.
            if let Some(market) = &mut change.new.market {
                let known = self.measurer.markets.get_key_value(market).map(|(known, _)| known);
                *market =
                    known.or_else(|| steps.get_key_value(market).map(|(known, _)| known)).unwrap_or(market).clone();
            }
            homes.push(change);
        }
        self.measurer.read_markets(steps.keys()).await?;
        let mut summed: Vec<(Market, Delta, Option<Horizon>, Cells)> = Vec::with_capacity(steps.len());
        for (market, MarketAdditions { sum, fold_to }) in steps {
            let kept = self.measurer.markets.entry(market.clone()).or_default();
            let delta = sum.sum();
            let mut archived = kept.value.add(&delta);
            fold_to.iter().for_each(|horizon| archived.merge(&kept.value.fold_to(*horizon)));
            // For a new market its state is enough.
            let delta = if kept.version > 0 { delta } else { Delta::default() };
            summed.push((market, delta, fold_to, archived));
        }
        summed.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let markets = summed.iter_mut().map(|(market, delta, fold_to, archived)| {
            let kept = &self.measurer.markets[&*market];
            let (deltas, archived) = (vec![&*delta], std::mem::take(archived));
            MarketChange { market, version_read: kept.version, new: &kept.value, deltas, fold_to: *fold_to, archived }
        });
        let commit = Commit { homes, markets: markets.collect(), observations: Vec::new() };
        self.store.commit_held(&commit, &mut self.held).await?;
        drop(commit);
        for (market, ..) in summed {
            self.measurer.markets.entry(market).or_default().version += 1;
        }
        Ok(())
    }

    /// What was gathered is stored.
    fn settle(&mut self) -> Measured {
        for index in self.changed.drain(..) {
            let gathered = &mut self.homes[index as usize];
            (gathered.stored, gathered.moved) = (None, Moved::Nothing);
            gathered.version += 1;
        }
        self.bytes = 0;
        self.held = S::Held::default();
        let mut counts = std::mem::take(&mut self.taken);
        counts.add(&std::mem::take(&mut self.passed_over));
        counts
    }

    /// After a conflict, reads back what was gathered and measures it in smaller steps, which retry.
    async fn measure_anew(&mut self) -> Result<Measured, MeasureError> {
        let mut held = std::mem::take(&mut self.held);
        let mut total = std::mem::take(&mut self.passed_over);
        total.conflicts += 1;
        self.forget();
        loop {
            let observations = self.store.release(&mut held)?;
            if observations.is_empty() {
                break;
            }
            total.add(&self.measurer.measure(&observations).await?);
        }
        // The next commit of this gatherer makes the measurer's cache outdated.
        self.measurer.homes.clear();
        Ok(total)
    }

    /// Drops all homes, and what was not stored.
    fn forget(&mut self) {
        self.indexes.clear();
        self.homes.clear();
        self.changed.clear();
        (self.bytes, self.open) = (0, 0);
        self.held = S::Held::default();
        (self.taken, self.passed_over) = (Measured::default(), Measured::default());
    }
}

/// Whether a home in which nothing else changed may fold one of its markets further than it is folded, or will be after
/// these steps. For uncached markets this is unknown.
fn folds(measurer: &mut Measurer<'_>, steps: &FxHashMap<Market, MarketAdditions>, new: &Home) -> bool {
    let Measurer { markets, zones, .. } = measurer;
    offered_until(&new.history).into_iter().any(|(market, until)| {
        let folded = markets.get(&market).and_then(|kept| kept.value.horizon());
        let will_be = steps.get(&market).and_then(|step| step.fold_to);
        folded.max(will_be) < Some(Horizon::of(until.day_in(zones.of(&market))))
    })
}

impl Gathered {
    fn close(&mut self) {
        if let Some(home) = self.open.take() {
            self.image = home_to_bytes(&home).into();
        }
    }

    fn newest(&self) -> Result<Home, PortError> {
        self.read(&self.image)
    }

    /// The stored home, if there is one.
    fn as_stored(&self) -> Result<Option<Home>, PortError> {
        let stored = self.stored.as_deref().filter(|stored| !stored.is_empty());
        stored.map(|stored| self.read(stored)).transpose()
    }

    fn read(&self, image: &[u8]) -> Result<Home, PortError> {
        let failed = |error| PortError::damaged(format!("read the home {} from memory", self.id), error);
        if image.is_empty() { Ok(Home::default()) } else { home_from_bytes(image).map_err(failed) }
    }

    /// `old` may be left out if nothing changed in the home's history.
    fn change(&self, old: Option<&Home>, new: &Home) -> HomeChange<'_> {
        let notable = is_notable(self.moved, old, new);
        HomeChange {
            id: &self.id,
            version_read: self.version,
            old: self.stored.as_deref().filter(|stored| notable && !stored.is_empty()).map(Cow::Borrowed),
            new: HomeImage::of(new, &*self.image),
            notable,
            moved: self.moved > Moved::Nothing && old.is_none_or(|old| market_of(old) != market_of(new)),
        }
    }
}
