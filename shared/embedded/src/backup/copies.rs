//! Copies of files, hashed while they are copied.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Result, at};
use crate::files::{make_file, make_folder, sync_folder, temporary_name};

const CHUNK_BYTES: usize = 1 << 18;

/// A file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Copied {
    /// The path within the backup, with `/`.
    pub(super) path: String,
    pub(super) bytes: u64,
    /// BLAKE3, in hexadecimal digits.
    pub(super) hash: String,
}

/// Copies a file from one folder into another, under the same path.
pub(super) fn copy(from: &Path, to: &Path, path: &str) -> Result<Copied> {
    let source = from.join(path);
    let file = File::open(&source).map_err(at("open", &source))?;
    write(file, &source, to, path)
}

/// Copies the first `bytes` of a file, or all that it has. `None` if it does not exist.
pub(super) fn copy_beginning(source: &Path, bytes: u64, to: &Path, path: &str) -> Result<Option<Copied>> {
    match File::open(source) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => write(file.map_err(at("open", source))?.take(bytes), source, to, path).map(Some),
    }
}

/// The size and hash of a file in a folder.
pub(super) fn hash_of(folder: &Path, path: &str) -> Result<Copied> {
    let source = folder.join(path);
    let mut file = File::open(&source).map_err(at("open", &source))?;
    let (bytes, hash) = each_chunk(&mut file, &source, |_| Ok(()))?;
    Ok(Copied { path: path.to_owned(), bytes, hash })
}

/// The file has its name only when it is complete and on the disk.
fn write(mut from: impl Read, source: &Path, to: &Path, path: &str) -> Result<Copied> {
    let target = to.join(path);
    let folder = target.parent().unwrap_or(to);
    make_folder(folder).map_err(at("make", folder))?;
    let temporary = temporary_name(&target);
    let mut written = || -> Result<(u64, String)> {
        let mut file = empty_file(&temporary)?;
        let counted = each_chunk(&mut from, source, |chunk| {
            file.write_all(chunk).map_err(at("write", &temporary))?;
            Ok(())
        })?;
        file.sync_all().map_err(at("sync", &temporary))?;
        Ok(counted)
    };
    let (bytes, hash) = written().inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    fs::rename(&temporary, &target).map_err(at("rename a file to", &target))?;
    sync_folder(folder).map_err(at("sync the folder", folder))?;
    Ok(Copied { path: path.to_owned(), bytes, hash })
}

/// For its owner alone.
fn empty_file(path: &PathBuf) -> Result<File> {
    // One of a killed process.
    drop(fs::remove_file(path));
    make_file(path).map_err(at("make", path))?;
    Ok(OpenOptions::new().write(true).open(path).map_err(at("open", path))?)
}

fn each_chunk(
    from: &mut impl Read,
    source: &Path,
    mut visit: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(u64, String)> {
    let (mut hasher, mut bytes, mut chunk) = (blake3::Hasher::new(), 0, vec![0; CHUNK_BYTES]);
    loop {
        let read = match from.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.map_err(at("read", source))?,
        };
        if read == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        hasher.update(&chunk[..read]);
        bytes += read as u64;
        visit(&chunk[..read])?;
    }
}
