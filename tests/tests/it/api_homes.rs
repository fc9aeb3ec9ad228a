//! The API's lists of homes and runs, against lists made by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::api_documents::unreported;
use crate::small_town::{Town, json, now};
use async_trait::async_trait;
use serde_json::Value;
use stoop_domain::{Home, HomeId, Market, Phase};
use stoop_embedded::Database;
use stoop_pipeline::ports::{Browse, PortError, RunLedger, RunOutcome, RunRecord};
use stoop_pipeline::{Measurer, NextPoll};
use stoop_serve::Reader;
use stoop_tests::made::observation_in;

/// The IDs of the answer, and its total.
fn listed(town: &Town, query: &str) -> (Vec<String>, u64) {
    let answer = json(&town.get(&format!("/api/v1/homes?{query}")));
    let homes = answer["homes"].as_array().unwrap_or_else(|| panic!("{query}: {answer}"));
    (homes.iter().map(|home| home["id"].as_str().unwrap().to_owned()).collect(), answer["total"].as_u64().unwrap())
}

/// Every home that is on offer under this path, as its own route shows it.
fn on_offer(town: &Town, path: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut after: Option<HomeId> = None;
    loop {
        let homes = town.database.homes_after(after.as_ref(), 1_000).unwrap();
        let Some((last, _)) = homes.last() else { return found };
        after = Some(last.clone());
        for (id, home) in homes {
            let facts = home.history.current().unwrap();
            let is_active = home.history.status_at(now()).unwrap().phase() == Phase::Active;
            if is_active && facts.market.to_string().starts_with(path) {
                let id = percent_encoding::utf8_percent_encode(id.as_str(), percent_encoding::NON_ALPHANUMERIC);
                found.push(json(&town.get(&format!("/api/v1/homes/{id}"))));
            }
        }
    }
}

fn ids(homes: &[Value]) -> Vec<String> {
    homes.iter().map(|home| home["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn homes_are_chosen_and_ordered_as_by_hand() {
    let town = Town::new();
    let mut homes = on_offer(&town, "us/wa/king");
    assert!(homes.len() >= 4, "{}", homes.len());
    let number = |home: &Value, name: &str| home[name].as_f64();
    let total = homes.len() as u64;

    homes.sort_by(|a, b| {
        b["last_event_at"]
            .as_str()
            .cmp(&a["last_event_at"].as_str())
            .then(ids(std::slice::from_ref(a)).cmp(&ids(std::slice::from_ref(b))))
    });
    assert_eq!(listed(&town, "area=king&purpose=sale"), (ids(&homes), total));
    homes.sort_by(|a, b| {
        number(a, "price")
            .unwrap()
            .total_cmp(&number(b, "price").unwrap())
            .then(ids(std::slice::from_ref(a)).cmp(&ids(std::slice::from_ref(b))))
    });
    let mut cheapest = ids(&homes);
    assert_eq!(listed(&town, "area=us/wa/king&sort=price").0, cheapest);
    let price = number(&homes[1], "price").unwrap();
    assert_eq!(listed(&town, &format!("area=us/wa/king&sort=price&max_price={price}")).0, cheapest[..2]);
    assert_eq!(listed(&town, &format!("area=us/wa/king&sort=price&min_price={price}")).0, cheapest[1..]);
    let beds = homes.iter().filter_map(|home| home["bedrooms"].as_u64()).max().unwrap();
    let with_beds: Vec<Value> = homes.iter().filter(|home| home["bedrooms"].as_u64() == Some(beds)).cloned().collect();
    assert_eq!(listed(&town, &format!("area=us/wa/king&sort=price&beds={beds}%2B")).0, ids(&with_beds));
    cheapest.sort();
    assert_eq!(listed(&town, "area=us/wa/king&sort=id").0, cheapest);
    assert_eq!(
        listed(&town, "area=us/wa/king&status=Pending").1 as usize,
        listed(&town, "area=us/wa/king&status=Pending").0.len()
    );
}

#[test]
fn pages_of_a_list_join_to_the_whole_list() {
    let town = Town::new();
    for order in
        ["", "&sort=price", "&sort=price&desc=true", "&sort=cut", "&sort=age&desc=true", "&sort=id", "&sort=beds"]
    {
        let (whole, total) = listed(&town, &format!("area=us/wa/king{order}"));
        let mut joined = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = json(&town.get(&format!("/api/v1/homes?area=us/wa/king{order}&limit=1{cursor}")));
            assert_eq!(unreported("/api/v1/homes", &answer), None);
            assert_eq!(answer["total"].as_u64(), Some(total), "{order}");
            joined.extend(ids(answer["homes"].as_array().unwrap()));
            assert!(joined.len() <= whole.len(), "{order}: pages without end");
            let Some(next) = answer["next"].as_str() else { break };
            let next = percent_encoding::utf8_percent_encode(next, percent_encoding::NON_ALPHANUMERIC);
            cursor = format!("&cursor={next}");
        }
        assert_eq!(joined, whole, "{order}");
    }
    // A position is one of the order, not of a home that is still there.
    let (cheapest, _) = listed(&town, "area=us/wa/king&sort=price");
    assert_eq!(listed(&town, "area=us/wa/king&sort=price&cursor=0~gone/1").0, cheapest);
    assert_eq!(listed(&town, "area=us/wa/king&sort=price&cursor=~gone/1").0, Vec::<String>::new());
}

#[test]
fn a_list_that_cannot_be_given_says_why() {
    let town = Town::new();
    let refused = |query: &str| {
        let response = town.get(&format!("/api/v1/homes?{query}"));
        format!("{} {}", response.status, json(&response)["detail"].as_str().unwrap())
    };
    assert_eq!(refused(""), "400 area: not given; accepted: a path like us/wa/king or a name");
    for (query, parts) in [
        ("area=king&as_of=2026-01-01", "\"as_of\": not a parameter here"),
        ("area=king&beds=4-2", "beds: \"4-2\"; accepted: a number like 3, two like 2-4, or 3+"),
        ("area=king&status=Closed", "accepted: Active, ActiveUnderContract, Pending"),
        ("area=king&min_price=2&max_price=1", "min_price: 2 is more than max_price, 1"),
        ("area=king&desc=true", "desc: nothing is sorted"),
        ("area=king&cursor=x", "the `next` of the previous response"),
        ("area=king&cursor=NaN~a/1", "the `next` of the previous response"),
        ("area=nowhere-at-all", "404 there is no area"),
    ] {
        assert!(refused(query).contains(parts), "{query}: {}", refused(query));
    }
}

#[test]
fn runs_are_listed_newest_first() {
    let town = Town::new();
    let run = |i: i64| RunRecord {
        id: format!("r{i}"),
        kind: "poll".into(),
        subject: "king".into(),
        began_at: now().plus_ms(i),
        ended_at: None,
        outcome: RunOutcome::Complete,
        message: None,
        counts: BTreeMap::from([("rows".to_owned(), 7)]),
        raw_pages: None,
    };
    for i in 0..3 {
        crate::small_town::block_on(RunLedger::record(&*town.database, &run(i))).unwrap();
    }
    let answer = json(&town.get("/api/v1/runs?limit=2"));
    assert_eq!(unreported("/api/v1/runs", &answer), None);
    assert_eq!(
        (ids(answer["runs"].as_array().unwrap()), &answer["more"]),
        (vec!["r2".into(), "r1".into()], &true.into())
    );
    assert_eq!(json(&town.get("/api/v1/runs"))["more"], false);
}

/// A database behind a network: each list of homes takes ten milliseconds.
struct Distant<'d>(&'d Database);

#[async_trait]
impl Browse for Distant<'_> {
    async fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Browse::homes_of(self.0, market, after, limit).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunRecord>, PortError> {
        Browse::runs(self.0, limit).await
    }

    async fn last_run(&self, kind: &str) -> Result<Option<RunRecord>, PortError> {
        Browse::last_run(self.0, kind).await
    }

    async fn next_polls(&self) -> Result<Vec<NextPoll>, PortError> {
        Browse::next_polls(self.0).await
    }
}

#[tokio::test(start_paused = true)]
async fn markets_are_read_eight_at_a_time_and_visited_in_order() {
    let town = Town::empty();
    let homes: Vec<_> =
        (0..40).map(|id| observation_in(&format!("City {id:02}"), &format!("{id}"), -60, 100_000 + id)).collect();
    Measurer::new(&*town.database).measure(&homes).await.unwrap();
    let markets = town.database.market_ids().unwrap();
    assert_eq!(markets.len(), 40);
    let (began, mut seen) = (tokio::time::Instant::now(), Vec::new());
    let distant = Distant(&town.database);
    let database = &*town.database;
    let reader = Reader { store: database, views: database, areas: database, browse: &distant, controls: None };
    let are_all = reader.each_open_home(&markets, &markets, now(), |home| seen.push(home.market)).await;
    assert!(are_all.unwrap());
    assert_eq!(seen, markets);
    assert_eq!(began.elapsed().as_millis().div_ceil(10), 5, "40 markets, 8 at a time");
}
