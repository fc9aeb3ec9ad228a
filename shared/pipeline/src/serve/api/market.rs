use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stoop_domain::{Market, Time};
use stoop_market::WIDE_SERIES_DAYS;
use stoop_show::Csv;

use super::Api;
use super::answer::Answer;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use super::sums::READ_MARKETS_MAX;
use crate::serve::{
    AreaView, FoundArea, Hours, MarketView, MergedId, Sum, YieldSearch, YieldView, area_csv, as_text_or_null,
    repeat_days,
};
use crate::wide_area::{WideArea, WideLevel};

/// A county with at most this many markets is added up from them: that is fast, and its prices and days are then
/// current.
const COUNTY_MARKETS_MAX: usize = 200;
const DAYS_DEFAULT: u16 = 90;
/// Ten years and more.
const DAYS_MAX: u16 = 4_000;

/// The most IDs in a response: a country's would fill it.
const IDS_MAX: usize = 2_000;

#[derive(Serialize)]
pub(super) struct AreaAnswer {
    #[serde(flatten)]
    view: AreaView,
    /// The number of markets; `consists_of` has the first ones.
    consists_of_total: usize,
    /// Everything committed before this time is included; absent if everything is.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    rolled_up_at: Option<Time>,
    /// Absent unless requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    yields: Option<Vec<YieldView>>,
}

/// What the areas of one response may still read, and how old they are.
pub(super) struct Reading {
    /// The markets that may still be added up.
    markets_left: usize,
    /// See [`AreaAnswer`].
    pub(super) rolled_up_at: Option<Time>,
}

/// An area that was read, or the number of its markets that are too many to be added up.
pub(super) enum Read {
    Whole(AreaView),
    TooWide(usize),
}

impl Reading {
    /// Nothing is read yet.
    pub(super) fn new() -> Self {
        Self { markets_left: READ_MARKETS_MAX, rolled_up_at: None }
    }

    /// Counts markets that are read; an error with the number that is left if that is less.
    pub(super) fn add(&mut self, markets: usize) -> Result<(), usize> {
        self.markets_left = self.markets_left.checked_sub(markets).ok_or(self.markets_left)?;
        Ok(())
    }
}

impl Answer for AreaAnswer {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(area_csv(&self.view.markets)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/markets/{area}`
    pub(super) async fn market(&self, area: &str, query: &str, now: Time) -> Result<AreaAnswer, ApiError> {
        let mut params = Params::read(query, &["purpose", "currency", "days", "yields", "index", "as_of"]);
        let area = narrowed(&params.area_of_path(area), params.purpose(), params.currency());
        let days = params.count("days", DAYS_DEFAULT, DAYS_MAX);
        let wants_yields = params.flag("yields");
        let as_of = params.moment("as_of").unwrap_or(now);
        let with_index = params.flag("index");
        params.done()?;

        let found = self.known.area(self.views, &area, now).await?;
        let mut reading = Reading::new();
        let mut view =
            self.read_area(&found, as_of, days, with_index, &mut reading).await?.or_too_wide(&found, as_of, days)?;
        for market in &mut view.markets {
            let observed = market.observed_markets(&found);
            if !observed.is_empty() {
                market.add_observed(self.views.observed_at(&observed).await?, as_of);
            }
            if let Some((first, last)) = market.reference_days() {
                market.add_reference(&self.browse.reference(&market.path, first, last).await?);
            }
        }
        let yields = if wants_yields { Some(self.yields(&view, &mut reading, now).await?) } else { None };
        let consists_of_total = view.consists_of.len();
        view.consists_of.truncate(IDS_MAX);
        Ok(AreaAnswer { view, consists_of_total, rolled_up_at: reading.rolled_up_at, yields })
    }

    /// The view of an area: from stored sums if it is wide and they cover the days, otherwise added up.
    pub(super) async fn read_area(
        &self,
        found: &FoundArea,
        as_of: Time,
        days: u16,
        with_index: bool,
        reading: &mut Reading,
    ) -> Result<Read, ApiError> {
        let mut views: BTreeMap<MergedId, MarketView> = BTreeMap::new();
        let mut rolled_up_at = reading.rolled_up_at;
        for area in kept_sums(found).into_iter().filter(|_| days <= WIDE_SERIES_DAYS) {
            let markets = found.markets.iter().filter(|market| MergedId::of(market) == area.id()).count();
            if let Some(shown) = self.areas.wide(&area, markets, as_of).await? {
                let sum = Sum::Wide(&shown.sum, Hours::Known);
                views.insert(area.id(), view(found, area.id(), sum, as_of, days, with_index));
                rolled_up_at = earliest(rolled_up_at, shown.rolled_up);
            }
        }
        let without_figures = |market: &&Market| !views.contains_key(&MergedId::of(market));
        let without_figures: Vec<Market> = found.markets.iter().filter(without_figures).cloned().collect();
        if reading.add(without_figures.len()).is_err() {
            return Ok(Read::TooWide(without_figures.len()));
        }
        reading.rolled_up_at = rolled_up_at;
        let days_read = if with_index { repeat_days(days) } else { days };
        for (id, cells) in self.added_up(&without_figures, as_of, days_read).await? {
            views.insert(id, view(found, id, Sum::Whole(&cells), as_of, days, with_index));
        }
        Ok(Read::Whole(AreaView::with(found, views.into_values().collect(), as_of)))
    }

    /// The yields of an area, from the areas around it that can be read.
    async fn yields(&self, view: &AreaView, reading: &mut Reading, now: Time) -> Result<Vec<YieldView>, ApiError> {
        let known = self.known.all(self.views, now).await?;
        let mut search = YieldSearch::of(view, &known);
        while let Some(found) = search.wanted() {
            if let Read::Whole(around) = self.read_area(&found, view.as_of, 0, false, reading).await? {
                search.add(around);
            }
        }
        Ok(search.yields())
    }
}

impl Read {
    /// The view, or an error that names what would be accepted.
    pub(super) fn or_too_wide(self, found: &FoundArea, as_of: Time, days: u16) -> Result<AreaView, ApiError> {
        match self {
            Self::Whole(view) => Ok(view),
            Self::TooWide(markets) => Err(too_wide(found, markets, as_of, days)),
        }
    }
}

/// The view of a market, with its repeat-listing index if it is wanted.
fn view(found: &FoundArea, id: MergedId, sum: Sum<'_>, as_of: Time, days: u16, with_index: bool) -> MarketView {
    let mut view = MarketView::of(found, id, sum, as_of, days);
    if with_index {
        view.add_repeat_index(sum, days);
    }
    view
}

/// The sums that are read instead of an area's markets, one for each purpose and currency; empty for an area whose
/// markets are added up.
fn kept_sums(found: &FoundArea) -> Vec<WideArea> {
    let ids: BTreeSet<MergedId> = found.markets.iter().map(MergedId::of).collect();
    let areas = ids.into_iter().filter_map(|id| WideArea::new(&found.path, id));
    let is_read = |area: &WideArea| match area.level() {
        WideLevel::Country | WideLevel::Region => true,
        WideLevel::County => found.markets.len() > COUNTY_MARKETS_MAX,
        WideLevel::City => false,
    };
    areas.filter(is_read).collect()
}

/// The earlier of two such times; `None` is no limit.
pub(super) fn earliest(one: Option<Time>, other: Option<Time>) -> Option<Time> {
    [one, other].into_iter().flatten().min()
}

fn too_wide(found: &FoundArea, markets: usize, as_of: Time, days: u16) -> ApiError {
    let (why, accepted) = match kept_sums(found).is_empty() {
        true => (String::new(), String::new()),
        false if days > WIDE_SERIES_DAYS => {
            (format!(", and its sum covers {WIDE_SERIES_DAYS} days"), format!("at most {WIDE_SERIES_DAYS} days, "))
        }
        false => (format!(", and its sum does not exist yet, or does not cover {as_of}"), String::new()),
    };
    let message = format!(
        "{} has {markets} markets, more than the {READ_MARKETS_MAX} that are added up here{why}; accepted: {accepted}a part \
         of it, or one purpose or currency",
        found.path
    );
    ApiError::new(422, "area_too_wide", message)
}
