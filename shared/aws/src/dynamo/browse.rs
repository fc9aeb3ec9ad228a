use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use serde::de::DeserializeOwned;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_pipeline::ports::{Browse, MergedCounts, PortError, RunOutcome, RunRecord};
use stoop_pipeline::{Clock, NextPoll};

use super::attributes::{Item, bytes_of, item, text, text_of};
use super::batch::get_all_eventually_consistent;
use super::merged::merged_if_readable;
use super::merging::read_counties;
use super::runs::{PLAN, read_body};
use crate::error::failed;

/// The most entries of an index that are asked for at a time.
const PAGE_MAX: usize = 1_000;
/// So many entries are asked for at least where some are left out.
const LISTED_AT_ONCE: usize = 200;
/// The only kind of runs that a stack records.
const POLL: &str = "poll";
/// The longest time that a Lambda function runs: 900 seconds ("Lambda quotas", AWS Lambda Developer Guide).
const RUN_MS_MAX: i64 = 900_000;

/// The homes of a market and the last runs, from an index of the homes table and one of the runs table.
///
/// Both lag slightly behind their tables. Homes are read from the table itself: one that has left the market is left
/// out.
#[derive(Clone)]
pub struct DynamoBrowse {
    client: Client,
    homes: String,
    markets: String,
    runs: String,
    clock: Arc<dyn Clock>,
}

impl DynamoBrowse {
    /// What can be browsed in these tables. The clock tells which runs can no longer be running.
    #[must_use]
    pub fn new(
        client: Client,
        homes_table: impl Into<String>,
        markets_table: impl Into<String>,
        runs_table: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client, homes: homes_table.into(), markets: markets_table.into(), runs: runs_table.into(), clock }
    }

    /// The first `limit` IDs of a market after `after` in the index, in order.
    async fn ids_of(&self, market: &Market, after: Option<&HomeId>, limit: usize) -> Result<Vec<HomeId>, PortError> {
        let what = || format!("Query of the homes of {market} in the index open of the table {}", self.homes);
        let market = market.to_string();
        let mut request = self
            .client
            .query()
            .table_name(&self.homes)
            .index_name("open")
            .limit(i32::try_from(limit.min(PAGE_MAX)).unwrap_or(i32::MAX))
            .expression_attribute_names("#market", "open_in")
            .expression_attribute_values(":market", text(market));
        request = match after {
            None => request.key_condition_expression("#market = :market"),
            Some(after) => request
                .key_condition_expression("#market = :market AND #id > :after")
                .expression_attribute_names("#id", "id")
                .expression_attribute_values(":after", text(after.as_str())),
        };
        let mut pages = request.into_paginator().send();
        let mut ids = Vec::new();
        while ids.len() < limit
            && let Some(page) = pages.next().await
        {
            for item in page.map_err(failed(what))?.items() {
                let id = text_of(item, "id").map_err(|error| PortError::damaged(what(), error))?;
                ids.push(HomeId(id.into()));
            }
        }
        ids.truncate(limit);
        Ok(ids)
    }

    /// Those of these homes that are still open in the market, in order.
    async fn read(&self, market: &Market, ids: &[HomeId]) -> Result<Vec<(HomeId, Home)>, PortError> {
        let market = market.to_string();
        let keys: Vec<Item> = ids.iter().map(|id| item([("id", text(id.as_str()))])).collect();
        let read = get_all_eventually_consistent(&self.client, &self.homes, &keys, &["id", "open_in", "body"]).await?;
        let mut found: HashMap<String, Item> = HashMap::with_capacity(read.len());
        for item in read {
            let id = text_of(&item, "id")
                .map_err(|error| PortError::damaged(format!("read a home in {}", self.homes), error))?
                .to_owned();
            found.insert(id, item);
        }
        let mut homes = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(item) = found.get(id.as_str()) else { continue };
            if text_of(item, "open_in") != Ok(&*market) {
                continue;
            }
            let what = || format!("read the home {id} in the table {}", self.homes);
            let body = bytes_of(item, "body").map_err(|error| PortError::damaged(what(), error))?;
            homes.push((
                id.clone(),
                stoop_wire::home_from_bytes(body).map_err(|error| PortError::damaged(what(), error))?,
            ));
        }
        Ok(homes)
    }
}

impl DynamoBrowse {
    /// The first homes of a market that are on offer or under contract, without some.
    async fn open_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
        without: &BTreeSet<&HomeId>,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let mut homes: Vec<(HomeId, Home)> = Vec::new();
        let mut after = after.cloned();
        // Again, while homes are missing that the index still lists, or that are left out: a short answer means that there are no more.
        while homes.len() < limit {
            // Those of one portal, which may all be silent, are listed one after the other.
            let least = if without.is_empty() { 1 } else { LISTED_AT_ONCE };
            let wanted = (limit - homes.len()).max(least);
            let mut ids = self.ids_of(market, after.as_ref(), wanted).await?;
            let is_last = ids.len() < wanted;
            after = ids.last().cloned();
            ids.retain(|id| !without.contains(id));
            homes.extend(self.read(market, &ids).await?);
            if is_last {
                break;
            }
        }
        homes.truncate(limit);
        Ok(homes)
    }

    /// The last `limit` records of a kind, newest first.
    async fn bodies_of<T: DeserializeOwned>(&self, kind: &str, limit: usize) -> Result<Vec<T>, PortError> {
        let what = || format!("Query of the kind {kind} in the index by_kind of the table {}", self.runs);
        let request = self
            .client
            .query()
            .table_name(&self.runs)
            .index_name("by_kind")
            .scan_index_forward(false)
            .limit(i32::try_from(limit.clamp(1, PAGE_MAX)).unwrap_or(i32::MAX))
            .key_condition_expression("#kind = :kind")
            .expression_attribute_names("#kind", "kind")
            .expression_attribute_values(":kind", text(kind));
        let mut pages = request.into_paginator().send();
        let mut found = Vec::new();
        while found.len() < limit
            && let Some(page) = pages.next().await
        {
            for item in page.map_err(failed(what))?.items() {
                found.push(read_body(item).map_err(|error| PortError::damaged(what(), error))?);
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    async fn runs_of(&self, kind: &str, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        let now = self.clock.now();
        Ok(self.bodies_of(kind, limit).await?.into_iter().map(|run| as_it_is(run, now)).collect())
    }
}

#[async_trait]
impl Browse for DynamoBrowse {
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let merged = merged_if_readable(&self.client, &self.markets, market).await?;
        self.open_of(market, after, limit, &merged.silent()).await
    }

    async fn listings_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.open_of(market, after, limit, &BTreeSet::new()).await
    }

    async fn merges(&self) -> Result<bool, PortError> {
        let counties = read_counties(&self.client, &self.markets).await?;
        Ok(counties.iter().any(|county| county.merged_at.is_some()))
    }

    async fn merged(&self) -> Result<Option<MergedCounts>, PortError> {
        let counties = read_counties(&self.client, &self.markets).await?;
        let mut counts = MergedCounts::default();
        for county in &counties {
            counts.homes += county.homes;
            counts.listings += county.listings;
            counts.counties_waiting += u64::from(county.changes > county.merged);
        }
        Ok(counties.iter().any(|county| county.merged_at.is_some()).then_some(counts))
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        self.runs_of(POLL, limit).await
    }

    async fn last_run(&self, kind: &str) -> Result<Option<RunRecord>, PortError> {
        Ok(self.runs_of(kind, 1).await?.pop())
    }

    async fn next_polls(&self) -> Result<Vec<NextPoll>, PortError> {
        let mut next_polls: Vec<NextPoll> = self.bodies_of(PLAN, usize::MAX).await?;
        next_polls.sort_by(|a, b| a.search.cmp(&b.search));
        Ok(next_polls)
    }
}

/// A run that has not ended and is older than any function may get was killed.
fn as_it_is(mut run: RunRecord, now: Time) -> RunRecord {
    if run.outcome == RunOutcome::Running && now.ms() - run.began_at.ms() > RUN_MS_MAX {
        run.outcome = RunOutcome::Killed;
    }
    run
}

impl fmt::Debug for DynamoBrowse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("DynamoBrowse");
        shown.field("homes", &self.homes).field("runs", &self.runs).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_run_that_no_function_can_be_at_any_more_was_killed() {
        let began_at = Time::from_ms(1_768_392_000_000);
        let run = |outcome| RunRecord {
            id: "r1".into(),
            kind: "poll".into(),
            subject: "agadir".into(),
            began_at,
            ended_at: None,
            outcome,
            message: None,
            counts: BTreeMap::new(),
            raw_pages: None,
        };
        let after = |outcome, ms| as_it_is(run(outcome), began_at.plus_ms(ms)).outcome;
        assert_eq!(after(RunOutcome::Running, 900_000), RunOutcome::Running);
        assert_eq!(after(RunOutcome::Running, 900_001), RunOutcome::Killed);
        assert_eq!(after(RunOutcome::Running, -5_000), RunOutcome::Running, "a clock that is behind");
        assert_eq!(after(RunOutcome::Failed, 900_001), RunOutcome::Failed);
    }
}
