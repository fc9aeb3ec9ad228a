//! A replay that is killed or interrupted at any moment and started again ends in the same state as a clean one.

#![cfg(unix)]

use std::sync::OnceLock;

use crate::support::{Outcome, Room, Running, map, says, text, until};
use serde_json::{Value, json};
use stoop_embedded::Database;

const ROWS: usize = 24_000;

/// Rows per second, slow enough to be killed midway: rows are committed twice a second.
const RATE: &str = "8000";

/// The state after a clean run.
#[derive(Debug, PartialEq)]
struct State {
    markets: Value,
    homes: Value,
    verified: Value,
    /// The IDs of the alerts in the ledger.
    alerts: Vec<String>,
}

/// A folder with rows to replay, and rules that send many of the drops in them.
fn room() -> Room {
    static ROWS_TEXT: OnceLock<String> = OnceLock::new();
    let room = Room::new();
    let rows = || room.stoop(&["simulate", "--rows", &ROWS.to_string(), "--homes", "1000", "--lively"]).ok().stdout;
    room.write("rows.jsonl", ROWS_TEXT.get_or_init(rows));
    room.write("stoop.toml", "[alerts]\ndrop_percent = 3\n");
    room
}

fn state(room: &Room) -> State {
    State {
        markets: room.json(&["markets", "--limit", "100000"]),
        homes: room.json(&["homes", "us", "--all", "--limit", "100000"]),
        verified: room.is_equal(),
        alerts: room.alert_ids(),
    }
}

fn clean() -> &'static State {
    static CLEAN: OnceLock<State> = OnceLock::new();
    CLEAN.get_or_init(|| {
        let room = room();
        let message = replay_to_the_end(&room);
        says(&message, &json!({ "rows": ROWS, "duplicates": 0, "homes": 1_000 }));
        let state = state(&room);
        assert!(state.alerts.len() > 100, "enough alerts to lose some: {}", state.alerts.len());
        assert_eq!(ids_in_file(&room), state.alerts, "each sent once");
        state
    })
}

/// The arguments of a replay, with the project's map.
fn with_replay<T>(extra: &[&str], run: impl FnOnce(&[&str]) -> T) -> T {
    let map = map("simulated.toml");
    let args = ["replay", "--map", &map, "rows.jsonl", "--config", "stoop.toml"];
    run(&args.into_iter().chain(extra.iter().copied()).collect::<Vec<_>>())
}

fn replay_to_the_end(room: &Room) -> Value {
    let message = with_replay(&[], |args| room.json(args));
    says(&message, &json!({ "complete": true, "overfull": 0 }));
    message
}

fn start(room: &Room) -> Running {
    with_replay(&["--rate", RATE], |args| room.start(args))
}

fn committed(room: &Room) -> u64 {
    let database = Database::open_read(&room.path("stoop.db"), &room.path("stoop-data"));
    database.ok().and_then(|database| database.counts().ok()).map_or(0, |counts| counts.observations)
}

/// The IDs in `alerts.jsonl`, sorted. A torn last line is skipped.
fn ids_in_file(room: &Room) -> Vec<String> {
    let lines = std::fs::read_to_string(room.path("stoop-data/alerts.jsonl")).unwrap_or_default();
    let id = |line: &str| Some(text(&serde_json::from_str::<Value>(line).ok()?["id"]).to_owned());
    let mut ids: Vec<String> = lines.lines().filter_map(id).collect();
    ids.sort();
    ids
}

/// Starts a replay, kills it as soon as `is_time` returns true, and checks that the stored state is consistent.
fn killed_when(room: &Room, what: &str, mut is_time: impl FnMut() -> bool) -> u64 {
    let mut running = start(room);
    until(what, || {
        assert!(!running.has_ended(), "it ended before it could be killed: {what}");
        is_time().then_some(())
    });
    running.kill();
    let kept = committed(room);
    if kept > 0 {
        room.is_equal();
    }
    kept
}

/// After any interruption, the same replay ends in the state of a clean one, with each alert sent once.
#[track_caller]
fn ends_like_a_clean_run(room: &Room) {
    let kept = committed(room);
    let message = replay_to_the_end(room);
    assert_eq!((&message["rows"], &message["duplicates"]), (&json!(ROWS), &json!(kept)));
    assert_eq!(&state(room), clean());
    let message = ids_in_file(room);
    assert!(message == clean().alerts, "sent {} of {}, each once", message.len(), clean().alerts.len());
    let again = with_replay(&[], |args| room.json(args));
    says(&again, &json!({ "changed_nothing": true, "duplicates": ROWS, "alerts": 0 }));
}

#[test]
fn killed_after_its_first_commit() {
    let room = room();
    let kept = killed_when(&room, "a first commit", || committed(&room) > 0);
    assert!(kept > 0 && kept < ROWS as u64, "{kept}");
    ends_like_a_clean_run(&room);
}

#[test]
fn killed_half_way_through() {
    let room = room();
    let kept = killed_when(&room, "half of the rows", || committed(&room) >= ROWS as u64 / 2);
    assert!(kept >= ROWS as u64 / 2 && kept < ROWS as u64, "{kept}");
    ends_like_a_clean_run(&room);
}

#[test]
fn killed_while_alerts_are_reported() {
    let room = room();
    let kept = killed_when(&room, "some alerts", || ids_in_file(&room).len() >= 20);
    assert!(kept > 0, "no alert is sent for what is not stored");
    ends_like_a_clean_run(&room);
}

#[test]
fn killed_repeatedly_at_successive_moments() {
    let room = room();
    let mut before = 0;
    for round in 0..8 {
        let began = std::time::Instant::now();
        let wait = std::time::Duration::from_millis(20 + 170 * round);
        let kept = killed_when(&room, "a moment", || began.elapsed() >= wait);
        assert!(kept >= before, "round {round}: stored data stays");
        before = kept;
    }
    ends_like_a_clean_run(&room);
}

#[test]
fn an_interrupted_replay_finishes_its_batch_and_says_how_to_continue() {
    let room = room();
    let mut command = with_replay(&["--rate", RATE], |args| room.command(args));
    let mut running = Running(command.stdout(std::process::Stdio::piped()).spawn().unwrap());
    until("a first commit", || (committed(&room) > 0).then_some(()));
    running.interrupt();
    let Outcome { code, stdout: said, .. } = Outcome::at_the_end_of(&mut running);
    assert_eq!(code, Some(130));
    assert!(said.contains("Stopped before the end; run it again to continue."), "{said}");
    let kept = committed(&room);
    assert!(kept > 0 && kept < ROWS as u64, "{kept}");
    // Everything read before the interruption is processed and judged.
    let run = &room.json(&["runs"])["runs"][0];
    says(run, &json!({ "outcome": "partial", "message": "stopped by the user" }));
    assert_eq!(run["counts"]["observations"], kept);
    assert_eq!(run["counts"]["rows"], kept);
    assert_eq!(run["counts"]["alerts"], room.alert_ids().len());
    room.is_equal();
    ends_like_a_clean_run(&room);
}
