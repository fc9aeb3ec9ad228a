use std::collections::BTreeSet;

use stoop_domain::{Currency, Market, Purpose, Time};
use stoop_market::KindPrices;

use super::{AreaRequest, Reader};
use crate::{Allowance, MergedId, ReadError, YieldLevel, YieldView, areas_around, yields};
use stoop_pipeline::{WideArea, WideLevel};

impl Reader<'_> {
    /// The gross yields of an area in each currency in which homes are for sale there. Few homes lean on those of its city
    /// and county, not on wider areas: a region is no neighbourhood. `markets` are all markets.
    ///
    /// # Errors
    /// If an area cannot be read, or has too many markets to be added up. Areas around that have are left out.
    pub async fn yields(
        &self,
        path: &str,
        markets: &[Market],
        as_of: Time,
        allowance: &mut Allowance,
    ) -> Result<Vec<YieldView>, ReadError> {
        let inside = markets.iter().filter(|market| market.area.lies_in(path));
        let for_sale = inside.filter(|market| market.purpose == Purpose::Sale);
        let currencies: BTreeSet<Currency> = for_sale.map(|market| market.currency).collect();
        let mut all = Vec::new();
        for currency in currencies {
            let (mut levels, mut markets_before) = (Vec::new(), 0);
            for (at, area) in levels_of(path).enumerate() {
                let is_inside = |market: &&Market| market.currency == currency && market.area.lies_in(area);
                let markets_inside = markets.iter().filter(is_inside).count();
                // An area around that has no other homes tells nothing more.
                if markets_inside == markets_before {
                    continue;
                }
                markets_before = markets_inside;
                match self.yield_level(area, currency, markets, as_of, allowance).await {
                    Ok(level) => levels.push(level),
                    Err(ReadError::TooWide(_)) if at > 0 => {}
                    Err(error) => return Err(error),
                }
            }
            all.extend(yields(&levels, currency));
        }
        Ok(all)
    }

    async fn yield_level(
        &self,
        path: &str,
        currency: Currency,
        markets: &[Market],
        as_of: Time,
        allowance: &mut Allowance,
    ) -> Result<YieldLevel, ReadError> {
        let mut prices = [KindPrices::default(), KindPrices::default()];
        for (prices, purpose) in prices.iter_mut().zip([Purpose::Sale, Purpose::Rent]) {
            let id = MergedId { purpose, currency };
            *prices = self.kind_prices(path, id, markets, as_of, allowance).await?;
        }
        let [sale, rent] = prices;
        Ok(YieldLevel { area: path.to_owned(), sale, rent })
    }

    /// The list prices of an area by kind of home, on these terms.
    async fn kind_prices(
        &self,
        path: &str,
        id: MergedId,
        markets: &[Market],
        as_of: Time,
        allowance: &mut Allowance,
    ) -> Result<KindPrices, ReadError> {
        let of_area = |market: &&Market| MergedId::of(market) == id && market.area.lies_in(path);
        let markets: Vec<Market> = markets.iter().filter(of_area).cloned().collect();
        let Some(first) = markets.first() else { return Ok(KindPrices::default()) };
        let today = as_of.day_in(&first.area.country().zone);
        if let Some(area) = WideArea::new(path, id) {
            let (sum, _) = self.sum(&area, &markets, AreaRequest::at(as_of, 0), allowance).await?;
            return Ok(sum.kind_prices(today));
        }
        allowance.take(path, markets.len(), as_of)?;
        let states = self.states(&markets, as_of, 0).await?;
        Ok(states.first().map(|(_, cells)| KindPrices::of(cells, today)).unwrap_or_default())
    }
}

/// An area and the areas around that tell something of it: its city and its county. A region or country stands alone.
fn levels_of(path: &str) -> impl Iterator<Item = &str> {
    let is_near = |area: &&str| area.split('/').count() >= WideLevel::County.depth();
    std::iter::once(path).chain(areas_around(path).filter(move |area| *area != path).filter(is_near))
}

#[cfg(test)]
#[test]
fn an_area_leans_on_its_city_and_county() {
    let of = |path: &'static str| levels_of(path).collect::<Vec<&str>>();
    assert_eq!(of("us/wa/king/seattle/98101"), ["us/wa/king/seattle/98101", "us/wa/king/seattle", "us/wa/king"]);
    assert_eq!(of("us/wa/king"), ["us/wa/king"]);
    assert_eq!(of("us/wa"), ["us/wa"]);
    assert_eq!(of("us"), ["us"]);
}
