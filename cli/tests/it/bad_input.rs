//! Mistakes of the user, a file or a portal's export: reported with what would be accepted, never a crash.

mod long_lines;

use std::io::{BufWriter, Write};

use crate::support::{Outcome, Room, Running, list, number, peak_of, says, until};
use serde_json::{Value, json};

const MAP: &str = r#"
name = "made"
country = "US"
purpose = "sale"
[fields]
native_id = { from = "id" }
observed_at = { from = "seen", date = "iso" }
list_price = { from = "price" }
currency = { from = "currency", default = "USD" }
city = { from = "city" }
latitude = { from = "lat" }
longitude = { from = "lon" }
"#;

const HEADER: &str = "id,seen,price,currency,city,lat,lon\n";
const GOOD: &str = "g,2026-03-01,250000,USD,Reno,39.5,-119.8\n";

/// A room with the map above, a good file and a database with its rows.
fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("good.csv", format!("{HEADER}{GOOD}"));
    says(&room.replay("made.toml", &["good.csv"]), &json!({ "homes": 1 }));
    room
}

#[track_caller]
fn refused(args: &[&str], says: &[&str]) {
    room().stoop(args).refused(says);
}

/// Replays a file in which many rows are bad.
fn replay_all(room: &Room, file: &str) -> Value {
    room.json(&["replay", "--map", "made.toml", "--max-rejects", "100", file])
}

#[test]
fn a_map_that_is_not_there_is_named() {
    refused(&["replay", "--map", "maps/mode.toml", "good.csv"], &["the map maps/mode.toml cannot be read"]);
    refused(&["replay", "--map", ".", "good.csv"], &["the map . cannot be read"]);
    refused(&["replay", "good.csv"], &["--map <TOML>"]);
}

#[test]
fn all_mistakes_of_a_map_are_reported_with_line_key_and_accepted_values() {
    let room = room();
    room.write(
        "bad.toml",
        "name = \"made\"\ncuntry = \"US\"\norder = \"sideways\"\n[fields]\nnative_id = { from = \"id\" }\n\
         list_price = { from = \"price\", money = \"klingon\" }\ncolour = { from = \"c\" }\n",
    );
    room.stoop(&["replay", "--map", "bad.toml", "good.csv"]).refused(&[
        "bad.toml:1: purpose: is missing",
        "bad.toml:2: cuntry: there is no such key; did you mean \"country\"? accepted: name, country",
        "bad.toml:3: order: \"sideways\"; accepted: by-time, any",
        "bad.toml:6: fields.list_price.money: \"klingon\"; accepted: plain,",
        "bad.toml:7: fields.colour: a listing has no such field; accepted: native_id,",
    ]);
    room.write("broken.toml", "name = \"made\"\n[fields\n");
    room.stoop(&["replay", "--map", "broken.toml", "good.csv"]).refused(&["broken.toml:2"]);
}

#[test]
fn columns_that_a_file_lacks_are_reported_with_those_it_has() {
    let room = room();
    room.write("other.csv", "id,seen,prize,currency,city,lat\n");
    room.stoop(&["replay", "--map", "made.toml", "other.csv"]).refused(&[
        "other.csv does not fit",
        "made.toml:8: fields.list_price.from: the file has no column \"price\"; did you mean \"prize\"?",
        "its columns: \"id\", \"seen\", \"prize\"",
        "made.toml:12: fields.longitude.from: the file has no column \"lon\"",
    ]);
}

#[test]
fn files_that_cannot_be_read_are_reported_all_at_once_and_nothing_is_written() {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("good.csv", format!("{HEADER}{GOOD}"));
    room.write("homes.ods", "PK");
    std::fs::create_dir(room.path("folder")).unwrap();
    room.stoop(&["replay", "--map", "made.toml", "good.csv", "gone.csv", "folder", "homes.ods"]).refused(&[
        "gone.csv: there is no such file",
        "folder: this is a folder; give the files in it",
        "homes.ods: the name does not give the format; accepted: .csv, .tsv, .json, .jsonl, .ndjson, .parquet",
    ]);
    assert!(!room.path("stoop.db").exists());
}

#[test]
fn a_database_of_another_program_is_not_changed() {
    let replay = ["replay", "--map", "made.toml", "good.csv", "--db"];
    let with = |db: &'static str| replay.iter().copied().chain([db]).collect::<Vec<_>>();
    let room = room();
    std::fs::create_dir(room.path("folder")).unwrap();
    room.stoop(&with("folder")).refused(&["folder is a folder; a database is a file, such as stoop.db"]);
    room.write("notes.txt", "not a database, but somebody's notes, which they would miss\n");
    room.stoop(&with("notes.txt")).refused(&["notes.txt is not an SQLite database", "left as it is"]);
    assert!(room.read("notes.txt").starts_with("not a database"));
    room.stoop(&with("nowhere/stoop.db")).refused(&["nowhere/stoop.db does not exist"]);
    for view in ["markets", "alerts", "quarantine", "runs", "verify"] {
        room.stoop(&[view, "--db", "gone.db"]).refused(&["there is no database", "gone.db"]);
        room.stoop(&[view, "--db", "notes.txt"]).refused(&["notes.txt is not an SQLite database"]);
    }
    assert!(!room.path("gone.db").exists());
}

#[test]
fn bad_options_are_reported_with_accepted_values() {
    let replay = ["replay", "--map", "made.toml", "good.csv"];
    let with = |option: [&'static str; 2]| replay.into_iter().chain(option).collect::<Vec<_>>();
    refused(&with(["--from", "yesterday"]), &["--from", "yesterday", "accepted: a date like 2026-01-13"]);
    refused(&with(["--until", "13.1.2026"]), &["--until", "accepted: a date like 2026-01-13"]);
    refused(&with(["--max-rejects", "101"]), &["--max-rejects", "accepted: a number from 0 to 100"]);
    refused(&with(["--rate", "0"]), &["--rate", "1.."]);
    refused(&with(["--config", "gone.toml"]), &["gone.toml", "cannot be read"]);
    refused(&["market", "reno", "--as-of", "now"], &["--as-of", "accepted: a date"]);
    for option in ["--speed", "--homes", "--seconds"] {
        refused(&["demo", option, "0"], &[option, "0 is not in 1..="]);
        refused(&["demo", option, "4294967295"], &[option, "4294967295 is not in 1..="]);
    }
    refused(&["simulate", "--rows", "0"], &["--rows", "0 is not in 1.."]);
    refused(&["simulate", "--homes", "1000001"], &["--homes", "1000001 is not in 1..=1000000"]);
    refused(&["market", "reno", "--days", "0"], &["--days", "0 is not in 1..=3660"]);
    refused(&["market", "reno", "--definition", "trulia"], &["--definition", "redfin, zillow, realtor"]);
    refused(&["market", "reno", "--month", "2026-04"], &["--definition"]);
    let april = ["market", "reno", "--definition", "redfin", "--month"];
    refused(&[&april[..], &["april"]].concat(), &["--month", "accepted: a month like 2026-04"]);
    for view in [&["markets"][..], &["homes", "reno"], &["alerts"], &["quarantine"], &["runs"]] {
        for limit in ["0", "1000001"] {
            refused(&[view, &["--limit", limit]].concat(), &["--limit", "accepted: a whole number from 1 to 1000000"]);
        }
    }
    refused(&["marktes"], &["marktes", "markets"]);
}

#[test]
fn every_mistake_of_a_configuration_is_reported_at_once() {
    let room = room();
    room.write(
        "stoop.toml",
        "[alerts]\ndrop_percent = 500\nnoise = 1\nwebhook = \"example\"\n\
         [[search]]\nname = \"a\"\nsource = \"reso\"\nevery = \"often\"\nparams = { token = \"in the open\" }\n",
    );
    let mistakes = [
        "stoop.toml:2: alerts.drop_percent: 500 is not a percentage; accepted: a number from 0 to 100",
        "stoop.toml:3: alerts.noise: there is no such key; accepted: drop_percent,",
        "stoop.toml:4: alerts.webhook: \"example\" is not a URL; accepted: https://",
        "stoop.toml:8: search[0].every: \"often\" is not a time span; accepted: 90s, 15m, 6h, 2d",
        "stoop.toml:9: search[0].params.token: a secret does not belong in this file; accepted: { env = \"NAME\" }",
    ];
    for args in [&["run"][..], &["poll", "a"], &["replay", "--map", "made.toml", "good.csv", "--config", "stoop.toml"]]
    {
        let outcome = room.stoop(args);
        outcome.refused(&mistakes);
        assert!(!outcome.stderr.contains("in the open"), "a secret is never shown");
    }
    room.write("empty.toml", "");
    room.stoop(&["run", "--config", "empty.toml"]).refused(&["empty.toml: there is no search to run"]);
    room.stoop(&["poll", "a", "--config", "empty.toml"]).refused(&["the search \"a\" is not configured"]);
}

#[test]
fn each_bad_row_is_in_quarantine_with_its_line_and_reason() {
    let room = room();
    let rows = [
        ("", "fine,2026-03-01,250000,USD,Reno,39.5,-119.8"),
        ("price_not_positive", "a,2026-03-01,0,USD,Reno,,"),
        ("price_not_positive", "b,2026-03-01,-250000,USD,Reno,,"),
        ("price_absurd", "c,2026-03-01,9000000000000,USD,Reno,,"),
        ("bad_value", "d,2026-03-01,99999999999999999999999,USD,Reno,,"),
        ("foreign_currency", "e,2026-03-01,250000,EUR,Reno,,"),
        ("bad_value", "f,2026-03-01,250000,dollars,Reno,,"),
        ("coordinates_out_of_range", "g,2026-03-01,250000,USD,Reno,90.000001,0"),
        ("coordinates_out_of_range", "h,2026-03-01,250000,USD,Reno,0,-180.5"),
        ("date_in_future", "i,2999-01-01,250000,USD,Reno,,"),
        ("bad_value", "j,soon,250000,USD,Reno,,"),
        ("bad_value", "k,2026-03-01,cheap,USD,Reno,,"),
        ("missing_field", ",2026-03-01,250000,USD,Reno,,"),
        ("missing_field", "l,2026-03-01,250000,USD,,,"),
        ("unreadable", "m,2026-03-01,250000,USD"),
        ("", "o,2026-03-01,250000,USD,\"Reno\nquoted over two lines\",,"),
        ("price_not_positive", "n,2026-03-01,0,USD,Reno,,"),
    ];
    let lines: String = rows.iter().map(|(_, row)| format!("{row}\n")).collect();
    room.write("bad.csv", format!("{HEADER}{lines}"));
    let message = replay_all(&room, "bad.csv");
    // Eight homes are kept without a price or coordinates.
    says(
        &message,
        &json!({ "complete": true, "rows": 17, "observations": 10, "quarantined": 7, "values_refused": 8, "homes": 10 }),
    );

    let mut line = 2;
    let mut expected = Vec::new();
    for (reason, row) in rows {
        if !reason.is_empty() {
            expected.push((format!("bad.csv: line {line}"), reason.to_owned()));
        }
        line += row.lines().count();
    }
    expected.sort();
    let found: Vec<_> = room.rejects().into_iter().map(|(position, reason, _)| (position, reason)).collect();
    assert_eq!(found, expected);
    let why = |line: &str| room.rejects().into_iter().find(|reject| reject.0 == format!("bad.csv: {line}")).unwrap().2;
    assert!(why("line 7").contains("EUR in US, where homes are priced in USD"), "{}", why("line 7"));
    assert!(why("line 13").contains("cheap") && why("line 13").contains("list_price"), "{}", why("line 13"));
    assert_eq!(room.is_equal()["homes"], 10);
    let kept = room.json(&["quarantine", "--limit", "1000"]);
    assert_eq!((&kept["total"], &kept["values"]), (&json!(7), &json!(8)));
    let absurd = list(&kept["rejects"]).iter().find(|reject| reject["reason"] == "price_absurd").unwrap();
    assert_eq!((&absurd["rows"], &absurd["values"]), (&json!(0), &json!(1)));
    let shown = room.stoop(&["quarantine"]).ok().stdout;
    assert!(shown.starts_with("7 rows in quarantine, 8 values whose homes are counted without them"), "{shown}");
    assert_eq!(room.json(&["home", "made/c"])["list_price"], json!(null));
}

#[test]
fn bad_bytes_reject_only_their_row() {
    let room = room();
    let mut csv = format!("{HEADER}fine,2026-03-01,250000,USD,Reno,,\na,2026-03-01,250000,USD,R").into_bytes();
    csv.extend_from_slice(b"\xff\xfeno,,\nlast,2026-03-01,250000,USD,Reno,,\n");
    room.write("bytes.csv", csv);
    says(&replay_all(&room, "bytes.csv"), &json!({ "rows": 3, "observations": 2, "reasons": { "not_utf8": 1 } }));
    let (position, reason, detail) = room.rejects().remove(0);
    assert_eq!((&*position, &*reason), ("bytes.csv: line 3", "not_utf8"));
    assert!(detail.contains("city"), "{detail}");

    let line = |id: &str| json!({ "id": id, "seen": "2026-03-01", "price": 1000, "city": "Reno" }).to_string();
    let mut lines = format!("{}\n", line("x")).into_bytes();
    lines.extend_from_slice(b"{\"id\": \"\xc3\x28\"}\n\0\0\0\nnull\n[1]\n{\"id\": 7");
    lines.extend_from_slice(format!("\n{}\n", line("y")).as_bytes());
    room.write("bytes.jsonl", lines);
    let message = replay_all(&room, "bytes.jsonl");
    says(
        &message,
        &json!({ "rows": 7, "observations": 2, "reasons": { "not_utf8": 1, "truncated": 1, "unreadable": 3 } }),
    );
    room.is_equal();
}

#[test]
fn too_many_bad_rows_mean_the_wrong_file_and_change_no_home() {
    let room = room();
    let before = (room.json(&["markets"]), room.json(&["home", "made/g"]));
    let row = |i: u32| match i % 8 {
        0 => format!("h{i},2026-03-01,soon,USD,{},,\n", if i.is_multiple_of(16) { "" } else { "Reno" }),
        _ => format!("h{i},2026-03-01,{},USD,Reno,,\n", 100_000 + i),
    };
    let rows: String = (0..5_000).map(row).collect();
    room.write("wrong.csv", format!("{HEADER}{rows}"));
    let outcome = room.stoop(&["replay", "--map", "made.toml", "wrong.csv"]);
    outcome.refused(&[
        "wrong.csv",
        "rows are refused, or values of them, (",
        "more than --max-rejects 10",
        "bad_value",
        "right file for this map?",
    ]);
    assert_eq!((room.json(&["markets"]), room.json(&["home", "made/g"])), before);
    assert_eq!(room.json(&["runs"])["runs"][0]["outcome"], "failed");
    assert_eq!(room.is_equal()["homes"], 1);
    assert!(!room.rejects().is_empty(), "the rows can be inspected");
    // The user may allow more rejects.
    let message = room.json(&["replay", "--map", "made.toml", "wrong.csv", "--max-rejects", "12.5"]);
    says(
        &message,
        &json!({ "complete": true, "rows": 5_000, "quarantined": 313, "values_refused": 312, "homes": 4_687 }),
    );
    assert_eq!(room.is_equal()["homes"], 4_688);
}

#[test]
fn a_small_file_is_judged_at_its_end() {
    let room = room();
    room.write("wrong.csv", format!("{HEADER}a,2026-03-01,1000,USD,Reno,,\nb,2026-03-01,0,USD,Reno,,\n"));
    room.stoop(&["replay", "--map", "made.toml", "wrong.csv"])
        .refused(&["1 of the first 2 rows are refused, or values of them, (50.0 %"]);
    assert_eq!(room.is_equal()["homes"], 1);
}

#[test]
fn the_rows_before_the_cut_of_a_gzip_are_processed() {
    // Prices without a pattern, so that the compressed file is long enough to be cut in the middle.
    let row = |i: u32| format!("h{i},2026-03-01,{},USD,Reno,,\n", 100_000 + i.wrapping_mul(2_654_435_761) % 900_000);
    let rows: String = (0..2_000).map(row).collect();
    let lines: String = (0..2_000_u32)
        .map(|i| {
            json!({ "id": i, "seen": "2026-03-01", "price": 100_000 + i * 7_919 % 9_999, "city": "Reno" }).to_string()
                + "\n"
        })
        .collect();
    for (name, text) in [("cut.csv.gz", format!("{HEADER}{rows}")), ("cut.jsonl.gz", lines)] {
        let room = room();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let whole = gzip.finish().unwrap();
        room.write(name, &whole[..whole.len() / 2]);
        let message = room.replay("made.toml", &[name]);
        says(&message, &json!({ "complete": true, "quarantined": 1, "reasons": { "truncated": 1 } }));
        let homes = number(&message["homes"]);
        assert!((200.0..1_900.0).contains(&homes), "{homes}");
        let (position, reason, detail) = room.rejects().remove(0);
        assert!(position.starts_with(&format!("{name}: line ")), "{position}");
        assert_eq!(reason, "truncated");
        assert!(detail.contains("cut off"), "{detail}");
        room.is_equal();
    }
}

#[test]
fn the_rows_before_the_cut_of_a_json_array_are_processed() {
    let room = room();
    let rows: Vec<Value> =
        (0..100).map(|i| json!({ "id": i, "seen": "2026-03-01", "price": 1000, "city": "Reno" })).collect();
    let text = json!(rows).to_string();
    room.write("cut.json", &text[..text.len() / 2]);
    let message = room.replay("made.toml", &["cut.json"]);
    says(&message, &json!({ "quarantined": 1, "reasons": { "truncated": 1 } }));
    let (position, ..) = room.rejects().remove(0);
    assert_eq!(position, format!("cut.json: element {}", message["rows"]));
}

#[test]
fn a_file_without_rows_is_read_and_changes_nothing() {
    let room = room();
    let before = room.json(&["markets"]);
    room.write("header.csv", HEADER);
    for name in ["empty.jsonl", "empty.json", "header.csv"] {
        if name != "header.csv" {
            room.write(name, "");
        }
        let message = room.replay("made.toml", &[name]);
        says(&message, &json!({ "complete": true, "rows": 0, "homes": 0, "quarantined": 0, "alerts": 0 }));
    }
    room.write("array.json", "[]");
    says(&room.replay("made.toml", &["array.json"]), &json!({ "rows": 0 }));
    // An empty CSV has no header to name its columns.
    room.write("empty.csv", "");
    room.stoop(&["replay", "--map", "made.toml", "empty.csv"]).refused(&["empty.csv", "no column \"id\""]);
    assert_eq!(room.json(&["markets"]), before);
    room.is_equal();
}

#[test]
fn a_file_of_another_format_than_its_name_is_refused() {
    let room = room();
    room.write("homes.parquet", format!("{HEADER}{GOOD}"));
    room.stoop(&["replay", "--map", "made.toml", "homes.parquet"]).refused(&["homes.parquet"]);
    room.write("homes.json", format!("{HEADER}{GOOD}"));
    room.stoop(&["replay", "--map", "made.toml", "homes.json"]).refused(&["homes.json", "unreadable 1"]);
    room.write("page.jsonl", "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n");
    room.stoop(&["replay", "--map", "made.toml", "page.jsonl"]).refused(&["2 of the first 2 rows are refused"]);
    assert_eq!(room.is_equal()["homes"], 1);
}

#[test]
fn a_wrong_filter_names_what_would_be_accepted() {
    refused(
        &["homes", "reno", "--status", "sold"],
        &["'sold'", "accepted: Active, ActiveUnderContract, Pending, Closed"],
    );
    refused(&["homes", "reno", "--type", "castle"], &["accepted: Apartment, Condominium, Townhouse"]);
    refused(&["homes", "reno", "--beds", "many"], &["accepted: a number like 3, two like 2-4, or 3+"]);
    refused(&["homes", "reno", "--min-price", "cheap"], &["accepted: an amount like 350000"]);
    refused(&["homes", "reno", "--sort", "beauty"], &["possible values: price, price-per-area, vs-market, age, cut"]);
    refused(&["homes", "reno", "--desc"], &["--sort <BY>"]);
    refused(&["homes", "reno", "--limit", "0"], &["accepted: a whole number from 1 to 1000000"]);
}
