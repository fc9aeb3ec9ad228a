//! Merged homes on DynamoDB: the states are those of the laptop, whatever happens in between.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use stoop_aws::{DynamoStore, StackAreas};
use stoop_aws_cli::Pulled;
use stoop_dice::Dice;
use stoop_domain::{Home, HomeId, Market, Observation, Time};
use stoop_embedded::{Database, Merging};
use stoop_identity::MODEL_VERSION;
use stoop_market::Cells;
use stoop_pipeline::ports::{
    Browse, CommitError, CountyRecord, MarketChange, MergedMarket, MergedMarkets, MergingTerms, PortError, RollUps,
    Store, Versioned, Views,
};
use stoop_pipeline::{Measurer, MergeRequest, MergedCounties, mark_counties, merge_counties, roll_up_all};
use stoop_simulation::adverts::{AddressCustom, Adverts};
use stoop_tests::made;

use super::town::{Town, verify};
use crate::dynamo::{MemoryLake, Tables, clients};

/// The observations of simulated adverts, in the order of time.
fn adverts(seed: u64, homes: u32) -> Vec<Observation> {
    let adverts = Adverts::of(seed, AddressCustom::Numbered, homes);
    let mut observations: Vec<Observation> = adverts.into_iter().flat_map(|advert| advert.observations).collect();
    observations.sort_by_key(|observation| observation.at);
    observations
}

fn terms(except: &[&str]) -> MergingTerms {
    MergingTerms { except: except.iter().map(|source| (*source).to_owned()).collect(), model: MODEL_VERSION }
}

/// Every market, in order, with all its days.
type States = Vec<(Market, Cells)>;

/// The laptop's states, merged if there are terms.
async fn on_a_laptop(observations: &[Observation], except: Option<&[&str]>) -> States {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
    Measurer::new(&*database).measure(observations).await.unwrap();
    if let Some(except) = except {
        database.begin_merging(&Merging::except(except.iter().map(|source| (*source).to_owned()))).unwrap();
        database.merge_listings(&|| false).unwrap();
    }
    let state = |market: Market| {
        let cells = database.cells(&market).unwrap().unwrap_or_default();
        let cells = cells.with_archive(&database.archive(&market).unwrap());
        (market, cells)
    };
    database.market_ids().unwrap().into_iter().map(state).collect()
}

async fn on_aws(tables: &Tables) -> States {
    let (store, views) = (tables.store(&Arc::new(MemoryLake::default())), tables.views());
    let markets = views.market_ids().await.unwrap();
    let states = store.markets(&markets).await.unwrap();
    let mut found = States::new();
    for (market, state) in markets.into_iter().zip(states) {
        let archive = views.archive(&market).await.unwrap();
        found.push((market, state.unwrap().value.with_archive(&archive)));
    }
    found
}

impl Town {
    fn store(&self) -> Arc<DynamoStore> {
        self.tables.store(&Arc::new(MemoryLake::default()))
    }

    fn areas(&self) -> StackAreas {
        StackAreas::new(clients().dynamodb(), clients().s3(), &self.tables.markets, &self.bucket.name)
    }
}

/// A market with merged homes.
async fn a_merged_market(town: &Town) -> (Market, MergedMarket) {
    for (market, _) in on_aws(&town.tables).await {
        let merged = town.store().merged(&market).await.unwrap();
        if merged.homes().count() > 0 {
            return (market, merged);
        }
    }
    panic!("no market has a merged home");
}

/// A pass that read the counties a while ago.
struct Stale {
    store: Arc<DynamoStore>,
    counties: Vec<CountyRecord>,
}

#[async_trait]
impl MergedMarkets for Stale {
    async fn counties(&self) -> Result<Vec<CountyRecord>, PortError> {
        Ok(self.counties.clone())
    }

    async fn mark(&self, _: &str) -> Result<(), PortError> {
        Ok(())
    }

    async fn settle(&self, _: &CountyRecord) -> Result<(), PortError> {
        Ok(())
    }

    async fn listings(&self, markets: &[Market], limit: usize) -> Result<Option<Vec<(HomeId, Home)>>, PortError> {
        self.store.listings(markets, limit).await
    }

    async fn merged(&self, market: &Market) -> Result<MergedMarket, PortError> {
        self.store.merged(market).await
    }

    async fn whole(&self, market: &Market) -> Result<Option<(Versioned<Cells>, MergedMarket)>, PortError> {
        self.store.whole(market).await
    }

    async fn replace(&self, change: &MarketChange<'_>, merged: &MergedMarket) -> Result<(), CommitError> {
        self.store.replace(change, merged).await
    }
}

/// A pass at this minute.
async fn pass(town: &Town, terms: Option<&MergingTerms>, minute: i64) -> MergedCounties {
    let request = MergeRequest { terms, now: made::minute(minute), all: false, listings_max: 10_000 };
    let done = merge_counties(&town.areas(), &*town.store(), request, &|| false).await.unwrap();
    assert_eq!((done.failed, &*done.too_large), (0, [].as_slice()));
    done
}

/// Rolls up what changed, and marks its counties.
async fn settle(town: &Town) {
    let changed = town.areas().changed().await.unwrap();
    mark_counties(&*town.store(), Some(&terms(&[])), changed.iter()).await.unwrap();
    rolled_up(town).await;
}

async fn rolled_up(town: &Town) {
    let done = roll_up_all(&town.areas(), made::minute(0), &|| false).await.unwrap();
    assert_eq!((done.left, done.failed), (0, 0));
}

#[tokio::test]
async fn the_states_are_those_of_the_laptop_whatever_happened_in_between() {
    let observations = adverts(11, 40);
    let town = Town::of(&[]).await;
    let except = ["alder"];
    let (all, some) = (terms(&[]), terms(&except));
    let mut dice = Dice::new(11);
    for (n, batch) in observations.chunks(60).enumerate() {
        town.take(n, batch).await;
        let minute = 20 * n as i64;
        match dice.below(6) {
            0 | 1 => drop(pass(&town, Some(&all), minute).await),
            2 => drop(pass(&town, Some(&some), minute).await),
            3 => drop(pass(&town, None, minute).await),
            4 => settle(&town).await,
            _ => {}
        }
    }
    // One pass marks what changed, the next one merges it, and a third has nothing to do.
    let expected = on_a_laptop(&observations, Some(&[])).await;
    assert_ne!(expected, on_a_laptop(&observations, None).await);
    pass(&town, Some(&all), 10_000).await;
    settle(&town).await;
    assert!(pass(&town, Some(&all), 10_020).await.counties > 0);
    settle(&town).await;
    assert_eq!(on_aws(&town.tables).await, expected);
    let last = pass(&town, Some(&all), 10_040).await;
    assert_eq!((last.written, last.waiting), (0, 0));
    settle(&town).await;

    // What is pulled has the state of the listings, and the merged homes are checked against them.
    let Pulled { wrong, wrongs, counties, .. } = town.pull().await;
    assert_eq!((wrong, wrongs), (0, Vec::new()));
    assert!(counties > 0);
    assert_eq!(verify(&town.pulled()).differences, Vec::<String>::new());

    assert!(pass(&town, Some(&some), 10_060).await.counties > 0, "other terms are a change");
    assert_eq!(on_aws(&town.tables).await, on_a_laptop(&observations, Some(&except)).await);
    for minute in [10_061, 10_062] {
        pass(&town, None, minute).await;
        assert_eq!(on_aws(&town.tables).await, on_a_laptop(&observations, None).await);
    }
    assert!(!town.tables.browse().merges().await.unwrap());
    for (market, _) in on_aws(&town.tables).await {
        assert_eq!(town.tables.merged_parts(&market).await, Vec::<String>::new());
    }
    town.delete().await;
}

#[tokio::test]
async fn lists_have_the_listing_that_speaks_and_pulls_find_what_does_not_follow() {
    let observations = adverts(5, 30);
    let town = Town::of(std::slice::from_ref(&observations)).await;
    let browse = town.tables.browse();
    assert!(!browse.merges().await.unwrap());
    let all = terms(&[]);
    for minute in [0, 20, 40] {
        pass(&town, Some(&all), minute).await;
        settle(&town).await;
    }
    assert!(browse.merges().await.unwrap());
    let counts = browse.merged().await.unwrap().unwrap();
    assert!(counts.homes > 5 && counts.listings > counts.homes && counts.counties_waiting == 0, "{counts:?}");

    let (mut shown, mut left_out) = (0, 0);
    for (market, _) in on_aws(&town.tables).await {
        let ids = |homes: Vec<(HomeId, _)>| homes.into_iter().map(|(id, _)| id).collect::<BTreeSet<HomeId>>();
        let homes = ids(browse.homes_of(&market, None, 1_000).await.unwrap());
        let listings = ids(browse.listings_of(&market, None, 1_000).await.unwrap());
        let merged = town.store().merged(&market).await.unwrap();
        assert!(homes.is_subset(&listings));
        for home in merged.homes() {
            let of_home: Vec<_> = home.listings.iter().filter(|listing| homes.contains(*listing)).collect();
            assert!(of_home.len() <= 1, "{home:?} is there twice");
        }
        // A page is full although some are left out.
        if homes.len() > 2 {
            assert_eq!(browse.homes_of(&market, None, 2).await.unwrap().len(), 2);
        }
        (shown, left_out) = (shown + homes.len(), left_out + listings.len() - homes.len());
    }
    assert!(shown > 10 && left_out > 3, "{shown} {left_out}");

    let (market, merged) = a_merged_market(&town).await;
    let whole = town.store().whole(&market).await.unwrap().unwrap();
    let mut without: MergedMarket = merged;
    without.counties.values_mut().for_each(|county| drop(county.homes.remove(0)));
    let Versioned { value, version } = whole.0;
    let change = MarketChange {
        market: &market,
        version_read: version,
        new: &value,
        deltas: Vec::new(),
        fold_to: None,
        archived: Cells::default(),
    };
    town.store().replace(&change, &without).await.unwrap();
    rolled_up(&town).await;
    let Pulled { wrong, wrongs, .. } = town.pull().await;
    assert_eq!(wrong, 1, "{wrongs:?}");
    assert!(wrongs[0].starts_with("the merged home ") && wrongs[0].ends_with("differs from what its listings give"));
    town.delete().await;
}

#[tokio::test]
async fn a_pass_that_knew_less_overwrites_nothing_and_marks_are_not_lost() {
    let observations = adverts(7, 20);
    let town = Town::of(std::slice::from_ref(&observations)).await;
    let (store, all) = (town.store(), terms(&[]));
    pass(&town, Some(&all), 0).await;
    let known = store.counties().await.unwrap();
    // The county changes between a pass that has begun and its end.
    for county in &known {
        store.mark(&county.county).await.unwrap();
        let old = CountyRecord { merged: county.changes, merged_at: Some(Time::default()), ..county.clone() };
        store.settle(&old).await.unwrap();
    }
    let after = store.counties().await.unwrap();
    assert_eq!(after.len(), known.len());
    assert!(after.iter().all(|county| county.changes == county.merged + 1));

    pass(&town, Some(&all), 40).await;
    let (market, merged) = a_merged_market(&town).await;
    assert!(merged.counties.values().all(|county| county.changes == 2));
    let stale = Stale { store: store.clone(), counties: known };
    let other = terms(&["alder", "birch", "cedar"]);
    let request = MergeRequest { terms: Some(&other), now: made::minute(60), all: false, listings_max: 10_000 };
    merge_counties(&town.areas(), &stale, request, &|| false).await.unwrap();
    assert_eq!(store.merged(&market).await.unwrap(), merged);
    town.delete().await;
}
