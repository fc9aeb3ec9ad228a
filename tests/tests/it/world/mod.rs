//! An unreliable store, execution environments that start and end, and records to feed them.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

mod fed;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::{Home, HomeId, Market, Reject, Time};
use stoop_embedded::Database;
use stoop_emf::Meter;
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Quarantine, Store, Versioned};
use stoop_tests::mapping::{Batch, Outcome, ShardId, Stream, pause};
use stoop_tests::{Faulty, StandingClock};

pub(crate) use fed::Fed;

/// The stored markets and homes.
pub(crate) type Image = (BTreeMap<Market, Vec<u8>>, BTreeMap<HomeId, Vec<u8>>);

/// A seed that prints itself when its case fails.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was seed {0}: STOOP_SEED={0} runs it again", self.0);
        }
    }
}

/// The seeds of a test, or the requested one.
pub(crate) fn seeds(count: u64) -> impl Iterator<Item = Seed> {
    let asked_for = std::env::var("STOOP_SEED").ok();
    let one = asked_for.map(|seed| seed.parse().expect("STOOP_SEED is a number"));
    let times =
        std::env::var("STOOP_SEEDS_TIMES").map_or(1, |times| times.parse().expect("STOOP_SEEDS_TIMES is a number"));
    one.map_or(0..count * times, |seed: u64| seed..seed + 1).map(Seed)
}

/// A database behind an unreliable network, and the environments of a function that uses it.
pub(crate) struct World {
    pub(crate) database: Arc<Database>,
    pub(crate) clock: StandingClock,
    pub(crate) meter: Meter,
    store: Faulty<Database>,
    dice: Mutex<Dice>,
    faults_permille: AtomicU64,
    _folder: tempfile::TempDir,
}

impl World {
    /// A new world at this time, in which each possible fault occurs in this many of a thousand calls.
    pub(crate) fn new(seed: u64, faults_permille: u64, now: Time) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        let store = Faulty::new(Arc::clone(&database));
        store.limit_items(100);
        let dice = Mutex::new(Dice::new(!seed));
        let (clock, meter) = (StandingClock::at(now), Meter::new("world", "metrics"));
        let faults_permille = AtomicU64::new(faults_permille);
        Self { database, clock, meter, store, dice, faults_permille, _folder: folder }
    }

    /// Stops all faults.
    pub(crate) fn calm(&self) {
        self.faults_permille.store(0, Ordering::SeqCst);
    }

    /// A market whose homes cancel out counts as missing.
    pub(crate) fn image(&self) -> Image {
        let markets = self.database.cells_where(|_| true).unwrap().into_iter();
        let markets = markets.filter(|(_, cells)| !cells.is_empty()).map(|(market, cells)| (market, cells.to_bytes()));
        let homes = self.database.homes_after(None, usize::MAX).unwrap().into_iter();
        (markets.collect(), homes.map(|(id, home)| (id, stoop_wire::home_to_bytes(&home))).collect())
    }

    /// The stored state is that of the stored observations, each of them stored once.
    pub(crate) fn verify(&self) {
        assert_eq!(self.database.verify(&|| false).unwrap().differences, Vec::<String>::new());
    }

    /// How many faults of a kind are due now: one or none.
    pub(crate) fn fault(&self) -> usize {
        let permille = self.faults_permille.load(Ordering::SeqCst);
        usize::from(self.dice.lock().unwrap().chance(permille))
    }
}

#[async_trait]
impl Store for World {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        pause().await;
        self.store.fail_reads(self.fault());
        let homes = self.store.homes(ids).await;
        pause().await;
        homes
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        pause().await;
        self.store.fail_reads(self.fault());
        let markets = self.store.markets(ids).await;
        pause().await;
        markets
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        // The commit happens between this pause and the next: a caller killed here never learns of it.
        pause().await;
        self.store.fail_commits(self.fault());
        self.store.conflict_commits(self.fault());
        self.store.lose_answers(self.fault());
        let committed = self.store.commit(commit).await;
        pause().await;
        committed
    }

    fn commit_items_max(&self) -> usize {
        self.store.commit_items_max()
    }
}

#[async_trait]
impl Quarantine for World {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        pause().await;
        let lost = PortError::unavailable("put rejects in quarantine", "a made-up fault");
        if self.fault() > 0 {
            return Err(lost);
        }
        let put = self.database.put(rejects).await;
        pause().await;
        if self.fault() > 0 { Err(lost) } else { put }
    }
}

/// The execution environments of a function, each with its cache. A killed invocation ends its environment.
pub(crate) struct Environments<E, Make> {
    make: Make,
    warm: RefCell<Vec<E>>,
    started: Cell<u64>,
}

impl<E, Make: Fn() -> E> Environments<E, Make> {
    pub(crate) fn new(make: Make) -> Self {
        Self { make, warm: RefCell::default(), started: Cell::new(0) }
    }

    /// Invokes a function with a batch, in a free environment or a new one.
    pub(crate) async fn invoke(&self, batch: Batch, function: &impl AsyncFn(&mut E, &Batch) -> Outcome) -> Outcome {
        let warm = self.warm.borrow_mut().pop();
        let mut environment = warm.unwrap_or_else(|| {
            self.started.set(self.started.get() + 1);
            (self.make)()
        });
        let outcome = function(&mut environment, &batch).await;
        self.warm.borrow_mut().push(environment);
        outcome
    }

    /// How many environments were killed.
    pub(crate) fn killed(&self) -> u64 {
        self.started.get() - self.warm.borrow().len() as u64
    }
}

/// Splits or merges shards occasionally.
pub(crate) fn reshard(dice: &mut Dice, stream: &mut Stream) {
    let open: Vec<ShardId> = stream.open_shards().collect();
    match dice.below(4) {
        0 if open.len() < 5 => drop(stream.split(open[dice.below(open.len())])),
        1 if open.len() > 1 => {
            let shard = open[dice.below(open.len())];
            if let Some(next) = stream.next_to(shard) {
                stream.merge(shard, next);
            }
        }
        _ => {}
    }
}
