//! Conversions of prices and areas in maps, and missing values as programs write them.

use stoop_domain::{Listing, RefusedValue, Time};
use stoop_sources::declared::{Map, RowBytes, RowOutcome};

fn read_all(purpose: &str, fields: &str, row: &str) -> (Listing, Vec<RefusedValue>) {
    let head = format!(
        "name = \"t\"\ncountry = \"AU\"\ncurrency = \"AUD\"\npurpose = \"{purpose}\"\n[fields]\nnative_id = {{ from = \"id\" }}\n"
    );
    let map = Map::parse(&format!("{head}{fields}"), "t.toml").unwrap_or_else(|errors| panic!("{errors}"));
    match map.bind_json().read(RowBytes::Json(row.as_bytes()), "t.jsonl", Time::from_ms(0)).unwrap() {
        RowOutcome::Observation(observation, refused) => (observation.listing, refused),
        RowOutcome::Skipped => panic!("skipped"),
    }
}

/// The list price in cents, or why it was left out.
fn price(purpose: &str, field: &str, row: &str) -> Result<Option<i64>, String> {
    let (listing, refused) = read_all(purpose, &format!("list_price = {{ from = \"p\"{field} }}"), row);
    match refused.first() {
        Some(refused) => Err(refused.detail.clone()),
        None => Ok(listing.list_price.map(|price| price.0)),
    }
}

#[test]
fn a_rent_is_kept_by_the_month() {
    let rent = |field: &str, row: &str| price("rent", field, row);
    assert_eq!(rent(", per = \"week\"", r#"{"id": 1, "p": 650}"#), Ok(Some(281_667)));
    assert_eq!(rent(", per = \"year\"", r#"{"id": 1, "p": 120000}"#), Ok(Some(1_000_000)));
    let column = r#", per = { from = "f" }"#;
    assert_eq!(rent(column, r#"{"id": 1, "p": 95000, "f": "Yearly"}"#), Ok(Some(791_667)));
    assert_eq!(rent(column, r#"{"id": 1, "p": 9500, "f": "Monthly"}"#), Ok(Some(950_000)));
    assert_eq!(rent(column, r#"{"id": 1, "p": 9500}"#), Ok(Some(950_000)));
    assert!(rent(column, r#"{"id": 1, "p": 9500, "f": "per moon"}"#).unwrap_err().contains("per moon"));
    assert!(rent(column, r#"{"id": 1, "p": 95, "f": "nightly"}"#).unwrap_err().contains("for a day"));
    let own = r#", per = { from = "f", lookup = { "W" = "week" } }"#;
    assert_eq!(rent(own, r#"{"id": 1, "p": 650, "f": "W"}"#), Ok(Some(281_667)));
    let text = r#", money = "en", per = "year""#;
    assert_eq!(rent(text, r#"{"id": 1, "p": "$650 pw"}"#), Ok(Some(281_667)), "the text wins");
    assert_eq!(rent(text, r#"{"id": 1, "p": "$1,200"}"#), Ok(Some(10_000)));
}

#[test]
fn a_sale_has_no_period() {
    assert_eq!(
        price("sale", ", per = { from = \"f\" }", r#"{"id": 1, "p": 650000, "f": "weekly"}"#),
        Ok(Some(65_000_000))
    );
    assert!(price("sale", ", money = \"en\"", r#"{"id": 1, "p": "$650 pw"}"#).unwrap_err().contains("for sale"));
}

#[test]
fn amounts_are_multiplied_and_divided_exactly() {
    assert_eq!(price("sale", ", divide = 100", r#"{"id": 1, "p": 27400050}"#), Ok(Some(27_400_050)));
    assert_eq!(price("sale", ", times = 1000", r#"{"id": 1, "p": 274.5}"#), Ok(Some(27_450_000)));
    assert_eq!(price("sale", ", times = 100_000", r#"{"id": 1, "p": "85.5"}"#), Ok(Some(855_000_000)));
    assert!(price("sale", ", times = 1000000000", r#"{"id": 1, "p": 99999999999999}"#).is_err());
    let mistakes = |field: &str| {
        let map =
            format!("name = \"t\"\n[fields]\nnative_id = {{ from = \"id\" }}\nlist_price = {{ from = \"p\"{field} }}");
        Map::parse(&map, "t.toml").unwrap_err().to_string()
    };
    for (field, part) in [
        (", divide = 0", "from 1 to"),
        (", per = \"moon\"", "fortnight"),
        (", per = \"night\"", "fortnight"),
        (", per = { lookup = {} }", "column that names the period"),
        (", range = \"all\"", "minimum"),
    ] {
        assert!(mistakes(field).contains(part), "{field}: {}", mistakes(field));
    }
}

#[test]
fn a_range_is_left_out_unless_the_map_takes_its_lower_end() {
    let row = r#"{"id": 1, "p": "$399,000 - $425,000"}"#;
    assert!(price("sale", ", money = \"en\"", row).unwrap_err().contains("range"));
    assert_eq!(price("sale", ", money = \"en\", range = \"minimum\"", row), Ok(Some(39_900_000)));
}

#[test]
fn areas_are_read_in_any_unit() {
    let area = |unit: &str, value: &str| {
        let field = format!("living_area = {{ from = \"a\", unit = \"{unit}\" }}");
        let (listing, refused) = read_all("sale", &field, &format!(r#"{{"id": 1, "a": {value}}}"#));
        assert!(refused.is_empty(), "{refused:?}");
        listing.living_area.map(|area| (area.ten_thousandths, area.unit.square_metres() < 1.0))
    };
    assert_eq!(area("sqyd", "100"), Some((9_000_000, true)));
    assert_eq!(area("marla", "\"10\""), Some((27_225_000, true)));
    assert_eq!(area("ha", "2"), Some((200_000_000, false)));
    assert_eq!(area("marla", "0"), None);
}

#[test]
fn what_programs_write_for_nothing_is_nothing() {
    let fields = r#"
        list_price = { from = "p" }
        bedrooms = { from = "b" }
        year_built = { from = ["y", "z"] }
        city = { from = "c" }
        line = { template = "{s} {n}" }
        latitude = { from = "lat" }
        listed_at = { from = "d" }
    "#;
    for word in ["\"nan\"", "\"None\"", "\"NULL\"", "\"NaT\"", "\"N/A\"", "\"-\"", "\"\"", "null", "NaN", "-Infinity"] {
        let row = format!(
            r#"{{"id": 1, "p": {word}, "b": {word}, "y": {word}, "z": 1990, "c": {word}, "s": "a NaN \" b", "n": {word}, "lat": {word}, "d": {word}}}"#
        );
        let (listing, refused) = read_all("sale", fields, &row);
        assert!(refused.is_empty(), "{word}: {refused:?}");
        assert_eq!((listing.list_price, listing.bedrooms, listing.year_built), (None, None, Some(1990)), "{word}");
        assert_eq!((listing.address.city, listing.address.line, listing.listed_at), (None, None, None), "{word}");
    }
    let (listing, _) =
        read_all("sale", r#"status = { from = "s", lookup = { "None" = "Withdrawn" } }"#, r#"{"id": 1, "s": "None"}"#);
    assert_eq!(listing.status.as_str(), "Withdrawn", "a word that the map translates is a word");
    let map = Map::parse(
        "name = \"t\"\ncurrency = \"AUD\"\npurpose = \"sale\"\n[fields]\nnative_id = { from = \"id\" }",
        "t.toml",
    )
    .unwrap();
    let broken = map.bind_json().read(RowBytes::Json(br#"{"id": NaN, "x": Nothing}"#), "t", Time::from_ms(0));
    assert!(broken.is_err(), "{broken:?}");
}
