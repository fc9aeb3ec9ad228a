use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use stoop_pipeline::ports::PortError;

use super::{HeldObservations, Intent, forget, seal_committed, write_object};
use crate::database::Database;
use crate::error::Result;

impl Database {
    /// Writes the observations of the table `outbox` to a file of the lake, however few they are, so that programs that read
    /// only files see them. Returns their number; without any there is no file.
    ///
    /// # Errors
    /// If the file or the database cannot be written. Then nothing has changed.
    pub fn flush(&self) -> Result<u64, PortError> {
        let mut inner = self.lock();
        loop {
            let attempt = attempt(&mut inner.connection, self.data());
            if let Some(rows) = attempt.map_err(self.doing("write the outbox to a file of the lake"))? {
                return Ok(rows);
            }
        }
    }
}

/// Returns `None` if another process opened the database between the two transactions.
fn attempt(connection: &mut Connection, data: &Path) -> Result<Option<u64>> {
    let waiting = "SELECT coalesce(sum(rows), 0) FROM outbox";
    if connection.query_row(waiting, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(Some(0));
    }
    let intent = Intent::store(connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rows: i64 = transaction.query_row(waiting, [], |row| row.get(0))?;
    if rows == 0 {
        // Another process was quicker.
        transaction.rollback()?;
        forget(connection, &intent)?;
        return Ok(Some(0));
    }
    if !intent.redeem(&transaction)? {
        return Ok(None);
    }
    let seq = transaction.query_row("SELECT lake_rows FROM totals", [], |row| row.get(0))?;
    write_object(&transaction, data, &HeldObservations::default(), seq, &intent)?;
    transaction.execute("UPDATE totals SET outbox_bytes = 0", [])?;
    transaction.commit()?;
    seal_committed(connection, data);
    Ok(Some(u64::try_from(rows)?))
}
