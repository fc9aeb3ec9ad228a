use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_market::KindPrices;

use super::{AreaRequest, MARKETS_AT_ONCE, Reader};
use crate::homes::{AREA_HOMES_MAX, Listed, READS_AT_ONCE, open_homes};
use crate::{Allowance, Comparables, HomeSummary, MergedId, ReadError, areas_around};
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{WideArea, WideLevel};

/// The list prices per area of areas around markets, by path and terms: each is read once for an answer.
type Around = BTreeMap<WideArea, Option<KindPrices>>;

impl Reader<'_> {
    /// What homes like those of each of these markets ask per area, in their order. `all` are all markets.
    ///
    /// # Errors
    /// If a port fails.
    pub async fn comparables(
        &self,
        markets: &[Market],
        all: &[Market],
        now: Time,
    ) -> Result<Vec<Comparables>, PortError> {
        self.comparables_of(markets, all, now, &mut Around::new()).await
    }

    async fn comparables_of(
        &self,
        markets: &[Market],
        all: &[Market],
        now: Time,
        around: &mut Around,
    ) -> Result<Vec<Comparables>, PortError> {
        let mut states: BTreeMap<Market, KindPrices> = BTreeMap::new();
        for some in markets.chunks(MARKETS_AT_ONCE) {
            for (market, cells) in self.states(some, now, 0).await? {
                let today = now.day_in(&market.area.country().zone);
                states.insert(market, KindPrices::per_m2(&cells, today));
            }
        }
        let mut found = Vec::with_capacity(markets.len());
        for market in markets {
            let prices = states.remove(market).unwrap_or_default();
            found.push(Comparables::new(prices, self.around(market, all, now, around).await?));
        }
        Ok(found)
    }

    /// The area around a market whose homes are compared with its own: its county, or its city if that is not known. `None`
    /// if neither has a stored sum, or too many markets to be added up.
    async fn around(
        &self,
        market: &Market,
        all: &[Market],
        now: Time,
        known: &mut Around,
    ) -> Result<Option<(String, KindPrices)>, PortError> {
        let is_county = |path: &&str| path.split('/').count() == WideLevel::County.depth();
        let county = areas_around(market.area.as_str()).find(is_county);
        let level = if county.is_some() { WideLevel::County } else { WideLevel::City };
        let area = WideArea::of(market, level);
        if let Some(prices) = known.get(&area) {
            return Ok(prices.clone().map(|prices| (area.path().to_owned(), prices)));
        }
        let of_area = |other: &&Market| MergedId::of(other) == area.id() && other.area.lies_in(area.path());
        let markets: Vec<Market> = all.iter().filter(of_area).cloned().collect();
        let sum = self.sum(&area, &markets, AreaRequest::at(now, 0), &mut Allowance::of_answer()).await;
        let prices = match sum {
            Ok((sum, _)) => Some(sum.kind_prices_per_m2(now.day_in(&area.country().zone))),
            Err(ReadError::TooWide(_)) => None,
            Err(ReadError::Port(error)) => return Err(error),
        };
        known.insert(area.clone(), prices.clone());
        Ok(prices.map(|prices| (area.path().to_owned(), prices)))
    }

    /// Visits the homes of these markets that are on offer or under contract and may be shown, as of `now`, in the order of
    /// the markets and by ID. Returns whether those were all: it ends after [`AREA_HOMES_MAX`]. Reads several markets at a
    /// time. `all` are all markets.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn each_open_home(
        &self,
        markets: &[Market],
        all: &[Market],
        now: Time,
        mut visit: impl FnMut(HomeSummary) + Send,
    ) -> Result<bool, PortError> {
        let (mut read, mut around) = (0, Around::new());
        for some in markets.chunks(MARKETS_AT_ONCE) {
            let comparables = self.comparables_of(some, all, now, &mut around).await?;
            let homes = some.iter().zip(&comparables).map(|(market, comparables)| async move {
                let homes = open_homes(self.browse, market, AREA_HOMES_MAX, Listed::Homes).await?;
                Ok::<_, PortError>((homes, comparables))
            });
            let mut homes = stream::iter(homes.collect::<Vec<_>>()).buffered(READS_AT_ONCE);
            while let Some((homes, comparables)) = homes.try_next().await? {
                read += homes.len();
                if read > AREA_HOMES_MAX {
                    return Ok(false);
                }
                let shown = homes.into_iter().filter(|(_, home)| home.may_be_shown_at(now));
                let summary = |(id, home): (HomeId, Home)| {
                    Some(HomeSummary::of(id, &home, now, Some(comparables))?.displayed(&home))
                };
                shown.filter_map(summary).for_each(&mut visit);
            }
        }
        Ok(true)
    }
}
