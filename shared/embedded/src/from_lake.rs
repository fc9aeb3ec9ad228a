//! A database of a lake alone: its files are named again, and homes and markets are computed from them (ADR 0073).

mod chain;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::TransactionBehavior;
use rusqlite::params;
use rustc_hash::FxHashSet;
use stoop_domain::Observation;
use stoop_pipeline::ports::{FailureKind, PortError};

use crate::backup::free_path;
use crate::database::Database;
use crate::error::{BoxError, CopyError, Result, at, doing};
use crate::failure::Failure;
use crate::files::{lock_file, make_folder, sync_folder, with_suffix};
use crate::frames::{self, HeldObservations, LineError};
use crate::lake::{self, LakeFile};
use chain::Chain;

/// What was found in the lake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FromLake {
    /// Files that are named again.
    pub files: u64,
    /// Observations in the database.
    pub observations: u64,
    /// Observations of files that are missing, according to the names of those after them.
    pub missing: u64,
    /// Files that repeat the observations of others: of a killed write, or of a second database. What only they had is in the
    /// database. They are moved from `lake/observations` to `lake/aside`.
    pub aside: Vec<String>,
}

/// A database that is being computed from a lake. It gets its name with [`LakeRebuild::finish`].
pub struct LakeRebuild {
    database: Arc<Database>,
    path: PathBuf,
    found: FromLake,
    /// Keeps other processes from doing the same.
    _claim: File,
}

/// What is added to the name of the database until it is complete.
const PART: &str = ".from-lake";
const LOCK: &str = "from-lake.lock";
const ASIDE: &str = "lake/aside";

/// Observations that are compressed at a time.
const HELD: usize = 4_096;

impl LakeRebuild {
    /// Names the files in the lake of the data folder and computes homes, markets and wide areas. `program` names this program.
    /// Reads each file twice, and takes as much memory as [`Database::rebuild`].
    ///
    /// If the process dies before the database has its name, only a file with `.from-lake` in its name is left, which the next
    /// call replaces.
    ///
    /// # Errors
    /// [`CopyError::Refused`] if the database exists, there is no lake, or another process does the same. Otherwise if a file
    /// of the lake cannot be read, if something cannot be stored, or if `stop`, which is called regularly, returns true.
    pub fn begin(path: &Path, data: &Path, program: &str, stop: &dyn Fn() -> bool) -> Result<Self, CopyError> {
        let path = free_path(path)?;
        let what = || format!("rebuild {} from the lake in {}", path.display(), data.display());
        let files = LakeFile::all(data).map_err(doing(what()))?;
        if files.is_empty() {
            return Err(CopyError::Refused(format!("there is no lake in {}", data.display())));
        }
        let _claim = claim(data).map_err(doing(what()))?.ok_or_else(|| {
            CopyError::Refused(format!("another process rebuilds a database from the lake in {}", data.display()))
        })?;
        let part = with_suffix(&path, PART);
        remove_part(&part).map_err(doing(what()))?;
        let chain = Chain::of(files, |file| file.is_sealed(data));
        let database = Database::open(&part, data).map_err(doing(what()))?;
        let mut rebuild = Self { database, path: path.clone(), found: FromLake::default(), _claim };
        let begun = rebuild.name_files(&chain, stop).map_err(doing(what())).and_then(|()| {
            rebuild.database.rebuild(program, stop)?;
            rebuild.database.swap()?;
            rebuild.database.forget_generations().map(drop)
        });
        match begun {
            Ok(()) => Ok(rebuild),
            Err(error) => {
                rebuild.give_up();
                Err(error.into())
            }
        }
    }

    /// The database, in which alerts may be recorded. They are not sent.
    #[must_use]
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Removes the database. If that fails, its name says that it is incomplete.
    pub fn give_up(self) {
        let part = self.database.path().to_owned();
        drop(self.database);
        drop(remove_part(&part));
    }

    /// Gives the database its name. Nobody else may use it yet.
    ///
    /// # Errors
    /// If that fails, or the database exists by now.
    pub fn finish(self) -> Result<FromLake, PortError> {
        let Self { database, path, found, _claim } = self;
        let finish = || -> Result<FromLake> {
            // Subscribers have had the alerts of the past.
            let sql = "UPDATE followers SET seq = (SELECT coalesce(max(seq), 0) FROM alerts)";
            database.lock().connection.execute(sql, [])?;
            database.flush()?;
            database.lock().connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
            let data = database.data().to_owned();
            let part = with_suffix(&path, PART);
            drop(database);
            put_aside(&data, &found.aside)?;
            free_path(&path)?;
            fs::rename(&part, &path).map_err(at("rename a file to", &path))?;
            let folder = path.parent().unwrap_or(Path::new("."));
            sync_folder(folder).map_err(at("sync the folder", folder))?;
            Ok(found)
        };
        finish().map_err(doing(format!("put {} in place", path.display())))
    }

    /// Names the files of the chain, and stores what only the others have.
    fn name_files(&mut self, chain: &Chain, stop: &dyn Fn() -> bool) -> Result<()> {
        let data = self.database.data();
        let mut only_aside = FxHashSet::default();
        for file in &chain.aside {
            each_line(data, file, stop, |line, _| {
                only_aside.insert(hash(line));
                Ok(())
            })?;
        }
        let mut seq = 0;
        for file in &chain.files {
            let (mut rows, mut first_at, mut last_at) = (0_i64, i64::MAX, i64::MIN);
            each_line(data, file, stop, |line, observation| {
                only_aside.remove(&hash(line));
                let at = observation.at.ms();
                (rows, first_at, last_at) = (rows + 1, first_at.min(at), last_at.max(at));
                Ok(())
            })?;
            if rows.cast_unsigned() != file.rows {
                let path = file.on_disk(data);
                return Err(format!("{} has {rows} observations, and {} by its name", path.display(), file.rows).into());
            }
            let bytes = fs::metadata(file.on_disk(data)).map_err(at("inspect", &file.on_disk(data)))?.len();
            let sql =
                "INSERT INTO lake_objects(seq, path, rows, bytes, first_at, last_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
            let row = params![seq, file.path, rows, i64::try_from(bytes)?, first_at, last_at];
            self.database.lock().connection.prepare_cached(sql)?.execute(row)?;
            seq += rows;
        }
        self.database.lock().connection.execute("UPDATE totals SET lake_rows = ?1", [seq])?;
        for file in &chain.aside {
            self.take_rest(file, &mut only_aside, stop)?;
        }
        self.found = FromLake {
            files: chain.files.len() as u64,
            observations: u64::try_from(self.database.lake_count()?)?,
            missing: chain.missing,
            aside: chain.aside.iter().map(|file| file.path.clone()).collect(),
        };
        Ok(())
    }

    /// Stores the observations of a file that no other has.
    fn take_rest(&self, file: &LakeFile, rest: &mut FxHashSet<[u8; 16]>, stop: &dyn Fn() -> bool) -> Result<()> {
        let mut waiting: Vec<Observation> = Vec::new();
        each_line(self.database.data(), file, stop, |line, observation| {
            if rest.remove(&hash(line)) {
                waiting.push(observation);
            }
            if waiting.len() == HELD {
                self.append(&std::mem::take(&mut waiting))?;
            }
            Ok(())
        })?;
        self.append(&waiting)
    }

    fn append(&self, observations: &[Observation]) -> Result<()> {
        let mut inner = self.database.lock();
        let mut held = HeldObservations::default();
        inner.frame.hold(&mut held, &observations.iter().collect::<Vec<_>>())?;
        inner.frame.compress(&mut held)?;
        if held.is_empty() {
            return Ok(());
        }
        let connection = &mut inner.connection;
        let intent = lake::intend(connection, &held)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !lake::append(&transaction, self.database.data(), &held, intent.as_ref())? {
            return Err(Failure::boxed(FailureKind::Unavailable, "another process opened the database"));
        }
        transaction.commit()?;
        lake::seal_committed(connection, self.database.data());
        Ok(())
    }
}

/// Passes each observation of a file to `visit`, with its line.
fn each_line(
    data: &Path,
    file: &LakeFile,
    stop: &dyn Fn() -> bool,
    mut visit: impl FnMut(&[u8], Observation) -> Result<()>,
) -> Result<()> {
    if stop() {
        return Err(Failure::stopped());
    }
    let path = file.on_disk(data);
    let mut number = 0_u64;
    let opened = File::open(&path).map_err(at("open", &path))?;
    let read = frames::each_line(opened, &path, &mut |line| -> Result<(), LineError> {
        number += 1;
        let observation = stoop_wire::decode(line)
            .map_err(|error| BoxError::from(format!("{}, line {number}: {error}", path.display())))?;
        Ok(visit(line, observation)?)
    });
    read.map_err(|LineError(error)| error)
}

/// 128 bits: that two different lines have the same is not to be expected.
fn hash(line: &[u8]) -> [u8; 16] {
    crate::store::hash(&[line])
}

fn claim(data: &Path) -> Result<Option<File>> {
    make_folder(data).map_err(at("make", data))?;
    Ok(lock_file(&data.join(LOCK))?)
}

/// Removes what a killed process left.
fn remove_part(part: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let path = with_suffix(part, suffix);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at("remove", &path)(error).into()),
            _ => {}
        }
    }
    Ok(())
}

fn put_aside(data: &Path, files: &[String]) -> Result<()> {
    let aside = data.join(ASIDE);
    for path in files {
        make_folder(&aside).map_err(at("make", &aside))?;
        let from = data.join(path);
        let to = aside.join(from.file_name().unwrap_or_default());
        fs::rename(&from, &to).map_err(at("move aside", &from))?;
    }
    Ok(())
}
