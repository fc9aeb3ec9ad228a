use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use stoop_domain::{Home, HomeId, Market};
use stoop_market::Cells;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Store, Versioned};

use super::attributes::{Item, bytes_of, item, number_of, text, text_of};
use super::batch::get_all;
use super::commit::{ACTIONS_MAX, commit};
use super::market::{Heads, read_states};
use crate::lake::Lake;

/// Markets read at a time: each may have a base of a few hundred kilobytes.
const MARKETS_AT_ONCE: usize = 25;

/// The state on DynamoDB: a table of homes, whose stream is the change feed, and a table of markets.
///
/// A commit is one `TransactWriteItems`; each item has the condition that its version is still the one that was read.
/// The transaction holds everything that must not happen twice; the rest happens before it: observations go to the
/// lake, and a market's new base is written next to the old one.
///
/// If the response to the transaction is lost (a timeout, a broken connection) and the SDK's retries fail too,
/// [`Store::commit`] fails with a [`PortError`] although the commit may be stored. Retrying is safe: the caller reads
/// again, or gets a conflict, and finds its change already stored.
pub struct DynamoStore {
    pub(super) client: Client,
    pub(super) homes: String,
    pub(super) markets: String,
    pub(super) lake: Arc<dyn Lake>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) heads: Heads,
    pub(super) is_quiet: bool,
}

impl DynamoStore {
    /// A store in these two tables, with the lake for its observations. The clock dates the figures written with a
    /// market's state.
    #[must_use]
    pub fn new(
        client: Client,
        homes_table: impl Into<String>,
        markets_table: impl Into<String>,
        lake: Arc<dyn Lake>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (homes, markets) = (homes_table.into(), markets_table.into());
        Self { client, homes, markets, lake, clock, heads: Heads::default(), is_quiet: false }
    }

    /// The same store, with commits that cause no alerts: `notable` is false in every home that it writes, so that the
    /// change feed's mapping passes none of them to the alerts function. For a state that is recomputed ([ADR
    /// 0040](../../../docs/adr/0040-generations-on-aws.md)).
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        let unique: BTreeSet<&HomeId> = ids.iter().collect();
        let keys: Vec<Item> = unique.into_iter().map(|id| item([("id", text(id.as_str()))])).collect();
        let table = &self.homes;
        let mut found: HashMap<String, Versioned<Home>> = HashMap::with_capacity(ids.len());
        for item in get_all(&self.client, table, &keys, &["id", "version", "body"]).await? {
            let id = text_of(&item, "id").map_err(|error| PortError::new(format!("read a home in {table}"), error))?;
            let what = || format!("read the home {id} in the table {table}");
            let version = number_of(&item, "version").map_err(|error| PortError::new(what(), error))?;
            let body = bytes_of(&item, "body").map_err(|error| PortError::new(what(), error))?;
            let value = stoop_wire::home_from_bytes(body).map_err(|error| PortError::new(what(), error))?;
            found.insert(id.to_owned(), Versioned { value, version });
        }
        Ok(ids.iter().map(|id| found.get(id.as_str()).cloned()).collect())
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        let unique: Vec<Market> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut found = HashMap::with_capacity(unique.len());
        for some in unique.chunks(MARKETS_AT_ONCE) {
            found.extend(read_states(&self.client, &self.markets, some, &self.heads).await?);
        }
        if unique.len() == ids.len() {
            return Ok(ids.iter().map(|id| found.remove(id)).collect());
        }
        Ok(ids.iter().map(|id| found.get(id).cloned()).collect())
    }

    async fn commit(&self, what: &Commit<'_>) -> Result<(), CommitError> {
        commit(self, what).await
    }

    /// Each home and each market is one action of the transaction.
    fn commit_items_max(&self) -> usize {
        ACTIONS_MAX
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore")
            .field("homes", &self.homes)
            .field("markets", &self.markets)
            .field("is_quiet", &self.is_quiet)
            .finish_non_exhaustive()
    }
}
