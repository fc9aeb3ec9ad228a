//! Price changes that sources report themselves, as events of a home.

use stoop_domain::{EventKind, Home, Observation, PriceChange, Time};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Page, Params, Row, Source, SourceAnswer};

use crate::answers::sources;
use crate::real::{payload, source};

const NOW: &str = "2026-02-01T12:00:00Z";

/// The reported events of the homes in an answer: kind, time and prices in hundredths.
fn message(source: &dyn Source, body: &[u8]) -> Vec<(EventKind, String, i64, i64)> {
    let now = Time::parse(NOW).unwrap();
    let Page { rows, .. } = source.read(&source.begin(None), &SourceAnswer::of(body), now).unwrap();
    let events = rows.into_iter().flat_map(|row| {
        let Row::Found(found) = row else { return Vec::new() };
        let mut home = Home::default();
        home.apply(&Observation::new("t", found.native_id, now, found.listing));
        home.events()
    });
    let message = events.filter_map(|event| {
        let PriceChange { from, to } = event.change?;
        Some((event.kind, event.at.to_string(), from.0, to.0))
    });
    message.collect()
}

fn cut(at: &str, from: i64, to: i64) -> (EventKind, String, i64, i64) {
    (EventKind::ReportedCut, at.to_owned(), from, to)
}

#[test]
fn a_reso_row_reports_its_last_change_in_every_dialect() {
    let row = |fields: &str| {
        let row = r#"{"ListingKey": "1", "PropertyType": "Residential", "StandardStatus": "Active", "ListPrice": 474800,
            "ModificationTimestamp": "2026-01-20T00:00:00Z", "City": "Austin", "StateOrProvince": "TX", "PostalCode": "78704","#;
        format!(r#"{{"value": [{row} {fields}}}]}}"#)
    };
    let plain = row(r#""PreviousListPrice": 479800, "PriceChangeTimestamp": "2026-01-05T21:32:42Z""#);
    let dialects: Vec<Box<dyn Source>> = sources().into_iter().map(|(source, _)| source).take(5).collect();
    for reso in &dialects {
        assert_eq!(message(&**reso, plain.as_bytes()), [cut("2026-01-05T21:32:42Z", 47_980_000, 47_480_000)]);
    }
    let of = |fields: &str| message(&*dialects[0], row(fields).as_bytes());
    let major = r#""PreviousListPrice": 450000, "MajorChangeType": "Price Change", "MajorChangeTimestamp": "2026-01-05T21:32:42Z""#;
    assert_eq!(of(major), [(EventKind::ReportedRise, "2026-01-05T21:32:42Z".into(), 45_000_000, 47_480_000)]);
    // A change without a time or previous price, or in the future, is not an event.
    for less in [
        r#""PreviousListPrice": 479800"#,
        r#""OriginalListPrice": 479800, "PriceChangeTimestamp": "2026-01-05T21:32:42Z""#,
        r#""PreviousListPrice": 0, "PriceChangeTimestamp": "2026-01-05T21:32:42Z""#,
        r#""PreviousListPrice": 479800, "PriceChangeTimestamp": "2027-01-05T21:32:42Z""#,
    ] {
        assert_eq!(of(less), [], "{less}");
    }
}

#[test]
fn zillow_reports_its_last_change_with_a_day() {
    let (zillow, body) = sources().swap_remove(5);
    assert_eq!(message(&*zillow, body), [cut("2023-07-31T07:00:00Z", 52_000_000, 41_590_000)]);
}

/// The amount of the last cut has no date, and none is invented.
#[test]
fn realtor_reports_no_time_and_so_no_event() {
    let (realtor, body) = sources().swap_remove(6);
    assert!(String::from_utf8_lossy(body).contains(r#""price_reduced_amount": 20000"#));
    assert_eq!(message(&*realtor, body), []);
}

#[test]
fn a_map_names_the_columns_that_tell_of_it() {
    let map = r#"
        name = "t"
        country = "AT"
        currency = "EUR"
        purpose = "sale"
        [fields]
        native_id = { from = "id" }
        city = { from = "city" }
        list_price = { from = "price", money = "plain" }
        previous_list_price = { from = "before", money = "plain" }
        price_changed_at = { from = "changed", date = "iso" }
        [read]
        rows = "/homes"
        [http]
        url = "https://e.example/homes"
        "#;
    let map = Map::parse(map, "t.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let source = HttpSource::new(&map, &Params::new()).unwrap();
    let body = r#"{"homes": [{"id": "1", "city": "Graz", "price": "480000", "before": "500000", "changed": "2026-01-05"},
        {"id": "2", "city": "Graz", "price": "480000", "before": "500000"}]}"#;
    assert_eq!(message(&source, body.as_bytes()), [cut("2026-01-05T00:00:00Z", 50_000_000, 48_000_000)]);
}

/// Counted in the raw answers: rows with a price, a nonzero change, and its date.
#[test]
fn real_answers_tell_of_as_many_changes_as_their_rows_have() {
    for (name, count) in [
        ("search_forsale_chicago_p1_of_20", 4),
        ("search_forsale_chicago_single_page", 4),
        ("search_forrent_redmond_houses_p1_of_2", 0),
    ] {
        let Some(body) = payload(&format!("zillow-com1/{name}.json")) else { return };
        let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let rows = answer["props"].as_array().unwrap().iter();
        let number =
            |row: &serde_json::Value, name: &str| row[name].as_i64().filter(|number| *number != 0 && *number != -1);
        let has = |row: &serde_json::Value| {
            ["price", "priceChange", "datePriceChanged"].iter().all(|name| number(row, name).is_some())
        };
        let counted = rows.filter(|row| has(row)).count();
        let status_type = if name.contains("forrent") { "ForRent" } else { "ForSale" };
        let zillow = source("zillow", &[("location", "x"), ("key", "x"), ("status_type", status_type)]);
        assert_eq!((message(&*zillow, &body).len(), counted), (count, count), "{name}");
    }
    let Some(record) = payload("reso/mlsgrid_actris_property.json") else { return };
    let body = [b"{\"value\": [".as_slice(), &record, b"]}"].concat();
    let reso = source("reso", &[("url", "https://api-demo.mlsgrid.com/v2")]);
    // From 2020; its major change was a "Price Decrease".
    assert_eq!(message(&*reso, &body), [cut("2020-12-05T21:32:42Z", 47_980_000, 47_480_000)]);
}
