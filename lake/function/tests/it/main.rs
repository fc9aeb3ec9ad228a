//! Ticks on a folder in the place of a bucket.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Time};
use stoop_lake_function::App;
use stoop_lake_tables::{Lake, Table};
use stoop_pipeline::Clock;

/// A clock that moves on with each look.
struct Ticking(AtomicI64);

#[async_trait::async_trait]
impl Clock for Ticking {
    fn now(&self) -> Time {
        Time::from_ms(self.0.fetch_add(1_000, Ordering::SeqCst))
    }

    async fn sleep(&self, _: u64) {}

    fn jumped_ms(&self) -> i64 {
        0
    }
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
    let clock = Ticking(AtomicI64::new(1_770_100_000_000));
    let app = App { lake: lake.clone(), clock: &clock };
    let in_minutes = |minutes: i64| Time::from_ms(clock.0.load(Ordering::SeqCst) + minutes * 60_000);
    put_bronze(folder.path(), "a.jsonl", 0..10);
    put_bronze(folder.path(), "b.jsonl", 5..20);

    let none = app.handle(in_minutes(0)).await.unwrap();
    assert!(none.left && none.maintained.is_empty() && none.ingested.lines == 0, "{none:?}");
    let all = app.handle(in_minutes(15)).await.unwrap();
    assert_eq!((all.ingested.objects, all.ingested.added, all.ingested.repeated), (2, 20, 5));
    assert!(!all.left && all.maintained.len() == 3, "{all:?}");
    assert_eq!(Table::read(&lake, "observations").await.unwrap().rows().unwrap(), 20);

    put_bronze(folder.path(), "c.jsonl", 18..25);
    let new = app.handle(in_minutes(15)).await.unwrap();
    assert_eq!((new.ingested.objects, new.ingested.added, new.ingested.repeated), (1, 5, 2));
    let merged = new.maintained.iter().find(|done| done.table == "observations").unwrap();
    assert_eq!((merged.files_merged, merged.files_written), (2, 1));
    assert_eq!(Table::read(&lake, "observations").await.unwrap().rows().unwrap(), 25);
}
