use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::{Day, Market, Time};
use stoop_market::{Cells, Close};

use super::{FoundArea, MarketView, MergedId, as_text, tells};

/// Everything about one area, apart by purpose and currency.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaView {
    /// The area's path.
    pub path: String,
    /// Its narrowest name.
    pub name: String,
    /// The moment that the figures are of.
    #[serde(serialize_with = "as_text")]
    pub as_of: Time,
    /// The ids of the markets that the area consists of.
    pub consists_of: Vec<String>,
    /// The sums of those markets.
    pub markets: Vec<MarketView>,
}

impl AreaView {
    /// The view of an area whose markets add up to `sums`, at `as_of`, with the closes of the last `days` days.
    /// `older` has the closes before the horizon of the area's [lone markets](FoundArea::lone).
    ///
    /// # Errors
    /// When `as_of` lies before the days that some sum still tells: the first of them.
    pub fn of(
        found: &FoundArea,
        sums: &[(MergedId, Cells)],
        older: &BTreeMap<Market, Vec<Close>>,
        as_of: Time,
        days: u16,
    ) -> Result<Self, Day> {
        let zone = found.country().zone;
        let lone = found.lone();
        let mut markets = Vec::with_capacity(sums.len());
        for (id, cells) in sums {
            tells(cells, as_of, &zone)?;
            let view = MarketView::of(found, *id, cells, as_of, days);
            let closes = lone.iter().find(|market| MergedId::of(market) == *id).and_then(|market| older.get(market));
            markets.push(match closes {
                Some(closes) => view.with_older(closes),
                None => view,
            });
        }
        let consists_of = found.markets.iter().map(ToString::to_string).collect();
        Ok(Self { path: found.path.clone(), name: found.name.clone(), as_of, consists_of, markets })
    }
}

impl FoundArea {
    /// Its markets that are the only ones of their purpose and currency: of these, days before the horizon are
    /// told, too (medians of several do not add up).
    #[must_use]
    pub fn lone(&self) -> Vec<&Market> {
        let mut of_id: BTreeMap<MergedId, Option<&Market>> = BTreeMap::new();
        for market in &self.markets {
            of_id.entry(MergedId::of(market)).and_modify(|only| *only = None).or_insert(Some(market));
        }
        of_id.into_values().flatten().collect()
    }
}
