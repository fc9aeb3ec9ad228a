//! Words in the names of prices and areas, signs in their texts, and columns that say them beside.

use csv::ByteRecord;
use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn hints(country: &str, purpose: Option<Purpose>) -> DraftHints {
    DraftHints { country: Some(country.into()), purpose, ..DraftHints::new("t", "t.csv") }
}

fn table(header: &str, rows: &[&str], hints: &DraftHints) -> Draft {
    let record = |line: &str| ByteRecord::from(line.split('|').collect::<Vec<_>>());
    let rows = rows.iter().map(|row| record(row)).collect();
    let sample = Sample::of_csv(&record(header), rows).unwrap();
    draft(&sample, hints).unwrap_or_else(|error| panic!("{error}"))
}

/// The enabled line of a field.
fn line<'d>(draft: &'d Draft, field: &str) -> Option<&'d str> {
    let begins = format!("{field} = ");
    draft.toml.lines().find(|line| line.starts_with(&begins))
}

/// A column of prices of this name: the enabled line of the price, else the comments.
fn priced(name: &str, country: &str, purpose: Option<Purpose>) -> Result<String, String> {
    let header = format!("id|{name}|city");
    eprintln!("{name}");
    let draft = table(&header, &["a|210500|Lyon", "b|315000|Lyon", "c|187250|Lyon"], &hints(country, purpose));
    line(&draft, "list_price").map(str::to_owned).ok_or(draft.toml)
}

#[test]
fn a_factor_in_the_name_is_read() {
    for (name, key) in [
        ("price_cents", "divide = 100"),
        ("priceCents", "divide = 100"),
        ("price_in_cents", "divide = 100"),
        ("list_price_minor", "divide = 100"),
        ("price_pence", "divide = 100"),
        ("Price (k€)", "times = 1000"),
        ("price_thousands", "times = 1000"),
        ("Prix (k)", "times = 1000"),
        ("Price in Lakhs", "times = 100000"),
        ("price_crore", "times = 10000000"),
        ("Preis in Mio", "times = 1000000"),
    ] {
        let country = if name.contains('€') { "FR" } else { "IN" };
        let found = priced(name, country, Some(Purpose::Sale)).unwrap_or_else(|toml| panic!("{name}: {toml}"));
        assert!(found.contains(key), "{name}: {found}");
    }
}

#[test]
fn a_period_in_the_name_is_read_and_makes_a_rent() {
    for (name, key) in [
        ("weekly_rent", r#"per = "week""#),
        ("rent_pw", r#"per = "week""#),
        ("Rent per week", r#"per = "week""#),
        ("annual_rent", r#"per = "year""#),
        ("rentPerYear", r#"per = "year""#),
        ("monthly_rent", "from"),
    ] {
        let found = priced(name, "AU", None).unwrap_or_else(|toml| panic!("{name}: {toml}"));
        assert!(found.contains(key) && (key != "from" || !found.contains("per")), "{name}: {found}");
    }
    let refused = priced("weekly_rent", "AU", Some(Purpose::Sale)).unwrap_err();
    assert!(refused.contains("by the week: no sale"), "{refused}");
    let nightly = priced("nightly_price", "AU", Some(Purpose::Rent)).unwrap_err();
    assert!(nightly.contains("for a day"), "{nightly}");
}

#[test]
fn what_a_name_says_and_nobody_knows_is_a_comment_that_names_the_word() {
    for (name, word) in [("price_zorkmid", "zorkmid"), ("price_m", "\"m\""), ("price_bn", "bn")] {
        let toml = priced(name, "FR", Some(Purpose::Sale)).unwrap_err();
        let comment =
            toml.lines().find(|line| line.contains("not understood")).unwrap_or_else(|| panic!("{name}: {toml}"));
        assert!(comment.starts_with('#') && comment.contains(word), "{name}: {comment}");
    }
    for name in ["price_per_m2", "price_sqft", "Price/sqm", "€/m²", "price psf", "deposit", "zestimate", "price_tax"]
    {
        let toml = priced(name, "FR", Some(Purpose::Sale)).unwrap_err();
        assert!(!toml.contains("\nlist_price"), "{name}: {toml}");
    }
}

#[test]
fn the_currency_in_the_name_is_that_of_the_prices() {
    let draft = table("id|price_usd|city", &["a|210500|Lyon", "b|315000|Lyon"], &hints("FR", Some(Purpose::Sale)));
    assert_eq!(line(&draft, "currency"), Some("currency = \"USD\""), "{}", draft.toml);
    let given = DraftHints { currency: Some("EUR".into()), ..hints("FR", Some(Purpose::Sale)) };
    let toml = table("id|price_usd|city", &["a|210500|Lyon", "b|315000|Lyon"], &given).toml;
    assert!(!toml.contains("\nlist_price") && toml.contains("Its name says USD"), "{toml}");
    let both = table(
        "id|price_usd|price_eur|city",
        &["a|210500|199000|Lyon", "b|315000|299000|Lyon"],
        &hints("FR", Some(Purpose::Sale)),
    );
    assert!(line(&both, "list_price").unwrap().contains("price_eur"), "{}", both.toml);
}

#[test]
fn a_column_beside_says_the_period_and_the_factor() {
    let rows = ["a|120000|Yearly|Dubai", "b|9500|Monthly|Dubai", "c|95000|Yearly|Dubai"];
    for name in ["rent_frequency", "frequency", "price_interval", "rentPeriod", "priceSuffix"] {
        let draft = table(&format!("id|price|{name}|city"), &rows, &hints("AE", None));
        let price = line(&draft, "list_price").unwrap_or_else(|| panic!("{name}: {}", draft.toml));
        assert!(price.contains(&format!("per = {{ from = \"{name}\" }}")), "{name}: {price}");
        assert!(draft.toml.contains("purpose = \"rent\""), "{}", draft.toml);
    }
    let lac =
        table("id|price|price_unit|city", &["a|85.5|Lac|Pune", "b|92|Lac|Pune"], &hints("IN", Some(Purpose::Sale)));
    assert!(line(&lac, "list_price").unwrap().contains("times = 100000"), "{}", lac.toml);
    let mixed =
        table("id|price|price_unit|city", &["a|85.5|Lac|Pune", "b|1.2|Cr|Pune"], &hints("IN", Some(Purpose::Sale)));
    assert_eq!(line(&mixed, "list_price"), None, "{}", mixed.toml);
    let nested =
        |rent: u32, every: &str| json!({"id": rent, "rent": {"amount": rent, "interval": every}, "city": "Perth"});
    let sample = Sample::of_document(json!([nested(650, "weekly"), nested(2_800, "monthly")])).unwrap();
    let draft = draft(&sample, &hints("AU", None)).unwrap();
    assert!(line(&draft, "list_price").unwrap().contains("per = { from = \"/rent/interval\" }"), "{}", draft.toml);
}

#[test]
fn the_unit_of_an_area_in_its_name_is_read_or_named() {
    for (name, unit) in [
        ("area_marla", r#"unit = "marla""#),
        ("area_sqyd", r#"unit = "sqyd""#),
        ("Area (sq yd)", r#"unit = "sqyd""#),
        ("area_tot_ac", r#"unit = "acres""#),
        ("area_ha", r#"unit = "ha""#),
        ("Area (m²)", r#"unit = "m2""#),
        ("floor_area_square_feet", r#"unit = "sqft""#),
    ] {
        let draft = table(
            &format!("id|price|{name}|city"),
            &["a|210500|70|Pune", "b|315000|73.5|Pune"],
            &hints("IN", Some(Purpose::Sale)),
        );
        let found = line(&draft, "living_area").unwrap_or_else(|| panic!("{name}: {}", draft.toml));
        assert!(found.contains(unit), "{name}: {found}");
    }
    let toml = table(
        "id|price|area_bigha|city",
        &["a|210500|70|Pune", "b|315000|73.5|Pune"],
        &hints("IN", Some(Purpose::Sale)),
    )
    .toml;
    assert!(!toml.contains("\nliving_area") && toml.contains("\"bigha\" in its name is not understood"), "{toml}");
}

#[test]
fn signs_are_those_of_the_country() {
    for (country, code, text) in [
        ("MX", "MXN", "$3,500,000"),
        ("CL", "CLP", "$ 120.000.000"),
        ("AR", "ARS", "$ 95.000.000"),
        ("UY", "UYU", "$ 9.500.000"),
        ("TW", "TWD", "$12,800,000"),
        ("NA", "NAD", "$1,800,000"),
        ("SE", "SEK", "3 495 000 kr"),
        ("BR", "BRL", "R$ 1.250.000"),
        ("TR", "TRY", "3.250.000 TL"),
        ("IL", "ILS", "1,850,000 ₪"),
        ("JP", "JPY", "34,800,000円"),
        ("IN", "INR", "₹1,25,00,000"),
        ("IN", "INR", "85 Lac"),
        ("CH", "CHF", "CHF 1’250’000.–"),
        ("AE", "AED", "AED 1,250,000"),
    ] {
        let draft = table(
            "id|price|city",
            &[&format!("a|{text}|Xalapa"), &format!("b|{}|Xalapa", text.replace('2', "3"))],
            &hints(country, Some(Purpose::Sale)),
        );
        assert!(line(&draft, "list_price").is_some(), "{text}: {}", draft.toml);
        assert_eq!(line(&draft, "currency"), Some(&*format!("currency = \"{code}\"")), "{text}: {}", draft.toml);
        assert_eq!((draft.proof.filled["list_price"], draft.proof.refused.len()), (2, 0), "{text}: {:?}", draft.proof);
    }
    let bare = DraftHints { country: Some("AR".into()), ..hints("AR", Some(Purpose::Sale)) };
    let sample =
        Sample::of_document(json!([{"id": 1, "price": 95_000, "city": "X"}, {"id": 2, "price": 85_000, "city": "X"}]))
            .unwrap();
    assert!(
        draft(&sample, &bare).unwrap_err().to_string().contains("no currency"),
        "homes there are priced in dollars too"
    );
}

#[test]
fn words_and_ranges_do_not_make_a_price_vanish() {
    let texts = [
        "£250,000",
        "POA",
        "Offers over £310,000",
        "SSTC",
        "Guide Price £199,950",
        "£1.2m",
        "Auction",
        "Price on application",
        "TBC",
        "£300,000 - £320,000",
    ];
    let rows: Vec<String> = texts.iter().enumerate().map(|(nth, text)| format!("h{nth}|{text}|Leeds")).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let draft = table("id|price|city", &rows, &hints("GB", Some(Purpose::Sale)));
    assert!(line(&draft, "list_price").is_some(), "{}", draft.toml);
    assert!(draft.toml.contains("2 rows have a range or a minimum"), "{}", draft.toml);
    assert_eq!(draft.proof.filled["list_price"], 3, "{:?}", draft.proof.refused);
}

#[test]
fn values_in_lists_are_read() {
    let row = |id: u32, price: Value, first: &str| {
        let attributes = json!([{"key": first, "value": "2"}, {"key": "square", "value": format!("{}", 40 + id)}, {"key": "bedrooms", "value": "3"}]);
        json!({"id": id, "price": price, "price_cents": id * 100, "city": "Lyon", "attributes": attributes})
    };
    let rows =
        json!([row(274_000, json!([274_000]), "a"), row(199_000, json!([199_000]), "b"), row(0, json!([]), "a")]);
    let draft = draft(&Sample::of_document(rows).unwrap(), &hints("FR", Some(Purpose::Sale))).unwrap();
    assert!(line(&draft, "list_price").unwrap().contains("from = \"/price/0\""), "{}", draft.toml);
    assert!(line(&draft, "bedrooms").unwrap().contains("$.attributes[?@.key == 'bedrooms'].value"), "{}", draft.toml);
    assert_eq!(draft.proof.filled["bedrooms"], 3);
}

#[test]
fn a_name_that_occurs_twice_is_no_certain_line() {
    let draft =
        table("id|price|price|city", &["a|210500|1|Lyon", "b|315000|2|Lyon"], &hints("FR", Some(Purpose::Sale)));
    assert_eq!(line(&draft, "list_price"), None);
    assert!(draft.toml.contains("more than once"), "{}", draft.toml);
}

#[test]
fn programs_words_for_nothing_do_not_hide_a_column() {
    let rows: Vec<String> = (0..40)
        .map(|nth| {
            format!(
                "h{nth}|{}|{}|nan|{}|Boise",
                300_000 + nth,
                ["2.0", "nan", "None"][nth % 3],
                ["1990", "NULL", "-"][nth % 3]
            )
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let draft = table("id|price|beds|baths|year_built|city", &rows, &hints("US", Some(Purpose::Sale)));
    assert_eq!((draft.proof.filled["bedrooms"], draft.proof.filled["year_built"]), (14, 14), "{}", draft.toml);
    assert!(draft.toml.contains("baths: empty in every row"), "{}", draft.toml);
}

#[test]
fn a_draft_without_a_price_says_so_at_the_top() {
    let draft = table("id|worth|city", &["a|much|Lyon", "b|more|Lyon"], &hints("FR", Some(Purpose::Sale)));
    let top: Vec<&str> = draft.toml.lines().take(4).collect();
    assert!(top.iter().any(|line| line.contains("No price is read")), "{top:?}");
}

#[test]
fn dates_of_spreadsheets_and_short_years_are_read() {
    let of = |first: &str, second: &str| {
        let rows = [format!("a|1000|{first}|Lyon"), format!("b|1200|{second}|Lyon")];
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        table("id|rent|list_date|city", &rows, &hints("FR", Some(Purpose::Rent))).toml
    };
    assert!(of("46035", "46041").contains("date = \"excel\""), "{}", of("46035", "46041"));
    assert!(of("31/01/26", "02/02/26").contains("date = \"%d/%m/%y\""));
    assert!(of("31.01.26", "02.02.26").contains("date = \"%d.%m.%y\""));
    assert!(of("2026-10-01-12:30:00", "2026-10-02-09:05:00").contains("%Y-%m-%d-%H:%M:%S"));
    assert!(!of("03/04/26", "05/06/26").contains("\nlisted_at"), "days might be months");
}
