//! Wide areas in the API: from stored sums if there are any, otherwise added up.

use std::sync::Mutex;

use crate::api_documents::unreported;
use crate::small_town::{Town, get, json, now};
use async_trait::async_trait;
use insta::assert_snapshot;
use serde_json::{Value, json as value};
use stoop_domain::{Market, Observation, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::{PortError, ShownWide, VisitWide, WideAreas};
use stoop_pipeline::{WideArea, WideLevel};
use stoop_serve::api::Api;
use stoop_serve::{AreaView, FoundArea, find_area};
use stoop_tests::AlteredAreas;
use stoop_tests::made::observation_in;

type Shown = Result<Option<ShownWide>, PortError>;

/// The response when `alter` changes each stored sum.
fn altered(town: &Town, target: &str, alter: impl Fn(&WideArea, ShownWide) -> Shown + Send + Sync) -> (u16, Value) {
    let alter = |area: &WideArea, shown: Option<ShownWide>| shown.map_or(Ok(None), |shown| alter(area, shown));
    let areas = AlteredAreas::new(&*town.database, alter);
    let response = get(&Api::new(&*town.database, &*town.database, &areas, &*town.database), target, now());
    let route = if target.contains("/markets/") { "/api/v1/markets/{area}" } else { "/api/v1/markets" };
    let answer = json(&response);
    assert!(
        response.status != 200 || unreported(route, &answer).is_none(),
        "{target}: {:?}",
        unreported(route, &answer)
    );
    (response.status, answer)
}

/// Doubles every home in a stored sum, to show which responses use one.
fn twice(_: &WideArea, mut shown: ShownWide) -> Shown {
    shown.sum.add(&shown.sum.clone());
    Ok(Some(shown))
}

fn none(_: &WideArea, _: ShownWide) -> Shown {
    Ok(None)
}

/// `of` gives the time of a lagging sum; `None` means up to date.
fn behind(of: impl Fn(&WideArea) -> Option<&'static str>) -> impl Fn(&WideArea, ShownWide) -> Shown {
    move |area, shown| Ok(Some(ShownWide { rolled_up: of(area).map(|at| Time::parse(at).unwrap()), ..shown }))
}

/// A home in a county of Souss, each in its own city.
fn home(county: &str, id: usize, dirhams: i64) -> Observation {
    let mut home = observation_in(&format!("City {id}"), &format!("{county}-{id}"), -60, dirhams);
    (home.listing.address.region, home.listing.address.county) = (Some("Souss".into()), Some(county.into()));
    home
}

/// A town with this many cities of one home each.
fn cities(county: &str, cities: usize) -> Town {
    let town = Town::empty();
    town.observe(&(0..cities).map(|id| home(county, id, 100_000)).collect::<Vec<_>>());
    town
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["markets"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect()
}

fn states(town: &Town, markets: &[Market]) -> Vec<(Market, Cells)> {
    let state = |market: &Market| (market.clone(), town.database.cells(market).unwrap().unwrap());
    markets.iter().map(state).collect()
}

/// Adds when the newest observations were made.
fn observed(town: &Town, found: &FoundArea, view: &mut AreaView) {
    for market in &mut view.markets {
        let newest = town.database.observed_at(&market.observed_markets(found)).unwrap();
        market.add_observed(newest, now());
    }
}

/// An area, added up.
fn plain(town: &Town, query: &str, days: u16) -> Value {
    let found = find_area(query, &town.database.market_ids().unwrap()).unwrap();
    let mut view = AreaView::of(&found, &states(town, &found.markets), now(), days);
    observed(town, &found, &mut view);
    serde_json::to_value(view).unwrap()
}

#[test]
fn a_country_and_a_region_are_shown_from_their_sums() {
    let town = Town::new();
    for is_rolled in [false, true] {
        for area in ["ma/", "us/", "us/wa"] {
            let answer = json(&town.get(&format!("/api/v1/markets/{area}?days=400")));
            let plain = plain(&town, area, 400);
            assert!(answer["markets"] == plain["markets"], "{area}, rolled up: {is_rolled}: {:#}", answer["markets"]);
            assert_eq!(answer["consists_of"], plain["consists_of"]);
            assert_eq!((answer.get("rolled_up_at"), answer["as_of"].as_str()), (None, Some("2026-01-14T12:00:00Z")));
        }
        assert!(town.database.roll_up(now(), &|| false).unwrap() > 0 || is_rolled);
    }
}

#[test]
fn stored_sums_are_read_if_adding_up_would_take_long() {
    let town = Town::new();
    for (target, active) in [
        ("us/", 8),
        ("us/wa?days=400", 8),
        ("us/wa?purpose=sale", 8),
        ("ma/:rent", 2),
        ("us/wa?days=401", 4),
        ("us/wa/king", 4),
        ("us/wa/king/seattle", 4),
        ("98178", 2),
        ("us/wa?as_of=2026-01-08", 4),
    ] {
        let (_, answer) = altered(&town, &format!("/api/v1/markets/{target}"), twice);
        assert_eq!(answer["markets"][0]["active"], active, "{target}");
    }
    for (markets, active) in [(200, 200), (201, 402)] {
        let (_, county) = altered(&cities("Tata", markets), "/api/v1/markets/tata", twice);
        assert_eq!(county["path"], "ma/~souss/~tata");
        assert_eq!((&county["markets"][0]["active"], &county["consists_of_total"]), (&active.into(), &markets.into()));
    }
}

/// Areas without sums, which records the requests.
#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

impl Noted {
    /// The areas that a request reads.
    fn asked(town: &Town, target: &str) -> Vec<String> {
        let noted = Self::default();
        assert_eq!(
            get(&Api::new(&*town.database, &*town.database, &noted, &*town.database), target, now()).status,
            200,
            "{target}"
        );
        noted.0.into_inner().unwrap()
    }
}

#[async_trait]
impl WideAreas for Noted {
    async fn wide(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        self.0.lock().unwrap().push(format!("{area}, {markets} markets, {now}"));
        Ok(None)
    }

    async fn now(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        self.wide(area, markets, now).await
    }

    fn may_lag(&self) -> bool {
        true
    }

    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        _: &mut VisitWide<'_>,
    ) -> Result<(), PortError> {
        let markets: Vec<String> = markets.iter().map(ToString::to_string).collect();
        self.0.lock().unwrap().push(format!("{}, {}, {now}", level.as_str(), markets.join(" ")));
        Ok(())
    }
}

#[test]
fn a_sum_is_requested_with_the_number_of_its_markets() {
    let town = Town::new();
    let asked = |target: &str| Noted::asked(&town, &format!("/api/v1/markets{target}")).join("; ");
    let noon = "2026-01-14T12:00:00Z";
    assert_eq!(asked("/us/wa"), format!("us/wa:sale:USD, 2 markets, {noon}"));
    assert_eq!(asked("/ma/"), format!("ma:sale:MAD, 1 markets, {noon}; ma:rent:MAD, 1 markets, {noon}"));
    assert_eq!(asked("/ma/?purpose=rent&as_of=2026-01-13"), "ma:rent:MAD, 1 markets, 2026-01-13T00:00:00Z");
    let king = "us/wa/king/seattle/98103:sale:USD us/wa/king/seattle/98178:sale:USD";
    assert_eq!(asked("?level=city&area=king"), format!("city, {king}, {noon}"));
    assert_eq!(asked("?level=county&currency=USD"), format!("county, {king}, {noon}"));
    assert_eq!(asked("?area=king&sort=active"), "", "markets are not sums");
}

#[test]
fn the_lag_of_a_sum_is_reported() {
    let town = Town::new();
    let by_purpose = |area: &WideArea| match area.id().purpose {
        stoop_domain::Purpose::Sale => Some("2026-01-14T11:59:00Z"),
        stoop_domain::Purpose::Rent => Some("2026-01-14T11:58:30Z"),
    };
    let message = |target: &str| altered(&town, target, behind(by_purpose)).1.get("rolled_up_at").cloned();
    let earliest = Some(Value::from("2026-01-14T11:58:30Z"));
    assert_eq!(message("/api/v1/markets/ma/"), earliest);
    assert_eq!(message("/api/v1/markets/ma/?purpose=sale"), Some(Value::from("2026-01-14T11:59:00Z")));
    assert_eq!(message("/api/v1/markets?level=region"), earliest);
    assert_eq!(message("/api/v1/markets?level=region&area=us/"), Some(Value::from("2026-01-14T11:59:00Z")));
    assert_eq!(message("/api/v1/markets/agadir"), None, "added up");
    let one = |area: &WideArea| by_purpose(area).filter(|at| at.contains("11:59"));
    let (_, answer) = altered(&town, "/api/v1/markets/ma/", behind(one));
    assert_eq!(answer["rolled_up_at"], "2026-01-14T11:59:00Z", "of the lagging one");
    assert_eq!(answer["markets"], json(&town.get("/api/v1/markets/ma/"))["markets"]);
}

#[test]
fn without_a_sum_an_area_is_added_up() {
    let town = Town::new();
    for area in ["ma/", "us/wa"] {
        let found = find_area(area, &town.database.market_ids().unwrap()).unwrap();
        let mut expected = AreaView::of(&found, &states(&town, &found.markets), now(), 90);
        observed(&town, &found, &mut expected);
        let expected = serde_json::to_value(expected).unwrap();
        let (_, answer) = altered(&town, &format!("/api/v1/markets/{area}"), none);
        assert_eq!(answer["markets"], expected["markets"]);
    }
    // One of two: both are shown, in their order.
    let rents = |area: &WideArea, shown| if area.id().purpose.as_str() == "rent" { Ok(Some(shown)) } else { Ok(None) };
    let (_, answer) = altered(&town, "/api/v1/markets/ma/", rents);
    assert_eq!(ids(&answer), ["ma:sale:MAD", "ma:rent:MAD"]);
    let figures = |answer: &Value| {
        let rows = answer["markets"].as_array().unwrap().iter();
        rows.map(|row| (row["active"].clone(), row["median_price"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(figures(&answer), figures(&json(&town.get("/api/v1/markets/ma/"))), "stored or added up");
}

#[test]
fn an_area_of_thousands_of_markets_needs_its_sum() {
    let town = cities("Tata", 2_001);
    let message = |target: &str, is_there: bool| {
        let (status, answer) = match is_there {
            true => (town.get(target).status, json(&town.get(target))),
            false => altered(&town, target, none),
        };
        assert_eq!((status, &answer["code"]), (422, &Value::from("area_too_wide")), "{target}");
        answer["detail"].as_str().unwrap().to_owned()
    };
    let refused = [
        message("/api/v1/markets/ma/", false),
        message("/api/v1/markets/tata?as_of=2026-01-14", false),
        message("/api/v1/markets/ma/?days=401", true),
        message("/api/v1/markets?area=ma/&sort=active", true),
    ];
    assert_snapshot!("too_wide", refused.join("\n"));
    for area in ["ma/", "souss", "tata"] {
        let answer = json(&town.get(&format!("/api/v1/markets/{area}")));
        assert_eq!((&answer["markets"][0]["active"], &answer["consists_of_total"]), (&2_001.into(), &2_001.into()));
        assert_eq!(answer["consists_of"].as_array().unwrap().len(), 2_000, "they would fill the answer");
    }
}

#[test]
fn an_unreadable_sum_is_hidden_from_clients() {
    let town = Town::new();
    let broken = |area: &WideArea, _| Err(PortError::refused(format!("read the area {area}"), "AccessDenied"));
    for target in ["/api/v1/markets/us/wa", "/api/v1/markets?level=region", "/api/v1/markets?area=king&level=city"] {
        let (status, answer) = altered(&town, target, broken);
        let message = "the response could not be built; retrying does not help, and the server's log has the cause";
        assert_eq!(
            (status, answer),
            (
                500,
                value!({ "type": "urn:stoop:problem:internal", "title": "Internal Server Error", "status": 500, "detail": message, "code": "internal" })
            ),
            "{target}"
        );
    }
    for target in ["/api/v1/markets/98178", "/api/v1/markets/king", "/api/v1/markets?area=king&sort=active"] {
        assert_eq!(altered(&town, target, broken).0, 200, "{target}: no sum is read");
    }
}

#[test]
fn the_areas_of_a_level_are_listed_with_their_own_figures() {
    let town = Town::new();
    let lists = ["city", "county", "region", "country"].map(|level| {
        let list = json(&town.get(&format!("/api/v1/markets?level={level}")));
        assert_eq!((&list["level"], &list["next"], list.get("without_figures")), (&level.into(), &Value::Null, None));
        assert_eq!((&list["as_of"], list.get("rolled_up_at")), (&"2026-01-14T12:00:00Z".into(), None));
        assert_eq!(list["total"], list["markets"].as_array().unwrap().len());
        for row in list["markets"].as_array().unwrap() {
            let shown = json(&town.get(&format!(
                "/api/v1/markets/{}/:{}",
                row["path"].as_str().unwrap(),
                row["purpose"].as_str().unwrap()
            )));
            for (name, figure) in row.as_object().unwrap().iter().filter(|(name, _)| *name != "name") {
                assert_eq!(shown["markets"][0].get(name), Some(figure), "{level}: {} of {row}", name);
            }
        }
        ids(&list).join(" ")
    });
    assert_snapshot!("levels", lists.join("\n"));
}

#[test]
fn a_list_of_areas_is_narrowed_sorted_and_cut() {
    let town = Town::new();
    let mut unpriced = home("Tata", 1, 0);
    unpriced.listing.list_price = None;
    let tiznit = |id, dirhams| home("Tiznit", id, dirhams);
    town.observe(&[unpriced, tiznit(2, 350_000), tiznit(3, 950_000), home("Taroudant", 4, 400_000)]);
    let list = |query: &str| json(&town.get(&format!("/api/v1/markets?{query}")));
    let names = |query: &str| {
        let list = list(query);
        let name = |row: &Value| row["name"].as_str().unwrap().to_owned();
        (list["markets"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" "), list["total"].as_u64())
    };
    let souss = "area=souss&level=county";
    assert_eq!(names(souss), ("Tiznit Taroudant Tata".into(), Some(3)), "the most homes first, then by id");
    assert_eq!(names(&format!("{souss}&sort=median_price")), ("Taroudant Tiznit Tata".into(), Some(3)));
    assert_eq!(names(&format!("{souss}&sort=max_price&desc=true")), ("Tiznit Taroudant Tata".into(), Some(3)));
    assert_eq!(names(&format!("{souss}&sort=max_price&desc=false")), ("Taroudant Tiznit Tata".into(), Some(3)));
    assert_eq!(names(&format!("{souss}&min_homes=1&sort=active")), ("Taroudant Tiznit".into(), Some(2)));
    assert_eq!(names(&format!("{souss}&min_homes=3")), (String::new(), Some(0)));
    assert_eq!(names(&format!("{souss}&sort=active&limit=2")), ("Taroudant Tata".into(), Some(3)));
    assert_eq!(list(&format!("{souss}&currency=USD"))["code"], "no_such_area", "there is none of those");
    assert_eq!(ids(&list("level=country&purpose=rent")), ["ma:rent:MAD"]);
    assert_eq!(ids(&list("level=region&area=us/wa")), ["us/wa:sale:USD"], "itself");
    let cities = names("area=souss&sort=median_price&desc=true");
    assert_eq!(cities, ("City 3 City 4 City 2 City 1".into(), Some(4)), "markets, without a level");
    assert_eq!(names("area=souss&min_homes=1&limit=1000").1, Some(3));
    assert_eq!(ids(&list("level=region&sort=last_7_days_new&limit=1")).len(), 1);
    let past = list("level=country&as_of=2026-01-04&sort=active&desc=true");
    assert_eq!((&past["markets"][0]["id"], &past["markets"][0]["active"]), (&"us:sale:USD".into(), &3.into()));
    let empty = Town::empty();
    assert_eq!(json(&empty.get("/api/v1/markets?level=region"))["markets"], value!([]));
}

#[test]
fn a_list_of_areas_without_sums_is_added_up_within_bounds() {
    let town = cities("Tata", 1_999);
    let (_, whole) = altered(&town, "/api/v1/markets?level=county", none);
    assert_eq!((&whole["markets"][0]["active"], whole.get("without_figures")), (&1_999.into(), None));
    town.observe(&[home("Tiznit", 1, 100_000), home("Taroudant", 2, 200_000)]);
    let list = |query: &str| altered(&town, &format!("/api/v1/markets?level=county{query}"), none).1;
    for query in ["", "&sort=active", "&sort=active&desc=true"] {
        let list = list(query);
        assert_eq!((&list["total"], &list["without_figures"]), (&3.into(), &1.into()), "{query}");
        let name = value!({
            "id": "ma/~souss/~tata:sale:MAD", "path": "ma/~souss/~tata", "name": "Tata", "purpose": "sale",
            "currency": "MAD", "area_unit": "m2",
        });
        assert_eq!(list["markets"][2], name, "{query}: without figures, and last");
        assert_eq!((&list["markets"][0]["active"], &list["markets"][1]["active"]), (&1.into(), &1.into()));
    }
    let wanted = list("&min_homes=1");
    assert_eq!(
        (&wanted["total"], &wanted["without_figures"]),
        (&2.into(), &1.into()),
        "its number of homes is unknown"
    );
}

#[test]
fn a_list_reads_a_bounded_number_of_sums() {
    let town = Town::empty();
    let regions = |regions: std::ops::Range<usize>| -> Vec<Observation> {
        let home = |id: usize| {
            let mut home = observation_in("Centre", &id.to_string(), -60, 100);
            (home.listing.address.region, home.listing.address.county) =
                (Some(format!("Region {id}")), Some("Only".into()));
            home
        };
        regions.map(home).collect()
    };
    town.observe(&regions(0..64));
    assert_eq!(json(&town.get("/api/v1/markets?level=county"))["total"], 64);
    town.observe(&regions(64..65));
    let refused = town.get("/api/v1/markets?level=county");
    let message = "65 sums would be read, more than the 64 that are read here; accepted: a narrower area, a wider level, or one \
                   purpose or currency";
    let error = value!({ "type": "urn:stoop:problem:area_too_wide", "title": "Unprocessable Content", "status": 422, "detail": message, "code": "area_too_wide" });
    assert_eq!((refused.status, json(&refused)), (422, error));
    assert_eq!(
        json(&town.get("/api/v1/markets?level=region&limit=3"))["total"],
        65,
        "they are read from their country"
    );
    assert_eq!(json(&town.get("/api/v1/markets?level=county&area=ma/region-7"))["total"], 1);
}
