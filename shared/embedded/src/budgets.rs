//! The requests to each account of a source.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use stoop_pipeline::ports::{Account, Budgets, PortError};

use crate::database::Database;
use crate::error::Result;

#[async_trait]
impl Budgets for Database {
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError> {
        let read = || -> Result<(Account, u64)> {
            let inner = self.lock();
            let mut statement =
                inner.connection.prepare_cached("SELECT version, body FROM accounts WHERE account = ?1")?;
            let row = statement.query_row([account], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)));
            Ok(match row.optional()? {
                Some((version, body)) => (Account::from_json(&body)?, version.cast_unsigned()),
                None => (Account::default(), 0),
            })
        };
        read().map_err(self.doing(format!("load the record of the account {account}")))
    }

    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError> {
        let store = || -> Result<bool> {
            let sql = if version == 0 {
                "INSERT INTO accounts(account, version, body) VALUES(?1, ?2 + 1, ?3) ON CONFLICT DO NOTHING"
            } else {
                "UPDATE accounts SET version = version + 1, body = ?3 WHERE account = ?1 AND version = ?2"
            };
            let inner = self.lock();
            let row = params![account, version.cast_signed(), record.to_json()];
            Ok(inner.connection.prepare_cached(sql)?.execute(row)? == 1)
        };
        store().map_err(self.doing(format!("save the record of the account {account}")))
    }
}

impl Database {
    /// Every account with requests, and its record.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn accounts(&self) -> Result<Vec<(String, Account)>, PortError> {
        let sql = "SELECT account, body FROM accounts ORDER BY account";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, Account::from_json(&row.get::<_, String>(1)?)?));
        self.rows(sql, [], read).map_err(self.doing("list the accounts"))
    }
}
