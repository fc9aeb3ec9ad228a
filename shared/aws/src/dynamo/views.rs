use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use serde::de::DeserializeOwned;
use stoop_domain::{Alert, AlertId, Market, Time};
use stoop_market::Cells;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{JudgedAlert, PortError, Views};
use stoop_rules::Rules;

use super::archive::read_archive;
use super::attributes::{Item, item, text, text_of};
use super::batch::{REQUESTS_MAX, get_all_eventually_consistent};
use super::head::KIND;
use super::ledger::{WITHDRAWN, alert_of, day_of};
use super::market::read_dated_heads;
use crate::concurrently::concurrently;
use crate::error::failed;

/// Alerts requested at a time.
const PAGE_MAX: i32 = 500;

/// The number of days searched for alerts. Each takes a request, even without alerts.
const DAYS_BACK: i64 = 90;

/// Views for people and programs, from the markets and alerts tables.
///
/// The list of markets comes from an index, which lags slightly behind the table. Alerts are found by the day of their
/// change: those of the last ninety days are listed, and older ones (of a replay of the past) are not.
#[derive(Clone)]
pub struct DynamoViews {
    client: Client,
    markets: String,
    alerts: String,
    clock: Arc<dyn Clock>,
}

impl DynamoViews {
    /// Views of these two tables. The clock determines the last days.
    #[must_use]
    pub fn new(
        client: Client,
        markets_table: impl Into<String>,
        alerts_table: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client, markets: markets_table.into(), alerts: alerts_table.into(), clock }
    }
}

#[async_trait]
impl Views for DynamoViews {
    async fn market_ids(&self) -> Result<Vec<Market>, PortError> {
        let what = || format!("Query of all markets in the index heads of the table {}", self.markets);
        let request = self
            .client
            .query()
            .table_name(&self.markets)
            .index_name("heads")
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", text(KIND));
        let mut pages = request.into_paginator().send();
        let mut markets = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(failed(what))?.items() {
                let name = text_of(item, "market").map_err(|error| PortError::damaged(what(), error))?;
                let market = name.parse();
                markets
                    .push(market.map_err(|error: stoop_domain::ParseMarketError| PortError::damaged(what(), error))?);
            }
        }
        Ok(markets)
    }

    async fn archive(&self, market: &Market) -> Result<Cells, PortError> {
        read_archive(&self.client, &self.markets, market).await
    }

    /// The time of the newest commit.
    async fn observed_at(&self, markets: &[Market]) -> Result<Option<Time>, PortError> {
        let heads = read_dated_heads(&self.client, &self.markets, markets).await?;
        Ok(heads.into_values().map(|(_, committed)| committed).filter(|at| *at > Time::default()).max())
    }

    async fn alerts(&self, suspects: bool, limit: usize) -> Result<Vec<Alert>, PortError> {
        // A source's clock may be ahead of ours, into tomorrow but not further.
        let now = self.clock.now();
        let days: Vec<String> = (-1..DAYS_BACK).map(|back| day_of(now.plus_ms(-back * Time::DAY_MS))).collect();
        let mut found: Vec<Alert> = Vec::new();
        for some in days.chunks(REQUESTS_MAX) {
            if found.len() >= limit {
                break;
            }
            let left = limit - found.len();
            let query = |day: &String| alerts_of(self.client.clone(), self.alerts.clone(), day.clone(), suspects, left);
            let queries: Vec<_> = some.iter().map(query).collect();
            found.extend(concurrently(REQUESTS_MAX, queries).await?.into_iter().flatten());
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn alert(&self, id: &AlertId) -> Result<Option<JudgedAlert>, PortError> {
        let Some(found) = self.ledger_item(&id.0).await? else { return Ok(None) };
        // The rules have items of their own, without a day.
        if !found.contains_key("day") {
            return Ok(None);
        }
        let rules = match text_of(&found, "rules") {
            Ok(rules) => self.ledger_item(rules).await?,
            Err(_) => None,
        };
        let rules = rules.as_ref().map(|rules| self.body_of::<Rules>(rules, id)).transpose()?;
        Ok(Some(JudgedAlert { alert: alert_of(&found)?, rules }))
    }
}

impl DynamoViews {
    async fn ledger_item(&self, id: &str) -> Result<Option<Item>, PortError> {
        let key = [item([("id", text(id))])];
        Ok(get_all_eventually_consistent(&self.client, &self.alerts, &key, &["body", "rules", "day", WITHDRAWN])
            .await?
            .pop())
    }

    fn body_of<T: DeserializeOwned>(&self, item: &Item, id: &AlertId) -> Result<T, PortError> {
        let what = || format!("read of the alert {id} in the table {}", self.alerts);
        let body = text_of(item, "body").map_err(|error| PortError::damaged(what(), error))?;
        serde_json::from_str(body).map_err(|error| PortError::damaged(what(), error))
    }
}

/// The last `limit` alerts of a day, latest first.
async fn alerts_of(
    client: Client,
    table: String,
    day: String,
    suspects: bool,
    limit: usize,
) -> Result<Vec<Alert>, PortError> {
    let what = || format!("Query of the alerts of {day} in the index by_day of the table {table}");
    let mut request = client
        .query()
        .table_name(&table)
        .index_name("by_day")
        .scan_index_forward(false)
        .limit(i32::try_from(limit).unwrap_or(PAGE_MAX).min(PAGE_MAX))
        .key_condition_expression("#day = :day")
        .expression_attribute_names("#day", "day")
        .expression_attribute_values(":day", text(&day));
    if !suspects {
        request = request
            .filter_expression("#verdict = :sent")
            .expression_attribute_names("#verdict", "verdict")
            .expression_attribute_values(":sent", text("alert"));
    }
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page.map_err(failed(what))?.items() {
            if found.len() == limit {
                return Ok(found);
            }
            found.push(alert_of(item)?);
        }
    }
    Ok(found)
}

impl fmt::Debug for DynamoViews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DynamoViews");
        shown.field("markets", &self.markets).field("alerts", &self.alerts).finish_non_exhaustive()
    }
}
