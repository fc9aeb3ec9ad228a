//! `stoop replay`, `stoop simulate` and the views on small handmade files.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{MAP, Outcome, Room, Running, list, map, number, says, text};
use serde_json::{Value, json};

/// Two homes in two cities: one is cut by a fifth, the other rises.
const ROWS: [(&str, &str, u32, &str); 5] = [
    ("a", "2026-03-01T08:00:00Z", 500_000, "Reno"),
    ("b", "2026-03-01T08:00:00Z", 300_000, "Elko"),
    ("a", "2026-03-02T08:00:00Z", 500_000, "Reno"),
    ("a", "2026-03-05T08:00:00Z", 400_000, "Reno"),
    ("b", "2026-03-06T08:00:00Z", 330_000, "Elko"),
];

fn csv() -> String {
    let lines = ROWS.map(|(id, seen, price, city)| format!("{id},{seen},{price},{city}\n"));
    format!("id,seen,price,city\n{}", lines.concat())
}

fn objects() -> Vec<Value> {
    ROWS.map(|(id, seen, price, city)| json!({ "id": id, "seen": seen, "price": price, "city": city })).to_vec()
}

fn json_lines() -> String {
    objects().iter().map(|row| format!("{row}\n")).collect()
}

/// A room with the map in it.
fn room() -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    room
}

fn replayed() -> Room {
    let room = room();
    room.replay("made.toml", &[room.write("homes.csv", csv())]);
    room
}

fn expected() -> Value {
    json!({
        "complete": true, "rows": 5, "skipped": 0, "outside_time": 0, "observations": 5, "priced": 5, "new": 2, "changed": 2,
        "unchanged": 1, "duplicates": 0, "overfull": 0, "quarantined": 0, "values_refused": 0, "reasons": {}, "homes": 2, "gone": 0,
        "price_changes": 2,
        "drops": 1, "rises": 1, "alerts": 1, "suspects": 0, "changed_nothing": false,
    })
}

#[test]
fn the_format_of_a_file_makes_no_difference() {
    let array = json!(objects()).to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(array.as_bytes()).unwrap();
    let files: [(&str, Vec<u8>); 8] = [
        ("a.csv", csv().into_bytes()),
        ("a.tsv", csv().replace(',', "\t").into_bytes()),
        ("a.json", array.clone().into_bytes()),
        ("a.jsonl", json_lines().into_bytes()),
        ("a.json.gz", gzip.finish().unwrap()),
        ("a.json.zst", zstd::encode_all(array.as_bytes(), 1).unwrap()),
        ("a.csv.zst", zstd::encode_all(csv().as_bytes(), 1).unwrap()),
        ("a.parquet", parquet()),
    ];
    let mut markets = None;
    for (name, bytes) in files {
        let room = room();
        let message = room.replay("made.toml", &[room.write(name, bytes)]);
        assert_eq!(message, expected(), "{name}");
        room.is_equal();
        let shown = room.json(&["markets"]);
        assert_eq!(markets.get_or_insert_with(|| shown.clone()), &shown, "{name}");
    }
}

#[test]
fn the_map_may_name_rows_inside_an_object() {
    let room = room();
    room.write("inside.toml", MAP.replace("[fields]", "[read]\nrows = \"/data/homes\"\n[fields]"));
    room.write("a.json", json!({ "total": 5, "data": { "homes": objects() } }).to_string());
    assert_eq!(room.replay("inside.toml", &["a.json"]), expected());
}

#[test]
fn files_are_read_in_the_order_given_as_one_stream() {
    let room = room();
    let lines = json_lines();
    let (first, second) = lines.split_at(lines.match_indices('\n').nth(1).unwrap().0 + 1);
    let files = [room.write("z.jsonl", first), room.write("a.jsonl", second)];
    assert_eq!(room.replay("made.toml", &files), expected());
}

#[test]
fn the_same_files_again_change_nothing_and_it_says_so() {
    let room = replayed();
    let again = room.replay("made.toml", &["homes.csv"]);
    says(&again, &json!({ "rows": 5, "duplicates": 5, "price_changes": 0, "alerts": 0, "changed_nothing": true }));
    let text = room.stoop(&["replay", "--map", "made.toml", "homes.csv"]).ok().stdout;
    assert!(text.contains("Nothing changed: every observation was known already."), "{text}");
    assert_eq!(room.is_equal()["observations"], 5);
    assert_eq!(room.alert_lines().len(), 1);
}

#[test]
fn the_summary_in_words_has_the_figures_and_the_alert() {
    let room = room();
    room.write("homes.csv", csv());
    let text = room.stoop(&["replay", "--map", "made.toml", "homes.csv"]).ok().stdout;
    for line in
        ["rows             5", "homes             2", "price changes             2", "drops             1", "20.0 %"]
    {
        assert!(text.contains(line), "{line:?} is not in:\n{text}");
    }
}

#[test]
fn an_alert_is_one_line_of_json_and_a_rise_is_not_an_alert() {
    let room = replayed();
    let lines = room.alert_lines();
    let [alert] = &lines[..] else { panic!("{lines:?}") };
    says(alert, &json!({ "home": "made/a", "rule": "price-drop", "drop": 0.2, "why_suspect": null }));
    assert_eq!(room.alert_ids(), [text(&alert["id"])]);
}

#[test]
fn the_rules_come_from_a_configuration() {
    for (config, alerts) in [("[alerts]\ndrop_percent = 20", 1), ("[alerts]\ndrop_percent = 20.01", 0)] {
        let room = room();
        room.write("homes.csv", csv());
        room.write("stoop.toml", config);
        let message = room.json(&["replay", "--map", "made.toml", "homes.csv", "--config", "stoop.toml"]);
        says(&message, &json!({ "drops": 1, "alerts": alerts }));
    }
    let room = room();
    room.write("homes.csv", csv());
    room.write("stoop.toml", "[alerts]\ndrop_percent = 50\ndrop_amount = { USD = 100_000 }");
    let message = room.json(&["replay", "--map", "made.toml", "homes.csv", "--config", "stoop.toml"]);
    says(&message, &json!({ "alerts": 1 }));
}

#[test]
fn from_and_until_cut_by_time() {
    let cut = |args: &[&str]| {
        let room = room();
        room.write("homes.csv", csv());
        let args: Vec<&str> = ["replay", "--map", "made.toml", "homes.csv"].iter().chain(args).copied().collect();
        let message = room.json(&args);
        room.is_equal();
        [&message["rows"], &message["outside_time"], &message["observations"], &message["price_changes"]]
            .map(|n| n.as_i64().unwrap())
    };
    assert_eq!(cut(&["--until", "2026-03-05"]), [5, 2, 3, 0]);
    assert_eq!(cut(&["--until", "2026-03-05T08:00:00.001Z"]), [5, 1, 4, 1]);
    assert_eq!(cut(&["--from", "2026-03-05T08:00:00Z"]), [5, 3, 2, 0]);
    assert_eq!(cut(&["--from", "2026-03-02", "--until", "2026-03-06"]), [5, 3, 2, 1]);
}

#[test]
fn a_rate_slows_a_replay_down() {
    let room = room();
    let row = |i: u32| format!("h{i},2026-03-01T08:00:00Z,{},Reno\n", 100_000 + i);
    let rows: String = (0..100).map(row).collect();
    room.write("homes.csv", format!("id,seen,price,city\n{rows}"));
    let began = Instant::now();
    let message = room.json(&["replay", "--map", "made.toml", "homes.csv", "--rate", "200"]);
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    says(&message, &json!({ "rows": 100, "homes": 100 }));
}

#[test]
fn unordered_rows_give_the_state_of_ordered_rows() {
    let mut rows: Vec<String> = csv().lines().skip(1).map(|line| format!("{line}\n")).collect();
    rows.reverse();
    let backwards = format!("id,seen,price,city\n{}", rows.concat());
    let room = room();
    room.write("homes.csv", &backwards);
    let message = room.replay("made.toml", &["homes.csv"]);
    room.is_equal();
    for name in ["observations", "homes", "price_changes", "drops", "rises"] {
        assert_eq!(message[name], expected()[name], "{name}");
    }

    let sorted = Room::new();
    sorted.write("any.toml", format!("order = \"any\"\n{MAP}"));
    assert_eq!(sorted.replay("any.toml", &[sorted.write("homes.csv", &backwards)]), expected());
    sorted.is_equal();
    assert_eq!(sorted.json(&["homes", "reno"]), room.json(&["homes", "reno"]));
}

#[test]
fn the_data_folder_is_next_to_the_database() {
    let room = room();
    room.write("homes.csv", csv());
    std::fs::create_dir(room.path("else")).unwrap();
    room.json(&["--db", "else/where.db", "replay", "--map", "made.toml", "homes.csv"]);
    assert!(room.path("else/where.db").is_file() && room.path("else/stoop-data/alerts.jsonl").is_file());
    assert!(!room.path("stoop.db").exists() && !room.path("stoop-data").exists());
    // The option works before and after the command.
    assert_eq!(room.json(&["markets", "--db", "else/where.db"])["total"], 2);

    room.json(&["replay", "--map", "made.toml", "homes.csv", "--db", "third.db", "--data", "elsewhere"]);
    assert!(room.path("third.db").is_file() && room.path("elsewhere/alerts.jsonl").is_file());
}

#[test]
fn every_view_has_output_for_people_and_for_programs() {
    let room = replayed();
    room.write("one.csv", "id,seen,price,city\n,2026-03-01,0,Reno\n");
    room.stoop(&["replay", "--map", "made.toml", "one.csv", "--max-rejects", "100"]).ok();
    for (args, words) in [
        (&["markets"][..], "Reno"),
        (&["market", "reno"], "$400,000"),
        (&["homes", "reno"], "made/a"),
        (&["home", "made/a"], "-20.0 %"),
        (&["home", "a"], "price cut"),
        (&["alerts"], "20.0 %"),
        (&["alerts", "--suspect"], "0 alerts"),
        (&["quarantine"], "missing field"),
        (&["runs"], "complete"),
        (&["verify"], "equal: 5 observations"),
    ] {
        let text = room.stoop(args).ok().stdout;
        assert!(text.contains(words), "{args:?}: {words:?} is not in:\n{text}");
        assert!(!text.contains('\u{1b}'), "no colours without a terminal: {args:?}");
    }
    let markets = room.json(&["markets"]);
    assert_eq!((&markets["total"], list(&markets["markets"]).len()), (&json!(2), 2));
    let reno = room.json(&["market", "reno", "--days", "7"]);
    let [market] = list(&reno["markets"]) else { panic!("{reno}") };
    says(market, &json!({ "active": 1, "priced": 1, "currency": "USD", "purpose": "sale" }));
    assert!((number(&market["median_price"]) / 400_000.0 - 1.0).abs() <= 0.001);
    assert_eq!(market["last_7_days"]["price_cuts"], 1);
    // Before the cut the home has its price of that time.
    let before = room.json(&["market", "reno", "--as-of", "2026-03-03"]);
    assert!((number(&list(&before["markets"])[0]["median_price"]) / 500_000.0 - 1.0).abs() <= 0.001);
    assert_eq!(list(&room.json(&["homes", "reno"])["homes"])[0]["id"], "made/a");
    let home = room.json(&["home", "made/a"]);
    assert_eq!((list(&home["intervals"]).len(), &home["price"]), (2, &json!(400_000.0)));
    assert_eq!(room.rejects()[0].0, "one.csv: line 2");
    let runs = room.json(&["runs"]);
    // A verification, the replay of one row, the first replay.
    assert_eq!((&runs["total"], &list(&runs["runs"])[2]["counts"]["drops"]), (&json!(3), &json!(1)));
}

#[test]
fn unknown_names_are_reported_with_known_ones() {
    let room = replayed();
    room.stoop(&["market", "rino"]).refused(&["rino", "reno"]);
    room.stoop(&["home", "made/z"]).refused(&["made/z", "stoop homes"]);
}

#[test]
fn a_simulated_market_is_the_same_every_time_and_replays() {
    let simulate = |room: &Room, args: &[&str]| {
        let args: Vec<&str> = ["simulate", "--rows", "20000"].iter().chain(args).copied().collect();
        room.stoop(&args).ok().stdout
    };
    let room = Room::new();
    let rows = simulate(&room, &[]);
    assert_eq!(rows.lines().count(), 20_000);
    assert!(rows == simulate(&room, &[]), "the same seed gives the same bytes");
    assert!(rows != simulate(&room, &["--seed", "8"]), "another seed is another market");
    let message = room.replay(&map("simulated.toml"), &[room.write("rows.jsonl", &rows)]);
    says(&message, &json!({ "rows": 20_000, "observations": 20_000, "overfull": 0, "quarantined": 0, "homes": 200 }));
    assert!(number(&message["price_changes"]) > 0.0);
    assert_eq!(room.is_equal()["homes"], 200);
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let room = Room::new();
    let mut command = room.command(&["simulate", "--rows", "1000000"]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    drop(running.0.stdout.take());
    let outcome = Outcome::at_the_end_of(&mut running);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

#[test]
fn help_and_version_are_there() {
    let room = Room::new();
    let help = |args: &[&str]| Outcome::of(&mut room.command(args)).ok().stdout;
    for command in ["demo", "replay", "run", "poll", "markets", "verify", "simulate"] {
        assert!(help(&["--help"]).contains(command), "{command}");
        assert!(help(&[command, "--help"]).contains("Usage"), "{command}");
    }
    assert!(help(&["--version"]).starts_with("stoop "));
}

/// The same rows as Parquet.
fn parquet() -> Vec<u8> {
    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    let schema = "message home {
        required binary id (UTF8); required binary seen (UTF8); required int64 price; required binary city (UTF8);
    }";
    let schema = parquet::schema::parser::parse_message_type(schema).unwrap().into();
    let mut writer =
        parquet::file::writer::SerializedFileWriter::new(Vec::new(), schema, std::sync::Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let texts = [0, 1, 3].map(|column| {
        ROWS.map(|row| {
            ByteArray::from(if column == 0 {
                row.0
            } else if column == 1 {
                row.1
            } else {
                row.3
            })
        })
    });
    let prices = ROWS.map(|row| i64::from(row.2));
    for column in 0..4 {
        let mut to = group.next_column().unwrap().unwrap();
        match column {
            2 => to.typed::<Int64Type>().write_batch(&prices, None, None).unwrap(),
            n => to.typed::<ByteArrayType>().write_batch(&texts[n.min(2)], None, None).unwrap(),
        };
        to.close().unwrap();
    }
    group.close().unwrap();
    writer.into_inner().unwrap()
}
