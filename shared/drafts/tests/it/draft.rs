//! Drafts of maps, from handmade samples in the shapes of APIs and portals, from arbitrary JSON, and from real samples
//! if `../shared/data` exists.

mod arbitrary;
mod real;

use std::collections::BTreeMap;
use std::path::PathBuf;

use csv::ByteRecord;
use proptest::prelude::*;
use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_drafts::{Draft, DraftHints, Layout, Sample, draft};
use stoop_sources::Params;
use stoop_sources::declared::{HttpSource, Map, RowBytes as MapRow, RowOutcome};
use stoop_sources::text::Encoding;

fn drafted(document: Value, hints: &DraftHints) -> Draft {
    let sample = Sample::of_document(document).unwrap();
    draft(&sample, hints).unwrap_or_else(|error| panic!("{error}"))
}

/// The line of an enabled field.
#[track_caller]
fn line<'d>(draft: &'d Draft, field: &str) -> &'d str {
    let begins = format!("{field} = ");
    draft.toml.lines().find(|line| line.starts_with(&begins)).unwrap_or_else(|| panic!("no {field} in\n{}", draft.toml))
}

/// Checks that a draft reads every row of its sample, and that these fields are enabled, each by a part of its line.
#[track_caller]
fn says(draft: &Draft, lines: &[(&str, &str)]) {
    for (field, part) in lines {
        assert!(line(draft, field).contains(part), "{part} is not in {:?} of\n{}", line(draft, field), draft.toml);
    }
    assert_eq!(draft.proof.understood, draft.proof.rows, "{:?}\n{}", draft.proof.refused, draft.toml);
}

#[test]
fn an_american_api_with_nested_rows_is_drafted() {
    let row = |id: u32, price: u32, date: &str, kind: &str| {
        json!({
            "listing_id": id, "status": "for_sale", "list_price": price, "list_date": date,
            "location": {"address": {"line": format!("{id} Elm St"), "city": "Springfield", "state_code": "IL",
                "postal_code": "62701", "coordinate": {"lat": 39.78 + f64::from(id) / 1e5, "lon": -89.65}}},
            "description": {"beds": id % 4, "baths_consolidated": "2.5", "sqft": 1000 + id, "lot_sqft": 5000, "type": kind},
            "primary_photo": {"href": "https://img.example.com/1.jpg"},
            "advertisers": [{"id": "9", "name": "A. Person", "office": {"name": "Elm Realty"}}],
            "flags": {"is_pending": null},
        })
    };
    let results = [
        row(101, 250_000, "2026-01-02T10:00:00Z", "single_family"),
        row(102, 260_000, "2026-01-03T10:00:00Z", "condos"),
        row(103, 1_250_000, "2026-01-05T10:00:00Z", "castle"),
    ];
    let draft = drafted(json!({"data": {"total": 90, "results": results}}), &DraftHints::new("elm", "elm.json"));
    says(
        &draft,
        &[
            ("native_id", r#"from = "listing_id""#),
            ("list_price", r#"from = "list_price""#),
            ("listed_at", r#"from = "list_date", date = "rfc3339""#),
            ("line", r#"from = "/location/address/line""#),
            ("city", r#"from = "/location/address/city""#),
            ("region", r#"from = "/location/address/state_code""#),
            ("postal_code", r#"from = "/location/address/postal_code""#),
            ("latitude", r#"from = "/location/address/coordinate/lat""#),
            ("bedrooms", r#"from = "/description/beds""#),
            ("bathrooms", r#"from = "/description/baths_consolidated""#),
            ("living_area", r#"from = "/description/sqft", unit = "sqft""#),
            ("lot_area", r#"from = "/description/lot_sqft", unit = "sqft""#),
            ("images", r#"from = "/primary_photo/href""#),
            ("country", r#""US""#),
            ("currency", r#""USD""#),
        ],
    );
    assert_eq!(draft.map.hints().rows.as_deref(), Some("/data/results"));
    assert!(draft.toml.contains("\"for_sale\" = \"sale\" # 3 rows"), "{}", draft.toml);
    assert!(draft.toml.contains("\"for_sale\" = \"Active\" # 3 rows"), "{}", draft.toml);
    assert!(draft.toml.contains("\n\"condos\" = \"Condominium\""), "{}", draft.toml);
    assert!(
        draft.toml.contains("\n#\"castle\" = \"\" # 1 row"),
        "what is not known is left to fill in:\n{}",
        draft.toml
    );
}

#[test]
fn a_french_portal_in_words_is_drafted() {
    let row = |id: u32, price: &str, when: &str| {
        json!({
            "url": format!("https://www.exemple.ma/fr/rabat/appartements/bel_appart_{id}.htm"), "titre": format!("Bel appart {id}"),
            "prix": price, "ville": "Rabat", "publie": when, "nb_chambres": "3",
            "attributs": {"Type": "Appartements, à vendre", "Quartier": "Agdal", "Surface habitable": "83 m²", "Salle de bain": "2 Salles de bain"},
            "équipements": ["Ascenseur", "Balcon"],
        })
    };
    let rows = json!([
        row(50_001, "1 700 000 DH", "il y a 5 heures"),
        row(50_002, "Prix à consulter", "hier"),
        row(50_003, "959\u{a0}600 DH", "il y a 4 minutes"),
    ]);
    let draft = drafted(rows, &DraftHints::new("exemple", "exemple_2026-01-13T10-51.json"));
    says(
        &draft,
        &[
            ("native_id", r#"from = "url", regex = '^[^?#]*?(\d{4,})[^\d?#]*(?:[?#].*)?$'"#),
            ("list_price", r#"from = "prix", money = "fr", null = ["Prix à consulter"]"#),
            ("listed_at", r#"from = "publie", relative = "fr""#),
            ("observed_at", r#"file_name = '(\d{4}-\d{2}-\d{2}T\d{2}-\d{2})'"#),
            ("city", r#"from = "ville""#),
            ("neighbourhood", r#"from = "/attributs/Quartier""#),
            ("living_area", r#"from = "/attributs/Surface habitable", unit = "m2""#),
            ("bedrooms", r#"from = "nb_chambres""#),
            ("bathrooms", r#"regex = '^(\d+)'"#),
            ("amenities", r#"from = "équipements""#),
            ("country", r#""MA""#),
            ("currency", r#""MAD""#),
            ("purpose", r#""sale""#),
        ],
    );
}

#[test]
fn german_rents_in_csv_with_semicolons_are_drafted() {
    let header = ByteRecord::from(vec![
        "Objekt-ID",
        "Kaltmiete",
        "Wohnfläche",
        "PLZ",
        "Ort",
        "Straße",
        "Objektart",
        "Zimmer",
        "Veröffentlicht am",
    ]);
    let row = |id: &str, rent: &str, area: &str, kind: &str| {
        ByteRecord::from(vec![id, rent, area, "04109", "Leipzig", "Am Ring 3", kind, "3", "13.01.2026"])
    };
    let rows = vec![
        row("A1", "1.392,85 €", "68,5 m²", "Etagenwohnung"),
        row("A2", "990,00 €", "41 m²", "Dachgeschosswohnung"),
    ];
    let layout = Layout {
        delimiter: Some(b';'),
        encoding: Some(Encoding::Windows1252),
        skip_lines: 2,
        comments: vec!["Some \"homes\"".into()],
    };
    let sample = Sample::of_csv(&header, rows).unwrap().opened(layout);
    let hints = DraftHints { country: Some("DE".into()), ..DraftHints::new("leipzig", "leipzig.csv") };
    let draft = draft(&sample, &hints).unwrap();
    says(
        &draft,
        &[
            ("native_id", r#"from = "Objekt-ID""#),
            ("list_price", r#"from = "Kaltmiete", money = "de""#),
            ("living_area", r#"from = "Wohnfläche", number = "fr", unit = "m2""#),
            ("postal_code", r#"from = "PLZ""#),
            ("city", r#"from = "Ort""#),
            ("line", r#"from = "Straße""#),
            ("listed_at", r#"date = "%d.%m.%Y""#),
            ("purpose", r#""rent""#),
            ("currency", r#""EUR""#),
            ("delimiter", r#"";""#),
            ("encoding", r#""windows-1252""#),
            ("skip_lines", "2"),
            ("comment", r#"['Some "homes"']"#),
        ],
    );
    assert!(!draft.toml.contains("bedrooms"), "rooms are no bedrooms:\n{}", draft.toml);
}

#[test]
fn spanish_names_are_known() {
    let row = |id: u32, price: u32| {
        json!({"codigo": format!("MAD-{id}"), "precio": price, "moneda": "EUR", "habitaciones": 3, "banos": 2, "superficie": 90,
               "ciudad": "Madrid", "codigo_postal": "28001", "operacion": "venta", "tipo": "piso", "latitud": 40.41, "longitud": -3.7})
    };
    let draft = drafted(json!({"inmuebles": [row(1, 250_000), row(2, 300_000)]}), &DraftHints::new("es", "x.json"));
    says(
        &draft,
        &[
            ("native_id", r#"from = "codigo""#),
            ("list_price", r#"from = "precio""#),
            ("bedrooms", r#"from = "habitaciones""#),
            ("bathrooms", r#"from = "banos""#),
            ("living_area", r#"from = "superficie", unit = "m2""#),
            ("city", r#"from = "ciudad""#),
            ("latitude", r#"from = "latitud""#),
        ],
    );
    assert!(draft.toml.contains("\"venta\" = \"sale\""), "{}", draft.toml);
}

#[test]
fn the_values_decide_where_names_mislead() {
    let row = |id: u32, price: u32| {
        json!({"id": 5, "ref": format!("R{id}"), "price": price, "price_per_m2": 3000, "old_price": price + 10_000, "sold_price": 1,
               "currency": "EUR", "state": "TX", "status": "new", "lat": 48_137, "lng": 11.57, "city": "München", "list_date": "03/04/2026",
               "area": 80, "type": "sale"})
    };
    let sample = Sample::of_document(json!([row(1, 300_000), row(2, 310_000)])).unwrap();
    let draft = draft(&sample, &DraftHints::new("x", "x.json")).unwrap();
    assert!(line(&draft, "native_id").contains("\"ref\""), "an id is different in each row:\n{}", draft.toml);
    assert!(line(&draft, "list_price").contains("\"price\""));
    assert!(line(&draft, "previous_list_price").contains("\"old_price\""));
    assert!(line(&draft, "region").contains("\"state\""));
    let in_force = |field: &str| draft.toml.lines().any(|line| line.starts_with(&format!("{field} = ")));
    assert!(!in_force("latitude") && in_force("longitude"), "48137 is no latitude:\n{}", draft.toml);
    assert!(!in_force("listed_at"), "the 3rd of April or the 4th of March:\n{}", draft.toml);
    assert!(draft.toml.contains("#listed_at = { from = \"list_date\""), "{}", draft.toml);
    assert!(!in_force("living_area"), "nothing says the unit:\n{}", draft.toml);
}

#[test]
fn a_field_that_some_rows_cannot_fill_is_lenient_and_says_so() {
    let row = |id: u32, beds: Value| json!({"id": id, "price": 100_000 + id, "currency": "USD", "city": "Ely", "bedrooms": 3, "year": id, "list_date": beds});
    let mut rows: Vec<Value> = (1..20).map(|id| row(id, json!("2026-01-02"))).collect();
    rows.push(row(20, json!("soon")));
    let draft = drafted(json!(rows), &DraftHints::new("x", "x.json"));
    says(&draft, &[("listed_at", "lenient = true")]);
    assert!(draft.toml.contains("Fills 19 of 20 rows."), "{}", draft.toml);
    assert!(draft.toml.contains("\"soon\""), "{}", draft.toml);
}

#[test]
fn statuses_that_a_sample_of_offers_does_not_show_are_known_when_they_come() {
    let row = |id: u32, status: &str| json!({"id": id, "price": 300_000 + id, "city": "Reno", "state": "NV", "zip": "89501", "status": status});
    for (shown, later) in [
        ("Active", &["Sold", "Pending", "Contingent", "Coming Soon", "Closed", "Off Market"][..]),
        ("for_sale", &["sold", "pending", "off_market", "recently_sold"]),
        ("FOR SALE", &["SOLD", "UNDER CONTRACT"]),
    ] {
        let draft = drafted(json!([row(1, shown), row(2, shown)]), &DraftHints::new("x", "x.json"));
        let mut reader = draft.map.bind_json();
        for status in later {
            let text = row(3, status).to_string();
            let read = reader.read(MapRow::Json(text.as_bytes()), "x.json", Time::from_ms(0));
            assert!(
                matches!(read, Ok(RowOutcome::Observation(..))) || *status == "pending",
                "{status}: {read:?}\n{}",
                draft.toml
            );
        }
        let unknown = row(3, "Sold by magic").to_string();
        let refused = reader.read(MapRow::Json(unknown.as_bytes()), "x.json", Time::from_ms(0));
        assert!(refused.is_err(), "what is no status is no status still");
    }
}

#[test]
fn an_american_table_is_drafted() {
    let header = ByteRecord::from(vec![
        "MLS #",
        "Sale or Lease",
        "List Price",
        "City",
        "State",
        "Zip",
        "On Market Date",
        "Sold Date",
        "Status",
    ]);
    let row = |id: &str, day: &str, sold: &str| {
        ByteRecord::from(vec![id, "Sale", "$350,000", "Reno", "NV", "89501", day, sold, "Active"])
    };
    let rows = vec![row("A1", "03/04/2026", ""), row("A2", "3/5/2026", ""), row("A3", "11/12/2025", "")];
    let sample = Sample::of_csv(&header, rows).unwrap();
    let american = draft(&sample, &DraftHints::new("x", "x.csv")).unwrap();
    says(&american, &[("native_id", r#""MLS #""#), ("listed_at", r#"date = "%m/%d/%Y""#)]);
    assert!(american.toml.contains("[fields.purpose]\nfrom = \"Sale or Lease\""), "{}", american.toml);
    assert!(american.toml.contains("\"Sale\" = \"sale\" # 3 rows"), "{}", american.toml);
    assert!(!american.toml.contains("\npurpose = "), "each row says it: {}", american.toml);
    assert_eq!(american.toml.matches("known_words = true").count(), 2, "{}", american.toml);

    // If neither country nor currency determines it, another column may: one with a day above 12.
    let of = |sold: &str, currency: &str| {
        let row = |id: u32| json!({"id": id, "price": 300_000 + id, "city": "Ely", "currency": currency, "list_date": "03/04/2026", "sold_date": sold});
        let hints = DraftHints { purpose: Some(stoop_domain::Purpose::Sale), ..DraftHints::new("x", "x.json") };
        drafted(json!([row(1), row(2)]), &hints).toml
    };
    let month_first = "\nlisted_at = { from = \"list_date\", date = \"%m/%d/%Y\"";
    assert!(of("02/13/2026", "CAD").contains(month_first));
    assert!(of("02/03/2026", "USD").contains(month_first));
    assert!(!of("02/03/2026", "EUR").contains("\nlisted_at = "), "nothing says it");
}

#[test]
fn rents_by_the_month_and_points_with_commas_are_read() {
    let row = |id: u32, rent: &str| json!({"id": id, "precio": rent, "ciudad": "Madrid", "latitud": "40,4168", "longitud": "-3,7038"});
    let hints = DraftHints::new("es", "x.json");
    let draft = drafted(json!([row(1, "600 €/mes"), row(2, "1.250 €/mes")]), &hints);
    says(&draft, &[("list_price", r#"money = "de""#), ("purpose", r#""rent""#), ("currency", r#""EUR""#)]);
    says(&draft, &[("latitude", "latitud"), ("longitude", "longitud")]);
    let text = row(3, "600 €/mes").to_string();
    let read = draft.map.bind_json().read(MapRow::Json(text.as_bytes()), "x.json", Time::from_ms(0)).unwrap();
    let RowOutcome::Observation(seen, _) = read else { panic!() };
    assert_eq!(seen.listing.list_price.map(|price| price.0), Some(60_000));
    assert_eq!(
        (seen.listing.address.latitude_e6, seen.listing.address.longitude_e6),
        (Some(40_416_800), Some(-3_703_800))
    );
}

#[test]
fn an_id_of_the_home_is_stabler_than_that_of_its_listing() {
    let row = |id: u32| json!({"listing_id": 9_000 + id, "property_id": id, "price": 300_000 + id, "currency": "USD", "city": "Ely"});
    let draft = drafted(json!([row(1), row(2)]), &DraftHints::new("x", "x.json"));
    says(&draft, &[("native_id", r#""property_id""#)]);
}

#[test]
fn everything_the_sample_lacks_is_named_at_once() {
    let sample = Sample::of_document(json!([{"colour": "red"}, {"colour": "blue"}])).unwrap();
    let hints = draft(&sample, &DraftHints::new("x", "x.json")).unwrap_err();
    assert_eq!(hints.0.len(), 3, "{hints}");
    for part in ["no id", "--purpose", "--currency"] {
        assert!(hints.to_string().contains(part), "{hints}");
    }
}

#[test]
fn a_draft_of_an_answer_polls() {
    let url = "https://api.example.com/v1/homes?for=sale&page=1&per_page=2&apikey=s3cr3t";
    let hints = DraftHints { url: Some(url.to_owned()), ..DraftHints::new("x", "x.json") };
    let row = |id: u32| json!({"id": id, "price": 100_000 + id, "currency": "USD", "city": "Ely", "updated_at": "2026-01-02T10:00:00Z"});
    let draft = drafted(json!({"total": 5, "homes": [row(1), row(2)]}), &hints);
    assert!(!draft.toml.contains("s3cr3t"), "{}", draft.toml);
    assert_eq!(draft.params, [("key".to_owned(), "the address's apikey".to_owned())]);
    assert!(
        draft.toml.contains("#observed_at = { from = \"updated_at\""),
        "polling has a time of its own:\n{}",
        draft.toml
    );
    let source = HttpSource::new(&draft.map, &Params::from([("key".to_owned(), "k".to_owned())])).unwrap();
    let first = stoop_sources::Source::request(&source, &stoop_sources::Source::begin(&source, None)).url;
    assert_eq!(first, "https://api.example.com/v1/homes?for=sale&apikey=k&per_page=2&page=1");
}

#[test]
fn the_same_sample_gives_the_same_draft() {
    let rows = json!([{"id": 1, "price": 5e5, "currency": "USD"}, {"id": 2, "price": 6e5, "currency": "USD"}]);
    let hints = DraftHints::new("x", "x.json");
    assert_eq!(drafted(rows.clone(), &hints).toml, drafted(rows, &hints).toml);
}
