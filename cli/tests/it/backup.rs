//! `stoop backup`, `stoop restore`, `stoop rebuild --from-lake`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Room, Running, list, map, number, says, until};

const ROWS: usize = 24_000;

/// A folder with rows to replay, and rules that send many of the drops in them.
fn room() -> Room {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", &ROWS.to_string(), "--homes", "1000", "--lively"]).ok().stdout;
    room.write("rows.jsonl", rows);
    room.write("stoop.toml", "[alerts]\ndrop_percent = 3\n");
    room
}

fn replayed() -> Room {
    let room = room();
    says(&room.replay(&map("simulated.toml"), &["rows.jsonl"]), &json!({ "rows": ROWS, "complete": true }));
    room
}

fn start_replay(room: &Room, rate: &str) -> Running {
    room.start(&["replay", "--map", &map("simulated.toml"), "rows.jsonl", "--rate", rate])
}

/// What people see: markets, homes and alerts.
fn state(room: &Room, store: &[&str]) -> [Value; 3] {
    let ask = |args: &[&str]| room.json(&[args, store].concat());
    [
        ask(&["markets", "--limit", "100000"]),
        ask(&["homes", "us", "--all", "--limit", "100000"]),
        ask(&["alerts", "--limit", "100000"]),
    ]
}

/// Restores a backup under another name, and verifies it. Returns its number of observations.
fn restored(room: &Room, backup: &str, name: &str) -> f64 {
    let store = ["--db", &format!("{name}.db"), "--data", &format!("{name}-data")];
    let message = room.json(&[&["restore", backup], &store[..]].concat());
    let verified = room.json(&[&["verify"], &store[..]].concat());
    says(&verified, &json!({ "equal": true, "files_unknown": 0, "observations": message["observations"] }));
    number(&message["observations"])
}

#[test]
fn a_backup_of_a_running_replay_is_whole_and_so_is_what_is_restored_of_it() {
    let room = room();
    let mut replay = start_replay(&room, "6000");
    until("a database", || room.path("stoop.db").exists().then_some(()));
    let (mut before, mut moments, mut round) = (0.0, 0, 0);
    until("backups of several moments", || {
        // Refused only as long as the replay makes the file.
        if room.stoop(&["backup", "kept"]).code == Some(0) {
            let observations = restored(&room, "kept", &format!("copy{round}"));
            assert!(observations >= before, "{observations} after {before}");
            moments += i32::from(observations > before);
            (before, round) = (observations, round + 1);
        }
        (moments > 3 || replay.has_ended()).then_some(())
    });
    assert!(moments > 1, "the replay was too fast: {moments}");
    until("the end of the replay", || replay.has_ended().then_some(()));
    let made = room.json(&["backup", "kept"]);
    says(&made, &json!({ "observations": ROWS, "homes": 1_000 }));
    assert!(number(&made["bytes_copied"]) <= number(&made["bytes"]), "{made}");
    assert_eq!(restored(&room, "kept", "last"), 24_000.0);
    assert_eq!(state(&room, &["--db", "last.db", "--data", "last-data"]), state(&room, &[]));
    let lines = |folder: &str| std::fs::read_to_string(room.path(folder).join("alerts.jsonl")).unwrap();
    assert_eq!(lines("last-data"), lines("stoop-data"));
    // The restored one works on: the same rows change nothing, and nothing is sent again.
    let args = ["replay", "--map", &map("simulated.toml"), "rows.jsonl", "--db", "last.db", "--data", "last-data"];
    says(&room.json(&args), &json!({ "changed_nothing": true, "alerts": 0 }));
    assert_eq!(lines("last-data"), lines("stoop-data"));
}

#[test]
fn a_backup_that_is_killed_is_never_taken_for_a_whole_one() {
    let room = replayed();
    let (mut killed, mut whole) = (0, 0);
    for round in 0..40 {
        let folder = format!("kept{}", round % 4);
        let mut running = room.start(&["backup", &folder]);
        std::thread::sleep(Duration::from_millis(5 * round));
        killed += i32::from(!running.has_ended());
        running.kill();
        let name = format!("copy{round}");
        let message =
            room.stoop(&["restore", &folder, "--db", &format!("{name}.db"), "--data", &format!("{name}-data")]);
        if message.code == Some(0) {
            whole += 1;
            says(
                &room.json(&["verify", "--db", &format!("{name}.db")]),
                &json!({ "equal": true, "observations": ROWS }),
            );
            // The next backup into it would have nothing to do, and end before it is killed.
            std::fs::remove_dir_all(room.path(&folder)).unwrap();
        } else {
            message.refused(&["has no whole backup"]);
            assert!(!room.path(&format!("{name}.db")).exists() && !room.path(&format!("{name}-data")).exists());
        }
        if whole > 2 && killed > 4 {
            break;
        }
    }
    assert!(killed > 2, "{killed}");
    room.stoop(&["backup", "kept0"]).ok();
    assert_eq!(restored(&room, "kept0", "last"), 24_000.0);
}

#[test]
fn a_restore_that_is_killed_leaves_nothing_that_is_taken_for_a_database() {
    let room = replayed();
    room.stoop(&["backup", "kept"]).ok();
    for round in 0..6 {
        let (db, data) = (format!("copy{round}.db"), format!("copy{round}-data"));
        let store = ["--db", &*db, "--data", &*data];
        let running = room.start(&[&["restore", "kept"], &store[..]].concat());
        // At any moment: the result must not depend on it.
        std::thread::sleep(Duration::from_millis(8 * round));
        running.kill();
        if !room.path(&db).exists() {
            room.stoop(&[&["verify"], &store[..]].concat()).refused(&["there is no database"]);
            // Killed between its last two steps, it leaves the whole data folder.
            drop(std::fs::remove_dir_all(room.path(&data)));
            room.stoop(&[&["restore", "kept"], &store[..]].concat()).ok();
        }
        let verified = room.json(&[&["verify"], &store[..]].concat());
        says(&verified, &json!({ "equal": true, "observations": ROWS, "files_unknown": 0 }));
    }
    let left = std::fs::read_dir(room.path(".")).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".restoring"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_backup_in_the_place_of_another_is_refused() {
    let room = replayed();
    room.stoop(&["backup", "kept"]).ok();
    room.stoop(&["restore", "kept"]).refused(&["the database file", "stoop.db exists; move it away"]);
    room.stoop(&["restore", "kept", "--db", "new.db"]).refused(&["the data folder stoop-data exists"]);
    room.stoop(&["restore", "nothing", "--db", "new.db", "--data", "new"]).refused(&["nothing has no whole backup"]);
    room.stoop(&["backup", "stoop-data"]).refused(&["stoop-data is the data folder itself"]);
    room.stoop(&["backup", "kept2", "--db", "none.db"]).refused(&["there is no database"]);
    let lake = std::fs::read_dir(room.path("kept/lake/observations")).unwrap().next().unwrap().unwrap().path();
    let file = std::fs::read_dir(lake).unwrap().next().unwrap().unwrap().path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let message = room.stoop(&["restore", "kept", "--db", "new.db", "--data", "new"]);
    assert_eq!(message.code, Some(1));
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(message.stderr.contains(&name) && message.stderr.contains("altered or damaged"), "{}", message.stderr);
    assert!(!room.path("new.db").exists() && !room.path("new").exists());
}

#[test]
fn a_lost_database_comes_back_from_the_lake_alone() {
    let room = replayed();
    room.stoop(&["flush"]).ok();
    let before = state(&room, &[]);
    let sent = std::fs::read_to_string(room.path("stoop-data/alerts.jsonl")).unwrap();
    room.stoop(&["rebuild", "--from-lake"]).refused(&["stoop.db exists"]);
    std::fs::rename(room.path("stoop.db"), room.path("lost.db")).unwrap();
    let message = room.stoop(&["rebuild", "--from-lake"]).ok().stdout;
    for part in ["24,000 observations of", "1,000 homes", "lost without a backup: runs, quarantine,"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
    says(&room.is_equal(), &json!({ "observations": ROWS, "homes": 1_000, "files_unknown": 0 }));
    let [markets, homes, alerts] = state(&room, &[]);
    assert_eq!((markets, homes), (before[0].clone(), before[1].clone()));
    // Which alerts were withdrawn, and when, is not in the lake; those that stand are.
    let ids = |alerts: &Value| -> Vec<String> {
        let standing = list(&alerts["alerts"]).iter().filter(|alert| alert["withdrawn_at"].is_null());
        let mut ids: Vec<String> = standing.map(|alert| alert["id"].to_string()).collect();
        ids.sort();
        ids
    };
    assert!(!ids(&alerts).is_empty());
    assert_eq!(ids(&alerts), ids(&before[2]));
    says(
        &room.replay(&map("simulated.toml"), &["rows.jsonl"]),
        &json!({ "changed_nothing": true, "duplicates": ROWS, "alerts": 0 }),
    );
    assert_eq!(std::fs::read_to_string(room.path("stoop-data/alerts.jsonl")).unwrap(), sent, "nothing is sent again");
}

#[test]
fn a_killed_rebuild_of_the_lake_leaves_nothing_that_is_taken_for_a_database() {
    let room = replayed();
    room.stoop(&["flush"]).ok();
    std::fs::rename(room.path("stoop.db"), room.path("lost.db")).unwrap();
    for round in 0..5 {
        let running = room.start(&["rebuild", "--from-lake"]);
        std::thread::sleep(Duration::from_millis(60 * round));
        running.kill();
        if room.path("stoop.db").exists() {
            break;
        }
        room.stoop(&["markets"]).refused(&["there is no database"]);
    }
    if !room.path("stoop.db").exists() {
        room.stoop(&["rebuild", "--from-lake"]).ok();
    }
    says(&room.is_equal(), &json!({ "observations": ROWS, "files_unknown": 0 }));
    assert!(!room.path("stoop.db.from-lake").exists());
}

#[test]
fn an_older_database_beside_a_newer_lake_is_not_equal_to_it() {
    let room = room();
    let mut replay = start_replay(&room, "8000");
    until("a backup of some observations", || {
        let made = room.stoop(&["backup", "kept", "--json"]);
        (made.code == Some(0) && number(&made.json()["observations"]) > 0.0).then_some(())
    });
    until("the end of the replay", || replay.has_ended().then_some(()));
    room.stoop(&["flush"]).ok();
    room.stoop(&["restore", "kept", "--db", "old.db", "--data", "old"]).ok();
    let store = ["--db", "old.db", "--data", "stoop-data"];
    let message = room.stoop(&[&["verify", "--json"], &store[..]].concat());
    assert_eq!(message.code, Some(1), "{}", message.stderr);
    let message = message.json();
    assert_eq!(message["equal"], false);
    let unknown = number(&message["files_unknown"]);
    assert!(unknown > 0.0, "{message}");
    assert!(message["differences"][0].to_string().contains("is older than its lake"), "{message}");
    let message = room.stoop(&[&["verify"], &store[..]].concat()).stdout;
    assert!(message.contains("`stoop rebuild --from-lake`"), "{message}");
    // Working on is possible, and harms nothing; it is said.
    let args = ["replay", "--map", &map("simulated.toml"), "rows.jsonl"];
    let message = room.stoop(&[&args[..], &store[..]].concat()).ok();
    assert!(message.stderr.contains("it is older than its lake or shares it"), "{}", message.stderr);
    let message = room.stoop(&["verify", "--json"]).json();
    assert_eq!(message["different"], message["files_unknown"], "the original is whole: {message}");
    std::fs::rename(room.path("stoop.db"), room.path("lost.db")).unwrap();
    // The log of a database that is away would be taken for that of the new one.
    std::fs::write(room.path("stoop.db-wal"), "left").unwrap();
    room.stoop(&["rebuild", "--from-lake"]).refused(&["the log of a database stoop.db-wal exists; move it away"]);
    std::fs::rename(room.path("stoop.db-wal"), room.path("lost.db-wal")).unwrap();
    let message = room.json(&["rebuild", "--from-lake"]);
    says(&message, &json!({ "observations": ROWS, "homes": 1_000, "missing": 0 }));
    says(&room.is_equal(), &json!({ "observations": ROWS, "files_unknown": 0 }));
}
