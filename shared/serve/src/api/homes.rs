use std::collections::BTreeSet;

use serde::Serialize;
use stoop_domain::{Currency, HomeId, Time};
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use crate::{
    ADDED_UP_MAX, AREA_HOMES_MAX, Allowance, DoubtfulListing, FirstHomes, FoundArea, HomeSummary, HomeView,
    INTERVAL_COLUMNS, ListingPair, NotCompared, OtherListings, WantedHomes, as_text, home_columns, with_values,
};
use stoop_pipeline::ports::PortError;

const LISTED_DEFAULT: u16 = 100;
const LISTED_MAX: u16 = 1_000;

/// The default number of intervals and events of a home: a listing that flickers for years has many.
const RETURNED_DEFAULT: u16 = 1_000;
const RETURNED_MAX: u16 = 5_000;

#[derive(Serialize)]
pub(super) struct HomeAnswer {
    #[serde(flatten)]
    home: HomeView,
    /// The number of intervals; the latest are returned.
    intervals_total: usize,
    events_total: usize,
    listings: ListingsAnswer,
}

/// The other listings of a home.
#[derive(Serialize)]
struct ListingsAnswer {
    compared: usize,
    not_compared: Option<NotCompared>,
    same_home: Vec<HomeSummary>,
    evidence: Vec<ListingPair>,
    doubtful: Vec<DoubtfulListing>,
    doubtful_found: usize,
}

impl ListingsAnswer {
    fn of(id: &HomeId, others: OtherListings) -> Self {
        Self {
            compared: others.compared,
            not_compared: others.not_compared,
            same_home: others.of_the_same_home(id).cloned().collect(),
            evidence: others.home.map(|home| home.evidence).unwrap_or_default(),
            doubtful: others.doubtful,
            doubtful_found: others.doubtful_found,
        }
    }
}

/// Homes on offer in an area, in the requested order.
#[derive(Serialize)]
pub(super) struct HomeList {
    path: String,
    name: String,
    /// Homes are listed as they are at this time.
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    /// The number of homes that match, on all pages.
    total: usize,
    homes: Vec<HomeSummary>,
    /// The `cursor` of the next page.
    next: Option<String>,
}

impl RouteAnswer for HomeAnswer {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let id = self.home.summary.id.as_str();
        Ok(Some(Csv::new(INTERVAL_COLUMNS, with_values(&self.home.intervals, &[("id", id)])?)))
    }
}

impl RouteAnswer for HomeList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(Csv::of(home_columns(), &self.homes)?))
    }

    fn next(&self) -> Option<String> {
        self.next.clone()
    }
}

impl Api<'_> {
    /// `GET /api/v1/homes`
    pub(super) async fn list_homes(&self, query: &str, now: Time) -> Result<HomeList, ApiError> {
        let accepted = [
            "area",
            "purpose",
            "currency",
            "status",
            "type",
            "beds",
            "min_price",
            "max_price",
            "sort",
            "desc",
            "limit",
            "cursor",
        ];
        let mut params = Params::read(query, &accepted);
        let area = params.area();
        let (purpose, currency) = (params.purpose(), params.currency());
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, LISTED_MAX));
        let after = params.position();
        let wanted = params.wanted_homes();
        if area.is_none() {
            params.mistake("area: not given; accepted: a path like us/wa/king or a name");
        }
        params.done()?;

        let area = narrowed(&area.unwrap_or_default(), purpose, currency);
        let found = self.known.area(self.reader.views, &area, now).await?;
        comparable(&found, &wanted)?;
        if found.markets.len() > ADDED_UP_MAX {
            return Err(too_wide(&found, &format!("{} markets", found.markets.len())));
        }
        let mut first = FirstHomes::new(&wanted, after, limit);
        let all = self.known.all(self.reader.views, now).await?;
        let are_all = self.reader.each_open_home(&found.markets, &all, now, |home| first.take(home)).await?;
        if !are_all {
            return Err(too_wide(&found, &format!("more than {AREA_HOMES_MAX} homes on offer")));
        }
        let (total, has_more) = (first.total(), first.has_more());
        let homes = first.into_homes();
        let next = homes.last().filter(|_| has_more).map(|home| wanted.behind(home).to_text());
        Ok(HomeList { path: found.path, name: found.name, as_of: now, total, homes, next })
    }

    /// `GET /api/v1/homes/{id}`
    pub(super) async fn home(&self, id: &str, query: &str, now: Time) -> Result<HomeAnswer, ApiError> {
        let mut params = Params::read(query, &["limit"]);
        let limit = usize::from(params.count("limit", RETURNED_DEFAULT, RETURNED_MAX));
        params.done()?;

        let id = HomeId(id.into());
        let found = self.reader.store.homes(std::slice::from_ref(&id)).await?.into_iter().next().flatten();
        let home = found.filter(|home| home.value.may_be_shown_at(now)).ok_or_else(|| {
            let message = format!(
                "there is no home {:?} here; accepted: SOURCE/ID, the source's own id behind its name",
                id.as_str()
            );
            ApiError::new(404, "no_such_home", message)
        })?;
        let (comparables, others) = match home.value.history.current() {
            Some(facts) => {
                let all = self.known.all(self.reader.views, now).await?;
                let allowance = Allowance::of_answer();
                let others = self.reader.other_listings(&id, &home.value, &all, now, &allowance).await?;
                (self.reader.comparables(std::slice::from_ref(&facts.market), &all, now).await?, others)
            }
            None => (Vec::new(), OtherListings::default()),
        };
        let view = HomeView::of(id.clone(), &home.value, comparables.first(), now);
        let view = view.ok_or_else(|| {
            let what = format!("show the home {id}");
            PortError::damaged(what, "it is stored without observations")
        })?;
        let mut view = view.displayed(&home.value);
        let (intervals_total, events_total) = (view.intervals.len(), view.events.len());
        view.intervals.drain(..intervals_total.saturating_sub(limit));
        view.events.drain(..events_total.saturating_sub(limit));
        let listings = ListingsAnswer::of(&id, others);
        Ok(HomeAnswer { home: view, intervals_total, events_total, listings })
    }
}

/// Amounts compare in one currency only.
fn comparable(found: &FoundArea, wanted: &WantedHomes) -> Result<(), ApiError> {
    let currencies: BTreeSet<Currency> = found.markets.iter().map(|market| market.currency).collect();
    if currencies.len() > 1 && wanted.compares_amounts() {
        let accepted = currencies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mistake =
            format!("currency: {} has prices in several, which do not compare; accepted: {accepted}", found.path);
        return Err(ApiError::parameters(vec![mistake]));
    }
    Ok(())
}

fn too_wide(found: &FoundArea, has: &str) -> ApiError {
    let message = format!("{} has {has}; accepted: a narrower area, one purpose or one currency", found.path);
    ApiError::new(422, "area_too_wide", message)
}
