//! When searches are polled next, and what people ask of them. The tables exist once a search is scheduled or controlled.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, TransactionBehavior};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stoop_pipeline::ports::{PortError, SearchControls};
use stoop_pipeline::{NextPoll, SearchControl};

use crate::database::Database;
use crate::error::Result;
use crate::schema::{CONTROLS, has_table};

#[async_trait]
impl SearchControls for Database {
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError> {
        self.controlled("SELECT body FROM controls ORDER BY search")
            .map_err(self.doing("read the controls of searches"))
    }

    async fn keep(&self, control: &SearchControl) -> Result<(), PortError> {
        self.keep_controlled("INSERT OR REPLACE INTO controls VALUES(?1, ?2)", &control.search, control)
            .map_err(self.doing(format!("keep the control of {}", control.search)))
    }
}

impl Database {
    /// What people ask of a search.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn control(&self, search: &str) -> Result<SearchControl, PortError> {
        let read = || -> Result<Option<String>> {
            let inner = self.lock();
            if !has_table(&inner.connection, "controls")? {
                return Ok(None);
            }
            let mut statement = inner.connection.prepare_cached("SELECT body FROM controls WHERE search = ?1")?;
            Ok(statement.query_row([search], |row| row.get(0)).optional()?)
        };
        let found = read().and_then(|body| Ok(body.map(|body| serde_json::from_str(&body)).transpose()?));
        let found = found.map_err(self.doing(format!("read the control of {search}")))?;
        Ok(found.unwrap_or_else(|| SearchControl::of(search)))
    }

    /// When a search was last polled and is polled next; `None` if it never was.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn next_poll(&self, search: &str) -> Result<Option<NextPoll>, PortError> {
        Ok(self.all_next_polls()?.into_iter().find(|next| next.search == search))
    }

    /// Replaces when a search is polled next.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn keep_next_poll(&self, next: &NextPoll) -> Result<(), PortError> {
        self.keep_controlled("INSERT OR REPLACE INTO next_polls VALUES(?1, ?2)", &next.search, next)
            .map_err(self.doing(format!("keep the next poll of {}", next.search)))
    }

    pub(crate) fn all_next_polls(&self) -> Result<Vec<NextPoll>, PortError> {
        self.controlled("SELECT body FROM next_polls ORDER BY search").map_err(self.doing("read the next polls"))
    }

    fn controlled<T: DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>> {
        if !has_table(&self.lock().connection, "controls")? {
            return Ok(Vec::new());
        }
        self.rows(sql, [], |row| Ok(serde_json::from_str(row.get_ref(0)?.as_str()?)?))
    }

    fn keep_controlled(&self, sql: &str, search: &str, value: &impl Serialize) -> Result<()> {
        let body = serde_json::to_string(value)?;
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(CONTROLS)?;
        transaction.prepare_cached(sql)?.execute([search, &body])?;
        Ok(transaction.commit()?)
    }
}
