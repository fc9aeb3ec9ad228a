use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use stoop_domain::Time;

use crate::engine::Engine;
use crate::home::{Home, Offer};
use crate::life::Entry;

/// How often things happen that are no part of a market but of listing feeds; nothing of it by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// Of a thousand log entries, so many are touches: a new `ModificationTimestamp`, nothing else new.
    pub seen_again_permille: u32,
    /// Of a thousand things that happen to a home on offer, so many are a price moved by cents.
    pub cents_permille: u32,
    /// Of a thousand things that happen to a home on offer, so many are a price that is a tenth of
    /// what was meant, for 1 to 12 hours.
    pub slips_permille: u32,
    /// Of a thousand changes, so many are shown by the portal 1 minute to 24 hours late.
    pub late_permille: u32,
}

/// What decides a market. Equal values give equal markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationConfig {
    /// Any number; another seed is another market.
    pub seed: u64,
    /// Where the simulated clock stands at first.
    pub start: Time,
    /// How many homes there are.
    pub homes: u32,
    /// How many postal areas they lie in, at most 900.
    pub markets: u32,
    /// So long before `start` the market began: the past that a portal has when it is first seen.
    pub past_ms: i64,
    /// Without a past, most homes are listed within so long of the beginning.
    pub lead_ms: i64,
    /// Of a thousand homes, so many are for rent.
    pub rent_permille: u32,
    /// Whether three Moroccan cities are among the places.
    pub morocco: bool,
    /// How fast lives go: 100 is a home's real pace, 1,000 ten times that.
    pub pace_percent: u32,
    /// The portal's clock is so far ahead, or behind where this is negative: all times that it tells are. What happens,
    /// and when it is shown, goes by the right time.
    pub clock_ahead_ms: i64,
    /// What is wrong with the feed.
    pub noise: Noise,
}

/// A property market on a simulated clock. See the crate's documentation.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    engine: Engine,
    ahead: Option<Entry>,
    homes: Arc<[Home]>,
    now: Time,
    log: Vec<Entry>,
    /// What is so.
    current: Vec<Option<Offer>>,
    /// What the portal shows, which lags where delivery is late, and since when.
    shown: Vec<Option<(Time, Offer)>>,
    by_modification: BTreeSet<(Time, u32)>,
    late: BinaryHeap<Reverse<Entry>>,
}

impl SimulationConfig {
    /// A market with a past of 60 days, a fifth of it rentals, in the United States, without noise.
    #[must_use]
    pub fn new(seed: u64, start: Time, homes: u32, markets: u32) -> Self {
        Self {
            seed,
            start,
            homes,
            markets,
            past_ms: 60 * Time::DAY_MS,
            lead_ms: 3 * Time::DAY_MS,
            rent_permille: 200,
            morocco: false,
            pace_percent: 100,
            clock_ahead_ms: 0,
            noise: Noise::default(),
        }
    }

    /// When the first home may be listed.
    #[must_use]
    pub fn begin(&self) -> Time {
        self.start.plus_ms(-self.past_ms.max(0))
    }
}

impl Simulation {
    /// The market as it stands at the configured start.
    #[must_use]
    pub fn new(config: SimulationConfig) -> Self {
        let mut engine = Engine::new(config.clone());
        let homes = Arc::clone(engine.homes());
        let ahead = engine.next();
        let mut simulation = Self {
            now: config.begin(),
            current: vec![None; homes.len()],
            shown: vec![None; homes.len()],
            log: Vec::new(),
            by_modification: BTreeSet::new(),
            late: BinaryHeap::new(),
            config,
            engine,
            ahead,
            homes,
        };
        simulation.advance(simulation.config.start);
        simulation
    }

    /// Lets time pass until `to`. In how many steps one goes makes no difference; time does not go back.
    pub fn advance(&mut self, to: Time) {
        while let Some(entry) = self.ahead.take_if(|entry| entry.at <= to) {
            self.current[entry.home as usize] = Some(entry.offer.clone());
            self.log.push(entry.clone());
            self.deliver_late(entry.at);
            if entry.shown_at > entry.at {
                self.late.push(Reverse(entry));
            } else {
                self.show(entry);
            }
            self.ahead = self.engine.next();
        }
        self.deliver_late(to);
        self.now = self.now.max(to);
    }

    /// What the market was made from.
    #[must_use]
    pub fn config(&self) -> &SimulationConfig {
        &self.config
    }

    /// Where the simulated clock stands.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// When the next thing happens or becomes visible; advancing to it shows a feed nothing is lost from.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        let happens = self.ahead.as_ref().map(|entry| entry.at);
        let shows = self.late.peek().map(|late| late.0.shown_at);
        happens.into_iter().chain(shows).min()
    }

    /// All homes, listed or not yet, in the order of their numbers.
    #[must_use]
    pub fn all_homes(&self) -> &[Home] {
        &self.homes
    }

    /// The homes ever listed, with what is true of each now.
    pub fn homes(&self) -> impl Iterator<Item = (&Home, &Offer)> {
        self.homes.iter().zip(&self.current).filter_map(|(home, offer)| Some((home, offer.as_ref()?)))
    }

    /// Everything that happened until now, in order of time.
    #[must_use]
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// What the portal shows, by `ModificationTimestamp`, then `ListingKey`, of all that comes after
    /// the given place in that order.
    pub fn shown_after(&self, place: Option<(Time, u32)>) -> impl Iterator<Item = (&Home, &Offer)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = place.map_or(Unbounded, Excluded);
        self.by_modification.range((from, Unbounded)).filter_map(|(_, home)| {
            let i = *home as usize;
            Some((&self.homes[i], &self.shown[i].as_ref()?.1))
        })
    }

    /// Since when the portal shows what it shows of a home; `None` where it shows nothing of it.
    #[must_use]
    pub fn shown_at(&self, home: u32) -> Option<Time> {
        self.shown.get(home as usize)?.as_ref().map(|(at, _)| *at)
    }

    fn deliver_late(&mut self, until: Time) {
        while self.late.peek().is_some_and(|late| late.0.shown_at <= until) {
            if let Some(Reverse(entry)) = self.late.pop() {
                self.show(entry);
            }
        }
    }

    /// Puts an entry on the portal, unless the portal shows something newer already.
    fn show(&mut self, entry: Entry) {
        let shown = &mut self.shown[entry.home as usize];
        if let Some((_, old)) = shown {
            if old.modified_at > entry.offer.modified_at {
                return;
            }
            self.by_modification.remove(&(old.modified_at, entry.home));
        }
        self.by_modification.insert((entry.offer.modified_at, entry.home));
        *shown = Some((entry.shown_at, entry.offer));
    }
}
