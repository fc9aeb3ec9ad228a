//! The state is a function of the set of observations: with any failures, conflicts, batches, repetitions and order,
//! the same bytes are stored.

mod batches;
mod gather;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;
use stoop_domain::{Home, HomeId, Market, Observation, Reason, Status};
use stoop_embedded::Database;
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Store, Versioned};
use stoop_pipeline::{MeasureError, Measured, Measurer};
use stoop_tests::Faulty;
use stoop_tests::made::{market_in, observation, observation_in};

const DAY: i64 = 24 * 60;
const CITIES: [&str; 3] = ["Agadir", "Fes", "Tanger"];

/// A database that fails on request.
struct Bench {
    database: Arc<Database>,
    store: Faulty<Database>,
    _folder: tempfile::TempDir,
}

/// The stored markets and homes.
type Image = (BTreeMap<Market, Vec<u8>>, BTreeMap<HomeId, Vec<u8>>);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        Self { store: Faulty::new(Arc::clone(&database)), database, _folder: folder }
    }

    /// Measures with an empty cache.
    async fn measure(&self, observations: &[Observation]) -> Result<Measured, MeasureError> {
        Measurer::new(&self.store).measure(observations).await
    }

    /// A market whose homes cancel out counts as missing.
    fn image(&self) -> Image {
        let markets = self.database.cells_where(|_| true).unwrap().into_iter();
        let markets = markets.filter(|(_, cells)| !cells.is_empty()).map(|(market, cells)| (market, cells.to_bytes()));
        let homes = self.database.homes_after(None, usize::MAX).unwrap().into_iter();
        (markets.collect(), homes.map(|(id, home)| (id, stoop_wire::home_to_bytes(&home))).collect())
    }

    /// The stored state is that of the stored observations, each of them stored once.
    fn verify(&self) {
        assert_eq!(self.database.verify(&|| false).unwrap().differences, Vec::<String>::new());
    }
}

/// Homes in three cities that cut their prices, move and are sold.
fn a_batch() -> Vec<Observation> {
    let mut batch = Vec::new();
    for i in 0..24_i64 {
        let (id, city) = (format!("h{i}"), CITIES[i as usize % 3]);
        batch.push(observation_in(city, &id, i, 900_000 + i * 1_000));
        batch.push(observation_in(city, &id, 60 + i, 800_000 + i * 1_000));
        if i % 4 == 0 {
            batch.push(observation_in(CITIES[(i as usize + 1) % 3], &id, 120 + i, 700_000));
        }
        if i % 6 == 0 {
            let mut sold = observation_in(city, &id, 180 + i, 700_000);
            sold.listing.status = Status::Closed;
            batch.push(sold);
        }
    }
    batch
}

async fn clean(observations: &[Observation]) -> Image {
    let bench = Bench::new();
    bench.measure(observations).await.unwrap();
    bench.verify();
    bench.image()
}

/// An observation as a few numbers: home, city, minutes, price, status.
type Seed = (u8, u8, i64, i64, u8);

fn seed(minutes: std::ops::Range<i64>) -> impl Strategy<Value = Seed> {
    (0..5_u8, prop_oneof![4 => 0..1_u8, 1 => 0..3_u8], minutes, 1..5_i64, 0..6_u8)
}

fn grown(seeds: &[Seed]) -> Vec<Observation> {
    let grow = |(home, city, minutes, price, status): &Seed| {
        let mut seen = observation_in(CITIES[usize::from(*city)], &format!("h{home}"), *minutes, price * 100_000);
        seen.listing.status = match status {
            0 => Status::Pending,
            1 => Status::Closed,
            2 => Status::Gone,
            _ => Status::Active,
        };
        seen
    };
    seeds.iter().map(grow).collect()
}

fn cut(observations: &[Observation], cuts: &[usize]) -> Vec<Vec<Observation>> {
    let mut rest = observations;
    let mut batches = Vec::new();
    for at in cuts {
        let (batch, after) = rest.split_at((*at).min(rest.len()));
        batches.push(batch.to_vec());
        rest = after;
    }
    batches.push(rest.to_vec());
    batches
}

#[tokio::test]
async fn conflicts_are_retried_until_there_are_too_many() {
    let want = clean(&a_batch()).await;
    let bench = Bench::new();
    bench.store.conflict_commits(3);
    let measured = bench.measure(&a_batch()).await.unwrap();
    assert_eq!((measured.conflicts, measured.new, measured.observations), (3, 24, a_batch().len() as u64));
    assert_eq!(bench.image(), want);
    bench.verify();

    let bench = Bench::new();
    bench.store.conflict_commits(usize::MAX);
    assert!(matches!(bench.measure(&a_batch()).await, Err(MeasureError::Contended)));
    assert_eq!(bench.image(), Image::default());
    bench.store.conflict_commits(0);
    bench.measure(&a_batch()).await.unwrap();
    assert_eq!(bench.image(), want);
}

#[tokio::test]
async fn a_batch_whose_response_was_lost_changes_nothing_the_second_time() {
    let want = clean(&a_batch()).await;
    for same_measurer in [true, false] {
        let bench = Bench::new();
        let mut measurer = Measurer::new(&bench.store);
        bench.store.lose_answers(1);
        assert!(measurer.measure(&a_batch()).await.is_err());
        assert_eq!(bench.image(), want, "it was stored all the same");
        let (stored, changes) = (bench.database.counts().unwrap(), bench.database.changes(0, usize::MAX).unwrap());
        let again =
            if same_measurer { measurer.measure(&a_batch()).await } else { bench.measure(&a_batch()).await }.unwrap();
        assert!(again.changed_nothing(), "{again:?}");
        assert_eq!(again.duplicates, a_batch().len() as u64);
        assert_eq!(bench.image(), want);
        assert_eq!(bench.database.counts().unwrap(), stored);
        assert_eq!(bench.database.changes(0, usize::MAX).unwrap(), changes);
        bench.verify();
    }
}

#[tokio::test]
async fn commits_of_few_items_give_the_state_of_one_commit() {
    let want = clean(&a_batch()).await;
    for items_max in 3..9 {
        let bench = Bench::new();
        bench.store.limit_items(items_max);
        let measured = bench.measure(&a_batch()).await.unwrap();
        assert_eq!(bench.image(), want, "at most {items_max} items");
        assert_eq!(measured.observations, a_batch().len() as u64);
        bench.verify();
    }
}

/// The fault of one commit.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Fail,
    Conflict,
    LoseAnswer,
}

/// A store with a fault at commit number `at`.
struct FaultAt<'a> {
    inner: &'a Faulty<Database>,
    fault: Fault,
    at: usize,
    commits: AtomicUsize,
}

#[async_trait]
impl Store for FaultAt<'_> {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.inner.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.inner.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        if self.commits.fetch_add(1, Ordering::SeqCst) == self.at {
            match self.fault {
                Fault::Fail => self.inner.fail_commits(1),
                Fault::Conflict => self.inner.conflict_commits(1),
                Fault::LoseAnswer => self.inner.lose_answers(1),
            }
        }
        self.inner.commit(commit).await
    }

    fn commit_items_max(&self) -> usize {
        self.inner.commit_items_max()
    }
}

#[tokio::test]
async fn the_same_batch_again_repairs_a_fault_at_any_commit() {
    let want = clean(&a_batch()).await;
    for fault in [Fault::Fail, Fault::Conflict, Fault::LoseAnswer] {
        for at in 0.. {
            let bench = Bench::new();
            bench.store.limit_items(8);
            let store = FaultAt { inner: &bench.store, fault, at, commits: AtomicUsize::new(0) };
            // The same measurer throughout: its cache must not hold anything that was never stored.
            let mut measurer = Measurer::new(&store);
            let first = measurer.measure(&a_batch()).await;
            let met = store.commits.load(Ordering::SeqCst) > at;
            assert_eq!(first.is_err(), met && !matches!(fault, Fault::Conflict), "{fault:?} at {at}");
            measurer.measure(&a_batch()).await.unwrap();
            assert_eq!(bench.image(), want, "{fault:?} at {at}");
            bench.verify();
            if !met {
                assert!(at > 4, "a batch of so few commits proves little");
                break;
            }
        }
    }
}

#[tokio::test]
async fn failed_reads_have_no_effect() {
    let want = clean(&a_batch()).await;
    let bench = Bench::new();
    let mut measurer = Measurer::new(&bench.store);
    bench.store.fail_reads(1);
    assert!(measurer.measure(&a_batch()).await.is_err());
    assert_eq!(bench.image(), Image::default());
    measurer.measure(&a_batch()).await.unwrap();
    assert_eq!(bench.image(), want);
}

#[tokio::test]
async fn two_measurers_with_caches_do_not_overwrite_each_other() {
    let batch = a_batch();
    let want = clean(&batch).await;
    let bench = Bench::new();
    let (mut one, mut two) = (Measurer::new(&bench.store), Measurer::new(&bench.store));
    let mut conflicts = 0;
    for (i, part) in batch.chunks(5).enumerate() {
        let measurer = if i % 2 == 0 { &mut one } else { &mut two };
        conflicts += measurer.measure(part).await.unwrap().conflicts;
    }
    assert!(conflicts > 0, "the other's write is noticed");
    assert_eq!(bench.image(), want);
    bench.verify();
}

/// Observations of 600 days, with something on most days, in one market.
fn two_years() -> Vec<Observation> {
    let homes = (0..12_i64).flat_map(|home| {
        let steps = (0..600 / 20).map(move |step| {
            let mut seen = observation("", (step * 20 + home) * DAY, 500_000 + home * 7_000 - step * 1_000);
            seen.native_id = format!("h{home}");
            if step % 7 == 6 {
                seen.listing.status = Status::Pending;
            }
            seen
        });
        steps.collect::<Vec<_>>()
    });
    let mut all: Vec<_> = homes.collect();
    all.sort_by_key(|observation| observation.at);
    all
}

#[tokio::test]
async fn folding_does_not_depend_on_the_cut_of_days_into_batches() {
    let apart = vec![observation("1", 0, 900_000), observation("2", 600 * DAY, 800_000)];
    let same_home = vec![observation("1", 0, 900_000), observation("1", 600 * DAY, 800_000)];
    for all in [apart, same_home, two_years()] {
        let (first, last) = (all.first().unwrap().at, all.last().unwrap().at);
        let mut seen: Option<(Image, Cells)> = None;
        for batch_len in [all.len(), 1, all.len() / 2, 50] {
            let bench = Bench::new();
            let mut measurer = Measurer::new(&bench.store);
            for batch in all.chunks(batch_len) {
                measurer.measure(batch).await.unwrap();
            }
            bench.verify();
            let market = market_in("Agadir");
            let archive = bench.database.archive(&market).unwrap();
            let cells = bench.database.cells(&market).unwrap().unwrap();
            let days = (last.ms() - first.ms()) / (DAY * 60_000);
            assert!(days > 500 && cells.horizon().is_some() && !archive.is_empty());
            let now = (bench.image(), archive);
            match &seen {
                None => seen = Some(now),
                Some(seen) => assert!(*seen == now, "batches of {batch_len} of {}", all.len()),
            }
        }
    }
}

#[tokio::test]
async fn how_far_a_market_is_folded_does_not_depend_on_the_order_or_the_batches() {
    // The fold advances at the midnight that begins 12 February, 28.5 days after the invented zero.
    let midnight = 28 * DAY + 12 * 60;
    let in_fes = |minutes, price| observation_in("Fes", "1", minutes, price);
    let withdrawn = |minutes| {
        let mut seen = observation("1", minutes, 900_000);
        seen.listing.status = Status::Withdrawn;
        seen
    };
    for (what, sequence) in [
        ("moved to another city", vec![observation("1", 0, 900_000), in_fes(40 * DAY, 900_000), in_fes(80 * DAY, 1)]),
        (
            "seen later first",
            vec![observation("1", midnight + 600, 900_000), observation("1", midnight - 600, 900_000)],
        ),
        ("only confirmed later", vec![observation("1", 0, 900_000), observation("1", 90 * DAY, 900_000)]),
        (
            "confirmed before it left",
            vec![
                observation("1", midnight - 600, 900_000),
                withdrawn(midnight + 900),
                observation("1", midnight + 600, 900_000),
            ],
        ),
        ("never on offer again", vec![observation("1", 0, 900_000), withdrawn(500 * DAY)]),
    ] {
        let want = clean(&sequence).await;
        let bench = Bench::new();
        for one in sequence.chunks(1) {
            bench.measure(one).await.unwrap();
        }
        assert_eq!(bench.image(), want, "{what}");
        bench.verify();
        let backwards: Vec<_> = sequence.into_iter().rev().collect();
        assert_eq!(clean(&backwards).await, want, "{what}, backwards");
    }
}

#[tokio::test]
async fn observations_years_late_are_counted_as_if_in_time() {
    let all = [observation("1", 3 * 365 * DAY, 900_000), observation("1", 0, 950_000), observation("2", DAY, 700_000)];
    let want = clean(&[all[1].clone(), all[2].clone(), all[0].clone()]).await;
    let bench = Bench::new();
    for one in all.chunks(1) {
        let measured = bench.measure(one).await.unwrap();
        assert!(!measured.changed_nothing());
        bench.verify();
    }
    assert_eq!(bench.image(), want);
    assert!(bench.measure(&all).await.unwrap().changed_nothing(), "all of it is known");
}

#[tokio::test]
async fn an_overfull_id_counts_nowhere_and_is_in_quarantine() {
    let bench = Bench::new();
    bench.measure(&[observation("1", 0, 900_000)]).await.unwrap();
    let want = bench.database.cells(&market_in("Agadir")).unwrap();
    let all: Vec<_> = (0..70).map(|n| observation("id", n, 100_000 + n)).collect();
    let mut measurer = Measurer::new(&bench.store);
    for part in all.chunks(30) {
        measurer.measure(part).await.unwrap();
    }
    bench.verify();
    assert_eq!(bench.database.cells(&market_in("Agadir")).unwrap(), want);
    let rejects = measurer.take_overfull(all[0].at);
    assert_eq!((rejects.len(), rejects[0].reason, rejects[0].rows), (1, Reason::Overfull, 1));
    assert_eq!(measurer.take_overfull(all[0].at), []);
    let again = measurer.measure(&all).await.unwrap();
    assert_eq!((again.overfull, again.changed_nothing()), (70, true));
    assert_eq!(measurer.take_overfull(all[0].at).len(), 1, "it is returned again as long as it continues");
}
