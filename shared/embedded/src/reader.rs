//! Reading a file that cannot be written to, or beside which nothing can be made.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::{file_bytes, set_up};
use crate::error::Result;

/// A connection for reading.
pub(crate) struct Reader {
    pub(crate) connection: Connection,
    /// Bytes of the write-ahead log that it cannot see.
    pub(crate) unread: u64,
}

/// A write-ahead log of no more bytes has nothing in it but its header.
const LOG_HEADER_BYTES: u64 = 32;

/// SQLite's file system without locks: `nolock` alone would leave the log unread.
const NO_LOCKS: &str = if cfg!(windows) { "vfs=win32-none" } else { "vfs=unix-none" };

/// Opens a file for reading. SQLite wants an index of the write-ahead log beside it, shared by all who have the file open;
/// where there is none and none can be made, nobody has it open for writing, and it is read as what it is then: a file that
/// does not change, with a log that this connection indexes for itself.
pub(crate) fn open(path: &Path) -> Result<Reader> {
    match try_open(path, OpenFlags::empty(), false) {
        Err(error) if is_about_access(&error) => {}
        shared => return Ok(Reader { connection: shared?, unread: 0 }),
    }
    let log = file_bytes(&log_of(path));
    if log > LOG_HEADER_BYTES
        && let Ok(connection) = try_open(&address(path, NO_LOCKS), OpenFlags::SQLITE_OPEN_URI, true)
    {
        return Ok(Reader { connection, unread: 0 });
    }
    let connection = try_open(&address(path, "immutable=1"), OpenFlags::SQLITE_OPEN_URI, false)?;
    Ok(Reader { connection, unread: if log > LOG_HEADER_BYTES { log } else { 0 } })
}

/// `alone`: the index of the log is in memory, and nobody is kept out.
fn try_open(path: &Path, flags: OpenFlags, alone: bool) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    if alone {
        // What the log has is not brought home when this connection ends: another one may yet write.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    }
    let connection = set_up(connection)?;
    // The file is opened with the first thing that is read.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

fn is_about_access(error: &rusqlite::Error) -> bool {
    use ErrorCode::{CannotOpen, FileLockingProtocolFailed, PermissionDenied, ReadOnly, SystemIoFailure};
    let codes = [CannotOpen, FileLockingProtocolFailed, PermissionDenied, ReadOnly, SystemIoFailure];
    error.sqlite_error_code().is_some_and(|code| codes.contains(&code))
}

fn log_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.into();
    name.push("-wal");
    name.into()
}

/// The path as an address with a parameter.
fn address(path: &Path, parameter: &str) -> PathBuf {
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
