use std::path::{Path, PathBuf};

use stoop_pipeline::ports::PortError;

/// Why a database could not be opened. Nothing was written to the file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file, and a reader makes none.
    #[error("there is no database {}: replay or run something first, or name another one", .0.display())]
    Missing(PathBuf),
    /// The file would lie in a folder that does not exist.
    #[error("the folder of the database {} does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The path of the database is a folder's.
    #[error("{} is a folder; a database is a file, such as stoop.db", .0.display())]
    IsFolder(PathBuf),
    /// The path of the data folder is a file's.
    #[error("{} is a file; the data folder must be a folder, or not exist yet", .0.display())]
    DataIsFile(PathBuf),
    /// Another program's file.
    #[error("{} is {what}, not a database of Stoop; it was left as it is", path.display())]
    NotOurs {
        /// Which file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// Written by a newer Stoop.
    #[error("{} has format {found}; this program reads format {}: update Stoop", path.display(), crate::schema::FORMAT)]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// Written by an older Stoop, whose homes and markets this one cannot read.
    #[error(
        "{} has format {found}; this program reads format {}, and cannot make it of older ones: name a new database and a \
         new data folder, and replay or poll into them anew; the old ones were left as they are",
        path.display(), crate::schema::FORMAT
    )]
    Older {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// Written by an older Stoop, whose lake this one can read.
    #[error(
        "{} has format {found}; this program reads format {}: `stoop rebuild` makes it of the observations in its lake",
        path.display(), crate::schema::FORMAT
    )]
    ToRebuild {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// The data folder is not the one that the database was written with.
    #[error(
        "{} belongs to another data folder: {} is not there; name the folder that holds it",
        path.display(), file.display()
    )]
    LakeElsewhere {
        /// Which database.
        path: PathBuf,
        /// A file that it knows and that is missing.
        file: PathBuf,
    },
    /// SQLite or the file system refused.
    #[error("cannot open the database {}", path.display())]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A file or a folder could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub(crate) struct FileError {
    doing: &'static str,
    path: PathBuf,
    source: std::io::Error,
}

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Inside this crate causes are passed up as they are; the function of the port says what it was doing.
pub(crate) type Result<T, E = BoxError> = std::result::Result<T, E>;

/// Names the file in an I/O error: `.map_err(at("write", &path))`.
pub(crate) fn at(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    move |source| FileError { doing, path: path.to_owned(), source }
}

/// SQLite refused. It tells each cause twice, itself and as its source; here it is told once.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct SqliteError(String);

/// What SQLite refused, once, and with the file, which its own words do not name; anything else as it is.
pub(crate) fn about(path: &Path, source: BoxError) -> BoxError {
    match source.downcast::<rusqlite::Error>() {
        Ok(error) => Box::new(SqliteError(format!("{}: {error}", path.display()))),
        Err(other) => other,
    }
}

/// The same without the file, where it is named already.
pub(crate) fn once(source: BoxError) -> BoxError {
    match source.downcast::<rusqlite::Error>() {
        Ok(error) => Box::new(SqliteError(error.to_string())),
        Err(other) => other,
    }
}

/// Says what was being done: `.map_err(doing("read the market us/..."))`.
pub(crate) fn doing<E: Into<BoxError>>(what: impl Into<String>) -> impl FnOnce(E) -> PortError {
    move |source| PortError::new(what, source)
}
