#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io;

use rusqlite::{Connection, Error as SqlError, OpenFlags, ffi};
use stoop_pipeline::ports::PortError;

use super::*;
use crate::failure::Failure;
use FailureKind::{Damaged, Full, NotFound, Refused, Stopped, Unavailable};

fn kind(error: impl Into<BoxError>) -> FailureKind {
    let error = doing("do it")(error);
    assert_eq!(failure_kind(&error), Some(error.kind()));
    error.kind()
}

#[test]
fn each_code_of_sqlite_has_a_kind() {
    let by_code = [
        (ffi::SQLITE_ERROR, Refused),
        (ffi::SQLITE_PERM, Refused),
        (ffi::SQLITE_ABORT, Unavailable),
        (ffi::SQLITE_BUSY, Unavailable),
        (ffi::SQLITE_BUSY_SNAPSHOT, Unavailable),
        (ffi::SQLITE_LOCKED, Unavailable),
        (ffi::SQLITE_NOMEM, Unavailable),
        (ffi::SQLITE_READONLY, Refused),
        (ffi::SQLITE_INTERRUPT, Unavailable),
        (ffi::SQLITE_IOERR, Unavailable),
        (ffi::SQLITE_IOERR_READ, Unavailable),
        (ffi::SQLITE_IOERR_DATA, Damaged),
        (ffi::SQLITE_IOERR_CORRUPTFS, Damaged),
        (ffi::SQLITE_CORRUPT, Damaged),
        (ffi::SQLITE_CORRUPT_INDEX, Damaged),
        (ffi::SQLITE_FULL, Full),
        (ffi::SQLITE_CANTOPEN, Refused),
        (ffi::SQLITE_PROTOCOL, Unavailable),
        (ffi::SQLITE_SCHEMA, Unavailable),
        (ffi::SQLITE_TOOBIG, Refused),
        (ffi::SQLITE_CONSTRAINT, Refused),
        (ffi::SQLITE_MISUSE, Refused),
        (ffi::SQLITE_AUTH, Refused),
        (ffi::SQLITE_NOTADB, Damaged),
    ];
    for (code, expected) in by_code {
        let error = || SqlError::SqliteFailure(ffi::Error::new(code), None);
        assert_eq!(kind(error()), expected, "{:?}", error());
        assert_eq!(kind(about("stoop.db".as_ref(), error().into())), expected, "with the file: {:?}", error());
    }
}

#[test]
fn what_sqlite_really_returns_has_a_kind() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("stoop.db");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("CREATE TABLE rows(n INTEGER); INSERT INTO rows VALUES('a word')").unwrap();
    let number = |connection: &Connection| connection.query_row("SELECT n FROM rows", [], |row| row.get::<_, i64>(0));
    assert_eq!(kind(number(&writer).unwrap_err()), Damaged, "a row that is not what it must be");
    assert_eq!(kind(writer.execute("DELETE FROM nothing", []).unwrap_err()), Refused);
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let other = Connection::open(&path).unwrap();
    other.busy_timeout(std::time::Duration::ZERO).unwrap();
    assert_eq!(kind(number(&other).unwrap_err()), Unavailable, "locked");
    writer.execute_batch("ROLLBACK").unwrap();
    let reader = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    assert_eq!(kind(reader.execute("DELETE FROM rows", []).unwrap_err()), Refused, "read-only");
    assert_eq!(kind(Connection::open(folder.path()).unwrap_err()), Refused, "a folder");
    let text = folder.path().join("text");
    std::fs::write(&text, "no database, but a text that is longer than a header".repeat(20)).unwrap();
    assert_eq!(kind(number(&Connection::open(&text).unwrap()).unwrap_err()), Damaged, "another file");
}

#[test]
fn other_causes_have_a_kind() {
    let missing = std::fs::read("/there/is/no/such/file").unwrap_err();
    assert_eq!(kind(at("read", "/there".as_ref())(missing)), NotFound);
    assert_eq!(kind(at("write", "/there".as_ref())(io::ErrorKind::StorageFull.into())), Full);
    assert_eq!(kind(at("write", "/there".as_ref())(io::ErrorKind::QuotaExceeded.into())), Full);
    assert_eq!(kind(zstd::decode_all(&b"not compressed"[..]).unwrap_err()), Damaged);
    assert_eq!(kind(zstd::decode_all(&zstd::encode_all(&b"abc"[..], 1).unwrap()[..9]).unwrap_err()), Damaged);
    assert_eq!(kind(serde_json::from_str::<i64>("{").unwrap_err()), Damaged, "what is stored is not readable");
    assert_eq!(kind(Failure::stopped()), Stopped);
    assert_eq!(kind(OpenError::Missing("stoop.db".into())), NotFound);
    assert_eq!(kind(OpenError::NoTable { path: "stoop.db".into(), table: "homes" }), Damaged);
    let full =
        OpenError::Failed { path: "stoop.db".into(), source: io::Error::from(io::ErrorKind::StorageFull).into() };
    assert_eq!(kind(full), Full);
    assert_eq!(kind(PortError::unavailable("inner", "a made-up fault")), Unavailable, "that of the port inside");
}
