//! Yields in the API: as `stoop market` shows them, from stored sums or from markets.

use crate::api_documents::unreported;
use crate::small_town::{Town, get, json, now};
use serde_json::Value;
use stoop_domain::{Observation, PropertyType, Purpose};
use stoop_market::Wide;
use stoop_pipeline::WideArea;
use stoop_pipeline::ports::ShownWide;
use stoop_serve::api::Api;
use stoop_tests::AlteredAreas;
use stoop_tests::made::observation_in;

/// This many flats of two bedrooms in a city of a county of Souss, at one price.
fn flats([county, city]: [&str; 2], purpose: Purpose, dirhams: i64, homes: usize) -> Vec<Observation> {
    let flat = |n: usize| {
        let mut flat = observation_in(city, &format!("{city}-{}-{n}", purpose.as_str()), -60, dirhams);
        (flat.listing.address.region, flat.listing.address.county) = (Some("Souss".into()), Some(county.into()));
        (flat.listing.purpose, flat.listing.bedrooms) = (purpose, Some(2));
        flat.listing.property_type = Some(PropertyType::Apartment);
        flat
    };
    (0..homes).map(flat).collect()
}

/// Tata has 20 flats for sale at 1,200,000; the county has 40 with those of Tiznit, and 30 for rent at 5,000. As many are for
/// rent in another county.
fn town() -> Town {
    let town = Town::empty();
    let (tata, tiznit) = (["Tiznit", "Tata"], ["Tiznit", "Tiznit Ville"]);
    town.observe(&flats(tata, Purpose::Sale, 1_200_000, 20));
    town.observe(&flats(tiznit, Purpose::Sale, 1_200_000, 20));
    town.observe(&flats(tiznit, Purpose::Rent, 5_000, 30));
    town.observe(&flats(["Agadir", "Agadir"], Purpose::Rent, 9_000, 30));
    town
}

/// Whether a yield is 12 x 5,000 / 1,200,000, from two medians to a hundredth.
fn is_five_percent(kind: &Value) -> bool {
    let near = |name: &str, value: f64| (kind[name].as_f64().unwrap() / value - 1.0).abs() < 0.02;
    near("gross_yield", 0.05) && near("price_to_rent", 20.0)
}

/// The area of a level, its homes for sale and for rent, and its weight.
fn homes_of_level(level: &Value) -> (&str, i64, i64, f64) {
    let homes = |name: &str| level[name].as_i64().unwrap();
    (level["area"].as_str().unwrap(), homes("sale_homes"), homes("rent_homes"), level["weight"].as_f64().unwrap())
}

#[track_caller]
fn answer(api: &Api<'_>, target: &str) -> Value {
    let answer = json(&get(api, &format!("/api/v1/markets/{target}"), now()));
    assert_eq!(unreported("/api/v1/markets/{area}", &answer), None, "{target}");
    answer
}

#[test]
fn a_yield_leans_on_the_areas_around_up_to_the_county() {
    let town = town();
    let api = town.api();
    let found = answer(&api, "tata?yields=true");
    let kinds: Vec<_> =
        found["yields"].as_array().unwrap().iter().map(|kind| kind["label"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["all", "Apartment, 2 bedrooms"]);
    let kind = &found["yields"][1];
    assert_eq!((&kind["sale_homes"], &kind["rent_homes"]), (&20.into(), &0.into()));
    let levels: Vec<_> = kind["levels"].as_array().unwrap().iter().map(homes_of_level).collect();
    assert_eq!(levels, [("ma/~souss/~tiznit/~tata", 20, 0, 0.0), ("ma/~souss/~tiznit", 40, 30, 1.0)]);
    assert!(is_five_percent(kind), "{kind}");
    let all = &found["yields"][0];
    assert_eq!((&all["sale_homes"], &all["matched_share"]), (&20.into(), &1.0.into()));
    assert!(is_five_percent(all), "{all}");
    assert_eq!(answer(&api, "tata?yields=true&purpose=sale")["yields"], found["yields"], "the rents are read anyway");
    assert_eq!(answer(&api, "agadir?yields=true&purpose=rent")["yields"], serde_json::json!([]), "of homes for sale");
}

#[test]
fn yields_are_shown_only_if_requested_and_empty_without_rents() {
    let town = town();
    assert_eq!(answer(&town.api(), "tata").get("yields"), None);
    assert_eq!(answer(&town.api(), "tata?yields=false").get("yields"), None);
    assert_eq!(answer(&Town::new().api(), "98178?yields=true")["yields"], serde_json::json!([]));
}

#[test]
fn a_small_county_whose_sum_lags_is_added_up() {
    let town = town();
    let current = answer(&town.api(), "tata?yields=true");
    let lagging = AlteredAreas::new(&*town.database, |_: &WideArea, shown: Option<ShownWide>| {
        Ok(shown.map(|_| ShownWide { sum: Wide::default(), rolled_up: Some(now().plus_ms(-60_000)) }))
    });
    let added_up = answer(&Api::new(&*town.database, &*town.database, &lagging, &*town.database), "tata?yields=true");
    assert!(is_five_percent(&added_up["yields"][0]) && added_up.get("rolled_up_at").is_none(), "{added_up}");
    assert_eq!(added_up["yields"], current["yields"]);
}
