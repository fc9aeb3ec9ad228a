//! Statuses with several meanings, the price of sold rows, and which column is the id.

use csv::ByteRecord;
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn sample(header: &str, rows: &[&str]) -> Sample {
    let record = |line: &str| ByteRecord::from(line.split('|').collect::<Vec<_>>());
    Sample::of_csv(&record(header), rows.iter().map(|row| record(row)).collect()).unwrap()
}

fn hints(country: &str, purpose: Option<Purpose>) -> DraftHints {
    DraftHints { country: Some(country.into()), purpose, ..DraftHints::new("t", "t.csv") }
}

fn drafted(header: &str, rows: &[&str], hints: &DraftHints) -> Draft {
    draft(&sample(header, rows), hints).unwrap_or_else(|error| panic!("{error}"))
}

fn line<'d>(draft: &'d Draft, field: &str) -> Option<&'d str> {
    let begins = format!("{field} = ");
    draft.toml.lines().find(|line| line.starts_with(&begins))
}

#[track_caller]
fn has(draft: &Draft, part: &str) {
    assert!(draft.toml.contains(part), "no {part} in\n{}", draft.toml);
}

#[test]
fn a_status_says_the_purpose_where_it_does() {
    let rows = ["1|FOR_SALE|425000|Mesa", "2|FOR_RENT|2100|Mesa", "3|PENDING|299000|Mesa"];
    let mixed = drafted("id|status|price|city", &rows, &hints("US", None));
    has(&mixed, "[fields.purpose]\nfrom = \"status\"");
    has(&mixed, "\"FOR_RENT\" = \"rent\" # 1 row");
    has(&mixed, "#\"PENDING\" = \"\" # 1 row");
    assert_eq!(mixed.proof.understood, 2, "{:?}", mixed.proof.refused);
    let given = drafted("id|status|price|city", &rows, &hints("US", Some(Purpose::Sale)));
    has(&given, "otherwise = \"sale\"");
    has(&given, "\"FOR_RENT\" = \"rent\" # 1 row");
    assert_eq!(given.proof.understood, 3, "{:?}", given.proof.refused);
    let sales = drafted("id|status|price|city", &[rows[0], rows[2]], &hints("US", None));
    has(&sales, "otherwise = \"sale\"");
    assert_eq!(sales.proof.understood, 2, "{:?}", sales.proof.refused);
    let letting =
        drafted("id|listing_status|price|city", &["1|sale|425000|Leeds", "2|rent|2100|Leeds"], &hints("GB", None));
    has(&letting, "[fields.status.lookup]\n\"rent\" = \"Active\" # 1 row");
}

#[test]
fn a_furnished_or_completed_building_is_no_sold_home() {
    let rows = ["1|furnished|completed|90000|Dubai", "2|furnished|completed|95000|Dubai"];
    let draft = drafted("id|furnishing_status|completion_status|price|city", &rows, &hints("AE", Some(Purpose::Sale)));
    assert!(!draft.toml.contains("\n[fields.status]"), "{}", draft.toml);
}

#[test]
fn one_price_column_has_two_meanings() {
    let dated = ["1|Active|425000||Kent", "2|Sold|410000|2026-08-02|Kent"];
    let draft = drafted("id|status|price|sold_date|city", &dated, &hints("US", Some(Purpose::Sale)));
    assert!(
        line(&draft, "list_price").unwrap().contains("only = { from = \"status\", not = [\"Sold\""),
        "{}",
        draft.toml
    );
    assert_eq!(line(&draft, "close_price"), Some("close_price = { from = \"price\" }"));
    assert_eq!((draft.proof.filled["list_price"], draft.proof.filled["close_price"]), (1, 1));
    let undated = ["1|Active|425000|Kent", "2|Sold|410000|Kent"];
    let draft = drafted("id|status|price|city", &undated, &hints("US", Some(Purpose::Sale)));
    assert!(line(&draft, "list_price").unwrap().contains("only") && line(&draft, "close_price").is_none());
    has(&draft, "#close_price = { from = \"price\" }");
    let own = ["1|Active|425000||Kent", "2|Sold|430000|410000|Kent"];
    let draft = drafted("id|status|price|sold_price|city", &own, &hints("US", Some(Purpose::Sale)));
    assert_eq!(line(&draft, "list_price"), Some("list_price = { from = \"price\" }"), "{}", draft.toml);
}

#[test]
fn the_homes_own_id_is_before_that_of_its_advert() {
    let row = |mls: &str, id: u32| format!("{mls}|425000|Kent|https://p.example/WA/Kent/3-Cir/home/{id}");
    let of = |first: &str, second: &str| {
        let rows = [row(first, 13_194), row(second, 13_195)];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        drafted("MLS#|price|city|url", &rows, &hints("US", Some(Purpose::Sale)))
    };
    let draft = of("24-5555", "24-7001");
    let id = line(&draft, "native_id").unwrap();
    assert!(id.contains("from = \"url\"") && id.contains("home"), "{id}");
    has(&draft, "Or MLS#?");
    assert!(line(&of("24-5555", ""), "native_id").unwrap().contains("from = \"url\""), "a gap");
    let same =
        ["13194|425000|Kent|https://p.example/property/13194", "13195|425000|Kent|https://p.example/property/13195"];
    let draft = drafted("listing_id|price|city|url", &same, &hints("US", Some(Purpose::Sale)));
    assert_eq!(line(&draft, "native_id"), Some("native_id = { from = \"listing_id\" }"));
}

#[test]
fn ids_are_known_by_the_names_of_agencies() {
    for name in [
        "Objekt-Nr",
        "ObjektNr",
        "Anzeigennummer",
        "Referenz",
        "Referencia",
        "Référence",
        "Riferimento",
        "ML#",
        "MLS",
        "MLS No",
        "ListNumber",
        "listing_no",
        "AGENT_REF",
        "identifier",
        "nr",
        "uniqueID",
        "Property Ref",
    ] {
        let draft = drafted(
            &format!("{name}|price|city"),
            &["A-10|300000|Kent", "A-17|301000|Kent"],
            &hints("US", Some(Purpose::Sale)),
        );
        assert!(line(&draft, "native_id").unwrap().contains(name), "{name}: {}", draft.toml);
    }
}

#[test]
fn without_an_id_the_candidates_are_named_and_one_may_be_given() {
    let sample = sample("zebra|price|city", &["A-10|300000|Kent", "A-17|301000|Kent"]);
    let hints = hints("US", Some(Purpose::Sale));
    let error = draft(&sample, &hints).unwrap_err().to_string();
    assert!(error.contains("--id") && error.contains("zebra") && !error.contains("city"), "{error}");
    let given = draft(&sample, &DraftHints { id: Some("zebra".into()), ..hints.clone() }).unwrap();
    assert_eq!(line(&given, "native_id"), Some("native_id = { from = \"zebra\" }"));
    let wrong = draft(&sample, &DraftHints { id: Some("gnu".into()), ..hints }).unwrap_err().to_string();
    assert!(wrong.contains("gnu") && wrong.contains("zebra"), "{wrong}");
}

#[test]
fn a_unit_that_nobody_says_is_certain_only_if_no_other_fits() {
    let of = |country: &str, area: &str| {
        let rows = [format!("1|300000|{area}|X-town"), format!("2|310000|{area}|X-town")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        line(&drafted("id|price|area|city", &rows, &hints(country, Some(Purpose::Sale))), "living_area").is_some()
    };
    assert!(of("AE", "1250") && of("US", "1800") && of("DE", "85"));
    assert!(!of("AE", "85.5") && !of("GB", "74") && !of("DE", "1250"));
    let rate = ["1|300000|9500|980|Pune", "2|310000|9700|990|Pune"];
    let draft = drafted("id|price|Rate per sqft|Carpet area (sqft)|city", &rate, &hints("IN", Some(Purpose::Sale)));
    assert!(line(&draft, "living_area").unwrap().contains("Carpet area"), "{}", draft.toml);
    let dollars = ["1|300000|287|980|Kent", "2|310000|291|990|Kent"];
    let draft = drafted("id|price|$/SQUARE FEET|SQUARE FEET|city", &dollars, &hints("US", Some(Purpose::Sale)));
    assert!(!draft.toml.contains("Or $/SQUARE FEET"), "{}", draft.toml);
}

#[test]
fn a_street_and_its_number_are_one_line() {
    let rows = ["1|300000|Kerkstraat|12|Breda", "2|310000|Markt|7a|Breda"];
    let draft = drafted("id|price|Straat|Huisnummer|city", &rows, &hints("NL", Some(Purpose::Sale)));
    assert_eq!(line(&draft, "line"), Some("line = { template = \"{Straat} {Huisnummer}\" }"), "{}", draft.toml);
}
