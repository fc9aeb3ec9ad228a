use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use stoop_domain::Time;

use crate::engine::Engine;
use crate::home::{Home, Offer};
use crate::life::Entry;

/// Irregularities of listing feeds. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// Touches per thousand log entries: a new `ModificationTimestamp` without other changes.
    pub seen_again_permille: u32,
    /// Price changes by cents, per thousand events of homes on offer.
    pub cents_permille: u32,
    /// Prices of a tenth of the intended one, for 1 to 12 hours, per thousand events of homes on offer.
    pub slips_permille: u32,
    /// Changes that the portal shows 1 minute to 24 hours late, per thousand.
    pub late_permille: u32,
}

/// The parameters of a market. Equal values give equal markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationConfig {
    /// Any number. Another seed gives another market.
    pub seed: u64,
    /// The initial time of the simulated clock.
    pub start: Time,
    /// The number of homes.
    pub homes: u32,
    /// The number of postal areas, at most 900.
    pub markets: u32,
    /// The length of the market's past before `start`, which a portal has when it is first seen.
    pub past_ms: i64,
    /// Without a past, most homes are listed within this time of the beginning.
    pub lead_ms: i64,
    /// Homes for rent per thousand.
    pub rent_permille: u32,
    /// Whether three Moroccan cities are included.
    pub morocco: bool,
    /// The speed of events in percent: 1,000 is ten times that of a real market.
    pub pace_percent: u32,
    /// How far the portal's clock is ahead; negative if it is behind. Applies to all times that the portal reports, not
    /// to when events happen or are shown.
    pub clock_ahead_ms: i64,
    /// Irregularities of the feed.
    pub noise: Noise,
}

/// A property market on a simulated clock. See the documentation of the crate.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    engine: Engine,
    ahead: Option<Entry>,
    homes: Arc<[Home]>,
    now: Time,
    log: Vec<Entry>,
    /// The true offers.
    current: Vec<Option<Offer>>,
    /// The offers that the portal shows, and since when. They lag behind for late entries.
    shown: Vec<Option<(Time, Offer)>>,
    by_modification: BTreeSet<(Time, u32)>,
    late: BinaryHeap<Reverse<Entry>>,
}

impl SimulationConfig {
    /// A market in the United States with a past of 60 days, a fifth of it rentals, without noise.
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
    /// The market at the configured start.
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

    /// Advances the clock to `to`. The number of steps makes no difference. Time does not go back.
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

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &SimulationConfig {
        &self.config
    }

    /// The time of the simulated clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// The time of the next event or the next visible change. Advancing to it shows a feed without losses.
    #[must_use]
    pub fn next_at(&self) -> Option<Time> {
        let happens = self.ahead.as_ref().map(|entry| entry.at);
        let shows = self.late.peek().map(|late| late.0.shown_at);
        happens.into_iter().chain(shows).min()
    }

    /// All homes, listed or not, ordered by their numbers.
    #[must_use]
    pub fn all_homes(&self) -> &[Home] {
        &self.homes
    }

    /// The homes that were ever listed, with their true offers.
    pub fn homes(&self) -> impl Iterator<Item = (&Home, &Offer)> {
        self.homes.iter().zip(&self.current).filter_map(|(home, offer)| Some((home, offer.as_ref()?)))
    }

    /// All events so far, in order of time.
    #[must_use]
    pub fn log(&self) -> &[Entry] {
        &self.log
    }

    /// The listings that the portal shows after this position, ordered by `ModificationTimestamp`, then `ListingKey`.
    pub fn shown_after(&self, position: Option<(Time, u32)>) -> impl Iterator<Item = (&Home, &Offer)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = position.map_or(Unbounded, Excluded);
        self.by_modification.range((from, Unbounded)).filter_map(|(_, home)| {
            let i = *home as usize;
            Some((&self.homes[i], &self.shown[i].as_ref()?.1))
        })
    }

    /// Since when the portal shows the current offer of a home. `None` if it does not show the home.
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

    /// Shows an entry on the portal, unless the portal shows a newer one.
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
