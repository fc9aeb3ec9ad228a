//! Features in lists of objects, the finer of two types, the larger of two pictures.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(rows: Vec<Value>) -> Draft {
    let hints =
        DraftHints { country: Some("IE".into()), purpose: Some(Purpose::Sale), ..DraftHints::new("t", "t.json") };
    let row = |(at, mut row): (usize, Value)| {
        row["id"] = json!(at + 1);
        row["price"] = json!(300_000 + at);
        row["city"] = json!("Cork");
        row
    };
    let rows = rows.into_iter().enumerate().map(row).collect();
    draft(&Sample::of_document(Value::Array(rows)).unwrap(), &hints).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn has(draft: &Draft, line: &str) {
    assert!(draft.toml.lines().any(|known| known == line), "no {line} in\n{}", draft.toml);
}

#[test]
fn features_in_objects_are_read_wherever_they_stand() {
    let pairs = drafted(vec![
        json!({"features": [{"key": "bedrooms", "value": 3}, {"key": "bathrooms", "value": 1}]}),
        json!({"features": [{"key": "bathrooms", "value": 2}, {"key": "bedrooms", "value": 4}]}),
        json!({"features": [{"key": "it's new", "value": true}, {"key": "bedrooms", "value": 2}]}),
    ]);
    has(&pairs, "bedrooms = { from = \"$.features[?@.key == 'bedrooms'].value\" }");
    assert_eq!((pairs.proof.filled["bedrooms"], pairs.proof.filled["bathrooms"]), (3, 2));
    let singles = drafted(vec![
        json!({"features": [{"bedrooms": 3}, {"bathrooms": 1}]}),
        json!({"features": [{"bathrooms": 2}, {"bedrooms": 4}]}),
        json!({"features": [{"bathrooms": 1}, {"bedrooms": 2}]}),
    ]);
    has(&singles, "bedrooms = { from = \"$.features[*]['bedrooms']\" }");
    assert_eq!((singles.proof.filled["bedrooms"], singles.proof.filled["bathrooms"]), (3, 3));
    let object = |beds: &str| json!({"attributes": {"Beds": beds}});
    has(&drafted(vec![object("3"), object("2"), object("4")]), "bedrooms = { from = \"/attributes/Beds\" }");
    let labels = |area: &str| json!({"details": [{"key": "m", "label": "Floor area", "value": area}]});
    let draft = drafted(vec![labels("80 m²"), labels("95 m²"), labels("70 m²")]);
    has(&draft, "living_area = { from = \"$.details[?@.label == 'Floor area'].value\", unit = \"m2\" }");
}

#[test]
fn of_two_types_the_finer_one_is_read() {
    let row = |coarse: &str, fine: &str| json!({"propertyType": coarse, "category": fine});
    for coarse in ["property", "house"] {
        let draft = drafted(vec![row(coarse, "Apartment"), row(coarse, "Bungalow"), row(coarse, "Apartment")]);
        assert!(draft.toml.contains("[fields.property_type]\nfrom = \"category\""), "{}", draft.toml);
    }
    let draft = drafted(vec![row("Apartment", "house"), row("House", "house"), row("Apartment", "house")]);
    assert!(draft.toml.contains("[fields.property_type]\nfrom = \"propertyType\""), "{}", draft.toml);
}

#[test]
fn of_two_pictures_the_larger_one_is_read() {
    let url = |at: u32, size: &str| format!("https://img.example/{at}/{size}.jpg");
    let of = |row: fn(String, String) -> Value| drafted((1..=3).map(|at| row(url(at, "s"), url(at, "l"))).collect());
    has(&of(|small, large| json!({"thumbnail": small, "image": large})), "images = { from = \"image\" }");
    has(
        &of(|small, large| json!({"thumbnail": small, "media": [{"sizes": {"V150": small, "V800": large}}]})),
        "images = { from = \"/media/0/sizes/V800\" }",
    );
    has(
        &of(|small, large| json!({"images": [{"medium": small, "large": large}]})),
        "images = { from = \"/images/0/large\" }",
    );
    has(
        &of(|small, large| json!({"image_small": small, "image_original": large})),
        "images = { from = \"image_original\" }",
    );
    has(&of(|small, _| json!({"thumbnail": small})), "images = { from = \"thumbnail\" }");
}

#[test]
fn the_area_of_land_is_no_living_area() {
    let row = |kind: &str, area: u32| json!({"type": kind, "area_m2": area});
    let draft = drafted(vec![row("Apartment", 70), row("Land", 900), row("House", 120)]);
    has(&draft, "living_area = { from = \"area_m2\", unit = \"m2\", only = { from = \"type\", not = [\"Land\"] } }");
    has(&draft, "lot_area = { from = \"area_m2\", unit = \"m2\", only = { from = \"type\", is = [\"Land\"] } }");
    assert_eq!((draft.proof.filled["living_area"], draft.proof.filled["lot_area"]), (2, 1));
    let row = |kind: &str, area: u32, lot: u32| json!({"type": kind, "area_m2": area, "lot_area_m2": lot});
    let draft = drafted(vec![row("House", 70, 300), row("Land", 900, 900), row("House", 120, 410)]);
    assert_eq!((draft.proof.filled["living_area"], draft.proof.filled["lot_area"]), (2, 3));
}

#[test]
fn a_whole_address_comes_before_its_parts_and_numbers_stand_as_the_country_writes_them() {
    let street = || json!({"street": "Patrick Street", "streetNumber": "12"});
    has(&drafted(vec![street(), street(), street()]), "line = { template = \"{streetNumber} {street}\" }");
    let whole =
        || json!({"street": "Patrick Street", "streetNumber": "12", "displayAddress": "2/12 Patrick Street, Cork"});
    has(&drafted(vec![whole(), whole(), whole()]), "line = { from = \"displayAddress\" }");
}

#[test]
fn a_ranch_is_a_style_of_houses_and_short_names_of_exports_are_known() {
    let row = |style: &str, kind: &str| json!({"Style": style, "kind": kind, "BR": 3, "Yr Blt": 1978, "Acreage": 0.25, "Sq Ft (approx)": 1820});
    let draft = drafted(vec![row("Ranch", "a"), row("Townhouse", "b"), row("Ranch", "c")]);
    assert!(draft.toml.contains("\"Ranch\" = \"SingleFamilyResidence\""), "{}", draft.toml);
    has(&draft, "bedrooms = { from = \"BR\" }");
    has(&draft, "year_built = { from = \"Yr Blt\" }");
    has(&draft, "lot_area = { from = \"Acreage\", unit = \"acres\" }");
    has(&draft, "living_area = { from = \"/Sq Ft (approx)\", unit = \"sqft\" }");
    let street = || json!({"Street #": "412", "Street Name": "Maple Ave"});
    has(&drafted(vec![street(), street(), street()]), "line = { template = \"{/Street #} {Street Name}\" }");
}

#[test]
fn a_year_that_passed_through_a_spreadsheet_is_no_month() {
    let years = ["1981.0", "2004.0", "1999.0"];
    let draft = drafted(years.iter().map(|year| json!({"year_built": year})).collect());
    has(&draft, "year_built = { from = \"year_built\" }");
}
