//! Removes what is not kept forever: raw pages, runs, rejects, and free space of SQLite.
//!
//! The lake, homes, markets with their archives, alerts, and the indexes of searches are never touched. Neither are
//! runs in progress and runs with a scan that is still to be continued.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};
use stoop_domain::Time;
use stoop_pipeline::ports::{IndexManifest, PortError};

use crate::database::{Database, file_bytes};
use crate::error::{Result, at};
use crate::page_folder::PageFolder;
use crate::run_totals::keep_run_totals;

/// How long and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Raw pages: milliseconds since the beginning of their run.
    pub raw_pages_ms: i64,
    /// Raw pages: maximum number of bytes. The oldest are removed first.
    pub raw_pages_bytes: u64,
    /// Runs: milliseconds since their beginning. Their raw pages are removed with them.
    pub runs_ms: i64,
    /// Rejects: milliseconds since they were refused.
    pub quarantine_ms: i64,
    /// Rejects: maximum number. The oldest are removed first.
    pub quarantine_rows: u64,
    /// Maximum number of free bytes in the file.
    pub free_bytes: u64,
}

impl Default for Keep {
    /// The defaults of a stack on AWS, with limits for a laptop.
    fn default() -> Self {
        Self {
            raw_pages_ms: 30 * Time::DAY_MS,
            raw_pages_bytes: 10_000_000_000,
            runs_ms: 90 * Time::DAY_MS,
            quarantine_ms: 180 * Time::DAY_MS,
            quarantine_rows: 100_000,
            free_bytes: 256_000_000,
        }
    }
}

/// What was removed, or would be in a dry run, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs whose raw pages were removed.
    pub raw_runs: u64,
    /// Bytes of those pages.
    pub raw_bytes: u64,
    /// Runs removed from the ledger.
    pub runs: u64,
    /// Rejects removed from the quarantine.
    pub rejects: u64,
    /// Bytes by which the database file and its log shrank.
    pub given_back_bytes: u64,
    /// Bytes of raw pages that are left.
    pub raw_bytes_left: u64,
    /// Runs that are left.
    pub runs_left: u64,
    /// Rejects that are left.
    pub rejects_left: u64,
    /// Free bytes left in the file.
    pub free_bytes_left: u64,
    /// Folders of raw pages whose run is not in this database. They may belong to another database and are not removed.
    pub unknown_folders: u64,
    /// Whether free space was kept because another process has the file open.
    pub in_use: bool,
}

impl Pruned {
    /// Whether anything was removed.
    #[must_use]
    pub fn any(&self) -> bool {
        self.raw_runs + self.runs + self.rejects + self.given_back_bytes > 0
    }
}

/// Options of [`Database::prune`].
#[derive(Clone, Copy)]
pub struct Pruning<'a> {
    pub keep: Keep,
    /// The current time.
    pub now: Time,
    /// Only counts what would be removed.
    pub dry_run: bool,
    /// Also rewrites a file whose format cannot return free space in steps. This blocks all other users for a while.
    pub rewrite: bool,
    /// Returns whether to stop soon.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Rows removed, or pages returned, per transaction.
const STEP: u64 = 1_000;

/// A run with raw pages.
struct RawRun {
    folder: PathBuf,
    began_at: i64,
    bytes: u64,
}

impl Database {
    /// Removes what need not be kept any more, in small steps that block nobody. If it ends early or is killed, the
    /// next call continues.
    ///
    /// # Errors
    /// If something cannot be inspected or removed.
    pub fn prune(&self, pruning: Pruning<'_>) -> Result<Pruned, PortError> {
        let mut pruned = Pruned::default();
        let run = |what: &str, outcome: Result<()>| outcome.map_err(self.doing(what));
        run("prune raw pages", self.prune_pages(pruning, &mut pruned))?;
        run("prune runs", self.prune_runs(pruning, &mut pruned))?;
        run("prune the quarantine", self.prune_quarantine(pruning, &mut pruned))?;
        run("return free space", self.give_back(pruning, &mut pruned))?;
        Ok(pruned)
    }

    fn prune_pages(&self, pruning: Pruning<'_>, pruned: &mut Pruned) -> Result<()> {
        let keep = pruning.keep;
        let mut raw = self.raw_runs(pruned)?;
        let oldest = pruning.now.ms().saturating_sub(keep.raw_pages_ms.min(keep.runs_ms));
        let mut left: u64 = raw.iter().map(|run| run.bytes).sum();
        raw.sort_by_key(|run| run.began_at);
        for run in raw {
            if run.began_at >= oldest && left <= keep.raw_pages_bytes || (pruning.stop)() {
                break;
            }
            if !pruning.dry_run {
                remove_pages(&run.folder)?;
            }
            left -= run.bytes;
            pruned.raw_runs += 1;
            pruned.raw_bytes += run.bytes;
        }
        pruned.raw_bytes_left += left;
        Ok(())
    }

    /// The runs with raw pages that may be pruned. Other runs are counted as left.
    fn raw_runs(&self, pruned: &mut Pruned) -> Result<Vec<RawRun>> {
        let pages = PageFolder::new(self.data());
        let mut folders: HashMap<PathBuf, u64> = HashMap::new();
        for entry in entries(pages.folder())? {
            if entry.file_type()?.is_dir() {
                folders.insert(entry.path(), bytes_in(&entry.path())?);
            }
        }
        if folders.is_empty() {
            return Ok(Vec::new());
        }
        let needed = self.needed()?;
        // A run of a dead process is closed by the next process.
        let sql = "SELECT id, began_at, process IS NULL FROM runs";
        let runs =
            self.rows(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?)))?;
        let mut found = Vec::new();
        for (id, began_at, has_ended) in runs {
            let Ok(folder) = pages.path_of(&id) else { continue };
            let Some(bytes) = folders.remove(&folder) else { continue };
            if has_ended && !needed.contains(&id) {
                found.push(RawRun { folder, began_at, bytes });
            } else {
                pruned.raw_bytes_left += bytes;
            }
        }
        pruned.unknown_folders = folders.len() as u64;
        pruned.raw_bytes_left += folders.values().sum::<u64>();
        Ok(found)
    }

    /// The runs with a scan that is still to be continued.
    fn needed(&self) -> Result<HashSet<String>> {
        let states = self.rows("SELECT body FROM searches", [], |row| {
            let manifest = IndexManifest::decode(row.get_ref(0)?.as_blob()?)?;
            Ok(manifest.state().checkpoint.as_ref().map(|checkpoint| checkpoint.run.clone()))
        })?;
        Ok(states.into_iter().flatten().collect())
    }

    fn prune_runs(&self, pruning: Pruning<'_>, pruned: &mut Pruned) -> Result<()> {
        let needed = self.needed()?;
        let oldest = pruning.now.ms().saturating_sub(pruning.keep.runs_ms);
        let sql = "SELECT id FROM runs WHERE began_at < ?1 AND process IS NULL ORDER BY began_at";
        let mut old = self.rows(sql, [oldest], |row| Ok(row.get::<_, String>(0)?))?;
        old.retain(|id| !needed.contains(id));
        pruned.runs = old.len() as u64;
        if !pruning.dry_run {
            pruned.runs = 0;
            for step in old.chunks(usize::try_from(STEP)?) {
                if (pruning.stop)() {
                    break;
                }
                let removed: Result<u64> = self.write(|connection| {
                    keep_run_totals(connection)?;
                    let mut statement = connection.prepare_cached("DELETE FROM runs WHERE id = ?1")?;
                    step.iter().map(|id| Ok(statement.execute([id])? as u64)).sum()
                });
                pruned.runs += removed?;
            }
        }
        pruned.runs_left = self.number("SELECT count(*) FROM runs")? - if pruning.dry_run { pruned.runs } else { 0 };
        Ok(())
    }

    fn prune_quarantine(&self, pruning: Pruning<'_>, pruned: &mut Pruned) -> Result<()> {
        let oldest = pruning.now.ms().saturating_sub(pruning.keep.quarantine_ms);
        let all = self.number("SELECT count(*) FROM quarantine")?;
        let old =
            self.rows("SELECT count(*) FROM quarantine WHERE at < ?1", [oldest], |row| Ok(row.get::<_, i64>(0)?))?;
        let old = old.first().copied().unwrap_or(0).cast_unsigned();
        let too_many = (all - old).saturating_sub(pruning.keep.quarantine_rows);
        if pruning.dry_run {
            pruned.rejects = old + too_many;
        } else {
            let of_age = "DELETE FROM quarantine WHERE rowid IN (SELECT rowid FROM quarantine WHERE at < ?1 LIMIT ?2)";
            pruned.rejects += self.in_steps(old, pruning, |connection, step| {
                Ok(connection.prepare_cached(of_age)?.execute(params![oldest, step.cast_signed()])? as u64)
            })?;
            let first =
                "DELETE FROM quarantine WHERE rowid IN (SELECT rowid FROM quarantine ORDER BY at, rowid LIMIT ?1)";
            pruned.rejects += self.in_steps(too_many, pruning, |connection, step| {
                Ok(connection.prepare_cached(first)?.execute([step.cast_signed()])? as u64)
            })?;
        }
        pruned.rejects_left = all - pruned.rejects;
        Ok(())
    }

    /// Returns free space of the file to the disk and truncates the write-ahead log.
    fn give_back(&self, pruning: Pruning<'_>, pruned: &mut Pruned) -> Result<()> {
        let page = self.number("SELECT page_size FROM pragma_page_size")?;
        let free = |database: &Self| -> Result<u64> {
            Ok(database.number("SELECT freelist_count FROM pragma_freelist_count")? * page)
        };
        let before = self.disk_bytes();
        let too_much = free(self)?.saturating_sub(pruning.keep.free_bytes);
        if pruning.dry_run {
            pruned.given_back_bytes = too_much;
            pruned.free_bytes_left = free(self)? - too_much;
            return Ok(());
        }
        if too_much > 0 {
            // 0: an earlier version created the file, which cannot return space in steps.
            if self.number("SELECT auto_vacuum FROM pragma_auto_vacuum")? != 0 {
                self.in_steps(too_much.div_ceil(page), pruning, |connection, step| {
                    // Returns a row per page, and advances only as rows are read.
                    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({step})"))?;
                    let mut pages = statement.query([])?;
                    while pages.next()?.is_some() {}
                    Ok(step)
                })?;
            } else if pruning.rewrite {
                pruned.in_use = !done(self.lock().connection.execute_batch("VACUUM"))?;
            }
        }
        if pruning.rewrite {
            let shorten = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
            let busy = self.lock().connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], shorten)?;
            pruned.in_use |= busy != 0;
        }
        pruned.given_back_bytes = before.saturating_sub(self.disk_bytes());
        pruned.free_bytes_left = free(self)?;
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        let mut log = self.path().as_os_str().to_owned();
        log.push("-wal");
        file_bytes(self.path()) + file_bytes(Path::new(&log))
    }

    fn number(&self, sql: &str) -> Result<u64> {
        let found = self.rows(sql, [], |row| Ok(row.get::<_, i64>(0)?))?;
        Ok(found.first().copied().unwrap_or(0).cast_unsigned())
    }

    /// Processes `number` items in steps of one transaction each, until `stop` returns true.
    fn in_steps(
        &self,
        number: u64,
        pruning: Pruning<'_>,
        mut act: impl FnMut(&Connection, u64) -> Result<u64>,
    ) -> Result<u64> {
        let mut left = number;
        let mut done = 0;
        while left > 0 && !(pruning.stop)() {
            let step = left.min(STEP);
            done += self.write(|connection| act(connection, step))?;
            left -= step;
        }
        Ok(done)
    }

    fn write<T>(&self, act: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let mut inner = self.lock();
        let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = act(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }
}

/// Whether it succeeded. `false` if another process blocks it.
fn done(outcome: rusqlite::Result<()>) -> Result<bool> {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.sqlite_error_code(), Some(DatabaseBusy | DatabaseLocked)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The entries of a folder. Empty if it does not exist.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.collect::<std::io::Result<_>>().map_err(at("read", folder))?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(at("read", folder)(error).into()),
    }
}

fn bytes_in(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in entries(folder)? {
        match entry.metadata() {
            Ok(metadata) => bytes += metadata.len(),
            // Another process prunes, too.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(at("inspect", &entry.path())(error).into()),
        }
    }
    Ok(bytes)
}

/// Removes the pages of a run and its folder. Other files are kept, and the folder with them.
fn remove_pages(folder: &Path) -> Result<()> {
    let gone = |outcome: std::io::Result<()>, path: &Path| -> Result<()> {
        match outcome {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(at("remove", path)(error).into()),
            _ => Ok(()),
        }
    };
    for entry in entries(folder)? {
        let path = entry.path();
        let ours = path.extension().is_some_and(|extension| extension == "zst" || extension == "tmp");
        if ours && entry.file_type().map_err(at("inspect", &path))?.is_file() {
            gone(fs::remove_file(&path), &path)?;
        }
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        outcome => gone(outcome, folder),
    }
}
