//! Followers of the ledger of alerts: the file has each alert once, wherever a process dies. The contract of the ports is
//! a suite of `stoop-tests`.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::support::{apply, market, now, observation, open, paths};
use stoop_domain::{Alert, AlertId, HomeId, Minor, Time, Verdict};
use stoop_embedded::{AlertFile, AlertFilter, Database};
use stoop_pipeline::ports::{DeliveryCursors, Ledger, PortError};
use stoop_rules::Rules;
use tempfile::TempDir;

fn alert(id: &str) -> Alert {
    Alert {
        id: AlertId(id.into()),
        rule: "drop".into(),
        home: HomeId("avito/1".into()),
        market: market(),
        at: Time::from_ms(0),
        from: Minor(100),
        to: Minor(80),
        drop_bp: 2_000,
        title: Some("two\nlines".into()),
        line: None,
        url: None,
        verdict: Verdict::Alert,
        withdrawn: None,
        other_listings: Vec::new(),
    }
}

fn record(database: &Database, ids: &[&str]) {
    now(Ledger::record(database, &ids.iter().map(|id| alert(id)).collect::<Vec<_>>(), &Rules::default())).unwrap();
}

/// A ledger and the file that follows it.
struct Bench {
    folder: TempDir,
    path: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("stoop-data/alerts.jsonl");
        Self { folder, path }
    }

    fn database(&self) -> std::sync::Arc<Database> {
        open(self.folder.path())
    }

    /// Follows the ledger. Returns the alerts that were passed on.
    fn follow(&self, database: &Database) -> Result<Vec<String>, PortError> {
        let mut passed_on = Vec::new();
        AlertFile::new(&self.path).follow(database, |alert| passed_on.push(alert.id.0.clone()))?;
        Ok(passed_on)
    }

    /// Writes, and dies before it can store that.
    fn killed_after_writing(&self, database: &Database) {
        let faults = rusqlite::Connection::open(paths(self.folder.path()).0).unwrap();
        let fault = "CREATE TRIGGER killed BEFORE UPDATE ON followers WHEN new.seq > old.seq
                     BEGIN SELECT RAISE(ABORT, 'a made-up fault'); END";
        faults.execute_batch(fault).unwrap();
        let mut passed_on = 0;
        AlertFile::new(&self.path).follow(database, |_| passed_on += 1).unwrap_err();
        assert_eq!(passed_on, 0, "alerts are passed on only after they are stored");
        faults.execute_batch("DROP TRIGGER killed").unwrap();
    }

    fn ids(&self) -> Vec<String> {
        let line = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap_or_default();
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().map(|text| line(text)["id"].as_str().unwrap_or(text).to_owned()).collect()
    }
}

fn cut(path: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - bytes).unwrap();
}

#[test]
fn a_kill_between_writing_and_recording_leaves_each_alert_in_the_file_once() {
    let bench = Bench::new();
    let database = bench.database();
    record(&database, &["a", "b"]);
    for torn in [0, 1, 30, 200] {
        bench.killed_after_writing(&database);
        cut(&bench.path, torn);
    }
    assert_eq!(bench.follow(&database).unwrap(), ["a", "b"]);
    record(&database, &["c", "d"]);
    for torn in [0, 1, 30, 200] {
        bench.killed_after_writing(&database);
        cut(&bench.path, torn);
    }
    bench.killed_after_writing(&database);
    // More alerts are recorded before the next call.
    record(&database, &["e"]);
    assert_eq!(bench.follow(&database).unwrap(), ["c", "d", "e"]);
    assert_eq!(bench.ids(), ["a", "b", "c", "d", "e"]);
    assert_eq!(bench.follow(&database).unwrap(), Vec::<String>::new());
    assert_eq!(bench.ids().len(), 5);
}

#[test]
fn suspect_alerts_are_skipped() {
    let bench = Bench::new();
    let database = bench.database();
    let suspect = Alert { verdict: Verdict::Suspect("a tenth".into()), ..alert("s") };
    now(Ledger::record(&*database, std::slice::from_ref(&suspect), &Rules::default())).unwrap();
    assert_eq!(bench.follow(&database).unwrap(), Vec::<String>::new());
    assert!(!bench.path.exists());
    record(&database, &["a"]);
    now(Ledger::record(&*database, &[Alert { id: AlertId("t".into()), ..suspect }], &Rules::default())).unwrap();
    assert!(!AlertFile::new(&bench.path).is_in_step(&database).unwrap());
    assert_eq!(bench.follow(&database).unwrap(), ["a"]);
    assert!(AlertFile::new(&bench.path).is_in_step(&database).unwrap());
    assert_eq!(bench.ids(), ["a"]);
}

#[test]
fn a_moved_file_starts_again_and_foreign_lines_are_kept() {
    let bench = Bench::new();
    let database = bench.database();
    record(&database, &["a"]);
    bench.follow(&database).unwrap();
    fs::remove_file(&bench.path).unwrap();
    record(&database, &["b"]);
    bench.follow(&database).unwrap();
    assert_eq!(bench.ids(), ["b"]);

    let mut file = OpenOptions::new().append(true).open(&bench.path).unwrap();
    file.write_all(b"a remark without an end").unwrap();
    for id in ["c", "d"] {
        record(&database, &[id]);
        bench.follow(&database).unwrap();
    }
    assert_eq!(bench.ids(), ["b", "a remark without an end", "c", "d"]);
    // A line longer than all waiting ones, and a file that was truncated in the middle of a line.
    file.write_all(&[b'x'; 5_000]).unwrap();
    record(&database, &["e"]);
    bench.follow(&database).unwrap();
    cut(&bench.path, 10);
    record(&database, &["f"]);
    bench.follow(&database).unwrap();
    assert_eq!(bench.ids().len(), 7);
    assert_eq!(bench.ids()[6], "f");
}

#[test]
fn a_failed_write_names_the_file_and_is_repeated_later() {
    let bench = Bench::new();
    let database = bench.database();
    record(&database, &["a"]);
    fs::create_dir_all(&bench.path).unwrap();
    let error = bench.follow(&database).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("stoop-data/alerts.jsonl"), "{source}");
    fs::remove_dir(&bench.path).unwrap();
    assert_eq!(bench.follow(&database).unwrap(), ["a"]);
}

#[test]
fn a_forgotten_follower_has_no_position_and_others_keep_theirs() {
    let bench = Bench::new();
    let database = bench.database();
    apply(&database, &[&observation("1", 0, 0)]);
    record(&database, &["a", "b"]);
    for follower in ["webhook", "another"] {
        now(database.refused(follower, 1, Time::from_ms(7), "status 422")).unwrap();
    }
    database.forget_follower("webhook").unwrap();
    assert_eq!(database.place_of("webhook").unwrap(), None);
    assert!(database.place_of("another").unwrap().is_some());
    assert_eq!(database.dead_letter_count("webhook").unwrap(), 1, "what was refused is still to be seen");
    assert_eq!(database.changes(0, 9).unwrap().len(), 1, "the change feed has its own positions");
}

#[test]
fn set_rules_returns_the_rules_before() {
    let database = Bench::new().database();
    let (usual, other) = (Rules::default(), Rules { noise_bp: 7, ..Rules::default() });
    assert_eq!(database.set_rules(&usual).unwrap(), None);
    assert_eq!(database.set_rules(&other).unwrap(), Some(usual.clone()));
    assert_eq!(database.set_rules(&other).unwrap(), Some(other.clone()));
    assert_eq!(database.set_rules(&usual).unwrap(), Some(other));
}

#[test]
fn a_damaged_alert_is_named_and_hides_and_delays_no_other() {
    let bench = Bench::new();
    let database = bench.database();
    record(&database, &["a", "b", "c"]);
    let file = rusqlite::Connection::open(paths(bench.folder.path()).0).unwrap();
    file.execute("UPDATE alerts SET body = '{}' WHERE seq = 2", []).unwrap();
    assert_eq!(database.alerts(AlertFilter::All, 10).unwrap().len(), 2);
    assert_eq!((database.counts().unwrap().alerts, database.meters().unwrap().withdrawn), (3, 0));
    let rows = database.alerts_after(0, 10).unwrap();
    let error = stoop_pipeline::with_causes(rows[1].1.as_ref().unwrap_err());
    assert!(error.starts_with("read the alert at position 2, which is damaged: "), "{error}");
    assert_eq!(rows.iter().filter_map(|(_, alert)| Some(&*alert.as_ref().ok()?.id.0)).collect::<Vec<_>>(), ["a", "c"]);
    let judged = database.judged_after(0, 10).unwrap();
    assert_eq!(judged.iter().map(|(_, judged)| judged.is_some()).collect::<Vec<_>>(), [true, false, true]);

    now(database.refused("webhook", 2, Time::from_ms(7), "status 422")).unwrap();
    now(database.refused("webhook", 3, Time::from_ms(7), "status 422")).unwrap();
    let letters = database.dead_letters("webhook", 0, 9).unwrap();
    assert_eq!(letters.iter().map(|letter| letter.position).collect::<Vec<_>>(), [3]);

    let mut written = Vec::new();
    let lines = AlertFile::new(&bench.folder.path().join("alerts.jsonl"));
    lines.follow(&database, |alert| written.push(alert.id.0.clone())).unwrap();
    assert_eq!((written, lines.is_in_step(&database).unwrap()), (vec!["a".to_owned(), "c".to_owned()], true));
}
