use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Params, Row};
use stoop_pipeline::ports::PortError;

use crate::checkpoints::{BUSY, Checkpoints};
use crate::error::{BoxError, Result, about, doing};
use crate::frames::FrameWriter;
use crate::market_list::MarketList;
use crate::outlines::Outlines;
use crate::presence::Presence;
use crate::recent_sums::RecentSums;

/// The database file and its data folder: all ports of the pipeline, and views for people.
///
/// Each handle has one connection. A call holds it while SQLite works, and never across an `await`. SQLite's calls are
/// short (a commit of twenty thousand observations takes tens of milliseconds), and the pipeline does one thing at a
/// time, so calls run on the caller's thread. Several processes, and several handles in one process, may have the same
/// file open: readers see the last commit, writers wait for each other, and versions reveal conflicts.
///
/// A commit survives the death of the process at any moment. A loss of power may take the last commits (`synchronous =
/// NORMAL`) but leaves the file valid.
pub struct Database {
    inner: Mutex<Inner>,
    presence: Mutex<Option<Presence>>,
    markets: MarketList,
    pub(crate) sums: RecentSums,
    pub(crate) outlines: Mutex<Outlines>,
    unread: u64,
    path: PathBuf,
    data: PathBuf,
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) frame: FrameWriter,
    pub(crate) checkpoints: Checkpoints,
}

impl Inner {
    /// Call it after a commit of the pipeline.
    pub(crate) fn after_commit(&mut self, path: &Path) {
        self.checkpoints.after_commit(&self.connection, path);
    }
}

const CACHE_KIB: i64 = 16 * 1_024;
/// More than the number of statements in this crate.
const STATEMENTS: usize = 96;

impl Database {
    /// A handle on a connection that was opened for `path`. Of the newest commits, it cannot see `unread` bytes.
    pub(crate) fn on(connection: Connection, path: PathBuf, data: &Path, unread: u64) -> Result<Arc<Self>> {
        let inner = Mutex::new(Inner { connection, frame: FrameWriter::new()?, checkpoints: Checkpoints::default() });
        let presence = Mutex::new(None);
        let (markets, outlines, data) = (MarketList::default(), Mutex::default(), data.to_owned());
        let sums = RecentSums::default();
        Ok(Arc::new(Self { inner, presence, markets, sums, outlines, unread, path, data }))
    }

    /// The number of bytes of the newest commits that this reader cannot see because the write-ahead log cannot be
    /// read. Nearly always 0.
    #[must_use]
    pub fn unread_bytes(&self) -> u64 {
        self.unread
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Reads several things as of one moment: `read` does not see later commits. Nothing can be written through this
    /// handle meanwhile, so a handle of [`Database::open_read`] is best. A nested call has the moment of the outer one.
    /// Keep it short if others write a lot: their writes stay in the write-ahead log until it ends.
    ///
    /// # Errors
    /// If the file cannot be read, or if `read` returns an error.
    pub fn reading<T, E: From<PortError>>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let what = format!("read {}", self.path.display());
        if !self.lock().connection.is_autocommit() {
            return read();
        }
        self.lock().connection.execute_batch("BEGIN").map_err(self.doing(&what))?;
        let _end = EndOfReading(self);
        // The snapshot begins with the first read, not with BEGIN.
        self.rows("SELECT 1 FROM totals", [], |_| Ok(())).map_err(self.doing(what))?;
        read()
    }

    /// Reads rows with `read`.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl Fn(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let inner = self.lock();
        let mut statement = inner.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    /// Passes rows to `visit` one by one.
    pub(crate) fn each_row(&self, sql: &str, mut visit: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let inner = self.lock();
        let mut statement = inner.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row)?;
        }
        Ok(())
    }

    /// Adds the operation and the file to an error: `.map_err(self.doing("read the market us/..."))`.
    pub(crate) fn doing<E: Into<BoxError>>(&self, what: impl Into<String>) -> impl FnOnce(E) -> PortError {
        |source| doing(what)(about(&self.path, source.into()))
    }

    /// Ignores poisoning: if a thread panics, its transaction is rolled back, so the connection is usable.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn market_list(&self) -> &MarketList {
        &self.markets
    }

    pub(crate) fn presence(&self) -> MutexGuard<'_, Option<Presence>> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(presence) = self.presence().take() {
            presence.end(&self.lock().connection);
        }
    }
}

/// Ends a transaction of [`Database::reading`], even if its reader panics.
struct EndOfReading<'a>(&'a Database);

impl Drop for EndOfReading<'_> {
    fn drop(&mut self) {
        let connection = &self.0.lock().connection;
        if !connection.is_autocommit() {
            // Nothing was written, so a failure loses nothing.
            drop(connection.execute_batch("ROLLBACK"));
        }
    }
}

/// Settings of every connection.
pub(crate) fn set_up(connection: Connection) -> rusqlite::Result<Connection> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

pub(crate) fn format(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.path).field("data", &self.data).finish_non_exhaustive()
    }
}

/// The length of a file, for messages and counts. 0 if it does not exist.
pub(crate) fn file_bytes(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
