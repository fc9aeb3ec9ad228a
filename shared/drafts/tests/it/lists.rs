//! Lists whose entries say what they are for, types in two columns, currencies of other amounts.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftError, DraftHints, Sample, draft};

fn tried(rows: Value, country: &str, purpose: Option<Purpose>) -> Result<Draft, DraftError> {
    let hints = DraftHints { country: Some(country.into()), purpose, ..DraftHints::new("t", "t.json") };
    draft(&Sample::of_document(rows).unwrap(), &hints)
}

/// The rule of a field, and whether it is certain.
fn rule<'d>(draft: &'d Draft, name: &str) -> Option<(&'d str, bool)> {
    draft.fields.iter().find(|field| field.name == name).map(|field| (field.rule.as_str(), field.certain))
}

fn row(id: u32, prices: Value) -> Value {
    json!({"id": format!("P{id}"), "city": "Recife", "beds": id, "prices": prices})
}

#[test]
fn of_prices_for_sale_and_for_rent_those_of_the_purpose_are_read() {
    let sale = |value: u32| json!({"type": "SALE", "value": value});
    let rent = |value: u32| json!({"type": "RENT", "value": value});
    let rows = json!([
        row(1, json!([rent(2_100), sale(450_000)])),
        row(2, json!([sale(910_000), rent(4_200)])),
        row(3, json!([rent(1_700), sale(330_000)])),
    ]);
    for (purpose, kind) in [(Purpose::Sale, "SALE"), (Purpose::Rent, "RENT")] {
        let draft = tried(rows.clone(), "BR", Some(purpose)).unwrap();
        let wanted = format!(r#"{{ from = "$.prices[?@.type == '{kind}'].value" }}"#);
        assert_eq!(rule(&draft, "list_price"), Some((wanted.as_str(), true)), "{}", draft.toml);
        assert_eq!(draft.proof.prices(), 3);
    }
    let error = tried(rows, "BR", None).unwrap_err().to_string();
    assert!(error.contains("--purpose"), "{error}");
}

#[test]
fn a_fee_before_the_price_is_not_the_price() {
    let rows = json!([
        row(1, json!([{"type": "CONDO_FEE", "value": 62_000}, {"type": "SALE", "value": 450_000}])),
        row(2, json!([{"type": "SALE", "value": 910_000}])),
        row(3, json!([{"type": "CONDO_FEE", "value": 41_000}, {"type": "SALE", "value": 330_000}])),
    ]);
    let draft = tried(rows, "BR", None).unwrap();
    assert_eq!(
        rule(&draft, "list_price"),
        Some((r#"{ from = "$.prices[?@.type == 'SALE'].value" }"#, true)),
        "{}",
        draft.toml
    );
    assert!(draft.toml.contains("purpose = \"sale\""), "{}", draft.toml);
}

#[test]
fn where_each_row_has_one_purpose_the_first_entry_says_both() {
    let rows = json!([
        row(1, json!([{"type": "RENT", "value": 2_100}])),
        row(2, json!([{"type": "SALE", "value": 910_000}, {"type": "HOA", "value": 300}])),
        row(3, json!([{"type": "SALE", "value": 330_000}])),
    ]);
    let draft = tried(rows, "US", None).unwrap();
    assert_eq!(rule(&draft, "list_price"), Some((r#"{ from = "/prices/0/value" }"#, true)), "{}", draft.toml);
    assert_eq!(rule(&draft, "purpose"), Some((r#"{ from = "/prices/0/type" }"#, true)), "{}", draft.toml);
}

#[test]
fn a_type_that_says_any_home_or_that_another_column_denies_is_a_doubt() {
    let rows = |one: [&str; 3], two: [Option<&str>; 3]| {
        let row = |at: usize| json!({"id": format!("P{at}"), "city": "Mesa", "price": 300_000 + at, "propertyType": one[at], "structureType": two[at]});
        json!([row(0), row(1), row(2)])
    };
    let of = |one, two| {
        let draft = tried(rows(one, two), "US", Some(Purpose::Sale)).unwrap();
        rule(&draft, "property_type").map(|(rule, certain)| (rule.to_owned(), certain))
    };
    let from = |name: &str, certain: bool| Some((format!("{{ from = {name}, lenient = true }}"), certain));
    assert_eq!(of(["UNIT"; 3], [None; 3]), from("\"propertyType\"", false));
    assert_eq!(of(["UNIT", "UNIT", "HOUSE"], [None; 3]), from("\"propertyType\"", true));
    let finer = [Some("House"), Some("Apartment"), None];
    assert_eq!(
        of(["Single Family", "Single Family", "Land"], finer),
        from("[\"structureType\", \"propertyType\"]", true)
    );
    assert_eq!(of(["House"; 3], [Some("Apartment"), Some("Apartment"), None]), from("\"propertyType\"", false));
}

#[test]
fn the_currency_of_the_expenses_is_not_that_of_the_price() {
    let row = |id: u32, currency: &str| {
        json!({"id": format!("P{id}"), "city": "Rosario", "cost": {"price": {"amount": 100_000 + id, "currency": currency}},
            "expenses": {"amount": 500 + id, "currency": "ARS"}})
    };
    let draft = tried(json!([row(1, "USD"), row(2, "ARS"), row(3, "USD")]), "AR", Some(Purpose::Sale)).unwrap();
    assert_eq!(rule(&draft, "currency"), Some((r#"{ from = "/cost/price/currency" }"#, true)), "{}", draft.toml);
    let bare = |id: u32| {
        json!({"id": format!("P{id}"), "city": "Rosario", "cost": {"price": {"amount": 100_000 + id}},
        "expenses": {"amount": 500 + id, "currency": "ARS"}})
    };
    let error = tried(json!([bare(1), bare(2), bare(3)]), "AR", Some(Purpose::Sale)).unwrap_err().to_string();
    assert!(error.contains("no currency") && error.contains("/expenses/currency"), "{error}");
}

#[test]
fn a_word_that_makes_prices_unreadable_is_named() {
    let row = |id: u32| json!({"id": format!("P{id}"), "city": "Thimphu", "price": format!("Nu {id} chhertum")});
    let draft = tried(json!([row(11), row(12), row(13)]), "US", Some(Purpose::Sale)).unwrap();
    let (field, column, why) = draft.mentions.iter().find(|(_, column, _)| column == "price").unwrap();
    assert_eq!((*field, column.as_str()), ("list_price", "price"));
    assert!(why.contains("is not understood"), "{why}");
}

#[test]
fn rents_in_a_column_of_their_own_are_read_in_rows_for_rent() {
    let row = |id: u32, kind: &str, price: Option<u32>, rent: Option<u32>, every: &str| {
        json!({"id": format!("P{id}"), "city": "Guelph", "TransactionType": kind, "ListPrice": price, "LeaseAmount": rent,
            "LeaseAmountFrequency": rent.map(|_| every)})
    };
    let of = |every: &str| {
        let rows = json!([
            row(1, "For sale", Some(700_000), None, every),
            row(2, "For lease", None, Some(2_400), every),
            row(3, "For sale", Some(500_000), None, every),
        ]);
        let draft = tried(rows, "CA", None).unwrap();
        draft.fields.iter().find(|field| field.name == "list_price").unwrap().rule.clone()
    };
    assert_eq!(of("Monthly"), r#"{ from = ["ListPrice", "LeaseAmount"] }"#);
    assert_eq!(of("Yearly"), r#"{ from = "ListPrice" }"#);
}
