//! Whole files, or none.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{FileError, at};

/// Writes a file so that under its name there is the whole of it or what was there before, also after
/// a loss of power: to a temporary name, synced, renamed, the folder synced.
pub(crate) fn write_whole(path: &Path, parts: &[&[u8]]) -> Result<(), FileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(at("create the folder", folder))?;
    let temporary = temporary_name(path);
    let written = File::create(&temporary).and_then(|mut file| {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_data()
    });
    if let Err(error) = written {
        // Half a file is of no use; should even this fail, its name says that it is not whole.
        drop(fs::remove_file(&temporary));
        return Err(at("write", &temporary)(error));
    }
    fs::rename(&temporary, path).map_err(at("rename a file to", path))?;
    sync_folder(folder).map_err(at("sync the folder", folder))
}

/// The name under which [`write_whole`] writes what shall be called `path`.
fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened to be synced, and the file system orders renames itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
