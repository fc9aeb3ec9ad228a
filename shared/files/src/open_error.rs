//! Why a file could not be opened.

use std::io;
use std::path::PathBuf;

use crate::format::ACCEPTED;

/// A file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file does not exist.
    #[error("{}: there is no such file", .0.display())]
    Missing(PathBuf),
    /// The path is a folder.
    #[error("{}: this is a folder; give the files in it", .0.display())]
    Folder(PathBuf),
    /// A pipe or a device.
    #[error("{}: this is not a file but a pipe or a device; accepted: a file", .0.display())]
    NoFile(PathBuf),
    /// The extension is unknown.
    #[error("{}: the name does not give the format; accepted: {ACCEPTED}; or set the format", .0.display())]
    Format(PathBuf),
    /// The path to the rows is not a JSON Pointer.
    #[error("rows = {0:?} is not a JSON Pointer like /data/results")]
    Pointer(String),
    /// Parquet inside gzip or Zstandard, or compressed in an archive.
    #[error("{}: Parquet is compressed inside; unpack the file itself, or store it in the archive as it is", .0.display())]
    CompressedParquet(PathBuf),
    /// An archive where a single file is expected, for example inside another archive.
    #[error("{}: an archive is not read here; accepted: {ACCEPTED}; unpack it first", .0.display())]
    Archive(PathBuf),
    /// A file in an archive with a password.
    #[error("{}: it is encrypted; accepted: archives without a password", .0.display())]
    Encrypted(PathBuf),
    /// The map needs columns that the file does not have.
    #[error("{} does not fit: {problem}", path.display())]
    Misfit {
        path: PathBuf,
        /// The missing columns and what would be accepted.
        problem: String,
    },
    /// The bytes could not be read, which is not an error in the content of the file.
    #[error("{} cannot be read", path.display())]
    Bytes {
        path: PathBuf,
        /// The error of [`ReadAt`](crate::ReadAt).
        source: io::Error,
    },
    /// The content does not have the expected format.
    #[error("{}: {problem}", .path.display())]
    Unreadable {
        path: PathBuf,
        /// Explains what is wrong.
        problem: String,
    },
}
