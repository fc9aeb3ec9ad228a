//! `stoop judge`: the current rules applied to what is stored already.

use crate::support::{MAP, Room, says, text};
use serde_json::json;

/// One home falls by a fifth, one falls by a tenth, one falls to a tenth.
const ROWS: &str = "id,seen,price,city\n\
    a,2026-03-01,500000,Reno\nb,2026-03-01,300000,Elko\nc,2026-03-01,300000,Elko\n\
    a,2026-03-05,400000,Reno\nb,2026-03-06,270000,Elko\nc,2026-03-07,30000,Elko\n";

const HINT: &str = "stoop judge --config stoop.toml";

fn replay(room: &Room, drop_percent: u32) -> String {
    room.write("stoop.toml", format!("[alerts]\ndrop_percent = {drop_percent}\n"));
    room.stoop(&["replay", "--map", "made.toml", "rows.csv", "--config", "stoop.toml"]).ok().stderr
}

#[test]
fn a_changed_threshold_hints_at_judge_and_sends_nothing_unasked() {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("rows.csv", ROWS);
    for _ in 0..2 {
        let message = replay(&room, 50);
        assert!(!message.contains("stoop judge"), "nothing has changed: {message}");
    }
    assert_eq!(room.alert_ids().len(), 0);
    let message = replay(&room, 10);
    assert!(message.contains(HINT), "{message}");
    assert!(!replay(&room, 10).contains(HINT), "the hint appears once");
    let unnamed = room.stoop(&["replay", "--map", "made.toml", "rows.csv"]).ok().stderr;
    assert!(!unnamed.contains("stoop judge"), "stoop.toml applies by default: {unnamed}");
    assert_eq!(room.alert_ids().len(), 0, "known homes are not judged again");

    for _ in 0..2 {
        let judged = room.json(&["judge"]);
        says(&judged, &json!({ "homes": 3, "alerts": 2, "suspects": 0, "known": 1, "sent": false }));
        assert_eq!(text(&judged["newest"][0]["home"]), "made/b");
    }
    assert_eq!((room.alert_ids().len(), room.alert_lines().len()), (0, 0), "without --send nothing changes");
    let message = room.stoop(&["judge", "--limit", "1"]).ok().stdout;
    assert!(message.contains("… and 1 more; --limit shows more") && message.contains("--send does that"), "{message}");

    let judged = room.json(&["judge", "--send"]);
    says(&judged, &json!({ "homes": 3, "alerts": 2, "suspects": 0, "known": 1, "sent": true }));
    assert_eq!((room.alert_ids().len(), room.alert_lines().len()), (2, 2));
    let judged = room.json(&["judge", "--send"]);
    says(&judged, &json!({ "alerts": 0, "suspects": 0, "known": 3 }));
    assert_eq!(room.alert_lines().len(), 2, "the ledger knows them");
}

#[test]
fn without_a_configuration_the_default_rules_apply_and_a_missing_database_is_reported() {
    let room = Room::new();
    room.stoop(&["judge"]).refused(&["there is no database"]);
    room.write("made.toml", MAP);
    room.write("rows.csv", ROWS);
    room.replay("made.toml", &["rows.csv"]);
    assert_eq!(room.alert_ids().len(), 1);
    says(&room.json(&["judge"]), &json!({ "homes": 3, "alerts": 0, "known": 2 }));
    room.write("other.toml", "[alerts]\ndrop_percent = 5\n");
    says(&room.json(&["judge", "--config", "other.toml"]), &json!({ "alerts": 1, "known": 2 }));
}
