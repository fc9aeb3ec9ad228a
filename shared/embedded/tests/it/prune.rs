//! What prune removes and keeps.

use std::collections::BTreeMap;

use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::{Database, Keep, PageFolder, Pruned, Pruning};
use stoop_pipeline::ports::{
    IndexChanges, Pages, Quarantine, RunLedger, RunOutcome, RunRecord, ScanCheckpoint, SearchIndex, SearchState,
};
use stoop_sources::Cursor;

use crate::support::{apply, files, lake, now, observation, open, paths};

const NOW_MS: i64 = 1_768_003_200_000;

fn days_ago(days: i64) -> Time {
    Time::from_ms(NOW_MS - days * Time::DAY_MS)
}

/// A run that began this many days ago, with one page of 1,000 bytes that do not compress.
fn run(database: &Database, id: &str, days: i64, outcome: RunOutcome) {
    let record = RunRecord {
        id: id.into(),
        kind: "poll".into(),
        subject: "agadir".into(),
        began_at: days_ago(days),
        ended_at: None,
        outcome,
        message: None,
        counts: BTreeMap::new(),
        raw_pages: None,
    };
    now(RunLedger::record(database, &record)).unwrap();
    let body: Vec<u8> = (0..1_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    now(PageFolder::new(database.data()).put(id, 0, &body)).unwrap();
}

fn reject(database: &Database, location: &str, days: i64) {
    let reject = Reject::new("avito", days_ago(days), location.into(), Reason::BadValue, "price".into(), b"raw");
    now(Quarantine::put(database, &[reject])).unwrap();
}

fn ids(database: &Database) -> Vec<String> {
    let mut ids: Vec<String> = database.runs(100).unwrap().into_iter().map(|run| run.id).collect();
    ids.sort();
    ids
}

fn prune(database: &Database, keep: Keep, dry_run: bool) -> Pruned {
    database.prune(Pruning { keep, now: days_ago(0), dry_run, rewrite: true, stop: &|| false }).unwrap()
}

fn raw(folder: &std::path::Path) -> Vec<String> {
    let pages = files(folder).into_iter().filter_map(|name| name.strip_prefix("stoop-data/raw/").map(str::to_owned));
    pages.collect()
}

#[test]
fn old_data_is_removed_unless_it_is_needed() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    database.begin_work("stoop run", days_ago(200)).unwrap();
    apply(&database, &[&observation("1", 0, 0)]);
    run(&database, "ancient", 100, RunOutcome::Complete);
    run(&database, "old", 40, RunOutcome::Failed);
    run(&database, "young", 20, RunOutcome::Complete);
    run(&database, "began-the-scan", 100, RunOutcome::Partial);
    run(&database, "under-way", 100, RunOutcome::Running);
    let checkpoint =
        ScanCheckpoint { cursor: Cursor::default(), run: "began-the-scan".into(), began_at: days_ago(100), tries: 0 };
    let state = SearchState { checkpoint: Some(checkpoint), ..SearchState::default() };
    assert!(now(SearchIndex::save(&*database, "agadir", &state, &IndexChanges::none())).unwrap());
    reject(&database, "row 1", 200);
    reject(&database, "row 2", 10);
    // Perhaps of another database.
    now(PageFolder::new(database.data()).put("of-nobody-here", 0, b"page")).unwrap();
    let before = (lake(&database), raw(folder.path()), ids(&database), database.counts().unwrap());

    let dry_run = prune(&database, Keep::default(), true);
    assert_eq!((lake(&database), raw(folder.path()), ids(&database), database.counts().unwrap()), before, "a dry run");
    let pruned = prune(&database, Keep::default(), false);
    assert_eq!((pruned.raw_runs, pruned.runs, pruned.rejects, pruned.unknown_folders), (2, 1, 1, 1));
    assert_eq!((pruned.runs_left, pruned.rejects_left), (4, 1));
    assert_eq!(
        Pruned { given_back_bytes: 0, free_bytes_left: 0, ..dry_run },
        Pruned { given_back_bytes: 0, free_bytes_left: 0, ..pruned }
    );
    assert_eq!(raw(folder.path()), ["began-the-scan/0.zst", "of-nobody-here/0.zst", "under-way/0.zst", "young/0.zst"]);
    assert_eq!(ids(&database), ["began-the-scan", "old", "under-way", "young"]);
    assert_eq!(database.quarantined(10).unwrap().len(), 1);
    assert_eq!(lake(&database), before.0, "the lake is kept");
    assert!(!prune(&database, Keep::default(), false).any(), "there is nothing left to prune");
}

#[test]
fn the_oldest_data_above_a_limit_is_removed() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    for (id, days) in [("a", 3), ("b", 2), ("c", 1)] {
        run(&database, id, days, RunOutcome::Complete);
        reject(&database, id, days);
    }
    let keep = Keep { raw_pages_bytes: 2_500, quarantine_rows: 2, ..Keep::default() };
    let pruned = prune(&database, keep, false);
    assert_eq!((pruned.raw_runs, pruned.runs, pruned.rejects), (1, 0, 1));
    assert!(pruned.raw_bytes > 500 && pruned.raw_bytes_left <= 2_500, "{pruned:?}");
    assert_eq!(raw(folder.path()), ["b/0.zst", "c/0.zst"]);
    let left: Vec<String> = database.quarantined(10).unwrap().into_iter().map(|reject| reject.location).collect();
    assert_eq!(left, ["c", "b"]);
}

#[test]
fn free_space_is_returned_by_new_and_old_files() {
    for old in [false, true] {
        let folder = tempfile::TempDir::new().unwrap();
        let path = paths(folder.path()).0;
        if old {
            drop(open(folder.path()));
            let older = rusqlite::Connection::open(&path).unwrap();
            older.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM").unwrap();
        }
        let database = open(folder.path());
        for row in 0..200 {
            let long =
                Reject::new("avito", days_ago(200), format!("row {row}"), Reason::BadValue, "x".repeat(20_000), b"raw");
            now(Quarantine::put(&*database, &[long])).unwrap();
        }
        let keep = Keep { free_bytes: 100_000, ..Keep::default() };
        let full = prune(&database, Keep { quarantine_ms: i64::MAX / 2, ..keep }, false);
        assert_eq!((full.rejects, full.rejects_left), (0, 200));
        let size = || std::fs::metadata(&path).unwrap().len();
        let before = size();
        let pruned = prune(&database, keep, false);
        assert_eq!((pruned.rejects, pruned.in_use), (200, false));
        assert!(pruned.free_bytes_left <= 100_000, "{pruned:?}");
        assert!(pruned.given_back_bytes > 100_000 && size() < before - 100_000, "old {old}: {pruned:?}, {before}");
    }
}
