//! Atomic file writes, and files and folders for their owner alone.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{FileError, at};

/// Makes a folder and those above it that are missing. New ones are for their owner alone, because they hold what sources and
/// people say; whoever wants to share them changes their mode.
///
/// # Errors
/// If the system refuses.
pub fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes an empty file for its owner alone, unless there is one.
pub(crate) fn make_file(path: &Path) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Locks a file, which is made if it is missing; `None` if another process holds the lock. The lock ends with the file that is
/// returned, or with the process.
pub(crate) fn lock_file(path: &Path) -> Result<Option<File>, FileError> {
    make_file(path).map_err(at("make", path))?;
    let file = File::open(path).map_err(at("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(at("lock", path)(error)),
    }
}

/// Writes a file atomically: the path has the old or the complete new content, even after a loss of power. Writes a
/// temporary file, syncs it, renames it and syncs the folder.
pub(crate) fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder).map_err(at("create the folder", folder))?;
    let temporary = temporary_name(path);
    let written = File::create(&temporary).and_then(|mut file| {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_data()
    });
    if let Err(error) = written {
        // Half a file is useless. If removing fails, the name shows that it is incomplete.
        drop(fs::remove_file(&temporary));
        return Err(at("write", &temporary)(error));
    }
    fs::rename(&temporary, path).map_err(at("rename a file to", path))?;
    sync_folder(folder).map_err(at("sync the folder", folder))
}

/// The name of the temporary file of [`write_whole`] for `path`.
pub(crate) fn temporary_name(path: &Path) -> PathBuf {
    with_suffix(path, ".tmp")
}

/// The path with something after its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// On other systems a folder cannot be opened to be synced, and the file system orders renames itself.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
