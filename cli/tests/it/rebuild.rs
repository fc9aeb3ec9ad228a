//! `stoop verify`, `stoop rebuild` and `--as-known`.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{MAP, Room, says, text};

const ROWS: &str = "id,seen,price,city\n\
    a,2026-03-01,500000,Reno\nb,2026-03-01,300000,Reno\nc,2026-03-02,300000,Reno\n\
    a,2026-03-05,400000,Reno\nb,2026-03-06,270000,Reno\nd,2026-03-07,250000,Reno\n";

fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("rows.csv", ROWS);
    room.replay("made.toml", &["rows.csv"]);
    room
}

fn alter(room: &Room, sql: &str) {
    Connection::open(room.path("stoop.db")).unwrap().execute_batch(sql).unwrap();
}

const SPOIL: &str = "UPDATE homes SET body = (SELECT body FROM homes WHERE id = 'made/c') WHERE id = 'made/b';
                     DELETE FROM homes WHERE id = 'made/d'; DELETE FROM bases; DELETE FROM markets";

#[test]
fn each_alteration_is_named_and_a_rebuild_corrects_it() {
    let room = room();
    let before = room.json(&["market", "reno"]);
    says(&room.json(&["rebuild", "--yes"]), &json!({ "equal": true, "swapped": false }));
    alter(&room, SPOIL);
    let message = room.stoop(&["verify", "--json"]);
    assert_eq!(message.code, Some(1), "{}", message.stderr);
    let message: Value = message.json();
    says(&message, &json!({ "equal": false, "observations": 6, "homes": 3 }));
    let message = message["differences"].to_string();
    for part in ["made/b differs", "home made/d has observations, but is not stored", "has homes, but is not stored"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }

    let dry = room.stoop(&["rebuild", "--dry-run"]).ok().stdout;
    for part in [
        "1 homes are missing, the first: made/d",
        "1 homes differ, the first: made/b",
        "1 markets differ, the first: us/",
        "of their figures differ, the first: active of us/",
        "nothing was swapped",
    ] {
        assert!(dry.contains(part), "{part:?} is not in {dry}");
    }
    // Without a terminal nothing is asked.
    let unasked = room.stoop(&["rebuild"]);
    assert_eq!(unasked.code, Some(1), "{}", unasked.stderr);
    assert!(unasked.stdout.contains("`stoop rebuild --yes` does it"), "{}", unasked.stdout);
    assert_eq!(room.stoop(&["verify"]).code, Some(1), "nothing is swapped");
    let message = room.json(&["rebuild", "--yes"]);
    says(&message, &json!({ "equal": false, "swapped": true }));
    assert_eq!(message["difference"]["homes_new"]["first"], "made/d");
    room.is_equal();
    assert_eq!(room.json(&["market", "reno"]), before);

    room.stoop(&["rebuild", "--back"]).ok();
    assert_eq!(room.stoop(&["verify"]).code, Some(1), "it is unchanged");
    room.stoop(&["rebuild", "--yes"]).ok();
    room.is_equal();
    room.stoop(&["rebuild", "--forget"]).ok();
    assert_eq!(room.stoop(&["rebuild", "--back"]).code, Some(1), "there is nothing to go back to");
    room.is_equal();
    assert_eq!(room.alert_ids().len(), 1, "nothing is sent again");
}

#[test]
fn a_file_of_an_older_format_is_refused_and_a_rebuild_helps() {
    let room = room();
    let before = room.json(&["market", "reno"]);
    alter(
        &room,
        "ALTER TABLE alerts DROP COLUMN rules; DROP TABLE rules; UPDATE homes SET body = x'01'; PRAGMA user_version = 6",
    );
    for args in [&["market", "reno"][..], &["verify"], &["replay", "--map", "made.toml", "rows.csv"]] {
        room.stoop(args).refused(&["has format 6", "`stoop rebuild` converts it with the observations"]);
    }
    let message = room.json(&["rebuild", "--yes"]);
    says(&message, &json!({ "swapped": true }));
    assert_eq!(message["difference"]["older"], true);
    assert_eq!(room.json(&["market", "reno"]), before);
    says(&room.is_equal(), &json!({ "alerts": 1, "alerts_unchecked": 1 }));
    assert!(room.stoop(&["verify"]).ok().stdout.contains("not checked: 1 alerts"));
}

#[test]
fn without_a_database_nothing_is_created() {
    let room = Room::new();
    room.stoop(&["rebuild"]).refused(&["there is no database"]);
    assert!(!room.path("stoop.db").exists());
}

#[test]
fn a_killed_rebuild_continues() {
    let room = Room::new();
    let map = crate::support::map("simulated.toml");
    let rows = room.stoop(&["simulate", "--rows", "60000", "--homes", "40000"]).ok().stdout;
    room.write("rows.jsonl", rows);
    room.replay(&map, &["rows.jsonl"]);
    alter(&room, "DELETE FROM homes WHERE rowid = 7");
    for _ in 0..6 {
        let running = room.start(&["rebuild", "--dry-run"]);
        // At any moment: the result must not depend on it.
        std::thread::sleep(std::time::Duration::from_millis(150));
        running.kill();
        assert_eq!(room.stoop(&["verify"]).code, Some(1), "nothing is swapped");
    }
    says(&room.json(&["rebuild", "--yes"]), &json!({ "swapped": true }));
    room.is_equal();
    let left = std::fs::read_dir(room.path("stoop-data")).unwrap();
    let left = left.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("scratch"));
    assert_eq!(left.count(), 0, "the remains of killed rebuilds are gone");
}

#[test]
fn as_known_shows_what_a_room_with_only_earlier_rows_shows() {
    let room = room();
    // Up to 3 March the file has three rows; nothing of them was revised by then.
    let then = Room::new();
    then.write("made.toml", MAP);
    then.write("rows.csv", ROWS.lines().take(4).map(|line| format!("{line}\n")).collect::<String>());
    then.replay("made.toml", &["rows.csv"]);
    let known = room.json(&["market", "reno", "--as-known", "2026-03-03"]);
    let mut expected = then.json(&["market", "reno", "--as-of", "2026-03-03"]);
    // The newest observation is looked up among the homes as they are now only.
    assert_eq!(expected["markets"][0]["lag_seconds"], 86_400);
    for name in ["observed_at", "lag_seconds"] {
        expected["markets"][0][name] = json!(null);
    }
    assert_eq!(known["markets"], expected["markets"]);
    assert_eq!((&known["as_known"], &known["revised"]), (&json!("2026-03-03T00:00:00Z"), &json!([])));

    // On the 3rd less was known about 7 March: neither of the cuts, nor the new home.
    let known = room.json(&["market", "reno", "--as-known", "2026-03-03", "--as-of", "2026-03-08"]);
    let figure = |name: &str| {
        let revised = known["revised"].as_array().unwrap().iter().find(|revised| revised["figure"] == name).unwrap();
        (revised["then"].clone(), revised["now"].clone())
    };
    assert_eq!(figure("active"), (json!(3), json!(4)));
    assert_eq!(figure("mean_price"), (json!(366_666.67), json!(305_000.0)));
    assert_eq!(figure("last_7_days.price_cuts"), (json!(0), json!(2)));
    let message = room.stoop(&["market", "reno", "--as-known", "2026-03-03", "--as-of", "2026-03-08"]).ok().stdout;
    assert!(message.contains("As known on 2026-03-03") && message.contains("active of us/"), "{message}");

    let home = room.json(&["home", "made/a", "--as-known", "2026-03-03"]);
    assert_eq!(home["intervals"].as_array().unwrap().len(), 1, "{home}");
    assert_eq!(text(&home["last_seen"]), "2026-03-01T00:00:00Z");
    room.stoop(&["home", "made/d", "--as-known", "2026-03-03"]).refused(&["nobody had seen the home made/d until"]);
    let nothing = room.json(&["market", "reno", "--as-known", "2026-02-01"]);
    assert_eq!((&nothing["markets"], &nothing["revised"]), (&json!([]), &json!([])));
}
