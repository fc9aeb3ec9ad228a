//! Drafts of maps for sources with sales, fees and years.

use serde_json::{Value, json};
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(rows: Value) -> Draft {
    let sample = Sample::of_document(rows).unwrap();
    draft(&sample, &DraftHints::new("t", "t.json")).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn says(draft: &Draft, line: &str) {
    assert!(draft.toml.lines().any(|known| known == line), "no {line} in\n{}", draft.toml);
}

/// A home with the common fields and `more`.
fn home(id: u32, more: Value) -> Value {
    let mut home = json!({
        "id": id, "price": 250_000 + id, "currency": "USD", "status": "for sale", "city": "Springfield", "state": "IL",
    });
    home.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    home
}

#[test]
fn sales_years_and_fees_are_known_by_their_names() {
    let more = |price: u32, day: &str, year: u32, fee: u32| json!({"lastSoldPrice": price, "dateSold": day, "yearBuilt": year, "monthlyHoaFee": fee});
    let draft = drafted(json!([
        home(11, more(210_000, "2019-05-03", 1925, 250)),
        home(12, more(180_000, "2021-11-17", 0, 0)),
        home(13, more(195_500, "2020-02-28", 2004, 310)),
    ]));
    says(&draft, r#"close_price = { from = "lastSoldPrice" }"#);
    says(&draft, r#"close_date = { from = "dateSold" }"#);
    says(&draft, r#"year_built = { from = "yearBuilt", null = ["0"] }"#);
    says(&draft, r#"association_fee = { from = "monthlyHoaFee", null = ["0"] }"#);
    says(&draft, r#"list_price = { from = "price" }"#);
    assert_eq!(draft.proof.understood, 3, "{:?}\n{}", draft.proof.refused, draft.toml);
    assert_eq!(draft.proof.filled["close_price"], 0, "they are on offer: those are earlier sales");
    assert_eq!(draft.proof.filled["year_built"], 2);
}

#[test]
fn for_how_long_a_fee_is_the_name_says_or_nobody() {
    let of = |name: &str| drafted(json!([home(11, json!({name: 1200})), home(12, json!({name: 900}))])).toml;
    let yearly = of("Frais de syndic (DH/an)");
    assert!(
        yearly.contains("\nassociation_fee = { from = \"/Frais de syndic (DH~1an)\", per = \"year\" }"),
        "{yearly}"
    );
    let unknown = of("hoaFee");
    assert!(unknown.contains("\n#association_fee = { from = \"hoaFee\" }"), "{unknown}");
    assert!(unknown.contains("Nothing says for how long it is"), "{unknown}");
}

#[test]
fn what_may_be_shown_is_known_by_its_name() {
    let more =
        |all: bool, address: &str| json!({"InternetEntireListingDisplayYN": all, "InternetAddressDisplayYN": address});
    let draft = drafted(json!([home(11, more(true, "Y")), home(12, more(false, "N")), home(13, more(true, "N"))]));
    says(&draft, r#"display = { from = "InternetEntireListingDisplayYN" }"#);
    says(&draft, r#"display_address = { from = "InternetAddressDisplayYN" }"#);
    assert_eq!(draft.proof.understood, 3, "{:?}\n{}", draft.proof.refused, draft.toml);
}

/// A roll of taxes: each row has a price and the day of a sale, and nothing says that the home is on offer.
#[test]
fn a_sale_price_with_the_day_of_a_sale_is_a_doubt_without_a_status() {
    let row = |id: u32| json!({"id": id, "sale_price": 215_000 + id, "sale_date": "2026-03-04", "city": "Orlando", "state": "FL", "zip": "32803"});
    let hints = DraftHints {
        country: Some("US".into()),
        currency: Some("USD".into()),
        purpose: Some(stoop_domain::Purpose::Sale),
        ..DraftHints::new("t", "t.json")
    };
    let draft = draft(&Sample::of_document(json!([row(1), row(2), row(3)])).unwrap(), &hints).unwrap();
    assert!(!draft.toml.lines().any(|line| line.starts_with("list_price = ")), "{}", draft.toml);
    assert!(draft.toml.contains("what was paid on the day of the sale"), "{}", draft.toml);
}

#[test]
fn a_price_that_was_paid_without_a_status_asks_whether_all_rows_are_sold() {
    let row = |id: u32| json!({"id": id, "sold_price": 215_000 + id, "city": "Orlando", "state": "FL", "zip": "32803"});
    let hints = DraftHints { purpose: Some(stoop_domain::Purpose::Sale), ..DraftHints::new("t", "t.json") };
    let draft = draft(&Sample::of_document(json!([row(1), row(2), row(3)])).unwrap(), &hints).unwrap();
    says(&draft, r#"#status = { constant = "Closed" }"#);
}
