//! Chile prices homes in pesos and in UF (CLF): a number is never read as the wrong one.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(prices: &[Value], purpose: Purpose) -> Draft {
    let hints = DraftHints { country: Some("CL".into()), purpose: Some(purpose), ..DraftHints::new("t", "t.json") };
    let row = |(at, price): (usize, &Value)| {
        let mut row = json!({"id": at + 1, "comuna": "Ñuñoa"});
        row.as_object_mut().unwrap().extend(price.as_object().unwrap().clone());
        row
    };
    let rows = prices.iter().enumerate().map(row).collect();
    draft(&Sample::of_document(Value::Array(rows)).unwrap(), &hints).unwrap_or_else(|error| panic!("{error}"))
}

fn list_price(draft: &Draft) -> Option<&str> {
    draft.toml.lines().find(|line| line.starts_with("list_price"))
}

#[test]
fn bare_numbers_that_are_too_few_pesos_are_not_read() {
    for (prices, purpose) in [
        ([json!({"precio": 5200}), json!({"precio": 4100}), json!({"precio": 12_350})], Purpose::Sale),
        ([json!({"precio": 5200}), json!({"precio": 98_000_000}), json!({"precio": 145_000_000})], Purpose::Sale),
        ([json!({"precio": 14}), json!({"precio": 22}), json!({"precio": 19})], Purpose::Rent),
    ] {
        let draft = drafted(&prices, purpose);
        assert_eq!(list_price(&draft), None, "{}", draft.toml);
        assert!(draft.toml.contains("may be in UF (CLF), and nothing says which."), "{}", draft.toml);
    }
    let pesos = [json!({"precio": 350_000}), json!({"precio": 420_000}), json!({"precio": 295_000})];
    assert_eq!(list_price(&drafted(&pesos, Purpose::Rent)), Some("list_price = { from = \"precio\" }"));
}

#[test]
fn a_column_named_after_the_unit_of_account_is_in_it() {
    let draft =
        drafted(&[json!({"precio_uf": 5200}), json!({"precio_uf": 4100}), json!({"precio_uf": 7350})], Purpose::Sale);
    assert!(draft.toml.contains("\ncurrency = \"CLF\""), "{}", draft.toml);
    assert_eq!(list_price(&draft), Some("list_price = { from = \"precio_uf\" }"));
}

#[test]
fn a_currency_that_every_row_has_is_that_of_the_prices() {
    let row = |price: u32| json!({"precio": price, "moneda": "UF"});
    let draft = drafted(&[row(5200), row(4100), row(7350)], Purpose::Sale);
    assert!(draft.toml.contains("\ncurrency = \"CLF\""), "{}", draft.toml);
}
