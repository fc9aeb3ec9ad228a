//! Opens a database: checks that the file is one, that this program can read it, and that it has its lake.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::checkpoints::{CHECKPOINT_PAGES, LOG_BYTES};
use crate::database::{Database, format, set_up};
use stoop_pipeline::ports::FailureKind;

use crate::error::{OpenError, Result, at, once};
use crate::failure::Failure;
use crate::generation::{self, Generation};
use crate::reader::{self, Reader};
use crate::schema::{APPLICATION_ID, FORMAT, HOMES_BY_MARKET, REBUILT_FROM, ROLL_UP_INDICES, TABLES, has_table};
use crate::{files, lake, spill};

const PAGE_BYTES: i64 = 8_192;

impl Database {
    /// Opens a database for reading and writing. Creates it if it does not exist. `data` is the folder of its lake and
    /// raw pages; it is created with the first write.
    ///
    /// # Errors
    /// See [`OpenError`]. A foreign file is not changed.
    pub fn open(path: &Path, data: &Path) -> Result<Arc<Self>, OpenError> {
        Self::open_from(FORMAT, path, data)
    }

    /// Opens a database for [`Database::rebuild`], including one of an older format whose lake can be read. Only a
    /// rebuild and a swap may use such a database.
    ///
    /// # Errors
    /// See [`OpenError`]. Does not create a file.
    pub fn open_to_rebuild(path: &Path, data: &Path) -> Result<Arc<Self>, OpenError> {
        if !check_header(&file_path(path)?, REBUILT_FROM)? {
            return Err(OpenError::Missing(path.to_owned()));
        }
        Self::open_from(REBUILT_FROM, path, data)
    }

    fn open_from(oldest: i64, path: &Path, data: &Path) -> Result<Arc<Self>, OpenError> {
        let path = file_path(path)?;
        check_header(&path, oldest)?;
        if data.exists() && !data.is_dir() {
            return Err(OpenError::DataIsFile(data.to_owned()));
        }
        let failed = |source| OpenError::Failed { path: path.clone(), source: once(source) };
        if !path.exists() {
            // SQLite gives its files beside it the same mode.
            let made = files::make_file(&path);
            made.map_err(|error| OpenError::Failed { path: path.clone(), source: at("make", &path)(error).into() })?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(&path, flags).map_err(failed)?;
        prepare_file(&mut connection).map_err(failed)?;
        check_format(&path, format(&connection).map_err(failed)?, oldest)?;
        check_tables(&path, &connection)?;
        if let Some(file) = lake::missing_object(&connection, data).map_err(failed)? {
            return Err(OpenError::LakeElsewhere { path, file });
        }
        lake::seal_named(&connection, data, usize::MAX).map_err(failed)?;
        lake::remove_orphans(&mut connection, data).map_err(failed)?;
        spill::sweep(data).map_err(failed)?;
        Self::on(connection, path.clone(), data, 0).map_err(failed)
    }

    /// Opens a database for reading. Does not create a file; writing through this handle is an error. The handle sees
    /// later commits.
    ///
    /// Files, folders and disks without write permission can be read, too. If SQLite cannot create its index file in
    /// the folder, the file is read as one without writers, including its write-ahead log if possible: see
    /// [`Database::unread_bytes`]. Concurrent writes are then not seen and may corrupt what is read.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_read(path: &Path, data: &Path) -> Result<Arc<Self>, OpenError> {
        let path = file_path(path)?;
        if !check_header(&path, FORMAT)? {
            return Err(OpenError::Missing(path));
        }
        let failed = |source| OpenError::Failed { path: path.clone(), source: once(source) };
        let Reader { connection, unread } = reader::open(&path).map_err(failed)?;
        check_format(&path, format(&connection).map_err(failed)?, FORMAT)?;
        check_tables(&path, &connection)?;
        Self::on(connection, path.clone(), data, unread).map_err(failed)
    }

    /// Opens a copy that nobody writes, and creates no files beside it.
    pub(crate) fn open_copy(path: &Path, data: &Path) -> Result<Arc<Self>> {
        Self::on(reader::open_unchanging(path)?, path.to_owned(), data, 0)
    }
}

/// The path in a form that SQLite cannot take for `:memory:` or `file:`. Checks that a file can exist there.
pub(crate) fn file_path(path: &Path) -> Result<PathBuf, OpenError> {
    if path.is_dir() {
        return Err(OpenError::IsFolder(path.to_owned()));
    }
    let path = if path.is_absolute() || path.starts_with(".") { path.to_owned() } else { Path::new(".").join(path) };
    match path.parent() {
        Some(parent) if parent.is_dir() => Ok(path),
        _ => Err(OpenError::NoFolder(path)),
    }
}

/// The length of the file header and the beginning of the header of its first page.
const HEADER_BYTES: usize = 108;

/// Reads the header with plain file calls, because SQLite may write to a file that it opens. Returns whether there is a
/// Stoop database. Returns `false` if there is no file or an empty database, which another process may be creating.
pub(crate) fn check_header(path: &Path, oldest: i64) -> Result<bool, OpenError> {
    if !path.exists() {
        return Ok(false);
    }
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let read = File::open(path).and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut header));
    read.map_err(|error| OpenError::Failed { path: path.to_owned(), source: at("read", path)(error).into() })?;
    if header.is_empty() {
        return Ok(false);
    }
    let not_ours = |what| OpenError::NotOurs { path: path.to_owned(), what };
    // https://www.sqlite.org/fileformat.html: the user version is at byte 60, the application ID at 68. The page of the
    // schema table begins at 100, and byte 103 has the number of tables and indexes.
    let is_empty = header.get(103..105) == Some(&[0, 0][..]);
    let number =
        |from: usize| header.get(from..from + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    match (header.starts_with(b"SQLite format 3\0"), number(60), number(68)) {
        (true, Some(format), Some(APPLICATION_ID)) => check_format(path, format.into(), oldest).map(|()| true),
        // Another process writes settings a moment before it creates the tables.
        (true, Some(0), Some(0)) if is_empty => Ok(false),
        (true, ..) => Err(not_ours("an SQLite database of another program")),
        (false, ..) => Err(not_ours("not an SQLite database")),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    Ok(set_up(Connection::open_with_flags(path, flags)?)?)
}

/// Refuses a file of another format.
fn check_format(path: &Path, found: i64, oldest: i64) -> Result<(), OpenError> {
    let path = path.to_owned();
    match found {
        _ if (oldest..=FORMAT).contains(&found) => Ok(()),
        _ if found > FORMAT => Err(OpenError::Newer { path, found }),
        _ if found >= REBUILT_FROM => Err(OpenError::ToRebuild { path, found }),
        _ => Err(OpenError::Older { path, found }),
    }
}

/// Refuses a file of [`FORMAT`] that lacks a table: what it has would be shown as if it were all.
fn check_tables(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    let missing = || -> Result<Option<&'static str>> {
        if format(connection)? != FORMAT {
            return Ok(None);
        }
        for table in tables() {
            if !has_table(connection, table)? {
                return Ok(Some(table));
            }
        }
        Ok(None)
    };
    let path = path.to_owned();
    match missing() {
        Ok(None) => Ok(()),
        Ok(Some(table)) => Err(OpenError::NoTable { path, table }),
        Err(source) => Err(OpenError::Failed { path, source: once(source) }),
    }
}

/// The tables that each database has, without those that are created with their first row.
fn tables() -> impl Iterator<Item = &'static str> {
    let others = TABLES.split("CREATE TABLE ").skip(1).filter_map(|rest| Some(rest.split_once('(')?.0));
    others.chain(generation::TABLES)
}

/// Creates the tables if they are missing. Tables and application ID are written in one transaction of the rollback
/// journal, before the switch to the write-ahead log, so that [`check_header`] finds the ID in the file itself.
fn prepare_file(connection: &mut Connection) -> Result<()> {
    let application_id = |connection: &Connection| -> rusqlite::Result<i32> {
        connection.pragma_query_value(None, "application_id", |row| row.get(0))
    };
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    // Lets prune return free pages in steps. An existing file needs a VACUUM first.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    if application_id(connection)? != APPLICATION_ID {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if application_id(&transaction)? != APPLICATION_ID {
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            Generation::Live.create(&transaction)?;
            transaction.execute_batch(HOMES_BY_MARKET)?;
            transaction.execute_batch(ROLL_UP_INDICES)?;
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
        }
        transaction.commit()?;
    }
    write_ahead(connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES.cast_signed(), |_| Ok(()))?;
    Ok(())
}

/// Switches to the write-ahead log. SQLite does not wait for other processes here, so two processes that create the
/// same file need several attempts.
fn write_ahead(connection: &Connection) -> Result<()> {
    let mut attempts_left = 100;
    loop {
        match connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0)) {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(mode) => {
                let why = format!("this file system allows only the journal mode {mode}, not WAL");
                return Err(Failure::boxed(FailureKind::Refused, why));
            }
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) && attempts_left > 0 => {
                attempts_left -= 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error.into()),
        }
    }
}
