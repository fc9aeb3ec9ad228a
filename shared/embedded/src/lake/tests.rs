use std::sync::Arc;

use stoop_domain::{Address, Currency, Listing, Observation, Purpose};

use std::fs;

use super::intents::lake_files;
use super::*;
use crate::frames::FrameWriter;

/// Two mebibytes of text that does not compress well: enough for a file.
fn observation() -> Observation {
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, Address::default());
    let mut dice = stoop_dice::Dice::new(1);
    let noise = (0..4 << 20).map(|_| char::from_digit(dice.below(16), 16).unwrap());
    listing.details.description = Some(noise.collect());
    Observation::new("avito", "1", Time::from_ms(0), listing)
}

/// The frame of one observation.
fn held() -> HeldObservations {
    let mut writer = FrameWriter::new().unwrap();
    let mut held = HeldObservations::default();
    writer.hold(&mut held, &[&observation()]).unwrap();
    writer.compress(&mut held).unwrap();
    held
}

fn open(folder: &Path) -> Arc<Database> {
    Database::open(&folder.join("stoop.db"), &folder.join("data")).unwrap()
}

#[test]
fn only_the_file_of_an_uncommitted_transaction_is_removed() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let held = held();
    {
        let mut inner = database.lock();
        let intent = intend(&inner.connection, &held).unwrap();
        let transaction = inner.connection.transaction().unwrap();
        assert!(append(&transaction, database.data(), &held, intent.as_ref()).unwrap());
        // The process dies here: what is not committed is rolled back.
    }
    let lake = database.data().join(FOLDER);
    let orphans = lake_files(&lake).unwrap();
    assert_eq!(orphans.len(), 1);
    let half_written = orphans[0].with_extension("zst.tmp");
    fs::write(&half_written, "half").unwrap();
    let foreign = orphans[0].with_file_name("000000000000-1-0123456789abcdef.jsonl.zst");
    fs::write(&foreign, "another database's").unwrap();
    drop(database);
    let database = open(folder.path());
    assert_eq!(lake_files(&lake).unwrap(), [foreign]);
    assert_eq!(database.lake_objects().unwrap(), []);
    let intents = database.lock().connection.query_row("SELECT count(*) FROM lake_intents", [], |row| row.get(0));
    assert_eq!(intents, Ok(0_i64));
}

/// A copy of the database that knows the intent of a commit, and not the commit, is put beside the lake of after it.
#[test]
fn an_older_copy_does_not_remove_the_file_of_a_commit() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let held = held();
    let intent = intend(&database.lock().connection, &held).unwrap();
    let older = folder.path().join("older.db");
    database.lock().connection.execute("VACUUM INTO ?1", [older.to_str().unwrap()]).unwrap();
    {
        let mut inner = database.lock();
        let transaction = inner.connection.transaction().unwrap();
        assert!(append(&transaction, database.data(), &held, intent.as_ref()).unwrap());
        transaction.commit().unwrap();
        seal_committed(&inner.connection, database.data());
    }
    let [object] = &database.lake_objects().unwrap()[..] else { panic!("one file") };
    assert_eq!(database.unknown_files().unwrap(), []);
    let copy = Database::open(&older, database.data()).unwrap();
    assert!(database.data().join(&object.path).exists());
    let unknown = copy.unknown_files().unwrap();
    assert_eq!(unknown.iter().map(|file| (&file.path, file.rows)).collect::<Vec<_>>(), [(&object.path, 1)]);
}

/// As files of an earlier version are, and that of a process that died after its commit.
#[test]
fn files_that_the_database_names_are_sealed_when_it_is_opened() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    for days in 0..3 {
        commit(&database, &small("1", days));
        database.flush().unwrap();
    }
    let paths: Vec<PathBuf> = database.lake_objects().unwrap().iter().map(|o| database.data().join(&o.path)).collect();
    let is_sealed = || paths.iter().map(|path| super::sealed::is_sealed(path)).collect::<Vec<_>>();
    assert_eq!(is_sealed(), [true; 3]);
    for path in &paths {
        let body = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        fs::write(path, body).unwrap();
    }
    assert_eq!(is_sealed(), [false; 3]);
    drop(database);
    drop(open(folder.path()));
    assert_eq!(is_sealed(), [true; 3]);
}

#[test]
fn a_file_that_is_being_written_is_not_unknown() {
    let folder = tempfile::TempDir::new().unwrap();
    let (database, reader) = (open(folder.path()), open(folder.path()));
    let held = held();
    let mut inner = database.lock();
    let intent = intend(&inner.connection, &held).unwrap();
    let transaction = inner.connection.transaction().unwrap();
    assert!(append(&transaction, database.data(), &held, intent.as_ref()).unwrap());
    assert_eq!(
        (reader.unknown_files().unwrap(), lake_files(&database.data().join(FOLDER)).unwrap().len()),
        (vec![], 1)
    );
    transaction.commit().unwrap();
    assert_eq!(reader.unknown_files().unwrap(), []);
}

#[test]
fn a_writer_whose_intent_was_removed_writes_no_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let held = held();
    let mut inner = database.lock();
    let intent = intend(&inner.connection, &held).unwrap();
    assert!(intent.is_some());
    drop(open(folder.path()));
    let transaction = inner.connection.transaction().unwrap();
    assert!(!append(&transaction, database.data(), &held, intent.as_ref()).unwrap());
    assert_eq!(lake_files(&database.data().join(FOLDER)).unwrap(), Vec::<PathBuf>::new());
}

/// A small observation of this listing, `days` after 1970.
fn small(native_id: &str, days: i64) -> Observation {
    let listing = Listing::new(Purpose::Sale, Currency::MAD, Address::default());
    Observation::new("avito", native_id, Time::from_ms(days * Time::DAY_MS), listing)
}

fn commit(database: &Database, observation: &Observation) {
    let (mut writer, mut held) = (FrameWriter::new().unwrap(), HeldObservations::default());
    writer.hold(&mut held, &[observation]).unwrap();
    writer.compress(&mut held).unwrap();
    let mut inner = database.lock();
    let transaction = inner.connection.transaction().unwrap();
    assert!(append(&transaction, database.data(), &held, None).unwrap());
    transaction.commit().unwrap();
}

fn lines(database: &Database) -> Vec<String> {
    let mut lines = Vec::new();
    let visit = |line: &[u8]| -> std::result::Result<(), PortError> {
        lines.push(String::from_utf8(line.to_vec()).unwrap());
        Ok(())
    };
    database.observations(visit).unwrap();
    lines
}

#[test]
fn what_is_flushed_is_in_a_file_and_the_lake_is_the_same() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    assert_eq!(database.flush().unwrap(), 0);
    // Before 1970, too: the folder is the day of the newest.
    for (native_id, days) in [("1", -20), ("2", -3), ("3", -9)] {
        commit(&database, &small(native_id, days));
    }
    let (before, count) = (lines(&database), database.lake_count().unwrap());
    assert_eq!((before.len(), count, database.lake_objects().unwrap().len()), (3, 3, 0));
    assert_eq!(database.flush().unwrap(), 3);
    let [object] = &database.lake_objects().unwrap()[..] else { panic!("one file") };
    assert_eq!((object.seq, object.rows), (0, 3));
    let day = Time::DAY_MS;
    assert_eq!((object.first_at.ms(), object.last_at.ms()), (-20 * day, -3 * day));
    assert!(object.path.contains("/dt=1969-12-29/"), "{}", object.path);
    assert_eq!((lines(&database), database.lake_count().unwrap()), (before, 3));
    assert_eq!(database.flush().unwrap(), 0, "nothing waits any more");
    commit(&database, &small("4", 1));
    assert_eq!(database.flush().unwrap(), 1);
    let seqs: Vec<u64> = database.lake_objects().unwrap().iter().map(|object| object.seq).collect();
    assert_eq!(seqs, [0, 3]);
    let totals = database.lock().connection.query_row("SELECT outbox_bytes, lake_rows FROM totals", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
    });
    assert_eq!(totals, Ok((0, 4)));
    let intents = database.lock().connection.query_row("SELECT count(*) FROM lake_intents", [], |row| row.get(0));
    assert_eq!(intents, Ok(0_i64));
}

#[test]
fn a_flush_that_cannot_write_changes_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    commit(&database, &small("1", 1));
    // A file where the folder of the lake would be.
    fs::create_dir_all(database.data()).unwrap();
    fs::write(database.data().join("lake"), "in the way").unwrap();
    let error = database.flush().unwrap_err();
    assert!(error.to_string().contains("write the outbox to a file of the lake"), "{error}");
    assert_eq!((lines(&database).len(), database.lake_objects().unwrap().len()), (1, 0));
    fs::remove_file(database.data().join("lake")).unwrap();
    assert_eq!(database.flush().unwrap(), 1);
}
