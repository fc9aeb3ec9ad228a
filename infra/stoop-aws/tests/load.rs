//! A load of a lake of several parts, into a database instead of tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use stoop_aws_cli::{Pair, load};
use stoop_domain::{Address, Currency, Home, HomeId, Listing, Market, Minor, Observation, Purpose, Time};
use stoop_embedded::Database;
use stoop_market::Cells;
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Store, Versioned};

/// More than one part has.
const HOMES: i64 = 17_000;

fn observations() -> Vec<Observation> {
    let seen = |home: i64, day: i64| {
        let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
        let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
        listing.list_price = Some(Minor(50_000_000 + home * 1_000 + day));
        let at = Time::from_ms(1_768_392_000_000).plus_ms(day * Time::DAY_MS);
        Observation::new("avito", home.to_string(), at, listing)
    };
    (0..HOMES).map(|home| seen(home, 0)).chain((0..HOMES).step_by(2).map(|home| seen(home, 1))).collect()
}

fn open(folder: &Path) -> Arc<Database> {
    Database::open(&folder.join("stoop.db"), &folder.join("stoop-data")).unwrap()
}

fn pair() -> Pair {
    Pair { homes: "homes-b".into(), markets: "markets-b".into() }
}

/// A database that accepts this many commits and then fails, with DynamoDB's limit of items per commit.
struct Takes {
    database: Arc<Database>,
    commits: AtomicUsize,
    homes_written: AtomicUsize,
}

impl Takes {
    fn new(database: &Arc<Database>, commits: usize) -> Self {
        Self { database: Arc::clone(database), commits: commits.into(), homes_written: 0.into() }
    }
}

#[async_trait]
impl Store for Takes {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.database.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.database.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        let left = |commits: usize| commits.checked_sub(1);
        if self.commits.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return Err(PortError::unavailable("commit", "killed").into());
        }
        self.homes_written.fetch_add(commit.homes.len(), Ordering::SeqCst);
        self.database.commit(commit).await
    }

    fn commit_items_max(&self) -> usize {
        100
    }
}

/// All homes and the market, as stored.
async fn state(database: &Database) -> (Vec<Option<Versioned<Home>>>, Vec<Cells>) {
    let ids: Vec<HomeId> = (0..HOMES).map(|home| HomeId(format!("avito/{home}").as_str().into())).collect();
    let markets = database.markets(&database.market_ids().unwrap()).await.unwrap();
    (database.homes(&ids).await.unwrap(), markets.into_iter().map(|market| market.unwrap().value).collect())
}

#[tokio::test]
async fn a_killed_load_continues_with_the_same_part() {
    let folder = tempfile::tempdir().unwrap();
    let measured = open(folder.path());
    Measurer::new(&*measured).measure(&observations()).await.unwrap();
    let run =
        async |store: &Takes, program: &str| load(store, folder.path(), &pair(), program, &|| false, &|_| {}).await;
    // One part takes this long, and a few commits more.
    let other = tempfile::tempdir().unwrap();
    let tables = open(other.path());
    let killed = Takes::new(&tables, 180);
    run(&killed, "one").await.unwrap_err();
    assert!(killed.homes_written.load(Ordering::SeqCst) > 16_384);

    let goes_on = Takes::new(&tables, usize::MAX);
    let loaded = run(&goes_on, "one").await.unwrap();
    assert_eq!((loaded.parts, loaded.parts_before), (2, 1));
    let written = killed.homes_written.load(Ordering::SeqCst) + goes_on.homes_written.load(Ordering::SeqCst);
    assert_eq!(written as i64, HOMES, "each home is written once");
    let (homes, markets) = state(&tables).await;
    assert!(homes.iter().all(|home| home.as_ref().is_some_and(|home| home.version == 1)));
    let (expected, expected_markets) = state(&measured).await;
    assert!(homes.iter().zip(expected).all(|(one, other)| one.as_ref().unwrap().value == other.unwrap().value));
    assert_eq!(markets, expected_markets);

    // A finished load stays finished, for this program and this lake.
    assert_eq!(run(&Takes::new(&tables, 0), "one").await.unwrap().parts_before, 2);
    let again = Takes::new(&tables, 0);
    assert_eq!(run(&again, "two").await.unwrap().parts_before, 0, "and there was nothing to write");
    let mut more = observations()[0].clone();
    more.native_id = "new".into();
    Measurer::new(&*measured).measure(&[more]).await.unwrap();
    let last = Takes::new(&tables, 1);
    assert_eq!(run(&last, "two").await.unwrap().measured.new, 1);
}
