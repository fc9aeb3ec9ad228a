//! Maps: how they read rows, and the mistakes that they report.

mod mistakes;

use crate::maps::{HEAD, json, left_out, map, mistakes, now, outcome, refused};
use csv::ByteRecord;
use proptest::prelude::*;
use stoop_domain::{AreaUnit, Currency, PropertyType, Purpose, Reason, Status, Time};
use stoop_sources::declared::{Map, MapErrors, RowBytes, RowOutcome};
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
fn a_rent_of_avito_is_no_sale_and_a_price_that_may_be_one_is_left_out() {
    let map = Map::parse(include_str!("../../../../maps/avito-2025.toml"), "avito-2025.toml").unwrap();
    let read = |label: &str, price: &str| {
        let row = serde_json::json!({
            "id": "57230172", "category_label": label, "price_text": price, "scraping_time": "2025-11-24T20:00:00",
            "breadcrumbs_list": ["Accueil", "Tout le Maroc", "Marrakech"], "attributes": { "Surface totale": "80" },
        });
        outcome(&map, &row.to_string())
    };
    let seen = |label: &str, price: &str| match read(label, price) {
        Ok(RowOutcome::Observation(seen, _)) => {
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
        let Ok(RowOutcome::Observation(seen, refused)) = read("Appartements, à vendre", price) else { panic!() };
        assert_eq!((seen.listing.list_price, refused[0].reason, refused.len()), (None, Reason::BadValue, 1));
        let detail = &refused[0].detail;
        assert!(detail.contains("for a sale: perhaps a rent, or for a square metre"), "{detail}");
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
    let at = |reader: &mut stoop_sources::declared::RowReader, file: &str| match reader.read(
        RowBytes::Json(b"{\"id\":1}"),
        file,
        now(),
    ) {
        Ok(RowOutcome::Observation(seen, _)) => seen.at.to_string(),
        Ok(RowOutcome::Skipped) => "skipped".to_owned(),
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
    let left_out = left_out(fields, r#"{"id": 1, "p": "5 €", "o": "6 DH"}"#);
    let [(Reason::BadValue, detail)] = &left_out[..] else { panic!("{left_out:?}") };
    assert!(detail.contains("\"6 DH\" is not in EUR"), "{detail}");
    // A JSON number has no thousands separator, whatever the style.
    assert_eq!(json(fields, r#"{"id": 1, "p": 123.456}"#).listing.list_price.unwrap().0, 12_346);
}

#[test]
fn rows_that_are_no_listings_are_skipped() {
    let head = "name = \"t\"\npurpose = \"sale\"\ncurrency = \"EUR\"\n";
    let rules = "[[skip]]\nfrom = \"s\"\nis = [\"OTHER\"]\n[[skip]]\nfrom = \"/k/0\"\nnot = [\"flat\", \"1\"]\n[[skip]]\nfrom = \"id\"\nabsent = true\n";
    let map = Map::parse(&format!("{head}{rules}[fields]\nnative_id = {{ from = \"id\" }}\n"), "t.toml").unwrap();
    let skipped = |row: &str| outcome(&map, row).unwrap() == RowOutcome::Skipped;
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
fn a_home_is_kept_without_what_cannot_be_read() {
    let fields = r#"
        list_price = { from = "p", money = "plain" }
        bedrooms = { from = "b" }
        listed_at = { from = "d", date = "iso" }
        images = { from = "i" }
        title = { from = "t" }
        latitude = { from = "y" }
        display = { from = "s" }
    "#;
    let row = r#"{"id": 1, "p": "ask", "b": "many", "d": "soon", "i": [5], "t": {}, "y": "north", "s": "perhaps"}"#;
    let seen = json(fields, row).listing;
    assert_eq!((seen.list_price, seen.bedrooms, seen.listed_at, seen.address.latitude_e6), (None, None, None, None));
    assert_eq!((seen.details.title, seen.details.images.len()), (None, 0));
    assert_eq!(seen.display, Some(false), "a word that cannot be read allows nothing");
    let left_out = left_out(fields, row);
    let names: Vec<&str> = left_out.iter().map(|(_, detail)| detail.split(':').next().unwrap()).collect();
    assert_eq!(names, ["list_price", "latitude", "listed_at", "bedrooms", "display", "title", "images"]);
    assert!(left_out.iter().all(|(reason, _)| *reason == Reason::BadValue), "{left_out:?}");
    assert_eq!(left_out[3].1, r#"bedrooms: "many" is no whole number from 0 to 255 (column "b": "many")"#);
    // What says which home it is, where, when and on which terms, is needed.
    for (field, value) in [
        (r#"observed_at = { from = "x", date = "iso" }"#, r#""soon""#),
        (r#"purpose = { from = "x" }"#, r#""lend""#),
        (r#"status = { from = "x" }"#, r#""on""#),
        (r#"currency = { from = "x" }"#, r#""€uro""#),
        (r#"city = { from = "x" }"#, "{}"),
        (r#"postal_code = { from = "x" }"#, "[1]"),
    ] {
        let (reason, detail) = refused(field, &format!(r#"{{"id": 1, "x": {value}}}"#));
        assert_eq!((reason, detail.split(':').next()), (Reason::BadValue, field.split(' ').next()));
    }
    assert_eq!(refused("", r#"{"id": {}}"#).0, Reason::BadValue);
    // A price that should name the currency says why there is none.
    let unnamed = Map::parse(
        "name = \"t\"\npurpose = \"rent\"\n[fields]\nnative_id = { from = \"id\" }\nlist_price = { from = \"p\", money = \"auto\" }\n",
        "t.toml",
    );
    let error = outcome(&unnamed.unwrap(), r#"{"id": 1, "p": "on request"}"#).unwrap_err();
    assert!(error.detail.starts_with("list_price: "), "{error}");
}

#[test]
fn a_lenient_field_is_left_unknown() {
    let seen = json(r#"bedrooms = { from = "b", lenient = true }"#, r#"{"id": 1, "b": "beaucoup"}"#);
    assert_eq!(seen.listing.bedrooms, None);
    assert_eq!(left_out(r#"bedrooms = { from = "b", lenient = true }"#, r#"{"id": 1, "b": "beaucoup"}"#), []);
    assert_eq!(json(r#"title = { from = "b", lenient = true }"#, r#"{"id": 1, "b": []}"#).listing.details.title, None);
}

fn record(fields: &[&str]) -> ByteRecord {
    ByteRecord::from(fields.to_vec())
}

#[test]
fn csv_rows_are_read_by_their_header() {
    let map = map("title = { from = [\"none\", \"t\"] }\nlist_price = { from = \"p\" }\nurl = { from = \"\" }");
    let mut reader = map.bind_csv(&record(&["", "p", "id", " t "])).unwrap();
    let mut read = |fields: &[&str]| reader.read(RowBytes::Csv(&record(fields)), "", now());
    let Ok(RowOutcome::Observation(seen, _)) = read(&["0", "5.5", "x", " T "]) else { panic!() };
    let listing = &seen.listing;
    assert_eq!((&*seen.native_id, listing.list_price.unwrap().0), ("x", 550));
    assert_eq!((listing.details.title.as_deref(), listing.details.url.as_deref()), (Some("T"), Some("0")));
    assert_eq!(read(&["0", "5.5"]).unwrap_err().reason, Reason::MissingField);
    let error =
        reader.read(RowBytes::Csv(&ByteRecord::from(vec![&b"0"[..], b"1", b"\xff", b"t"])), "", now()).unwrap_err();
    assert_eq!(error.reason, Reason::NotUtf8);
    assert!(error.detail.starts_with("native_id: "), "{}", error.detail);
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
        drop(paths.bind_json().read(RowBytes::Json(&bytes), "", now()));
        let map = map(fields);
        drop(map.bind_json().read(RowBytes::Json(&bytes), "", now()));
        let mut csv = map.bind_csv(&record(&["id", "p", "a", "t"])).unwrap();
        drop(csv.read(RowBytes::Csv(&ByteRecord::from(vec![&bytes[..]; 4])), "", now()));
    }

    #[test]
    fn any_text_is_a_map_or_has_mistakes(text in "(name|fields|from|http|url|pages|by|page|watermark|limits|oauth2|\\$|\\.|\\[|\\]|\\{|\\}|=|\"|\n|a|1| ){0,40}") {
        if let Err(MapErrors(found)) = Map::parse(&text, "t") {
            prop_assert!(!found.is_empty());
        }
    }
}
