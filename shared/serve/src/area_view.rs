use std::collections::BTreeSet;

use serde::Serialize;
use stoop_domain::{Market, Time};
use stoop_market::Cells;

use super::{AddUp, FoundArea, MarketView, MergedId, Sum, as_text};
use stoop_pipeline::WideArea;

/// One area, by purpose and currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaView {
    /// The area's path.
    pub path: String,
    /// Its narrowest name.
    pub name: String,
    /// The time of the figures.
    #[serde(serialize_with = "as_text")]
    pub as_of: Time,
    /// The IDs of the area's markets.
    pub consists_of: Vec<String>,
    /// The sums of those markets.
    pub markets: Vec<MarketView>,
}

impl AreaView {
    /// The view of an area whose markets have these states, at `as_of`, with the closes of the last `days` days. Days before
    /// the horizon of a state need its archive ([`super::covers_days`]).
    #[must_use]
    pub fn of(found: &FoundArea, states: &[(Market, Cells)], as_of: Time, days: u16) -> Self {
        let ids: BTreeSet<MergedId> = states.iter().map(|(market, _)| MergedId::of(market)).collect();
        let view = |id: MergedId| {
            let mut of_id = states.iter().filter(|(market, _)| MergedId::of(market) == id).map(|(_, cells)| cells);
            if let Some(area) = WideArea::new(&found.path, id) {
                let mut sum = AddUp::new(&area, as_of, days);
                of_id.for_each(|cells| sum.add(cells));
                let (sum, hours) = sum.sum();
                return Some(MarketView::of(found, id, Sum::Wide(&sum, hours), as_of, days));
            }
            Some(MarketView::of(found, id, Sum::Whole(of_id.next()?), as_of, days))
        };
        Self::with(found, ids.into_iter().filter_map(view).collect(), as_of)
    }

    /// The view of an area with these sums.
    #[must_use]
    pub fn with(found: &FoundArea, markets: Vec<MarketView>, as_of: Time) -> Self {
        let consists_of = found.markets.iter().map(ToString::to_string).collect();
        Self { path: found.path.clone(), name: found.name.clone(), as_of, consists_of, markets }
    }
}
