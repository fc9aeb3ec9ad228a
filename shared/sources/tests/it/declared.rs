//! Maps: how they read rows, and the mistakes that they report.

use crate::maps::{HEAD, json, map, mistakes, now, outcome, refused};
use csv::ByteRecord;
use proptest::prelude::*;
use stoop_domain::{AreaUnit, Currency, PropertyType, Purpose, Reason, Status, Time};
use stoop_sources::declared::{Map, MapErrors, Outcome, Row};
use stoop_sources::text::Encoding;

#[test]
fn a_row_without_more_than_an_id_is_active_now() {
    let seen = json("", r#"{"id": 7}"#);
    assert_eq!((&*seen.source, &*seen.native_id, seen.at), ("t", "7", now()));
    let listing = &seen.listing;
    assert_eq!((listing.purpose, listing.status, listing.currency), (Purpose::Rent, Status::Active, Currency::EUR));
    assert_eq!(listing.address.country.as_deref(), Some("AT"));
    assert_eq!(listing.list_price, None);
}

#[test]
fn a_rent_of_avito_is_no_sale_and_what_may_be_either_is_refused() {
    let map = Map::parse(include_str!("../../../../maps/avito-2025.toml"), "avito-2025.toml").unwrap();
    let read = |label: &str, price: &str| {
        let row = serde_json::json!({
            "id": "57230172", "category_label": label, "price_text": price, "scraping_time": "2025-11-24T20:00:00",
            "breadcrumbs_list": ["Accueil", "Tout le Maroc", "Marrakech"], "attributes": { "Surface totale": "80" },
        });
        outcome(&map, &row.to_string())
    };
    let seen = |label: &str, price: &str| match read(label, price) {
        Ok(Outcome::Observation(seen)) => {
            (seen.listing.purpose, seen.listing.property_type, seen.listing.list_price.map(|price| price.0 / 100))
        }
        other => panic!("{other:?}"),
    };
    let flat = Some(PropertyType::Apartment);
    assert_eq!(seen("Appartements, à louer", "7\u{202f}000 DH"), (Purpose::Rent, flat, Some(7_000)));
    assert_eq!(seen("Appartements, à vendre", "195\u{202f}000 DH"), (Purpose::Sale, flat, Some(195_000)));
    assert_eq!(seen("Appartements, à vendre", "1\u{202f}350\u{202f}000 DH"), (Purpose::Sale, flat, Some(1_350_000)));
    assert_eq!(seen("Terrains et fermes, à vendre", ""), (Purpose::Sale, Some(PropertyType::Land), None));
    for price in ["7\u{202f}000 DH", "350 DH"] {
        let refused = read("Appartements, à vendre", price).unwrap_err();
        assert_eq!(refused.reason, Reason::BadValue);
        assert!(refused.detail.contains("for a sale: perhaps a rent, or for a square metre"), "{}", refused.detail);
    }
    let refused = read("Colocations", "2\u{202f}000 DH").unwrap_err();
    assert_eq!(refused.reason, Reason::MissingField);
    assert!(refused.detail.starts_with("purpose: "), "{}", refused.detail);
}

#[test]
fn every_field_of_a_listing_can_be_filled() {
    let seen = json(
        r#"
        observed_at = { from = "seen", date = ["rfc3339", "epoch_ms"] }
        purpose = { from = "kind", lookup = { "buy" = "sale" }, otherwise = "rent" }
        currency = { from = "cur" }
        status = { from = "state" }
        list_price = { from = "/price/now" }
        original_list_price = { from = "/price/first" }
        previous_list_price = { from = "/price/before", money = "en" }
        price_changed_at = { from = "changed", date = "epoch_s" }
        listed_at = { from = "since", relative = "en" }
        property_type = { from = "type", lookup = { "Wohnung" = "Apartment" } }
        bedrooms = { from = "beds" }
        bathrooms = { from = "baths" }
        living_area = { from = "size", unit = "sqft" }
        lot_area = { from = "lot" }
        line = { template = "{street} {/no/0}" }
        neighbourhood = { from = "hood" }
        city = { constant = "Wien" }
        county = { from = "county" }
        region = { from = "region" }
        postal_code = { from = "zip" }
        country = { from = "cc" }
        latitude = { from = "/geo/0" }
        longitude = { from = "/geo/1" }
        title = { from = "title" }
        description = { from = "text" }
        seller = { from = "seller" }
        agency = { from = "agency" }
        images = { from = "pics" }
        amenities = { from = "has", split = ";" }
        url = { from = "url" }
        "#,
        r#"{"id": "a", "seen": 1768301460000, "kind": "buy", "cur": "usd", "state": "Active Under Contract",
            "price": {"now": 1.5e5, "first": "160000.50", "before": "$155,000"}, "changed": 1768301460, "since": "2 hours ago",
            "type": "Wohnung", "beds": "3", "baths": 2.5, "size": "1,312", "lot": "0.5 acres", "street": "Gasse", "no": [4],
            "hood": "Ottakring", "county": "Wien", "region": "W", "zip": "01160", "cc": "AT", "geo": [48.2, -16.123456789],
            "title": " Sch\u00f6n ", "text": "", "seller": null, "agency": "A", "pics": ["a", null, "b"], "has": "x; y;",
            "url": "u", "unwanted": {"id": [1, 2]}}"#,
    );
    let listing = &seen.listing;
    assert_eq!(seen.at.to_string(), "2026-01-13T10:51:00Z");
    assert_eq!((listing.purpose, listing.currency), (Purpose::Sale, Currency::USD));
    assert_eq!(listing.status, Status::ActiveUnderContract);
    let prices = [listing.list_price, listing.original_list_price, listing.previous_list_price];
    assert_eq!(prices.map(|p| p.unwrap().0), [15_000_000, 16_000_050, 15_500_000]);
    assert_eq!(listing.price_changed_at, Some(seen.at));
    assert_eq!(listing.listed_at.unwrap().to_string(), "2026-01-13T08:51:00Z");
    assert_eq!(listing.property_type, Some(PropertyType::Apartment));
    assert_eq!((listing.bedrooms, listing.bathrooms_hundredths), (Some(3), Some(250)));
    let (size, lot) = (listing.living_area.unwrap(), listing.lot_area.unwrap());
    assert_eq!((size.ten_thousandths, size.unit), (13_120_000, AreaUnit::SquareFeet));
    assert_eq!((lot.ten_thousandths, lot.unit), (5_000, AreaUnit::Acres));
    let address = &listing.address;
    assert_eq!(address.line.as_deref(), Some("Gasse 4"));
    assert_eq!(address.postal_code.as_deref(), Some("01160"));
    assert_eq!((address.latitude_e6, address.longitude_e6), (Some(48_200_000), Some(-16_123_457)));
    let details = &listing.details;
    assert_eq!((details.title.as_deref(), &details.description, &details.seller), (Some("Schön"), &None, &None));
    assert_eq!((details.images.join(","), details.amenities.join(",")), ("a,b".into(), "x,y".into()));
}

#[test]
fn the_first_column_that_has_something_counts() {
    let fields = r#"title = { from = ["a", "/b/c", "d"], null = ["-"], regex = '^t:(.+)|^u(.+)', default = "none" }"#;
    let title = |row: &str| json(fields, row).listing.details.title.unwrap();
    assert_eq!(title(r#"{"id": 1, "a": "t: x", "d": "t:y"}"#), "x");
    assert_eq!(title(r#"{"id": 1, "a": "-", "b": {"c": ""}, "d": "uy"}"#), "y");
    assert_eq!(title(r#"{"id": 1, "a": "no match", "b": [], "d": null}"#), "none");
}

#[test]
fn texts_are_replaced_and_looked_up() {
    let fields = r#"
        title = { template = "{a}:{b}", replace = [[':true$', ' yes'], [':false$', '']] }
        status = { from = "s", lookup = { "x" = "Closed" }, default = "Pending" }
    "#;
    let seen = json(fields, r#"{"id": 1, "a": "q", "b": true, "s": "x"}"#);
    assert_eq!((seen.listing.details.title.as_deref(), seen.listing.status), (Some("q yes"), Status::Closed));
    let seen = json(fields, r#"{"id": 1, "a": "q", "b": false}"#);
    assert_eq!((seen.listing.details.title.as_deref(), seen.listing.status), (Some("q"), Status::Pending));
    assert_eq!(json(fields, r#"{"id": 1, "a": "q"}"#).listing.details.title, None);
    let (reason, detail) = refused(fields, r#"{"id": 1, "s": "y"}"#);
    assert_eq!(reason, Reason::BadValue);
    assert_eq!(detail, r#"status: "y" is not in the lookup (x) (column "s": "y")"#);
}

#[test]
fn the_time_may_stand_in_the_name_of_the_file() {
    let fields = "observed_at = { file_name = 'poll_(\\d{4}-\\d\\d-\\d\\d)', date = \"%Y-%m-%d\" }";
    assert_eq!(json(fields, r#"{"id": 1}"#).at.to_string(), "2026-01-13T00:00:00Z");
    let mut reader = map(fields).bind_json();
    let at = |reader: &mut stoop_sources::declared::Reader, file: &str| match reader.read(
        Row::Json(b"{\"id\":1}"),
        file,
        now(),
    ) {
        Ok(Outcome::Observation(seen)) => seen.at.to_string(),
        Ok(Outcome::Skipped) => "skipped".to_owned(),
        Err(error) => error.to_string(),
    };
    assert_eq!(at(&mut reader, "poll_2026-01-12.jsonl"), "2026-01-12T00:00:00Z");
    assert_eq!(at(&mut reader, "poll_2026-01-11.jsonl"), "2026-01-11T00:00:00Z");
    assert!(at(&mut reader, "other").starts_with("missing_field: observed_at: nothing usable in file name \"other\""));
    assert!(at(&mut reader, "poll_2026-99-11").contains("is no date like %Y-%m-%d"));
}

#[test]
fn a_price_may_name_its_own_currency() {
    let fields = r#"list_price = { from = "p", money = "auto" }
        original_list_price = { from = "o", money = "auto" }"#;
    let seen = json(fields, r#"{"id": 1, "p": "1 700 000 DH"}"#);
    assert_eq!((seen.listing.currency, seen.listing.list_price.unwrap().0), (Currency::MAD, 170_000_000));
    let (reason, detail) = refused(fields, r#"{"id": 1, "p": "5 €", "o": "6 DH"}"#);
    assert_eq!(reason, Reason::BadValue);
    assert!(detail.contains("\"6 DH\" is not in EUR"), "{detail}");
    // A JSON number has no thousands separator, whatever the style.
    assert_eq!(json(fields, r#"{"id": 1, "p": 123.456}"#).listing.list_price.unwrap().0, 12_346);
}

#[test]
fn rows_that_are_no_listings_are_skipped() {
    let head = "name = \"t\"\npurpose = \"sale\"\ncurrency = \"EUR\"\n";
    let rules = "[[skip]]\nfrom = \"s\"\nis = [\"OTHER\"]\n[[skip]]\nfrom = \"/k/0\"\nnot = [\"flat\", \"1\"]\n[[skip]]\nfrom = \"id\"\nabsent = true\n";
    let map = Map::parse(&format!("{head}{rules}[fields]\nnative_id = {{ from = \"id\" }}\n"), "t.toml").unwrap();
    let skipped = |row: &str| outcome(&map, row).unwrap() == Outcome::Skipped;
    assert!(!skipped(r#"{"id": 1, "s": "SALE", "k": ["flat"]}"#));
    assert!(!skipped(r#"{"id": 1, "k": [1]}"#));
    assert!(skipped(r#"{"id": 1, "s": "OTHER", "k": ["flat"]}"#));
    assert!(skipped(r#"{"id": 1, "k": ["garage"]}"#));
    assert!(skipped(r#"{"id": "", "k": ["flat"]}"#));
}

#[test]
fn a_field_may_be_read_only_in_some_rows() {
    let fields = r#"
        living_area = { from = "a", only = { from = "k", not = ["land"] } }
        images = { from = "i", only = { from = "a", absent = true } }
    "#;
    let seen = json(fields, r#"{"id": 1, "a": 5, "k": "flat", "i": ["x"]}"#);
    assert_eq!((seen.listing.living_area.is_some(), seen.listing.details.images.len()), (true, 0));
    let seen = json(fields, r#"{"id": 1, "a": 5, "k": "land"}"#);
    assert_eq!(seen.listing.living_area, None);
    assert_eq!(json(fields, r#"{"id": 1, "i": ["x"]}"#).listing.details.images, ["x"]);
    let found = mistakes(&format!("{HEAD}city = {{ from = \"c\", only = {{ from = \"k\", si = [] }} }}"));
    assert!(found[0].contains("fields.city.only"), "{found:?}");
}

#[test]
fn every_map_of_the_project_is_a_map() {
    let maps = concat!(env!("CARGO_MANIFEST_DIR"), "/../../maps");
    for entry in std::fs::read_dir(maps).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // maps of reference series
        }
        let map = Map::parse(&std::fs::read_to_string(&path).unwrap(), &path.display().to_string());
        assert!(map.is_ok(), "{}", map.unwrap_err());
    }
}

#[test]
fn a_refused_row_names_field_column_and_value() {
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
        let (got, detail) = refused(fields, row);
        assert_eq!(got, reason, "{detail}");
        assert!(detail.contains(says), "{detail} / {says}");
    }
}

#[test]
fn messages_about_long_values_are_short() {
    let long = "x".repeat(100_000);
    for fields in ["status = { from = \"s\", lookup = { \"a\" = \"Active\" } }", "list_price = { from = \"s\" }"] {
        let (_, detail) = refused(fields, &format!(r#"{{"id": 1, "s": "{long}"}}"#));
        assert!(detail.len() < 1_000 && detail.contains("xxx"), "{detail:.300}");
    }
}

#[test]
fn a_lenient_field_is_left_unknown() {
    let seen = json(r#"bedrooms = { from = "b", lenient = true }"#, r#"{"id": 1, "b": "beaucoup"}"#);
    assert_eq!(seen.listing.bedrooms, None);
    assert_eq!(json(r#"title = { from = "b", lenient = true }"#, r#"{"id": 1, "b": []}"#).listing.details.title, None);
}

#[test]
fn a_row_that_is_no_json_object_says_what_it_is() {
    let reason = |row: &[u8]| map("").bind_json().read(Row::Json(row), "", now()).unwrap_err().reason;
    assert_eq!(reason(b"{\"id\": \"\xff\"}"), Reason::NotUtf8);
    assert_eq!(reason(b"{\"id\": 1"), Reason::Truncated);
    assert_eq!(reason(b""), Reason::Truncated);
    assert_eq!(reason(b"{\"id\": 1} x"), Reason::Unreadable);
    assert_eq!(reason(b"{\"id\" 1}"), Reason::Unreadable);
    assert_eq!(reason(b"[1]"), Reason::Unreadable);
    assert_eq!(reason(b"<html>"), Reason::Unreadable);
    assert_eq!(reason(b"\0\0"), Reason::Unreadable);
}

fn record(fields: &[&str]) -> ByteRecord {
    ByteRecord::from(fields.to_vec())
}

#[test]
fn csv_rows_are_read_by_their_header() {
    let map = map("title = { from = [\"none\", \"t\"] }\nlist_price = { from = \"p\" }\nurl = { from = \"\" }");
    let mut reader = map.bind_csv(&record(&["", "p", "id", " t "])).unwrap();
    let mut read = |fields: &[&str]| reader.read(Row::Csv(&record(fields)), "", now());
    let Ok(Outcome::Observation(seen)) = read(&["0", "5.5", "x", " T "]) else { panic!() };
    let listing = &seen.listing;
    assert_eq!((&*seen.native_id, listing.list_price.unwrap().0), ("x", 550));
    assert_eq!((listing.details.title.as_deref(), listing.details.url.as_deref()), (Some("T"), Some("0")));
    assert_eq!(read(&["0", "5.5"]).unwrap_err().reason, Reason::MissingField);
    let error = reader.read(Row::Csv(&ByteRecord::from(vec![&b"0"[..], b"1", b"\xff", b"t"])), "", now()).unwrap_err();
    assert_eq!(error.reason, Reason::NotUtf8);
    assert!(error.detail.starts_with("native_id: "), "{}", error.detail);
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
format = "xml"
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
        "t.toml:8: read.format: \"xml\"; accepted: csv, json, jsonl, parquet",
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
fn only_files_whose_rows_tell_the_time_tell_the_past() {
    let map = |history: &str, more: &str| {
        format!(
            "name = \"x\"\npurpose = \"sale\"\ncurrency = \"EUR\"\nhistory = {history}\n[fields]\nnative_id = {{ from = \"id\" }}\n{more}"
        )
    };
    let seen = "observed_at = { from = \"seen\", date = \"iso\" }\n";
    assert!(Map::parse(&map("true", seen), "t.toml").unwrap().history());
    assert!(!Map::parse(&map("false", ""), "t.toml").unwrap().history());
    let of_api = format!("{seen}[http]\nurl = \"https://a.example/\"\n");
    for (history, more, wanted) in [
        ("true", "", "history: is true, but no field `observed_at`"),
        ("true", &of_api, "history: is true, which goes with files alone"),
        ("\"yes\"", seen, "history: \"yes\" is string; accepted: true or false"),
    ] {
        let found = mistakes(&map(history, more));
        assert!(found.iter().any(|mistake| mistake.contains(wanted)), "{wanted}: {found:?}");
    }
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
    assert!(reader.read(Row::Csv(&row), "a.csv", Time::from_ms(0)).is_ok());
    let error = reader.read(Row::Csv(&bytes), "a.csv", Time::from_ms(0)).unwrap_err();
    assert!(error.detail.contains("encoding = \"windows-1252\""), "what would help is said: {error}");
}

#[test]
fn invalid_toml_is_reported_with_its_line() {
    let found = mistakes("name = \"x\"\ncountry = \n");
    assert!(found[0].starts_with("t.toml:2: this is no TOML: "), "{found:?}");
    let keys: Vec<String> = mistakes("").iter().map(|m| m.split(": ").nth(1).unwrap().to_owned()).collect();
    assert_eq!(keys, ["fields", "name", "purpose"]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "\\{(\"(id|p|a|t)\":(\"[0-9., €\\\\u]{0,8}\"|[0-9eE.+-]{1,6}|\\[[0-9,]{0,4}\\]|null|\\{\\}),?){0,4}\\}?".prop_map(String::into_bytes),
        ],
    ) {
        let fields = r#"list_price = { from = "p", money = "auto" }
            living_area = { from = ["a", "/t/0"], number = "de" }
            title = { from = "t", regex = "(.)." }
            listed_at = { from = "t", lenient = true }
            images = { from = "a" }"#;
        let paths = map("list_price = { from = \"$..p\" }\nimages = { from = [\"$.a[*]\", \"t\"] }\ncity = { from = \"$.t[?@ > 1]\" }");
        drop(paths.bind_json().read(Row::Json(&bytes), "", now()));
        let map = map(fields);
        drop(map.bind_json().read(Row::Json(&bytes), "", now()));
        let mut csv = map.bind_csv(&record(&["id", "p", "a", "t"])).unwrap();
        drop(csv.read(Row::Csv(&ByteRecord::from(vec![&bytes[..]; 4])), "", now()));
    }

    #[test]
    fn any_text_is_a_map_or_has_mistakes(text in "(name|fields|from|http|url|pages|by|page|watermark|limits|oauth2|\\$|\\.|\\[|\\]|\\{|\\}|=|\"|\n|a|1| ){0,40}") {
        if let Err(MapErrors(found)) = Map::parse(&text, "t") {
            prop_assert!(!found.is_empty());
        }
    }
}
