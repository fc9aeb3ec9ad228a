use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stoop_domain::{Market, Time};
use stoop_market::WIDE_SERIES_DAYS;

use super::Api;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use super::sums::READ_MARKETS_MAX;
use crate::serve::{AreaView, FoundArea, Hours, MarketView, MergedId, Sum, as_text_or_null, repeat_days};
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
}

impl Api<'_> {
    /// `GET /api/v1/markets/{area}`
    pub(super) async fn market(&self, area: &str, query: &str, now: Time) -> Result<AreaAnswer, ApiError> {
        let mut params = Params::read(query, &["purpose", "currency", "days", "as_of", "index"]);
        let area = narrowed(&params.area_of_path(area), params.purpose(), params.currency());
        let days = params.count("days", DAYS_DEFAULT, DAYS_MAX);
        let as_of = params.moment("as_of").unwrap_or(now);
        let with_index = params.flag("index");
        params.done()?;

        let found = self.known.area(self.views, &area, now).await?;
        let mut views: BTreeMap<MergedId, MarketView> = BTreeMap::new();
        let mut rolled_up_at = None;
        for area in kept_sums(&found).into_iter().filter(|_| days <= WIDE_SERIES_DAYS) {
            let markets = found.markets.iter().filter(|market| MergedId::of(market) == area.id()).count();
            if let Some(shown) = self.areas.wide(&area, markets, as_of).await? {
                let sum = Sum::Wide(&shown.sum, area.level().grain(), Hours::Known);
                views.insert(area.id(), view(&found, area.id(), sum, as_of, days, with_index));
                rolled_up_at = earliest(rolled_up_at, shown.rolled_up);
            }
        }
        let without_figures = |market: &&Market| !views.contains_key(&MergedId::of(market));
        let without_figures: Vec<Market> = found.markets.iter().filter(without_figures).cloned().collect();
        if without_figures.len() > READ_MARKETS_MAX {
            return Err(too_wide(&found, without_figures.len(), as_of, days));
        }
        let days_read = if with_index { repeat_days(days) } else { days };
        for (id, cells) in self.added_up(&without_figures, as_of, days_read).await? {
            views.insert(id, view(&found, id, Sum::Whole(&cells), as_of, days, with_index));
        }
        let mut view = AreaView::with(&found, views.into_values().collect(), as_of);
        let consists_of_total = view.consists_of.len();
        view.consists_of.truncate(IDS_MAX);
        Ok(AreaAnswer { view, consists_of_total, rolled_up_at })
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
