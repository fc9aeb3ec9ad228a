//! A lost database comes back from its lake; an older one beside a newer lake is noticed, and harms nothing.

use std::fs;
use std::path::Path;

use stoop_domain::{HomeId, Observation, Time};
use stoop_embedded::{CopyError, Database, FromLake, LakeRebuild};
use stoop_pipeline::with_causes;
use tempfile::TempDir;

use crate::support::{apply, files, lake, market, now, observation, open, paths};

use stoop_pipeline::ports::Store;

const NOISE: usize = 400_000;

fn step(number: i64) -> [Observation; 2] {
    [observation(&number.to_string(), number, NOISE), observation("always", number, 0)]
}

fn steps(database: &Database, numbers: std::ops::Range<i64>) {
    numbers.for_each(|number| apply(database, &step(number).each_ref()));
}

fn rebuild(folder: &Path) -> Result<FromLake, CopyError> {
    let (path, data) = paths(folder);
    Ok(LakeRebuild::begin(&path, &data, "test", &|| false)?.finish()?)
}

fn lose(folder: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        drop(fs::remove_file(folder.join(format!("stoop.db{suffix}"))));
    }
}

/// What must come back: homes, the newest moment, the number of wide areas. Markets and areas are verified.
fn state(database: &Database) -> impl PartialEq + std::fmt::Debug + use<> {
    database.roll_up(Time::default(), &|| false).unwrap();
    let homes = database.homes_after(None, usize::MAX).unwrap();
    let homes: Vec<(HomeId, Vec<u8>)> =
        homes.into_iter().map(|(id, home)| (id, stoop_wire::home_to_bytes(&home))).collect();
    assert!(now(database.markets(&[market()])).unwrap()[0].is_some());
    let found = database.verify(&|| false).unwrap();
    assert_eq!(found.differences, Vec::<String>::new());
    (homes, database.newest_observation().unwrap(), found.areas)
}

#[test]
fn a_lost_database_comes_back_from_its_lake() {
    let folder = TempDir::new().unwrap();
    let database = open(folder.path());
    steps(&database, 0..12);
    database.flush().unwrap();
    let (before, observations) = (state(&database), lake(&database));
    drop(database);
    match rebuild(folder.path()) {
        Err(CopyError::Refused(why)) => assert!(why.contains("stoop.db exists"), "{why}"),
        other => panic!("{other:?}"),
    }
    lose(folder.path());
    let found = rebuild(folder.path()).unwrap();
    assert_eq!((found.observations, found.missing, &found.aside[..]), (24, 0, &[][..]));
    let database = open(folder.path());
    assert!(state(&database) == before);
    assert_eq!(lake(&database), observations);
    assert_eq!(files(folder.path()).iter().filter(|name| name.contains(".from-lake")).count(), 0);
    // It works on, without a conflict of numbers.
    steps(&database, 12..18);
    state(&database);
    assert_eq!(lake(&database), (0..18).flat_map(step).collect::<Vec<_>>());
}

#[test]
fn without_a_lake_nothing_is_made() {
    let folder = TempDir::new().unwrap();
    match rebuild(folder.path()) {
        Err(CopyError::Refused(why)) => assert!(why.contains("there is no lake in"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(files(folder.path()), Vec::<String>::new());
}

#[test]
fn a_damaged_file_is_named_and_no_database_is_made() {
    let folder = TempDir::new().unwrap();
    let database = open(folder.path());
    steps(&database, 0..6);
    let object = database.lake_objects().unwrap().remove(0);
    let file = database.data().join(&object.path);
    drop(database);
    lose(folder.path());
    let whole = fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    replace(&file, &bytes);
    let error = with_causes(&rebuild(folder.path()).unwrap_err());
    assert!(error.contains(&object.path), "{error}");
    assert!(!folder.path().join("stoop.db").exists());
    replace(&file, &whole);
    rebuild(folder.path()).unwrap();
}

fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

/// An older copy works on beside the newer lake. Nothing of the lake is lost by that, and a rebuild has the rows of both.
#[test]
fn an_older_database_beside_a_newer_lake_is_named_and_a_rebuild_has_all() {
    let (folder, kept) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let database = open(folder.path());
    steps(&database, 0..6);
    drop(database);
    fs::copy(folder.path().join("stoop.db"), kept.path().join("stoop.db")).unwrap();
    let database = open(folder.path());
    steps(&database, 6..14);
    database.flush().unwrap();
    let named = database.lake_objects().unwrap();
    drop(database);
    lose(folder.path());
    fs::copy(kept.path().join("stoop.db"), folder.path().join("stoop.db")).unwrap();

    let database = open(folder.path());
    let known = database.lake_objects().unwrap();
    let unknown: Vec<String> = database.unknown_files().unwrap().into_iter().map(|file| file.path).collect();
    let newer: Vec<String> = named[known.len()..].iter().map(|object| object.path.clone()).collect();
    assert!(!newer.is_empty());
    assert_eq!(unknown, newer);
    let found = database.verify(&|| false).unwrap();
    assert_eq!((found.files_unknown, found.different), (newer.len() as u64, newer.len() as u64));
    for (difference, path) in found.differences.iter().zip(&newer) {
        assert!(difference.contains(path.as_str()) && difference.contains("is older than its lake"), "{difference}");
    }
    // It goes another way from here.
    (0..6).for_each(|number| apply(&database, &[&observation(&format!("other {number}"), 100 + number, NOISE)]));
    database.flush().unwrap();
    drop(database);
    drop(open(folder.path()));
    assert!(named.iter().all(|object| paths(folder.path()).1.join(&object.path).exists()), "no file is lost");
    lose(folder.path());
    let found = rebuild(folder.path()).unwrap();
    assert!(!found.aside.is_empty());
    assert_eq!(found.observations, 28 + 6, "each once");
    let database = open(folder.path());
    state(&database);
    let mut seen: Vec<String> = lake(&database).iter().map(|seen| format!("{} {}", seen.native_id, seen.at)).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 34);
    assert_eq!(files(&paths(folder.path()).1.join("lake/aside")).len(), found.aside.len());
}

#[test]
fn files_that_are_missing_are_counted() {
    let folder = TempDir::new().unwrap();
    let database = open(folder.path());
    steps(&database, 0..14);
    database.flush().unwrap();
    let objects = database.lake_objects().unwrap();
    fs::remove_file(database.data().join(&objects[1].path)).unwrap();
    drop(database);
    lose(folder.path());
    let found = rebuild(folder.path()).unwrap();
    assert_eq!((found.missing, found.observations), (objects[1].rows, 28 - objects[1].rows));
    let database = open(folder.path());
    steps(&database, 14..20);
    state(&database);
}
