//! The lake: every observation that the state includes, in the order of the commits, each exactly once.
//!
//! The observations of a commit are lines of JSON in a zstd frame with a checksum. Small frames collect in the table
//! `outbox`. When they reach about a mebibyte, they become a file under `lake/observations/`, which is listed in the
//! table `lake_objects`. Concatenated frames are valid zstd.
//!
//! A file is written during the transaction that lists it. If the process dies in between, the file is an orphan: no
//! table lists it and nobody reads it. Its token was stored in `lake_intents` before, in a separate transaction, and
//! the next process that opens the database removes the file. After the commit the file is sealed: made read-only. No
//! sealed file is removed, and no other without an intent, so that a copy of a database, however old, does not damage the
//! files of the original (ADR 0073). [`Database::unknown_files`] lists them.

mod flush;
mod intents;
mod sealed;
#[cfg(test)]
mod tests;
mod unknown;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use stoop_domain::{Day, Time};
use stoop_pipeline::ports::PortError;

use crate::database::Database;
use crate::error::{Result, at, doing};
use crate::files::write_whole;
use crate::frames::{HeldObservations, each_line};

pub(crate) use intents::{Intent, forget, intend, remove_orphans};
pub(crate) use sealed::{seal, seal_committed, seal_named};
pub use unknown::LakeFile;

/// The compressed size at which a file is written. Object stores and readers prefer files of at least this size.
const OBJECT_BYTES: usize = 1 << 20;
const FOLDER: &str = "lake/observations";

/// A file of the lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LakeObject {
    /// The number of observations before it.
    pub seq: u64,
    /// The path within the data folder, with `/`.
    pub path: String,
    /// The number of observations.
    pub rows: u64,
    /// The compressed size.
    pub bytes: u64,
    /// The time of the oldest observation.
    pub first_at: Time,
    /// The time of the newest observation.
    pub last_at: Time,
}

impl Database {
    /// Passes every observation of the lake to `visit`, as one line of JSON without a line break, in the order of the
    /// commits. Includes what was committed when this was called. Takes memory for one line and the outbox, and blocks
    /// nobody.
    ///
    /// # Errors
    /// If the lake cannot be read, or if `visit` returns an error.
    pub fn observations<E: From<PortError>>(&self, mut visit: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.observations_of(|_| true, |_, line| visit(line))
    }

    /// Like [`Database::observations`], but only of those files that `takes` accepts, and of the outbox. `visit` also
    /// gets the file of each line, which is `None` for the outbox.
    ///
    /// # Errors
    /// If the lake cannot be read, or if `visit` returns an error.
    pub fn observations_of<E: From<PortError>>(
        &self,
        mut takes: impl FnMut(&LakeObject) -> bool,
        mut visit: impl FnMut(Option<&LakeObject>, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (objects, outbox) = self.lake_now().map_err(self.doing("read the list of lake objects"))?;
        for object in objects.iter().filter(|object| takes(object)) {
            let path = self.data().join(&object.path);
            let file = File::open(&path).map_err(|e| doing("read the lake")(at("open", &path)(e)))?;
            each_line(file, &path, &mut |line| visit(Some(object), line))?;
        }
        for (seq, frame) in outbox {
            let row = format!("{}, table outbox, row {seq}", self.path().display());
            each_line(frame.as_slice(), Path::new(&row), &mut |line| visit(None, line))?;
        }
        Ok(())
    }

    /// The files of the lake, in the order of the commits.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn lake_objects(&self) -> Result<Vec<LakeObject>, PortError> {
        objects(&self.lock().connection).map_err(self.doing("read the list of lake objects"))
    }

    /// An identifier of the content of the lake. It changes when something is added.
    ///
    /// # Errors
    /// If the list of its parts cannot be read.
    pub fn lake_name(&self) -> Result<String, PortError> {
        let sql = "SELECT path, rows, bytes FROM lake_objects UNION ALL
                   SELECT CAST(seq AS TEXT), rows, length(body) FROM outbox ORDER BY 1";
        let parts = self.rows(sql, [], |row| {
            Ok(format!("{} {} {}\n", row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
        });
        let parts = parts.map_err(self.doing("read the list of lake objects"))?;
        Ok(blake3::hash(parts.concat().as_bytes()).to_hex().to_string())
    }

    /// The hash of the first observation, which never changes. `None` if there is none.
    pub(crate) fn first_observation(&self) -> Result<Option<String>, PortError> {
        /// Ends the reading.
        enum End {
            Found(String),
            Failed(PortError),
        }
        impl From<PortError> for End {
            fn from(error: PortError) -> Self {
                Self::Failed(error)
            }
        }
        match self.observations(|line| Err(End::Found(blake3::hash(line).to_hex().to_string()))) {
            Ok(()) => Ok(None),
            Err(End::Found(hash)) => Ok(Some(hash)),
            Err(End::Failed(error)) => Err(error),
        }
    }

    /// The number of observations in the lake according to the tables.
    pub(crate) fn lake_count(&self) -> Result<i64, PortError> {
        let sql =
            "SELECT (SELECT coalesce(sum(rows), 0) FROM lake_objects) + (SELECT coalesce(sum(rows), 0) FROM outbox)";
        let count =
            self.rows(sql, [], |row| Ok(row.get(0)?)).map_err(self.doing("count the observations of the lake"))?;
        Ok(count.first().copied().unwrap_or(0))
    }

    /// Files and outbox as of one moment.
    fn lake_now(&self) -> Result<(Vec<LakeObject>, Vec<Frame>)> {
        let mut inner = self.lock();
        // A savepoint is a transaction of its own, or a part of an open one (`Database::reading`).
        let transaction = inner.connection.savepoint()?;
        let objects = objects(&transaction)?;
        let mut statement = transaction.prepare_cached("SELECT seq, body FROM outbox ORDER BY seq")?;
        let outbox = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        Ok((objects, outbox))
    }
}

fn objects(connection: &Connection) -> Result<Vec<LakeObject>> {
    let sql = "SELECT seq, path, rows, bytes, first_at, last_at FROM lake_objects ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(LakeObject {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            path: row.get(1)?,
            rows: row.get::<_, i64>(2)?.cast_unsigned(),
            bytes: row.get::<_, i64>(3)?.cast_unsigned(),
            first_at: Time::from_ms(row.get(4)?),
            last_at: Time::from_ms(row.get(5)?),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A frame of the outbox: its number and its bytes.
type Frame = (i64, Vec<u8>);

/// Puts frames into the outbox or, with an intent, writes the outbox and the frames to a file. Returns `false` if
/// another process opened the database in between and removed the intent as an orphan.
pub(crate) fn append(
    transaction: &Transaction<'_>,
    data: &Path,
    held: &HeldObservations,
    intent: Option<&Intent>,
) -> Result<bool> {
    let seq: i64 = transaction.prepare_cached("SELECT lake_rows FROM totals")?.query_row([], |row| row.get(0))?;
    let waiting = if let Some(intent) = intent {
        if !intent.redeem(transaction)? {
            return Ok(false);
        }
        write_object(transaction, data, held, seq, intent)?;
        0
    } else {
        let sql = "INSERT INTO outbox(seq, rows, first_at, last_at, body) VALUES(?1, ?2, ?3, ?4, ?5)";
        transaction.prepare_cached(sql)?.execute(params![
            seq,
            held.rows,
            held.first_at,
            held.last_at,
            held.frames.iter().flatten().copied().collect::<Vec<u8>>()
        ])?;
        i64::try_from(held.bytes)?
    };
    let sql = "UPDATE totals SET lake_rows = lake_rows + ?1, newest = max(coalesce(newest, ?2), ?2),
               outbox_bytes = iif(?3 = 0, 0, outbox_bytes + ?3)";
    transaction.prepare_cached(sql)?.execute(params![held.rows, held.last_at, waiting])?;
    Ok(true)
}

fn write_object(
    transaction: &Transaction<'_>,
    data: &Path,
    held: &HeldObservations,
    seq: i64,
    Intent(token): &Intent,
) -> Result<()> {
    let (mut first, mut rows) = (seq, held.rows);
    let (mut first_at, mut last_at) =
        if held.is_empty() { (i64::MAX, i64::MIN) } else { (held.first_at, held.last_at) };
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    {
        let sql = "SELECT seq, rows, first_at, last_at, body FROM outbox ORDER BY seq";
        let mut statement = transaction.prepare_cached(sql)?;
        let mut waiting = statement.query([])?;
        while let Some(row) = waiting.next()? {
            first = first.min(row.get(0)?);
            rows += row.get::<_, i64>(1)?;
            first_at = first_at.min(row.get(2)?);
            last_at = last_at.max(row.get(3)?);
            bodies.push(row.get(4)?);
        }
    }
    let day = Day(i32::try_from(last_at.div_euclid(Time::DAY_MS))?);
    let path = format!("{FOLDER}/dt={day}/{first:012}-{rows}-{token}.jsonl.zst");
    let mut parts: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
    parts.extend(held.frames.iter().map(Vec::as_slice));
    write_whole(&data.join(&path), &parts)?;
    let bytes = i64::try_from(parts.iter().map(|part| part.len()).sum::<usize>())?;
    let sql = "INSERT INTO lake_objects(seq, path, rows, bytes, first_at, last_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
    transaction.prepare_cached(sql)?.execute(params![first, path, rows, bytes, first_at, last_at])?;
    if !bodies.is_empty() {
        transaction.prepare_cached("DELETE FROM outbox")?.execute([])?;
    }
    Ok(())
}

/// The newest file of the lake, if it is missing.
pub(crate) fn missing_object(connection: &Connection, data: &Path) -> Result<Option<PathBuf>> {
    let sql = "SELECT path FROM lake_objects ORDER BY seq DESC LIMIT 1";
    let newest: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(newest.map(|path| data.join(path)).filter(|path| !path.exists()))
}
