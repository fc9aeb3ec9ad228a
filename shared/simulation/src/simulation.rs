use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use stoop_domain::Time;

use crate::config::SimulationConfig;
use crate::engine::Engine;
use crate::home::{Home, Offer};
use crate::life::LifeEvent;

/// A property market on a simulated clock. See the documentation of the crate.
#[derive(Debug)]
pub struct Simulation {
    config: SimulationConfig,
    engine: Engine,
    ahead: Option<LifeEvent>,
    homes: Arc<[Home]>,
    now: Time,
    log: Vec<LifeEvent>,
    /// The true offers.
    current: Vec<Option<Offer>>,
    /// The offers that the portal shows, and since when. They lag behind for late entries.
    shown: Vec<Option<(Time, Offer)>>,
    by_modification: BTreeSet<(Time, u32)>,
    late: BinaryHeap<Reverse<LifeEvent>>,
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
    pub fn log(&self) -> &[LifeEvent] {
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
    fn show(&mut self, entry: LifeEvent) {
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
