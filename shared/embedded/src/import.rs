//! Imports the state of another store as it is stored there, for inspection: its lake, object by object, and its homes,
//! markets and alerts as a generation (ADR 0041), and its polls.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{OptionalExtension, TransactionBehavior, params};
use stoop_market::Cells;
use stoop_pipeline::ports::{FailureKind, PortError, RunRecord};
use stoop_pipeline::{StoredAlert, StoredHome, StoredMarket};
use stoop_rules::Rules;

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::frames::HeldObservations;
use crate::lake;
use crate::ledgers::note_rules;
use crate::schema::has_table;

/// The program name of a generation that no program computed.
const PROGRAM: &str = "import";

/// The objects of the other lake that are imported. The table exists only after an import.
const IMPORTED: &str = "CREATE TABLE IF NOT EXISTS imported(
    name TEXT PRIMARY KEY, etag TEXT NOT NULL, rows INTEGER NOT NULL, unreadable INTEGER NOT NULL, why TEXT
) STRICT";

/// An imported object of another store's lake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedObject {
    /// Its name in the other store.
    pub name: String,
    /// The ETag, which changes with the content.
    pub etag: String,
    /// The number of imported observations.
    pub rows: u64,
    /// The number of lines that cannot be read and were skipped.
    pub unreadable: u64,
    /// Describes the first of those lines.
    pub why: Option<String>,
}

/// A generation beside the live one that is being imported.
pub struct Import<'a> {
    database: &'a Database,
    lake_rows: i64,
}

impl Database {
    /// Prepares an empty database for imports. Does nothing if it is prepared already.
    ///
    /// # Errors
    /// If it has a lake or homes of its own, or cannot be written.
    pub fn begin_import(&self) -> Result<(), PortError> {
        let begin = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if !has_table(&transaction, "imported")? {
                let sql = "SELECT 1 FROM totals WHERE lake_rows > 0 UNION ALL SELECT 1 FROM homes LIMIT 1";
                if transaction.prepare_cached(sql)?.exists([])? {
                    let why = "it has a state of its own; accepted: a new folder, or one that was pulled into";
                    return Err(Failure::boxed(FailureKind::Refused, why));
                }
            }
            transaction.execute_batch(IMPORTED)?;
            Ok(transaction.commit()?)
        };
        begin().map_err(self.doing("begin an import"))
    }

    /// The imported objects by name.
    ///
    /// # Errors
    /// If they cannot be read, or if this database is not prepared for imports.
    pub fn imported_objects(&self) -> Result<BTreeMap<String, ImportedObject>, PortError> {
        let read = self.rows("SELECT name, etag, rows, unreadable, why FROM imported", [], |row| {
            Ok(ImportedObject {
                name: row.get(0)?,
                etag: row.get(1)?,
                rows: row.get::<_, i64>(2)?.cast_unsigned(),
                unreadable: row.get::<_, i64>(3)?.cast_unsigned(),
                why: row.get(4)?,
            })
        });
        let objects = read.map_err(self.doing("read which objects were imported"))?;
        Ok(objects.into_iter().map(|object| (object.name.clone(), object)).collect())
    }

    /// Adds the observations of an object, which are in `held`, to the lake and records the object, in one transaction.
    ///
    /// # Errors
    /// If it is already imported, or cannot be stored.
    pub fn import_object(&self, object: &ImportedObject, held: &mut HeldObservations) -> Result<(), PortError> {
        let mut store = || -> Result<()> {
            let mut inner = self.lock();
            inner.frame.compress(held)?;
            loop {
                let connection = &mut inner.connection;
                let intent = if held.is_empty() { None } else { lake::intend(connection, held)? };
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let sql = "INSERT INTO imported(name, etag, rows, unreadable, why) VALUES(?1, ?2, ?3, ?4, ?5)";
                let ImportedObject { name, etag, rows, unreadable, why } = object;
                let counts = (rows.cast_signed(), unreadable.cast_signed());
                transaction.prepare_cached(sql)?.execute(params![name, etag, counts.0, counts.1, why])?;
                // If the intent is gone, another process opened the database in between: try again.
                if held.is_empty() || lake::append(&transaction, self.data(), held, intent.as_ref())? {
                    transaction.commit()?;
                    lake::seal_committed(connection, self.data());
                    return Ok(());
                }
            }
        };
        store().map_err(self.doing(format!("import {}", object.name)))
    }

    /// Begins an empty generation beside the live one. Removes an earlier one.
    ///
    /// # Errors
    /// If that cannot be stored.
    pub fn import_generation(&self) -> Result<Import<'_>, PortError> {
        let lake_rows = self.lake_count()?;
        self.begin_generation(PROGRAM, lake_rows).map_err(self.doing("begin to import homes and markets"))?;
        Ok(Import { database: self, lake_rows })
    }

    /// The newest rules in the ledger of alerts. `None` if there are none.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn newest_rules(&self) -> Result<Option<Rules>, PortError> {
        let rules = self.rows("SELECT body FROM rules ORDER BY id DESC LIMIT 1", [], |row| {
            Ok(serde_json::from_str(row.get_ref(0)?.as_str()?)?)
        });
        Ok(rules.map_err(self.doing("read the rules of alerts"))?.pop())
    }

    /// Replaces the alerts and rules in the ledger. The rules have names. Nothing is sent.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub fn import_ledger(&self, alerts: &[StoredAlert], rules: &[(String, String)]) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch("DELETE FROM alerts; DELETE FROM rules; DELETE FROM changes")?;
            let mut ids: HashMap<&str, i64> = HashMap::new();
            for (name, body) in rules {
                note_rules(&transaction, body)?;
                let sql = "SELECT id FROM rules WHERE body = ?1";
                ids.insert(name, transaction.prepare_cached(sql)?.query_row([body], |row| row.get(0))?);
            }
            for StoredAlert { id, at, verdict, body, rules } in alerts {
                // A missing set of rules gets a number that no rules have.
                let rules = rules.as_deref().map(|name| ids.get(name).copied().unwrap_or(-1));
                let sql = "INSERT INTO alerts(id, at, verdict, body, rules) VALUES(?1, ?2, ?3, ?4, ?5)";
                transaction.prepare_cached(sql)?.execute(params![id, at, verdict, body, rules])?;
            }
            transaction.execute("UPDATE followers SET seq = (SELECT coalesce(max(seq), 0) FROM alerts)", [])?;
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing("import the ledger of alerts"))
    }

    /// Replaces the polls in the ledger of runs by those of another store. Other runs are of this database.
    ///
    /// # Errors
    /// If they cannot be stored. The polls are then as before.
    pub fn import_polls(&self, runs: &[RunRecord]) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute("DELETE FROM runs WHERE body ->> '$.kind' = 'poll'", [])?;
            for run in runs {
                let sql = "INSERT INTO runs(id, began_at, body) VALUES(?1, ?2, ?3)";
                let row = params![run.id, run.began_at.ms(), serde_json::to_string(run)?];
                transaction.prepare_cached(sql)?.execute(row)?;
            }
            Ok(transaction.commit()?)
        };
        store().map_err(self.doing(format!("import {} runs", runs.len())))
    }
}

impl Import<'_> {
    /// Adds homes as they are stored in the other store.
    ///
    /// # Errors
    /// If one exists already, or they cannot be stored.
    pub fn homes<'h>(&self, homes: impl IntoIterator<Item = &'h StoredHome>) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.database.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for StoredHome { id, version, body, market, status, list_price, last_seen } in homes {
                let sql = "INSERT INTO homes_next(id, version, market, status, list_price, last_seen, body)
                           VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)";
                let row = params![id, version.cast_signed(), market, status, list_price, last_seen, body];
                transaction.prepare_cached(sql)?.execute(row)?;
            }
            Ok(transaction.commit()?)
        };
        store().map_err(self.database.doing("import homes"))
    }

    /// Adds markets as they are stored in the other store. A market without a base gets no state.
    ///
    /// # Errors
    /// If one exists already, or they cannot be stored.
    pub fn markets<'m>(&self, markets: impl IntoIterator<Item = &'m StoredMarket>) -> Result<(), PortError> {
        let store = || -> Result<()> {
            let mut inner = self.database.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for StoredMarket { id, base, tail, archive } in markets {
                let bytes = |part: &Option<(u64, Cells)>| part.as_ref().map(|(at, cells)| (*at, cells.to_bytes()));
                let (base, tail) = (bytes(base), bytes(tail));
                let length = |part: &Option<(u64, Vec<u8>)>| part.as_ref().map_or(0, |(_, body)| body.len());
                let version = base.iter().chain(&tail).map(|(version, _)| *version).max().unwrap_or(0);
                let sql = "INSERT INTO markets_next(id, version, base_bytes, tail_bytes) VALUES(?1, ?2, ?3, ?4)";
                let (base_bytes, tail_bytes) = (i64::try_from(length(&base))?, i64::try_from(length(&tail))?);
                transaction.prepare_cached(sql)?.execute(params![id, version.cast_signed(), base_bytes, tail_bytes])?;
                for (table, part) in [("bases_next", base), ("tails_next", tail)] {
                    if let Some((version, body)) = part {
                        let sql = format!("INSERT INTO {table}(market, version, body) VALUES(?1, ?2, ?3)");
                        transaction.prepare_cached(&sql)?.execute(params![id, version.cast_signed(), body])?;
                    }
                }
                for (period, sum) in archive.clone().into_periods() {
                    let sql = "INSERT INTO archives_next(market, period, body) VALUES(?1, ?2, ?3)";
                    transaction.prepare_cached(sql)?.execute(params![id, period, sum.to_bytes()])?;
                }
            }
            Ok(transaction.commit()?)
        };
        store().map_err(self.database.doing("import markets"))
    }

    /// Marks the generation as complete. It can then be compared with the live one ([`Database::difference`]) and
    /// swapped in ([`Database::swap`]).
    ///
    /// # Errors
    /// If that cannot be stored.
    pub fn finish(self) -> Result<(), PortError> {
        let finish = || -> Result<()> {
            let inner = self.database.lock();
            let newest: Option<i64> =
                inner.connection.query_row("SELECT newest FROM totals", [], |row| row.get(0)).optional()?.flatten();
            let sql = "UPDATE rebuild SET stage = 'ready', lake_rows = ?1, newest = ?2";
            inner.connection.execute(sql, params![self.lake_rows, newest])?;
            Ok(())
        };
        finish().map_err(self.database.doing("end an import"))
    }
}
