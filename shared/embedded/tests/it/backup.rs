//! Backups are of one moment, whoever writes; what they lack is noticed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use stoop_domain::{Observation, Time};
use stoop_embedded::{BackedUp, CopyError, Database, Restored};
use stoop_pipeline::with_causes;
use stoop_waits::until;
use tempfile::TempDir;

use crate::support::{apply, files, lake, observation, open, paths};

/// The size of what does not compress in an observation: some of them make a file.
const NOISE: usize = 400_000;

fn step(number: i64) -> [Observation; 2] {
    [observation(&number.to_string(), number, NOISE), observation("always", number, 0)]
}

fn steps(database: &Database, numbers: std::ops::Range<i64>) {
    numbers.for_each(|number| apply(database, &step(number).each_ref()));
}

fn back_up(database: &Database, to: &Path) -> Result<BackedUp, CopyError> {
    database.backup(to, Time::from_ms(1_768_003_200_000), &|| false)
}

fn restore(from: &Path, to: &Path) -> Result<Restored, CopyError> {
    let (path, data) = paths(to);
    Database::restore(from, &path, &data, &|| false)
}

/// The observations of a backup, which is restored and verified.
fn content(backup: &Path) -> Vec<Observation> {
    let folder = TempDir::new().unwrap();
    let restored = restore(backup, folder.path()).unwrap();
    let database = open(folder.path());
    let found = database.verify(&|| false).unwrap();
    assert_eq!((found.different, &found.differences[..]), (0, &[][..]));
    let observations = lake(&database);
    assert_eq!(restored.observations, observations.len() as u64);
    assert_eq!(restored.homes, database.counts().unwrap().homes);
    observations
}

fn message(error: &CopyError) -> String {
    with_causes(error)
}

#[test]
fn each_backup_is_of_one_moment_while_another_handle_writes() {
    let (folder, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..1);
    let stop = AtomicBool::new(false);
    let mut before = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let writer = open(folder.path());
            for number in 1..400 {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                steps(&writer, number..number + 1);
            }
        });
        for _ in 0..6 {
            until("the next commit", || (source.counts().unwrap().observations > before as u64).then_some(()));
            let made = back_up(&source, backup.path()).unwrap();
            let observations = content(backup.path());
            assert_eq!(made.observations, observations.len() as u64);
            assert!(observations.len() > before, "{} after {before}", observations.len());
            before = observations.len();
            let stream: Vec<Observation> = (0..).flat_map(step).take(before).collect();
            assert!(observations == stream, "it has the beginning of the stream");
            assert_eq!(before % 2, 0, "whole commits");
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn only_new_files_of_the_lake_are_copied_again() {
    let (folder, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..12);
    let first = back_up(&source, backup.path()).unwrap();
    assert!(first.files > 1 && first.files_copied == first.files, "{first:?}");
    assert_eq!(first.bytes_copied, first.bytes);
    let again = back_up(&source, backup.path()).unwrap();
    assert_eq!((again.files, again.files_copied), (first.files, 0));
    assert!(again.bytes_copied < again.bytes, "{again:?}");
    steps(&source, 12..18);
    let more = back_up(&source, backup.path()).unwrap();
    assert!(more.files > first.files, "{more:?}");
    assert_eq!(more.files_copied, more.files - first.files);
    assert_eq!(content(backup.path()), (0..18).flat_map(step).collect::<Vec<_>>());
    let databases = files(&backup.path().join("database"));
    assert_eq!(databases.len(), 1, "the copy of the former backup is gone: {databases:?}");
}

/// What a killed backup left of the lake is taken over, and half a file is not.
#[test]
fn a_backup_continues_what_a_killed_one_began() {
    let (folder, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..12);
    back_up(&source, backup.path()).unwrap();
    let names: Vec<String> = files(&backup.path().join("lake"));
    fs::remove_file(backup.path().join("backup.json")).unwrap();
    let lake = backup.path().join("lake");
    fs::rename(lake.join(&names[0]), lake.join(format!("{}.tmp", names[0]))).unwrap();
    fs::write(lake.join(&names[1]), "half").unwrap();
    fs::write(backup.path().join("database/1.db"), "half").unwrap();
    let refused = restore(backup.path(), TempDir::new().unwrap().path()).unwrap_err();
    assert!(message(&refused).contains("has no whole backup"), "{}", message(&refused));
    let made = back_up(&source, backup.path()).unwrap();
    assert_eq!(made.files_copied, 2);
    assert!(!backup.path().join("database/1.db").exists());
    assert_eq!(content(backup.path()).len(), 24);
}

#[test]
fn a_backup_that_was_altered_is_refused_with_the_name_of_the_file() {
    let (folder, backup, target) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..8);
    source.set_place_of("alerts.jsonl", 0, Some(7)).unwrap();
    fs::write(source.data().join("alerts.jsonl"), "an alert\n").unwrap();
    back_up(&source, backup.path()).unwrap();
    let mut altered = 0;
    for name in files(backup.path()).iter().filter(|name| !name.contains("backup.")) {
        let path = backup.path().join(name);
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            fs::write(&path, bytes).unwrap();
            let error = message(&restore(backup.path(), target.path()).unwrap_err());
            assert!(error.contains(&path.display().to_string()) && error.contains("altered or damaged"), "{error}");
            assert_eq!(files(target.path()), Vec::<String>::new());
            altered += 1;
        }
        fs::remove_file(&path).unwrap();
        let error = message(&restore(backup.path(), target.path()).unwrap_err());
        assert!(error.contains(&path.display().to_string()), "{error}");
        fs::write(&path, whole).unwrap();
    }
    assert!(altered >= 9, "{altered}");
    let manifest = backup.path().join("backup.json");
    let text = fs::read_to_string(&manifest).unwrap();
    for (from, to) in [("\"lake\": [", "\"lake\": [{\"path\":\"../x\",\"bytes\":1,\"hash\":\"\"},"), ("{", "[")] {
        fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
        let error = message(&restore(backup.path(), target.path()).unwrap_err());
        assert!(error.contains("backup.json"), "{error}");
    }
    // A manifest that leaves a file out.
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["lake"].as_array_mut().unwrap().pop();
    fs::write(&manifest, value.to_string()).unwrap();
    let error = message(&restore(backup.path(), target.path()).unwrap_err());
    assert!(error.contains("backup.json names other files"), "{error}");
    assert_eq!(files(target.path()), Vec::<String>::new());
    fs::write(&manifest, text).unwrap();
    restore(backup.path(), target.path()).unwrap();
    let alerts = fs::read_to_string(paths(target.path()).1.join("alerts.jsonl")).unwrap();
    assert_eq!(alerts, "an aler", "as far as the database knows it");
}

#[test]
fn nothing_is_overwritten() {
    let (folder, other, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..8);
    let refused = |outcome: Result<BackedUp, CopyError>, part: &str| match outcome {
        Err(CopyError::Refused(why)) => assert!(why.contains(part), "{why}"),
        other => panic!("{other:?}"),
    };
    refused(back_up(&source, source.data()), "is the data folder itself");
    back_up(&source, backup.path()).unwrap();
    // An older state, and another database.
    let older = TempDir::new().unwrap();
    restore(backup.path(), older.path()).unwrap();
    steps(&source, 8..12);
    back_up(&source, backup.path()).unwrap();
    refused(back_up(&open(older.path()), backup.path()), "a newer state of this one");
    let another = open(other.path());
    refused(back_up(&another, backup.path()), "which this database does not know");
    (0..40).for_each(|number| apply(&another, &[&observation(&format!("b{number}"), number, 0)]));
    refused(back_up(&another, backup.path()), "which this database does not know");
    assert_eq!(content(backup.path()).len(), 24, "the backup is as it was");

    let target = TempDir::new().unwrap();
    let (path, data) = paths(target.path());
    let exists = |there: &PathBuf| match restore(backup.path(), target.path()) {
        Err(CopyError::Refused(why)) => assert!(why.contains(&format!("{} exists", there.display())), "{why}"),
        other => panic!("{other:?}"),
    };
    fs::create_dir(&data).unwrap();
    exists(&data);
    fs::remove_dir(&data).unwrap();
    for name in ["stoop.db", "stoop.db-wal", "stoop.db-journal"] {
        let there = path.with_file_name(name);
        fs::write(&there, "left").unwrap();
        exists(&there);
        fs::remove_file(there).unwrap();
    }
    // As readers leave it.
    fs::write(path.with_file_name("stoop.db-wal"), "").unwrap();
    restore(backup.path(), target.path()).unwrap();
}

#[test]
fn a_small_database_is_not_replaced_by_another_small_one() {
    let (folder, other, backup) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    apply(&source, &[&observation("1", 0, 0)]);
    back_up(&source, backup.path()).unwrap();
    let another = open(other.path());
    apply(&another, &[&observation("2", 0, 0)]);
    match back_up(&another, backup.path()) {
        Err(CopyError::Refused(why)) => assert!(why.contains("begins with another observation"), "{why}"),
        other => panic!("{other:?}"),
    }
    apply(&source, &[&observation("3", 1, 0)]);
    back_up(&source, backup.path()).unwrap();
    assert_eq!(content(backup.path()).len(), 2);
}

#[test]
fn a_restore_that_is_stopped_or_was_killed_leaves_nothing_that_is_taken_for_a_database() {
    let (folder, backup, target) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..12);
    let made = back_up(&source, backup.path()).unwrap();
    let (path, data) = paths(target.path());
    for after in 0..made.files {
        let calls = std::cell::Cell::new(0);
        let stop = || {
            calls.set(calls.get() + 1);
            calls.get() > after
        };
        let error = Database::restore(backup.path(), &path, &data, &stop).unwrap_err();
        assert!(message(&error).contains("stopped on request"), "{}", message(&error));
        assert_eq!(files(target.path()), Vec::<String>::new());
    }
    // As a killed one leaves it.
    let left = target.path().join("stoop-data.restoring/lake/observations/dt=2026-01-10/000000000000-1-0.jsonl.zst");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, "left").unwrap();
    fs::write(target.path().join("stoop.db.restoring"), "half").unwrap();
    assert!(!path.exists() && !data.exists());
    restore(backup.path(), target.path()).unwrap();
    let database = open(target.path());
    assert_eq!(database.verify(&|| false).unwrap().differences, Vec::<String>::new());
    assert_eq!(lake(&database).len(), 24);
    // It works on.
    steps(&database, 12..14);
    assert_eq!(database.verify(&|| false).unwrap().differences, Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, place) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let source = open(folder.path());
    steps(&source, 0..4);
    let backup = place.path().join("backup");
    back_up(&source, &backup).unwrap();
    let others = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(others(&backup), 0, "{}", others(&backup));
    for name in files(&backup).iter().filter(|name| name.ends_with(".db") || name.ends_with(".zst")) {
        assert_eq!(others(&backup.join(name)), 0, "{name}");
    }
}
