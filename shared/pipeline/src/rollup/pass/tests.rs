//! A world whose every call may fail, before it has done anything or after, and in which others are faster.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use stoop_domain::{
    Currency, Home, Listing, Minor, Observation, Place, PropertyType, Purpose, Status, Watch, market_of,
};
use stoop_market::{COARSE_ERROR, Cells, Figures, Horizon, RELATIVE_ERROR, Segment, Zones, contribution, update};

use super::super::area_sum::SumError;
use super::*;
use crate::ports::{StoredSum, WholeMarket};

/// 2026-01-01, midnight UTC.
const START: i64 = 1_767_225_600_000;

/// Two counties of a region with three cities, one of another region, and one of another country.
const PLACES: [[&str; 5]; 6] = [
    ["US", "WA", "King", "Seattle", "98103"],
    ["US", "WA", "King", "Seattle", "98178"],
    ["US", "WA", "King", "Renton", "98055"],
    ["US", "WA", "Pierce", "Tacoma", "98402"],
    ["US", "IL", "Cook", "Chicago", "60614"],
    ["MA", "", "", "Agadir", ""],
];

/// How often a call goes wrong: one in so many, before or after it did what it was to do; and how often somebody else is faster.
#[derive(Clone, Copy, Default)]
struct Faults {
    fails: Option<i64>,
    is_late: Option<i64>,
    /// All calls from this one on fail: the process was killed.
    killed_at: Option<usize>,
    /// The sum of this area is never stored.
    refused: Option<&'static str>,
}

#[derive(Default)]
struct World {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    random: Random,
    faults: Faults,
    calls: usize,
    others: usize,
    now: Time,
    homes: BTreeMap<i64, Home>,
    markets: BTreeMap<Market, Stored>,
    sums: BTreeMap<WideArea, (u64, Vec<u8>)>,
    tags: u64,
}

#[derive(Default)]
struct Stored {
    whole: WholeMarket,
    settled: u64,
}

#[derive(Default)]
struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(self.0 >> 33).unwrap() % n
    }

    fn one_in(&mut self, n: Option<i64>) -> bool {
        n.is_some_and(|n| self.below(n) == 0)
    }
}

fn day(day: i64) -> Time {
    Time::from_ms(START + day * Time::DAY_MS)
}

impl Inner {
    /// Whether a call goes wrong, before it did anything and afterwards.
    fn call(&mut self) -> [bool; 2] {
        self.calls += 1;
        let is_killed = self.faults.killed_at.is_some_and(|call| self.calls >= call);
        let Faults { fails, .. } = self.faults;
        [is_killed || self.random.one_in(fails), self.random.one_in(fails)]
    }

    /// One of forty homes is seen on about this day or long ago.
    fn see(&mut self, today: i64) {
        let home = self.random.below(40);
        let place =
            PLACES[usize::try_from(if self.random.below(8) == 0 { self.random.below(6) } else { home % 6 }).unwrap()];
        let [country, region, county, city, postal_code] =
            place.map(|name| Some(name.to_owned()).filter(|name| !name.is_empty()));
        let currency = if place[0] == "MA" { Currency::MAD } else { Currency::USD };
        let place = Place { country, region, county, city, postal_code, ..Place::default() };
        let purpose = if home % 9 == 0 { Purpose::Rent } else { Purpose::Sale };
        let mut listing = Listing::new(purpose, currency, place);
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

    fn waiting(&self) -> usize {
        self.markets.values().filter(|stored| stored.settled != stored.whole.version).count()
    }

    /// Every area as the plain sum of its homes, with nothing folded.
    fn plain(&self) -> BTreeMap<WideArea, Cells> {
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

    fn sum(&self, area: &WideArea) -> AreaSum {
        AreaSum::from_bytes(&self.sums[area].1, area.level()).unwrap()
    }

    #[track_caller]
    fn all_are_sums(&self, now: Time) {
        for (area, plain) in self.plain().iter().filter(|(area, _)| area.level() != WideLevel::City) {
            let sum = self.sum(area);
            assert_eq!(sum.first_difference().unwrap(), None, "{area}");
            let Total { told, markets, sum, .. } = sum.total();
            let zone = area.country().zone;
            assert!(told.has(now.day_in(&zone)), "{area} tells {told:?}, not {now}");
            let lies_in = |market: &&Market| WideArea::of(market, area.level()) == *area;
            assert_eq!(markets, self.markets.keys().filter(lies_in).count(), "{area}");
            let got = sum.figures(area.level().grain(), Segment::All, now, &zone);
            let expected = Figures::of(plain, Segment::All, now, &zone);
            let near = got
                .median_price
                .zip(expected.median_price)
                .is_none_or(|(got, expected)| (got / expected - 1.0).abs() <= COARSE_ERROR + RELATIVE_ERROR);
            assert!(near, "{area}: {got:?} {expected:?}");
            let counts = |of: &Figures| (of.active, of.priced, of.mean_price, of.last_28_days, of.last_90_days);
            assert_eq!(counts(&got), counts(&expected), "{area}");
            let today = now.day_in(&zone);
            let active =
                |closes: Vec<stoop_market::Close>| closes.into_iter().map(|close| close.active).collect::<Vec<_>>();
            let from = Day(today.0 - 400);
            let expected = stoop_market::closes(plain, Segment::All, from, today);
            assert_eq!(active(sum.closes(from, today)), active(expected), "{area}");
        }
    }

    /// What is settled is in its county.
    #[track_caller]
    fn nothing_is_settled_that_is_not_in(&self) {
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
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn new(seed: u64, faults: Faults) -> Self {
        let world = Self::default();
        {
            let mut inner = world.lock();
            (inner.random, inner.faults) = (Random(seed), faults);
        }
        world
    }

    async fn roll(&self, now: Time) -> RolledUp {
        self.lock().now = now;
        roll_up(self, now, &|| false).await.unwrap_or_default()
    }

    async fn roll_all(&self, now: Time) -> RolledUp {
        self.lock().now = now;
        roll_up_all(self, now, &|| false).await.unwrap_or_default()
    }

    /// Does a call, or fails, or does it and fails.
    fn call<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> Result<T, PortError> {
        let mut inner = self.lock();
        let [before, after] = inner.call();
        let failed = |when| Err(PortError::new("called", format!("it fails {when}")));
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

    async fn whole(&self, markets: &[Market], told_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        self.call(|inner| {
            let whole = |market: &Market| {
                let mut whole = inner.markets.get(market)?.whole.clone();
                if whole.state.horizon().is_none_or(|horizon| horizon.days <= told_from) {
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
            StoredSum { sum: AreaSum::from_bytes(bytes, area.level()).ok(), tag: Some(tag.to_string()) }
        })
    }

    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError> {
        let (is_late, now) = {
            let mut inner = self.lock();
            let is_late = inner.faults.is_late;
            (inner.random.one_in(is_late), inner.now)
        };
        if is_late {
            // Another pass, on its own, between the read and the write; what it rolls up changed just now.
            let faults = std::mem::take(&mut self.lock().faults);
            let today = (now.ms() - START) / Time::DAY_MS;
            self.lock().see(today);
            Box::pin(roll_up(self, now, &|| false)).await?;
            self.lock().faults = faults;
            self.lock().others += 1;
        }
        if self.lock().faults.refused == Some(area.path()) {
            return Err(PortError::new("called", "it is refused"));
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

async fn lives(seed: u64, faults: Faults, steps: usize) -> World {
    let world = World::new(seed, faults);
    let mut today = 700;
    for _ in 0..steps {
        let now = {
            let mut inner = world.lock();
            today += if inner.random.below(6) == 0 { inner.random.below(90) } else { inner.random.below(3) };
            inner.now = day(today);
            for _ in 0..inner.random.below(8) {
                inner.see(today);
            }
            day(today).plus_ms(inner.random.below(Time::DAY_MS))
        };
        let is_all = world.lock().random.below(5) == 0;
        let done = if is_all { world.roll_all(now).await } else { world.roll(now).await };
        let may_fail = faults.fails.is_some() || faults.killed_at.is_some();
        assert!(may_fail || done.failed == 0, "{done:?}");
        world.lock().nothing_is_settled_that_is_not_in();
        let mut inner = world.lock();
        inner.faults.killed_at = inner.faults.killed_at.filter(|call| inner.calls < *call);
    }
    let now = day(today).plus_ms(Time::DAY_MS - 1);
    world.lock().faults = Faults::default();
    let done = world.roll_all(now).await;
    assert_eq!((done.failed, done.left, world.lock().waiting()), (0, 0, 0));
    world.lock().all_are_sums(now);
    world
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes() {
    for seed in 0..6 {
        lives(seed, Faults::default(), 60).await;
    }
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes_though_every_call_may_fail_before_or_after() {
    for seed in 0..12 {
        lives(seed, Faults { fails: Some(12), ..Faults::default() }, 60).await;
    }
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes_whoever_is_faster() {
    let mut others = 0;
    for seed in 0..8 {
        let faults = Faults { is_late: Some(3), fails: Some(40), ..Faults::default() };
        others += lives(seed, faults, 40).await.lock().others;
    }
    assert!(others > 100, "{others}");
}

#[tokio::test]
async fn killed_at_any_call_nothing_is_lost_and_nothing_counts_twice() {
    for call in 1..120 {
        lives(7, Faults { killed_at: Some(call), ..Faults::default() }, 12).await;
    }
}

/// A world in which everything is rolled up.
async fn rolled_up(now: Time) -> World {
    let world = World::new(3, Faults::default());
    world.lock().now = now;
    (0..60).for_each(|_| world.lock().see((now.ms() - START) / Time::DAY_MS));
    let done = world.roll(now).await;
    assert!(done.markets > 6 && done.written > 6 && done.left == 0, "{done:?}");
    world.lock().all_are_sums(now);
    world
}

#[tokio::test]
async fn what_did_not_change_is_not_read_nor_written() {
    let world = rolled_up(day(700)).await;
    let counted = || {
        let inner = world.lock();
        (inner.calls, inner.tags)
    };
    let (calls, written) = counted();
    assert_eq!(world.roll(day(700)).await, RolledUp::default());
    assert_eq!(counted(), (calls + 1, written));
    // What one home says again is written into one sum of each level, and nothing else.
    let market = world.lock().markets.keys().next().unwrap().clone();
    world.lock().markets.get_mut(&market).unwrap().whole.version += 1;
    let done = world.roll(day(700).plus_ms(60_000)).await;
    let lag_ms = Some(60_000);
    assert_eq!(done, RolledUp { markets: 1, written: 3, lag_ms, ..RolledUp::default() });
}

#[tokio::test]
async fn a_sum_says_until_when_all_is_in_it() {
    let world = rolled_up(day(700)).await;
    let (change, until) = (
        |begins: &str| {
            let mut inner = world.lock();
            let market = inner.markets.iter_mut().find(|(market, _)| market.to_string().starts_with(begins));
            market.unwrap().1.whole.version += 1;
        },
        |path: &str| world.lock().sum(&WideArea::new(path, "sale:USD".parse().unwrap()).unwrap()).version(),
    );
    let ms = |days| u64::try_from(day(days).ms()).unwrap();
    change("us/wa/king/seattle/98103:sale");
    change("us/wa/pierce");
    change("us/il");
    world.lock().faults.refused = Some("us/wa/king");
    let done = world.roll(day(701)).await;
    assert_eq!((done.markets, done.failed, done.left), (2, 1, 1));
    assert_eq!((until("us/wa/pierce"), until("us/il"), until("us/wa/king")), (ms(701), ms(701), ms(700)));
    assert_eq!((until("us/wa"), until("us")), (ms(700) + 1, ms(700) + 1), "what changed in King County is not in them");
    world.lock().faults.refused = None;
    world.roll(day(702)).await;
    assert_eq!((until("us/wa/king"), until("us/wa"), until("us")), (ms(702), ms(702), ms(702)));
}

#[tokio::test]
async fn a_region_that_was_lost_while_a_county_of_it_fails_is_in_its_country() {
    let world = rolled_up(day(700)).await;
    let wa = WideArea::new("us/wa", "sale:USD".parse().unwrap()).unwrap();
    world.lock().sums.remove(&wa);
    (0..40).for_each(|_| world.lock().see(700));
    world.lock().faults.refused = Some("us/wa/king");
    let done = world.roll(day(701)).await;
    assert!(done.failed > 0 && done.markets > 0, "{done:?}");
    let inner = world.lock();
    let us = inner.sum(&wa.parent().unwrap());
    assert_eq!(us.part(wa.path()).unwrap().version, inner.sum(&wa).version(), "what is settled is in");
}

#[tokio::test]
async fn days_that_end_are_worked_out_anew_before_they_do() {
    let world = rolled_up(day(700)).await;
    for later in 701..704 {
        let done = world.roll_all(day(later)).await;
        assert_eq!(done.written, 0, "on day {later}");
        world.lock().all_are_sums(day(later));
    }
    assert!(world.roll_all(day(704)).await.written > 6);
    world.lock().all_are_sums(day(709));
    // A clock that was a year ahead, and was put right.
    assert!(world.roll_all(day(1_000)).await.written > 6);
    assert!(world.roll_all(day(704)).await.written > 6);
    world.lock().all_are_sums(day(704));
}

#[tokio::test]
async fn a_sum_that_was_lost_or_damaged_is_made_again() {
    let areas: Vec<WideArea> = rolled_up(day(700)).await.lock().sums.keys().cloned().collect();
    for lost in &areas {
        for damage in [None, Some(0), Some(3), Some(40), Some(200)] {
            let world = rolled_up(day(700)).await;
            {
                let mut inner = world.lock();
                match damage {
                    None => drop(inner.sums.remove(lost)),
                    Some(at) => inner.sums.get_mut(lost).unwrap().1[at] ^= 0x55,
                }
            }
            (0..5).for_each(|_| world.lock().see(700));
            world.roll(day(700)).await;
            // What nobody touched is noticed when its days end.
            world.roll_all(day(704)).await;
            world.roll_all(day(704)).await;
            world.lock().all_are_sums(day(704));
        }
    }
}

#[tokio::test]
async fn a_pass_that_is_stopped_brings_what_it_began_to_an_end() {
    let world = World::new(3, Faults::default());
    world.lock().now = day(700);
    (0..60).for_each(|_| world.lock().see(700));
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 2;
    let first = roll_up(&world, day(700), &stop).await.unwrap();
    assert!(first.markets > 0 && first.left > 0, "{first:?}");
    world.lock().nothing_is_settled_that_is_not_in();
    let second = roll_up(&world, day(700), &|| false).await.unwrap();
    assert_eq!((second.markets, second.left), (first.left, 0));
    world.lock().all_are_sums(day(700));
}

#[tokio::test]
async fn a_look_at_everything_that_is_stopped_gets_further_each_time() {
    let world = rolled_up(day(700)).await;
    world.lock().sums.clear();
    // What takes time are calls: there are enough for countries and regions, and too few for all counties as well.
    let above = {
        let inner = world.lock();
        let of = |level| inner.markets.keys().map(|market| WideArea::of(market, level)).collect::<BTreeSet<_>>().len();
        assert!(of(WideLevel::County) > 2);
        of(WideLevel::Country) + of(WideLevel::Region)
    };
    let mut passes = 0;
    loop {
        let most = world.lock().calls + above + 3;
        let stop = || world.lock().calls >= most;
        let done = roll_up_all(&world, day(701), &stop).await.unwrap();
        passes += 1;
        assert!(passes < 40, "{done:?}");
        if done.left == 0 {
            break;
        }
    }
    assert!(passes > 2, "{passes}");
    world.lock().all_are_sums(day(701));
}

#[tokio::test]
async fn where_there_is_always_more_than_a_pass_gets_to_no_county_waits_for_ever() {
    let world = World::new(3, Faults::default());
    world.lock().now = day(700);
    (0..60).for_each(|_| world.lock().see(700));
    for minute in 0..200 {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 1;
        let done = roll_up(&world, day(700).plus_ms(minute * 60_000), &stop).await.unwrap();
        assert!(done.left > 0, "{done:?}");
        world.lock().markets.values_mut().for_each(|stored| stored.whole.version += 1);
    }
    let inner = world.lock();
    let never: Vec<_> = inner.markets.iter().filter(|(_, stored)| stored.settled == 0).collect();
    assert!(never.is_empty(), "{} of {}", never.len(), inner.markets.len());
}

#[tokio::test]
async fn a_market_that_is_no_more_is_taken_away_and_its_days_end_nothing() {
    let world = rolled_up(day(700)).await;
    let is_gone = |market: &Market| {
        let area = market.area.to_string();
        area.starts_with("us/il/") || area.ends_with("/98178")
    };
    world.lock().markets.retain(|market, _| !is_gone(market));
    let done = world.roll_all(day(701)).await;
    assert_eq!((done.left, done.failed), (0, 0));
    for later in [701, 720] {
        world.roll_all(day(later)).await;
        let inner = world.lock();
        let areas: BTreeSet<WideArea> = [WideLevel::County, WideLevel::Region, WideLevel::Country]
            .into_iter()
            .flat_map(|level| inner.markets.keys().map(move |market| WideArea::of(market, level)))
            .collect();
        for area in areas {
            let sum = inner.sum(&area);
            assert_eq!(sum.first_difference().unwrap(), None, "{area}");
            let lies_in = |market: &&Market| WideArea::of(market, area.level()) == area;
            assert_eq!(sum.total().markets, inner.markets.keys().filter(lies_in).count(), "{area}");
            assert!(sum.told().has(day(later).day_in(&area.country().zone)), "{area} tells {:?}", sum.told());
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_a_sum_that_is_lost_leave_nothing_as_it_was() {
    let world = rolled_up(day(700)).await;
    world.roll_all(day(730)).await;
    world.lock().sums.retain(|area, _| area.level() != WideLevel::County);
    world.roll_all(day(701)).await;
    world.lock().all_are_sums(day(701));
}

#[test]
fn a_sum_is_read_as_it_was_written_and_nothing_else_is() {
    let mut home = Home::default();
    let place = Place { country: Some("US".into()), postal_code: Some("98103".into()), ..Place::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, place);
    listing.list_price = Some(Minor(50_000_000));
    home.apply(&Observation::new("mls", "1", day(1), listing.clone()));
    let mut state = Cells::default();
    for (_, delta) in contribution(&home.history, &mut Zones::default()).into_deltas() {
        drop(state.add(&delta));
    }
    let name = market_of(&listing).unwrap().to_string();
    let mut sum = AreaSum::empty(WideLevel::County);
    let whole = WholeMarket { version: 7, state, ..WholeMarket::default() };
    sum.put(&name, &Total::of(&whole, Day(20_454))).unwrap();
    sum.stamp(1_000);
    sum.stamp(5);
    assert_eq!(sum.version(), 1_001, "it grows though the clock does not");
    let bytes = sum.to_bytes().unwrap();
    assert_eq!(AreaSum::from_bytes(&bytes, WideLevel::County).unwrap(), sum);
    for with_series in [true, false] {
        let read = |bytes: &[u8]| Total::from_beginning(bytes, with_series);
        let mut total = read(&bytes).unwrap().unwrap();
        if with_series {
            assert_eq!(total, sum.total());
        }
        total.sum = sum.total().sum;
        assert_eq!(total, sum.total());
        assert!(read(&bytes[..40]).unwrap().is_none(), "more of it is needed");
        assert!(matches!(read(b"SUM9"), Err(SumError::Format(_))));
        assert!(read(b"SUM2").is_err());
        let mut other = bytes.clone();
        other[4] += 1;
        assert!(matches!(read(&other), Err(SumError::Format(_))), "of other figures");
    }
    for cut in 0..bytes.len() {
        assert!(AreaSum::from_bytes(&bytes[..cut], WideLevel::County).is_err(), "cut at {cut}");
    }
    assert!(AreaSum::from_bytes(&[bytes.as_slice(), b"x"].concat(), WideLevel::County).is_err());
}
