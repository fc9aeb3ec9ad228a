//! How long reading a row takes, next to parsing it with the same JSON parser and dropping the result:
//! `cargo test --release -p stoop-sources --test declared_speed -- --ignored --nocapture`

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use stoop_domain::Time;
use stoop_sources::declared::{Map, Outcome, Row};

const MAP: &str = r#"
name = "speed"
country = "US"
currency = "USD"
[fields]
native_id = { from = "id" }
observed_at = { from = "seen", date = "rfc3339" }
purpose = { from = "purpose" }
status = { from = "status" }
list_price = { from = "price" }
line = { from = "/address/line" }
city = { from = "/address/city" }
region = { from = "/address/state" }
postal_code = { from = "/address/zip" }
latitude = { from = "lat" }
longitude = { from = "lon" }
property_type = { from = "type", lookup = { "house" = "SingleFamilyResidence", "condo" = "Condominium" } }
bedrooms = { from = "beds" }
bathrooms = { from = "baths" }
living_area = { from = "sqft", unit = "sqft" }
listed_at = { from = "listed", date = "iso" }
title = { from = "title" }
url = { from = "url" }
"#;

fn lines(count: usize) -> Vec<String> {
    let line = |i: usize| {
        let mut line = String::new();
        write!(
            line,
            r#"{{"id":"h{i}","seen":"2026-01-{:02}T10:51:00Z","purpose":"sale","status":"Active","price":{},"currency":"USD","address":{{"line":"{i} Main St","city":"Springfield","state":"IL","zip":"{:05}"}},"lat":39.7{i},"lon":-89.6{i},"type":"house","beds":{},"baths":2.5,"sqft":{},"listed":"2026-01-01","title":"Home number {i} near the park","url":"https://example.com/homes/{i}","agent":{{"name":"none","phone":null}},"tags":["a","b","c"]}}"#,
            1 + i % 28,
            200_000 + i * 7 % 90_000,
            i % 99_999,
            1 + i % 5,
            900 + i % 2_000,
        )
        .unwrap();
        line
    };
    (0..count).map(line).collect()
}

#[test]
fn the_speed_map_reads_its_rows() {
    let mut reader = Map::parse(MAP, "speed").unwrap().bind_json();
    for line in lines(100) {
        let read = reader.read(Row::Json(line.as_bytes()), "a", Time::from_ms(0));
        assert!(matches!(read, Ok(Outcome::Observation(_))), "{read:?}");
    }
}

#[test]
#[ignore = "prints a measurement"]
fn reading_a_row_against_parsing_it() {
    let lines = lines(200_000);
    let mut reader = Map::parse(MAP, "speed").unwrap().bind_json();
    let (mut parsing, mut reading) = (Duration::MAX, Duration::MAX);
    for _ in 0..5 {
        let start = Instant::now();
        for line in &lines {
            black_box(serde_json::from_slice::<serde_json::Value>(line.as_bytes()).unwrap());
        }
        parsing = parsing.min(start.elapsed());
        let start = Instant::now();
        for line in &lines {
            black_box(reader.read(Row::Json(line.as_bytes()), "a", Time::from_ms(0)).unwrap());
        }
        reading = reading.min(start.elapsed());
    }
    let rows = lines.len() as f64;
    println!(
        "parsing {:.0} ns a row, reading {:.0} ns a row: {:.2} of it",
        parsing.as_nanos() as f64 / rows,
        reading.as_nanos() as f64 / rows,
        reading.as_secs_f64() / parsing.as_secs_f64()
    );
}
