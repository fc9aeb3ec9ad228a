use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::{Currency, Market, Time};
use stoop_market::Cells;

use super::Api;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use crate::serve::{AreaView, FiguresView, Sum, add_market, as_text, as_text_or_null, tells, unit_name};

/// Markets that one answer adds up at most: more would take longer than a function may.
const SUMMED_MARKETS_MAX: usize = 2_000;
/// States that are in memory at a time, beside their sums: up to a few hundred kilobytes each.
const CHUNK_MARKETS: usize = 50;
const LISTED_MAX: u16 = 1_000;
/// Each of these costs the read of a state.
const LISTED_WITH_FIGURES_MAX: u16 = 100;
const LISTED_DEFAULT: u16 = 100;
const DAYS_DEFAULT: u16 = 90;
/// Ten years and more.
const DAYS_MAX: u16 = 4_000;

/// A page of markets, in the order of their ids.
#[derive(Serialize)]
pub(super) struct MarketList {
    /// The moment of the figures; absent where none are told.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    as_of: Option<Time>,
    /// How many markets there are on all pages.
    total: usize,
    markets: Vec<MarketRow>,
    /// The `cursor` of the next page.
    #[serde(serialize_with = "as_text_or_null")]
    next: Option<Market>,
}

#[derive(Serialize)]
struct MarketRow {
    #[serde(serialize_with = "as_text")]
    id: Market,
    path: String,
    name: String,
    purpose: &'static str,
    currency: Currency,
    area_unit: &'static str,
    /// Told of an area's markets.
    #[serde(flatten)]
    figures: Option<FiguresView>,
}

impl Api<'_> {
    /// `GET /api/v1/markets`
    pub(super) async fn list_markets(&self, query: &str, now: Time) -> Result<MarketList, ApiError> {
        let mut params = Params::read(query, &["area", "purpose", "currency", "as_of", "limit", "cursor"]);
        let (area, purpose, currency) = (params.area(), params.purpose(), params.currency());
        let max = if area.is_some() { LISTED_WITH_FIGURES_MAX } else { LISTED_MAX };
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, max));
        let (as_of, cursor) = (params.moment("as_of"), params.cursor());
        if as_of.is_some() && area.is_none() {
            params.mistake("as_of: figures are told of an area; accepted: together with area");
        }
        params.done()?;

        let mut markets = match &area {
            Some(area) => self.known.area(self.views, &narrowed(area, purpose, currency), now).await?.markets,
            None => {
                let all = self.known.all(self.views, now).await?;
                let wanted = |market: &&Market| {
                    purpose.is_none_or(|purpose| market.purpose == purpose)
                        && currency.is_none_or(|currency| market.currency == currency)
                };
                all.iter().filter(wanted).cloned().collect()
            }
        };
        let total = markets.len();
        if let Some(cursor) = cursor {
            markets.retain(|market| *market > cursor);
        }
        let more = markets.len() > limit;
        markets.truncate(limit);
        let next = markets.last().filter(|_| more).cloned();
        let as_of = area.map(|_| as_of.unwrap_or(now));
        let markets = match as_of {
            None => markets.into_iter().map(|market| MarketRow::of(market, None)).collect(),
            Some(as_of) => self.with_figures(markets, as_of).await?,
        };
        Ok(MarketList { as_of, total, markets, next })
    }

    async fn with_figures(&self, markets: Vec<Market>, as_of: Time) -> Result<Vec<MarketRow>, ApiError> {
        let mut rows = Vec::with_capacity(markets.len());
        for chunk in markets.chunks(CHUNK_MARKETS) {
            let states = self.store.markets(chunk).await?;
            for (market, state) in chunk.iter().zip(states) {
                let figures = match state {
                    Some(state) => Some(figures_at(market, &self.told(market, state.value, as_of, 0).await?, as_of)),
                    None => None,
                };
                rows.push(MarketRow::of(market.clone(), figures));
            }
        }
        Ok(rows)
    }

    /// `GET /api/v1/markets/{area}`
    pub(super) async fn market(&self, area: &str, query: &str, now: Time) -> Result<AreaView, ApiError> {
        let mut params = Params::read(query, &["purpose", "currency", "days", "as_of"]);
        let area = narrowed(&params.area_of_path(area), params.purpose(), params.currency());
        let days = params.count("days", DAYS_DEFAULT, DAYS_MAX);
        let as_of = params.moment("as_of").unwrap_or(now);
        params.done()?;

        let found = self.known.area(self.views, &area, now).await?;
        let count = found.markets.len();
        if count > SUMMED_MARKETS_MAX {
            let message = format!(
                "{} has {count} markets, more than the {SUMMED_MARKETS_MAX} that are added up here; accepted: a part \
                 of it, or one purpose or currency",
                found.path
            );
            return Err(ApiError::new(422, "area_too_wide", message));
        }
        let mut sums = BTreeMap::new();
        for chunk in found.markets.chunks(CHUNK_MARKETS) {
            let states = self.store.markets(chunk).await?;
            for (market, state) in chunk.iter().zip(states) {
                if let Some(state) = state {
                    let cells = self.told(market, state.value, as_of, days).await?;
                    add_market(&mut sums, market, cells);
                }
            }
        }
        let sums: Vec<_> = sums.into_iter().collect();
        Ok(AreaView::of(&found, &sums, as_of, days))
    }

    /// A state with its archive, where that is needed to tell the days up to `as_of`.
    async fn told(&self, market: &Market, cells: Cells, as_of: Time, days: u16) -> Result<Cells, ApiError> {
        if tells(&cells, as_of, &market.area.country().zone, days) {
            return Ok(cells);
        }
        Ok(cells.with_archive(&self.views.archive(market).await?))
    }
}

fn figures_at(market: &Market, cells: &Cells, as_of: Time) -> FiguresView {
    let country = market.area.country();
    FiguresView::of(Sum::Whole(cells), as_of, market.currency, country.area_unit, &country.zone)
}

impl MarketRow {
    fn of(id: Market, figures: Option<FiguresView>) -> Self {
        Self {
            path: id.area.to_string(),
            name: id.area.name(),
            purpose: id.purpose.as_str(),
            currency: id.currency,
            area_unit: unit_name(id.area.country().area_unit),
            figures,
            id,
        }
    }
}
