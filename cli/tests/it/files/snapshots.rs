//! Files that show everything a source has: what they lack is gone, unless the loss is large.

use super::*;

/// Four exports of January. The last two lack the second home; the third is older than its name says.
fn snapshots() -> Room {
    let room = Room::new();
    room.write("mls.toml", MAP);
    let all = "id,price\n1,500000\n2,600000\n3,700000\n4,800000\n";
    let fewer = all.replace("2,600000\n", "");
    for (name, text, day) in [("d.csv", all, 1), ("a.csv", all, 2), ("b.csv", &fewer, 3), ("c.csv", &fewer, 4)] {
        room.write(name, text);
        of_january(&room, name, day);
    }
    room
}

#[test]
fn homes_that_a_snapshot_lacks_are_gone_as_of_it() {
    let room = snapshots();
    let files = ["--snapshot", "a.csv", "b.csv", "c.csv", "d.csv"];
    let message = room.replay("mls.toml", &files);
    says(&message, &json!({ "rows": 14, "new": 4, "gone": 1, "homes": 4 }));
    let home = room.stoop(&["home", "mls/2"]).ok().stdout;
    assert!(home.contains("2026-01-01") && home.contains("2026-01-03"), "each file has its own day: {home}");
    assert_eq!(room.json(&["home", "mls/2"])["status"], "Gone", "{home}");
    assert_eq!(room.json(&["home", "mls/3"])["status"], "Active");
    let again = room.replay("mls.toml", &files);
    says(&again, &json!({ "changed_nothing": true, "gone": 1, "duplicates": 15 }));
    room.is_equal();

    // It comes back with the next file, which lacks another home.
    room.write("e.csv", "id,price\n1,500000\n2,600000\n3,700000\n");
    of_january(&room, "e.csv", 5);
    let message =
        room.stoop(&["replay", "--map", "mls.toml", "--snapshot", "a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]);
    assert!(message.ok().stdout.contains("gone             2  a file lacks them"));
    assert_eq!(room.json(&["home", "mls/2"])["status"], "Active");
    assert_eq!(room.json(&["home", "mls/4"])["status"], "Gone");
    room.is_equal();
}

#[test]
fn snapshots_have_the_time_of_their_latest_row_in_any_order() {
    let room = Room::new();
    let by_row = format!("order = \"any\"\n{MAP}observed_at = {{ from = \"at\", date = \"iso\" }}\n");
    room.write("mls.toml", by_row);
    // The third home keeps the time of its last change, which does not move.
    let file = |day: u32, two: &str| {
        format!(
            "id,price,at\n1,500000,2026-01-{day:02}\n3,700000,2025-12-01\n{}",
            two.replace('D', &format!("{day:02}"))
        )
    };
    room.write("c.csv", file(1, "2,600000,2026-01-D\n"));
    for (name, day) in [("b.csv", 2), ("a.csv", 3)] {
        room.write(name, file(day, "").replace("3,700000,2025-12-01\n", ""));
    }
    room.write("d.csv", file(4, ""));
    let message = room.replay("mls.toml", &["--snapshot", "a.csv", "b.csv", "c.csv", "d.csv"]);
    says(&message, &json!({ "gone": 2, "overfull": 0 }));
    assert_eq!(room.json(&["home", "mls/2"])["status"], "Gone");
    let back = room.json(&["home", "mls/3"]);
    assert_eq!(back["status"], "Active", "it is back as of the file that has it again: {back}");
    room.is_equal();
}

#[test]
fn history_snapshots_repeat_a_listing_and_others_may_not() {
    let room = Room::new();
    let by_row = format!("order = \"any\"\n{MAP}observed_at = {{ from = \"at\", date = \"iso\" }}\n");
    room.write("mls.toml", format!("history = true\n{by_row}"));
    room.write("once.toml", &by_row);
    let rows = ["1,500000,2026-01-01\n", "1,450000,2026-01-05\n", "1,440000,2026-01-09\n", "1,430000,2026-01-09\n"];
    for (name, count) in [("a.csv", 2), ("b.csv", 4), ("c.csv", 4)] {
        room.write(name, format!("id,price,at\n{}", rows[..count].concat()));
    }
    let message = room.replay("mls.toml", &["--snapshot", "a.csv", "b.csv", "c.csv"]);
    says(&message, &json!({ "rows": 10, "duplicates": 6, "gone": 0, "quarantined": 0 }));
    let home = room.json(&["home", "mls/1"]);
    let kinds: Vec<_> =
        home["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["new", "price_cut", "price_cut", "price_cut"]);
    room.is_equal();
    // Without `history`, one listing has too many rows.
    let replay = ["--db", "once.db", "replay", "--map", "once.toml", "--snapshot", "a.csv"];
    room.stoop(&replay).refused(&["1 of the first 2 rows are refused", "repeated 1"]);
    let shown = room.stoop(&["--db", "once.db", "quarantine", "--json"]).ok().stdout;
    assert!(shown.contains("history = true"), "{shown}");
}

#[test]
fn a_snapshot_with_rejects_proves_no_absence_and_says_so() {
    let room = snapshots();
    room.write("c.csv", "id,price\n1,500000\n,600000\n4,800000\n");
    of_january(&room, "c.csv", 4);
    let args = ["replay", "--map", "mls.toml", "--snapshot", "--max-rejects", "50", "a.csv", "b.csv", "c.csv"];
    let message = room.stoop(&args).ok();
    assert!(
        message.stderr.contains("c.csv: 1 rows were not understood: nothing is said to be gone"),
        "{}",
        message.stderr
    );
    assert_eq!(room.json(&["home", "mls/3"])["status"], "Active");
}

#[test]
fn files_that_look_like_snapshots_get_a_warning() {
    let room = snapshots();
    let replay = |files: &[&str]| {
        let args: Vec<&str> = ["replay", "--map", "mls.toml"].iter().chain(files).copied().collect();
        room.stoop(&args).ok().stderr
    };
    let warning = replay(&["a.csv", "b.csv", "c.csv"]);
    for part in ["look like snapshots", "stays on offer (1 of them)", "--snapshot"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
    assert_eq!(replay(&["a.csv"]), "");
    assert_eq!(replay(&["--snapshot", "a.csv", "b.csv", "c.csv"]), "");
}

/// A file with this many homes, written on that day of January.
fn homes(room: &Room, name: &str, count: u32, day: u64) {
    let rows: String = (1..=count).map(|id| format!("{id},{}\n", 500_000 + id)).collect();
    room.write(name, format!("id,price\n{rows}"));
    of_january(room, name, day);
}

#[test]
fn a_truncated_export_removes_nothing_and_says_so() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    for (name, count, day) in [("1.csv", 100, 1), ("2.csv", 45, 2), ("3.csv", 100, 3)] {
        homes(&room, name, count, day);
    }
    let message = room.stoop(&["replay", "--map", "mls.toml", "--snapshot", "1.csv", "2.csv"]).ok();
    assert!(message.stderr.contains("2.csv: 55 of 100 listings are missing since 2026-01-02T"), "{}", message.stderr);
    assert_eq!(room.json(&["home", "mls/99"])["status"], "Active");
    let message = room.replay("mls.toml", &["--snapshot", "1.csv", "2.csv", "3.csv"]);
    says(&message, &json!({ "gone": 0 }));
    // A day later they are still missing: they are gone as of the first file that lacked them.
    homes(&room, "3.csv", 45, 3);
    let message = room.replay("mls.toml", &["--snapshot", "1.csv", "2.csv", "3.csv"]);
    says(&message, &json!({ "gone": 55 }));
    room.is_equal();
}

#[test]
fn a_large_loss_is_shown_and_rejected_and_released() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    room.write("stoop.toml", CONFIG);
    std::fs::create_dir(room.path("exports")).unwrap();
    let loss = |more: &[&str]| room.stoop(&[&["sources", "held", "exports"], more].concat()).ok().stdout;
    assert_eq!(loss(&[]), "exports: nothing is held back\n");
    homes(&room, "exports/1.csv", 100, 1);
    homes(&room, "exports/2.csv", 45, 2);
    let held = "55 of 100 listings are missing since 2026-01-02T00:00:00Z";
    let message = room.json(&["poll", "exports"]);
    assert_eq!(message["gone"], 0, "{message}");
    for command in [&["sources"][..], &["sources", "held", "exports"], &["runs", "--json"]] {
        let shown = room.stoop(command).ok().stdout;
        assert!(shown.split_whitespace().collect::<Vec<_>>().join(" ").contains(held), "{command:?}: {shown}");
    }
    let message = room.json(&["sources"]);
    assert_eq!(message["searches"][0]["held_back"]["listings"], 55, "{message}");

    assert!(loss(&["--reject"]).contains("the next poll forgets that 55 listings were missing"));
    assert_eq!(room.json(&["poll", "exports"])["gone"], 0);
    assert_eq!(loss(&["--release"]), "exports: nothing is held back\n");
    // The loss goes on, and is held back anew.
    homes(&room, "exports/3.csv", 45, 3);
    assert_eq!(room.json(&["poll", "exports"])["gone"], 0);
    assert!(loss(&["--release"]).contains("55 listings"));
    assert_eq!(room.json(&["poll", "exports"])["gone"], 55);
    assert_eq!(room.json(&["home", "mls/99"])["status"], "Gone");
    assert_eq!(loss(&[]), "exports: nothing is held back\n");
    room.stoop(&["sources", "held", "other"]).refused(&["the search \"other\" is not configured"]);
    room.stoop(&["sources", "held", "exports", "--release", "--reject"]).refused(&["cannot be used with"]);
    room.is_equal();
}
