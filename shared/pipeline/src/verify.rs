//! The state recomputed from the observations alone, to be compared with the stored one.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use stoop_domain::{Home, HomeId, Market, Observation, home_id};
use stoop_market::{Cells, Zones, contribution};

/// Homes and markets recomputed from observations, with memory for homes and markets, not for rows.
#[derive(Default)]
pub struct Recomputation {
    homes: FxHashMap<HomeId, Home>,
    observations: u64,
}

/// The markets of a recomputation.
pub struct RecomputedMarkets {
    markets: BTreeMap<Market, Cells>,
}

impl Recomputation {
    /// Takes up an observation, in any order.
    pub fn add(&mut self, observation: &Observation) {
        self.observations += 1;
        self.homes.entry(home_id(observation)).or_default().apply(observation);
    }

    /// How many observations were taken up.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.observations
    }

    /// How many homes they are of.
    #[must_use]
    pub fn homes(&self) -> usize {
        self.homes.len()
    }

    /// The state of every market, from every home's contribution.
    #[must_use]
    pub fn markets(&self) -> RecomputedMarkets {
        let mut zones = Zones::default();
        let mut markets: BTreeMap<Market, Cells> = BTreeMap::new();
        for home in self.homes.values() {
            for (market, delta) in contribution(&home.history, &mut zones).into_deltas() {
                markets.entry(market).or_default().add(&delta);
            }
        }
        RecomputedMarkets { markets }
    }

    /// Compares a stored home; it is done with then.
    ///
    /// # Errors
    /// In words, when it differs or has no observation.
    pub fn check_home(&mut self, id: &HomeId, stored: &Home) -> Result<(), String> {
        match self.homes.remove(id) {
            None => Err(format!("home {id} is stored, but no observation of it is")),
            Some(home) if home.history != stored.history => {
                let show = |home: &Home| {
                    format!("{} stretches, {} spans", home.history.runs().len(), home.history.spans().len())
                };
                Err(format!("the history of home {id} differs: stored {}, recomputed {}", show(stored), show(&home)))
            }
            Some(Home { attributes, .. }) if attributes != stored.attributes => {
                let stored = &stored.attributes;
                Err(format!("the attributes of home {id} differ: stored {stored:?}, recomputed {attributes:?}"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Says whether a home is left over that the store should have.
    ///
    /// # Errors
    /// In words, naming the first.
    pub fn check_no_home_left(&self) -> Result<(), String> {
        match self.homes.keys().min() {
            Some(id) => Err(format!("home {id} has observations, but is not stored")),
            None => Ok(()),
        }
    }
}

impl RecomputedMarkets {
    /// Compares a stored market and its archive; it is done with then. The recomputed one is folded as far as the stored
    /// one: folding is linear, and what leaves with it is compared with the archive, so nothing is hidden by it.
    ///
    /// # Errors
    /// In words, naming the first coordinate that differs.
    pub fn check(&mut self, market: &Market, stored: &Cells, archive: &Cells) -> Result<(), String> {
        let mut cells = self.markets.remove(market).unwrap_or_default();
        let leaving = stored.horizon().map(|horizon| cells.fold_to(horizon)).unwrap_or_default();
        if let Some(difference) = stored.first_difference(&cells) {
            return Err(format!("market {market} differs (stored, recomputed): {difference}"));
        }
        match archive.first_difference(&leaving) {
            Some(difference) => {
                Err(format!("the archive of market {market} differs (stored, recomputed): {difference}"))
            }
            None => Ok(()),
        }
    }

    /// Says whether a market is left over that the store should have.
    ///
    /// # Errors
    /// In words, naming the first.
    pub fn check_none_left(&self) -> Result<(), String> {
        match self.markets.iter().find(|(_, cells)| !cells.is_empty()) {
            Some((market, _)) => Err(format!("market {market} has homes, but is not stored")),
            None => Ok(()),
        }
    }
}
