//! Adds up areas without a stored sum.

use std::collections::BTreeMap;

use stoop_domain::{Market, Time};
use stoop_market::Cells;

use super::Api;
use super::error::ApiError;
use crate::serve::{MergedId, add_market, covers_days};

/// The most markets to read for one response: more would exceed a function's timeout.
pub(super) const READ_MARKETS_MAX: usize = 2_000;
/// States in memory at a time, in addition to their sums: up to a few hundred kilobytes each.
const CHUNK_MARKETS: usize = 50;

impl Api<'_> {
    /// Adds markets up by purpose and currency.
    pub(super) async fn added_up(
        &self,
        markets: &[Market],
        as_of: Time,
        days: u16,
    ) -> Result<BTreeMap<MergedId, Cells>, ApiError> {
        let mut sums = BTreeMap::new();
        for chunk in markets.chunks(CHUNK_MARKETS) {
            for (market, cells) in chunk.iter().zip(self.states(chunk, as_of, days).await?) {
                if let Some(cells) = cells {
                    add_market(&mut sums, market, cells);
                }
            }
        }
        Ok(sums)
    }

    /// Maps the state of each of these markets, with the days that closes need.
    pub(super) async fn of_each<T>(
        &self,
        markets: &[Market],
        as_of: Time,
        days: u16,
        of: impl Fn(&Market, Option<Cells>) -> T,
    ) -> Result<Vec<T>, ApiError> {
        let mut all = Vec::with_capacity(markets.len());
        for chunk in markets.chunks(CHUNK_MARKETS) {
            let states = self.states(chunk, as_of, days).await?;
            all.extend(chunk.iter().zip(states).map(|(market, cells)| of(market, cells)));
        }
        Ok(all)
    }

    /// The states of some markets, each with its archive if it is needed for the days up to `as_of`.
    async fn states(&self, markets: &[Market], as_of: Time, days: u16) -> Result<Vec<Option<Cells>>, ApiError> {
        let mut states = Vec::with_capacity(markets.len());
        for (market, state) in markets.iter().zip(self.store.markets(markets).await?) {
            let reported = match state.map(|state| state.value) {
                Some(cells) if !covers_days(&cells, as_of, &market.area.country().zone, days) => {
                    Some(cells.with_archive(&self.views.archive(market).await?))
                }
                cells => cells,
            };
            states.push(reported);
        }
        Ok(states)
    }
}
