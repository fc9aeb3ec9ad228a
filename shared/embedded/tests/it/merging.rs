//! Merged homes: each counts once, whatever the order of commits, passes and switches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use stoop_dice::Dice;
use stoop_domain::{Alert, AlertId, HomeId, Market, Minor, Observation, Status, Time, home_id};
use stoop_embedded::{AlertFilter, Database, Difference, Merging};
use stoop_identity::PairRuling;
use stoop_market::{Cells, Figures, Segment};
use stoop_pipeline::ports::{Browse, DeliveryCursors, MergedCounts, PortError};
use stoop_pipeline::{Measurer, check_market};
use stoop_rules::Rules;
use stoop_simulation::adverts::{AddressCustom, Adverts};

use crate::support::{now, open, paths};
use crate::verify::{asks, judge, measure, verify};

mod alerts;
mod truth;

/// The observations of simulated adverts, in the order of time.
fn adverts(seed: u64, homes: u32) -> Vec<Observation> {
    let adverts = Adverts::of(seed, AddressCustom::Numbered, homes);
    let mut observations: Vec<Observation> = adverts.into_iter().flat_map(|advert| advert.observations).collect();
    observations.sort_by_key(|observation| observation.at);
    observations
}

/// The same observations from another source, with IDs of its own.
fn copied(observations: &[Observation], source: &str) -> Vec<Observation> {
    let copy = |observation: &Observation| {
        let id = format!("{source}-{}", observation.native_id);
        Observation::new(source, &id, observation.at, observation.listing.clone())
    };
    observations.iter().map(copy).collect()
}

fn merge(database: &Database) -> u64 {
    let pass = database.merge_listings(&|| false).unwrap();
    assert_eq!(pass.too_large, Vec::<String>::new());
    pass.counties
}

/// The states of the markets, with all their days.
fn states(database: &Database) -> Vec<(Market, Cells)> {
    let markets = database.market_ids().unwrap();
    let state = |market: Market| {
        let cells = database.cells(&market).unwrap().unwrap_or_default();
        let cells = cells.with_archive(&database.archive(&market).unwrap());
        (market, cells)
    };
    markets.into_iter().map(state).collect()
}

fn merged(database: &Database) -> MergedCounts {
    database.merged_counts().unwrap().expect("listings are merged")
}

#[track_caller]
fn is_verified(folder: &Path) {
    let found = verify(folder);
    assert_eq!(found.differences, Vec::<String>::new());
    assert_eq!(found.counties_unmerged, 0);
}

#[test]
fn the_homes_of_one_source_under_two_names_have_the_states_of_one() {
    let (one, two) = (tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap());
    // Homes of one portal alone, without relists: those are merged, too.
    let observations: Vec<Observation> =
        adverts(5, 120).into_iter().filter(|observation| &*observation.source == "alder").collect();
    assert!(observations.len() > 60, "{}", observations.len());
    let alone = open(one.path());
    measure(&alone, &observations);
    alone.begin_merging(&Merging::default()).unwrap();
    merge(&alone);

    let both = open(two.path());
    both.begin_merging(&Merging::default()).unwrap();
    measure(&both, &observations);
    measure(&both, &copied(&observations, "zelkova"));
    assert!(merge(&both) > 0);
    assert_eq!(states(&both), states(&alone));
    assert!(merged(&both).homes > 50, "{:?}", merged(&both));
    both.roll_up(Time::default(), &|| false).unwrap();
    is_verified(two.path());
}

#[test]
fn the_states_are_those_of_one_pass_whatever_happened_in_between() {
    for seed in 0..6 {
        let observations = adverts(100 + seed, 40);
        let straight = tempfile::TempDir::new().unwrap();
        let expected = {
            let database = open(straight.path());
            measure(&database, &observations);
            database.begin_merging(&Merging::default()).unwrap();
            merge(&database);
            assert!(merged(&database).homes > 10);
            states(&database)
        };
        let folder = tempfile::TempDir::new().unwrap();
        let mut dice = Dice::new(seed);
        let mut rest = observations.clone();
        for at in (1..rest.len()).rev() {
            rest.swap(at, dice.below(at + 1));
        }
        let mut database = open(folder.path());
        let mut measurer = Measurer::new(&*database);
        database.begin_merging(&Merging::default()).unwrap();
        for batch in rest.chunks(17) {
            now(measurer.measure(batch)).unwrap();
            match dice.below(6) {
                0 | 1 => drop(merge(&database)),
                2 => drop(database.roll_up(Time::default(), &|| false).unwrap()),
                3 => assert!(database.end_merging().unwrap()),
                // As late as that: it is marked again.
                _ => now(measurer.measure(batch)).map(drop).unwrap(),
            }
            database.begin_merging(&Merging::default()).unwrap();
        }
        drop(measurer);
        drop(database);
        database = open(folder.path());
        merge(&database);
        assert_eq!(merge(&database), 0, "nothing is left to do");
        assert_eq!(states(&database), expected, "seed {seed}");
        database.roll_up(Time::default(), &|| false).unwrap();
        is_verified(folder.path());
        // A rebuild from the lake gives the same.
        database.rebuild("this", &|| false).unwrap();
        assert_eq!(database.difference(&Rules::default()).unwrap(), Difference::default());
        database.swap().unwrap();
        assert_eq!(states(&database), expected);
        is_verified(folder.path());
        database.swap_back().unwrap();
        is_verified(folder.path());
    }
}

#[test]
fn switched_off_each_listing_counts_again() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    measure(&database, &adverts(7, 60));
    let before = states(&database);
    assert!(!database.end_merging().unwrap());
    database.begin_merging(&Merging::default()).unwrap();
    merge(&database);
    assert_ne!(states(&database), before);
    assert!(database.end_merging().unwrap());
    assert_eq!(states(&database), before);
    assert_eq!((database.merged_counts().unwrap(), database.merging().unwrap()), (None, None));
    is_verified(folder.path());
    // A pass that began before that must never take later changes for merged.
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    let merged_changes =
        || -> i64 { connection.query_row("SELECT min(merged) FROM county_changes", [], |row| row.get(0)).unwrap() };
    assert!(merged_changes() > 0);
    // Without the listings of all but one source, only relists are left to merge.
    let sources: BTreeSet<String> = adverts(7, 60)
        .iter()
        .map(|observation| observation.source.to_string())
        .filter(|name| name != "alder")
        .collect();
    database.begin_merging(&Merging::except(sources)).unwrap();
    merge(&database);
    let others: i64 = connection
        .query_row("SELECT count(*) FROM merged_listings WHERE listing NOT LIKE 'alder/%'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(others, 0);
    is_verified(folder.path());
}

#[test]
fn a_list_of_homes_has_the_listing_that_speaks() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut observations = adverts(5, 30);
    observations.truncate(30);
    for observation in &mut observations {
        observation.listing.status = Status::Active;
    }
    let copies = copied(&observations, "zelkova");
    measure(&database, &observations);
    measure(&database, &copies);
    let listed = |database: &Database| -> usize {
        let markets = database.market_ids().unwrap();
        markets.iter().map(|market| now(Browse::homes_of(database, market, None, 1_000)).unwrap().len()).sum()
    };
    let listings = listed(&database);
    database.begin_merging(&Merging::default()).unwrap();
    merge(&database);
    let counts = merged(&database);
    assert_eq!(listed(&database), listings - usize::try_from(counts.listings - counts.homes).unwrap());
}

#[test]
fn rulings_split_and_join_homes_and_outlive_a_rebuild() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let observations: Vec<Observation> = adverts(5, 3).into_iter().take(1).collect();
    measure(&database, &observations);
    measure(&database, &copied(&observations, "zelkova"));
    database.begin_merging(&Merging::default()).unwrap();
    merge(&database);
    assert_eq!(merged(&database).homes, 1);
    let ids: Vec<HomeId> = database.home_ids_after(None, 10).unwrap();
    let [a, b] = &ids[..] else { panic!("{ids:?}") };
    let at = Time::from_ms(5);
    assert!(database.rule_on_pair(b, a, Some(PairRuling::TwoHomes), "local", at).unwrap());
    assert!(!database.rule_on_pair(a, b, Some(PairRuling::TwoHomes), "local", at).unwrap(), "it is ruled already");
    merge(&database);
    assert_eq!(merged(&database).homes, 0);
    is_verified(folder.path());
    database.rebuild("this", &|| false).unwrap();
    assert!(database.difference(&Rules::default()).unwrap().is_none());
    database.swap().unwrap();
    database.forget_generations().unwrap();
    assert_eq!(database.pair_rulings().unwrap().len(), 1);
    assert!(database.rule_on_pair(a, b, None, "local", at).unwrap());
    assert!(!database.rule_on_pair(a, b, None, "local", at).unwrap());
    merge(&database);
    assert_eq!(merged(&database).homes, 1);
    is_verified(folder.path());

    let refused = |a: &HomeId, b: &HomeId, says: &str| {
        let error = database.rule_on_pair(a, b, Some(PairRuling::OneHome), "local", at).unwrap_err();
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{error}: {why}").contains(says), "{error}: {why}");
    };
    refused(a, a, "is one listing");
    refused(a, &HomeId("x/1".into()), "no listing x/1");
}

#[test]
fn what_is_altered_is_found() {
    let alterations = [
        ("DELETE FROM corrections WHERE rowid IN (SELECT rowid FROM corrections LIMIT 1)", "correction"),
        ("UPDATE corrections SET body = (SELECT body FROM corrections ORDER BY home DESC LIMIT 1)", "correction"),
        ("UPDATE merged_listings SET home = 'x/1'", "the merged home of"),
        ("DELETE FROM merged_listings", "the merged home of"),
        ("UPDATE merged_listings SET speaks = 1 - speaks", "the merged home of"),
    ];
    for (sql, says) in alterations {
        let folder = tempfile::TempDir::new().unwrap();
        let database = open(folder.path());
        measure(&database, &adverts(9, 30));
        database.begin_merging(&Merging::default()).unwrap();
        merge(&database);
        is_verified(folder.path());
        let connection = Connection::open(paths(folder.path()).0).unwrap();
        let sql = sql
            .replace("rowid IN (SELECT rowid FROM corrections LIMIT 1)", "home = (SELECT min(home) FROM corrections)");
        assert!(connection.execute(&sql, []).unwrap() > 0, "{sql}");
        let found = verify(folder.path());
        assert!(found.differences.iter().any(|difference| difference.contains(says)), "{sql}: {found:#?}");
    }
}

#[test]
fn what_was_known_is_counted_as_homes_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let observations = adverts(11, 40);
    let (early, late) = observations.split_at(observations.len() / 2);
    measure(&database, early);
    database.begin_merging(&Merging::default()).unwrap();
    merge(&database);
    let markets = database.market_ids().unwrap();
    let state =
        |market: &Market| (database.cells(market).unwrap().unwrap_or_default(), database.archive(market).unwrap());
    let then: Vec<(Cells, Cells)> = markets.iter().map(state).collect();
    measure(&database, late);
    merge(&database);
    let known = early.last().unwrap().at;
    let as_known = database.cells_as_known(|_| true, known, &|| false).unwrap();
    for (market, (cells, archive)) in markets.iter().zip(&then) {
        let known = as_known.get(market).cloned().unwrap_or_default();
        assert_eq!(check_market(market, cells, archive, known), Ok(()));
    }
}

#[test]
fn a_price_in_the_middle_of_a_pass_is_merged_by_the_next() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let observations: Vec<Observation> = adverts(5, 3).into_iter().take(1).collect();
    database.begin_merging(&Merging::default()).unwrap();
    measure(&database, &observations);
    measure(&database, &copied(&observations, "zelkova"));
    merge(&database);
    assert_eq!(merged(&database).counties_waiting, 0);
    let mut cut = observations[0].clone();
    cut.at = cut.at.plus_ms(1_000);
    cut.listing.list_price = cut.listing.list_price.map(|price| Minor(price.0 * 9 / 10));
    let cut = Observation::new(&*cut.source, &cut.native_id, cut.at, cut.listing);
    measure(&database, std::slice::from_ref(&cut));
    assert_eq!(merged(&database).counties_waiting, 1);
    assert_eq!(verify(folder.path()).counties_unmerged, 1);
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new(), "waiting is no difference");
    merge(&database);
    is_verified(folder.path());
}

#[test]
fn two_passes_and_a_writer_may_work_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let observations = adverts(21, 60);
    open(folder.path()).begin_merging(&Merging::default()).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let database = open(folder.path());
                while !is_done.load(Ordering::Relaxed) {
                    merge(&database);
                }
            });
        }
        let database = open(folder.path());
        let mut measurer = Measurer::new(&*database);
        for batch in observations.chunks(9) {
            now(measurer.measure(batch)).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    let database = open(folder.path());
    merge(&database);
    database.roll_up(Time::default(), &|| false).unwrap();
    is_verified(folder.path());
    assert!(merged(&database).homes > 10);
}
