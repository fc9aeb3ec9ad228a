//! Sales, fees and years in maps.

use stoop_domain::{Currency, Listing, Reason, RefusedValue, Status, Time};
use stoop_sources::declared::{Map, RowBytes, RowOutcome};

const HEAD: &str = "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\ntime_zone = \"Europe/Vienna\"\n\
                    [fields]\nnative_id = { from = \"id\" }\n";

/// The listing, or why a value was left out of it.
fn read(fields: &str, row: &str) -> Result<Listing, RefusedValue> {
    let map = Map::parse(&format!("{HEAD}{fields}"), "t.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let now = Time::parse("2026-01-14T12:00:00Z").unwrap();
    match map.bind_json().read(RowBytes::Json(row.as_bytes()), "t.jsonl", now).unwrap() {
        RowOutcome::Observation(observation, refused) => {
            refused.into_iter().next().map_or(Ok(observation.listing), Err)
        }
        RowOutcome::Skipped => panic!("skipped"),
    }
}

const SALES: &str = r#"
    status = { from = "state", default = "Active", lookup = { "sold" = "Closed", "offered" = "Active" } }
    list_price = { from = "asked" }
    close_price = { from = "paid", money = "de" }
    close_date = { from = "on", date = ["%d.%m.%Y", "rfc3339"] }
"#;

#[test]
fn only_closed_rows_have_a_sale() {
    let sold = read(SALES, r#"{"id": 1, "state": "sold", "asked": 310000, "paid": "295.000,00", "on": "02.05.2026"}"#)
        .unwrap();
    assert_eq!(sold.status, Status::Closed);
    assert_eq!(sold.list_price.zip(sold.close_price).map(|(a, b)| (a.0, b.0)), Some((31_000_000, 29_500_000)));
    assert_eq!(sold.close_date.unwrap().to_string(), "2026-05-02");
    let offered = read(SALES, r#"{"id": 1, "asked": 310000, "paid": "no price at all", "on": "long ago"}"#).unwrap();
    assert_eq!((offered.close_price, offered.close_date), (None, None));
}

#[test]
fn the_day_of_a_sale_is_one_of_the_map_s_zone() {
    let late = read(SALES, r#"{"id": 1, "state": "sold", "on": "2026-05-02T22:30:00Z"}"#).unwrap();
    assert_eq!(late.close_date.unwrap().to_string(), "2026-05-03");
}

#[test]
fn the_price_of_a_sale_names_the_currency_where_nothing_is_asked() {
    let francs = read(SALES, r#"{"id": 1, "state": "sold", "paid": "CHF 295.000"}"#).unwrap();
    assert_eq!((francs.currency, francs.list_price), (Currency::parse("CHF").unwrap(), None));
    let mixed = read(SALES, r#"{"id": 1, "state": "sold", "asked": 5, "paid": "CHF 295.000"}"#).unwrap_err();
    assert_eq!(mixed.reason, Reason::BadValue);
    assert!(mixed.detail.starts_with("close_price: "), "{}", mixed.detail);
}

#[test]
fn an_unreadable_sale_is_left_out_and_reported_unless_lenient() {
    let row = r#"{"id": 1, "state": "sold", "paid": "much", "on": "soon"}"#;
    assert!(read(SALES, row).unwrap_err().detail.starts_with("close_price: "));
    let lenient = r#"
        status = { constant = "Closed" }
        close_price = { from = "paid", lenient = true }
        close_date = { from = "on", lenient = true }
    "#;
    let sold = read(lenient, row).unwrap();
    assert_eq!((sold.close_price, sold.close_date), (None, None));
}

#[test]
fn a_fee_is_kept_by_the_month() {
    let fee = |per: &str, fee: &str| {
        let fields = format!("association_fee = {{ from = \"fee\", money = \"de\"{per} }}");
        read(&fields, &format!(r#"{{"id": 1, "fee": {fee}}}"#)).map(|listing| listing.association_fee.map(|fee| fee.0))
    };
    assert_eq!(fee("", "\"250,50 €\""), Ok(Some(25_050)));
    assert_eq!(fee(", per = \"month\"", "1200"), Ok(Some(120_000)));
    assert_eq!(fee(", per = \"quarter\"", "1200"), Ok(Some(40_000)));
    assert_eq!(fee(", per = \"half-year\"", "1200"), Ok(Some(20_000)));
    assert_eq!(fee(", per = \"year\"", "1200"), Ok(Some(10_000)));
    assert_eq!((fee("", "0"), fee("", "null"), fee("", "-5")), (Ok(None), Ok(None), Ok(None)));
    assert!(fee("", "\"some\"").unwrap_err().detail.starts_with("association_fee: "));
    let mistakes =
        Map::parse(&format!("{HEAD}association_fee = {{ from = \"x\", per = \"decade\" }}"), "t.toml").unwrap_err();
    let message = mistakes.to_string();
    assert!(message.contains("association_fee.per") && message.contains("half-year"), "{message}");
    let misplaced =
        Map::parse(&format!("{HEAD}living_area = {{ from = \"x\", per = \"year\" }}"), "t.toml").unwrap_err();
    assert!(misplaced.to_string().contains("per"), "{misplaced}");
}

#[test]
fn a_year_is_whole_and_of_a_building() {
    let year = |value: &str| {
        let row = format!(r#"{{"id": 1, "built": {value}}}"#);
        read("year_built = { from = \"built\", null = \"0\" }", &row).map(|listing| listing.year_built)
    };
    assert_eq!(
        (year("1925"), year("\"1925\""), year("0"), year("null")),
        (Ok(Some(1925)), Ok(Some(1925)), Ok(None), Ok(None))
    );
    assert_eq!(year("25").unwrap_err().reason, Reason::BadValue);
    assert!(year("\"around 1900\"").unwrap_err().detail.contains("no year from 1000 to 2100"));
}
