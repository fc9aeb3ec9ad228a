//! How far figures can be trusted: what is verified, what is unconfirmed, thin or late, and whether stock and flows agree.

use serde::Serialize;
use stoop_domain::{Market, Time};

use super::{
    Allowance, AreaCard, AreaRequest, DayView, MarketRow, MergedId, ReadError, Reader, areas_of, as_text_or_null,
    listed_level, terms_of,
};
use stoop_pipeline::ports::{MergedCounts, RunRecord};

/// The days whose stock is compared with entries and exits.
pub const QUALITY_DAYS: u16 = 28;
/// The most markets whose newest observation is looked up for one answer.
pub const OBSERVED_MARKETS_MAX: usize = 200;

/// The quality of the areas of one purpose and currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    /// All purposes and currencies.
    pub ids: Vec<MergedId>,
    /// The one that is shown; `None` without markets.
    pub id: Option<MergedId>,
    /// The largest first, at most 24 or all countries.
    pub areas: Vec<AreaQuality>,
    /// Whether the areas have too many markets to look up when each was observed.
    pub is_lag_left_out: bool,
    /// The last `stoop verify`.
    pub verified: Option<RunRecord>,
    /// The homes that are counted in place of their listings; `None` if each listing counts as a home.
    pub merged: Option<MergedCounts>,
}

/// The quality of an area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AreaQuality {
    /// The area's ID: `us/wa/king:sale:USD`.
    pub id: String,
    /// The area's path.
    pub path: String,
    /// The area's name.
    pub name: String,
    /// Homes on offer.
    pub active: i64,
    /// The part of them that is unconfirmed.
    pub unconfirmed: i64,
    /// The part of them with a price.
    pub priced: i64,
    /// The part of them with a price and a floor area.
    pub priced_per_area: i64,
    /// Whether too few have a price for meaningful figures.
    pub thin: bool,
    /// Whether this day is one of the first that were observed.
    pub warming_up: bool,
    /// When its newest observation was made; `null` if that was not looked up.
    #[serde(serialize_with = "as_text_or_null")]
    pub observed_at: Option<Time>,
    /// How long before the moment shown that was; `null` if later.
    pub lag_seconds: Option<i64>,
    /// Stock and flows; `null` if fewer than two days are known.
    pub balance: Option<Balance>,
    /// The area as lists show it.
    #[serde(skip)]
    pub row: MarketRow,
}

/// The stock at the end of the first of up to 28 days, and what entries and exits make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The stock at the end of the first day.
    pub first: i64,
    /// Entries after it.
    pub entries: i64,
    /// Exits after it.
    pub exits: i64,
    /// The stock now.
    pub last: i64,
    /// Whether they agree: `first + entries - exits = last`.
    pub even: bool,
}

impl Quality {
    /// Reads the quality at `now` of the terms that `asked` accepts, or else of the ones with the most markets.
    ///
    /// # Errors
    /// If a port fails.
    pub async fn read(
        reader: &Reader<'_>,
        asked: impl Fn(&MergedId) -> bool + Send + Sync,
        now: Time,
    ) -> Result<Self, ReadError> {
        let markets = reader.markets().await?;
        let ids = terms_of(&markets);
        let id = ids.iter().find(|id| asked(id)).or(ids.first()).copied();
        let verified = reader.browse.last_run("verify").await?;
        let merged = reader.browse.merged().await?;
        let mut quality = Self { ids, id, areas: Vec::new(), is_lag_left_out: false, verified, merged };
        if let Some(id) = id {
            quality.read_areas(reader, &markets, id, now).await?;
        }
        Ok(quality)
    }

    async fn read_areas(
        &mut self,
        reader: &Reader<'_>,
        markets: &[Market],
        id: MergedId,
        now: Time,
    ) -> Result<(), ReadError> {
        let areas = areas_of(listed_level(id, markets), id, markets);
        self.is_lag_left_out = areas.values().map(Vec::len).sum::<usize>() > OBSERVED_MARKETS_MAX;
        let mut allowance = Allowance::of_answer();
        for (area, markets) in areas {
            let observed = match self.is_lag_left_out {
                true => None,
                false => reader.views.observed_at(&markets).await?,
            };
            let card = reader.card(&area, &markets, AreaRequest::at(now, QUALITY_DAYS), &mut allowance).await?;
            self.areas.push(AreaQuality::of(card, observed, now));
        }
        self.areas.sort_by_key(|area| (std::cmp::Reverse(area.active), area.id.clone()));
        Ok(())
    }
}

impl AreaQuality {
    fn of(card: AreaCard, observed_at: Option<Time>, now: Time) -> Self {
        let AreaCard { row, days, .. } = card;
        let count = |of: fn(&super::FiguresView) -> i64| row.figures.as_ref().map_or(0, of);
        let lag_ms = observed_at.map(|at| now.ms() - at.ms()).filter(|ms| *ms >= 0);
        Self {
            id: row.id.clone(),
            path: row.path.clone(),
            name: row.name.clone(),
            active: count(|figures| figures.active),
            unconfirmed: count(|figures| figures.unconfirmed),
            priced: count(|figures| figures.priced),
            priced_per_area: count(|figures| figures.priced_per_area),
            thin: row.figures.as_ref().is_none_or(|figures| figures.thin),
            warming_up: days.last().is_none_or(|day| day.warming_up),
            observed_at,
            lag_seconds: lag_ms.map(|ms| ms / Time::SECOND_MS),
            balance: Balance::of(&days),
            row,
        }
    }
}

impl Balance {
    fn of(days: &[DayView]) -> Option<Self> {
        let [first, rest @ .., last] = days else { return None };
        let after = || rest.iter().chain([last]);
        let entries = after().map(|day| day.flows.entries()).sum();
        let exits = after().map(|day| day.flows.exits()).sum();
        Some(Self::new(first.active, entries, exits, last.active))
    }

    fn new(first: i64, entries: i64, exits: i64, last: i64) -> Self {
        Self { first, entries, exits, last, even: first + entries - exits == last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_compared_with_all_entries_and_exits_after_the_first_day() {
        let balance = |last| Balance::new(10, 4, 3, last);
        assert!(balance(11).even);
        assert!(!balance(12).even, "a home came from nowhere");
        assert_eq!(Balance::of(&[]), None);
    }
}
