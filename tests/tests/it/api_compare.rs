//! Areas side by side in the API.

use crate::api_documents::unreported;
use crate::small_town::{Town, get, json, now};
use insta::assert_snapshot;
use serde_json::Value;
use stoop_domain::{Currency, Observation};
use stoop_pipeline::WideArea;
use stoop_pipeline::ports::{PortError, ShownWide};
use stoop_serve::api::Api;
use stoop_tests::AlteredAreas;
use stoop_tests::made::observation;

#[track_caller]
fn compared(town: &Town, query: &str) -> Value {
    let answer = json(&town.get(&format!("/api/v1/compare?{query}")));
    assert_eq!(unreported("/api/v1/compare", &answer), None, "{query}");
    answer
}

/// The figures' names, each with its part and its values.
fn rows(answer: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let values: Vec<String> = row["values"].as_array().unwrap().iter().map(|it| it["value"].to_string()).collect();
        format!("{} {} {}", row["figure"].as_str().unwrap(), row["part"].as_str().unwrap_or("-"), values.join(" "))
    };
    answer["figures"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn each_value_is_that_of_the_area_alone() {
    let town = Town::new();
    let answer = compared(&town, "area=98103&area=98178&area=king");
    let names: Vec<&Value> = answer["areas"].as_array().unwrap().iter().map(|area| &area["path"]).collect();
    assert_eq!(names, ["us/wa/king/seattle/98103", "us/wa/king/seattle/98178", "us/wa/king"]);
    for (at, path) in names.into_iter().enumerate() {
        let alone = json(&town.get(&format!("/api/v1/markets/{}?days=1", path.as_str().unwrap())));
        let market = &alone["markets"][0];
        for row in answer["figures"].as_array().unwrap() {
            let of = row["window"].as_str().map_or(market, |window| &market[window]);
            let (value, name) = (&row["values"][at], row["figure"].as_str().unwrap());
            assert_eq!(value["value"].as_f64(), of[name].as_f64(), "{name} of {path}");
            let is_count = of[name].is_i64();
            assert_eq!(
                (value["sample"].is_null(), &value["thin"]),
                (is_count, &Value::from(!is_count && !of[name].is_null()))
            );
        }
        for changes in answer["changes"].as_array().unwrap() {
            let shown = market["changes"].as_array().unwrap().iter().find(|change| change["days"] == changes["days"]);
            assert_eq!(Some(&changes["values"][at]).filter(|change| !change.is_null()), shown);
        }
    }
    assert_eq!(answer["changes"].as_array().unwrap().len(), 1, "of 7 days");
}

#[test]
fn figures_parts_and_windows_are_as_requested() {
    let town = Town::new();
    let two = "area=98178&area=98103";
    let asked = compared(&town, &format!("{two}&figures=active,homes_cut&window=7"));
    assert_eq!(rows(&asked), ["active - 2.0 2.0", "homes_cut - 1.0 0.0"]);
    assert_eq!((&asked["figures"][1]["window"], &asked["changes"]), (&"last_7_days".into(), &serde_json::json!([])));
    let parts = compared(&town, &format!("{two}&by=bedrooms&figures=active"));
    assert_eq!(rows(&parts), ["active 3 bedrooms 2.0 1.0", "active 5 bedrooms null 1.0"]);
    let kinds = compared(&town, &format!("{two}&by=type&figures=median_price"));
    assert_eq!(rows(&kinds).len(), 1);
    let rents = compared(&town, "area=agadir&area=ma/&purpose=rent&figures=active");
    assert_eq!(rows(&rents), ["active - 1.0 1.0"]);
    let past = compared(&town, &format!("{two}&figures=active&as_of=2026-01-08"));
    assert_eq!(rows(&past), ["active - 3.0 1.0"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let town = Town::new();
    let euros: Vec<Observation> = vec![Observation {
        listing: stoop_domain::Listing { currency: Currency::EUR, ..observation("9", -60, 100_000).listing },
        ..observation("9", -60, 100_000)
    }];
    town.observe(&euros);
    let refused = |query: &str| {
        let response = town.get(&format!("/api/v1/compare?{query}"));
        format!("{query}\n  {} {}", response.status, json(&response)["detail"].as_str().unwrap())
    };
    let many = ["area=98178"; 9].join("&");
    let queries = [
        "area=98178",
        &many,
        "area=98178&area=",
        "area=98178&area=98103&purpose=rent",
        "area=98178&area=zzyzxquarry",
        "area=98178&area=ma/",
        "area=98178&area=98103&by=street&window=14&figures=active,beauty&by=type",
    ];
    let said = queries.map(refused).join("\n");
    let (figures, _) = said.split_once("accepted: active, unconfirmed").unwrap();
    assert_snapshot!("not_compared", figures);
    assert_eq!(town.get("/api/v1/compare?area=98178&area=ma/&currency=USD").status, 404);
    assert_eq!(rows(&compared(&town, "area=ma/&area=agadir&currency=MAD&figures=active"))[0], "active - 2.0 2.0");
}

#[test]
fn the_lag_of_a_sum_is_reported() {
    let town = Town::new();
    let behind = |_: &WideArea, shown: Option<ShownWide>| -> Result<Option<ShownWide>, PortError> {
        Ok(shown.map(|shown| ShownWide { rolled_up: Some(now().plus_ms(-1_000)), ..shown }))
    };
    let areas = AlteredAreas::new(&*town.database, behind);
    let api = Api::new(&*town.database, &*town.database, &areas, &*town.database);
    let at = |query: &str| json(&get(&api, &format!("/api/v1/compare?{query}"), now())).get("rolled_up_at").cloned();
    assert_eq!(at("area=98178&area=us/wa"), Some("2026-01-14T11:59:59Z".into()));
    assert_eq!(at("area=98178&area=98103"), None);
}
