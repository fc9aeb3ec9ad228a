//! Where a home is: paths of places, and columns named in the words of a country.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(rows: Value, country: &str) -> Draft {
    let hints = DraftHints {
        country: Some(country.into()),
        currency: Some("EUR".into()),
        purpose: Some(Purpose::Sale),
        ..DraftHints::new("t", "t.json")
    };
    draft(&Sample::of_document(rows).unwrap(), &hints).unwrap_or_else(|error| panic!("{error}"))
}

/// Rows that differ in their ids and prices, and have these values of one column.
fn rows(name: &str, values: &[&str]) -> Value {
    let row = |(at, value): (usize, &&str)| json!({"id": at + 1, "price": 200_000 + at, name: value});
    Value::Array(values.iter().enumerate().map(row).collect())
}

#[track_caller]
fn has(draft: &Draft, line: &str) {
    assert!(draft.toml.lines().any(|known| known == line), "no {line} in\n{}", draft.toml);
}

#[test]
fn a_path_of_places_is_the_line_and_no_city() {
    let draft =
        drafted(rows("location", &["Madinaty, New Cairo, Cairo", "Smouha, Alexandria", "Bay, North Coast"]), "EG");
    has(&draft, "line = { from = \"location\" }");
    assert!(!draft.toml.contains("\ncity"), "{}", draft.toml);
    has(&draft, "# In 2 of 3 rows the gazetteer finds the place in line, and marks the address as derived.");
    has(&draft, r##"#city = { from = "location", regex = '([^\s,>›»→|\\][^,>›»→|\\]*?)\s*$' }"##);
    assert_eq!((draft.proof.placed, draft.proof.filled["city"], draft.proof.understood), (2, 2, 2));
}

#[test]
fn where_the_gazetteer_knows_no_place_a_part_of_the_path_is_a_guess() {
    let draft = drafted(rows("location", &["Utopia > Northern > Xyzzy", "Utopia > Southern > Plugh"]), "EG");
    assert!(!draft.toml.contains("\nline") && !draft.toml.contains("\ncity"), "{}", draft.toml);
    assert!(draft.toml.contains("\n#city = { from = \"location\""), "{}", draft.toml);
    assert_eq!(draft.proof.understood, 0);
}

#[test]
fn a_street_and_a_path_beside_it_are_one_line() {
    let mut rows = rows("area", &["Marina, Dubai", "Mudon, Dubai"]);
    for row in rows.as_array_mut().unwrap() {
        row["address"] = json!("Marina Gate 1");
    }
    has(&drafted(rows, "AE"), "line = { template = \"{address}, {area}\" }");
}
