//! The state as it was known at a moment: the lake without later sightings.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use stoop_domain::{Home, HomeId, Market, Time, home_id};
use stoop_market::{Cells, Zones, contribution};
use stoop_pipeline::ports::PortError;

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::partitions::Partitions;

impl Database {
    /// The states of all markets that `wanted` selects, as they were known at `known`. They are computed anew from the
    /// observations seen until then, with all single days. Homes that entered or left these markets by later sightings
    /// are counted as they were known.
    ///
    /// Reads the whole lake. Takes as much memory as [`Database::verify`].
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
