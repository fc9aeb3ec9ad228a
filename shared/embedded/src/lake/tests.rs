use std::sync::Arc;

use stoop_domain::{Address, Currency, Listing, Purpose};

use super::*;

/// Two mebibytes of text that does not compress well: enough for a file.
fn observation() -> Observation {
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, Address::default());
    let mut dice = stoop_dice::Dice::new(1);
    let noise = (0..4 << 20).map(|_| char::from_digit(dice.below(16), 16).unwrap());
    listing.details.description = Some(noise.collect());
    Observation::new("avito", "1", Time::from_ms(0), listing)
}

/// The frame of one observation.
fn held() -> Held {
    let mut writer = FrameWriter::new().unwrap();
    let mut held = Held::default();
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
