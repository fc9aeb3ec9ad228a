use std::error::Error;
use std::io;

use rusqlite::{Error as SqlError, ErrorCode, ffi};
use stoop_pipeline::ports::FailureKind;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The kind of an error, without its causes. `None` if neither SQLite, nor the system, nor a port says one.
pub(crate) fn of_one(error: &(dyn Error + 'static)) -> Option<FailureKind> {
    let of_port = FailureKind::of_one(error);
    let of_sqlite = || error.downcast_ref::<SqlError>().map(of_sqlite);
    let renamed = || error.downcast_ref::<SqliteError>().map(|error| error.kind);
    let made_here = || error.downcast_ref::<Failure>().map(|failure| failure.kind);
    let of_io = || error.downcast_ref::<io::Error>().map(FailureKind::of_io);
    of_port.or_else(of_sqlite).or_else(renamed).or_else(made_here).or_else(of_io)
}

/// The kind of an error of SQLite, by its result code (<https://www.sqlite.org/rescode.html>). Errors of a decoder of
/// stored rows have none.
fn of_sqlite(error: &SqlError) -> FailureKind {
    let error = match error {
        SqlError::SqliteFailure(error, _) | SqlError::SqlInputError { error, .. } => error,
        _ => return FailureKind::Damaged,
    };
    // SQLite names what it found wrong with a page, or the file system, only by the extended code.
    if matches!(error.extended_code, ffi::SQLITE_IOERR_DATA | ffi::SQLITE_IOERR_CORRUPTFS) {
        return FailureKind::Damaged;
    }
    match error.code {
        ErrorCode::DiskFull => FailureKind::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => FailureKind::Damaged,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationAborted
        | ErrorCode::OperationInterrupted
        | ErrorCode::OutOfMemory
        | ErrorCode::SchemaChanged
        | ErrorCode::SystemIoFailure => FailureKind::Unavailable,
        // No permission, a file that may not be opened or written, and statements that SQLite never accepts.
        _ => FailureKind::Refused,
    }
}

/// An error of SQLite. SQLite's error repeats its cause as its source; this one contains it once.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct SqliteError {
    text: String,
    kind: FailureKind,
}

impl SqliteError {
    pub(crate) fn boxed(text: String, error: &rusqlite::Error) -> BoxError {
        Box::new(Self { text, kind: of_sqlite(error) })
    }
}

/// A failure that this crate finds itself.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(crate) struct Failure {
    kind: FailureKind,
    text: String,
}

impl Failure {
    /// A failure of a kind, as an error to be passed on.
    pub(crate) fn boxed(kind: FailureKind, text: impl Into<String>) -> BoxError {
        Box::new(Self { kind, text: text.into() })
    }

    /// Somebody asked to stop.
    pub(crate) fn stopped() -> BoxError {
        Self::boxed(FailureKind::Stopped, "stopped on request")
    }
}
