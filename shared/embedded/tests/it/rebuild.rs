//! The state computed anew beside the live one, compared, swapped in and swapped back.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use stoop_domain::Time;
use stoop_embedded::{Database, Difference, OpenError};
use stoop_pipeline::Measurer;
use stoop_rules::Rules;

use crate::support::{files, now, observation, open, paths};
use crate::verify::{asks, fill, judge, measure, verify};

const PROGRAM: &str = "this one";

fn on(folder: &Path) -> Connection {
    Connection::open(paths(folder).0).unwrap()
}

fn rebuild(database: &Database) -> Difference {
    database.rebuild(PROGRAM, &|| false).unwrap();
    database.difference(&Rules::default()).unwrap()
}

/// The live generation, without versions and row order.
fn live(folder: &Path) -> Vec<String> {
    let connection = on(folder);
    let mut all = Vec::new();
    for sql in [
        "SELECT id || quote(market) || quote(status) || quote(list_price) || quote(last_seen) || hex(body) FROM homes",
        "SELECT id FROM markets",
        "SELECT market || period || hex(body) FROM archives",
        "SELECT lake_rows || ' ' || newest || ' ' || outbox_bytes FROM totals",
        "SELECT id || body FROM alerts",
        "SELECT seq || home || hex(old) || hex(new) FROM changes",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        all.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    all.sort();
    all
}

fn tables(folder: &Path) -> Vec<String> {
    let connection = on(folder);
    let mut statement = connection.prepare("SELECT type || ' ' || name FROM sqlite_schema ORDER BY 1").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_correct_state_is_rebuilt_equal_swapped_back_and_removed() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let (before, tables_before) = (live(folder.path()), tables(folder.path()));
    let database = open(folder.path());
    assert_eq!(rebuild(&database), Difference::default());
    assert_eq!(live(folder.path()), before, "nothing changes before the swap");
    for _ in 0..2 {
        database.swap().unwrap();
        assert_eq!(live(folder.path()), before);
        assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
        assert!(database.swap().is_err(), "there is no other generation");
        database.swap_back().unwrap();
        assert_eq!(live(folder.path()), before);
        assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
        assert!(database.swap_back().is_err(), "it is swapped back already");
    }
    assert!(database.forget_generations().unwrap());
    assert!(!database.forget_generations().unwrap());
    assert!(database.swap().is_err() && database.swap_back().is_err());
    assert_eq!((live(folder.path()), tables(folder.path())), (before, tables_before));
}

#[test]
fn differences_are_reported_before_the_swap_and_gone_after_it() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let right = live(folder.path());
    on(folder.path())
        .execute_batch(
            "UPDATE homes SET body = (SELECT body FROM homes WHERE id = 'avito/h9') WHERE id = 'avito/h1';
             UPDATE homes SET list_price = 1 WHERE id = 'avito/h7';
             INSERT INTO homes(id, version, body) SELECT 'avito/none', 1, body FROM homes WHERE id = 'avito/h5';
             DELETE FROM homes WHERE id = 'avito/h2';
             UPDATE bases SET body = (SELECT body FROM tails LIMIT 1);
             UPDATE totals SET lake_rows = 7;",
        )
        .unwrap();
    assert!(verify(folder.path()).different > 0);
    let database = open(folder.path());
    let wrong = live(folder.path());
    let found = rebuild(&database);
    let counted = |found: &stoop_embedded::Found, first: &str| {
        assert!(found.first.as_deref().is_some_and(|known| known.contains(first)), "{found:?}");
        found.count
    };
    assert_eq!(counted(&found.homes_gone, "avito/none"), 1);
    assert_eq!(counted(&found.homes_new, "avito/h2"), 1);
    assert_eq!(counted(&found.homes_changed, "avito/h1"), 2);
    assert_eq!(counted(&found.markets, "ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD"), 1);
    assert!(counted(&found.figures, " of ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD: ") > 5);
    assert_eq!((found.alerts_new.count, found.alerts_gone.count), (0, 0), "the ledger knows them");
    assert!(found.totals && !found.older && found.unreadable == 0);
    assert_eq!(live(folder.path()), wrong, "nothing is changed before the swap");
    database.swap().unwrap();
    assert_eq!(live(folder.path()), right);
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
}

#[test]
fn new_alerts_are_counted_and_not_sent() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let sql = "DELETE FROM alerts WHERE seq = 1;
               UPDATE homes SET body = (SELECT body FROM homes WHERE id = 'avito/h9') WHERE id = 'avito/h1'";
    on(folder.path()).execute_batch(sql).unwrap();
    let database = open(folder.path());
    let found = rebuild(&database);
    assert_eq!(found.alerts_new.count, 1);
    assert!(found.alerts_new.first.unwrap().contains("of avito/h1: 50100000 to 30000000"));
    database.swap().unwrap();
    assert_eq!(database.counts().unwrap().alerts, 1, "none is sent");
}

/// Stopped at any moment, the live state is unchanged, and the next call continues.
#[test]
fn stopped_at_any_step_it_continues_and_the_live_state_is_unchanged() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let many: Vec<_> = (0..20_000_i64).map(|n| observation(&format!("m{n}"), 731 * 1_440 + n % 60, 0)).collect();
    measure(&open(folder.path()), &many);
    let before = live(folder.path());
    let mut dones = Vec::new();
    let asked_at_once = {
        let asked = Cell::new(0);
        let other = tempfile::TempDir::new().unwrap();
        fill(other.path());
        measure(&open(other.path()), &many);
        let stop = || {
            asked.set(asked.get() + 1);
            false
        };
        open(other.path()).rebuild(PROGRAM, &stop).unwrap();
        asked.get()
    };
    let mut calls = 0;
    for lasts in 1.. {
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > lasts
        };
        let outcome = open(folder.path()).rebuild(PROGRAM, &stop);
        calls += 1;
        assert_eq!(live(folder.path()), before);
        dones.push(
            on(folder.path())
                .query_row("SELECT stage || done FROM rebuild", [], |row| row.get::<_, String>(0))
                .unwrap(),
        );
        if outcome.is_ok() {
            assert!(asked.get() < asked_at_once, "it continued where it stopped");
            break;
        }
        assert!(open(folder.path()).swap().is_err(), "it is not complete");
    }
    assert!(calls > 3, "{dones:?}");
    assert!(dones.contains(&"homes1".to_owned()), "a part is done, the other is not: {dones:?}");
    assert!(dones.iter().any(|done| done.starts_with("markets")), "{dones:?}");
    let database = open(folder.path());
    assert_eq!(database.difference(&Rules::default()).unwrap(), Difference::default());
    database.swap().unwrap();
    assert_eq!(live(folder.path()), before);
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    assert!(!files(folder.path()).iter().any(|file| file.contains("scratch")));
}

#[test]
fn another_program_or_another_lake_restarts() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let database = open(folder.path());
    let spoil = || on(folder.path()).execute("UPDATE homes_next SET list_price = 1", []).unwrap();
    let spoilt = || database.difference(&Rules::default()).unwrap().homes_changed.count;
    rebuild(&database);
    spoil();
    rebuild(&database);
    assert_eq!(spoilt(), 1_201, "finished parts are not repeated");
    database.rebuild("another one", &|| false).unwrap();
    assert_eq!(spoilt(), 0);
    spoil();
    measure(&database, &[asks("new", 732 * 1_440, 5)]);
    assert!(database.swap().unwrap_err().to_string().contains("swap"));
    database.rebuild("another one", &|| false).unwrap();
    assert_eq!(spoilt(), 0);
    database.swap().unwrap();
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    // The retired generation lacks what came since.
    measure(&database, &[asks("newer", 733 * 1_440, 5)]);
    assert!(database.swap_back().is_err());
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
}

#[test]
fn a_writer_with_the_state_before_the_swap_gets_a_conflict() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let writer = open(folder.path());
    let mut measurer = Measurer::new(&*writer);
    now(measurer.measure(&[asks("h1", 740 * 1_440, 299_000)])).unwrap();
    let other = open(folder.path());
    rebuild(&other);
    other.swap().unwrap();
    let measured = now(measurer.measure(&[asks("h1", 741 * 1_440, 298_000), asks("x", 741 * 1_440, 5)])).unwrap();
    assert!(measured.conflicts > 0, "{measured:?}");
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
}

#[test]
fn other_processes_are_refused_during_a_rebuild() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let (rebuilds, runs) = (open(folder.path()), open(folder.path()));
    assert_eq!(rebuilds.begin_work("stoop rebuild", Time::from_ms(0)).unwrap(), []);
    let refused = runs.begin_work("stoop run", Time::from_ms(1)).unwrap_err();
    assert!(format!("{:?}", refused).contains("`stoop rebuild` (process "), "{refused:?}");
    drop(rebuilds);
    assert_eq!(runs.begin_work("stoop run", Time::from_ms(2)).unwrap(), []);
    let second = open(folder.path());
    assert_eq!(
        second.begin_work("stoop rebuild", Time::from_ms(3)).unwrap().len(),
        1,
        "it gets the process that works here"
    );
}

/// Turns the file into one of an older format, with homes that this program cannot read.
fn make_older(folder: &Path, format: i64) {
    let connection = on(folder);
    connection
        .execute_batch(
            "ALTER TABLE alerts DROP COLUMN rules; DROP TABLE rules; DROP TABLE index_segments;
             DROP INDEX alerts_withdrawn;
             UPDATE homes SET body = x'0100000000'",
        )
        .unwrap();
    connection.execute_batch("UPDATE changes SET old = x'01', new = x'01'").unwrap();
    if format == 5 {
        let sql = "CREATE TABLE of_five(id TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
                   INSERT INTO of_five SELECT id, markets.version, body FROM markets JOIN bases ON market = id;
                   DROP TABLE markets; DROP TABLE bases; DROP TABLE tails;
                   ALTER TABLE of_five RENAME TO markets";
        connection.execute_batch(sql).unwrap();
    }
    connection.pragma_update(None, "user_version", format).unwrap();
    connection.close().unwrap();
}

#[test]
fn a_file_of_an_older_format_is_rebuilt_from_its_lake() {
    for format in [5, 6] {
        let folder = tempfile::TempDir::new().unwrap();
        fill(folder.path());
        let homes = || live(folder.path()).into_iter().filter(|row| row.starts_with("avito/")).collect::<Vec<_>>();
        let right = homes();
        make_older(folder.path(), format);
        let (path, data) = paths(folder.path());
        let refused = Database::open(&path, &data).unwrap_err();
        assert!(matches!(refused, OpenError::ToRebuild { found, .. } if found == format), "{refused}");
        let database: Arc<Database> = Database::open_to_rebuild(&path, &data).unwrap();
        assert_eq!(database.begin_work("stoop rebuild", Time::from_ms(0)).unwrap(), []);
        let found = rebuild(&database);
        assert!(found.older && found.unreadable >= 1_201, "{found:?}");
        assert_eq!(
            (found.homes_changed.count, found.homes_new.count, found.alerts_new.count),
            (1_201, 0, 0),
            "{found:?}"
        );
        assert!(Database::open(&path, &data).is_err(), "it is not swapped yet");
        database.swap().unwrap();
        drop(database);
        let found = verify(folder.path());
        assert_eq!((found.differences, found.alerts_unchecked), (Vec::new(), 2));
        assert_eq!(homes(), right);
        // Waiting changes are judged as the homes are now, and alerts in the ledger are not sent again.
        let database = open(folder.path());
        judge(&database, &Rules::default());
        assert_eq!(database.counts().unwrap().alerts, 2);
        on(folder.path()).execute_batch("SELECT search, number, body FROM index_segments").unwrap();
        let sql = "SELECT count(*) FROM sqlite_master WHERE name = 'alerts_withdrawn'";
        assert_eq!(on(folder.path()).query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap(), 1);
        database.swap_back().unwrap();
        drop(database);
        let refused = Database::open(&path, &data).unwrap_err();
        assert!(matches!(refused, OpenError::ToRebuild { found, .. } if found == format), "{refused}");
        let database = Database::open_to_rebuild(&path, &data).unwrap();
        assert!(rebuild(&database).older);
        database.swap().unwrap();
        drop(database);
        assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    }
}
