//! Backups: the database of one moment, the files of the lake that it names, and its part of `alerts.jsonl` (ADR 0073).
//!
//! ```text
//! backup.json               names all of it, with sizes and hashes; written last
//! database/1768003200000.db
//! alerts/1768003200000.jsonl
//! lake/observations/...     as in the data folder; never written twice
//! ```

mod copies;
mod manifest;
mod restore;

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;

use crate::alert_file;
use crate::database::Database;
use crate::error::{CopyError, Result, at, doing};
use crate::failure::Failure;
use crate::files::{lock_file, make_file, make_folder};
use copies::{Copied, copy, copy_beginning, hash_of};
use manifest::Manifest;
pub use restore::Restored;
pub(crate) use restore::free_path;

/// What a backup has, and what of it is new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Observations.
    pub observations: u64,
    /// Homes.
    pub homes: u64,
    /// Alerts that were sent.
    pub alerts: u64,
    /// Files of the lake.
    pub files: u64,
    /// Files of the lake that were copied; the others were there.
    pub files_copied: u64,
    /// The size of the backup.
    pub bytes: u64,
    /// Bytes that were copied.
    pub bytes_copied: u64,
}

/// Pages of the database that are copied before `stop` is called again: 8 MiB.
const PAGES: i32 = 1_024;

/// How long to wait when the file is locked.
const LOCKED: Duration = Duration::from_millis(20);

const DATABASES: &str = "database";
const ALERTS: &str = "alerts";
const LOCK: &str = "backup.lock";

impl Database {
    /// Makes a backup in the folder `to`, which is created, or brings the one there up to date: files of the lake that it has
    /// are not copied again. Others may write meanwhile; the backup is of one moment. The former one in the folder stays
    /// whole until the new one is, wherever the process dies. `now` names it.
    ///
    /// Raw pages are not part of it.
    ///
    /// # Errors
    /// [`CopyError::Refused`] if the folder is the data folder, has the backup of another database or of a newer state, or
    /// another process writes to it. Otherwise if something cannot be read or written, or if `stop`, which is called
    /// regularly, returns true.
    pub fn backup(&self, to: &Path, now: Time, stop: &dyn Fn() -> bool) -> Result<BackedUp, CopyError> {
        let what = || format!("back up {} to {}", self.path().display(), to.display());
        make_folder(to).map_err(at("make", to)).map_err(doing(what()))?;
        let is_same =
            |one: &Path| fs::canonicalize(one).ok().zip(fs::canonicalize(to).ok()).is_some_and(|(a, b)| a == b);
        if is_same(self.data()) {
            return Err(CopyError::Refused(format!("{} is the data folder itself; name another one", to.display())));
        }
        let _claim = claim(to)?;
        let before = Manifest::read(to)?;
        sweep(to, before.as_ref()).map_err(doing(what()))?;
        let number = (now.ms()..).find(|number| !to.join(database_name(*number)).exists()).unwrap_or(now.ms());
        let name = database_name(number);
        self.copy_pages(&to.join(&name), stop)?;
        let made = self.complete(to, &name, number, before.as_ref(), stop);
        // A copy that is not named is of no use. If removing it fails, the next backup does it.
        match &made {
            Ok(_) => drop(sweep(to, Manifest::read(to)?.as_ref())),
            Err(_) => drop(fs::remove_file(to.join(&name))),
        }
        made
    }

    /// Copies the database as of one moment.
    fn copy_pages(&self, to: &Path, stop: &dyn Fn() -> bool) -> Result<(), PortError> {
        if let Some(folder) = to.parent() {
            make_folder(folder).map_err(at("make", folder)).map_err(doing("copy the database"))?;
        }
        make_file(to).map_err(at("make", to)).map_err(doing("copy the database"))?;
        self.reading(|| {
            let copy = || -> Result<()> {
                let inner = self.lock();
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let mut copied = Connection::open_with_flags(to, flags)?;
                // Half a copy is of no use, so it needs no journal. It is synced as a whole.
                copied.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
                copied.pragma_update(None, "synchronous", "OFF")?;
                let backup = Backup::new(&inner.connection, &mut copied)?;
                loop {
                    match backup.step(PAGES)? {
                        StepResult::Done => break,
                        StepResult::Busy | StepResult::Locked => std::thread::sleep(LOCKED),
                        _ => {}
                    }
                    if stop() {
                        return Err(Failure::stopped());
                    }
                }
                drop(backup);
                copied.close().map_err(|(_, error)| error)?;
                File::open(to).and_then(|file| file.sync_all()).map_err(at("sync", to))?;
                Ok(())
            };
            copy().map_err(self.doing(format!("copy the database to {}", to.display())))
        })
    }

    /// Adds what the copied database names, and then the manifest.
    fn complete(
        &self,
        to: &Path,
        name: &str,
        number: i64,
        before: Option<&Manifest>,
        stop: &dyn Fn() -> bool,
    ) -> Result<BackedUp, CopyError> {
        let copied = Self::open_copy(&to.join(name), self.data()).map_err(self.doing("read the copy"))?;
        let counts = copied.counts()?;
        let begins = copied.first_observation()?;
        if let Some(before) = before {
            before.refuse_another(to, counts.observations, begins.as_deref(), &copied.lake_objects()?)?;
        }
        let mut made = BackedUp {
            observations: counts.observations,
            homes: counts.homes,
            alerts: counts.alerts,
            ..BackedUp::default()
        };
        let what = || format!("copy the lake to {}", to.display());
        let known: HashMap<&str, &Copied> =
            before.iter().flat_map(|before| &before.lake).map(|file| (file.path.as_str(), file)).collect();
        let mut lake = Vec::new();
        for object in copied.lake_objects()? {
            if stop() {
                return Err(doing(what())(Failure::stopped()).into());
            }
            let there = to.join(&object.path);
            let is_there = fs::metadata(&there).is_ok_and(|metadata| metadata.len() == object.bytes);
            let file = match known.get(object.path.as_str()).filter(|file| file.bytes == object.bytes) {
                Some(file) if is_there => (*file).clone(),
                // A killed backup left it, whole.
                None if is_there => hash_of(to, &object.path).map_err(doing(what()))?,
                _ => {
                    let file = copy(self.data(), to, &object.path).map_err(doing(what()))?;
                    made.files_copied += 1;
                    made.bytes_copied += file.bytes;
                    file
                }
            };
            if file.bytes != object.bytes {
                let why = format!(
                    "the lake's file {} has {} bytes, and {} by the table; see `stoop verify`",
                    object.path, file.bytes, object.bytes
                );
                return Err(PortError::damaged(what(), why).into());
            }
            made.files += 1;
            made.bytes += file.bytes;
            lake.push(file);
        }
        let what = || format!("complete the backup in {}", to.display());
        let alerts = match copied.place_of(alert_file::NAME)? {
            Some((_, Some(bytes))) if bytes > 0 => {
                let file = self.data().join(alert_file::NAME);
                copy_beginning(&file, bytes, to, &format!("{ALERTS}/{number}.jsonl")).map_err(doing(what()))?
            }
            _ => None,
        };
        drop(copied);
        let database = hash_of(to, name).map_err(doing(what()))?;
        let single = database.bytes + alerts.as_ref().map_or(0, |file| file.bytes);
        made.bytes += single;
        made.bytes_copied += single;
        let manifest = Manifest::new(number, &made, begins, database, alerts, lake);
        manifest.write(to).map_err(doing(what()))?;
        Ok(made)
    }
}

fn database_name(number: i64) -> String {
    format!("{DATABASES}/{number}.db")
}

/// Keeps other processes from writing to the same backup, until it is dropped or the process ends.
fn claim(to: &Path) -> Result<File, CopyError> {
    let file = lock_file(&to.join(LOCK)).map_err(doing(format!("back up to {}", to.display())))?;
    file.ok_or_else(|| CopyError::Refused(format!("another process backs up to {} now", to.display())))
}

/// Removes the copies of databases and alerts that the manifest does not name. Files of the lake stay.
fn sweep(to: &Path, manifest: Option<&Manifest>) -> Result<()> {
    let is_named = |path: &str| manifest.is_some_and(|manifest| manifest.names(path));
    for folder in [DATABASES, ALERTS] {
        let Ok(entries) = fs::read_dir(to.join(folder)) else { continue };
        for entry in entries {
            let path = entry.map_err(at("list", to))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_ours = name.split('.').next().is_some_and(|number| number.parse::<i64>().is_ok());
            if is_ours && !is_named(&format!("{folder}/{name}")) {
                fs::remove_file(&path).map_err(at("remove", &path))?;
            }
        }
    }
    Ok(())
}
