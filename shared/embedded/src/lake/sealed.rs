//! Sealed files: those that a commit has named. They cannot be written, and nobody removes them.
//!
//! The file of an uncommitted transaction may be removed, that of a committed one never. An older copy of a database, put
//! beside a newer lake, cannot tell them apart by its tables: it may know the intent to write a file, and not the commit.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::Result;

/// Files that are looked at after a commit: its own, and those of processes that died between commit and seal.
const AFTER_COMMIT: usize = 16;

/// Seals the file of a commit. Cannot fail: the commit is done, and the next process to open the database tries again.
pub(crate) fn seal_committed(connection: &Connection, data: &Path) {
    drop(seal_named(connection, data, AFTER_COMMIT));
}

/// Seals the newest files that the database names, at most `most`, up to one that is sealed already. The oldest come first,
/// so that all before a sealed one are sealed wherever the process dies.
pub(crate) fn seal_named(connection: &Connection, data: &Path, most: usize) -> Result<()> {
    let mut statement = connection.prepare_cached("SELECT path FROM lake_objects ORDER BY seq DESC LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut open: Vec<PathBuf> = Vec::new();
    while let Some(row) = rows.next()? {
        let path = data.join(row.get::<_, String>(0)?);
        if is_sealed(&path) {
            break;
        }
        open.push(path);
    }
    open.iter().rev().for_each(|path| seal(path));
    Ok(())
}

/// Makes a file read-only. On a file system without such a mode, the file stays as it is: it is then only protected by its
/// name in the table.
pub(crate) fn seal(path: &Path) {
    if let Ok(metadata) = fs::metadata(path) {
        let mut permissions = metadata.permissions();
        permissions.set_readonly(true);
        drop(fs::set_permissions(path, permissions));
    }
}

pub(crate) fn is_sealed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().readonly())
}
