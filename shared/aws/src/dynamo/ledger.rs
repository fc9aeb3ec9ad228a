use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use stoop_domain::{Alert, AlertId, Time, Verdict};
use stoop_pipeline::ports::{Ledger, PortError};
use stoop_rules::Rules;

use super::attributes::{Item, item, text, text_of};
use super::batch::{REQUESTS_MAX, get_all};
use crate::concurrently::concurrently;
use crate::error::failed;

/// The attribute with the time at which an alert was withdrawn.
pub(super) const WITHDRAWN: &str = "withdrawn";

/// The ledger of alerts, a table with one item per alert. Its index `by_day` lists them by day (UTC) and time of their
/// change. The table also holds the rules that they were judged by, each set once, as JSON: an alert's `rules` is the
/// ID of that item. Rules have no day, so the index omits them. A withdrawn alert has the attribute `withdrawn`, its time.
#[derive(Clone, Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
    /// The ID of the rules that were last put: they are stored.
    rules_put: Arc<Mutex<Option<String>>>,
}

impl DynamoLedger {
    /// The ledger in this table.
    #[must_use]
    pub fn new(client: Client, alerts_table: impl Into<String>) -> Self {
        Self { client, table: alerts_table.into(), rules_put: Arc::default() }
    }

    /// Stores these rules if they are missing. Returns their item's ID.
    async fn put_rules(&self, rules: &Rules) -> Result<String, PortError> {
        let what = || format!("PutItem of the rules into the table {}", self.table);
        let body = serde_json::to_string(rules).map_err(|error| PortError::refused(what(), error))?;
        let id = format!("rules/{}", blake3::hash(body.as_bytes()).to_hex());
        let last = || self.rules_put.lock().unwrap_or_else(PoisonError::into_inner);
        if last().as_ref() != Some(&id) {
            let item = item([("id", text(&id)), ("body", text(body))]);
            put_first(self.client.clone(), self.table.clone(), item, what()).await?;
            *last() = Some(id.clone());
        }
        Ok(id)
    }
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError> {
        let unique: HashSet<&str> = ids.iter().map(|id| id.0.as_str()).collect();
        let keys: Vec<Item> = unique.into_iter().map(|id| item([("id", text(id))])).collect();
        let found = get_all(&self.client, &self.table, &keys, &["id"]).await?;
        let known: HashSet<&str> = found.iter().filter_map(|item| text_of(item, "id").ok()).collect();
        Ok(ids.iter().map(|id| known.contains(id.0.as_str())).collect())
    }

    /// Each alert is a separate put, on condition that its ID is new: a batch takes no conditions, and a transaction
    /// would cost twice as much and refuse all because of one known alert. The rules come first: a crash in between
    /// leaves rules that no alert names, never an alert whose rules are missing.
    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError> {
        if alerts.is_empty() {
            return Ok(());
        }
        let rules = self.put_rules(rules).await?;
        let mut seen = HashSet::new();
        let first_of_each = alerts.iter().filter(|alert| seen.insert(&alert.id));
        let put = |alert: &Alert| {
            let what = format!("PutItem of the alert {} into the table {}", alert.id, self.table);
            match to_item(alert, &rules) {
                Ok(item) => Ok(put_first(self.client.clone(), self.table.clone(), item, what)),
                Err(error) => Err(PortError::refused(what, error)),
            }
        };
        let puts = first_of_each.map(put).collect::<Result<Vec<_>, _>>()?;
        concurrently(REQUESTS_MAX, puts).await.map(|_| ())
    }

    /// Each alert is a separate update, on condition that it is there and not marked so already.
    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
        let update =
            |(id, at): &(AlertId, Option<Time>)| mark(self.client.clone(), self.table.clone(), id.clone(), *at);
        let changed = concurrently(REQUESTS_MAX, marks.iter().map(update).collect::<Vec<_>>()).await?;
        Ok(changed.into_iter().filter(|changed| *changed).count() as u64)
    }
}

/// Marks an alert. Returns whether it changed.
async fn mark(client: Client, table: String, id: AlertId, at: Option<Time>) -> Result<bool, PortError> {
    let what = || format!("UpdateItem of the alert {id} in the table {table}");
    let request = client
        .update_item()
        .table_name(&table)
        .key("id", text(&id.0))
        .expression_attribute_names("#id", "id")
        .expression_attribute_names("#withdrawn", WITHDRAWN);
    let request = match at {
        Some(at) => request
            .update_expression("SET #withdrawn = :at")
            .condition_expression("attribute_exists(#id) AND attribute_not_exists(#withdrawn)")
            .expression_attribute_values(":at", text(sortable(at))),
        None => request
            .update_expression("REMOVE #withdrawn")
            .condition_expression("attribute_exists(#id) AND attribute_exists(#withdrawn)"),
    };
    match request.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Ok(false)
        }
        Err(error) => Err(failed(what)(error)),
    }
}

/// Puts an item, unless its ID exists.
async fn put_first(client: Client, table: String, item: Item, what: String) -> Result<(), PortError> {
    let request = client.put_item().table_name(&table).set_item(Some(item));
    let request = request.condition_expression("attribute_not_exists(#id)").expression_attribute_names("#id", "id");
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
            Ok(())
        }
        Err(error) => Err(failed(|| what)(error)),
    }
}

fn to_item(alert: &Alert, rules: &str) -> serde_json::Result<Item> {
    let at = sortable(alert.at);
    Ok(item([
        ("id", text(&alert.id.0)),
        ("day", text(day_of(alert.at))),
        ("at", text(at)),
        ("verdict", text(verdict_name(&alert.verdict))),
        ("rules", text(rules)),
        ("body", text(serde_json::to_string(alert)?)),
    ]))
}

/// The alert of an item.
pub(super) fn alert_of(item: &Item) -> Result<Alert, PortError> {
    let what = || "read an alert of the ledger".to_owned();
    let body = text_of(item, "body").map_err(|error| PortError::damaged(what(), error))?;
    let alert: Alert = serde_json::from_str(body).map_err(|error| PortError::damaged(what(), error))?;
    let withdrawn = item.get(WITHDRAWN).map(|_| text_of(item, WITHDRAWN)).transpose();
    let withdrawn = withdrawn.map_err(|error| PortError::damaged(what(), error))?;
    let withdrawn = withdrawn.map(Time::parse).transpose().map_err(|error| PortError::damaged(what(), error))?;
    Ok(Alert { withdrawn, ..alert })
}

/// The name of a verdict, as in an alert's JSON.
pub(super) fn verdict_name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Alert => "alert",
        Verdict::Suspect(_) => "suspect",
    }
}

/// A time as a string that sorts by time: `2026-01-13T10:51:00.000Z`.
fn sortable(time: Time) -> String {
    format!("{:.3}", time.timestamp())
}

/// The UTC day of a time: `2026-01-13`.
pub(super) fn day_of(time: Time) -> String {
    sortable(time).chars().take_while(|c| *c != 'T').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_texts_is_that_of_times() {
        let texts = [0, 1, 999, 1_000, 1_768_392_000_000, 4_102_444_800_000].map(|ms| sortable(Time::from_ms(ms)));
        assert_eq!(texts[1], "1970-01-01T00:00:00.001Z");
        assert_eq!(texts[3], "1970-01-01T00:00:01.000Z");
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(day_of(Time::from_ms(1_768_392_000_000)), "2026-01-14");
    }
}
