//! Questions about areas and markets answered from their states: what `stoop market` prints and the API
//! serves. Pure: states and the time come in as arguments.

mod area;
mod view;

use std::collections::BTreeMap;

use stoop_domain::{Currency, Market, Purpose};
use stoop_market::Cells;

pub use area::{AreaError, FoundArea, find_area, match_area};
pub use view::{DayView, FiguresView, MarketView, SegmentView, unit_name};

/// What an area's markets can be added up under: dollars are never added to dirhams, nor rents to prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MergedId {
    /// Sale or rent.
    pub purpose: Purpose,
    /// The currency of the prices.
    pub currency: Currency,
}

/// Adds markets up, apart by purpose and currency, in that order.
#[must_use]
pub fn merged(markets: impl IntoIterator<Item = (Market, Cells)>) -> Vec<(MergedId, Cells)> {
    let mut sums: BTreeMap<MergedId, Cells> = BTreeMap::new();
    for (market, cells) in markets {
        let id = MergedId { purpose: market.purpose, currency: market.currency };
        match sums.entry(id) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                slot.insert(cells);
            }
            std::collections::btree_map::Entry::Occupied(mut sum) => sum.get_mut().merge(&cells),
        }
    }
    sums.into_iter().collect()
}
