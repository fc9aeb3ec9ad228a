use std::sync::Arc;

use async_trait::async_trait;
use stoop_domain::{Day, Home, HomeId, Market, Observation};
use stoop_market::{Cells, Delta, Horizon, Zones, update};
use stoop_pipeline::ports::{Change, Commit, CommitError, HomeChange, MarketChange, Store};

use crate::made;

/// Access to what a store wrote elsewhere.
#[async_trait]
pub trait StoreWitness: Send + Sync {
    /// The lake, in any order.
    async fn lake(&self) -> Vec<Observation>;
    /// The change feed from the beginning: the changes of each home in order.
    async fn changes(&self) -> Vec<Change>;
    /// The archive of a market.
    async fn archive(&self, market: &Market) -> Cells;
    /// Whether the lake holds each observation exactly once (otherwise at least once).
    fn exactly_once(&self) -> bool;
}

/// A new store and its witness.
type Fresh = (Arc<dyn Store>, Arc<dyn StoreWitness>);

/// The contract of [`Store`]. `make` returns a new, empty store each time.
pub async fn store_conformance(make: impl AsyncFn() -> Fresh) {
    what_is_not_there_has_no_version(make().await).await;
    what_is_committed_is_read_back(make().await).await;
    a_version_that_is_not_the_stored_one_is_a_conflict(make().await).await;
    notable_changes_are_on_the_feed_in_order(make().await).await;
    observations_are_kept(make().await).await;
    an_archive_is_the_sum_of_all_that_was_archived(make().await).await;
    a_market_that_grows_and_is_folded_is_read_as_it_was_left(make().await).await;
    a_commit_of_the_largest_size_is_stored(make().await).await;
    writers_who_race_lose_nothing(make().await).await;
    writers_who_race_archive_each_thing_once(make().await).await;
}

async fn what_is_not_there_has_no_version((store, witness): Fresh) {
    let (id, _) = made::home(&[&made::observation("1", 0, 1)]);
    assert_eq!(store.homes(&[]).await.unwrap(), []);
    assert_eq!(store.markets(&[]).await.unwrap(), []);
    assert_eq!(store.homes(&[id.clone(), id]).await.unwrap(), [None, None]);
    assert_eq!(store.markets(&[made::market_in("Agadir")]).await.unwrap(), [None]);
    store.commit(&Commit::default()).await.unwrap();
    assert!(witness.lake().await.is_empty() && witness.changes().await.is_empty());
}

async fn what_is_committed_is_read_back((store, _): Fresh) {
    let market = made::market_in("Agadir");
    let (mut home, mut id, mut cells) = (None, None, Cells::default());
    for version in 0..4_i64 {
        let observation = made::observation("1", version, 900_000 - version);
        let mut new = home.clone().unwrap_or_default();
        let (deltas, _) = apply(&mut new, &observation, home.as_ref(), &mut cells);
        let (of, _) = made::home(&[&observation]);
        let commit = Commit {
            homes: vec![change(&of, version.cast_unsigned(), home.as_ref(), &new)],
            markets: vec![MarketChange {
                deltas: deltas.iter().map(|(_, delta)| delta).collect(),
                ..market_change(&market, version.cast_unsigned(), &cells)
            }],
            ..Commit::default()
        };
        store.commit(&commit).await.unwrap();
        (home, id) = (Some(new), Some(of));
        let stranger = HomeId("avito/none".into());
        let read = store.homes(&[stranger, id.clone().unwrap()]).await.unwrap();
        assert_eq!(read[0], None);
        let read = read[1].as_ref().unwrap();
        assert_eq!((Some(&read.value), read.version), (home.as_ref(), version.cast_unsigned() + 1));
        let read = store.markets(&[made::market_in("Rabat"), market.clone()]).await.unwrap();
        assert_eq!(read[0], None);
        let read = read[1].as_ref().unwrap();
        assert_eq!((&read.value, read.version), (&cells, version.cast_unsigned() + 1));
    }
    let moved = made::home(&[&made::observation_in("Rabat", "1", 9, 1)]).1;
    let id = id.unwrap();
    let commit = Commit { homes: vec![change(&id, 4, home.as_ref(), &moved)], ..Commit::default() };
    store.commit(&commit).await.unwrap();
    let read = store.homes(std::slice::from_ref(&id)).await.unwrap();
    assert_eq!(read[0].as_ref().unwrap().value, moved, "a home may move to another market");
}

async fn a_version_that_is_not_the_stored_one_is_a_conflict((store, witness): Fresh) {
    let market = made::market_in("Agadir");
    let (there, home) = made::home(&[&made::observation("there", 0, 1)]);
    let (fresh, fresh_home) = made::home(&[&made::observation("fresh", 0, 1)]);
    let cells = Cells::default();
    let first = Commit {
        homes: vec![change(&there, 0, None, &home)],
        markets: vec![market_change(&market, 0, &cells)],
        ..Commit::default()
    };
    store.commit(&first).await.unwrap();
    let before = (witness.lake().await, witness.changes().await);

    let observation = made::observation("fresh", 0, 1);
    let (market_there, market_fresh) = (market, made::market_in("Rabat"));
    // Each commit has one wrong version next to a right one, in either order.
    for (home_version, market_version, market) in [
        (0, 1, &market_there),
        (2, 1, &market_there),
        (1, 0, &market_there),
        (1, 2, &market_there),
        (1, 1, &market_fresh),
    ] {
        for turned in [false, true] {
            let mut homes =
                vec![change(&fresh, 0, None, &fresh_home), change(&there, home_version, Some(&home), &fresh_home)];
            if turned {
                homes.reverse();
            }
            let mut markets = vec![market_change(market, market_version, &cells)];
            markets[0].archived = made::archived(std::slice::from_ref(&observation));
            let commit = Commit { homes, markets, observations: vec![&observation] };
            let refused = store.commit(&commit).await;
            assert!(matches!(refused, Err(CommitError::Conflict)), "{home_version}, {market_version}: {refused:?}");
        }
    }
    let missing = Commit { homes: vec![change(&fresh, 1, Some(&home), &fresh_home)], ..Commit::default() };
    assert!(matches!(store.commit(&missing).await, Err(CommitError::Conflict)), "an update of a missing item");

    let homes = store.homes(&[there, fresh]).await.unwrap();
    assert_eq!(homes[0].as_ref().map(|stored| (stored.version, &stored.value)), Some((1, &home)));
    assert_eq!(homes[1], None, "nothing of a refused commit is stored");
    let markets = store.markets(&[market_there.clone(), market_fresh.clone()]).await.unwrap();
    assert_eq!(markets[0].as_ref().map(|stored| stored.version), Some(1));
    assert_eq!(markets[1], None);
    assert_eq!(witness.changes().await, before.1);
    for market in [market_there, market_fresh] {
        assert_eq!(witness.archive(&market).await, Cells::default());
    }
    if witness.exactly_once() {
        assert_eq!(witness.lake().await, before.0);
    }
}

async fn notable_changes_are_on_the_feed_in_order((store, witness): Fresh) {
    let mut expected = Vec::new();
    let mut homes: Vec<Option<Home>> = vec![None, None];
    for version in 0..5_u64 {
        let mut news = Vec::new();
        for (i, old) in homes.iter().enumerate() {
            let observation = made::observation(&i.to_string(), version.cast_signed(), 1_000 - version.cast_signed());
            let mut new = old.clone().unwrap_or_default();
            new.apply(&observation);
            news.push((made::home(&[&observation]).0, new));
        }
        let notable = version != 2;
        let changes = news.iter().zip(&homes);
        let changes = changes.map(|((id, new), old)| HomeChange { notable, ..change(id, version, old.as_ref(), new) });
        let commit = Commit { homes: changes.collect(), ..Commit::default() };
        store.commit(&commit).await.unwrap();
        for ((id, new), old) in news.into_iter().zip(&mut homes) {
            let old = old.replace(new.clone());
            if notable {
                expected.push(Change { home: id, old, new });
            }
        }
    }
    let mut seen: Vec<Change> = Vec::new();
    for change in witness.changes().await {
        if !seen.contains(&change) {
            seen.push(change);
        }
    }
    for id in ["avito/0", "avito/1"] {
        let of = |changes: &[Change]| -> Vec<Change> {
            changes.iter().filter(|change| change.home.as_str() == id).cloned().collect()
        };
        assert_eq!(of(&seen), of(&expected));
    }
    assert_eq!(seen.len(), expected.len(), "only notable changes are on the feed");
}

async fn observations_are_kept((store, witness): Fresh) {
    let observations: Vec<_> = (0..50).map(|i| made::observation(&i.to_string(), i, 900_000)).collect();
    for some in observations.chunks(7) {
        store.commit(&Commit { observations: some.iter().collect(), ..Commit::default() }).await.unwrap();
    }
    let mut kept = witness.lake().await;
    kept.sort_by_key(|seen| (seen.at, seen.native_id.clone()));
    if !witness.exactly_once() {
        kept.dedup();
    }
    assert_eq!(kept, observations);
}

async fn an_archive_is_the_sum_of_all_that_was_archived((store, witness): Fresh) {
    let [market, other] = ["Agadir", "Rabat"].map(made::market_in);
    assert_eq!(witness.archive(&market).await, Cells::default(), "an unknown market");
    let (cells, mut sum) = (Cells::default(), Cells::default());
    for version in 0..80_i64 {
        // Small and large states (larger than an item of any store), on successive days and long ago, and repetitions.
        let seen = match version {
            40 => made::scattered(45_000),
            _ if version % 9 == 8 => made::scattered(300),
            _ => (0..version % 3).map(|i| made::observation("1", (version / 2 * 40 + i) * 1_440, 900_000)).collect(),
        };
        let archived = made::archived(&seen);
        assert_eq!(archived.is_empty(), seen.is_empty());
        sum.merge(&archived);
        let mut markets = vec![MarketChange { archived, ..market_change(&market, version.cast_unsigned(), &cells) }];
        if version % 2 == 0 {
            markets.push(market_change(&other, version.cast_unsigned() / 2, &cells));
        }
        store.commit(&Commit { markets, ..Commit::default() }).await.unwrap();
        if version % 13 == 0 || version == 40 {
            assert_eq!(witness.archive(&market).await.first_difference(&sum), None, "after {version} commits");
        }
    }
    assert_eq!(witness.archive(&market).await.first_difference(&sum), None);
    assert_eq!(witness.archive(&other).await, Cells::default(), "of a market of which nothing was archived");
}

/// Far more than any item, page or request of a store holds, a little at a time; some of it folded, some of it late.
async fn a_market_that_grows_and_is_folded_is_read_as_it_was_left((store, witness): Fresh) {
    let market = made::market_in("Agadir");
    let (mut cells, mut archive) = (Cells::default(), Cells::default());
    for version in 0..120_u64 {
        let day = if version % 7 == 6 { -30 } else { version.cast_signed() };
        let seen = (0..if version % 10 == 9 { 400 } else { 3 })
            .map(|i| made::observation(&format!("{version}-{i}"), day * 1_440, 500_000 + i * 1_000));
        let (mut deltas, mut archived): (Vec<(Market, Delta)>, Cells) = (Vec::new(), Cells::default());
        for seen in seen {
            let (more, late) = apply(&mut Home::default(), &seen, None, &mut cells);
            deltas.extend(more);
            archived.merge(&late);
        }
        let day = Day(20_467 + i32::try_from(version).unwrap());
        let fold_to = (version % 40 == 39).then_some(Horizon { days: day, hours: day });
        fold_to.into_iter().for_each(|horizon| archived.merge(&cells.fold_to(horizon)));
        archive.merge(&archived);
        let deltas = deltas.iter().map(|(_, delta)| delta).collect();
        let change = MarketChange { deltas, fold_to, archived, ..market_change(&market, version, &cells) };
        store.commit(&Commit { markets: vec![change], ..Commit::default() }).await.unwrap();
        let read = store.markets(std::slice::from_ref(&market)).await.unwrap().remove(0).unwrap();
        assert_eq!(read.version, version + 1);
        assert_eq!(read.value.first_difference(&cells), None, "after {version} commits before this");
    }
    assert!(!archive.is_empty());
    assert_eq!(witness.archive(&market).await.first_difference(&archive), None);
}

async fn a_commit_of_the_largest_size_is_stored((store, _): Fresh) {
    let items = store.commit_items_max().min(2_000);
    assert!(items >= 2, "a home and its market must fit");
    let observations: Vec<_> = (1..items).map(|i| made::observation(&i.to_string(), 0, 1)).collect();
    let homes: Vec<_> = observations.iter().map(|observation| made::home(&[observation])).collect();
    let (market, cells) = (made::market_in("Agadir"), Cells::default());
    let commit = Commit {
        homes: homes.iter().map(|(id, home)| change(id, 0, None, home)).collect(),
        markets: vec![market_change(&market, 0, &cells)],
        observations: observations.iter().collect(),
    };
    store.commit(&commit).await.unwrap();
    let ids: Vec<_> = homes.iter().map(|(id, _)| id.clone()).collect();
    let read = store.homes(&ids).await.unwrap();
    assert!(read.iter().zip(&homes).all(|(read, (_, home))| read.as_ref().is_some_and(|read| read.value == *home)));
}

/// Two writers alternate with what they read before the other wrote; each retries until it succeeds.
async fn writers_who_race_lose_nothing((store, _): Fresh) {
    let observations: Vec<_> = (0..20).map(|i| made::observation("1", i, 900_000 - i)).collect();
    let (id, everything) = made::home(&observations.iter().collect::<Vec<_>>());
    let mut read = [None, None];
    let mut conflicts = 0;
    for (i, observation) in observations.iter().enumerate() {
        loop {
            let mine = &mut read[i % 2];
            let (version, old): (u64, Option<Home>) = mine.clone().unwrap_or((0, None));
            let mut new = old.clone().unwrap_or_default();
            new.apply(observation);
            let commit = Commit { homes: vec![change(&id, version, old.as_ref(), &new)], ..Commit::default() };
            match store.commit(&commit).await {
                Ok(()) => {
                    *mine = Some((version + 1, Some(new)));
                    break;
                }
                Err(CommitError::Conflict) => conflicts += 1,
                Err(error) => panic!("{error}"),
            }
            assert!(conflicts < 20, "a conflict with nobody");
            let stored = store.homes(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
            *mine = Some((stored.version, Some(stored.value)));
        }
    }
    assert_eq!(conflicts, 19, "each write but the first was overtaken once");
    let stored = store.homes(&[id]).await.unwrap().remove(0).unwrap();
    assert_eq!((stored.value, stored.version), (everything, 20));
}

/// Two writers archive alternately, each on the version it knows, until it succeeds.
async fn writers_who_race_archive_each_thing_once((store, witness): Fresh) {
    let (market, cells) = (made::market_in("Agadir"), Cells::default());
    let (mut versions, mut sum, mut conflicts) = ([0, 0], Cells::default(), 0);
    for i in 0..20_usize {
        let homes = (0..if i % 5 == 4 { 200 } else { 1 }).map(|home| (home, i64::try_from(i).unwrap() * 1_440));
        let seen: Vec<_> = homes.map(|(home, at)| made::observation("1", at + home, 400_000 + home * 1_000)).collect();
        let archived = made::archived(&seen);
        sum.merge(&archived);
        let version = &mut versions[i % 2];
        loop {
            let change = MarketChange { archived: archived.clone(), ..market_change(&market, *version, &cells) };
            let outcome = store.commit(&Commit { markets: vec![change], ..Commit::default() }).await;
            let stored = store.markets(std::slice::from_ref(&market)).await.unwrap().remove(0).unwrap();
            match outcome {
                Ok(()) => {
                    *version += 1;
                    assert_eq!(*version, stored.version);
                    break;
                }
                Err(CommitError::Conflict) => (*version, conflicts) = (stored.version, conflicts + 1),
                Err(error) => panic!("{error}"),
            }
            assert!(conflicts < 20, "a conflict with nobody");
        }
    }
    assert_eq!(conflicts, 19, "each write but the first was overtaken once");
    assert_eq!(witness.archive(&market).await.first_difference(&sum), None);
}

fn change<'a>(id: &'a HomeId, version_read: u64, old: Option<&Home>, new: &Home) -> HomeChange<'a> {
    HomeChange::of(id, version_read, old, new, true)
}

fn market_change<'a>(market: &'a Market, version_read: u64, new: &'a Cells) -> MarketChange<'a> {
    MarketChange { market, version_read, new, deltas: Vec::new(), fold_to: None, archived: Cells::default() }
}

/// Applies an observation. Returns what it adds to its market, and the part of that which goes to the archive.
fn apply(
    home: &mut Home,
    observation: &Observation,
    old: Option<&Home>,
    cells: &mut Cells,
) -> (Vec<(Market, Delta)>, Cells) {
    home.apply(observation);
    let deltas = update(old.map(|old| &old.history), &home.history, &mut Zones::default());
    let mut archived = Cells::default();
    deltas.iter().for_each(|(_, delta)| archived.merge(&cells.add(delta)));
    (deltas, archived)
}
