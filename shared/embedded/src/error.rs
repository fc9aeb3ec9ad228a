use std::path::{Path, PathBuf};

use stoop_pipeline::ports::{FailureKind, PortError};

use crate::failure::{SqliteError, of_one};

pub(crate) use crate::failure::BoxError;

/// A database could not be opened. Nothing was written to the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file does not exist. Only writers create it.
    #[error("there is no database {}: replay or run something first, or name an existing one", .0.display())]
    Missing(PathBuf),
    /// The folder of the file does not exist.
    #[error("the folder of the database {} does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The path of the database is a folder.
    #[error("{} is a folder; a database is a file, such as stoop.db", .0.display())]
    IsFolder(PathBuf),
    /// The path of the data folder is a file.
    #[error("{} is a file; the data folder must be a folder, or not exist yet", .0.display())]
    DataIsFile(PathBuf),
    /// The file belongs to another program.
    #[error("{} is {what} and not a database of Stoop; it was left as it is", path.display())]
    NotOurs {
        path: PathBuf,
        /// What the file is.
        what: &'static str,
    },
    /// A newer version of Stoop wrote the file.
    #[error("{} has format {found}; this program reads format {}: update Stoop", path.display(), crate::schema::FORMAT)]
    Newer {
        path: PathBuf,
        /// The format of the file.
        found: i64,
    },
    /// An older version of Stoop wrote the file, and this one cannot read its homes and markets.
    #[error(
        "{} has format {found}; this program reads format {}, and cannot convert older ones: name a new database and a new \
         data folder, and replay or poll into them; the old ones were not changed",
        path.display(), crate::schema::FORMAT
    )]
    Older {
        path: PathBuf,
        /// The format of the file.
        found: i64,
    },
    /// An older version of Stoop wrote the file, and this one can read its lake.
    #[error(
        "{} has format {found}; this program reads format {}: `stoop rebuild` converts it with the observations in its lake",
        path.display(), crate::schema::FORMAT
    )]
    ToRebuild {
        path: PathBuf,
        /// The format of the file.
        found: i64,
    },
    /// The data folder is not the one with which the database was written.
    #[error(
        "{} belongs to another data folder: {} is not there; name the folder that holds it",
        path.display(), file.display()
    )]
    LakeElsewhere {
        /// The database file.
        path: PathBuf,
        /// A file that the database refers to and that is missing.
        file: PathBuf,
    },
    /// A table is missing.
    #[error(
        "{} is damaged: it has no table {table}; restore a backup, or move it away and run `stoop rebuild --from-lake`",
        path.display()
    )]
    NoTable {
        path: PathBuf,
        /// The table.
        table: &'static str,
    },
    /// SQLite or the file system returned an error.
    #[error("cannot open the database {}", path.display())]
    Failed { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

impl OpenError {
    /// How it failed; `None` if its causes say so.
    pub(crate) fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Missing(_) | Self::NoFolder(_) | Self::LakeElsewhere { .. } => Some(FailureKind::NotFound),
            Self::NoTable { .. } => Some(FailureKind::Damaged),
            Self::Failed { .. } => None,
            Self::IsFolder(_)
            | Self::DataIsFile(_)
            | Self::NotOurs { .. }
            | Self::Newer { .. }
            | Self::Older { .. }
            | Self::ToRebuild { .. } => Some(FailureKind::Refused),
        }
    }
}

/// A backup, a restore or a rebuild from the lake did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It would overwrite something, or there is nothing to read: name other files. Nothing was changed.
    #[error("{0}")]
    Refused(String),
    /// Something could not be read or written, or was stopped.
    #[error(transparent)]
    Failed(#[from] PortError),
}

/// A file or folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub(crate) struct FileError {
    doing: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

/// Errors within this crate. The functions of the ports add the operation.
pub(crate) type Result<T, E = BoxError> = std::result::Result<T, E>;

/// Adds the file to an I/O error: `.map_err(at("write", &path))`.
pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    move |source| FileError { doing, path: path.to_owned(), source }
}

/// An error of SQLite without repetition and with the file, which SQLite does not name. Other errors are unchanged.
pub(crate) fn about(path: &Path, source: BoxError) -> BoxError {
    match source.downcast::<rusqlite::Error>() {
        Ok(error) => SqliteError::boxed(format!("{}: {error}", path.display()), &error),
        Err(other) => other,
    }
}

/// An error of SQLite without repetition, if the file is named already.
pub(crate) fn once(source: BoxError) -> BoxError {
    match source.downcast::<rusqlite::Error>() {
        Ok(error) => SqliteError::boxed(error.to_string(), &error),
        Err(other) => other,
    }
}

/// The kind of a failure: that of the first cause for which SQLite, the system, a port or this crate says one. `None` if
/// none does.
#[must_use]
pub fn failure_kind(error: &(dyn std::error::Error + 'static)) -> Option<FailureKind> {
    let of_open = || error.downcast_ref::<OpenError>().and_then(OpenError::kind);
    of_one(error).or_else(of_open).or_else(|| failure_kind(error.source()?))
}

/// Adds the operation to an error: `.map_err(doing("read the market us/..."))`. What neither SQLite nor the system says
/// was said by a decoder of what is stored.
pub(crate) fn doing<E: Into<BoxError>>(what: impl Into<String>) -> impl FnOnce(E) -> PortError {
    move |source| {
        let source = source.into();
        PortError::new(failure_kind(&*source).unwrap_or(FailureKind::Damaged), what, source)
    }
}

#[cfg(test)]
mod tests;
