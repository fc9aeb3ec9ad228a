//! Keeps the write-ahead log small while others read.
//!
//! After a commit that makes the log longer than [`CHECKPOINT_PAGES`], SQLite copies it into the file as far as the oldest
//! reader allows, and waits for nobody. The log begins anew only when it is copied whole and no reader is left in it. Pages
//! that are read all the time overlap, so that this never happens, and the log grows as long as they do. Beyond
//! [`LOG_BYTES`] a writer therefore waits for the readers of older commits. Those of the newest do not hold it up.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::error::Result;
use crate::files::with_suffix;

/// The size of the write-ahead log, in pages (48 MiB), at which it is copied into the file. A large log writes pages
/// that every batch changes once for many batches.
pub(crate) const CHECKPOINT_PAGES: i64 = 6_144;
/// The length in bytes to which a longer log is truncated, and at which a writer waits for readers.
pub(crate) const LOG_BYTES: u64 = 64 << 20;

/// How long a writer waits for a writer of another process.
pub(crate) const BUSY: Duration = Duration::from_secs(20);

/// How long a writer waits for readers of older commits. Pages take milliseconds; `stoop verify` reads for longer, and is
/// not waited for.
const WAIT: Duration = Duration::from_millis(250);

/// When a writer copies the log and begins it anew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Checkpoints {
    /// The length of the log, in bytes, beyond which it waits for readers.
    pub(crate) log_bytes_max: u64,
    /// After an attempt that a reader prevented: the length of the log at the next one.
    next_attempt: u64,
}

impl Default for Checkpoints {
    fn default() -> Self {
        Self { log_bytes_max: LOG_BYTES, next_attempt: LOG_BYTES }
    }
}

impl Checkpoints {
    /// Call it after a commit. If the log is long, copies it into the file and truncates it, unless a reader prevents that.
    pub(crate) fn after_commit(&mut self, connection: &Connection, database: &Path) {
        let log = log_bytes(database);
        if log <= self.log_bytes_max {
            self.next_attempt = self.log_bytes_max;
        } else if log > self.next_attempt {
            // What a reader or the disk prevents is tried again; the commit itself is done.
            let is_done = truncate_log(connection).unwrap_or(false);
            self.next_attempt = if is_done { self.log_bytes_max } else { log + self.log_bytes_max / 4 };
        }
    }
}

/// The write-ahead log of a database file.
pub(crate) fn log_of(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// The length of the log. 0 if there is none.
fn log_bytes(database: &Path) -> u64 {
    fs::metadata(log_of(database)).map_or(0, |metadata| metadata.len())
}

/// Returns whether the whole log is in the file.
fn truncate_log(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(WAIT)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use rusqlite::params;

    use super::*;
    use crate::database::{Database, Inner};

    /// Bytes of a commit of the test.
    const COMMIT_BYTES: i64 = 40_000;

    /// Pages that a reader reads at most.
    const PAGES_MAX: u32 = 10_000;

    /// How long a page of the test takes.
    const PAGE: Duration = Duration::from_millis(5);

    fn open(folder: &Path) -> Arc<Database> {
        Database::open(&folder.join("stoop.db"), &folder.join("data")).unwrap()
    }

    fn commit(inner: &mut Inner, number: i64) {
        let write = "INSERT INTO settings(name, body) VALUES(?1, hex(randomblob(?2)))";
        inner.connection.execute(write, params![number.to_string(), COMMIT_BYTES / 2]).unwrap();
    }

    const BEGIN: &str = "BEGIN; SELECT count(*) FROM settings";

    #[test]
    fn the_log_stays_small_while_pages_are_read_all_the_time() {
        let folder = tempfile::TempDir::new().unwrap();
        let database = open(folder.path());
        let (path, bound) = (database.path(), 1 << 20);
        let ends = AtomicBool::new(false);
        let mut longest = 0;
        std::thread::scope(|scope| {
            for part in 0..2_u32 {
                let (ends, reader) = (&ends, open(folder.path()));
                scope.spawn(move || {
                    let reader = &reader.lock().connection;
                    // One begins in the middle of the other's page: there is always one.
                    std::thread::sleep(PAGE / 2 * part);
                    let is_going_on = |_: &u32| !ends.load(Ordering::Relaxed);
                    for _ in (0..PAGES_MAX).take_while(is_going_on) {
                        reader.execute_batch(BEGIN).unwrap();
                        std::thread::sleep(PAGE);
                        reader.execute_batch("COMMIT").unwrap();
                    }
                });
            }
            let mut inner = database.lock();
            inner.checkpoints = Checkpoints { log_bytes_max: bound, next_attempt: bound };
            inner.connection.pragma_update(None, "wal_autocheckpoint", 32).unwrap();
            for number in 0..200 {
                commit(&mut inner, number);
                inner.after_commit(path);
                longest = longest.max(log_bytes(path));
            }
            ends.store(true, Ordering::Relaxed);
        });
        // Without that it has all of them: 14 megabytes.
        assert!(longest <= 6 * bound, "{longest} bytes of log");
    }

    #[test]
    fn a_reader_that_does_not_end_holds_no_writer_up_for_long() {
        let folder = tempfile::TempDir::new().unwrap();
        let (database, reader) = (open(folder.path()), open(folder.path()));
        let path = database.path();
        let mut inner = database.lock();
        inner.checkpoints = Checkpoints { log_bytes_max: 1 << 20, next_attempt: 1 << 20 };
        reader.lock().connection.execute_batch(BEGIN).unwrap();
        let mut attempts = 0;
        for number in 0..50 {
            commit(&mut inner, number);
            let before = inner.checkpoints.next_attempt;
            inner.after_commit(path);
            attempts += u64::from(inner.checkpoints.next_attempt != before);
        }
        // One for each quarter of the bound, and not for each commit.
        assert!((2..=15).contains(&attempts), "{attempts}");
        reader.lock().connection.execute_batch("COMMIT").unwrap();
        inner.checkpoints.next_attempt = 0;
        inner.after_commit(path);
        assert_eq!(log_bytes(path), 0, "the next attempt succeeds");
    }
}
