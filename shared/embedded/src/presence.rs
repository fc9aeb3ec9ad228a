//! This process, as other processes that use the database see it.

use std::fs::File;
use std::path::PathBuf;

use rusqlite::Connection;

/// A registered process. Its row in the table `processes` has its token; a lock on its own file shows that it is alive.
pub(crate) struct Presence {
    pub(crate) token: String,
    pub(crate) file: PathBuf,
    /// Locked as long as it is open.
    pub(crate) lock: File,
}

impl Presence {
    /// Unregisters the process. If that fails, the next process finds that it is dead.
    pub(crate) fn end(self, connection: &Connection) {
        let Self { token, file, lock } = self;
        let known = "SELECT count(*) FROM runs WHERE process = ?1";
        // The next process closes a run that is left open.
        if connection.query_row(known, [&token], |row| row.get::<_, i64>(0)) == Ok(0)
            && connection.execute("DELETE FROM processes WHERE token = ?1", [&token]).is_ok()
        {
            drop(lock);
            drop(std::fs::remove_file(file));
        }
    }
}
