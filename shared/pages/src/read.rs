//! Reads what pages show.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Home, HomeId, Market, Time};
use stoop_market::{Cells, WIDE_SERIES_DAYS};
use stoop_pipeline::ports::{Browse, PortError, SearchControls, Store, Views, WideAreas};
use stoop_pipeline::serve::{
    AreaCard, AreaError, AreaView, FoundArea, HomeSummary, Hours, MarketRow, MarketView, MergedId, Sum, YieldSearch,
    YieldView, covers_days, each_open_home, find_area, median_per_m2, merged,
};
use stoop_pipeline::{WideArea, WideLevel, add_up};

use crate::problem::Problem;

/// What pages are made from.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) views: &'a dyn Views,
    pub(crate) areas: &'a dyn WideAreas,
    pub(crate) browse: &'a dyn Browse,
    /// `None` if searches cannot be controlled.
    pub(crate) controls: Option<&'a dyn SearchControls>,
}

impl Reader<'_> {
    /// The markets, in order.
    pub(crate) async fn markets(&self) -> Result<Vec<Market>, PortError> {
        self.views.market_ids().await
    }

    /// The area that a text means; other markets than those of the terms are left out.
    pub(crate) async fn find(&self, query: &str) -> Result<FoundArea, Problem> {
        let markets = self.markets().await?;
        find_area(query, &markets).map_err(|error| not_found(query, error))
    }

    /// An area in short.
    pub(crate) async fn card(
        &self,
        area: &WideArea,
        markets: &[Market],
        now: Time,
        days: u16,
    ) -> Result<AreaCard, PortError> {
        let row = MarketRow::of_area(area);
        if let Some(shown) = self.areas.wide(area, markets.len(), now).await? {
            return Ok(AreaCard::of(row, Sum::Wide(&shown.sum, area.level().grain(), Hours::Known), now, days));
        }
        let states = self.states(markets, now, days).await?;
        let (wide, hours) = add_up(area, states.iter().map(|(_, cells)| cells), now);
        Ok(AreaCard::of(row, Sum::Wide(&wide, area.level().grain(), hours), now, days))
    }

    /// An area with the closes of the last `days` days, by purpose and currency.
    pub(crate) async fn area(&self, found: &FoundArea, now: Time, days: u16) -> Result<AreaView, PortError> {
        let ids: BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
        let mut views = Vec::new();
        for id in ids {
            let markets: Vec<Market> =
                found.markets.iter().filter(|market| MergedId::of(market) == id).cloned().collect();
            let wide = WideArea::new(&found.path, id).filter(|_| days <= WIDE_SERIES_DAYS);
            if let Some(area) = &wide
                && let Some(shown) = self.areas.wide(area, markets.len(), now).await?
            {
                let sum = Sum::Wide(&shown.sum, area.level().grain(), Hours::Known);
                views.push(MarketView::of(found, id, sum, now, days));
                continue;
            }
            let states = self.states(&markets, now, days).await?;
            if let Some(area) = &wide {
                let (wide, hours) = add_up(area, states.iter().map(|(_, cells)| cells), now);
                let sum = Sum::Wide(&wide, area.level().grain(), hours);
                views.push(MarketView::of(found, id, sum, now, days));
            } else {
                let sums = merged(states);
                views.extend(sums.iter().map(|(id, cells)| MarketView::of(found, *id, Sum::Whole(cells), now, days)));
            }
        }
        Ok(AreaView::with(found, views, now))
    }

    /// The gross yields of an area, matched in the area or around it.
    pub(crate) async fn yields(&self, area: &AreaView, now: Time) -> Result<Vec<YieldView>, PortError> {
        let markets = self.markets().await?;
        let mut search = YieldSearch::of(area, &markets);
        while let Some(found) = search.wanted() {
            search.add(self.area(&found, now, 0).await?);
        }
        Ok(search.yields())
    }

    /// The homes on offer or under contract in an area that `keep` selects; `None` if the area has more than
    /// [`AREA_HOMES_MAX`](stoop_pipeline::serve::AREA_HOMES_MAX).
    pub(crate) async fn homes(
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
    pub(crate) async fn home(&self, id: &HomeId) -> Result<Option<Home>, PortError> {
        let mut homes = self.store.homes(std::slice::from_ref(id)).await?;
        Ok(homes.pop().flatten().map(|home| home.value))
    }

    /// The median price per square metre of a market, in minor units.
    pub(crate) async fn median_per_m2(&self, market: &Market, now: Time) -> Result<Option<f64>, PortError> {
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
pub(crate) fn areas_of(level: WideLevel, id: MergedId, markets: &[Market]) -> BTreeMap<WideArea, Vec<Market>> {
    let mut areas: BTreeMap<WideArea, Vec<Market>> = BTreeMap::new();
    for market in markets.iter().filter(|market| MergedId::of(market) == id) {
        areas.entry(WideArea::of(market, level)).or_default().push(market.clone());
    }
    areas
}

fn not_found(query: &str, error: AreaError) -> Problem {
    let mut problem = Problem::missing(error.to_string());
    query.clone_into(&mut problem.query);
    match error {
        AreaError::Ambiguous { query, candidates } => {
            problem.status = 300;
            problem.title = "Several areas have this name";
            problem.message = format!("{query:?} is the name of several areas.");
            problem.candidates = candidates;
        }
        AreaError::NoSuchArea { query, nearest } => {
            problem.message = format!("There is no area {query:?} here.");
            problem.similar = nearest;
        }
        AreaError::NotWatched { nearest, .. } => problem.candidates = nearest.into_iter().collect(),
        AreaError::NoSuchTerm { .. } => problem.status = 400,
    }
    problem
}
