//! Read-only databases can be viewed.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{Outcome, Room, map, number, until};

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

/// A room with a copy of the program that another user can run.
fn room() -> Room {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", "2000"]).ok().stdout;
    room.write("rows.jsonl", rows);
    fs::copy(env!("CARGO_BIN_EXE_stoop"), room.path("stoop")).unwrap();
    room
}

/// Runs the program in the room as a user without write access. Root may always write, so it becomes another user.
fn view(room: &Room, args: &[&str]) -> Outcome {
    share(&room.path("."));
    allow(&room.path("."), 0o555);
    let mut command = std::process::Command::new(room.path("stoop"));
    command.args(args).current_dir(room.path("."));
    if fs::metadata(room.path(".")).unwrap().uid() == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    let outcome = Outcome::of(&mut command);
    allow(&room.path("."), 0o755);
    outcome
}

/// Lets others read what was made for its owner alone.
fn share(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        // A running program may have removed it meanwhile.
        let Ok(known) = entry.metadata() else { continue };
        let mode = match known.permissions().mode() & 0o777 {
            0o700 => 0o755,
            0o600 => 0o644,
            mode => mode,
        };
        drop(fs::set_permissions(entry.path(), Permissions::from_mode(mode)));
        if known.is_dir() {
            share(&entry.path());
        }
    }
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Asserts that every view works and that nothing is created. Returns how many observations `verify` counted.
#[track_caller]
fn shows_all(room: &Room) -> f64 {
    let names = || {
        let entries = fs::read_dir(room.path(".")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    let before = names();
    for args in [
        &["markets"][..],
        &["market", "chicago"],
        &["homes", "chicago"],
        &["alerts"],
        &["runs"],
        &["quarantine"],
        &["verify", "--json"],
    ] {
        let shown = view(room, args).ok();
        assert_eq!(shown.stderr, "", "{args:?}");
    }
    let verified: Value = view(room, &["verify", "--json"]).ok().json();
    assert_eq!(verified["equal"], true);
    assert_eq!(verified["recorded"], false);
    assert_eq!(names(), before, "nothing is created");
    number(&verified["observations"])
}

#[test]
fn a_database_in_a_folder_that_cannot_be_written_to_is_shown() {
    let room = room();
    room.replay(&map("simulated.toml"), &["rows.jsonl"]);
    allow(&room.path("stoop.db"), 0o444);
    assert!(!room.path("stoop.db-wal").exists());
    assert!(shows_all(&room) > 0.0);
}

#[test]
fn the_write_ahead_log_is_shown_too() {
    let room = room();
    room.replay(&map("simulated.toml"), &["rows.jsonl"]);
    let rows = room.stoop(&["simulate", "--rows", "2000", "--seed", "8"]).ok().stdout;
    room.write("more.jsonl", rows);
    let before = number(&room.is_equal()["observations"]);
    // Killed midway: its log and the log's index are left.
    let running = room.start(&["replay", "--map", &map("simulated.toml"), "more.jsonl", "--rate", "100"]);
    until("more observations", || (number(&room.json(&["verify"])["observations"]) > before).then_some(()));
    let of_a_live_one = shows_all(&room);
    assert!(of_a_live_one > before);
    running.kill();
    let of_a_killed_one = shows_all(&room);
    assert!(of_a_killed_one >= of_a_live_one);
    // A copy without the index, as in a backup.
    fs::remove_file(room.path("stoop.db-shm")).unwrap();
    assert_eq!(shows_all(&room), of_a_killed_one);
    // A log without read access.
    if fs::metadata(room.path(".")).unwrap().uid() == 0 {
        allow(&room.path("stoop.db-wal"), 0o000);
        let shown = view(&room, &["markets"]).ok();
        assert!(shown.stderr.starts_with("stoop: the newest data is not shown: "), "{}", shown.stderr);
        assert!(shown.stderr.trim_end().ends_with(" bytes of ./stoop.db-wal cannot be read"), "{}", shown.stderr);
    }
}
