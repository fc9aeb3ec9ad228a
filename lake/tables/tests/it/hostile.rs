use std::collections::BTreeMap;

use serde_json::{Value, json};
use stoop_domain::{Area, AreaUnit, Day, Minor};
use stoop_lake_tables::Lake;

use crate::support::{chunk, ingest, line, lines, observation, rows, run};

fn quarantined(bad: Vec<Vec<u8>>) -> (usize, Vec<BTreeMap<String, String>>) {
    let folder = tempfile::tempdir().unwrap();
    let mut all = lines(0..3);
    all.extend(bad);
    let chunks = [("one".to_owned(), chunk("one", &all))];
    let lake = Lake::folder(folder.path()).unwrap();
    let counts = run(ingest(&lake, &chunks)).unwrap().counts();
    let (good, bad) = (rows(folder.path(), "observations"), rows(folder.path(), "quarantine"));
    assert_eq!(counts.lines, (good.len() + bad.len()) as u64, "nothing is dropped");
    (good.len(), bad.into_values().collect())
}

fn one(bad: Vec<u8>) -> BTreeMap<String, String> {
    let (good, mut bad) = quarantined(vec![bad]);
    assert_eq!((good, bad.len()), (3, 1));
    bad.remove(0)
}

fn changed(path: &[&str], value: Value) -> Vec<u8> {
    let mut whole: Value = serde_json::from_slice(&line(&observation(9))).unwrap();
    let mut at = &mut whole;
    for name in path {
        at = &mut at[*name];
    }
    *at = value;
    serde_json::to_vec(&whole).unwrap()
}

#[test]
fn a_value_of_a_wrong_type_is_kept_with_its_line_and_field() {
    for (path, value, reason, field) in [
        (&["listing", "status"][..], json!("Sold out"), "unreadable", "listing.status"),
        (&["listing", "list_price"], json!("500000"), "unreadable", "listing.list_price"),
        (&["listing", "list_price"], json!(1.5), "unreadable", "listing.list_price"),
        (&["listing", "bedrooms"], json!(300), "unreadable", "listing.bedrooms"),
        (&["listing", "currency"], json!("dollars"), "unreadable", "listing.currency"),
        (&["listing", "address"], json!("Seattle"), "unreadable", "listing.address"),
        (&["at"], json!("yesterday"), "unreadable", "at"),
        (&["v"], json!("three"), "unreadable", "v"),
        // Times that cannot be written, in any column.
        (&["at"], json!(-99_999_999_999_999_999_i64), "bad_value", "at"),
        (&["listing", "listed_at"], json!(99_999_999_999_999_999_i64), "bad_value", "listed_at"),
        (&["listing", "price_changed_at"], json!(i64::MAX), "bad_value", "price_changed_at"),
        (
            &["listing"],
            json!({ "purpose": "Sale", "status": "Active", "address": {} }),
            "unreadable",
            "listing.currency",
        ),
    ] {
        let bad = changed(path, value);
        let row = one(bad.clone());
        assert_eq!(row["reason"], reason, "{row:?}");
        assert_eq!(row.get("field").map_or("", String::as_str), field, "{row:?}");
        assert_eq!(row["line"].as_bytes(), bad);
    }
}

#[test]
fn a_value_that_does_not_fit_its_column_is_kept_with_its_line_and_field() {
    type Change = fn(&mut stoop_domain::Observation);
    let changes: [(Change, &str, &str); 9] = [
        (|o| o.listing.list_price = Some(Minor(0)), "price_not_positive", "list_price"),
        (|o| o.listing.list_price = Some(Minor(-5)), "price_not_positive", "list_price"),
        (|o| o.listing.close_price = Some(Minor(0)), "price_not_positive", "close_price"),
        (|o| o.listing.list_price = Some(Minor(i64::MAX)), "price_absurd", "list_price"),
        (
            |o| o.listing.previous_list_price = Some(Minor(100_000_000_000_000_000)),
            "price_absurd",
            "previous_list_price",
        ),
        (|o| o.listing.association_fee = Some(Minor(i64::MIN)), "price_absurd", "association_fee"),
        (
            |o| o.listing.lot_area = Some(Area { ten_thousandths: i64::MAX, unit: AreaUnit::Acres }),
            "bad_value",
            "lot_area",
        ),
        (|o| o.listing.address.latitude_e6 = Some(i32::MIN), "coordinates_out_of_range", "latitude_e6"),
        (|o| o.listing.close_date = Some(Day(i32::MAX)), "bad_value", "close_date"),
    ];
    for (change, reason, field) in changes {
        let mut observation = observation(9);
        change(&mut observation);
        let row = one(line(&observation));
        assert_eq!((row["reason"].as_str(), row["field"].as_str()), (reason, field), "{row:?}");
        assert!(row["detail"].contains(field), "{row:?}");
    }
}

#[test]
fn lines_that_are_no_json_are_kept_and_each_once() {
    let bad: Vec<Vec<u8>> =
        [&b"not json"[..], b"\xff\xfe", b"{}", b"[1]", b"null", b"{\"v\":3,", b"not json"].map(<[u8]>::to_vec).to_vec();
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    for object in ["one", "two"] {
        let chunks = [(object.to_owned(), chunk(object, &bad))];
        run(ingest(&lake, &chunks)).unwrap();
    }
    let rows = rows(folder.path(), "quarantine");
    assert_eq!(rows.len(), 6);
    let not_utf8 = rows.values().find(|row| row["reason"] == "not_utf8").unwrap();
    assert_eq!(not_utf8["bytes"], "fffe");
    assert!(!not_utf8.contains_key("line"));
}

/// A newer program wrote some lines: this one must neither drop what it does not know nor count the file as taken.
#[test]
fn a_file_with_lines_of_a_newer_program_waits_until_this_one_is_updated() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let mut newer = lines(0..3);
    newer.push(changed(&["v"], json!(4)));
    newer.push(changed(&["listing", "garage_spaces"], json!(2)));
    let chunks = [("newer".to_owned(), chunk("newer", &newer)), ("known".to_owned(), chunk("known", &lines(10..15)))];
    for (lines, added, repeated, objects) in [(10, 8, 0, 1), (5, 0, 3, 0)] {
        let ingest = run(ingest(&lake, &chunks)).unwrap();
        let counts = ingest.counts();
        assert_eq!((counts.lines, counts.added, counts.repeated, counts.objects), (lines, added, repeated, objects));
        assert_eq!((counts.newer, counts.quarantined), (2, 0));
        let [held] = ingest.held() else { panic!("one file is held: {:?}", ingest.held()) };
        let why = "a line of format 4; this program reads up to 3: update stoop-lake";
        assert_eq!((held.object.as_ref(), held.why.as_ref()), ("newer", why));
    }
    assert_eq!(rows(folder.path(), "bronze").into_keys().collect::<Vec<_>>(), ["known"]);
}

/// Whoever removes one table only would get an empty one that is never filled.
#[test]
fn files_that_another_table_observations_took_are_not_counted_as_taken() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    let chunks = [("one".to_owned(), chunk("one", &lines(0..3)))];
    run(ingest(&lake, &chunks)).unwrap();
    std::fs::remove_dir_all(folder.path().join("tables/observations")).unwrap();
    let refused = run(ingest(&lake, &chunks)).err().unwrap().to_string();
    assert!(
        refused.starts_with("the table bronze: ") && refused.ends_with("remove all tables, and ingest"),
        "{refused}"
    );
    assert!(!folder.path().join("tables/observations").exists(), "no empty table is made");
    std::fs::remove_dir_all(folder.path().join("tables")).unwrap();
    assert_eq!(run(ingest(&lake, &chunks)).unwrap().counts().added, 3);
}
