//! Files that can be opened, and files that are refused unchanged.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::support::{apply, files, lake, observation, open, paths};
use rusqlite::Connection;
use stoop_embedded::{Database, OpenError};

/// The errors of both ways to open, which must be equal.
fn refusals(folder: &Path) -> [OpenError; 2] {
    let (path, data) = paths(folder);
    [Database::open(&path, &data).unwrap_err(), Database::open_read(&path, &data).unwrap_err()]
}

#[test]
fn a_foreign_file_is_refused_unchanged() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = paths(folder.path());
    fs::write(&path, "price,city\n1,Agadir\n").unwrap();
    for refusal in refusals(folder.path()) {
        assert!(
            refusal
                .to_string()
                .ends_with("is not an SQLite database and not a database of Stoop; it was left as it is")
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "price,city\n1,Agadir\n");
    assert_eq!(files(folder.path()), ["stoop.db"]);
}

#[test]
fn a_database_of_another_program_is_refused_unchanged() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = paths(folder.path());
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(a); PRAGMA journal_mode = WAL").unwrap();
    let before = fs::read(&path).unwrap();
    for refusal in refusals(folder.path()) {
        assert!(matches!(refusal, OpenError::NotOurs { .. }), "{refusal}");
        assert!(refusal.to_string().contains("an SQLite database of another program"));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(files(folder.path()), ["stoop.db"]);
}

#[test]
fn a_file_that_another_process_is_creating_is_not_foreign() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let begun = rusqlite::Connection::open(&path).unwrap();
    begun.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 0, "the setting alone writes a page");
    assert!(matches!(Database::open_read(&path, &data), Err(OpenError::Missing(_))));
    assert_eq!(open(folder.path()).counts().unwrap().homes, 0);
    // With a table in it, it belongs to another program.
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    assert!(matches!(Database::open(&other, &data), Err(OpenError::NotOurs { .. })));
}

#[test]
fn a_database_of_a_newer_stoop_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = paths(folder.path());
    drop(open(folder.path()));
    // While the newer program runs, the new version may be in its write-ahead log only.
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 13).unwrap();
    for refusal in refusals(folder.path()) {
        assert!(
            refusal.to_string().ends_with("has format 13; this program reads format 12: update Stoop"),
            "{refusal}"
        );
    }
    drop(newer);
    for refusal in refusals(folder.path()) {
        assert!(matches!(refusal, OpenError::Newer { found: 13, .. }), "{refusal}");
    }
}

#[test]
fn a_database_of_an_older_stoop_is_refused_unchanged_with_advice() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = paths(folder.path());
    apply(&open(folder.path()), &[&observation("1", 0, 0)]);
    for format in 1..12 {
        // As a program leaves it at its end: everything is in the file.
        let older = rusqlite::Connection::open(&path).unwrap();
        older.pragma_update(None, "user_version", format).unwrap();
        older.close().unwrap();
        let (before, files_before) = (fs::read(&path).unwrap(), files(folder.path()));
        for refusal in refusals(folder.path()) {
            // The lake of formats 5 to 11 can be read.
            let advice = if format < 5 {
                assert!(matches!(refusal, OpenError::Older { found, .. } if found == format), "{refusal}");
                ", and cannot convert older ones: name a new database and a new data folder, and replay or poll into \
                 them; the old ones were not changed"
            } else {
                assert!(matches!(refusal, OpenError::ToRebuild { found, .. } if found == format), "{refusal}");
                ": `stoop rebuild` converts it with the observations in its lake"
            };
            let expected = format!("{} has format {format}; this program reads format 12{advice}", path.display());
            assert_eq!(refusal.to_string(), expected);
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(files(folder.path()), files_before);
    }
}

#[test]
fn impossible_paths_are_named() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("none/stoop.db");
    for open in [Database::open, Database::open_read] {
        let refusal = open(&path, folder.path()).unwrap_err();
        assert!(refusal.to_string().contains("none/stoop.db does not exist"), "{refusal}");
        let refusal = open(folder.path(), folder.path()).unwrap_err();
        assert!(refusal.to_string().contains("is a folder"), "{refusal}");
    }
    let (path, data) = paths(folder.path());
    fs::write(&data, "").unwrap();
    let refusal = Database::open(&path, &data).unwrap_err();
    assert!(matches!(refusal, OpenError::DataIsFile(_)), "{refusal}");
    assert!(!path.exists());
}

#[test]
fn a_reader_creates_no_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let refusal = Database::open_read(&path, &data).unwrap_err();
    assert!(matches!(refusal, OpenError::Missing(_)), "{refusal}");
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn an_empty_file_becomes_a_database() {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(paths(folder.path()).0, "").unwrap();
    assert_eq!(open(folder.path()).counts().unwrap().homes, 0);
}

#[test]
fn a_damaged_file_gives_an_error_with_its_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = paths(folder.path());
    drop(open(folder.path()));
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xaa);
    fs::write(&path, bytes).unwrap();
    let refusal = Database::open(&path, folder.path()).unwrap_err();
    assert!(refusal.to_string().contains("stoop.db"), "{refusal}");
    assert!(refusal.source().unwrap().to_string().contains("malformed"), "{:?}", refusal.source());
}

#[test]
fn a_database_that_lacks_a_table_is_refused_by_readers_and_writers() {
    for table in ["homes", "markets", "alerts", "stream"] {
        let folder = tempfile::TempDir::new().unwrap();
        let (path, data) = paths(folder.path());
        apply(&open(folder.path()), &[&observation("1", 0, 0)]);
        Connection::open(&path).unwrap().execute_batch(&format!("DROP TABLE {table}")).unwrap();
        for refusal in [Database::open(&path, &data).unwrap_err(), Database::open_read(&path, &data).unwrap_err()] {
            let message = refusal.to_string();
            assert!(message.contains(&format!("stoop.db is damaged: it has no table {table}; restore")), "{message}");
        }
    }
}

#[test]
fn a_database_knows_its_data_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let seen = observation("1", 0, 3_000_000);
    apply(&open(folder.path()), &[&seen]);
    let other = folder.path().join("other");
    let refusal = Database::open(&path, &other).unwrap_err();
    assert!(matches!(refusal, OpenError::LakeElsewhere { .. }), "{refusal}");
    fs::rename(&data, &other).unwrap();
    assert_eq!(lake(&Database::open(&path, &other).unwrap()), [seen], "it may move as a whole");
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone_and_what_was_there_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let database = open(folder.path());
    apply(&database, &[&observation("1", 0, 0)]);
    stoop_embedded::make_folder(&data.join("lake")).unwrap();
    for name in ["stoop.db", "stoop.db-wal", "stoop.db-shm"] {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&data), 0o700);
    drop(database);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o750)).unwrap();
    apply(&open(folder.path()), &[&observation("2", 1, 0)]);
    assert_eq!((mode(&path), mode(&data)), (0o640, 0o750), "shared on purpose");
}
