use serde::Serialize;
use stoop_domain::Time;
use stoop_market::Cells;

use super::{FoundArea, MarketView, MergedId, Sum, as_text};

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
    /// The view of an area whose markets add up to `sums`, at `as_of`, with the closes of the last `days` days. Days
    /// before the horizon of the sums need their archives ([`super::covers_days`]).
    #[must_use]
    pub fn of(found: &FoundArea, sums: &[(MergedId, Cells)], as_of: Time, days: u16) -> Self {
        let markets =
            sums.iter().map(|(id, cells)| MarketView::of(found, *id, Sum::Whole(cells), as_of, days)).collect();
        Self::with(found, markets, as_of)
    }

    /// The view of an area with these sums.
    #[must_use]
    pub fn with(found: &FoundArea, markets: Vec<MarketView>, as_of: Time) -> Self {
        let consists_of = found.markets.iter().map(ToString::to_string).collect();
        Self { path: found.path.clone(), name: found.name.clone(), as_of, consists_of, markets }
    }
}
