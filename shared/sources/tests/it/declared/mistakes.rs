//! Mistakes of rows and of maps, and their messages.

use super::*;

/// Why a row is refused, or the first value of it.
fn refused_or_left_out(fields: &str, row: &str) -> (Reason, String) {
    match outcome(&map(fields), row) {
        Ok(RowOutcome::Observation(_, mut values)) => {
            let value = values.remove(0);
            (value.reason, value.detail)
        }
        Ok(RowOutcome::Skipped) => panic!("skipped"),
        Err(error) => (error.reason, error.detail),
    }
}

#[test]
fn what_is_refused_names_field_column_and_value() {
    for (fields, row, reason, says) in [
        ("", r#"{"ID": 1}"#, Reason::MissingField, r#"native_id: nothing usable in column "id", empty"#),
        ("", r#"{"id": {"a": 1}}"#, Reason::BadValue, r#"native_id: an object or a list"#),
        ("", r#"{"id": "\ud800"}"#, Reason::BadValue, "native_id: "),
        (
            "list_price = { from = \"p\" }",
            r#"{"id": 1, "p": "1.392,85"}"#,
            Reason::BadValue,
            r#"list_price: "1.392,85" is not"#,
        ),
        (
            "bedrooms = { from = \"b\" }",
            r#"{"id": 1, "b": "beaucoup"}"#,
            Reason::BadValue,
            r#"bedrooms: "beaucoup" is no whole"#,
        ),
        ("living_area = { from = \"a\" }", r#"{"id": 1, "a": "5 rooms"}"#, Reason::BadValue, r#""rooms" is no unit"#),
        ("latitude = { from = \"a\" }", r#"{"id": 1, "a": "N"}"#, Reason::BadValue, "latitude"),
        (
            "listed_at = { from = \"a\" }",
            r#"{"id": 1, "a": "soon"}"#,
            Reason::BadValue,
            r#"listed_at: "soon" is no date"#,
        ),
        (
            "listed_at = { from = \"a\", relative = \"fr\" }",
            r#"{"id": 1, "a": "soon"}"#,
            Reason::BadValue,
            "relative time",
        ),
        ("status = { from = \"s\" }", r#"{"id": 1}"#, Reason::MissingField, "status"),
        ("status = { from = \"s\" }", r#"{"id": 1, "s": "odd"}"#, Reason::BadValue, "none of Active, "),
        ("images = { from = \"s\" }", r#"{"id": 1, "s": [{}]}"#, Reason::BadValue, "images: no list of texts"),
    ] {
        let (got, detail) = refused_or_left_out(fields, row);
        assert_eq!(got, reason, "{detail}");
        assert!(detail.contains(says), "{detail} / {says}");
    }
}

#[test]
fn messages_about_long_values_are_short() {
    let long = "x".repeat(100_000);
    for fields in ["status = { from = \"s\", lookup = { \"a\" = \"Active\" } }", "list_price = { from = \"s\" }"] {
        let (_, detail) = refused_or_left_out(fields, &format!(r#"{{"id": 1, "s": "{long}"}}"#));
        assert!(detail.len() < 1_000 && detail.contains("xxx"), "{detail:.300}");
    }
}

#[test]
fn a_row_that_is_no_json_object_says_what_it_is() {
    let reason = |row: &[u8]| map("").bind_json().read(RowBytes::Json(row), "", now()).unwrap_err().reason;
    assert_eq!(reason(b"{\"id\": \"\xff\"}"), Reason::NotUtf8);
    assert_eq!(reason(b"{\"id\": 1"), Reason::Truncated);
    assert_eq!(reason(b""), Reason::Truncated);
    assert_eq!(reason(b"{\"id\": 1} x"), Reason::Unreadable);
    assert_eq!(reason(b"{\"id\" 1}"), Reason::Unreadable);
    assert_eq!(reason(b"[1]"), Reason::Unreadable);
    assert_eq!(reason(b"<html>"), Reason::Unreadable);
    assert_eq!(reason(b"\0\0"), Reason::Unreadable);
}

#[test]
fn a_header_without_a_needed_column_names_the_nearest() {
    let map = map("list_price = { from = \"prise\" }\ntitle = { template = \"{/a/b}\" }");
    let MapErrors(found) = map.bind_csv(&record(&["id", "price"])).unwrap_err();
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "t.toml:7: fields.list_price.from: the file has no column \"prise\"; did you mean \"price\"? its columns: \"id\", \"price\"",
            "t.toml:8: fields.title.template: the file has no column \"/a/b\"; its columns: \"id\", \"price\"; CSV has no JSON Pointers",
        ]
    );
}

#[test]
fn all_mistakes_of_a_map_are_reported_at_once_with_their_positions() {
    let found = mistakes(
        r#"nam = "x"
country = "Austria"
currency = 5
purpose = "lease"
time_zone = "Vienna"
order = "by time"
[read]
format = "avro"
delimiter = ";;"
rows = "data"
[[skip]]
from = "a"
[fields]
list_pric = { from = "p" }
list_price = { from = "p", money = "german", lenient = true }
title = { from = "t", constant = "u" }
city = {}
bedrooms = { from = "b", unit = "m2" }
living_area = { from = ["a", 5], unit = "rods", regex = "(" }
status = { from = "s", lookup = { "x" = "Gone Fishing" } }
listed_at = { from = "d", date = ["yyyy"], relative = "de" }
property_type = { constant = "Castle" }
url = { template = "no columns" }
line = { template = "{open" }
seller = { from = "/a~b" }
agency = { from = "a", replace = [["x"]], otherwise = "y" }
"#,
    );
    for wanted in [
        "t.toml:1: nam: there is no such key; did you mean \"name\"? accepted: name, country",
        "t.toml:1: name: is missing",
        "t.toml:2: country: \"Austria\"; accepted: two letters",
        "t.toml:3: currency: 5 is integer; accepted: a text in quotes",
        "t.toml:4: purpose: \"lease\" is none of sale, rent",
        "t.toml:5: time_zone: \"Vienna\" is not in the IANA database",
        "t.toml:6: order: \"by time\"; did you mean \"by-time\"?",
        "t.toml:8: read.format: \"avro\"; accepted: csv, json, jsonl, parquet, xlsx, xml, html, blm",
        "t.toml:9: read.delimiter: \";;\"",
        "t.toml:10: read.rows: \"data\" is no JSON Pointer",
        "t.toml:11: skip[0]: accepted: exactly one of is",
        "t.toml:13: fields.native_id: is missing",
        "t.toml:14: fields.list_pric: a listing has no such field; did you mean \"list_price\"?",
        "t.toml:15: fields.list_price.money: \"german\"; accepted: plain, auto, de, en, fr",
        "t.toml:15: fields.list_price.lenient: there is no such key",
        "t.toml:16: fields.title: has from and constant at once",
        "t.toml:17: fields.city: says nowhere where its text comes from",
        "t.toml:18: fields.bedrooms.unit: there is no such key",
        "t.toml:19: fields.living_area.from: 5 is integer",
        "t.toml:19: fields.living_area.unit: \"rods\"; accepted: m2, sqft, acres",
        "t.toml:19: fields.living_area.regex: \"(\" is no regular expression",
        "t.toml:20: fields.status.lookup.\"x\": \"Gone Fishing\" is none of Active, ",
        "t.toml:21: fields.listed_at: has date and relative at once",
        "t.toml:21: fields.listed_at.relative: \"de\"; ",
        "t.toml:21: fields.listed_at.date: \"yyyy\" ",
        "t.toml:22: fields.property_type.constant: \"Castle\" is none of Apartment, ",
        "t.toml:23: fields.url.template: \"no columns\" names no {column}",
        "t.toml:24: fields.line.template: \"{open\" has a { without its }",
        "t.toml:25: fields.seller.from: \"/a~b\": after ~",
        "t.toml:26: fields.agency.replace: not a pair of texts",
        "t.toml:26: fields.agency.otherwise: there is no lookup",
    ] {
        assert!(found.iter().any(|mistake| mistake.starts_with(wanted)), "{wanted}\n--\n{}", found.join("\n"));
    }
    assert!(found.is_sorted_by_key(|m| m.split(':').nth(1).unwrap().parse::<u32>().unwrap()));
}

#[test]
fn how_a_file_is_opened_is_reported_with_what_would_be_accepted() {
    let fields = "[fields]\nnative_id = { from = \"id\" }\n";
    let read = |read: &str| format!("name = \"x\"\npurpose = \"sale\"\ncurrency = \"EUR\"\n[read]\n{read}\n{fields}");
    let good = read("encoding = \"ISO-8859-1\"\nskip_lines = 2\ncomment = [\"#\", \"In accordance\"]");
    let hints = Map::parse(&good, "t.toml").unwrap().hints().clone();
    assert_eq!((hints.encoding, hints.skip_lines), (Some(Encoding::Windows1252), 2));
    assert_eq!(hints.comments, ["#", "In accordance"]);
    for (text, wanted) in [
        (
            "encoding = \"latin-9\"",
            "t.toml:5: read.encoding: \"latin-9\"; accepted: utf-8, windows-1252, iso-8859-1, utf-16",
        ),
        ("skip_lines = 1001", "t.toml:5: read.skip_lines: 1001; accepted: 0 to 1000"),
        ("comment = \" \"", "t.toml:5: read.comment: \" \" begins every row"),
        ("format = \"json\"\ncomment = \"#\"", "t.toml:6: read.comment: only CSV and JSON Lines have lines"),
        ("comments = \"#\"", "t.toml:5: read.comments: there is no such key; did you mean \"comment\"?"),
    ] {
        let found = mistakes(&read(text));
        assert!(matches!(&found[..], [only] if only.starts_with(wanted)), "{wanted}: {found:?}");
    }
    let row = record(&["caf\u{e9}"]);
    let bytes = ByteRecord::from(vec![&b"caf\xe9"[..]]);
    let mut reader = Map::parse(&good, "t.toml").unwrap().bind_csv(&record(&["id"])).unwrap();
    assert!(reader.read(RowBytes::Csv(&row), "a.csv", Time::from_ms(0)).is_ok());
    let error = reader.read(RowBytes::Csv(&bytes), "a.csv", Time::from_ms(0)).unwrap_err();
    assert!(error.detail.contains("encoding = \"windows-1252\""), "what would help is said: {error}");
}

#[test]
fn invalid_toml_is_reported_with_its_line() {
    let found = mistakes("name = \"x\"\ncountry = \n");
    assert!(found[0].starts_with("t.toml:2: this is no TOML: "), "{found:?}");
    let keys: Vec<String> = mistakes("").iter().map(|m| m.split(": ").nth(1).unwrap().to_owned()).collect();
    assert_eq!(keys, ["fields", "name", "purpose"]);
}

#[test]
fn a_column_that_the_map_reads_is_in_the_header_once() {
    let map = map("list_price = { from = \"price\" }");
    let MapErrors(found) = map.bind_csv(&record(&["id", "price", "note", "note", " price "])).unwrap_err();
    assert_eq!(found.len(), 1, "nobody reads the notes");
    assert_eq!(found[0].problem, "the file has 2 columns \"price\", its 2 and 5; accepted: one");
    assert!(map.bind_csv(&record(&["id", "price", "note", "note"])).is_ok());
}
