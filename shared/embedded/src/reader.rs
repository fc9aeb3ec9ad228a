//! Reads a file without write permission, or in a folder without write permission.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::checkpoints::log_of;
use crate::database::{file_bytes, set_up};
use crate::error::Result;

/// A connection for reading.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    /// Bytes of the write-ahead log that it cannot see.
    pub(crate) unread: u64,
}

/// The length of the header. A write-ahead log of at most this length is empty.
const LOG_HEADER_BYTES: u64 = 32;

/// SQLite's file system without locks. `nolock` alone would ignore the log.
const NO_LOCKS: &str = if cfg!(windows) { "vfs=win32-none" } else { "vfs=unix-none" };

/// Opens a file for reading. SQLite needs an index of the write-ahead log in the same folder, shared by all processes
/// that have the file open. If there is none and none can be created, nobody has the file open for writing. Then it is
/// read as a file that does not change, with a private index of its log.
pub(crate) fn open(path: &Path) -> Result<Reader> {
    match try_open(path, OpenFlags::empty(), false) {
        Err(error) if is_about_access(&error) => {}
        shared => return Ok(Reader { connection: shared?, unread: 0 }),
    }
    let log = file_bytes(&log_of(path));
    if log > LOG_HEADER_BYTES
        && let Ok(connection) = try_open(&uri(path, NO_LOCKS), OpenFlags::SQLITE_OPEN_URI, true)
    {
        return Ok(Reader { connection, unread: 0 });
    }
    let connection = open_unchanging(path)?;
    Ok(Reader { connection, unread: if log > LOG_HEADER_BYTES { log } else { 0 } })
}

/// Opens a file that nobody writes, without its log. Creates no files beside it.
pub(crate) fn open_unchanging(path: &Path) -> rusqlite::Result<Connection> {
    try_open(&uri(path, "immutable=1"), OpenFlags::SQLITE_OPEN_URI, false)
}

/// `alone`: the index of the log is in memory and no locks are taken.
fn try_open(path: &Path, flags: OpenFlags, alone: bool) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if alone {
        // Does not copy the log into the file when this connection ends, because another process may still write.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    }
    let connection = set_up(connection)?;
    // SQLite opens the file at the first read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn is_about_access(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, FileLockingProtocolFailed, PermissionDenied, ReadOnly, SystemIoFailure};
    let codes = [CannotOpen, FileLockingProtocolFailed, PermissionDenied, ReadOnly, SystemIoFailure];
    error.sqlite_error_code().is_some_and(|code| codes.contains(&code))
}

/// The path as a URI with a parameter.
fn uri(path: &Path, parameter: &str) -> PathBuf {
    let mut text = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => text.push((*byte).into()),
            b'\\' if cfg!(windows) => text.push('/'),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    format!("{text}?{parameter}").into()
}
