//! Passes over counties in a store in memory that fails, is slow, and changes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::{
    Address, Currency, Day, Home, HomeId, Listing, Market, Minor, Observation, PropertyType, Purpose, Time, home_id,
};
use stoop_identity::PairRulings;
use stoop_market::{Cells, Zones, contribution, update};

use super::*;
use crate::AreaSum;
use crate::ports::{
    CommitError, CountyRecord, MarketChange, MergedMarket, MergedMarkets, MergingTerms, PortError, RollUps, StoredSum,
    Versioned, WholeMarket,
};

#[derive(Default)]
struct State {
    listings: BTreeMap<HomeId, Home>,
    /// The listings as the list of a moment ago has them.
    listed: BTreeMap<HomeId, Home>,
    markets: BTreeMap<Market, (u64, Cells, MergedMarket)>,
    changed: BTreeSet<Market>,
    counties: BTreeMap<String, CountyRecord>,
    /// What others are about to store.
    pending: Vec<Observation>,
    /// The calls until one fails.
    calls_left: Option<usize>,
    /// Whether only that one fails, and not all after it.
    fails_once: bool,
}

#[derive(Default)]
struct Memory(Mutex<State>);

impl State {
    fn observe(&mut self, observation: &Observation) {
        let home = self.listings.entry(home_id(observation)).or_default();
        let old = home.clone();
        home.apply(observation);
        let before = old.history.current().map(|_| &old.history);
        for (market, delta) in update(before, &home.history, &mut Zones::default()) {
            let (version, cells, _) = self.markets.entry(market.clone()).or_default();
            *version += 1;
            drop(cells.add(&delta));
            self.changed.insert(market);
        }
    }

    /// The states that follow from the listings, each home counted once if there are terms.
    fn expected(&self, terms: Option<&MergingTerms>) -> BTreeMap<Market, Cells> {
        let mut states: BTreeMap<Market, Cells> = BTreeMap::new();
        let mut add = |market: Market, delta: &_| drop(states.entry(market).or_default().add(delta));
        for home in self.listings.values() {
            contribution(&home.history, &mut Zones::default())
                .into_deltas()
                .iter()
                .for_each(|(market, delta)| add(market.clone(), delta));
        }
        let listings: Vec<(HomeId, Home)> = self.listings.clone().into_iter().collect();
        if let Some(terms) = terms {
            let found = MergedListings::of(&listings, &PairRulings::default(), &terms.except);
            found
                .homes
                .iter()
                .flat_map(|home| &home.corrections)
                .for_each(|(market, delta)| add(market.clone(), delta));
        }
        states.retain(|_, cells| !cells.is_empty());
        states
    }

    fn states(&self) -> BTreeMap<Market, Cells> {
        let states = self.markets.iter().map(|(market, (_, cells, _))| (market.clone(), cells.clone()));
        states.filter(|(_, cells)| !cells.is_empty()).collect()
    }
}

impl Memory {
    /// The state, unless this call is the one that fails.
    fn call(&self) -> Result<std::sync::MutexGuard<'_, State>, PortError> {
        let mut state = self.0.lock().unwrap();
        match &mut state.calls_left {
            Some(0) => {
                state.calls_left = state.calls_left.filter(|_| !state.fails_once);
                return Err(PortError::unavailable("call", "a made-up fault"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }
}

#[async_trait]
impl MergedMarkets for Memory {
    async fn counties(&self) -> Result<Vec<CountyRecord>, PortError> {
        Ok(self.call()?.counties.values().cloned().collect())
    }

    async fn mark(&self, county: &str) -> Result<(), PortError> {
        let mut state = self.call()?;
        let record = state.counties.entry(county.to_owned()).or_default();
        (record.county, record.changes) = (county.to_owned(), record.changes + 1);
        Ok(())
    }

    async fn settle(&self, county: &CountyRecord) -> Result<(), PortError> {
        let mut state = self.call()?;
        let record = state.counties.entry(county.county.clone()).or_default();
        if record.merged <= county.merged {
            *record = CountyRecord { changes: record.changes, ..county.clone() };
        }
        Ok(())
    }

    async fn listings(&self, markets: &[Market], limit: usize) -> Result<Option<Vec<(HomeId, Home)>>, PortError> {
        let state = self.call()?;
        let is_of = |home: &Home| home.history.current().is_some_and(|facts| markets.contains(&facts.market));
        let listings: Vec<_> =
            state.listed.iter().filter(|(_, home)| is_of(home)).map(|(id, home)| (id.clone(), home.clone())).collect();
        Ok((listings.len() <= limit).then_some(listings))
    }

    async fn merged(&self, market: &Market) -> Result<MergedMarket, PortError> {
        Ok(self.call()?.markets.get(market).map(|(_, _, merged)| merged.clone()).unwrap_or_default())
    }

    async fn whole(&self, market: &Market) -> Result<Option<(Versioned<Cells>, MergedMarket)>, PortError> {
        let state = self.call()?;
        let whole = |(version, cells, merged): &(u64, Cells, MergedMarket)| {
            (Versioned { value: cells.clone(), version: *version }, merged.clone())
        };
        Ok(state.markets.get(market).map(whole))
    }

    async fn replace(&self, change: &MarketChange<'_>, merged: &MergedMarket) -> Result<(), CommitError> {
        let mut state = self.call()?;
        if let Some(observation) = state.pending.pop() {
            state.observe(&observation);
        }
        let stored = state.markets.entry(change.market.clone()).or_default();
        if stored.0 != change.version_read {
            return Err(CommitError::Conflict);
        }
        *stored = (stored.0 + 1, change.new.clone(), merged.clone());
        state.changed.insert(change.market.clone());
        Ok(())
    }
}

#[async_trait]
impl RollUps for Memory {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        Ok(self.call()?.changed.iter().cloned().collect())
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        Ok(self.call()?.markets.keys().cloned().collect())
    }

    async fn whole(&self, _: &[Market], _: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        Ok(Vec::new())
    }

    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError> {
        let mut state = self.call()?;
        for (market, version) in markets {
            if state.markets.get(market).is_some_and(|(stored, ..)| stored == version) {
                state.changed.remove(market);
            }
        }
        Ok(())
    }

    async fn sum(&self, _: &WideArea) -> Result<StoredSum, PortError> {
        Ok(StoredSum::default())
    }

    async fn put(&self, _: &WideArea, _: &AreaSum, _: &StoredSum) -> Result<bool, PortError> {
        Ok(true)
    }
}

/// An asking price of one of twelve homes in two cities of two counties, on one of three portals.
fn observation(dice: &mut Dice, day: i64) -> Observation {
    let home = dice.below(12);
    let (mut city, region) = [("Seattle", "WA"), ("Reno", "NV")][home % 2];
    if day < 4 && dice.below(3) == 0 {
        // A mistake, so that the listing moves to another county later.
        city = ["Tacoma", "Las Vegas"][home % 2];
    }
    let address = Address {
        line: Some(format!("{} Oak Street", 100 + 7 * home)),
        city: Some(city.into()),
        region: Some(region.into()),
        country: Some("US".into()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
    listing.bedrooms = Some(2 + (home % 4) as u8);
    listing.list_price = Some(Minor(40_000_000 + home as i64 * 100_000 - day * 1_000));
    let at = Time::from_ms(1_768_392_000_000).plus_ms(day * Time::DAY_MS + dice.below(1_000) as i64);
    Observation::new(["a", "b", "c"][dice.below(3)], format!("{home}"), at, listing)
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("nothing in memory waits"),
    }
}

/// Rolls up what changed; perhaps it is cut short.
fn settle(memory: &Memory, terms: Option<&MergingTerms>, calls_left: Option<usize>) {
    let changed: Vec<(Market, u64)> = {
        let state = memory.0.lock().unwrap();
        state.changed.iter().map(|market| (market.clone(), state.markets[market].0)).collect()
    };
    memory.0.lock().unwrap().calls_left = calls_left;
    let settled = run(async {
        mark_counties(memory, terms, changed.iter().map(|(market, _)| market)).await?;
        RollUps::settle(memory, &changed).await
    });
    assert!(settled.is_ok() || calls_left.is_some());
    memory.0.lock().unwrap().calls_left = None;
}

#[test]
fn states_follow_from_listings_and_terms_however_passes_were_cut_short() {
    let (mut merged_somewhere, mut across_counties) = (false, false);
    for seed in 0..150 {
        let (memory, mut dice) = (Memory::default(), Dice::new(seed));
        let terms = [BTreeSet::new(), BTreeSet::from(["b".to_owned()])].map(|except| MergingTerms { except, model: 1 });
        let mut now = Time::from_ms(1_768_392_000_000);
        let mut pass = |terms: Option<&MergingTerms>, calls_left| {
            now = now.plus_ms(20 * 60_000);
            memory.0.lock().unwrap().calls_left = calls_left;
            let request = MergeRequest { terms, now, all: false, listings_max: 1_000 };
            let done = run(merge_counties(&memory, &memory, request, &|| false));
            memory.0.lock().unwrap().calls_left = None;
            done
        };
        for day in 0..12 {
            {
                let mut state = memory.0.lock().unwrap();
                // The list is behind what was just stored, sometimes, and never behind what was marked before.
                state.listed = state.listings.clone();
                for _ in 0..dice.below(8) {
                    state.observe(&observation(&mut dice, day));
                }
                state.pending = (0..dice.below(3)).map(|_| observation(&mut dice, day)).collect();
                if dice.below(3) > 0 {
                    state.listed = state.listings.clone();
                }
            }
            let with = [None, Some(&terms[0]), Some(&terms[0]), Some(&terms[1])][dice.below(4)];
            let cut = [None, Some(dice.below(30))][dice.below(2)];
            // It may fail: what it leaves, later ones do.
            memory.0.lock().unwrap().fails_once = dice.below(2) == 0;
            drop(pass(with, cut));
            settle(&memory, with, [None, Some(dice.below(9))][dice.below(2)]);
        }
        {
            let mut state = memory.0.lock().unwrap();
            (state.pending, state.listed) = (Vec::new(), state.listings.clone());
        }
        let last = [None, Some(&terms[0]), Some(&terms[1])][dice.below(3)];
        // What changed is marked, and merged; what that wrote is marked, and needs nothing.
        for _ in 0..3 {
            settle(&memory, last, None);
            assert_eq!(pass(last, None).unwrap().failed, 0);
        }
        let state = memory.0.lock().unwrap();
        assert_eq!(state.states(), state.expected(last), "seed {seed}, {last:?}");
        across_counties |= state.counties.values().any(|county| !county.elsewhere.is_empty());
        merged_somewhere |= last.is_some() && state.states() != state.expected(None);
        let is_merged = state.counties.values().any(|county| county.merged_at.is_some());
        assert_eq!(is_merged, last.is_some(), "seed {seed}");
    }
    assert!(merged_somewhere && across_counties);
}

#[test]
fn a_county_is_merged_after_its_mark_and_again_after_a_quarter_of_an_hour() {
    let (memory, mut dice) = (Memory::default(), Dice::new(1));
    let terms = MergingTerms::default();
    let mut observe = || {
        let mut state = memory.0.lock().unwrap();
        (0..40).for_each(|_| state.observe(&observation(&mut dice, 9)));
        state.listed = state.listings.clone();
    };
    let at = |minutes: i64| Time::from_ms(1_768_392_000_000).plus_ms(minutes * 60_000);
    let pass = |minutes, all, listings_max| {
        let request = MergeRequest { terms: Some(&terms), now: at(minutes), all, listings_max };
        let done = run(merge_counties(&memory, &memory, request, &|| false)).unwrap();
        (done.counties, done.waiting, done.too_large.len())
    };
    observe();
    assert_eq!(pass(0, false, 1_000), (0, 2, 0), "both counties are marked");
    assert_eq!(pass(1, false, 1_000), (2, 0, 0));
    observe();
    settle(&memory, Some(&terms), None);
    assert_eq!(pass(2, false, 1_000), (0, 2, 0), "it is early");
    assert_eq!(pass(-600, false, 1_000), (2, 0, 0), "a clock that was set back stops nothing");
    assert_eq!(pass(-599, true, 1_000), (0, 2, 0), "a check of everything marks, and waits, too");
    let merged = memory.0.lock().unwrap().states();
    assert_eq!(pass(60, true, 3), (2, 0, 2), "too many to compare");
    let state = memory.0.lock().unwrap();
    assert_eq!(state.states(), state.expected(None));
    assert_ne!(state.states(), merged);
}

#[test]
fn nothing_is_read_where_each_listing_counts() {
    let memory = Memory::default();
    memory.0.lock().unwrap().observe(&observation(&mut Dice::new(1), 0));
    memory.0.lock().unwrap().calls_left = Some(1);
    let request = MergeRequest { terms: None, now: Time::default(), all: true, listings_max: 1_000 };
    assert_eq!(run(merge_counties(&memory, &memory, request, &|| false)).unwrap(), MergedCounties::default());
}
