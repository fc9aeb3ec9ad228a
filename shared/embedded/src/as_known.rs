//! The state as it was known at a moment: the lake without later sightings.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use stoop_domain::{Home, HomeId, Market, Time, home_id};
use stoop_market::{Cells, Zones, contribution};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{MergedListings, merging_area};
use stoop_serve::COMPARED_LISTINGS_MAX;

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::partitions::Partitions;

impl Database {
    /// The states of all markets that `wanted` selects, as they were known at `known`. They are computed anew from the
    /// observations seen until then, with all single days. Homes that entered or left these markets by later sightings
    /// are counted as they were known. If listings are merged, the homes that were known are counted.
    ///
    /// Reads the whole lake. Takes as much memory as [`Database::verify`], and if listings are merged, that of all listings of the
    /// counties of these markets.
    ///
    /// # Errors
    /// If the lake cannot be read, or if `stop`, which is called regularly, returns true.
    pub fn cells_as_known(
        &self,
        wanted: impl Fn(&Market) -> bool,
        known: Time,
        stop: &dyn Fn() -> bool,
    ) -> Result<BTreeMap<Market, Cells>, PortError> {
        let mut lake = Partitions::of_lake(self, 0, |observation| observation.seen <= known, stop)?;
        let mut sum_up = || -> Result<BTreeMap<Market, Cells>> {
            let (mut markets, mut zones) = (BTreeMap::<Market, Cells>::new(), Zones::default());
            let merging = self.merging()?;
            // Listings are compared with all others of their county.
            let of_wanted = |ids: Vec<Market>| ids.iter().filter(|market| wanted(market)).map(merging_area).collect();
            let counties: BTreeSet<String> = of_wanted(if merging.is_some() { self.market_ids()? } else { Vec::new() });
            let mut listings: BTreeMap<String, Vec<(HomeId, Home)>> = BTreeMap::new();
            for part in 0..lake.count() {
                if stop() {
                    return Err(Failure::stopped());
                }
                let mut homes: FxHashMap<HomeId, Home> = FxHashMap::default();
                lake.take(part, |id, observation| {
                    homes.entry(id).or_default().apply(&observation);
                    Ok(())
                })?;
                for home in homes.values() {
                    let deltas = contribution(&home.history, &mut zones).into_deltas();
                    for (market, delta) in deltas.into_iter().filter(|(market, _)| wanted(market)) {
                        drop(markets.entry(market).or_default().add(&delta));
                    }
                }
                for (id, home) in homes.into_iter().filter(|_| merging.is_some()) {
                    let county = home.history.current().map(|facts| merging_area(&facts.market));
                    if let Some(county) = county.filter(|county| counties.contains(county)) {
                        listings.entry(county).or_default().push((id, home));
                    }
                }
            }
            let Some(merging) = merging else { return Ok(markets) };
            let rulings = self.pair_rulings()?;
            for mut listings in listings.into_values().filter(|listings| listings.len() <= COMPARED_LISTINGS_MAX) {
                listings.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                for home in MergedListings::of(&listings, &rulings, &merging.except).homes {
                    for (market, delta) in home.corrections.into_iter().filter(|(market, _)| wanted(market)) {
                        drop(markets.entry(market).or_default().add(&delta));
                    }
                }
            }
            Ok(markets)
        };
        sum_up().map_err(self.doing(format!("sum up what was known on {known}")))
    }

    /// A home as it was known at `known`. `None` if it was not seen by then. Reads the whole lake.
    ///
    /// # Errors
    /// If the lake cannot be read.
    pub fn home_as_known(&self, id: &HomeId, known: Time) -> Result<Option<Home>, PortError> {
        let mut home: Option<Home> = None;
        self.observations(|line| -> Result<(), PortError> {
            let observation = stoop_wire::decode(line).map_err(|error| PortError::damaged("read the lake", error))?;
            if observation.seen <= known && home_id(&observation) == *id {
                home.get_or_insert_default().apply(&observation);
            }
            Ok(())
        })?;
        Ok(home)
    }
}
