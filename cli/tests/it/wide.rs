//! Wide areas: rolled up after a replay, and right when the roll-up fails.

use rusqlite::Connection;
use serde_json::json;

use crate::support::{MAP, Room, says};

/// How many markets wait for a roll-up, and how many areas are stored.
pub(crate) fn rolled_up(room: &Room) -> (i64, i64) {
    let connection = Connection::open(room.path("stoop.db")).unwrap();
    let sql = "SELECT (SELECT count(*) FROM markets WHERE version <> rolled), (SELECT count(*) FROM areas)";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
}

fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("one.csv", "id,seen,price,city\na,2026-03-01,500000,Reno\nb,2026-03-01,300000,Sparks\n");
    room.write("two.csv", "id,seen,price,city\na,2026-03-02,450000,Reno\nc,2026-03-02,900000,Elko\n");
    room
}

#[test]
fn a_replay_rolls_wide_areas_up() {
    let room = room();
    room.replay("made.toml", &["one.csv"]);
    assert_eq!(rolled_up(&room), (0, 5), "two cities of one county, its state and its country");
    room.replay("made.toml", &["two.csv"]);
    assert_eq!(rolled_up(&room), (0, 7));
    says(&room.is_equal(), &json!({ "markets": 3, "areas": 7 }));
    let message = room.json(&["market", "us/", "--days", "400"]);
    says(&message["markets"][0], &json!({ "id": "us:sale:USD", "active": 3, "mean_price": 550_000.0 }));
    let listed = room.json(&["markets", "--level", "city", "--sort", "mean_price", "--desc", "--limit", "2"]);
    says(&listed, &json!({ "level": "city", "total": 3 }));
    says(&listed["markets"][0], &json!({ "id": "us/nv/elko/elko:sale:USD", "name": "Elko", "mean_price": 900_000.0 }));
    says(&listed["markets"][1], &json!({ "id": "us/nv/washoe/reno:sale:USD" }));
    assert_eq!(room.json(&["markets", "--min-homes", "2"])["total"], 0);
    assert_eq!(room.json(&["markets", "--level", "country", "--min-homes", "3"])["total"], 1);
    room.stoop(&["markets", "--level", "street"]).refused(&["accepted: city, county, region, country"]);
    room.stoop(&["markets", "--sort", "beauty"])
        .refused(&["accepted: active, unconfirmed, priced, outlying, median_price"]);
}

#[test]
fn a_failed_roll_up_loses_nothing_and_is_done_later() {
    let room = room();
    room.replay("made.toml", &["one.csv"]);
    let connection = Connection::open(room.path("stoop.db")).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE UPDATE ON areas BEGIN SELECT RAISE(ABORT, 'no room on this disk'); END";
    connection.execute_batch(fails).unwrap();
    let outcome = room.stoop(&["replay", "--map", "made.toml", "two.csv"]).ok();
    assert!(outcome.stderr.contains("wide areas are not rolled up"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("no room on this disk"), "{}", outcome.stderr);
    assert_eq!(rolled_up(&room).0, 2, "Reno and Elko wait");
    let shown = || {
        let message = room.json(&["market", "us/", "--days", "400"]);
        says(&message["markets"][0], &json!({ "active": 3, "mean_price": 550_000.0 }));
        (message, room.json(&["markets", "--level", "county"]))
    };
    let before = shown();
    says(&room.is_equal(), &json!({ "homes": 3 }));
    connection.execute_batch("DROP TRIGGER fails").unwrap();
    room.replay("made.toml", &["two.csv"]);
    assert_eq!(rolled_up(&room), (0, 7));
    assert_eq!(shown(), before);
    room.is_equal();
}

/// A rebuild swaps in a state with roll-ups, and wrong sums alone are a reason to swap.
#[test]
fn a_rebuild_corrects_wide_areas() {
    let room = room();
    room.replay("made.toml", &["one.csv", "two.csv"]);
    let right = room.json(&["market", "us/"]);
    let alter = "UPDATE areas SET now = (SELECT now FROM areas WHERE path = 'us/nv/washoe/reno') WHERE path = 'us'";
    Connection::open(room.path("stoop.db")).unwrap().execute_batch(alter).unwrap();
    assert_ne!(room.json(&["market", "us/"]), right);
    let message = room.stoop(&["verify"]);
    assert_eq!(message.code, Some(1));
    assert!(message.stdout.contains("the area us:sale:USD differs"), "{}", message.stdout);
    let message = room.stoop(&["rebuild", "--yes"]).ok().stdout;
    assert!(message.contains("1 sums of wide areas are wrong, the first: the area us:sale:USD differs"), "{message}");
    assert_eq!((room.json(&["market", "us/"]), rolled_up(&room)), (right, (0, 7)));
    room.is_equal();
}
