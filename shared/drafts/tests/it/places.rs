//! Where a home is: paths of places, and columns named in the words of a country.

use serde_json::{Value, json};
use stoop_domain::Purpose;
use stoop_drafts::{Draft, DraftHints, Sample, draft};

fn drafted(rows: Value, country: &str) -> Draft {
    let hints = DraftHints {
        country: Some(country.into()),
        // Where homes are priced in several currencies.
        currency: ["EG", "TR", "PE"].contains(&country).then(|| "EUR".into()),
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

/// One row of these columns; the others differ in their ids and prices.
fn of_columns(row: &Value, country: &str) -> Draft {
    let rows = (1..=3).map(|at| {
        let mut row = row.clone();
        row["id"] = json!(at);
        row["price"] = json!(200_000 + at);
        row
    });
    drafted(rows.collect(), country)
}

#[test]
fn levels_of_areas_are_named_in_the_words_of_the_country() {
    let chile = json!({"Región": "Biobío", "Provincia": "Concepción", "Comuna": "Hualpén", "Barrio": "Centro"});
    let mexico = json!({"Estado": "Jalisco", "Municipio": "Zapopan", "Colonia": "Providencia"});
    let turkey = json!({"İl": "İzmir", "İlçe": "Bornova", "Mahalle": "Erzene"});
    let peru = json!({"Departamento": "Lima", "Provincia": "Cañete", "Distrito": "Asia"});
    let portugal = json!({"Distrito": "Faro", "Concelho": "Loulé", "Freguesia": "Quarteira"});
    for (row, country, levels) in [
        (chile, "CL", [("region", "Región"), ("county", "Provincia"), ("city", "Comuna"), ("neighbourhood", "Barrio")]),
        (
            mexico,
            "MX",
            [("region", "Estado"), ("city", "Municipio"), ("neighbourhood", "Colonia"), ("city", "Municipio")],
        ),
        (turkey, "TR", [("region", "İl"), ("city", "İlçe"), ("neighbourhood", "Mahalle"), ("city", "İlçe")]),
        (peru, "PE", [("region", "Departamento"), ("county", "Provincia"), ("city", "Distrito"), ("city", "Distrito")]),
        (
            portugal,
            "PT",
            [("region", "Distrito"), ("city", "Concelho"), ("neighbourhood", "Freguesia"), ("city", "Concelho")],
        ),
    ] {
        let draft = of_columns(&row, country);
        levels.iter().for_each(|(field, column)| has(&draft, &format!("{field} = {{ from = \"{column}\" }}")));
    }
}

#[test]
fn layouts_say_bedrooms_and_months_of_construction_a_year() {
    let japan = json!({"所在地": "東京都世田谷区三軒茶屋2-1", "間取り": "3LDK", "専有面積": "72.5㎡", "築年月": "2010年3月", "最寄駅": "三軒茶屋駅"});
    let draft = of_columns(&japan, "JP");
    let filled =
        ["bedrooms", "living_area", "year_built", "region", "city", "line"].map(|field| draft.proof.filled[field]);
    assert_eq!((filled, draft.proof.understood), ([3; 6], 3), "{}", draft.toml);
    assert!(!draft.toml.contains("最寄駅"), "a station is none of the home's fields\n{}", draft.toml);
    let draft = of_columns(&json!({"Şehir": "İzmir", "Oda Sayısı": "3+1", "Brüt m²": 120, "Net m²": 104}), "TR");
    has(&draft, r#"bedrooms = { from = "Oda Sayısı", regex = '^(\d+)\s*\+\s*[1-9]' }"#);
    has(&draft, "living_area = { from = \"Net m²\", unit = \"m2\" }");
}

#[test]
fn korean_parts_of_a_path_say_their_level() {
    let draft = drafted(
        rows("시군구", &["서울특별시 마포구 아현동", "경기도 성남시 분당구 정자동", "부산광역시 수영구 민락동"]),
        "KR",
    );
    for field in ["region", "city", "neighbourhood"] {
        let begins = format!("{field} = {{ from = \"시군구\", regex = ");
        assert!(draft.toml.lines().any(|line| line.starts_with(&begins)), "{field}:\n{}", draft.toml);
        assert_eq!(draft.proof.filled[field], 3);
    }
    has(&drafted(rows("시군구", &["마포구", "성남시", "수영구"]), "KR"), "city = { from = \"시군구\" }");
}

#[test]
fn a_key_beside_a_name_says_the_level_of_the_place() {
    let draft = of_columns(
        &json!({"place": {"name": "Palermo", "label": "BARRIO", "parent": {"name": "Rosario", "label": "CIUDAD"}}}),
        "MX",
    );
    has(&draft, "neighbourhood = { from = \"/place/name\" }");
    has(&draft, "city = { from = \"/place/parent/name\" }");
}
