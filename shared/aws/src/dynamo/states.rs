//! The port for homes and markets on the tables of a [`DynamoStore`].

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market};
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Store, Versioned};

use super::attributes::{Item, bytes_of, item, number_of, text, text_of};
use super::batch::get_all;
use super::commit::{ACTIONS_MAX, commit};
use super::market::read_states;
use super::store::DynamoStore;

/// Markets read at a time: each may have a base of a few hundred kilobytes.
const MARKETS_AT_ONCE: usize = 25;

#[async_trait]
impl Store for DynamoStore {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        let unique: BTreeSet<&HomeId> = ids.iter().collect();
        let keys: Vec<Item> = unique.into_iter().map(|id| item([("id", text(id.as_str()))])).collect();
        let table = &self.homes;
        let mut found: HashMap<String, Versioned<Home>> = HashMap::with_capacity(ids.len());
        for item in get_all(&self.client, table, &keys, &["id", "version", "body"]).await? {
            let id =
                text_of(&item, "id").map_err(|error| PortError::damaged(format!("read a home in {table}"), error))?;
            let what = || format!("read the home {id} in the table {table}");
            let version = number_of(&item, "version").map_err(|error| PortError::damaged(what(), error))?;
            let body = bytes_of(&item, "body").map_err(|error| PortError::damaged(what(), error))?;
            let value = stoop_wire::home_from_bytes(body).map_err(|error| PortError::damaged(what(), error))?;
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
