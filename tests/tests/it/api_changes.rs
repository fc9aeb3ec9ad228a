//! Changes in the lists of the API.

use crate::api_documents::unreported;
use crate::small_town::{Town, get, json, now};
use serde_json::Value;
use stoop_domain::Observation;
use stoop_pipeline::WideArea;
use stoop_serve::api::Api;
use stoop_tests::AlteredAreas;
use stoop_tests::made::observation_in;

#[track_caller]
fn list(town: &Town, query: &str) -> Value {
    let answer = json(&town.get(&format!("/api/v1/markets?{query}")));
    assert_eq!(unreported("/api/v1/markets", &answer), None, "{query}");
    answer
}

fn column(answer: &Value, of: impl Fn(&Value) -> Value) -> Vec<Value> {
    answer["markets"].as_array().unwrap().iter().map(of).collect()
}

/// A home in a county of Souss, in a city of its own, from a week before noon on.
fn home(county: &str, id: usize) -> Observation {
    let mut home = observation_in(&format!("City {id}"), &format!("{county}-{id}"), -7 * 1_440, 100_000);
    (home.listing.address.region, home.listing.address.county) = (Some("Souss".into()), Some(county.into()));
    home
}

#[test]
fn a_row_has_the_change_that_its_area_shows() {
    let town = Town::new();
    for query in
        ["area=king&change=7", "area=king&sort=active&change=7", "level=region&change=7", "level=city&change=7"]
    {
        for row in list(&town, query)["markets"].as_array().unwrap() {
            let shown = json(&town.get(&format!("/api/v1/markets/{}", row["id"].as_str().unwrap())));
            let changes = shown["markets"][0]["changes"].as_array().unwrap().clone();
            let week = changes.into_iter().find(|change| change["days"] == 7);
            assert_eq!(row.get("change"), week.as_ref(), "{query}: {}", row["id"]);
        }
    }
    let rows = list(&town, "area=98178&change=7");
    let change = &rows["markets"][0]["change"];
    // Four homes were on offer on January 7, three of them with these prices: 540,000, 604,000 and 720,000.
    assert_eq!((&change["since"], &change["active"], &change["priced"]), (&"2026-01-07".into(), &3.into(), &3.into()));
    assert_eq!((&change["active_change"], &change["thin"]), (&(-0.3333).into(), &true.into()));
}

#[test]
fn no_change_is_shown_unless_requested_or_sorted_by() {
    let town = Town::new();
    let changes =
        |query: &str| column(&list(&town, query), |row| row.get("change").map_or(Value::Null, |it| it["days"].clone()));
    assert_eq!(changes("area=king"), [Value::Null, Value::Null]);
    assert_eq!(changes("area=king&change=1"), [Value::from(1), Value::from(1)]);
    assert_eq!(changes("area=king&sort=active_change"), [Value::Null, Value::Null], "28 days ago was not observed");
    assert_eq!(changes("area=king&sort=active_change&change=3"), [Value::from(3), Value::from(3)]);
    assert_eq!(changes("area=king&change=365"), [Value::Null, Value::Null]);
}

#[test]
fn lists_are_sorted_by_a_change_from_sums_and_from_markets() {
    let town = Town::new();
    let changes = |answer: &Value| column(answer, |row| row["change"]["median_price_change"].clone());
    let names = |answer: &Value| column(answer, |row| row["id"].clone());
    let lowest = list(&town, "level=region&sort=median_price_change&change=3");
    let known: Vec<f64> = changes(&lowest).iter().filter_map(Value::as_f64).collect();
    assert!(known.len() >= 2 && known.is_sorted(), "{known:?}");
    let highest = list(&town, "level=region&sort=median_price_change&change=3&desc=true&limit=1");
    assert_eq!(changes(&highest)[0].as_f64(), known.last().copied());
    assert_eq!((highest["total"].as_u64(), names(&highest).len()), (lowest["total"].as_u64(), 1));
    let areas = AlteredAreas::new(&*town.database, |_: &WideArea, _| Ok(None));
    let api = Api::new(&*town.database, &*town.database, &areas, &*town.database);
    let target = "/api/v1/markets?level=region&sort=median_price_change&change=3";
    let added_up = json(&get(&api, target, now()));
    assert!(changes(&added_up).iter().filter_map(Value::as_f64).is_sorted(), "{:?}", changes(&added_up));
    assert_eq!(names(&added_up)[0], names(&lowest)[0]);
}

#[test]
fn changes_of_too_many_areas_are_refused_and_only_shown_rows_count() {
    let town = Town::empty();
    town.observe(&(0..65).map(|n| home(&format!("County {n}"), n)).collect::<Vec<_>>());
    let refused = |query: &str| {
        let answer = town.get(&format!("/api/v1/markets?{query}"));
        assert_eq!(answer.status, 422, "{query}");
        json(&answer)["detail"].as_str().unwrap().to_owned()
    };
    let said = refused("level=county&sort=active_change&change=3&limit=1");
    assert!(
        said.starts_with(
            "the sums of 65 areas would be read for their changes, more than the 64 that may be; accepted"
        ),
        "{said}"
    );
    let few = list(&town, "level=county&sort=active&change=3&limit=64");
    assert_eq!(column(&few, |row| row["change"]["days"].clone()), vec![Value::from(3); 64]);
    assert_eq!(few["total"], 65);
    let town = Town::empty();
    town.observe(&(0..2_001).map(|n| home("Tata", n)).collect::<Vec<_>>());
    let cities = town.get("/api/v1/markets?level=city&sort=active_change&change=3");
    assert_eq!(cities.status, 422, "{}", String::from_utf8_lossy(&cities.body));
    let some = list(&town, "level=city&sort=active&change=3&limit=2");
    assert_eq!(column(&some, |row| row["change"]["days"].clone()), [Value::from(3), Value::from(3)]);
}
