use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;
use stoop_domain::Time;
use stoop_pipeline::ports::{PlanLedger, PortError, RunLedger, RunRecord};
use stoop_pipeline::{LastPoll, NextPoll};

use super::attributes::{Item, item, number, text, text_of};
use super::batch::{REQUESTS_MAX, get_all_eventually_consistent};
use crate::concurrently::concurrently;
use crate::error::failed;

/// How long a run is kept after its start.
const KEPT_MS: i64 = 90 * Time::DAY_MS;
/// The `id` and the `kind` of the item with the [`NextPoll`] of a search. No run has it: a run ID contains its start time.
pub(super) const PLAN: &str = "plan";
/// How long the plan of a search is kept after it was due. A search without a plan is due at once.
const PLAN_KEPT_MS: i64 = 30 * Time::DAY_MS;
/// The `id` of the item with the outcome of a search's last poll. A separate item, because the poller writes this one
/// and the planner the other.
const LAST_POLL: &str = "last-poll";

/// The ledger of runs, of when each search was last sent, and of the outcome of its last poll: one table, by search.
#[derive(Clone, Debug)]
pub struct DynamoRuns {
    client: Client,
    table: String,
}

impl DynamoRuns {
    /// The ledger in this table. Runs expire 90 days after their start, by the attribute `expires_at`.
    #[must_use]
    pub fn new(client: Client, runs_table: impl Into<String>) -> Self {
        Self { client, table: runs_table.into() }
    }

    /// The given item of each search, if it exists.
    async fn all(
        &self,
        searches: &[String],
        id: &str,
        attributes: &'static [&'static str],
    ) -> Result<Vec<Item>, PortError> {
        let keys: Vec<Item> = searches.iter().map(|search| key(search, id)).collect();
        get_all_eventually_consistent(&self.client, &self.table, &keys, attributes).await
    }
}

#[async_trait]
impl RunLedger for DynamoRuns {
    async fn record(&self, run: &RunRecord) -> Result<(), PortError> {
        let what = format!("PutItem of the run {} into the table {}", run.id, self.table);
        let item = item([
            ("subject", text(&run.subject)),
            ("id", text(&run.id)),
            ("kind", text(&run.kind)),
            ("began_at", text(run.began_at.to_string())),
            ("expires_at", number(run.began_at.plus_ms(KEPT_MS).ms().div_euclid(Time::SECOND_MS))),
            ("body", body(run, &what)?),
        ]);
        put(self.client.clone(), self.table.clone(), item, what).await
    }
}

#[async_trait]
impl PlanLedger for DynamoRuns {
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<NextPoll>>, PortError> {
        let mut sent: HashMap<String, NextPoll> = HashMap::with_capacity(searches.len());
        for item in self.all(searches, PLAN, &["subject", "body"]).await? {
            let search = text_of(&item, "subject")
                .map_err(|error| PortError::damaged(format!("read a plan in the table {}", self.table), error))?;
            let next = read_body(&item).map_err(|error| {
                PortError::damaged(format!("read the plan of {search} in the table {}", self.table), error)
            })?;
            sent.insert(search.to_owned(), next);
        }
        Ok(searches.iter().map(|search| sent.remove(search)).collect())
    }

    async fn sent(&self, searches: &[NextPoll]) -> Result<(), PortError> {
        let mut puts = Vec::with_capacity(searches.len());
        for next in searches {
            let what = format!("PutItem of the plan of {} into the table {}", next.search, self.table);
            let item = item([
                ("subject", text(&next.search)),
                ("id", text(PLAN)),
                ("kind", text(PLAN)),
                ("began_at", text(next.sent_at.to_string())),
                ("expires_at", number(next.next_at.plus_ms(PLAN_KEPT_MS).ms().div_euclid(Time::SECOND_MS))),
                ("body", body(next, &what)?),
            ]);
            puts.push(put(self.client.clone(), self.table.clone(), item, what));
        }
        concurrently(REQUESTS_MAX, puts).await.map(|_| ())
    }

    async fn last_poll(&self, search: &str) -> Result<Option<LastPoll>, PortError> {
        let what = || format!("GetItem of the last poll of {search} from the table {}", self.table);
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key(search, LAST_POLL)));
        let found = request.consistent_read(true).send().await.map_err(failed(what))?;
        Ok(found.item.and_then(|item| last_poll_of(search, &item)))
    }

    async fn last_polls(&self, searches: &[String]) -> Result<Vec<Option<LastPoll>>, PortError> {
        let mut last_polls: HashMap<String, LastPoll> = HashMap::with_capacity(searches.len());
        for item in self.all(searches, LAST_POLL, &["subject", "body"]).await? {
            let damaged = |error| PortError::damaged(format!("read a last poll in the table {}", self.table), error);
            let search = text_of(&item, "subject").map_err(damaged)?;
            last_polls.extend(last_poll_of(search, &item).map(|last| (search.to_owned(), last)));
        }
        Ok(searches.iter().map(|search| last_polls.get(search).copied()).collect())
    }

    async fn keep_last_poll(&self, search: &str, last: &LastPoll) -> Result<(), PortError> {
        let what = format!("PutItem of the last poll of {search} into the table {}", self.table);
        let item = item([("subject", text(search)), ("id", text(LAST_POLL)), ("body", body(last, &what)?)]);
        put(self.client.clone(), self.table.clone(), item, what).await
    }
}

pub(super) fn body(value: &impl Serialize, what: &str) -> Result<AttributeValue, PortError> {
    serde_json::to_string(value).map(text).map_err(|error| PortError::refused(what, error))
}

pub(super) fn read_body<T: DeserializeOwned>(item: &Item) -> Result<T, Box<dyn std::error::Error + Send + Sync>> {
    Ok(serde_json::from_str(text_of(item, "body")?)?)
}

fn key(search: &str, id: &str) -> Item {
    item([("subject", text(search)), ("id", text(id))])
}

/// If it cannot be read, the search keeps its shortest interval until its next poll.
fn last_poll_of(search: &str, item: &Item) -> Option<LastPoll> {
    let last = serde_json::from_str(text_of(item, "body").unwrap_or_default());
    last.inspect_err(|error| tracing::warn!(search, %error, "the outcome of the last poll cannot be read")).ok()
}

async fn put(client: Client, table: String, item: Item, what: String) -> Result<(), PortError> {
    let request = client.put_item().table_name(table).set_item(Some(item));
    request.send().await.map(|_| ()).map_err(failed(|| what))
}
