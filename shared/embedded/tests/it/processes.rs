//! Processes that use a database, and the runs of dead ones.

use std::collections::BTreeMap;

use stoop_domain::Time;
use stoop_embedded::{Database, Process};
use stoop_pipeline::ports::{RunLedger, RunOutcome, RunRecord};

use crate::support::{files, now, open, paths};

fn run(id: &str, outcome: RunOutcome) -> RunRecord {
    RunRecord {
        id: id.into(),
        kind: "poll".into(),
        subject: "agadir".into(),
        began_at: Time::from_ms(0),
        ended_at: None,
        outcome,
        message: None,
        counts: BTreeMap::new(),
        raw_pages: None,
    }
}

fn outcome(database: &Database) -> RunOutcome {
    database.runs(1).unwrap()[0].outcome
}

fn record(database: &Database, run: &RunRecord) {
    now(RunLedger::record(database, run)).unwrap();
}

#[test]
fn a_run_is_closed_only_when_its_process_is_dead() {
    let folder = tempfile::TempDir::new().unwrap();
    let (path, data) = paths(folder.path());
    let first = open(folder.path());
    assert_eq!(first.begin_work("stoop run", Time::from_ms(1_000)).unwrap(), []);
    record(&first, &run("r1", RunOutcome::Running));
    let second = open(folder.path());
    let known = Process { pid: std::process::id(), command: "stoop run".into(), since: Time::from_ms(1_000) };
    assert_eq!(second.begin_work("stoop poll", Time::from_ms(2_000)).unwrap(), [known]);
    assert_eq!(outcome(&second), RunOutcome::Running);

    // It ends without closing its run, as after a kill.
    drop(first);
    let reader = Database::open_read(&path, &data).unwrap();
    let run = reader.runs(1).unwrap().remove(0);
    assert_eq!((run.outcome, run.ended_at), (RunOutcome::Killed, None));
    assert!(run.message.unwrap().starts_with("its process (stoop run, "));
    let third = open(folder.path());
    assert_eq!(third.begin_work("stoop replay", Time::from_ms(3_000)).unwrap().len(), 1, "the second one is alive");
    // The run stays closed, and the process is removed.
    let body: String = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("SELECT body FROM runs WHERE process IS NULL", [], |row| row.get(0))
        .unwrap();
    assert!(body.contains("\"killed\""), "{body}");
    assert_eq!(files(folder.path()).iter().filter(|name| name.contains("-process-")).count(), 2);
}

#[test]
fn a_process_that_ends_normally_leaves_no_trace() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    database.begin_work("stoop poll", Time::from_ms(0)).unwrap();
    record(&database, &run("r1", RunOutcome::Running));
    record(&database, &run("r1", RunOutcome::Complete));
    drop(database);
    assert_eq!(files(folder.path()), ["stoop.db"]);
    let next = open(folder.path());
    assert_eq!(next.begin_work("stoop poll", Time::from_ms(1)).unwrap(), []);
    assert_eq!(outcome(&next), RunOutcome::Complete);
}
