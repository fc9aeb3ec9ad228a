//! What a monitor reads, against what is stored.

use std::collections::BTreeMap;

use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::{Database, Keep, KindTotals, Pruning};
use stoop_pipeline::ports::{Quarantine, RunLedger, RunOutcome, RunRecord, Stream};

use crate::support::{apply, now, observation, open};

fn record(database: &Database, id: &str, outcome: RunOutcome, counts: &[(&str, u64)]) {
    let run = RunRecord {
        id: id.into(),
        kind: "poll".into(),
        subject: "agadir".into(),
        began_at: Time::from_ms(0),
        ended_at: None,
        outcome,
        message: None,
        counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        raw_pages: None,
    };
    now(RunLedger::record(database, &run)).unwrap();
}

fn polls(database: &Database) -> KindTotals {
    database.meters().unwrap().runs.remove("poll").unwrap_or_default()
}

fn named(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn prune_all(database: &Database) -> u64 {
    let now = Time::from_ms(400 * Time::DAY_MS);
    let pruning = Pruning { keep: Keep::default(), now, dry_run: false, rewrite: false, stop: &|| false };
    database.prune(pruning).unwrap().runs
}

#[test]
fn sums_of_runs_count_each_end_once_and_outlast_the_runs() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    assert_eq!(polls(&database), KindTotals::default());
    record(&database, "a", RunOutcome::Running, &[("listings", 7)]);
    assert_eq!(polls(&database), KindTotals::default(), "it has not ended");
    record(&database, "a", RunOutcome::Complete, &[("listings", 40), ("held_back", 2), ("left of 9 per day", 5)]);
    record(&database, "a", RunOutcome::Complete, &[("listings", 40), ("held_back", 2)]);
    record(&database, "b", RunOutcome::Failed, &[("listings", 2), ("held_back", 0)]);
    let expected = KindTotals {
        outcomes: named(&[("complete", 1), ("failed", 1)]),
        counts: named(&[("held_back", 2), ("listings", 42)]),
        losses_held: 1,
    };
    assert_eq!(polls(&database), expected);
    assert_eq!(prune_all(&database), 2);
    assert_eq!(database.runs(10).unwrap(), [], "they are gone");
    assert_eq!(polls(&database), expected, "their sums are not");
    record(&database, "c", RunOutcome::Complete, &[("listings", 1)]);
    assert_eq!(polls(&database).counts["listings"], 43);
}

#[test]
fn sums_of_an_earlier_programs_database_begin_with_its_runs() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    record(&database, "a", RunOutcome::Complete, &[("listings", 40)]);
    record(&database, "b", RunOutcome::Partial, &[("listings", 2)]);
    // An earlier program stored none.
    let earlier = || {
        let connection = rusqlite::Connection::open(database.path()).unwrap();
        assert_eq!(connection.execute("DELETE FROM settings WHERE name = 'run totals'", []).unwrap(), 1);
    };
    earlier();
    assert_eq!(polls(&database).counts["listings"], 42);
    record(&database, "c", RunOutcome::Complete, &[("listings", 1)]);
    assert_eq!(polls(&database).counts["listings"], 43);
    earlier();
    assert_eq!(prune_all(&database), 3);
    assert_eq!(polls(&database).counts["listings"], 43, "prune keeps the sums first");
}

#[test]
fn numbers_equal_counted_rows() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let empty = database.meters().unwrap();
    assert_eq!((empty.homes, empty.changes, empty.records, empty.newest), (0, 0, 0, None));
    for minute in 0..3 {
        apply(&database, &[&observation("1", minute, 0), &observation("2", minute, 0)]);
    }
    apply(&database, &[&observation("3", 9, 0)]);
    now(Stream::put(&*database, &[("a".into(), b"1".to_vec()), ("b".into(), b"2".to_vec())])).unwrap();
    database.stream_ack(1).unwrap();
    for (row, reason) in [("1", Reason::BadValue), ("2", Reason::BadValue), ("3", Reason::TooLong)] {
        let reject = Reject::new("avito", Time::from_ms(0), format!("row {row}"), reason, "price".into(), b"raw");
        now(Quarantine::put(&*database, &[reject])).unwrap();
    }
    let (meters, counts) = (database.meters().unwrap(), database.counts().unwrap());
    let read = [meters.homes, meters.markets, meters.observations, meters.changes, meters.records];
    assert_eq!(read, [counts.homes, counts.markets, counts.observations, counts.changes, counts.records]);
    assert_eq!((counts.homes, counts.records), (3, 1));
    assert_eq!(meters.newest, database.newest_observation().unwrap());
    let kept: Vec<(&str, u64)> = meters.quarantine.iter().map(|kept| (&*kept.reason, kept.count)).collect();
    assert_eq!(kept, [("bad_value", 2), ("too_long", 1)]);
    assert!(meters.file_bytes > 0 && meters.log_bytes > 0, "{meters:?}");
}
