//! The cost of a commit of a replay batch: 20,000 observations of 5,000 homes in 200 markets.
//!
//! `cargo bench -p stoop-embedded --bench commit`. The important result is the time per observation.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stoop_domain::{Address, Currency, Home, HomeId, Listing, Market, Minor, Observation, Purpose, Status, Time};
use stoop_domain::{home_id, market_of};
use stoop_embedded::Database;
use stoop_market::{Cells, Zones, update};
use stoop_pipeline::ports::{Commit, HomeChange, MarketChange, Store};

const HOMES: usize = 5_000;
const EACH: usize = 4;
const MARKETS: usize = 200;

struct Batch {
    observations: Vec<Observation>,
    ids: Vec<HomeId>,
    before: Vec<Home>,
    after: Vec<Home>,
    markets: Vec<(Market, Cells)>,
}

fn observation(home: usize, step: usize) -> Observation {
    let address = Address {
        line: Some(format!("{} Lake Shore Drive", home * 7 % 9_999)),
        city: Some("Chicago".into()),
        region: Some("IL".into()),
        postal_code: Some(format!("{}", 60_001 + home % MARKETS)),
        country: Some("US".into()),
        latitude_e6: Some(41_000_000 + i32::try_from(home * 311 % 900_000).unwrap()),
        longitude_e6: Some(-87_000_000 - i32::try_from(home * 173 % 900_000).unwrap()),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(30_000_000 + i64::try_from(home * 1_000).unwrap()));
    // One home in ten has a price cut in its last observation.
    if home.is_multiple_of(10) && step == EACH - 1 {
        listing.list_price = listing.list_price.map(|Minor(price)| Minor(price / 10 * 9));
    }
    listing.status = Status::Active;
    listing.bedrooms = u8::try_from(home % 5).ok();
    listing.details.url = Some(format!("https://example.com/listing/{}", home * 104_729));
    let at = Time::from_ms(1_768_000_000_000 + i64::try_from(step * 3_600_000 + home).unwrap());
    // IDs are unordered, as in a feed.
    let native_id = format!("{:08}", home * 48_271 % 99_999_989);
    Observation::new("reso-mred", native_id, at, listing)
}

fn batch() -> Batch {
    let mut zones = Zones::default();
    let mut markets: std::collections::BTreeMap<Market, Cells> = std::collections::BTreeMap::new();
    let (mut ids, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for home in 0..HOMES {
        let mut image = Home::default();
        for step in 0..EACH - 1 {
            image.apply(&observation(home, step));
        }
        before.push(image.clone());
        let last = observation(home, EACH - 1);
        image.apply(&last);
        for (market, delta) in update(None, &image.history, &mut zones) {
            drop(markets.entry(market).or_default().add(&delta));
        }
        assert!(market_of(&last.listing).is_some());
        ids.push(home_id(&last));
        after.push(image);
    }
    let observations = (0..EACH).flat_map(|step| (0..HOMES).map(move |home| observation(home, step))).collect();
    Batch { observations, ids, before, after, markets: markets.into_iter().collect() }
}

impl Batch {
    fn commit(&self, version: u64, lake: bool, state: bool) -> Commit<'_> {
        let homes = self.ids.iter().zip(&self.before).zip(&self.after).enumerate();
        let homes = homes.map(|(i, ((id, before), after))| {
            let notable = version == 0 || i.is_multiple_of(10);
            HomeChange::of(id, version, (version > 0).then_some(before), after, notable)
        });
        let markets = self.markets.iter().map(|(market, new)| MarketChange {
            market,
            version_read: version,
            new,
            deltas: Vec::new(),
            fold_to: None,
            archived: Cells::default(),
        });
        Commit {
            homes: homes.filter(|_| state).collect(),
            markets: markets.filter(|_| state).collect(),
            observations: self.observations.iter().filter(|_| lake).collect(),
        }
    }
}

/// The futures of the database are always ready.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("SQLite does not wait"),
    }
}

fn commits(criterion: &mut Criterion) {
    let batch = batch();
    let fresh = || {
        let folder = tempfile::TempDir::new().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        (database, folder)
    };
    let mut group = criterion.benchmark_group("commit");
    group.throughput(Throughput::Elements(batch.observations.len() as u64)).sample_size(30);
    group.bench_function("encode only", |bencher| {
        let mut line = Vec::new();
        bencher.iter(|| {
            for observation in &batch.observations {
                line.clear();
                stoop_wire::encode(black_box(observation), &mut line);
            }
        });
    });
    group.bench_function("new homes", |bencher| {
        let commit = batch.commit(0, true, true);
        let routine = |(database, folder): (Arc<Database>, tempfile::TempDir)| {
            now(database.commit(&commit)).unwrap();
            (database, folder)
        };
        bencher.iter_batched(fresh, routine, BatchSize::PerIteration);
    });
    for (name, lake, state) in
        [("known homes", true, true), ("the lake alone", true, false), ("the state alone", false, true)]
    {
        group.bench_function(name, |bencher| {
            let (database, _folder) = fresh();
            now(database.commit(&batch.commit(0, true, true))).unwrap();
            let version = Cell::new(1);
            let setup = || batch.commit(version.get(), lake, state);
            let routine = |commit: Commit<'_>| {
                now(database.commit(&commit)).unwrap();
                version.set(version.get() + u64::from(state));
                // The alerts function reads the changes later and removes them.
                database.set_checkpoint("alerts", i64::MAX).unwrap();
            };
            bencher.iter_batched(setup, routine, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, commits);
criterion_main!(benches);
