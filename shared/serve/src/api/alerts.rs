use std::collections::BTreeSet;

use serde::Serialize;
use stoop_domain::{AlertId, Time};
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::{ALERT_COLUMNS, AlertView, Explanation, explain};

const LISTED_DEFAULT: u16 = 50;
const LISTED_MAX: u16 = 500;
/// The latest alerts to search for those of an area.
const SEARCHED: usize = 1_000;

/// Price drops that were sent, the latest first.
#[derive(Serialize)]
pub(super) struct AlertList {
    alerts: Vec<AlertView>,
    /// Whether there may be older ones.
    more: bool,
}

impl RouteAnswer for AlertList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(Csv::of(ALERT_COLUMNS, &self.alerts)?))
    }
}

impl RouteAnswer for Explanation {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(None)
    }
}

impl Api<'_> {
    /// `GET /api/v1/alerts/{id}`
    pub(super) async fn alert(&self, id: String, query: &str, now: Time) -> Result<Explanation, ApiError> {
        Params::read(query, &[]).done()?;
        let id = AlertId(id);
        explain(&id, self.reader.views, self.reader.store, now).await?.ok_or_else(|| {
            let message = format!("there is no alert {:?} here; accepted: the id of an alert of /api/v1/alerts", id.0);
            ApiError::new(404, "no_such_alert", message)
        })
    }

    /// `GET /api/v1/alerts`
    pub(super) async fn list_alerts(&self, query: &str, now: Time) -> Result<AlertList, ApiError> {
        let mut params = Params::read(query, &["limit", "suspects", "area"]);
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, LISTED_MAX));
        let (suspects, area) = (params.flag("suspects"), params.area());
        params.done()?;

        let markets: Option<BTreeSet<_>> = match area {
            Some(area) => Some(self.known.area(self.reader.views, &area, now).await?.markets.into_iter().collect()),
            None => None,
        };
        let searched = if markets.is_some() { SEARCHED } else { limit + 1 };
        let mut alerts = self.reader.views.alerts(suspects, searched).await?;
        let mut more = alerts.len() >= searched;
        if let Some(markets) = markets {
            alerts.retain(|alert| markets.contains(&alert.market));
            more |= alerts.len() > limit;
        }
        Ok(AlertList { alerts: alerts.iter().take(limit).map(AlertView::of).collect(), more })
    }
}
