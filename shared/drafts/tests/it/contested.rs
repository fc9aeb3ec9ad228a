//! Lines that their names or values speak against: words that nobody knows, rivals, places of another level.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftError, DraftHints, Sample, draft};

/// Drafts three rows that have these columns beside an ID, a price and a city.
fn tried(country: &str, more: &[Value]) -> Result<Draft, DraftError> {
    let row = |(at, more): (usize, &Value)| {
        let mut row = json!({"id": format!("h-{at}"), "price": 200_000 + 500 * at, "city": "Split"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let rows = Value::Array(more.iter().enumerate().map(row).collect());
    let hints =
        DraftHints { country: Some(country.into()), purpose: Some(Purpose::Sale), ..DraftHints::new("t", "t.json") };
    draft(&Sample::of_document(rows).unwrap(), &hints)
}

#[track_caller]
fn drafted(country: &str, more: &[Value]) -> Draft {
    tried(country, more).unwrap_or_else(|error| panic!("{error}"))
}

/// The line of a field: enabled, or with its doubt.
#[track_caller]
fn says(draft: &Draft, wanted: &str) {
    assert!(draft.toml.lines().any(|line| line.contains(wanted)), "no {wanted} in\n{}", draft.toml);
}

#[track_caller]
fn enables(draft: &Draft, field: &str) -> bool {
    draft.toml.lines().any(|line| line.starts_with(&format!("{field} = ")))
}

#[test]
fn a_word_that_is_not_understood_makes_a_doubt_of_any_field() {
    let rows = [("Ilica 12", "A"), ("Ilica 14", "B"), ("Riva 3", "C")];
    let rows =
        rows.map(|(street, name)| json!({"Adresa filijale": street, "Title uzorka": format!("Flat {name} here")}));
    let draft = drafted("HR", &rows);
    assert!(!enables(&draft, "line") && !enables(&draft, "title"), "{}", draft.toml);
    says(&draft, r#""filijale" in its name is not understood."#);
    let known =
        drafted("HR", &[json!({"Address": "Ilica 12"}), json!({"Address": "Ilica 14"}), json!({"Address": "Riva 3"})]);
    assert!(enables(&known, "line"), "{}", known.toml);
}

#[test]
fn of_two_columns_that_are_as_likely_none_is_certain_if_they_differ() {
    let rows = |usable: [u32; 3], built: [u32; 3]| -> Vec<Value> {
        usable.iter().zip(built).map(|(a, b)| json!({"interior_area": a, "internal_area": b})).collect()
    };
    let differ = drafted("HR", &rows([60, 75, 90], [66, 80, 99]));
    assert!(!enables(&differ, "living_area"), "{}", differ.toml);
    says(&differ, "is about as likely, and says something else.");
    let same = drafted("HR", &rows([60, 75, 90], [60, 75, 90]));
    assert!(enables(&same, "living_area"), "{}", same.toml);
}

#[test]
fn the_area_of_the_rooms_is_not_that_of_the_home() {
    let rows = [(46, 75), (29, 48), (112, 180)];
    let rows = rows.map(|(rooms, all)| json!({"living_space": rooms, "area": all}));
    let draft = drafted("HR", &rows);
    assert!(!enables(&draft, "living_area"), "{}", draft.toml);
    says(&draft, "area is larger by far: which is the size of the home?");
    let unknown = [(592, 712), (795, 1023), (2100, 2480)];
    let unknown = unknown.map(|(net, gross)| json!({"Saleable Area (ft2)": net, "Gross Area (ft2)": gross}));
    assert!(!enables(&drafted("HK", &unknown), "living_area"));
}

#[test]
fn places_that_are_known_two_levels_away_are_a_doubt() {
    let rows = |name: &str| ["Bavaria", "Hesse", "Saxony"].map(|region| json!({name: region}));
    let draft = drafted("DE", &rows("neighborhood"));
    assert!(!enables(&draft, "neighbourhood"), "{}", draft.toml);
    says(&draft, "Most of its places are known as a region: of which level are they?");
    let draft = drafted("DE", &rows("district"));
    assert!(!enables(&draft, "neighbourhood"), "{}", draft.toml);
    says(&draft, "It is a quarter in one country and a county or a region in another: which is it?");
    assert!(enables(&drafted("SG", &rows("district")), "neighbourhood"), "there it is one");
}

#[test]
fn of_the_dates_of_the_beginning_the_earlier_one_makes_a_doubt() {
    let rows = [3, 9, 14]
        .map(|day| json!({"addedAt": format!("2026-05-{:02}", day + 10), "createdAt": format!("2026-05-{day:02}")}));
    let draft = drafted("HR", &rows);
    assert!(!enables(&draft, "listed_at"), "{}", draft.toml);
    says(&draft, "createdAt is earlier: which is the beginning of the offer?");
    let rows = rows.map(|row| json!({"listedAt": row["addedAt"], "createdAt": row["createdAt"]}));
    assert!(enables(&drafted("HR", &rows), "listed_at"), "the word says it");
}

#[test]
fn codes_of_purposes_are_explained_by_titles() {
    let rows = |titles: [&str; 3]| {
        let row = |(at, title): (usize, &str)| json!({"id": format!("g-{at}"), "price": 200_000 + at, "city": "Zadar", "deal_type_id": if at == 1 { 2 } else { 1 }, "title": title});
        let rows = titles.into_iter().enumerate().map(row).collect();
        let hints = DraftHints { country: Some("HR".into()), ..DraftHints::new("t", "t.json") };
        draft(&Sample::of_document(Value::Array(rows)).unwrap(), &hints)
    };
    let explained = rows(["Flat for sale", "House for rent", "Land for sale"]).unwrap();
    says(&explained, r#"from = "deal_type_id""#);
    says(&explained, r#""2" = "rent" # 1 row"#);
    assert!(
        !rows(["Flat for sale", "House for rent", "Land for rent"])
            .is_ok_and(|draft| draft.toml.contains("\nfrom = \"deal_type_id\""))
    );
}

#[test]
fn a_type_that_is_not_known_is_left_out() {
    let rows = ["Apartment", "Chandelier", "House"].map(|kind| json!({"property_type": kind}));
    let draft = drafted("HR", &rows);
    says(&draft, "lenient = true");
    assert!(!draft.toml.contains("otherwise"), "{}", draft.toml);
    assert_eq!((draft.proof.understood, draft.proof.filled["property_type"]), (3, 2), "{:?}", draft.proof.refused);
}

#[test]
fn a_unit_of_area_beside_areas_is_theirs() {
    let rows = [2400, 8000, 3000].map(|lot| json!({"landArea": lot, "sizeUnit": "SQUARE_FEET"}));
    says(&drafted("MY", &rows), r#"lot_area = { from = "landArea", unit = "sqft" }"#);
    // Homes that are too large in the assumed unit make it a doubt for the land too.
    let rows = [(2400, 1800), (8000, 4500), (3000, 1602)];
    let draft = drafted("MY", &rows.map(|(lot, home)| json!({"land_area": lot, "built_up_area": home})));
    assert!(!enables(&draft, "lot_area") && !enables(&draft, "living_area"), "{}", draft.toml);
}

#[test]
fn an_id_that_is_repeated_beside_unique_ones_is_that_of_something_else() {
    let rows = [("a-1", 8812), ("a-2", 8812), ("b-7", 9020)];
    let rows = rows.map(|(unit, building)| json!({"id": building, "unitKey": unit}));
    let error = tried("HR", &rows).unwrap_err().to_string();
    assert!(error.contains("no id") && error.contains("unitKey"), "{error}");
}

#[test]
fn a_column_that_has_the_number_of_the_address_is_the_id() {
    let rows = [20114, 20120, 20133].map(
        |number| json!({"id": null, "oznaka": format!("ZG-{number}"), "url": format!("https://k.example/n/{number}")}),
    );
    says(&drafted("HR", &rows), r#"native_id = { from = "oznaka" }"#);
}

#[test]
fn a_price_of_a_part_is_a_doubt() {
    let rows = [(58_500_000, None), (46_000_000, None), (650_000, Some("per perch"))];
    let rows = rows.map(|(amount, per)| json!({"price": null, "money": {"amount": amount, "per": per}}));
    let draft = drafted("HR", &rows);
    assert!(!enables(&draft, "list_price"), "{}", draft.toml);
    says(&draft, r#""per perch" in /money/per makes it the price of a part."#);
}

#[test]
fn codes_of_statuses_are_explained_by_sales() {
    let rows = [("A", None), ("S", Some("2026-05-21")), ("X", None)];
    let rows = rows.map(|(code, sold)| json!({"Status": code, "Sold Date": sold, "Sold Price": sold.map(|_| 199_000)}));
    let draft = drafted("HR", &rows);
    for line in [r#""A" = "Active" # 1 row"#, r#""S" = "Closed" # 1 row"#, r##"#"X" = "" # 1 row"##] {
        says(&draft, line);
    }
}
