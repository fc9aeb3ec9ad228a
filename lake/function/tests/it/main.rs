//! Ticks on a folder in the place of a bucket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Time};
use stoop_emf::Meter;
use stoop_lake_function::LakeHandler;
use stoop_lake_tables::{Bronze, Ingest, Lake, LakeTable, Maintained, Waiting};
use stoop_pipeline::Clock;

/// A clock that moves on with each look.
struct Ticking(AtomicI64);

impl Ticking {
    fn new() -> Self {
        Self(AtomicI64::new(1_770_100_000_000))
    }

    fn in_minutes(&self, minutes: i64) -> Time {
        Time::from_ms(self.0.load(Ordering::SeqCst) + minutes * 60_000)
    }
}

#[async_trait::async_trait]
impl Clock for Ticking {
    fn now(&self) -> Time {
        Time::from_ms(self.0.fetch_add(1_000, Ordering::SeqCst))
    }

    async fn sleep(&self, _: u64) {}
}

fn put_bronze(folder: &Path, name: &str, numbers: std::ops::Range<i64>) {
    let mut body = Vec::new();
    for number in numbers {
        let address = Address { city: Some("Wien".into()), country: Some("AT".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Rent, Currency::EUR, address);
        listing.list_price = Some(Minor(100_000 + number));
        let observation = Observation::new("test", number.to_string(), Time::from_ms(1_770_000_000_000), listing);
        stoop_wire::encode(&observation, &mut body);
        body.push(b'\n');
    }
    let folder = folder.join("lake/observations/dt=2026-02-02");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), body).unwrap();
}

#[tokio::test]
async fn a_tick_copies_what_is_new_and_leaves_the_rest_when_time_is_short() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let clock = Ticking::new();
    let meter = Meter::new("stoop", "lake");
    let app = LakeHandler { lake: lake.clone(), clock: &clock, meter: &meter };
    put_bronze(folder.path(), "a.jsonl", 0..10);
    put_bronze(folder.path(), "b.jsonl", 5..20);

    let none = app.handle(clock.in_minutes(0)).await.unwrap();
    assert!(none.left == 2 && none.maintained.is_empty() && none.ingested.lines == 0, "{none:?}");
    let all = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((all.ingested.objects, all.ingested.added, all.ingested.repeated), (2, 20, 5));
    assert!(all.left == 0 && all.maintained.len() == 4, "{all:?}");
    assert_eq!(LakeTable::read(&lake, "observations").await.unwrap().rows().unwrap(), 20);

    put_bronze(folder.path(), "c.jsonl", 18..25);
    let new = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((new.ingested.objects, new.ingested.added, new.ingested.repeated), (1, 5, 2));
    let merged = new.maintained.iter().find(|done| done.table == "observations").unwrap();
    assert_eq!((merged.files_merged, merged.files_written), (2, 1));
    let versions = 3 + 2 * 2 + 2;
    assert_eq!(
        all_versions(&lake).await,
        (versions, versions),
        "three tables, two ticks that add to two of them, merges"
    );
    assert_eq!(LakeTable::read(&lake, "observations").await.unwrap().rows().unwrap(), 25);
}

/// A tick died after it copied and before it recorded the versions; the next one has nothing else to do.
#[tokio::test]
async fn what_a_tick_that_died_did_not_record_is_recorded_by_one_with_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let (clock, meter) = (Ticking::new(), Meter::new("stoop", "lake"));
    put_bronze(folder.path(), "a.jsonl", 0..10);
    let mut died = Ingest::open(&lake, clock.now()).await.unwrap();
    let waiting = Waiting::list(&lake, &died.taken().await.unwrap()).await.unwrap();
    let chunk = Bronze::of_bucket(lake.clone(), waiting).next().await.unwrap().unwrap();
    died.take(&chunk, clock.now()).await.unwrap();

    let app = LakeHandler { lake: lake.clone(), clock: &clock, meter: &meter };
    let next = app.handle(clock.in_minutes(15)).await.unwrap();
    assert!(next.ingested.lines == 0 && next.maintained.iter().all(Maintained::is_idle), "{next:?}");
    let versions = 3 + 2;
    assert_eq!(all_versions(&lake).await, (versions, versions), "three tables, two with rows");
}

/// The rows of `versions`, and the versions of all other tables.
async fn all_versions(lake: &Lake) -> (u64, u64) {
    let mut kept = 0;
    for name in lake.tables().await.unwrap().iter().filter(|name| *name != "versions") {
        kept += LakeTable::read(lake, name).await.unwrap().version() + 1;
    }
    (LakeTable::read(lake, "versions").await.unwrap().rows().unwrap(), kept)
}

/// A file that is damaged, or empty, does not keep the others from the tables. The damaged one is read again each time, until
/// somebody mends or removes it.
#[tokio::test]
async fn a_damaged_file_and_one_without_bytes_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let clock = Ticking::new();
    let meter = Meter::new("stoop", "lake");
    let app = LakeHandler { lake: lake.clone(), clock: &clock, meter: &meter };
    put_bronze(folder.path(), "a.jsonl", 0..10);
    put_bronze(folder.path(), "c.jsonl", 10..20);
    let bronze = folder.path().join("lake/observations/dt=2026-02-02");
    // The beginning of a file that was cut off, one that is none, and one that stands for a folder.
    let whole = fs::read(bronze.join("c.jsonl")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &whole).unwrap();
    let compressed = encoder.finish().unwrap();
    fs::remove_file(bronze.join("c.jsonl")).unwrap();
    fs::write(bronze.join("b.jsonl.gz"), &compressed[..compressed.len() - 12]).unwrap();
    fs::write(bronze.join("b2.jsonl.gz"), b"\x1f\x8bno gzip at all").unwrap();
    fs::write(bronze.join("c.jsonl.gz"), b"").unwrap();
    put_bronze(folder.path(), "d.jsonl", 100..110);

    let first = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((first.ingested.objects, first.held, first.left), (2, 2, 2), "{first:?}");
    let rows = LakeTable::read(&lake, "observations").await.unwrap().rows().unwrap();
    assert!((20..30).contains(&rows), "both whole files, and what is left of a damaged one: {rows}");

    let again = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((again.ingested.objects, again.ingested.added, again.held), (0, 0, 2), "{again:?}");
    fs::write(bronze.join("b.jsonl.gz"), &compressed).unwrap();
    fs::remove_file(bronze.join("b2.jsonl.gz")).unwrap();
    let mended = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((mended.ingested.objects, mended.held, mended.left), (1, 0, 0), "{mended:?}");
    assert_eq!(LakeTable::read(&lake, "observations").await.unwrap().rows().unwrap(), 30);
}

/// A laptop's files in a bucket, a newer program's, and more files than a chunk has.
#[tokio::test]
async fn files_of_a_laptop_are_taken_and_those_of_a_newer_program_wait() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let clock = Ticking::new();
    let meter = Meter::new("stoop", "lake");
    let app = LakeHandler { lake: lake.clone(), clock: &clock, meter: &meter };
    put_bronze(folder.path(), "a.jsonl", 0..10);
    let bronze = folder.path().join("lake/observations/dt=2026-02-02");
    let whole = fs::read(bronze.join("a.jsonl")).unwrap();
    let (one, other) = whole.split_at(whole.iter().position(|byte| *byte == b'\n').unwrap() + 1);
    let frames = [one, other].map(|part| zstd::encode_all(part, 3).unwrap()).concat();
    fs::write(bronze.join("a.jsonl"), frames).unwrap();
    for file in 0..600 {
        put_bronze(folder.path(), &format!("b{file}.jsonl"), 100 + file..101 + file);
    }
    let newer = String::from_utf8(whole.clone()).unwrap().replace("{\"v\":3,", "{\"v\":4,");
    fs::write(bronze.join("c.jsonl"), newer).unwrap();

    let first = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((first.ingested.objects, first.ingested.added, first.ingested.newer), (601, 610, 10), "{first:?}");
    assert_eq!((first.held, first.left, first.ingested.quarantined), (1, 1, 0));
    let again = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((again.ingested.lines, again.held, again.left), (10, 1, 1), "{again:?}");
    // The newer program.
    fs::write(bronze.join("c.jsonl"), whole).unwrap();
    let updated = app.handle(clock.in_minutes(15)).await.unwrap();
    assert_eq!((updated.ingested.objects, updated.ingested.repeated, updated.left), (1, 10, 0), "{updated:?}");
}
