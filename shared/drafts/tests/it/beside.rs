//! What stands beside a value decides what it is: its unit, its currency, its purpose.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftError, DraftHints, Sample, draft};

/// The draft of rows that differ in their IDs and prices.
fn drafted(row: &Value, country: &str, purpose: Option<Purpose>) -> Draft {
    let rows = (1..=4).map(|number| {
        let mut row = row.clone();
        row["id"] = json!(format!("h-{number}"));
        if row.get("price").is_none() {
            row["price"] = json!(300_000 + 1_000 * number);
        }
        row
    });
    rows_drafted(rows.collect(), country, purpose)
}

fn rows_drafted(rows: Vec<Value>, country: &str, purpose: Option<Purpose>) -> Draft {
    let hints = DraftHints { country: Some(country.into()), purpose, ..DraftHints::new("t", "t.json") };
    draft(&Sample::of_document(Value::Array(rows)).unwrap(), &hints).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn has(draft: &Draft, line: &str) {
    assert!(draft.toml.lines().any(|known| known == line), "no {line} in\n{}", draft.toml);
}

#[test]
fn the_unit_beside_an_area_is_its_unit_and_an_unknown_one_is_a_doubt() {
    let sale = Some(Purpose::Sale);
    let of =
        |unit: Value| drafted(&json!({"city": "Shah Alam", "landArea": {"value": 1650, "unit": unit}}), "MY", sale);
    has(&of(json!("sqft")), "lot_area = { from = \"/landArea/value\", unit = \"sqft\" }");
    has(&of(json!("FTK")), "lot_area = { from = \"/landArea/value\", unit = \"sqft\" }");
    has(&of(json!("rai")), "lot_area = { from = \"/landArea/value\", unit = \"rai\" }");
    let unknown = of(json!("bigha"));
    assert!(!unknown.toml.contains("\nlot_area"), "{}", unknown.toml);
    assert!(unknown.toml.contains("\"bigha\" in /landArea/unit is no unit of area known here."), "{}", unknown.toml);
    let flat = drafted(&json!({"city": "Kuala Lumpur", "lotArea": 1650, "lotAreaUnit": "SQUARE_FEET"}), "MY", sale);
    has(&flat, "lot_area = { from = \"lotArea\", unit = \"sqft\" }");
}

#[test]
fn the_currency_of_a_fee_is_not_that_of_the_price() {
    let row = json!({"city": "Rabat", "deposit": {"amount": 900, "currency": "EUR"}});
    has(&drafted(&row, "MA", Some(Purpose::Sale)), "currency = \"MAD\"");
    let row = json!({"city": "Rabat", "price": {"amount": 90_000, "currency": "EUR"}, "fees": {"currency": "USD"}});
    let draft = rows_drafted(
        (0..4)
            .map(|number| {
                let mut row = row.clone();
                row["id"] = json!(number);
                row
            })
            .collect(),
        "MA",
        Some(Purpose::Sale),
    );
    has(&draft, "currency = \"EUR\"");
}

#[test]
fn rows_that_say_another_purpose_than_the_given_one_keep_it_wherever_it_stands() {
    let row = |id: u32, kind: &str, amount: u32| json!({"id": id, "city": "Puebla", "operations": [{"type": kind, "amount": amount, "currency": "MXN"}]});
    let rows = || {
        vec![row(1, "sale", 6_850_000), row(2, "sale", 2_400_000), row(3, "rental", 19_500), row(4, "sale", 4_100_000)]
    };
    for given in [None, Some(Purpose::Sale)] {
        let draft = rows_drafted(rows(), "MX", given);
        assert!(draft.toml.contains("[fields.purpose]\nfrom = \"/operations/0/type\""), "{}", draft.toml);
    }
}

#[test]
fn an_address_of_the_api_is_no_link_and_a_label_no_amenity() {
    let row = |id: u32| {
        json!({
            "id": id, "price": 3_000_000 + id, "city": "Aarhus", "tags": ["premium"],
            "_links": {"self": {"href": format!("/cases/{id}")}}, "caseUrl": format!("https://maegler.example/sag/{id}"),
        })
    };
    let draft = rows_drafted((1..=4).map(row).collect(), "DK", Some(Purpose::Sale));
    has(&draft, "url = { from = \"caseUrl\" }");
    assert!(!draft.toml.contains("\namenities"), "{}", draft.toml);
}

#[test]
fn terms_of_schema_org_are_statuses_and_a_studio_loses_no_column() {
    let row = |id: u32, term: &str, beds: &str| {
        json!({"id": id, "price": 80_000_000 + id, "city": "Budapest", "bedrooms": beds,
               "availability": format!("https://schema.org/{term}")})
    };
    let rows = vec![
        row(1, "InStock", "2"),
        row(2, "SoldOut", "3"),
        row(3, "InStock", "1"),
        row(4, "InStock", "2"),
        row(5, "InStock", "studio"),
    ];
    let draft = rows_drafted(rows, "HU", Some(Purpose::Sale));
    assert!(
        draft.toml.contains("\"https://schema.org/SoldOut\" = \"Closed\"") || draft.toml.contains("known_words"),
        "{}",
        draft.toml
    );
    assert_eq!(draft.proof.understood, 5, "{:?}", draft.proof.refused);
    has(&draft, "bedrooms = { from = \"bedrooms\", lenient = true }");
}

#[test]
fn a_type_that_is_not_known_is_named() {
    let row = |id: u32, kind: &str| json!({"id": id, "price": 4_000_000 + id, "city": "Cebu", "property_type": kind});
    let rows = vec![row(1, "Condominium"), row(2, "House and Lot"), row(3, "Condominium"), row(4, "Townhouse")];
    let draft = rows_drafted(rows, "PH", Some(Purpose::Sale));
    let named = draft.mentions.iter().find(|(field, ..)| *field == "property_type").unwrap();
    assert_eq!(named.2, "not known, and left out: \"House and Lot\" 1×.");
}

/// Drafts rows of a price, another amount, an area and a currency.
fn priced(rows: &[(u32, u32, u32, &str)], country: &str, currency: Option<&str>) -> Result<Draft, DraftError> {
    let row = |(at, (one, other, area, money)): (usize, &(u32, u32, u32, &str))| json!({"id": format!("h-{at}"), "city": "Lviv", "price_item": one, "price_total": other, "area": area, "currency": money});
    let rows = Value::Array(rows.iter().enumerate().map(row).collect());
    let hints = DraftHints {
        country: Some(country.into()),
        currency: currency.map(str::to_owned),
        purpose: Some(Purpose::Sale),
        ..DraftHints::new("t", "t.json")
    };
    draft(&Sample::of_document(rows).unwrap(), &hints)
}

#[test]
fn a_price_that_times_the_area_is_another_price_is_one_per_area() {
    let rows = [(1_241, 74_460, 60, "EUR"), (843, 118_020, 140, "EUR"), (1_500, 67_500, 45, "EUR")];
    has(&priced(&rows, "PT", None).unwrap(), "list_price = { from = \"price_total\" }");
    let others = rows.map(|(one, _, area, money)| (one * 100, one * 90, area, money));
    // Of two prices that are as likely, and neither is one per area, none is certain.
    has(&priced(&others, "PT", None).unwrap(), "#list_price = { from = \"price_item\" }");
}

#[test]
fn rows_that_say_another_currency_than_the_given_one_keep_it() {
    let rows = [(74_460, 1, 60, "$"), (118_020, 1, 140, "$"), (1_650_000, 1, 45, "грн")];
    let draft = priced(&rows, "UA", Some("USD")).unwrap();
    assert!(draft.toml.contains("\n[fields.currency]\nfrom = \"currency\""), "{}", draft.toml);
    assert!(draft.toml.contains("\"грн\" = \"UAH\""), "{}", draft.toml);
    let all = rows.map(|(one, other, area, _)| (one, other, area, "$"));
    let draft = priced(&all, "UA", Some("USD")).unwrap();
    assert!(!draft.toml.contains("[fields.currency]"), "{}", draft.toml);
}

#[test]
fn a_currency_that_is_not_known_is_not_that_of_the_country() {
    let rows = [(274_460, 1, 60, "florin"), (318_020, 1, 140, "zł"), (265_000, 1, 45, "zł")];
    let error = priced(&rows, "PL", None).unwrap_err().to_string();
    assert!(error.contains("no currency"), "{error}");
    let known = rows.map(|(one, other, area, _)| (one, other, area, "zł"));
    assert!(priced(&known, "PL", None).unwrap().toml.contains("currency = \"PLN\""));
}
