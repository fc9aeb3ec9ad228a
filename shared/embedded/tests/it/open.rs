//! What is opened, and what is left alone.

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::support::{apply, files, lake, observation, open, places};
use stoop_embedded::{Database, OpenError};

/// Both ways to open, which must refuse alike.
fn refusals(folder: &Path) -> [OpenError; 2] {
    let (path, data) = places(folder);
    [Database::open(&path, &data).unwrap_err(), Database::open_read(&path, &data).unwrap_err()]
}

#[test]
fn a_file_of_something_else_is_left_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = places(folder.path());
    fs::write(&path, "price,city\n1,Agadir\n").unwrap();
    for refusal in refusals(folder.path()) {
        assert!(refusal.to_string().ends_with("is no SQLite database, not a database of Stoop; it was left as it is"));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "price,city\n1,Agadir\n");
    assert_eq!(files(folder.path()), ["stoop.db"]);
}

#[test]
fn another_programs_database_is_left_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = places(folder.path());
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t(a); PRAGMA journal_mode = WAL").unwrap();
    let before = fs::read(&path).unwrap();
    for refusal in refusals(folder.path()) {
        assert!(matches!(refusal, OpenError::NotOurs { .. }), "{refusal}");
        assert!(refusal.to_string().contains("another program's SQLite database"));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(files(folder.path()), ["stoop.db"]);
}

#[test]
fn a_file_that_another_process_has_just_begun_to_make_is_no_file_of_somebody_else() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = places(folder.path());
    let begun = rusqlite::Connection::open(&path).unwrap();
    begun.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 0, "that alone makes a page");
    assert!(matches!(Database::open_read(&path, &data), Err(OpenError::Missing(_))));
    assert_eq!(open(folder.path()).counts().unwrap().homes, 0);
    // With a table in it, it is somebody's.
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
    assert!(matches!(Database::open(&other, &data), Err(OpenError::NotOurs { .. })));
}

#[test]
fn a_database_of_a_newer_stoop_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = places(folder.path());
    drop(open(folder.path()));
    // While the newer program runs, the new version may stand in its write-ahead log alone.
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 9).unwrap();
    for refusal in refusals(folder.path()) {
        assert!(refusal.to_string().ends_with("has format 9; this program reads format 8: update Stoop"), "{refusal}");
    }
    drop(newer);
    for refusal in refusals(folder.path()) {
        assert!(matches!(refusal, OpenError::Newer { found: 9, .. }), "{refusal}");
    }
}

#[test]
fn a_database_of_an_older_stoop_is_refused_with_what_to_do_and_left_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = places(folder.path());
    apply(&open(folder.path()), &[&observation("1", 0, 0)]);
    for format in 1..8 {
        // As a program leaves it that has ended: all of it is in the file.
        let older = rusqlite::Connection::open(&path).unwrap();
        older.pragma_update(None, "user_version", format).unwrap();
        older.close().unwrap();
        let (before, files_before) = (fs::read(&path).unwrap(), files(folder.path()));
        for refusal in refusals(folder.path()) {
            // Of format 5 to 7 the lake can be read.
            let what_to_do = if format < 5 {
                assert!(matches!(refusal, OpenError::Older { found, .. } if found == format), "{refusal}");
                ", and cannot make it of older ones: name a new database and a new data folder, and replay or poll into them \
                 anew; the old ones were left as they are"
            } else {
                assert!(matches!(refusal, OpenError::ToRebuild { found, .. } if found == format), "{refusal}");
                ": `stoop rebuild` makes it of the observations in its lake"
            };
            let expected = format!("{} has format {format}; this program reads format 8{what_to_do}", path.display());
            assert_eq!(refusal.to_string(), expected);
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(files(folder.path()), files_before);
    }
}

#[test]
fn places_where_no_database_can_be_are_named() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("none/stoop.db");
    for open in [Database::open, Database::open_read] {
        let refusal = open(&path, folder.path()).unwrap_err();
        assert!(refusal.to_string().contains("none/stoop.db does not exist"), "{refusal}");
        let refusal = open(folder.path(), folder.path()).unwrap_err();
        assert!(refusal.to_string().contains("is a folder"), "{refusal}");
    }
    let (path, data) = places(folder.path());
    fs::write(&data, "").unwrap();
    let refusal = Database::open(&path, &data).unwrap_err();
    assert!(matches!(refusal, OpenError::DataIsFile(_)), "{refusal}");
    assert!(!path.exists());
}

#[test]
fn a_reader_makes_no_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = places(folder.path());
    let refusal = Database::open_read(&path, &data).unwrap_err();
    assert!(matches!(refusal, OpenError::Missing(_)), "{refusal}");
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn an_empty_file_becomes_a_database() {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(places(folder.path()).0, "").unwrap();
    assert_eq!(open(folder.path()).counts().unwrap().homes, 0);
}

#[test]
fn a_damaged_file_is_an_error_with_its_name() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, _) = places(folder.path());
    drop(open(folder.path()));
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..].fill(0xaa);
    fs::write(&path, bytes).unwrap();
    let refusal = Database::open(&path, folder.path()).unwrap_err();
    assert!(refusal.to_string().contains("stoop.db"), "{refusal}");
    assert!(refusal.source().unwrap().to_string().contains("malformed"), "{:?}", refusal.source());
}

#[test]
fn a_database_knows_its_data_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = places(folder.path());
    let seen = observation("1", 0, 3_000_000);
    apply(&open(folder.path()), &[&seen]);
    let other = folder.path().join("other");
    let refusal = Database::open(&path, &other).unwrap_err();
    assert!(matches!(refusal, OpenError::LakeElsewhere { .. }), "{refusal}");
    fs::rename(&data, &other).unwrap();
    assert_eq!(lake(&Database::open(&path, &other).unwrap()), [seen], "it may move as a whole");
}
