use serde::Serialize;
use stoop_domain::{HomeId, Time};

use super::Api;
use super::error::ApiError;
use super::params::Params;
use crate::ports::PortError;
use crate::serve::{HomeView, median_per_m2};

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
}

impl Api<'_> {
    /// `GET /api/v1/homes/{id}`
    pub(super) async fn home(&self, id: &str, query: &str, now: Time) -> Result<HomeAnswer, ApiError> {
        let mut params = Params::read(query, &["limit"]);
        let limit = usize::from(params.count("limit", RETURNED_DEFAULT, RETURNED_MAX));
        params.done()?;

        let id = HomeId(id.into());
        let found = self.store.homes(std::slice::from_ref(&id)).await?.into_iter().next().flatten();
        let home = found.ok_or_else(|| {
            let message = format!(
                "there is no home {:?} here; accepted: SOURCE/ID, the source's own id behind its name",
                id.as_str()
            );
            ApiError::new(404, "no_such_home", message)
        })?;
        let median = match home.value.history.current() {
            Some(facts) => {
                let read = self.store.markets(std::slice::from_ref(&facts.market)).await?;
                let market = read.into_iter().next().flatten();
                market.and_then(|market| median_per_m2(&facts.market, &market.value, now))
            }
            None => None,
        };
        let view = HomeView::of(id.clone(), &home.value, median, now);
        let mut home = view.ok_or_else(|| {
            let what = format!("show the home {id}");
            PortError::new(what, "it is stored without observations")
        })?;
        let (intervals_total, events_total) = (home.intervals.len(), home.events.len());
        home.intervals.drain(..intervals_total.saturating_sub(limit));
        home.events.drain(..events_total.saturating_sub(limit));
        Ok(HomeAnswer { home, intervals_total, events_total })
    }
}
