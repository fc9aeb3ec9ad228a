use std::collections::HashSet;
use std::sync::Arc;

use stoop_domain::Status;
use stoop_embedded::Database;
use stoop_lake_tables::{Bronze, Derived, Ingest, IngestCounts, Lake, LakeTable};
use stoop_pipeline::Measurer;

use crate::support::{now, observation, rows, run};

#[test]
fn the_tables_are_what_the_database_says() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("stoop-data");
    let database = Database::open(&folder.path().join("stoop.db"), &data).unwrap();
    let lake = Lake::folder(&data).unwrap();
    let observations: Vec<_> = (0..60).map(observation).collect();
    run(async { Measurer::new(&*database).measure(&observations).await.unwrap() });
    let take = |database: &Arc<Database>| {
        run(async {
            let mut ingest = Ingest::open(&lake, now()).await.unwrap();
            let mut bronze = Bronze::of_database(Arc::clone(database), HashSet::new());
            while let Some(chunk) = bronze.next().await.unwrap() {
                ingest.take(&chunk, now()).await.unwrap();
            }
            ingest.counts()
        })
    };
    // They are in the outbox, in no file yet.
    assert_eq!(take(&database), IngestCounts { lines: 60, added: 60, ..IngestCounts::default() });
    assert_eq!(take(&database), IngestCounts { lines: 60, repeated: 60, ..IngestCounts::default() });
    assert_eq!(rows(&data, "observations").values().filter(|row| row["status"] == Status::Pending.as_str()).count(), 9);
    let write = || run(Derived { lake: &lake, database: &database, now: now() }.write()).unwrap();
    let first = write();
    assert!(first.values().all(|table| table.changed));
    // Five homes: every number modulo five is one; each observation has another price, and so begins an interval.
    assert_eq!(["homes", "listing_history"].map(|table| first[table].rows), [5, 60]);
    let changes = first["price_changes"].rows;
    assert!(changes > 40, "{changes} price changes");
    assert!(first["market_days"].rows > 30);
    assert!(write().values().all(|table| !table.changed), "the same rows give no new version");
    let one = observation(60);
    run(async { Measurer::new(&*database).measure(std::slice::from_ref(&one)).await.unwrap() });
    let second = write();
    assert_eq!(second["listing_history"].rows, 61);
    assert_eq!((second["homes"].changed, second["alerts"].changed), (true, false));
    run(async {
        let table = LakeTable::read(&lake, "listing_history").await.unwrap();
        assert_eq!(table.rows().unwrap(), 61);
        let versions = table.versions().await.unwrap();
        assert_eq!((versions[0].rows_added, versions[0].rows_removed), (61, 60));
        let before = LakeTable::read_version(&lake, "listing_history", table.version() - 1).await.unwrap();
        assert_eq!(before.rows().unwrap(), 60);
    });
}

#[test]
fn a_file_of_the_database_is_read_once_and_the_outbox_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("stoop-data");
    let database = Database::open(&folder.path().join("stoop.db"), &data).unwrap();
    let lake = Lake::folder(&data).unwrap();
    // A file begins at a mebibyte, so each has texts that cannot be compressed much.
    let long = |number| {
        let mut observation = observation(number);
        let words: Vec<String> = (0..30).map(|_| uuid::Uuid::new_v4().to_string()).collect();
        observation.listing.details.description = Some(words.concat());
        observation
    };
    let take = || {
        run(async {
            let mut ingest = Ingest::open(&lake, now()).await.unwrap();
            let taken = ingest.taken().await.unwrap();
            let mut bronze = Bronze::of_database(Arc::clone(&database), taken);
            while let Some(chunk) = bronze.next().await.unwrap() {
                ingest.take(&chunk, now()).await.unwrap();
            }
            ingest.counts()
        })
    };
    let measure = |numbers: std::ops::Range<u32>| {
        let observations: Vec<_> = numbers.map(long).collect();
        run(async { Measurer::new(&*database).measure(&observations).await.unwrap() });
    };
    measure(0..3_000);
    assert_eq!(database.lake_objects().unwrap().len(), 1);
    assert_eq!(take(), IngestCounts { objects: 1, lines: 3_000, added: 3_000, ..IngestCounts::default() });
    measure(3_000..3_010);
    assert_eq!(take(), IngestCounts { lines: 10, added: 10, ..IngestCounts::default() });
    // The outbox becomes a file.
    measure(3_010..6_000);
    assert_eq!(database.lake_objects().unwrap().len(), 2);
    assert_eq!(
        take(),
        IngestCounts { objects: 1, lines: 3_000, added: 2_990, repeated: 10, ..IngestCounts::default() }
    );
    assert_eq!(take(), IngestCounts::default());
}
