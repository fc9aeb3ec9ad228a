//! All stored results follow from the lake; alterations are found and named.

use std::path::Path;

use rusqlite::Connection;
use stoop_domain::{Minor, Observation, Time};
use stoop_embedded::{AlertFilter, Database, Verified};
use stoop_pipeline::{Measurer, record_alerts};
use stoop_rules::Rules;

use crate::support::{files, now, observation, open, paths};

/// A day in minutes.
const DAY: i64 = 1_440;

/// When alerts are judged, and those that later rows disprove marked.
const MARKED_AT: i64 = 99;

pub(crate) fn asks(native_id: &str, minute: i64, price: i64) -> Observation {
    let mut seen = observation(native_id, minute, 0);
    seen.listing.list_price = Some(Minor(price * 100));
    seen
}

pub(crate) fn measure(database: &Database, observations: &[Observation]) {
    now(Measurer::new(database).measure(observations)).unwrap();
}

/// Judges waiting changes, as `stoop` does.
pub(crate) fn judge(database: &Database, rules: &Rules) {
    let changes = database.changes(database.checkpoint("alerts").unwrap(), usize::MAX).unwrap();
    let last = changes.last().unwrap().0;
    let changes: Vec<_> = changes.into_iter().map(|(_, change)| change).collect();
    now(record_alerts(&changes, rules, database, Time::from_ms(MARKED_AT))).unwrap();
    database.set_checkpoint("alerts", last).unwrap();
}

/// Homes with an archive, a tail, two alerts, and two waiting changes.
pub(crate) fn fill(folder: &Path) {
    let database = open(folder);
    let rules = Rules::default();
    database.set_rules(&rules).unwrap();
    let homes: Vec<_> = (0..1_200).map(|n| asks(&format!("h{n}"), n, 500_000 + n * (n + 1) * 500)).collect();
    measure(&database, &homes);
    // Two years later: the past is folded into the archive.
    measure(&database, &[asks("late", 730 * DAY, 700_000)]);
    measure(&database, &[asks("h1", 730 * DAY + 5, 300_000), asks("h2", 730 * DAY + 6, 310_000)]);
    judge(&database, &rules);
    measure(&database, &[asks("h3", 731 * DAY, 490_000)]);
    measure(&database, &[asks("h3", 731 * DAY + 1, 480_000)]);
}

pub(crate) fn verify(folder: &Path) -> Verified {
    let (path, data) = paths(folder);
    Database::open_read(&path, &data).unwrap().verify(&|| false).unwrap()
}

/// Checks what verify reports after this change to the file.
#[track_caller]
fn finds(sql: &str, expected: &str) {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql} alters nothing");
    let found = verify(folder.path());
    assert!(found.different > 0, "{sql} is not found");
    assert!(found.differences.iter().any(|difference| difference.contains(expected)), "{sql}: {found:#?}");
}

#[test]
fn stored_results_follow_from_the_lake() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    for table in ["archives", "tails", "alerts", "changes", "rules"] {
        let count: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap();
        assert!(count > 0, "{table} has nothing to compare");
    }
    let before = files(folder.path());
    let found = verify(folder.path());
    assert_eq!(found.differences, Vec::<String>::new());
    let Verified { observations, homes, markets, alerts, alerts_unchecked, alerts_complete, .. } = found;
    assert_eq!((observations, homes, markets, alerts), (1_205, 1_201, 1, 2));
    assert_eq!((alerts_unchecked, alerts_complete), (0, true));
    assert_eq!(files(folder.path()), before, "no file is left over");
}

#[test]
fn a_wrong_home_is_found() {
    let sql = "UPDATE homes SET body = (SELECT body FROM homes WHERE id = 'avito/h9') WHERE id = 'avito/h8'";
    finds(sql, "the history of home avito/h8 differs");
}

#[test]
fn an_unreadable_home_is_found() {
    finds("UPDATE homes SET body = x'0203' WHERE id = 'avito/h8'", "home avito/h8 cannot be read");
}

#[test]
fn a_missing_home_is_found() {
    finds("DELETE FROM homes WHERE id = 'avito/h8'", "home avito/h8 has observations, but is not stored");
}

#[test]
fn a_home_without_observations_is_found() {
    let sql = "INSERT INTO homes(id, version, body) SELECT 'avito/none', 1, body FROM homes LIMIT 1";
    finds(sql, "home avito/none is stored, but no observation of it is");
}

#[test]
fn the_columns_of_a_home_are_compared() {
    for (column, value) in [("market", "'x'"), ("status", "'Closed'"), ("list_price", "1"), ("last_seen", "1")] {
        let sql = format!("UPDATE homes SET {column} = {value} WHERE id = 'avito/h8'");
        finds(&sql, &format!("the column {column} of home avito/h8 differs"));
    }
    finds("UPDATE homes SET list_price = NULL WHERE id = 'avito/h8'", "the column list_price of home avito/h8 differs");
}

#[test]
fn a_wrong_base_is_found() {
    finds(
        "UPDATE bases SET body = (SELECT body FROM tails LIMIT 1)",
        "market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD differs",
    );
}

#[test]
fn a_missing_tail_is_found() {
    finds(
        "DELETE FROM tails WHERE version = (SELECT max(version) FROM tails)",
        "market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD differs",
    );
}

#[test]
fn a_missing_market_is_found() {
    finds(
        "DELETE FROM markets",
        "market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD has homes, but is not stored",
    );
    finds(
        "DELETE FROM markets",
        "the table bases has rows of market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD, which is not stored",
    );
}

#[test]
fn the_columns_of_a_market_are_compared() {
    for column in ["version", "base_bytes", "tail_bytes"] {
        finds(
            &format!("UPDATE markets SET {column} = {column} + 1"),
            "of market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD differ",
        );
    }
}

#[test]
fn a_wrong_archive_is_found() {
    finds(
        "DELETE FROM archives",
        "the archive of market ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD differs",
    );
    finds("UPDATE archives SET period = period + 1", "has days of another period in period");
}

#[test]
fn wrong_totals_are_found() {
    for sql in ["lake_rows = lake_rows + 1", "newest = newest - 1", "outbox_bytes = 0", "newest = NULL"] {
        finds(&format!("UPDATE totals SET {sql}"), "the totals");
    }
    finds("DELETE FROM totals", "the totals are not stored");
    finds("UPDATE outbox SET rows = rows + 1", "the lake's tables name");
}

#[test]
fn a_wrong_alert_is_found() {
    let sql = "UPDATE alerts SET body = json_set(body, '$.to', 1) WHERE seq = 1";
    finds(sql, "of home avito/h1 differs: stored");
    let sql = "UPDATE alerts SET id = 'x', body = json_set(body, '$.id', 'x') WHERE seq = 1";
    finds(sql, "the alert x of home avito/h1 follows from no observations");
    finds("UPDATE alerts SET verdict = 'suspect' WHERE seq = 1", "the columns of the alert");
    finds("UPDATE alerts SET at = at + 1 WHERE seq = 1", "the columns of the alert");
    let sql = "UPDATE alerts SET body = json_set(body, '$.home', 'avito/none') WHERE seq = 1";
    finds(sql, "an alert of home avito/none is stored");
}

#[test]
fn a_missing_alert_is_found() {
    finds("DELETE FROM alerts WHERE seq = 1", "of home avito/h1 is not in the ledger");
}

#[test]
fn an_alert_of_other_rules_is_found() {
    let sql = "UPDATE rules SET body = json_set(body, '$.drops[0].share_bp_min', 9000)";
    finds(sql, "of home avito/h1 follows from no observations by the rules it was judged by");
    finds("UPDATE alerts SET rules = 9 WHERE seq = 1", "the rules that alert");
}

#[test]
fn a_wrong_waiting_change_is_found() {
    let of_another = "(SELECT body FROM homes WHERE id = 'avito/h9')";
    for (column, value) in [("old", of_another), ("new", of_another), ("new", "old"), ("old", "new")] {
        let sql = format!("UPDATE changes SET {column} = {value} WHERE seq = (SELECT max(seq) FROM changes)");
        finds(&sql, "of home avito/h3 on the change feed");
    }
    finds(
        "UPDATE changes SET old = NULL WHERE seq = (SELECT max(seq) FROM changes)",
        "its old image is of no such moment",
    );
    finds("UPDATE changes SET home = 'avito/none'", "a change of home avito/none is stored");
    finds("UPDATE changes SET new = x'00'", "cannot be read");
}

#[test]
fn alerts_follow_from_their_rules_and_the_observations_of_their_time() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let database = open(folder.path());
    // By these rules a cut of one percent is an alert; earlier cuts are not judged by them.
    let mut rules = Rules::default();
    rules.drops[0].share_bp_min = Some(100);
    database.set_rules(&rules).unwrap();
    judge(&database, &rules);
    // A late observation removes the first alert: the price was low before it fell.
    let late = asks("h1", 729 * DAY, 300_000);
    measure(&database, &[Observation { seen: Time::from_ms(late.at.ms()), ..late }]);
    let found = verify(folder.path());
    assert_eq!(found.differences, Vec::<String>::new());
    assert_eq!((found.alerts, found.alerts_unchecked, found.alerts_complete), (4, 0, false));
}

#[test]
fn an_alert_is_marked_as_withdrawn_when_later_rows_disprove_it_and_only_then() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let (database, rules) = (open(folder.path()), Rules::default());
    judge(&database, &rules);
    // The price had fallen before: what the first alert said of it was less than its rule requires.
    let late = asks("h1", 729 * DAY, 350_000);
    measure(&database, std::slice::from_ref(&late));
    assert_eq!(verify(folder.path()).alerts_withdrawn, 0, "the change is not judged yet");
    assert_eq!(verify(folder.path()).alerts_unmarked, 0, "the change is not judged yet");
    let sent = database.alerts(AlertFilter::Sent, 10).unwrap();
    judge(&database, &rules);
    let found = verify(folder.path());
    assert_eq!((found.differences, found.alerts, found.alerts_withdrawn, found.alerts_unmarked), (Vec::new(), 3, 1, 0));
    let now = database.alerts(AlertFilter::Sent, 10).unwrap();
    assert!(sent.iter().all(|alert| now.iter().any(|other| other.id == alert.id)), "alerts are never removed");
    let marks: Vec<_> = now.iter().filter(|alert| alert.withdrawn.is_some()).collect();
    assert_eq!(marks.len(), 1, "{now:?}");
    assert_eq!((marks[0].home.as_str(), marks[0].withdrawn), ("avito/h1", Some(Time::from_ms(MARKED_AT))));

    let connection = Connection::open(paths(folder.path()).0).unwrap();
    let unmark = "UPDATE alerts SET body = json_remove(body, '$.withdrawn')";
    connection.execute(unmark, []).unwrap();
    let found = verify(folder.path());
    assert_eq!((found.differences, found.alerts_withdrawn, found.alerts_unmarked), (Vec::new(), 0, 1), "as of earlier");
}

#[test]
fn a_mark_on_an_alert_that_stands_is_found() {
    let sql = "UPDATE alerts SET body = json_set(body, '$.withdrawn', 5) WHERE seq = 2";
    finds(sql, "of home avito/h2 is marked as withdrawn, but the home has it");
}

#[test]
fn a_damaged_alert_is_found_with_its_position() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    // The index would refuse it.
    let damage = "DROP INDEX alerts_withdrawn; UPDATE alerts SET body = '{' WHERE seq = 2";
    Connection::open(paths(folder.path()).0).unwrap().execute_batch(damage).unwrap();
    let found = verify(folder.path());
    let expected = "the alert at position 2 is damaged: it is not JSON".to_owned();
    assert!(found.differences.contains(&expected), "{found:#?}");
    let sql = "UPDATE alerts SET body = json_remove(body, '$.rule') WHERE seq = 2";
    finds(sql, "the alert at position 2 is damaged: missing field `rule`");
}

#[test]
fn an_alert_of_unknown_rules_is_reported_as_unchecked() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    Connection::open(paths(folder.path()).0)
        .unwrap()
        .execute("UPDATE alerts SET rules = NULL WHERE seq = 1", [])
        .unwrap();
    let found = verify(folder.path());
    assert_eq!((found.different, found.alerts, found.alerts_unchecked), (0, 2, 1));
    // There were other rules once, by which this alert, which follows from the known ones, may not have been raised.
    Connection::open(paths(folder.path()).0).unwrap().execute("DELETE FROM alerts WHERE seq = 2", []).unwrap();
    let found = verify(folder.path());
    assert_eq!((found.differences, found.alerts_complete), (Vec::new(), false));
}

#[test]
fn a_flipped_bit_of_the_lake_is_found() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    measure(&database, &[asks("h1", 0, 500_000), asks("h2", 3, 400_000)]);
    drop(database);
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    let body: Vec<u8> = connection.query_row("SELECT body FROM outbox", [], |row| row.get(0)).unwrap();
    let seq: i64 = connection.query_row("SELECT seq FROM outbox", [], |row| row.get(0)).unwrap();
    let mut without_effect = 0;
    for bit in 0..body.len() * 8 {
        let mut flipped = body.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        connection.execute("UPDATE outbox SET body = ?1", [flipped]).unwrap();
        let (path, data) = paths(folder.path());
        match Database::open_read(&path, &data).unwrap().verify(&|| false) {
            Err(error) => {
                let message = stoop_pipeline::with_causes(&error);
                assert!(message.contains(&format!("table outbox, row {seq}")), "bit {bit}: {message}");
            }
            Ok(found) => {
                assert_eq!((found.observations, found.different), (2, 0), "bit {bit}: read as something else");
                without_effect += 1;
            }
        }
    }
    // A few bits of the format have no effect on what is read.
    assert!(without_effect < 10, "{without_effect}");
}
