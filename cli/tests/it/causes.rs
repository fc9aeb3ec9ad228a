//! Errors are reported with all their causes, each once.

use std::fs;

use crate::support::{Outcome, Room, map};

fn room() -> Room {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", "3000", "--lively"]).ok().stdout;
    room.write("rows.jsonl", rows);
    room
}

fn replay(room: &Room) -> Outcome {
    room.stoop(&["replay", "--map", &map("simulated.toml"), "rows.jsonl"])
}

/// Asserts that the program fails, with these last lines: why, and what helps.
#[track_caller]
fn fails(outcome: &Outcome, lines: [&str; 2]) {
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    let shown: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(shown[shown.len().saturating_sub(2)..], lines);
}

#[test]
fn a_database_that_does_not_open_says_why() {
    let room = room();
    replay(&room).ok();
    fs::create_dir(room.path("stoop.db-wal")).unwrap();
    let why = "stoop: cannot open the database ./stoop.db: unable to open database file";
    fails(
        &replay(&room),
        [why, "stoop: trying again does not help: check rights, paths and configuration; more: stoop explain refused"],
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_with_the_file_and_in_the_ledger() {
    let room = room();
    fs::create_dir(room.path("stoop-data")).unwrap();
    std::os::unix::fs::symlink("/dev/full", room.path("stoop-data/alerts.jsonl")).unwrap();
    let cause = "cannot append to stoop-data/alerts.jsonl: No space left on device (os error 28)";
    // The second run fails on the alert that the first one left.
    for _ in 0..2 {
        let outcome = replay(&room);
        assert_eq!(outcome.code, Some(1));
        assert_eq!(outcome.stderr.matches(cause).count(), 1, "{}", outcome.stderr);
        assert!(
            outcome
                .stderr
                .ends_with("\nstoop: there is no space: free some, then try again; more: stoop explain full\n"),
            "{}",
            outcome.stderr
        );
        let run = room.json(&["runs"])["runs"][0].clone();
        assert_eq!(run["outcome"], "failed");
        assert!(run["message"].as_str().unwrap().ends_with(cause), "{run}");
    }
}

#[test]
fn a_code_that_is_printed_is_explained() {
    let room = Room::new();
    fs::create_dir(room.path("folder")).unwrap();
    let outcome = room.stoop(&["markets", "--db", "folder"]);
    outcome.refused(&["folder is a folder; a database is a file", "\nstoop: more: stoop explain no_database\n"]);
    let explained = room.stoop(&["explain", "no_database"]).ok().stdout;
    assert!(explained.starts_with("no_database\n\nThe file is not there"), "{explained}");
    assert!(explained.contains("**What to do.**") && !explained.contains("older_format"), "{explained}");
    let all = room.stoop(&["explain"]).ok().stdout;
    assert!(all.lines().any(|line| line.starts_with("older_format: ")), "{all}");
    room.stoop(&["explain", "no_such"]).refused(&["no_such", "older_format"]);
}
