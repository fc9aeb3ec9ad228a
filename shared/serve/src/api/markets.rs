use std::collections::BTreeSet;

use serde::Serialize;
use stoop_domain::{Currency, Market, Purpose, Time};
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use crate::{ADDED_UP_MAX, Allowance, FoundArea, MarketRow, Ranking, SortBy, as_text_or_null, market_columns};
use stoop_pipeline::{WideArea, WideLevel};

const LISTED_MAX: u16 = 1_000;
/// Each market of a page costs the read of a state.
const LISTED_WITH_FIGURES_MAX: u16 = 100;
const LISTED_DEFAULT: u16 = 100;
/// The most sums to read for one response, each up to a few megabytes.
const READ_SUMS_MAX: usize = 64;

/// Markets, a page of them in the order of their IDs; or markets or wide areas, ranked.
#[derive(Serialize)]
pub(super) struct MarketList {
    /// The time of the figures; absent without figures.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    as_of: Option<Time>,
    /// The level of the areas; absent for markets.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    /// Everything committed before this time is included; absent if everything is.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    rolled_up_at: Option<Time>,
    /// The total number on all pages.
    total: usize,
    /// The number of areas without figures; absent if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_figures: Option<usize>,
    markets: Vec<MarketRow>,
    /// The `cursor` of the next page.
    #[serde(serialize_with = "as_text_or_null")]
    next: Option<Market>,
}

/// The parsed query.
struct MarketsQuery {
    area: Option<String>,
    purpose: Option<Purpose>,
    currency: Option<Currency>,
    level: Option<WideLevel>,
    /// `None` if markets are listed page by page.
    ranking: Option<Ranking>,
    as_of: Option<Time>,
    /// The days before for which changes are requested.
    change: Option<i32>,
    limit: usize,
    cursor: Option<Market>,
}

const ACCEPTED: [&str; 11] =
    ["area", "purpose", "currency", "level", "sort", "desc", "min_homes", "change", "as_of", "limit", "cursor"];

impl MarketsQuery {
    fn read(query: &str) -> Result<Self, ApiError> {
        let mut params = Params::read(query, &ACCEPTED);
        let is_ranked = ["level", "sort", "min_homes"].iter().any(|name| params.has(name));
        if !params.has("area") && !params.has("level") {
            for name in ["as_of", "sort", "min_homes", "change"] {
                if params.has(name) {
                    params.mistake(&format!(
                        "{name}: figures need an area or a level; accepted: together with area or level"
                    ));
                }
            }
        }
        if params.has("desc") && !params.has("sort") {
            params.mistake("desc: nothing is sorted; accepted: together with sort");
        }
        if is_ranked && params.has("cursor") {
            params.mistake("cursor: ranked lists have no pages; accepted: without level, sort and min_homes");
        }
        let max = if is_ranked || !params.has("area") { LISTED_MAX } else { LISTED_WITH_FIGURES_MAX };
        let ranking = Ranking {
            sort: params.sort(),
            desc: params.flag("desc"),
            min_homes: params.at_least("min_homes").unwrap_or(0),
        };
        let asked = Self {
            area: params.area(),
            purpose: params.purpose(),
            currency: params.currency(),
            level: params.level(),
            ranking: is_ranked.then_some(ranking),
            change: params.change().or_else(|| ranking.is_by_change().then_some(SortBy::CHANGE_DAYS)),
            as_of: params.moment("as_of"),
            limit: usize::from(params.count("limit", LISTED_DEFAULT, max)),
            cursor: params.cursor(),
        };
        params.done()?;
        Ok(asked)
    }

    fn wants(&self, market: &Market) -> bool {
        self.purpose.is_none_or(|purpose| market.purpose == purpose)
            && self.currency.is_none_or(|currency| market.currency == currency)
    }
}

impl RouteAnswer for MarketList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let has_change = self.markets.iter().any(|row| row.change.is_some());
        Ok(Some(Csv::of(market_columns(has_change), &self.markets)?))
    }

    fn next(&self) -> Option<String> {
        self.next.as_ref().map(ToString::to_string)
    }
}

impl Api<'_> {
    /// `GET /api/v1/markets`
    pub(super) async fn list_markets(&self, query: &str, now: Time) -> Result<MarketList, ApiError> {
        let asked = MarketsQuery::read(query)?;
        let found = match &asked.area {
            Some(area) => {
                let area = narrowed(area, asked.purpose, asked.currency);
                Some(self.known.area(self.reader.views, &area, now).await?)
            }
            None => None,
        };
        let markets = match &found {
            Some(found) => found.markets.clone(),
            None => {
                let all = self.known.all(self.reader.views, now).await?;
                all.iter().filter(|market| asked.wants(market)).cloned().collect()
            }
        };
        match asked.ranking {
            None => self.page(markets, &asked, now).await,
            Some(ranking) => self.ranked(found.as_ref(), &markets, &asked, ranking, now).await,
        }
    }

    /// A page of markets; for an area, with their figures.
    async fn page(&self, mut markets: Vec<Market>, asked: &MarketsQuery, now: Time) -> Result<MarketList, ApiError> {
        let total = markets.len();
        if let Some(cursor) = &asked.cursor {
            markets.retain(|market| market > cursor);
        }
        let more = markets.len() > asked.limit;
        markets.truncate(asked.limit);
        let next = markets.last().filter(|_| more).cloned();
        let as_of = asked.area.as_ref().map(|_| asked.as_of.unwrap_or(now));
        let markets = match as_of {
            None => markets.iter().map(MarketRow::of_market).collect(),
            Some(as_of) => self.reader.market_rows(&markets, as_of, asked.change).await?,
        };
        Ok(MarketList { as_of, level: None, rolled_up_at: None, total, without_figures: None, markets, next })
    }

    /// Markets, or the areas of a level that contain them, in the order of a figure.
    async fn ranked(
        &self,
        found: Option<&FoundArea>,
        markets: &[Market],
        asked: &MarketsQuery,
        ranking: Ranking,
        now: Time,
    ) -> Result<MarketList, ApiError> {
        let as_of = asked.as_of.unwrap_or(now);
        let mut allowance = Allowance::of_answer();
        let mut rows = match asked.level {
            Some(level) => {
                check_level(level, found, markets)?;
                self.reader.area_rows(level, markets, as_of, &mut allowance).await?
            }
            None if markets.len() > ADDED_UP_MAX => {
                let message = format!(
                    "{} markets would be read to rank them, more than the {ADDED_UP_MAX} that are read here; accepted: \
                     a narrower area, one purpose or currency, or a level",
                    markets.len()
                );
                return Err(ApiError::new(422, "area_too_wide", message));
            }
            None => self.reader.market_rows(markets, as_of, asked.change).await?,
        };
        let without_figures = Some(rows.iter().filter(|row| row.figures.is_none()).count())
            .filter(|without_figures| *without_figures > 0);
        let rank = |ranking: Ranking, rows: &mut _| {
            ranking.rank(rows).map_err(|error: serde_json::Error| ApiError::internal(&error))
        };
        rank(ranking.of_figures(), &mut rows)?;
        let total = rows.len();
        if !ranking.is_by_change() {
            rows.truncate(asked.limit);
        }
        if let (Some(level), Some(days)) = (asked.level, asked.change) {
            let with_figures = rows.iter().filter(|row| row.figures.is_some()).count();
            if with_figures > READ_SUMS_MAX {
                return Err(too_many(with_figures));
            }
            self.reader.change_rows(&mut rows, level, markets, as_of, days, &mut allowance).await?;
        }
        if ranking.is_by_change() {
            rank(ranking, &mut rows)?;
            rows.truncate(asked.limit);
        }
        let level = asked.level.map(WideLevel::as_str);
        let rolled_up_at = allowance.rolled_up_at();
        Ok(MarketList { as_of: Some(as_of), level, rolled_up_at, total, without_figures, markets: rows, next: None })
    }
}

fn too_many(areas: usize) -> ApiError {
    let message = format!(
        "the sums of {areas} areas would be read for their changes, more than the {READ_SUMS_MAX} that may be; accepted: a \
         lower limit and no sort by a change, a higher min_homes, a narrower area, a wider level, or one purpose or currency"
    );
    ApiError::new(422, "area_too_wide", message)
}

/// Refuses a level that the area is narrower than, and one that needs too many sums.
fn check_level(level: WideLevel, found: Option<&FoundArea>, markets: &[Market]) -> Result<(), ApiError> {
    if let Some(FoundArea { path, .. }) = found
        && path.split('/').count() > level.depth()
    {
        let narrower = WideLevel::ALL.into_iter().filter(|level| path.split('/').count() <= level.depth());
        let narrower: Vec<&str> = narrower.map(WideLevel::as_str).collect();
        let accepted = if narrower.is_empty() { "no level".to_owned() } else { narrower.join(", ") };
        let level = level.as_str();
        let mistake = format!("level: {path} is narrower than a {level}; accepted: {accepted}, or a wider area");
        return Err(ApiError::parameters(vec![mistake]));
    }
    // Sums are stored with those of their parts: of cities in their counties, of a country by itself.
    let above = |market: &Market| {
        let area = WideArea::of(market, level);
        area.parent().unwrap_or(area)
    };
    let sums = markets.iter().map(above).collect::<BTreeSet<WideArea>>().len();
    if sums > READ_SUMS_MAX {
        let message = format!(
            "{sums} sums would be read, more than the {READ_SUMS_MAX} that are read here; accepted: a narrower area, a wider \
             level, or one purpose or currency"
        );
        return Err(ApiError::new(422, "area_too_wide", message));
    }
    Ok(())
}
