//! Makes a database of a backup.

use std::fs;
use std::path::{Path, PathBuf};

use super::copies::{Copied, copy, copy_beginning};
use super::manifest::Manifest;
use crate::alert_file;
use crate::checkpoints::log_of;
use crate::database::{Database, file_bytes};
use stoop_pipeline::ports::FailureKind;

use crate::error::{CopyError, Result, at, doing};
use crate::failure::Failure;
use crate::files::{make_folder, sync_folder, with_suffix};
use crate::lake::seal;
use crate::open::{check_header, file_path};
use crate::schema::REBUILT_FROM;

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made (RFC 3339).
    pub made_at: String,
    /// Observations.
    pub observations: u64,
    /// Homes.
    pub homes: u64,
    /// Alerts that were sent.
    pub alerts: u64,
    /// Files of the lake.
    pub files: u64,
    /// Bytes that were written.
    pub bytes: u64,
}

/// What is added to the names until everything is there.
const RESTORING: &str = ".restoring";

impl Database {
    /// Makes a database and a data folder of the backup in the folder `from`, and compares each file with the manifest. The
    /// database gets its name last. If the process dies before, only files whose names end in `.restoring` are there, which
    /// the next call replaces, or in the last moment the data folder.
    ///
    /// # Errors
    /// [`CopyError::Refused`] if there is a file or folder already, or no backup. Otherwise if a file is missing or differs
    /// from the manifest, if one cannot be read or written, or if `stop`, which is called regularly, returns true. Then
    /// nothing is left.
    pub fn restore(from: &Path, path: &Path, data: &Path, stop: &dyn Fn() -> bool) -> Result<Restored, CopyError> {
        let path = &free_path(path)?;
        if data.exists() {
            return Err(exists("data folder", data));
        }
        let Some(manifest) = Manifest::read(from)? else {
            return Err(CopyError::Refused(format!("{} has no whole backup: there is no backup.json", from.display())));
        };
        let (part, part_data) = (with_suffix(path, RESTORING), with_suffix(data, RESTORING));
        let restored = restore_parts(&manifest, from, &part, &part_data, stop).and_then(|restored| {
            put_in_place(&part, &part_data, path, data).map_err(doing("put what was restored in place"))?;
            Ok(restored)
        });
        if restored.is_err() {
            // If that fails, the names say that it is incomplete.
            drop(fs::remove_file(&part));
            drop(fs::remove_dir_all(&part_data));
        }
        restored
    }
}

/// The path of a database that is to be made. Refuses an existing one, and a log or journal of one that has content: SQLite
/// would take it for that of the new file. Readers leave empty ones.
pub(crate) fn free_path(path: &Path) -> Result<PathBuf, CopyError> {
    if path.exists() {
        return Err(exists("database file", path));
    }
    let logs = [log_of(path), with_suffix(path, "-journal")];
    match logs.iter().find(|log| file_bytes(log) > 0) {
        Some(log) => Err(exists("log of a database", log)),
        None => file_path(path).map_err(|error| CopyError::Refused(error.to_string())),
    }
}

fn exists(what: &str, path: &Path) -> CopyError {
    CopyError::Refused(format!("the {what} {} exists; move it away, or name another one", path.display()))
}

fn restore_parts(
    manifest: &Manifest,
    from: &Path,
    part: &Path,
    part_data: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<Restored, CopyError> {
    let what = || format!("restore the backup in {}", from.display());
    let restore = || -> Result<Restored> {
        if part_data.exists() {
            fs::remove_dir_all(part_data).map_err(at("remove", part_data))?;
        }
        make_folder(part_data).map_err(at("make", part_data))?;
        let mut restored = Restored {
            made_at: manifest.made_at.clone(),
            observations: manifest.observations,
            homes: manifest.homes,
            alerts: manifest.alerts_known,
            ..Restored::default()
        };
        for file in &manifest.lake {
            if stop() {
                return Err(Failure::stopped());
            }
            same(from, file, &copy(from, part_data, &file.path)?)?;
            seal(&part_data.join(&file.path));
            restored.files += 1;
            restored.bytes += file.bytes;
        }
        let mut single = |file: &Copied, target: &Path| -> Result<()> {
            let (folder, name) = (target.parent().unwrap_or(Path::new("")), target.file_name().unwrap_or_default());
            let source = from.join(&file.path);
            let copied = copy_beginning(&source, u64::MAX, folder, &name.to_string_lossy())?;
            restored.bytes += file.bytes;
            same(from, file, &copied.ok_or_else(|| format!("the backup's file {} is missing", source.display()))?)
        };
        if let Some(alerts) = &manifest.alerts {
            single(alerts, &part_data.join(alert_file::NAME))?;
        }
        single(&manifest.database, part)?;
        check(manifest, from, part, part_data)?;
        Ok(restored)
    };
    restore().map_err(doing(what())).map_err(CopyError::from)
}

fn same(from: &Path, expected: &Copied, found: &Copied) -> Result<()> {
    if (expected.bytes, &expected.hash) == (found.bytes, &found.hash) {
        return Ok(());
    }
    let path = from.join(&expected.path);
    Err(format!(
        "the backup's file {} is not as it was written: it was altered or damaged, and nothing is restored",
        path.display()
    )
    .into())
}

/// The database must name the files that the manifest names.
fn check(manifest: &Manifest, from: &Path, part: &Path, part_data: &Path) -> Result<()> {
    check_header(part, REBUILT_FROM)?;
    let copy = Database::open_copy(part, part_data)?;
    let named: Vec<(String, u64)> =
        copy.lake_objects()?.into_iter().map(|object| (object.path, object.bytes)).collect();
    let restored: Vec<(String, u64)> = manifest.lake.iter().map(|file| (file.path.clone(), file.bytes)).collect();
    let observations = u64::try_from(copy.lake_count()?)?;
    if named != restored || observations != manifest.observations {
        return Err(format!(
            "{} names other files of the lake, or another number of observations, than its database",
            from.join("backup.json").display()
        )
        .into());
    }
    Ok(())
}

fn put_in_place(part: &Path, part_data: &Path, path: &Path, data: &Path) -> Result<()> {
    if let Some(there) = [path, data].into_iter().find(|there| there.exists()) {
        return Err(Failure::boxed(FailureKind::Refused, format!("{} was made meanwhile", there.display())));
    }
    fs::rename(part_data, data).map_err(at("rename a folder to", data))?;
    fs::rename(part, path).map_err(at("rename a file to", path))?;
    for folder in [data, path].map(parent) {
        sync_folder(&folder).map_err(at("sync the folder", &folder))?;
    }
    Ok(())
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
