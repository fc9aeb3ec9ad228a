//! Checks the examples of docs/GUIDE.md: each map parses, and each row after it gives the result on the page.

use std::path::Path;
use std::sync::Arc;

use stoop_domain::{Observation, Time};
use stoop_files::{Mapped, MappedFile};
use stoop_sources::declared::Map;

/// A fenced block of the page: its info string, text and first line.
pub(crate) struct Block {
    pub(crate) info: String,
    pub(crate) text: String,
    line: usize,
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in page.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(info) if !open => {
                blocks.push(Block { info: info.to_owned(), text: String::new(), line: at + 1 });
                open = true;
            }
            Some(_) => open = false,
            None if open => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block has no end");
    blocks
}

/// The result of each row.
fn read(map: &Map, name: &str, rows: &str) -> Vec<Mapped> {
    let bytes = Arc::new(rows.as_bytes().to_vec());
    let mut file = MappedFile::of(Path::new(name), bytes, map).unwrap();
    let now = Time::parse("2026-06-01T00:00:00Z").unwrap();
    std::iter::from_fn(|| file.next_row(now, now)).collect()
}

/// A field of an observation in the notation of the page.
fn field(observation: &Observation, name: &str) -> String {
    let Observation { native_id, at, listing, .. } = observation;
    let (address, details) = (&listing.address, &listing.details);
    let text = |text: &Option<String>| text.clone();
    let degrees = |e6: Option<i32>| e6.map(|e6| format!("{}", f64::from(e6) / 1e6));
    let area = |area: Option<stoop_domain::Area>| area.map(|area| format!("{} m2", area.in_unit(area.unit)));
    let money = |amount: Option<stoop_domain::Minor>| {
        amount.map(|amount| format!("{} {}", amount.major_f64(listing.currency), listing.currency))
    };
    let list = |texts: &[String]| Some(texts.join("|")).filter(|texts| !texts.is_empty());
    let found = match name {
        "native_id" => Some(native_id.clone()),
        "observed_at" => Some(at.to_string()),
        "purpose" => Some(listing.purpose.as_str().to_owned()),
        "status" => Some(listing.status.as_str().to_owned()),
        "list_price" => money(listing.list_price),
        "close_price" => money(listing.close_price),
        "close_date" => listing.close_date.map(|day| day.to_string()),
        "year_built" => listing.year_built.map(|year| year.to_string()),
        "association_fee" => money(listing.association_fee),
        "listed_at" => listing.listed_at.map(|time| time.to_string()),
        "property_type" => listing.property_type.map(|kind| kind.as_str().to_owned()),
        "bedrooms" => listing.bedrooms.map(|count| count.to_string()),
        "bathrooms" => listing.bathrooms_hundredths.map(|count| format!("{}", f64::from(count) / 100.0)),
        "living_area" => area(listing.living_area),
        "lot_area" => area(listing.lot_area),
        "line" => text(&address.line),
        "city" => text(&address.city),
        "neighbourhood" => text(&address.neighbourhood),
        "latitude" => degrees(address.latitude_e6),
        "longitude" => degrees(address.longitude_e6),
        "amenities" => list(&details.amenities),
        other => panic!("the page uses {other}, which this test does not know"),
    };
    found.unwrap_or_else(|| "-".to_owned())
}

#[track_caller]
fn holds(expected: &str, row: &Mapped, location: &str) {
    match (expected, row) {
        ("skipped", Mapped::Skipped) => {}
        (expected, Mapped::Refused(refusal)) if expected.starts_with("refused, ") => {
            let of = expected.trim_start_matches("refused, ");
            assert!(refusal.detail.contains(of), "{location}: {expected}, but {}", refusal.detail);
        }
        (expected, Mapped::Observation(observation, values)) if !expected.starts_with("refused") => {
            let without = expected.split(", ").filter_map(|part| part.strip_suffix(" left out"));
            let fields: Vec<&str> = values.iter().map(stoop_domain::RefusedValue::field).collect();
            assert_eq!(without.collect::<Vec<_>>(), fields, "{location}: {values:?}");
            for pair in expected.split(", ") {
                let Some((name, value)) = pair.split_once(" = ") else {
                    assert!(pair.ends_with(" left out"), "{location}: {pair}");
                    continue;
                };
                assert_eq!(field(observation, name), value, "{location}: {name}");
            }
        }
        (expected, row) => panic!("{location}: {expected}, but {row:?}"),
    }
}

#[test]
fn every_example_of_the_guide_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/GUIDE.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (mut map, mut rows, mut examples) = (None, None, 0);
    for Block { info, text, line } in blocks(&page) {
        let location = format!("docs/GUIDE.md:{line}");
        let (kind, file) = info.split_once(' ').unwrap_or((&info, ""));
        match kind {
            "toml" => {
                assert!(rows.is_none(), "{location}: rows before it have no result");
                map = Some(Map::parse(&text, &location).unwrap_or_else(|errors| panic!("{errors}")));
            }
            "csv" | "json" => {
                let map = map.take().unwrap_or_else(|| panic!("{location}: no map before these rows"));
                let name = if kind == "csv" { "homes.csv" } else { "homes.jsonl" };
                rows = Some(read(&map, if file.is_empty() { name } else { file }, &text));
            }
            "result" => {
                let rows = rows.take().unwrap_or_else(|| panic!("{location}: no rows before it"));
                assert_eq!(text.lines().count(), rows.len(), "{location}: {rows:?}");
                for (at, (expected, row)) in text.lines().zip(&rows).enumerate() {
                    let location = format!("{location}, row {}", at + 1);
                    holds(
                        expected.strip_prefix(&format!("{}: ", at + 1)).unwrap_or_else(|| panic!("{location}")),
                        row,
                        &location,
                    );
                }
                examples += 1;
            }
            _ => {}
        }
    }
    assert!(map.is_none() && rows.is_none(), "the last example has no result");
    assert!(examples >= 10, "{examples}");
}
