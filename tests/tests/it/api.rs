//! The API: the response of each route, and its errors.

use std::sync::Arc;

use crate::small_town::{BEARER, TOKEN, Town, ask, block_on, get, grant, header, json, now};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::Value;
use stoop_domain::{Status, Time};
use stoop_pipeline::ports::FailureKind;
use stoop_serve::api::{Api, ApiRequest, Grant};
use stoop_tests::Faulty;
use stoop_tests::made::observation_in;

/// The response for a snapshot: status and JSON.
fn shown(town: &Town, target: &str) -> String {
    let response = town.get(target);
    format!("GET {target}\n{} {:#}", response.status, json(&response))
}

/// An error's status, code and message on one line.
fn refused(town: &Town, target: &str) -> String {
    let response = town.get(target);
    let error = &json(&response);
    let details = error.get("details").map(|details| format!(" {details}")).unwrap_or_default();
    format!("{target}\n  {} {}: {}{details}", response.status, error["code"], error["detail"].as_str().unwrap())
}

#[test]
fn each_route_answers_in_its_shape() {
    let town = Town::new();
    assert_snapshot!("markets", shown(&town, "/api/v1/markets?limit=2"));
    assert_snapshot!("markets_of_an_area", shown(&town, "/api/v1/markets?area=king&limit=1"));
    assert_snapshot!("market", shown(&town, "/api/v1/markets/haut%20founty?purpose=sale&days=2"));
    assert_snapshot!("home", shown(&town, "/api/v1/homes/kc/1001"));
    assert_snapshot!("alerts", shown(&town, "/api/v1/alerts?suspects=true&limit=2"));
}

#[test]
fn an_area_is_the_sum_of_its_markets() {
    let town = Town::new();
    let area = json(&town.get("/api/v1/markets/king%20county?days=1"));
    let ids = ["us/wa/king/seattle/98103:sale:USD", "us/wa/king/seattle/98178:sale:USD"];
    assert_eq!(area["consists_of"], serde_json::json!(ids));
    assert_eq!(area["markets"][0]["active"], 4);
    assert_eq!(area["markets"][0]["mean_price"], 801_037.5);
    assert_eq!(area["as_of"], "2026-01-14T12:00:00Z");
    let before = json(&town.get("/api/v1/markets/us/wa/king?as_of=2026-01-03"));
    assert_eq!(before["markets"][0]["active"], 2, "others are seen later on that day there");
    assert_eq!(json(&town.get("/api/v1/markets/agadir"))["markets"].as_array().unwrap().len(), 2, "sale and rent");
    let rents = json(&town.get("/api/v1/markets/agadir?purpose=rent"));
    assert_eq!(rents["markets"][0]["mean_price"], 6_500.0);
}

#[test]
fn an_area_is_found_by_every_spelling_of_its_path() {
    let town = Town::new();
    for same in [
        "us/wa/king/seattle/98178",
        "us%2Fwa%2Fking%2Fseattle%2F98178",
        "98178",
        "US/Washington/King%20County/-/98178",
        "us/wa/king/renton/98178",
        "98178%20seattle%2C%20wa",
    ] {
        assert_eq!(json(&town.get(&format!("/api/v1/markets/{same}")))["path"], "us/wa/king/seattle/98178", "{same}");
    }
    assert_eq!(json(&town.get("/api/v1/markets/ma/"))["name"], "MA", "a country by its path");
    assert_eq!(json(&town.get("/api/v1/markets/"))["total"], 4, "no area at all: the list");
    for same in ["/api/v1/homes/kc/10/06%20%C3%A9", "/api/v1/homes/kc%2F10%2f06 é"] {
        assert_eq!(json(&town.get(same))["id"], "kc/10/06 é", "{same}");
    }
    let market = "/api/v1/markets/us/wa/king/seattle/98178:sale:USD";
    assert_eq!(json(&town.get(market))["markets"][0]["id"], "us/wa/king/seattle/98178:sale:USD");
}

#[test]
fn errors_say_what_would_be_accepted() {
    let town = Town::new();
    let (long_path, long_query) = (format!("/api/v1/markets/{}", "x".repeat(2_100)), "x".repeat(4_100));
    let long_area = format!("/api/v1/markets/{}", "é".repeat(201));
    let targets = [
        "/",
        "/api/v1",
        "/api/v2/markets",
        "/api/v1/homes",
        "/api/v1/alerts/7",
        "/api/v1/markets/98179",
        "/api/v1/markets/98178?purpose=rent",
        "/api/v1/markets/98178:nonsense",
        "/api/v1/markets/98104",
        "/api/v1/markets/austin%20tx",
        "/api/v1/alerts?area=seatle",
        "/api/v1/markets/us/wa/kong",
        "/api/v1/homes/kc/9",
        "/api/v1/markets/%ff",
        "/api/v1/markets/98178?days=0&as_of=yesterday&colour=red&purpose=buy&currency=dollars&days=3",
        "/api/v1/markets?limit=1001&as_of=2026-01-13&cursor=98178",
        "/api/v1/markets?area=king&limit=101",
        "/api/v1/markets?level=state&sort=price&desc=yes&min_homes=-1&limit=1001",
        "/api/v1/markets?sort=active&min_homes=1&desc=true",
        "/api/v1/markets?level=city&desc=true&cursor=us/wa/king/seattle/98178:sale:USD",
        "/api/v1/markets?area=king&min_homes=0&cursor=us/wa/king/seattle/98178:sale:USD",
        "/api/v1/markets?area=us/wa/king&level=region",
        "/api/v1/markets?area=98178&level=city",
        "/api/v1/markets?area=",
        "/api/v1/homes/kc/1001?limit=-1",
        "/api/v1/alerts?suspects=yes&limit=501",
        &long_area,
    ];
    let mut shown: Vec<String> = targets.map(|target| refused(&town, target)).to_vec();
    for long in [long_path, format!("/api/v1/markets?{long_query}")] {
        shown.push(refused(&town, &long).replace(&"x".repeat(50), ""));
    }
    assert_snapshot!("refused", shown.join("\n"));
}

#[test]
fn an_ambiguous_name_is_answered_with_all_places() {
    let town = Town::new();
    let mut elsewhere = observation_in("Seattle", "7", 0, 100);
    elsewhere.listing.address.region = Some("Souss".into());
    town.observe(&[elsewhere]);
    let response = town.get("/api/v1/markets/seattle");
    assert_eq!((response.status, &json(&response)["code"]), (400, &Value::from("ambiguous_area")));
    let error = &json(&response);
    assert_eq!(error["details"], serde_json::json!(["us/wa/king/seattle", "ma/~souss/-/~seattle"]));
    let names = ["Seattle, King County, Washington, United States", "Seattle, Souss, Morocco"];
    assert_eq!(
        error["areas"],
        serde_json::json!([
            { "path": "us/wa/king/seattle", "name": names[0], "markets": 2 },
            { "path": "ma/~souss/-/~seattle", "name": names[1], "markets": 1 },
        ])
    );
    for path in ["us/wa/king/seattle", "ma/~souss/-/~seattle", "ma/souss/-/seattle"] {
        assert_eq!(town.get(&format!("/api/v1/markets/{path}")).status, 200, "{path}");
    }
}

#[test]
fn nothing_but_health_answers_without_the_token() {
    let town = Town::new();
    let api = town.api();
    let targets =
        ["/api/v1/markets", "/api/v1/markets/98178", "/api/v1/homes/kc/1001", "/api/v1/alerts", "/", "/api/v1/x"];
    for target in targets {
        let unknown = ask(&api, "GET", target, None, now());
        assert_eq!(
            (unknown.status, header(&unknown, "www-authenticate")),
            (401, Some(r#"Bearer realm="stoop""#)),
            "{target}"
        );
        for wrong in
            ["", "Bearer", "Bearer only-for-tests-0123456780", &BEARER[..31], "Basic only-for-tests-0123456789", TOKEN]
        {
            let wrong = ask(&api, "POST", target, Some(wrong), now());
            assert_eq!(wrong.status, 401, "{target}");
            assert_eq!(header(&wrong, "www-authenticate"), Some(r#"Bearer realm="stoop", error="invalid_token""#));
        }
        let request =
            ApiRequest { method: "GET", path: target, query: "", authorization: Some(BEARER), ..ApiRequest::default() };
        assert_eq!(
            block_on(api.answer(request, Grant::NoToken, now(), now())).status,
            503,
            "{target}: no access without a token"
        );
        assert_ne!(block_on(api.answer(request, Grant::Read, now(), now())).status, 401, "{target}");
    }
    let health = ask(&api, "GET", "/health", None, now());
    assert_eq!((health.status, json(&health)["status"].as_str()), (200, Some("ok")));
    assert_eq!(json(&health)["version"], env!("CARGO_PKG_VERSION"));
    let request = ApiRequest { method: "GET", path: "/health", ..ApiRequest::default() };
    assert_eq!(block_on(api.answer(request, Grant::NoToken, now(), now())).status, 200, "healthy, though it refuses");
}

#[test]
fn the_api_is_read_only() {
    let town = Town::new();
    for target in ["/health", "/api/v1/markets", "/api/v1/homes/kc/1001"] {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", ""] {
            let response = ask(&town.api(), method, target, Some(BEARER), now());
            assert_eq!((response.status, header(&response, "allow")), (405, Some("GET, HEAD")), "{method} {target}");
        }
        let [head, get] = ["HEAD", "GET"].map(|method| ask(&town.api(), method, target, Some(BEARER), now()));
        assert_eq!((head.status, &head.headers, head.body.len()), (get.status, &get.headers, 0));
        assert_eq!(header(&get, "content-type"), Some("application/json"));
        assert_eq!(header(&get, "cache-control"), Some("private, no-cache"));
    }
}

#[test]
fn a_failing_store_is_hidden_from_clients() {
    let town = Town::new();
    let store = Faulty::new(Arc::clone(&town.database));
    let api = Api::new(&store, &*town.database, &*town.database, &*town.database);
    for target in ["/api/v1/markets/98178", "/api/v1/homes/kc/1001", "/api/v1/markets?area=king"] {
        store.fail_reads(1);
        let response = get(&api, target, now());
        let message = "the response could not be built; retrying may help";
        let error = serde_json::json!({ "type": "urn:stoop:problem:internal", "title": "Internal Server Error", "status": 500, "detail": message, "code": "internal" });
        assert_eq!((response.status, json(&response)), (500, error), "{target}");
        assert_eq!(get(&api, target, now()).status, 200, "{target}: a transient fault has no lasting effect");
    }
    store.fail_as(FailureKind::Damaged);
    store.fail_reads(1);
    let answer = json(&get(&api, "/api/v1/markets/98178", now()));
    let message = "the response could not be built; retrying does not help, and the server's log has the cause";
    assert_eq!(answer["detail"], message, "what is damaged stays so");
}

#[test]
fn a_long_list_is_read_page_by_page() {
    let town = Town::empty();
    let cities: Vec<_> = (0..2_001).map(|i| observation_in(&format!("City {i}"), &i.to_string(), 0, 100)).collect();
    town.observe(&cities);
    let mut ids: Vec<String> = Vec::new();
    let mut target = "/api/v1/markets?limit=900".to_owned();
    for page in [900, 900, 201] {
        let list = json(&town.get(&target));
        assert_eq!(list["total"], 2_001);
        assert_eq!(list["markets"].as_array().unwrap().len(), page);
        ids.extend(list["markets"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        target = format!("/api/v1/markets?limit=900&cursor={}", list["next"].as_str().unwrap_or("none"));
    }
    assert!(target.ends_with("none"), "the third page was the last");
    let total = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), total), (2_001, 2_001), "each market is on one page");
}

#[test]
fn a_home_of_many_intervals_returns_the_latest() {
    let town = Town::new();
    let flips: Vec<_> = (0..30).map(|i| observation_in("Fes", "7", i * 24 * 60, 100_000 + i % 2)).collect();
    town.observe(&flips);
    let home = json(&town.get("/api/v1/homes/avito/7?limit=3"));
    let times: Vec<&str> =
        home["intervals"].as_array().unwrap().iter().map(|s| s["first_seen"].as_str().unwrap()).collect();
    assert_eq!(times, ["2026-02-10T12:00:00Z", "2026-02-11T12:00:00Z", "2026-02-12T12:00:00Z"]);
    assert_eq!((home["intervals_total"].as_u64(), home["events_total"].as_u64()), (Some(30), Some(30)));
}

#[test]
fn alerts_of_an_area_are_those_of_its_markets() {
    let town = Town::new();
    let ids = |target: &str| -> Vec<String> {
        let list = json(&town.get(target));
        list["alerts"].as_array().unwrap().iter().map(|alert| alert["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids("/api/v1/alerts"), ["b81e77f3", "4f0c2d9a"], "the latest first, suspects apart");
    assert_eq!(ids("/api/v1/alerts?suspects=true"), ["c06a51d2", "b81e77f3", "4f0c2d9a"]);
    assert_eq!(ids("/api/v1/alerts?area=98178&limit=1"), ["b81e77f3"]);
    assert_eq!(ids("/api/v1/alerts?area=agadir"), [""; 0]);
    for (target, more) in [("?limit=1", true), ("?limit=2", false), ("?limit=1&area=king", true), ("?area=king", false)]
    {
        assert_eq!(json(&town.get(&format!("/api/v1/alerts{target}")))["more"], more, "{target}");
    }
}

#[test]
fn names_of_markets_are_cached_for_a_minute_at_most() {
    let town = Town::empty();
    let api = town.api();
    let later = |seconds: i64| now().plus_ms(seconds * Time::SECOND_MS);
    let total = |seconds: i64| json(&get(&api, "/api/v1/markets", later(seconds)))["total"].clone();
    assert_eq!(total(0), 0);
    town.observe(&[observation_in("Fes", "1", 0, 100)]);
    assert_eq!(total(1), 1, "that there is nothing yet is not remembered");
    town.observe(&[observation_in("Rabat", "2", 0, 100)]);
    assert_eq!(total(2), 1);
    assert_eq!(get(&api, "/api/v1/markets/rabat", later(3)).status, 404);
    assert_eq!(get(&api, "/api/v1/markets/rabat", later(7)).status, 200, "an unknown name is searched again");
    town.observe(&[observation_in("Safi", "3", 0, 100)]);
    assert_eq!([total(8), total(66), total(67)], [2, 2, 3].map(Value::from));
    assert_eq!(total(-5), 3, "a clock that was set back");
}

#[test]
fn an_area_has_a_repeat_listing_index_if_it_is_wanted() {
    let town = Town::new();
    let index = |query: &str| {
        let area = json(&town.get(&format!("/api/v1/markets/98178{query}")));
        area["markets"][0].as_object().unwrap().get("repeat_index").cloned()
    };
    assert_eq!((index(""), index("?index=false")), (None, None));
    assert_eq!(index("?index=true"), Some(Value::Array(Vec::new())), "too few homes were listed again");
    let sold_and_listed = (0..30).flat_map(|home: i64| {
        let of = |days: i64, status, dirhams| {
            let mut seen = observation_in("Safi", &home.to_string(), days * 1_440, dirhams);
            seen.listing.status = status;
            seen
        };
        [of(-60, Status::Active, 900_000), of(-40, Status::Closed, 900_000), of(-5, Status::Active, 945_000)]
    });
    town.observe(&sold_and_listed.collect::<Vec<_>>());
    let area = json(&town.get("/api/v1/markets/safi?index=true&days=7"));
    let expected = serde_json::json!([
        {"month": "2025-11", "index": 100.0, "pairs": 30, "thin": false},
        {"month": "2026-01", "index": 105.0, "pairs": 30, "thin": false},
    ]);
    assert_eq!(area["markets"][0]["repeat_index"], expected);
    assert_eq!(town.get("/api/v1/markets/safi?index=yes").status, 400);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_request_gets_a_json_response(
        method in prop_oneof![8 => Just("GET".to_owned()), 1 => ".{0,6}"],
        path in prop_oneof![
            "/api/v1/(markets|homes|alerts|compare|runs|searches|catalogue)(/[a-z0-9%:*/ -]{0,24}){0,3}",
            "/(api|api/v1|health)?(/.{0,12}){0,4}",
            ".{0,60}",
        ],
        query in prop_oneof![
            "((area|purpose|currency|as_of|limit|cursor|days|suspects|sort|desc|min_homes)=[a-z0-9%+:/T-]{0,20}&?){0,6}",
            "(level=(city|county|region|country)|sort=(active|median_price|cut_share)|min_homes=[0-9]|area=(ma/|king|us/wa)|&){0,7}",
            "area=(ma/|king|us/wa)(&(beds|status|type|min_price|max_price|sort|cursor|limit)=[A-Za-z0-9%+~./-]{0,20}){0,5}",
            ".{0,80}",
        ],
        authorization in prop_oneof![6 => Just(Some(BEARER.to_owned())), 1 => proptest::option::of(".{0,60}")],
    ) {
        thread_local!(static TOWN: Town = Town::new());
        let request = ApiRequest { method: &method, path: &path, query: &query, authorization: authorization.as_deref(), ..ApiRequest::default() };
        let response = TOWN.with(|town| block_on(town.api().answer(request, grant(request.authorization), now(), now())));
        prop_assert!(response.status < 500, "{} {:?}", response.status, String::from_utf8_lossy(&response.body));
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        prop_assert_eq!(response.status == 200, body.get("code").is_none());
    }
}

#[test]
fn the_newest_observation_and_its_lag_are_shown() {
    let town = Town::new();
    let lag = |target: &str| {
        let market = json(&town.get(&format!("/api/v1/markets/{target}")))["markets"][0].clone();
        (market["observed_at"].clone(), market["lag_seconds"].clone())
    };
    assert_eq!(lag("king"), ("2026-01-13T18:30:00Z".into(), 63_000.into()));
    assert_eq!(lag("98103"), ("2026-01-11T18:00:00Z".into(), 237_600.into()));
    assert_eq!(lag("98103?as_of=2026-01-08"), ("2026-01-11T18:00:00Z".into(), Value::Null), "it was later");
    assert_eq!(lag("us/wa"), lag("king"), "though the figures are from a stored sum");
    for (markets, is_known) in [(200, true), (201, false)] {
        let town = Town::empty();
        let homes = (0..markets).map(|id| observation_in(&format!("City {id}"), &format!("{id}"), -60, 100_000));
        town.observe(&homes.collect::<Vec<_>>());
        let market = json(&town.get("/api/v1/markets/ma/"))["markets"][0].clone();
        assert_eq!(market["lag_seconds"].as_i64(), is_known.then_some(3_600), "{markets} markets");
    }
}
