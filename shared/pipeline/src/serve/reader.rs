//! Reads areas, homes and yields through ports: what pages, the API and reports are made from.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Home, HomeId, Market, Purpose, Time};
use stoop_market::{Cells, WIDE_SERIES_DAYS, Wide};

use super::{
    AreaCard, AreaView, FoundArea, HomeSummary, Hours, MarketRow, MarketView, MergedId, Sum, YieldSearch, YieldView,
    add_up, covers_days, each_open_home, median_per_m2, merged, own_yield,
};
use crate::ports::{Browse, PortError, SearchControls, Store, Views, WideAreas};
use crate::wide_area::{WideArea, WideLevel};

/// What pages and reports are made from.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// Homes and markets.
    pub store: &'a dyn Store,
    /// Lists of markets, archives, alerts.
    pub views: &'a dyn Views,
    /// Stored sums.
    pub areas: &'a dyn WideAreas,
    /// Homes by market, runs, quarantine.
    pub browse: &'a dyn Browse,
    /// `None` if searches cannot be controlled.
    pub controls: Option<&'a dyn SearchControls>,
}

#[expect(clippy::missing_errors_doc, reason = "each fails only if a port does")]
impl Reader<'_> {
    /// The markets, in order.
    pub async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.views.market_ids().await
    }

    /// An area in short.
    pub async fn card(&self, area: &WideArea, markets: &[Market], now: Time, days: u16) -> Result<AreaCard, PortError> {
        let (sum, hours) = self.sum(area, markets, now, days).await?;
        let sum = Sum::Wide(&sum, hours);
        Ok(AreaCard::of(MarketRow::of_area(area), sum, now, days))
    }

    /// The sum of a wide area, stored or added up.
    async fn sum(&self, area: &WideArea, markets: &[Market], now: Time, days: u16) -> Result<(Wide, Hours), PortError> {
        if let Some(shown) = self.areas.wide(area, markets.len(), now).await? {
            return Ok((shown.sum, Hours::Known));
        }
        let states = self.states(markets, now, days).await?;
        Ok(add_up(area, states.iter().map(|(_, cells)| cells), now))
    }

    /// An area with the closes of the last `days` days, by purpose and currency.
    pub async fn area(&self, found: &FoundArea, now: Time, days: u16) -> Result<AreaView, PortError> {
        let ids: BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
        let mut views = Vec::new();
        for id in ids {
            let markets: Vec<Market> =
                found.markets.iter().filter(|market| MergedId::of(market) == id).cloned().collect();
            let wide = WideArea::new(&found.path, id).filter(|_| days <= WIDE_SERIES_DAYS);
            if let Some(area) = &wide
                && let Some(shown) = self.areas.wide(area, markets.len(), now).await?
            {
                let sum = Sum::Wide(&shown.sum, Hours::Known);
                views.push(MarketView::of(found, id, sum, now, days));
                continue;
            }
            let states = self.states(&markets, now, days).await?;
            if let Some(area) = &wide {
                let (wide, hours) = add_up(area, states.iter().map(|(_, cells)| cells), now);
                let sum = Sum::Wide(&wide, hours);
                views.push(MarketView::of(found, id, sum, now, days));
            } else {
                let sums = merged(states);
                views.extend(sums.iter().map(|(id, cells)| MarketView::of(found, *id, Sum::Whole(cells), now, days)));
            }
        }
        Ok(AreaView::with(found, views, now))
    }

    /// Adds the reference series of a market's area.
    pub async fn add_reference(&self, market: &mut MarketView) -> Result<(), PortError> {
        if let Some((first, last)) = market.reference_days() {
            market.add_reference(&self.browse.reference(&market.path, first, last).await?);
        }
        Ok(())
    }

    /// The gross yield of a wide area of homes for sale, matched within it alone; `None` if no kind of home has enough of them
    /// for sale and for rent.
    pub async fn own_yield(&self, area: &WideArea, markets: &[Market], now: Time) -> Result<Option<f64>, PortError> {
        let Some(rents) = WideArea::new(area.path(), MergedId { purpose: Purpose::Rent, ..area.id() }) else {
            return Ok(None);
        };
        let of = |id: MergedId| -> Vec<Market> {
            let inside = |market: &&Market| MergedId::of(market) == id && market.area.lies_in(area.path());
            markets.iter().filter(inside).cloned().collect()
        };
        let (for_sale, for_rent) = (of(area.id()), of(rents.id()));
        if for_sale.is_empty() || for_rent.is_empty() {
            return Ok(None);
        }
        let (sale, _) = self.sum(area, &for_sale, now, 0).await?;
        let (rent, _) = self.sum(&rents, &for_rent, now, 0).await?;
        Ok(own_yield(&sale, &rent, now.day_in(&area.country().zone)))
    }

    /// The gross yields of an area, matched in the area or around it.
    pub async fn yields(&self, area: &AreaView, now: Time) -> Result<Vec<YieldView>, PortError> {
        let markets = self.markets().await?;
        let mut search = YieldSearch::of(area, &markets);
        while let Some(found) = search.wanted() {
            search.add(self.area(&found, now, 0).await?);
        }
        Ok(search.yields())
    }

    /// The homes on offer or under contract in an area that `keep` selects; `None` if the area has more than
    /// [`AREA_HOMES_MAX`](super::AREA_HOMES_MAX).
    pub async fn homes(
        &self,
        found: &FoundArea,
        now: Time,
        keep: impl Fn(&HomeSummary) -> bool + Send + Sync,
    ) -> Result<Option<Vec<HomeSummary>>, PortError> {
        let mut homes = Vec::new();
        let visit = |home: HomeSummary| homes.extend(Some(home).filter(|home| keep(home)));
        let are_all = each_open_home(self.store, self.browse, &found.markets, now, visit).await?;
        Ok(are_all.then_some(homes))
    }

    /// A home.
    pub async fn home(&self, id: &HomeId) -> Result<Option<Home>, PortError> {
        let mut homes = self.store.homes(std::slice::from_ref(id)).await?;
        Ok(homes.pop().flatten().map(|home| home.value))
    }

    /// The median price per square metre of a market, in minor units.
    pub async fn median_per_m2(&self, market: &Market, now: Time) -> Result<Option<f64>, PortError> {
        let states = self.states(std::slice::from_ref(market), now, 0).await?;
        Ok(states.first().and_then(|(market, cells)| median_per_m2(market, cells, now)))
    }

    /// The states of markets, with their archives where the days need them.
    async fn states(&self, markets: &[Market], now: Time, days: u16) -> Result<Vec<(Market, Cells)>, PortError> {
        let mut states = Vec::new();
        for (market, state) in markets.iter().zip(self.store.markets(markets).await?) {
            let Some(cells) = state.map(|state| state.value) else { continue };
            let cells = match covers_days(&cells, now, &market.area.country().zone, days) {
                true => cells,
                false => cells.with_archive(&self.views.archive(market).await?),
            };
            states.push((market.clone(), cells));
        }
        Ok(states)
    }
}

/// The areas of a level with these terms, and the markets of each, in order.
#[must_use]
pub fn areas_of(level: WideLevel, id: MergedId, markets: &[Market]) -> BTreeMap<WideArea, Vec<Market>> {
    let mut areas: BTreeMap<WideArea, Vec<Market>> = BTreeMap::new();
    for market in markets.iter().filter(|market| MergedId::of(market) == id) {
        areas.entry(WideArea::of(market, level)).or_default().push(market.clone());
    }
    areas
}

/// The most areas of a list. A level with more gives way to the next wider one.
const LISTED_AREAS_MAX: usize = 24;

/// The narrowest level with at most 24 areas of these terms; else that of countries.
#[must_use]
pub fn listed_level(id: MergedId, markets: &[Market]) -> WideLevel {
    let level = WideLevel::ALL.into_iter().find(|level| areas_of(*level, id, markets).len() <= LISTED_AREAS_MAX);
    level.unwrap_or(WideLevel::Country)
}

/// The purposes and currencies of markets, those with the most markets first; sales before rents.
#[must_use]
pub fn terms_of(markets: &[Market]) -> Vec<MergedId> {
    let mut counts: BTreeMap<MergedId, usize> = BTreeMap::new();
    for market in markets {
        *counts.entry(MergedId::of(market)).or_default() += 1;
    }
    let mut ids: Vec<(MergedId, usize)> = counts.into_iter().collect();
    ids.sort_by_key(|(id, count)| (id.purpose != Purpose::Sale, std::cmp::Reverse(*count), *id));
    ids.into_iter().map(|(id, _)| id).collect()
}
