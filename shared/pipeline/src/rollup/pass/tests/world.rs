//! A world in which every call may fail, before or after its effect, and other writers are faster.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::{Address, Currency, Home, Listing, Minor, Observation, PropertyType, Purpose, Status, Watch};
use stoop_market::{Cells, Figures, Horizon, Segment, Zones, contribution, update};

use super::super::*;
use crate::ports::{StoredSum, WholeMarket};

/// 2026-01-01, midnight UTC.
pub(super) const START: i64 = 1_767_225_600_000;

/// Two counties of a region with three cities, one of another region, and one of another country.
pub(super) const PLACES: [[&str; 5]; 6] = [
    ["US", "WA", "King", "Seattle", "98103"],
    ["US", "WA", "King", "Seattle", "98178"],
    ["US", "WA", "King", "Renton", "98055"],
    ["US", "WA", "Pierce", "Tacoma", "98402"],
    ["US", "IL", "Cook", "Chicago", "60614"],
    ["MA", "", "", "Agadir", ""],
];

/// How often a call fails, one in this many, before or after its effect; and how often another writer is faster.
#[derive(Clone, Copy, Default)]
pub(super) struct Faults {
    pub(super) fails: Option<u64>,
    pub(super) is_late: Option<u64>,
    /// All calls from this one on fail: the process was killed.
    pub(super) killed_at: Option<usize>,
    /// The sum of this area is never stored.
    pub(super) refused: Option<&'static str>,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) random: Dice,
    pub(super) faults: Faults,
    pub(super) calls: usize,
    pub(super) others: usize,
    pub(super) now: Time,
    pub(super) homes: BTreeMap<i64, Home>,
    pub(super) markets: BTreeMap<Market, Stored>,
    pub(super) sums: BTreeMap<WideArea, (u64, Vec<u8>)>,
    pub(super) tags: u64,
}

#[derive(Default)]
pub(super) struct Stored {
    pub(super) whole: WholeMarket,
    pub(super) settled: u64,
}

pub(super) fn day(day: i64) -> Time {
    Time::from_ms(START + day * Time::DAY_MS)
}

impl Inner {
    /// Whether a call fails before its effect, and after it.
    pub(super) fn call(&mut self) -> [bool; 2] {
        self.calls += 1;
        let is_killed = self.faults.killed_at.is_some_and(|call| self.calls >= call);
        let Faults { fails, .. } = self.faults;
        [is_killed || fails.is_some_and(|n| self.random.one_in(n)), fails.is_some_and(|n| self.random.one_in(n))]
    }

    /// One of forty homes is seen about this day or long ago.
    pub(super) fn see(&mut self, today: i64) {
        let home = self.random.below(40);
        let address =
            PLACES[usize::try_from(if self.random.below(8) == 0 { self.random.below(6) } else { home % 6 }).unwrap()];
        let [country, region, county, city, postal_code] =
            address.map(|name| Some(name.to_owned()).filter(|name| !name.is_empty()));
        let currency = if address[0] == "MA" { Currency::MAD } else { Currency::USD };
        let address = Address { country, region, county, city, postal_code, ..Address::default() };
        let purpose = if home % 9 == 0 { Purpose::Rent } else { Purpose::Sale };
        let mut listing = Listing::new(purpose, currency, address);
        listing.status = [Status::Active, Status::Active, Status::Pending, Status::Gone]
            [usize::try_from(self.random.below(4)).unwrap()];
        listing.list_price = Some(Minor(30_000_000 + home * 777_777 + self.random.below(4) * 1_000_000));
        listing.property_type = Some(PropertyType::Condominium).filter(|_| home % 2 == 0);
        let late = if self.random.below(6) == 0 { self.random.below(600) } else { self.random.below(3) };
        let at = day(today - late).plus_ms(self.random.below(Time::DAY_MS));
        let mut seen = Observation::new("mls", format!("h{home}"), at, listing);
        seen.watch = [Watch::Repeated, Watch::Complete, Watch::Once][usize::try_from(home % 3).unwrap()];
        let old = self.homes.get(&home).cloned();
        let mut new = old.clone().unwrap_or_default();
        new.apply(&seen);
        for (market, delta) in update(old.as_ref().map(|home| &home.history), &new.history, &mut Zones::default()) {
            let WholeMarket { version, state, archive, committed } = &mut self.markets.entry(market).or_default().whole;
            archive.merge(&state.add(&delta));
            let newest = Day(i32::try_from(day(today).ms() / Time::DAY_MS).unwrap());
            archive.merge(&state.fold_to(Horizon::of(newest)));
            (*version, *committed) = (*version + 1, self.now);
        }
        self.homes.insert(home, new);
    }

    pub(super) fn waiting(&self) -> usize {
        self.markets.values().filter(|stored| stored.settled != stored.whole.version).count()
    }

    /// Every area as the plain sum of its homes, without folding.
    pub(super) fn plain(&self) -> BTreeMap<WideArea, Cells> {
        let mut sums: BTreeMap<WideArea, Cells> = BTreeMap::new();
        for home in self.homes.values() {
            for (market, delta) in contribution(&home.history, &mut Zones::default()).into_deltas() {
                for level in WideLevel::ALL {
                    drop(sums.entry(WideArea::of(&market, level)).or_default().add(&delta));
                }
            }
        }
        sums
    }

    pub(super) fn sum(&self, area: &WideArea) -> AreaSum {
        AreaSum::from_bytes(&self.sums[area].1).unwrap()
    }

    #[track_caller]
    pub(super) fn all_are_sums(&self, now: Time) {
        for (area, plain) in self.plain().iter().filter(|(area, _)| area.level() != WideLevel::City) {
            let sum = self.sum(area);
            assert_eq!(sum.first_difference().unwrap(), None, "{area}");
            let Total { covered, markets, sum, .. } = sum.total();
            let zone = area.country().zone;
            assert!(covered.has(now.day_in(&zone)), "{area} covers {covered:?}, not {now}");
            let lies_in = |market: &&Market| WideArea::of(market, area.level()) == *area;
            assert_eq!(markets, self.markets.keys().filter(lies_in).count(), "{area}");
            assert_eq!(sum.figures(Segment::All, now, &zone), Figures::of(plain, Segment::All, now, &zone), "{area}");
            let today = now.day_in(&zone);
            let active =
                |closes: Vec<stoop_market::Close>| closes.into_iter().map(|close| close.active).collect::<Vec<_>>();
            let from = Day(today.0 - 400);
            let expected = stoop_market::closes(plain, Segment::All, from, today);
            assert_eq!(active(sum.closes(from, today)), active(expected), "{area}");
        }
    }

    /// Asserts that settled markets are in their county.
    #[track_caller]
    pub(super) fn nothing_is_settled_that_is_not_in(&self) {
        for (market, stored) in self.markets.iter().filter(|(_, stored)| stored.settled > 0) {
            let mut area = Some(WideArea::of(market, WideLevel::County));
            let part = self.sum(area.as_ref().unwrap()).part(&market.to_string()).map(|part| part.version);
            assert!(part >= Some(stored.settled), "{market}: {part:?}");
            while let Some((path, parent)) = area.as_ref().and_then(|area| Some((area.path(), area.parent()?))) {
                assert!(self.sum(&parent).part(path).is_some(), "{path}");
                area = Some(parent);
            }
        }
    }
}

impl World {
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        let world = Self::default();
        {
            let mut inner = world.lock();
            (inner.random, inner.faults) = (Dice::new(seed), faults);
        }
        world
    }

    pub(super) async fn roll(&self, now: Time) -> RolledUp {
        self.lock().now = now;
        roll_up(self, now, &|| false).await.unwrap_or_default()
    }

    pub(super) async fn roll_all(&self, now: Time) -> RolledUp {
        self.lock().now = now;
        roll_up_all(self, now, &|| false).await.unwrap_or_default()
    }

    /// Runs a call, or fails before or after it.
    pub(super) fn call<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> Result<T, PortError> {
        let mut inner = self.lock();
        let [before, after] = inner.call();
        let failed = |when| Err(PortError::unavailable("called", format!("it fails {when}")));
        if before {
            return failed("before");
        }
        let done = act(&mut inner);
        if after { failed("after") } else { Ok(done) }
    }
}

#[async_trait]
impl RollUps for World {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        let waits = |stored: &Stored| stored.settled != stored.whole.version;
        self.call(|inner| {
            inner.markets.iter().filter(|(_, stored)| waits(stored)).map(|(market, _)| market.clone()).collect()
        })
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.call(|inner| inner.markets.keys().cloned().collect())
    }

    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        self.call(|inner| {
            let whole = |market: &Market| {
                let mut whole = inner.markets.get(market)?.whole.clone();
                if whole.state.horizon().is_none_or(|horizon| horizon.days <= covered_from) {
                    whole.archive = Cells::default();
                }
                Some(whole)
            };
            markets.iter().map(whole).collect()
        })
    }

    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError> {
        for (market, version) in markets {
            self.call(|inner| {
                let stored = inner.markets.get_mut(market).unwrap();
                if stored.whole.version == *version {
                    stored.settled = *version;
                }
            })?;
        }
        Ok(())
    }

    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError> {
        self.call(|inner| {
            let Some((tag, bytes)) = inner.sums.get(area) else { return StoredSum::default() };
            StoredSum { sum: AreaSum::from_bytes(bytes).ok(), tag: Some(tag.to_string()) }
        })
    }

    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError> {
        let (is_late, now) = {
            let mut inner = self.lock();
            let is_late = inner.faults.is_late;
            (is_late.is_some_and(|n| inner.random.one_in(n)), inner.now)
        };
        if is_late {
            // Another pass, between the read and the write; its market changed just now.
            let faults = std::mem::take(&mut self.lock().faults);
            let today = (now.ms() - START) / Time::DAY_MS;
            self.lock().see(today);
            Box::pin(roll_up(self, now, &|| false)).await?;
            self.lock().faults = faults;
            self.lock().others += 1;
        }
        if self.lock().faults.refused == Some(area.path()) {
            return Err(PortError::unavailable("called", "it is refused"));
        }
        self.call(|inner| {
            if inner.sums.get(area).map(|(tag, _)| tag.to_string()) != read.tag {
                return false;
            }
            inner.tags += 1;
            inner.sums.insert(area.clone(), (inner.tags, sum.to_bytes().unwrap()));
            true
        })
    }
}
