//! Reads areas, homes and yields through ports: what pages, the API and reports are made from.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Day, Home, HomeId, Market, Purpose, Time};
use stoop_market::{Cells, WIDE_SERIES_DAYS, Wide};

use super::days::Series;
use super::{
    AddUp, Allowance, AreaCard, AreaView, FoundArea, HomeSummary, Hours, MarketRow, MarketView, MergedId, ReadError,
    Sum, covers_days, repeat_days,
};
use stoop_pipeline::ports::{Browse, PortError, SearchControls, Store, Views, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};

mod comparables;
mod other_listings;
mod yields;

/// States in memory at a time, in addition to their sum: up to a few hundred kilobytes each.
const MARKETS_AT_ONCE: usize = 50;

/// A county with at most this many markets is added up from them where stored sums may lag: that is fast, and the figures
/// are then current.
const SMALL_COUNTY_MARKETS: usize = 200;

/// What is read of an area.
#[derive(Clone, Copy, Debug)]
pub struct AreaRequest {
    /// The time of the figures.
    pub as_of: Time,
    /// The number of daily closes.
    pub days: u16,
    /// Whether the repeat-listing index is wanted.
    pub with_index: bool,
}

impl AreaRequest {
    /// Figures at a time, and closes of the last days.
    #[must_use]
    pub fn at(as_of: Time, days: u16) -> Self {
        Self { as_of, days, with_index: false }
    }

    /// The days that must be read.
    fn days_read(self) -> u16 {
        if self.with_index { repeat_days(self.days) } else { self.days }
    }
}

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
    pub async fn card(
        &self,
        area: &WideArea,
        markets: &[Market],
        request: AreaRequest,
        allowance: &mut Allowance,
    ) -> Result<AreaCard, ReadError> {
        let (sum, hours) = self.sum(area, markets, request, allowance).await?;
        Ok(AreaCard::of(MarketRow::of_area(area), Sum::Wide(&sum, hours), request.as_of, request.days))
    }

    /// An area with its closes, by purpose and currency.
    pub async fn area(
        &self,
        found: &FoundArea,
        request: AreaRequest,
        allowance: &mut Allowance,
    ) -> Result<AreaView, ReadError> {
        let ids: BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
        let mut views = Vec::new();
        for id in ids {
            let of_id = |market: &&Market| MergedId::of(market) == id;
            let markets: Vec<Market> = found.markets.iter().filter(of_id).cloned().collect();
            let mut put = |sum: Sum<'_>| {
                let mut view = MarketView::of(found, id, sum, request.as_of, request.days);
                if request.with_index {
                    view.add_repeat_index(sum, request.days);
                }
                views.push(view);
            };
            if let Some(area) = WideArea::new(&found.path, id) {
                let (sum, hours) = self.sum(&area, &markets, request, allowance).await?;
                put(Sum::Wide(&sum, hours));
                continue;
            }
            allowance.take(&found.path, markets.len(), request.as_of)?;
            for (_, cells) in self.states(&markets, request.as_of, request.days_read()).await? {
                put(Sum::Whole(&cells));
            }
        }
        Ok(AreaView::with(found, views, request.as_of))
    }

    /// The mix-adjusted index of an area on the days of an [`AreaView`] on which it is known; of each purpose and currency
    /// after the other.
    pub async fn price_index(
        &self,
        found: &FoundArea,
        request: AreaRequest,
        allowance: &mut Allowance,
    ) -> Result<Vec<(Day, f64)>, ReadError> {
        let today = request.as_of.day_in(&found.country().zone);
        let mut index = Vec::new();
        let ids: BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
        for id in ids {
            let of_id = |market: &&Market| MergedId::of(market) == id;
            let markets: Vec<Market> = found.markets.iter().filter(of_id).cloned().collect();
            if let Some(area) = WideArea::new(&found.path, id) {
                let (sum, hours) = self.sum(&area, &markets, request, allowance).await?;
                index.extend(Series::price_index(Sum::Wide(&sum, hours), today, request.days));
                continue;
            }
            allowance.take(&found.path, markets.len(), request.as_of)?;
            for (_, cells) in self.states(&markets, request.as_of, request.days_read()).await? {
                index.extend(Series::price_index(Sum::Whole(&cells), today, request.days));
            }
        }
        Ok(index)
    }

    /// The sum of a wide area: stored, or added up from these markets, all that it has.
    pub async fn sum(
        &self,
        area: &WideArea,
        markets: &[Market],
        request: AreaRequest,
        allowance: &mut Allowance,
    ) -> Result<(Wide, Hours), ReadError> {
        let days = request.days_read();
        if days <= WIDE_SERIES_DAYS && self.is_stored(area, markets.len()) {
            let shown = match days {
                0 => self.areas.now(area, markets.len(), request.as_of).await?,
                _ => self.areas.wide(area, markets.len(), request.as_of).await?,
            };
            if let Some(shown) = shown {
                allowance.note(&shown);
                return Ok((shown.sum, Hours::Known));
            }
        }
        allowance.take(area.path(), markets.len(), request.as_of)?;
        let mut sum = AddUp::new(area, request.as_of, days);
        for some in markets.chunks(MARKETS_AT_ONCE) {
            self.states(some, request.as_of, days).await?.iter().for_each(|(_, cells)| sum.add(cells));
        }
        Ok(sum.sum())
    }

    /// Whether the sum of an area is read rather than its markets.
    fn is_stored(&self, area: &WideArea, markets: usize) -> bool {
        match area.level() {
            _ if !self.areas.may_lag() => true,
            WideLevel::Country | WideLevel::Region => true,
            WideLevel::County => markets > SMALL_COUNTY_MARKETS,
            WideLevel::City => false,
        }
    }

    /// The areas of a level that contain these markets, each with its figures. `markets` are all markets of those areas. An
    /// area that must not be added up any more has no figures.
    pub async fn area_rows(
        &self,
        level: WideLevel,
        markets: &[Market],
        as_of: Time,
        allowance: &mut Allowance,
    ) -> Result<Vec<MarketRow>, ReadError> {
        let (mut rows, mut without) = (Vec::new(), BTreeMap::new());
        let mut visit = |area: WideArea, shown: Option<stoop_pipeline::ports::ShownWide>| match shown {
            None => drop(without.insert(area, Vec::new())),
            Some(shown) => {
                rows.push(MarketRow::of_area(&area).with_figures(Sum::Wide(&shown.sum, Hours::Known), as_of));
                allowance.note(&shown);
            }
        };
        self.areas.each(level, markets, as_of, &mut visit).await?;
        for market in markets {
            if let Some(of_area) = without.get_mut(&WideArea::of(market, level)) {
                of_area.push(market.clone());
            }
        }
        // Those with the fewest markets first, so that as many as possible have figures.
        let mut without: Vec<(WideArea, Vec<Market>)> = without.into_iter().collect();
        without.sort_by_key(|(_, markets)| markets.len());
        for (area, markets) in without {
            let row = MarketRow::of_area(&area);
            let mut sum = AddUp::new(&area, as_of, 0);
            if allowance.take(area.path(), markets.len(), as_of).is_err() {
                rows.push(row);
                continue;
            }
            for some in markets.chunks(MARKETS_AT_ONCE) {
                self.states(some, as_of, 0).await?.iter().for_each(|(_, cells)| sum.add(cells));
            }
            let (sum, hours) = sum.sum();
            rows.push(row.with_figures(Sum::Wide(&sum, hours), as_of));
        }
        Ok(rows)
    }

    /// Adds the change since so many days before to areas of a level with figures, from their series. `markets` are all
    /// markets of those areas.
    pub async fn change_rows(
        &self,
        rows: &mut [MarketRow],
        level: WideLevel,
        markets: &[Market],
        as_of: Time,
        days: i32,
        allowance: &mut Allowance,
    ) -> Result<(), ReadError> {
        let mut parts: BTreeMap<String, (WideArea, Vec<Market>)> = BTreeMap::new();
        for market in markets {
            let area = WideArea::of(market, level);
            parts.entry(area.to_string()).or_insert_with(|| (area, Vec::new())).1.push(market.clone());
        }
        for row in rows.iter_mut().filter(|row| row.figures.is_some()) {
            let Some((area, markets)) = parts.remove(&row.id) else { continue };
            let (sum, hours) = self.sum(&area, &markets, AreaRequest::at(as_of, 1), allowance).await?;
            *row = row.clone().with_change(Sum::Wide(&sum, hours), as_of, days);
        }
        Ok(())
    }

    /// Markets with their figures and, if it is wanted, the change since so many days before.
    pub async fn market_rows(
        &self,
        markets: &[Market],
        as_of: Time,
        change: Option<i32>,
    ) -> Result<Vec<MarketRow>, PortError> {
        let mut rows = Vec::with_capacity(markets.len());
        for some in markets.chunks(MARKETS_AT_ONCE) {
            let mut states = self.states(some, as_of, u16::from(change.is_some())).await?.into_iter().peekable();
            for market in some {
                let row = MarketRow::of_market(market);
                let Some((_, cells)) = states.next_if(|(of, _)| of == market) else {
                    rows.push(row);
                    continue;
                };
                let row = row.with_figures(Sum::Whole(&cells), as_of);
                rows.push(match change {
                    Some(days) => row.with_change(Sum::Whole(&cells), as_of, days),
                    None => row,
                });
            }
        }
        Ok(rows)
    }

    /// Adds when the newest observation of a market of an area was made.
    pub async fn add_observed(&self, market: &mut MarketView, found: &FoundArea, as_of: Time) -> Result<(), PortError> {
        let observed = market.observed_markets(found);
        if !observed.is_empty() {
            market.add_observed(self.views.observed_at(&observed).await?, as_of);
        }
        Ok(())
    }

    /// Adds the reference series of a market's area.
    pub async fn add_reference(&self, market: &mut MarketView) -> Result<(), PortError> {
        if let Some((first, last)) = market.reference_days() {
            market.add_reference(&self.browse.reference(&market.path, first, last).await?);
        }
        Ok(())
    }

    /// The homes on offer or under contract in an area that `keep` selects; `None` if the area has more than
    /// [`AREA_HOMES_MAX`](super::AREA_HOMES_MAX). `all` are all markets.
    pub async fn homes(
        &self,
        found: &FoundArea,
        all: &[Market],
        now: Time,
        keep: impl Fn(&HomeSummary) -> bool + Send + Sync,
    ) -> Result<Option<Vec<HomeSummary>>, PortError> {
        let mut homes = Vec::new();
        let visit = |home: HomeSummary| homes.extend(Some(home).filter(|home| keep(home)));
        let are_all = self.each_open_home(&found.markets, all, now, visit).await?;
        Ok(are_all.then_some(homes))
    }

    /// A home.
    pub async fn home(&self, id: &HomeId) -> Result<Option<Home>, PortError> {
        let mut homes = self.store.homes(std::slice::from_ref(id)).await?;
        Ok(homes.pop().flatten().map(|home| home.value))
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
