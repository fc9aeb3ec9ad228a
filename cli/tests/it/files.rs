//! Archives and watched folders, as a person would use them.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::Room;

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

/// Makes a file of January 2026 look as old as it is.
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
    let told = [
        plain.replay("mls.toml", &["a.csv", "b.csv", many[0], many[1]]),
        packed.replay("mls.toml", &["all.zip", many[0], many[1]]),
    ];
    assert_eq!(told[0], told[1]);
    assert_eq!((&told[0]["rows"], &told[0]["quarantined"]), (&4.into(), &1.into()));
    assert_eq!(packed.rejects()[0].0, "all.zip/b.csv: line 3");
    packed.is_equal();
}

#[test]
fn a_broken_archive_and_one_that_does_not_fit_are_told_before_anything_is_written() {
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
fn a_watched_folder_is_read_once_and_tells_of_the_days_of_its_files() {
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
    let told = room.json(&["poll", "exports"]);
    assert_eq!((&told["files"], &told["new"], &told["gone"]), (&3.into(), &2.into(), &1.into()), "{told}");
    assert_eq!((&told["outcome"], &told["price_changes"]), (&"complete".into(), &1.into()));
    let home = room.stoop(&["home", "mls/1"]).ok().stdout;
    assert!(home.contains("2026-01-03") && home.contains("2026-01-04"), "{home}");
    let told = room.json(&["poll", "exports"]);
    assert_eq!((&told["files"], &told["pages"]), (&0.into(), &0.into()));
    room.is_equal();
}

#[test]
fn a_check_looks_into_the_newest_file_and_stores_nothing() {
    let room = Room::new();
    room.write("mls.toml", MAP);
    room.write("stoop.toml", CONFIG);
    std::fs::create_dir(room.path("exports")).unwrap();
    room.write("exports/a.csv", "id,price\n1,1\n");
    room.write("exports/b.csv", "id,price\n2,500000\n3,600000\n,7\n4,\n");
    of_january(&room, "exports/a.csv", 1);
    of_january(&room, "exports/b.csv", 2);
    let check = ["sources", "check", "exports"];
    let told = room.stoop(&[&check[..], &["--json"]].concat()).ok().json();
    assert_eq!(
        (&told["file"], &told["files"], &told["written_at"]),
        (&"exports/b.csv".into(), &2.into(), &"2026-01-02T00:00:00Z".into())
    );
    assert_eq!(
        (&told["rows"], &told["listings"], &told["goes_on"], &told["shows_gone"]),
        (&4.into(), &3.into(), &false.into(), &true.into())
    );
    let price = told["fields"].as_array().unwrap().iter().find(|field| field["name"] == "list_price").unwrap();
    assert_eq!((&price["filled"], &price["example"]), (&2.into(), &"500000 USD".into()));
    let shown = room.stoop(&check).ok().stdout;
    for part in ["3 of 4 rows were understood", "exports/b.csv, the newest of 2", "missing field, native_id"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert!(!room.path("stoop.db").exists());
    room.write("stoop.toml", CONFIG.replace("'exports/'", "'exports/*.zip'"));
    room.stoop(&check).refused(&["\"exports\" finds no file", "exports/*.zip"]);
}
