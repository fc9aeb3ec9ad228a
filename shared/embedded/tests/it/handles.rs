//! Several handles on one file, as with several processes.

use crate::support::{apply, files, lake, market, now, observation, open, paths};
use stoop_domain::{Home, HomeId};
use stoop_embedded::Database;
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::{Commit, HomeChange, PortError, Store};

const THREADS: i64 = 4;
const STEPS: i64 = 25;

#[test]
fn racing_handles_lose_nothing() {
    let folder = tempfile::TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let folder = folder.path();
            // Each thread creates the file or finds it half created.
            scope.spawn(move || {
                let database = open(folder);
                for step in 0..STEPS {
                    let minute = thread * STEPS + step;
                    let own = observation(&minute.to_string(), minute, 20_000);
                    apply(&database, &[&own, &observation("shared", minute, 20_000)]);
                }
            });
        }
    });
    let database = open(folder.path());
    let commits = u64::try_from(THREADS * STEPS).unwrap();
    let shared = database.home(&HomeId("avito/shared".into())).unwrap().unwrap();
    assert_eq!(shared.version, commits);
    let mut expected = Home::default();
    for minute in 0..THREADS * STEPS {
        expected.apply(&observation("shared", minute, 0));
    }
    assert_eq!(shared.value.history, expected.history);
    assert_eq!(now(database.markets(&[market()])).unwrap()[0].as_ref().unwrap().version, commits);
    assert_eq!(database.counts().unwrap().homes, commits + 1);
    let mut seen = lake(&database);
    assert_eq!(seen.len() as u64, commits * 2);
    seen.sort_by_key(|seen| (seen.native_id.clone(), seen.sighting()));
    seen.dedup();
    assert_eq!(seen.len() as u64, commits * 2, "each observation once");
    let mut objects: Vec<_> = database.lake_objects().unwrap().into_iter().map(|object| object.path).collect();
    assert!(!objects.is_empty());
    objects.sort();
    assert_eq!(files(database.data()), objects);
}

#[test]
fn a_reader_sees_what_is_committed_while_it_is_open() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let writer = open(folder.path());
    let reader = Database::open_read(&path, &data).unwrap();
    for minute in 0..5_i64 {
        assert_eq!(reader.counts().unwrap().observations, minute.cast_unsigned());
        assert_eq!(lake(&reader).len(), usize::try_from(minute).unwrap());
        apply(&writer, &[&observation(&minute.to_string(), minute, 0)]);
        assert_eq!(reader.market_ids().unwrap(), [market()]);
    }
    let mut after = None;
    for page in 0..5 {
        let homes = reader.homes_of(&market(), after.as_ref(), 1).unwrap();
        assert_eq!(homes[0].0.as_str(), format!("avito/{page}"));
        after = Some(homes[0].0.clone());
    }
    assert!(reader.homes_of(&market(), after.as_ref(), 1).unwrap().is_empty());
    drop(writer);
    assert_eq!(reader.counts().unwrap().homes, 5, "also when the writer is gone");
}

/// A handle remembers the list until it changes.
#[test]
fn a_reader_lists_the_markets_of_its_moment() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let writer = open(folder.path());
    let reader = Database::open_read(&path, &data).unwrap();
    let in_city = |city: &str, minute| {
        let mut seen = observation(city, minute, 0);
        seen.listing.address.city = Some(city.into());
        seen
    };
    let listed = || reader.market_ids().unwrap().iter().map(|market| market.area.name()).collect::<Vec<_>>();
    let measure = |seen| now(Measurer::new(&*writer).measure(&[seen])).unwrap();
    assert_eq!(reader.market_ids().unwrap(), []);
    measure(in_city("Agadir", 0));
    let read = reader.reading(|| {
        assert_eq!(listed().len(), 1);
        measure(in_city("Rabat", 1));
        assert_eq!(listed().len(), 1, "the moment is that of the begin");
        Ok::<_, PortError>(())
    });
    read.unwrap();
    assert_eq!(listed().len(), 2);
    assert_eq!(reader.market_ids().unwrap(), Database::open_read(&path, &data).unwrap().market_ids().unwrap());
}

#[test]
fn reading_sees_one_moment() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let writer = open(folder.path());
    let reader = Database::open_read(&path, &data).unwrap();
    apply(&writer, &[&observation("1", 0, 0)]);
    let counts = || {
        let homes = reader.homes_after(None, 99)?.len();
        Ok::<_, PortError>((homes, lake(&reader).len(), reader.counts()?.observations))
    };
    let read = reader.reading(|| {
        // Large enough that the outbox becomes a file meanwhile.
        apply(&writer, &[&observation("2", 1, 3_000_000)]);
        counts()
    });
    assert_eq!(read.unwrap(), (1, 1, 1));
    assert_eq!(counts().unwrap(), (2, 2, 2), "after it, the reader sees the commit");
    let failed: Result<(), PortError> = reader.reading(|| Err(PortError::unavailable("read", "made up")));
    assert!(failed.is_err());
    assert_eq!(reader.reading(counts).unwrap(), (2, 2, 2));
}

#[test]
fn a_reader_cannot_write() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    apply(&open(folder.path()), &[&observation("1", 0, 0)]);
    let reader = Database::open_read(&path, &data).unwrap();
    let (id, home) = (HomeId("avito/2".into()), Home::default());
    let homes = vec![HomeChange::of(&id, 0, None, &home, true)];
    let seen = observation("2", 0, 3_000_000);
    let refused = now(reader.commit(&Commit { homes, observations: vec![&seen], ..Commit::default() }));
    assert!(refused.is_err());
    assert!(reader.set_checkpoint("alerts", 1).is_err());
    assert_eq!(reader.counts().unwrap().homes, 1);
    assert_eq!(files(&data), Vec::<String>::new());
}

#[test]
fn databases_may_share_a_data_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    let (_, data) = paths(folder.path());
    let [one, two] = ["one.db", "two.db"].map(|name| Database::open(&folder.path().join(name), &data).unwrap());
    let seen: Vec<_> = (0..8).map(|minute| observation(&minute.to_string(), minute, 600_000)).collect();
    for seen in &seen {
        apply(&one, &[seen]);
        apply(&two, &[seen]);
    }
    drop(Database::open(&folder.path().join("one.db"), &data).unwrap());
    assert!(files(&data).len() >= 2);
    assert_eq!(lake(&one), seen);
    assert_eq!(lake(&two), seen);
}
