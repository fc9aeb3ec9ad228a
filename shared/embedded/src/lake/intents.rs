//! Files that a transaction may write: their names are stored before, so that those of a dead process can be found.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::sealed::is_sealed;
use super::{FOLDER, HeldObservations, OBJECT_BYTES};
use crate::error::{Result, at};

/// A file that a later transaction may write. Its token is stored before the file is written.
pub(crate) struct Intent(pub(super) String);

/// Stores the intent to write a file if the outbox is full with `held`. Call it outside of a transaction.
pub(crate) fn intend(connection: &Connection, held: &HeldObservations) -> Result<Option<Intent>> {
    let waiting: i64 = connection.prepare_cached("SELECT outbox_bytes FROM totals")?.query_row([], |row| row.get(0))?;
    if usize::try_from(waiting)?.saturating_add(held.bytes) < OBJECT_BYTES {
        return Ok(None);
    }
    Ok(Some(Intent::store(connection)?))
}

impl Intent {
    pub(super) fn store(connection: &Connection) -> Result<Self> {
        let sql = "INSERT INTO lake_intents VALUES(lower(hex(randomblob(8)))) RETURNING token";
        Ok(Self(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?))
    }

    /// Removes it in the transaction that writes the file. Returns `false` if another process opened the database in
    /// between and removed it as an orphan.
    pub(super) fn redeem(&self, transaction: &Transaction<'_>) -> Result<bool> {
        Ok(transaction.prepare_cached("DELETE FROM lake_intents WHERE token = ?1")?.execute([&self.0])? > 0)
    }
}

/// Removes an intent whose file was not written.
pub(crate) fn forget(connection: &mut Connection, intent: &Intent) -> Result<()> {
    let transaction = connection.transaction()?;
    intent.redeem(&transaction)?;
    Ok(transaction.commit()?)
}

/// Removes the files of intents whose transaction was not committed. The write lock ensures that none is in progress. A
/// live writer whose intent is removed stores a new one. A sealed file was committed, by a newer state of this database: it
/// stays, and is reported as unknown.
pub(crate) fn remove_orphans(connection: &mut Connection, data: &Path) -> Result<()> {
    let pending = |connection: &Connection| -> Result<Vec<String>> {
        let mut statement = connection.prepare("SELECT token FROM lake_intents")?;
        let tokens = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        Ok(tokens)
    };
    if pending(connection)?.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tokens = pending(&transaction)?;
    for path in lake_files(&data.join(FOLDER))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if tokens.iter().any(|token| name.contains(&format!("-{token}.jsonl.zst"))) && !is_sealed(&path) {
            fs::remove_file(&path).map_err(at("remove the orphan", &path))?;
        }
    }
    transaction.execute("DELETE FROM lake_intents", [])?;
    transaction.commit()?;
    Ok(())
}

/// The files in the folders of the days. None if there is no lake yet.
pub(super) fn lake_files(lake: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !lake.exists() {
        return Ok(files);
    }
    for day in fs::read_dir(lake).map_err(at("list", lake))? {
        let day = day.map_err(at("list", lake))?.path();
        if day.is_dir() {
            for file in fs::read_dir(&day).map_err(at("list", &day))? {
                files.push(file.map_err(at("list", &day))?.path());
            }
        }
    }
    Ok(files)
}
