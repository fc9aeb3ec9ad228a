//! Archives and watched folders, as a user has them.

mod snapshots;

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Outcome, PATIENCE, Room, says};

const MAP: &str = r#"
name = "mls"
country = "US"
currency = "USD"
purpose = "sale"
[fields]
native_id = { from = "id" }
list_price = { from = "price" }
city = { constant = "Chicago" }
"#;

const CONFIG: &str = "
[[search]]
name = 'exports'
source = 'mls.toml'
files = 'exports/'
coverage = 'snapshot'
";

/// An archive of these files, each stored as it is.
fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = rawzip::ZipArchiveWriter::new(Vec::new());
    for (name, text) in files {
        let file = archive.new_file(*name).compression_method(rawzip::CompressionMethod::STORE);
        let (mut entry, config) = file.start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(text.as_bytes()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

/// Sets the modification time of a file to a day of January 2026.
fn of_january(room: &Room, name: &str, day: u64) {
    let file = std::fs::File::options().append(true).open(room.path(name)).unwrap();
    // The first of January 2026, at midnight.
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1_767_225_600 + (day - 1) * 86_400)).unwrap();
}

#[test]
fn an_archive_is_replayed_like_the_files_in_it() {
    let (plain, packed) = (Room::new(), Room::new());
    let (one, two) = ("id,price\n1,500000\n2,600000\n", "id,price\n3,700000\n,1\n");
    for room in [&plain, &packed] {
        room.write("mls.toml", MAP);
    }
    plain.write("a.csv", one);
    plain.write("b.csv", two);
    packed.write("all.zip", zip(&[("b.csv", two), ("a.csv", one)]));
    let many = ["--max-rejects", "30"];
    let message = [
        plain.replay("mls.toml", &["a.csv", "b.csv", many[0], many[1]]),
        packed.replay("mls.toml", &["all.zip", many[0], many[1]]),
    ];
    assert_eq!(message[0], message[1]);
    assert_eq!((&message[0]["rows"], &message[0]["quarantined"]), (&4.into(), &1.into()));
    assert_eq!(packed.rejects()[0].0, "all.zip/b.csv: line 3");
    packed.is_equal();
}

#[test]
fn bad_archives_are_reported_before_anything_is_written() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    let whole = zip(&[("a.csv", "id,price\n1,1\n"), ("b.csv", "number,amount\n1,1\n")]);
    room.write("cut.zip", &whole[..whole.len() - 9]);
    room.write("whole.zip", &whole);
    let outcome = room.stoop(&["replay", "--map", "mls.toml", "cut.zip", "whole.zip"]);
    assert_eq!(outcome.code, Some(2));
    for says in ["cut.zip: the archive is cut off", "whole.zip/b.csv does not fit: ", "no column \"id\""] {
        assert!(outcome.stderr.contains(says), "{}", outcome.stderr);
    }
    assert!(!room.path("stoop.db").exists());
}

#[test]
fn a_watched_folder_is_read_once_with_the_days_of_its_files() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    room.write("stoop.toml", CONFIG);
    let outcome = room.stoop(&["poll", "exports"]);
    assert_ne!(outcome.code, Some(0));
    assert!(outcome.stderr.contains("exports/"), "it names the folder that is not there: {}", outcome.stderr);

    std::fs::create_dir(room.path("exports")).unwrap();
    room.write("exports/5.csv", "id,price\n1,420000\n");
    room.write("exports/3.zip", zip(&[("a.csv", "id,price\n1,500000\n"), ("b.csv", "id,price\n2,600000\n")]));
    room.write("exports/4.csv", "id,price\n1,420000\n");
    for (name, day) in [("exports/3.zip", 3), ("exports/4.csv", 4), ("exports/5.csv", 5)] {
        of_january(&room, name, day);
    }
    let message = room.json(&["poll", "exports"]);
    assert_eq!((&message["files"], &message["new"], &message["gone"]), (&3.into(), &2.into(), &1.into()), "{message}");
    assert_eq!((&message["outcome"], &message["price_changes"]), (&"complete".into(), &1.into()));
    let home = room.stoop(&["home", "mls/1"]).ok().stdout;
    assert!(home.contains("2026-01-03") && home.contains("2026-01-04"), "{home}");
    let message = room.json(&["poll", "exports"]);
    assert_eq!((&message["files"], &message["pages"]), (&0.into(), &0.into()));
    room.is_equal();
}

#[test]
fn a_check_reads_the_newest_file_and_stores_nothing() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    room.write("stoop.toml", CONFIG);
    std::fs::create_dir(room.path("exports")).unwrap();
    room.write("exports/a.csv", "id,price\n1,1\n");
    room.write("exports/b.csv", "id,price\n2,500000\n3,600000\n,7\n4,\n");
    of_january(&room, "exports/a.csv", 1);
    of_january(&room, "exports/b.csv", 2);
    let check = ["sources", "check", "exports"];
    let message = room.stoop(&[&check[..], &["--json"]].concat()).ok().json();
    assert_eq!(
        (&message["file"], &message["files"], &message["written_at"]),
        (&"exports/b.csv".into(), &2.into(), &"2026-01-02T00:00:00Z".into())
    );
    assert_eq!(
        (&message["rows"], &message["listings"], &message["goes_on"], &message["shows_gone"]),
        (&4.into(), &3.into(), &false.into(), &true.into())
    );
    let price = message["fields"].as_array().unwrap().iter().find(|field| field["name"] == "list_price").unwrap();
    assert_eq!((&price["filled"], &price["example"]), (&2.into(), &"500000 USD".into()));
    let shown = room.stoop(&check).ok().stdout;
    for part in ["3 of 4 rows were understood", "exports/b.csv, the newest of 2", "missing field, native_id"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert!(!room.path("stoop.db").exists());
    room.write("stoop.toml", CONFIG.replace("'exports/'", "'exports/*.zip'"));
    room.stoop(&check).refused(&["\"exports\" finds no file", "exports/*.zip"]);
}

/// A Redfin download, with a notice before the first listing.
fn redfin(rows: &str) -> String {
    format!(
        "SALE TYPE,PROPERTY TYPE,ADDRESS,CITY,STATE OR PROVINCE,ZIP OR POSTAL CODE,PRICE,BEDS,BATHS,STATUS,URL,MLS#\n\
         \"In accordance with local MLS rules, some MLS listings are not included in the download\",,,,,,,,,,,\n{rows}"
    )
}

fn redfin_row(id: u32) -> String {
    format!(
        "MLS Listing,Single Family Residential,{id} Pine St,Seattle,WA,98101,{}000,3,2.5,Active,https://www.redfin.com/{id},{id}\n",
        500 + id
    )
}

#[test]
fn a_draft_finds_a_notice_among_the_rows_and_absence_still_counts() {
    let room = Room::new();
    let rows = |ids: std::ops::Range<u32>| redfin(&ids.map(redfin_row).collect::<String>());
    for (name, text, day) in [("1.csv", rows(100..110), 1), ("2.csv", rows(101..110), 2), ("3.csv", rows(101..110), 3)]
    {
        room.write(name, text);
        of_january(&room, name, day);
    }
    let drafted = room.json(&["sources", "new", "redfin", "--from", "1.csv"]);
    says(&drafted, &json!({ "rows": 10, "listings": 10, "refused": [] }));
    let map = room.read("redfin.toml");
    assert!(map.contains("comment = [\"In accordance with local MLS rules,\"]"), "{map}");
    let message = room.replay("redfin.toml", &["--snapshot", "1.csv", "2.csv", "3.csv"]);
    says(&message, &json!({ "rows": 31, "skipped": 3, "quarantined": 0, "gone": 1 }));
    assert_eq!(room.json(&["home", "redfin/100"])["status"], "Gone");

    // Without `comment` the notice is a reject, and nothing is reported gone.
    room.write("redfin.toml", map.replace("comment = ", "#comment = "));
    let strict = ["--db", "strict.db", "replay", "--map", "redfin.toml", "--snapshot", "--max-rejects", "50"];
    let message = room.stoop(&[&strict[..], &["1.csv", "2.csv", "3.csv"]].concat()).ok();
    assert!(message.stderr.contains("nothing is said to be gone"), "{}", message.stderr);
}

#[test]
fn a_sample_in_an_old_encoding_is_drafted_and_replayed() {
    let room = Room::new();
    let text = "Export vom 3. Mai\n\nObjekt-ID;Straße;Ort;PLZ;Kaufpreis\nA1;Hießgasse 3;Wien;1030;€ 310.000\n\
                A2;Währinger Straße 8;Wien;1180;€ 420.000\n";
    let windows: Vec<u8> = text.chars().map(|c| if c == '€' { 0x80 } else { u8::try_from(c).unwrap() }).collect();
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes, encoding) in [("windows", windows, Some("encoding = \"windows-1252\"")), ("utf", utf16, None)] {
        let (file, map) = (format!("{name}.csv"), format!("{name}.toml"));
        room.write(&file, bytes);
        let drafted = room.json(&["sources", "new", name, "--from", &file, "--country", "AT", "--purpose", "sale"]);
        says(&drafted, &json!({ "rows": 2, "listings": 2, "refused": [] }));
        let text = room.read(&map);
        assert!(text.contains("skip_lines = 1") && encoding.is_none_or(|key| text.contains(key)), "{text}");
        room.replay(&map, &[&file]);
        let home = room.json(&["home", &format!("{name}/A2")]).to_string();
        assert!(home.contains("Währinger Straße 8"), "{home}");
    }
}

/// Runs the program with these bytes on its standard input.
fn piped(room: &Room, args: &[&str], bytes: &[u8]) -> Outcome {
    Outcome::from(stoop_waits::answer(&mut room.command(args), bytes.to_vec(), PATIENCE).unwrap())
}

#[test]
fn standard_input_is_read_in_any_format() {
    let csv = "id,price\n1,500000\n,600000\n2,600000\n";
    let lines = "{\"id\": 1, \"price\": 500000}\n{\"price\": 600000}\n{\"id\": 2, \"price\": 600000}\n";
    let array = format!("[{}]", lines.trim_end().replace('\n', ","));
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    for bytes in [csv.as_bytes(), lines.as_bytes(), array.as_bytes(), &packed, &zip(&[("a.csv", csv)])] {
        let room = Room::new();
        room.write("mls.toml", MAP);
        let args = ["replay", "--map", "mls.toml", "-", "--max-rejects", "50", "--json"];
        says(&piped(&room, &args, bytes).ok().json(), &json!({ "rows": 3, "new": 2, "quarantined": 1 }));
        let (position, ..) = &room.rejects()[0];
        assert!(position.starts_with("standard input"), "{position}");
    }
    let room = Room::new();
    room.write("mls.toml", MAP);
    piped(&room, &["replay", "--map", "mls.toml", "-", "-"], csv.as_bytes()).refused(&["-", "once"]);
    piped(&room, &["replay", "--map", "mls.toml", "-"], b"number;amount\n1;2\n")
        .refused(&["standard input does not fit"]);
}

#[test]
fn a_draft_is_made_from_standard_input() {
    let room = Room::new();
    let sample = br#"{"homes": [{"id": "h1", "price": 250000, "currency": "EUR", "city": "Graz"},
                               {"id": "h2", "price": 310000, "currency": "EUR", "city": "Graz"}]}"#;
    let args = ["sources", "new", "graz", "--from", "-", "--country", "AT", "--purpose", "sale"];
    let message = piped(&room, &args, sample).ok().stdout;
    assert!(message.contains("2 of 2 rows were understood"), "{message}");
    let map = room.read("graz.toml");
    assert!(map.starts_with("# Drafted from standard input: 2 rows at /homes."), "{map}");
    piped(&room, &["replay", "--map", "graz.toml", "-"], sample).ok();
    assert_eq!(room.json(&["markets"])["total"], 1);
}

#[test]
fn a_contradictory_field_is_named_with_the_consequence() {
    let room = Room::new();
    room.write("mls.toml", MAP.replace("city =", "previous_list_price = { from = \"before\" }\ncity ="));
    room.write("stoop.toml", CONFIG);
    std::fs::create_dir(room.path("exports")).unwrap();
    let rows: String = (0..120).map(|id| format!("{id},500000,{}\n", if id < 112 { 500 } else { 510_000 })).collect();
    room.write("exports/1.csv", format!("id,price,before\n{rows}"));
    of_january(&room, "exports/1.csv", 1);
    let check = |more: &[&str]| room.stoop(&[&["sources", "check", "exports"], more].concat()).ok();
    let before = check(&["--json"]).json();
    assert!(before.get("polled_contradictions").is_none(), "nothing was polled: {before}");
    let looked = "previous_list_price does not mean what its name says";
    assert!(check(&[]).stdout.contains(looked));
    assert!(!room.stoop(&["sources"]).ok().stdout.contains("distrusted"));

    room.stoop(&["poll", "exports"]).ok();
    let counted = json!({
        "name": "previous_far_off", "listings": 120, "contradict": 112, "field": "previous_list_price", "distrusted": true
    });
    let listed = room.json(&["sources"]);
    assert_eq!(listed["searches"][0]["contradictions"], json!([counted]));
    assert_eq!(check(&["--json"]).json()["polled_contradictions"], json!([counted]));
    let message = "previous far off: 112 of 120 listings: previous_list_price is distrusted and omitted.";
    for shown in [room.stoop(&["sources"]).ok().stdout, check(&[]).stdout] {
        let words: Vec<&str> = shown.split_whitespace().collect();
        assert!(words.join(" ").contains(message), "{shown}");
    }
    let runs = room.stoop(&["runs"]).ok().stdout;
    assert!(
        runs.split_whitespace().collect::<Vec<_>>().join(" ").contains("previous_list_price is distrusted"),
        "{runs}"
    );
}

#[test]
fn the_fields_of_the_last_scan_are_listed_beside_those_of_earlier_ones() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    room.write("stoop.toml", CONFIG);
    std::fs::create_dir(room.path("exports")).unwrap();
    let poll = |day: u64, priced: usize| {
        let rows: String = (0..12).map(|id| format!("{id},{}\n", if id < priced { "500000" } else { "" })).collect();
        let name = format!("exports/{day}.csv");
        room.write(&name, format!("id,price\n{rows}"));
        of_january(&room, &name, day);
        room.stoop(&["poll", "exports"]).ok();
        room.json(&["sources"])["searches"][0].clone()
    };
    says(
        &room.json(&["sources"])["searches"][0],
        &json!({ "complete_scan_at": null, "lag_seconds": null, "fields": [] }),
    );
    assert!(!room.stoop(&["sources"]).ok().stdout.contains("Last scans"));
    let price = |search: &Value| {
        let fields = search["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == "list_price").unwrap().clone()
    };
    let first = poll(1, 12);
    assert_eq!(price(&first), json!({ "name": "list_price", "share": 1.0, "earlier_share": null }));
    assert!(first["complete_scan_at"].is_string() && first["lag_seconds"].as_i64().unwrap() >= 0, "{first}");
    let second = poll(2, 6);
    assert_eq!(second["listings"], 12);
    assert_eq!(price(&second), json!({ "name": "list_price", "share": 0.5, "earlier_share": 1.0 }));
    let shown = room.stoop(&["sources"]).ok().stdout;
    assert!(shown.contains("Last scans") && shown.contains("50 % (100 %)"), "{shown}");
    let checked = room.json(&["sources", "check", "exports"]);
    let fields = checked["fields"].as_array().unwrap();
    let field = fields.iter().find(|field| field["name"] == "list_price").unwrap();
    says(field, &json!({ "share": 0.5, "polled_share": 0.5, "earlier_share": 1.0 }));
    assert!(fields.iter().find(|field| field["name"] == "purpose").unwrap().get("polled_share").is_none());
    let table = room.stoop(&["sources", "check", "exports"]).ok().stdout;
    assert!(table.contains("last scan"), "{table}");
}

/// What agencies send is drafted and read like any other file.
#[test]
fn what_agencies_send_is_drafted_and_read() {
    let xml: String = (1..=8)
        .map(|n| {
            format!(
                "<property><id>K{n}</id><price>{}</price><town>Sevilla</town><beds>{}</beds></property>",
                200_000 + n * 1_000,
                n % 4
            )
        })
        .collect();
    let page: Vec<Value> = (1..=8)
        .map(|n| {
            json!({"@type": "Apartment", "id": format!("P{n}"), "numberOfBedrooms": 1 + n % 3, "city": "Graz",
                "offers": {"price": 300_000 + n, "priceCurrency": "EUR"}})
        })
        .collect();
    let html = format!("<script type=\"application/ld+json\">{}</script>", json!({ "@graph": page }));
    let blm: String = (1..=8).map(|n| format!("B{n}^25000{n}^Leeds^~\n")).collect();
    let blm = format!("#HEADER#\nEOF : '^'\nEOR : '~'\n#DEFINITION#\nID^PRICE^TOWN^~\n#DATA#\n{blm}#END#\n");
    for (file, text, country, currency) in [
        ("kyero.xml", format!("<root><kyero><v>3</v></kyero>{xml}</root>"), "ES", "EUR"),
        ("page.html", html, "AT", "EUR"),
        ("homes.blm", blm, "GB", "GBP"),
    ] {
        let room = Room::new();
        room.write(file, text);
        let asked = ["sources", "new", "made", "--from", file, "--country", country, "--purpose", "sale"];
        let drafted = room.stoop(&[&asked[..], &["--currency", currency]].concat()).ok();
        assert!(drafted.stdout.contains("8 of 8 rows were understood"), "{file}: {}", drafted.stdout);
        let read = room.replay("made.toml", &[file]);
        assert_eq!((&read["rows"], &read["quarantined"]), (&8.into(), &0.into()), "{file}: {read}");
    }
}

/// A stray quote in an export costs its row, and no home is gone by that file.
#[test]
fn a_stray_quote_makes_no_home_gone() {
    let room = Room::new();
    room.write("mls.toml", format!("{MAP}description = {{ from = \"note\" }}\n"));
    let whole: String = (1..=40).map(|n| format!("{n},{},nice home\n", 300_000 + n)).collect();
    let stray = whole
        .replace("\n10,300010,nice", "\n10,300010,\"nice")
        .replace("\n14,300014,nice home", "\n14,300014,\"nice home\"");
    room.write("a.csv", format!("id,price,note\n{whole}"));
    room.write("b.csv", format!("id,price,note\n{stray}"));
    let read = room.replay("mls.toml", &["--snapshot", "a.csv", "b.csv"]);
    assert_eq!((&read["rows"], &read["quarantined"], &read["gone"]), (&80.into(), &1.into(), &0.into()), "{read}");
    assert_eq!(room.rejects()[0].0, "b.csv: line 11");
}
