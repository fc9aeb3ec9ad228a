//! The API answers the same from DynamoDB as from SQLite.

#[allow(dead_code, reason = "the conformance suite uses more of it")]
use std::sync::Arc;

use crate::dynamo::{MemoryLake, Tables};
use crate::small_town::{Town, alerts, answer, json, now, observations};
use serde_json::Value;
use stoop_pages::{Access, Web, WebRequest};
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::Ledger;
use stoop_serve::api::Api;
use stoop_tests::AlteredAreas;

/// An answer without the time of the newest observation: DynamoDB keeps that of the commit.
fn without_times(mut answer: Value) -> Value {
    let markets = answer.get_mut("markets").and_then(Value::as_array_mut);
    for market in markets.into_iter().flatten().filter(|market| market.get("days").is_some()) {
        assert!(market["observed_at"].is_string(), "{market}");
        (market["observed_at"], market["lag_seconds"]) = (Value::Null, Value::Null);
    }
    answer
}

#[tokio::test]
async fn both_stores_give_the_same_responses() {
    let tables = Tables::new().await;
    let store = tables.store(&Arc::new(MemoryLake::default()));
    Measurer::new(&*store).measure(&observations()).await.unwrap();
    tables.ledger().record(&alerts(), &stoop_rules::Rules::default()).await.unwrap();
    let views = tables.views();
    let town = Town::measured().await;
    // These tables have no stored sums: both sides add the markets up.
    let areas = AlteredAreas::new(&*town.database, |_, _| Ok(None));
    let browse = tables.browse();
    let api = Api::new(&*store, &views, &areas, &browse);
    let other = Api::new(&*town.database, &*town.database, &areas, &*town.database);
    let targets = [
        "/api/v1/markets",
        "/api/v1/markets?limit=2&cursor=ma/-/-/agadir/haut-founty:rent:MAD",
        "/api/v1/markets?area=king",
        "/api/v1/markets?area=ma/&sort=median_price&desc=true",
        "/api/v1/markets?level=region&min_homes=1",
        "/api/v1/markets/98178",
        "/api/v1/markets/us/wa?as_of=2026-01-08",
        "/api/v1/markets/agadir",
        "/api/v1/homes/kc/1001",
        "/api/v1/homes/kc/10/06%20%C3%A9",
        "/api/v1/homes/kc/9",
        "/api/v1/alerts",
        "/api/v1/alerts?suspects=true&limit=2",
        "/api/v1/alerts?area=98178",
    ];
    for target in targets {
        let (dynamodb, sqlite) = (answer(&api, target, now()).await, answer(&other, target, now()).await);
        assert_eq!(
            (dynamodb.status, without_times(json(&dynamodb))),
            (sqlite.status, without_times(json(&sqlite))),
            "{target}"
        );
    }
    tables.delete().await;
}

#[tokio::test]
async fn both_stores_give_the_same_pages() {
    let tables = Tables::new().await;
    let store = tables.store(&Arc::new(MemoryLake::default()));
    Measurer::new(&*store).measure(&observations()).await.unwrap();
    tables.ledger().record(&alerts(), &stoop_rules::Rules::default()).await.unwrap();
    let (views, browse) = (tables.views(), tables.browse());
    let town = Town::measured().await;
    let areas = AlteredAreas::new(&*town.database, |_, _| Ok(None));
    let on_aws = Web::new(&*store, &views, &areas, &browse);
    town.poll();
    let on_a_laptop = Web::new(&*town.database, &*town.database, &areas, &*town.database);
    let targets = [
        ("/", ""),
        ("/areas/us/wa/king", ""),
        ("/areas/98178", "max_price=500000&sort=price"),
        ("/areas/agadir", "for=rent"),
        ("/areas/us/wa/king/days.csv", "days=14"),
        ("/homes/kc/1001", ""),
        ("/compare", "area=us/wa&area=ma"),
        ("/alerts", ""),
        ("/alerts", "kind=suspect"),
        ("/runs", ""),
        ("/areas/nowhere", ""),
    ];
    for (path, query) in targets {
        let request = WebRequest { method: "GET", path, query, ..WebRequest::default() };
        let page = async |web: &Web<'_>| web.answer(request, Access::Everyone, now(), Some(now())).await;
        let (ours, theirs) = (page(&on_aws).await, page(&on_a_laptop).await);
        assert_eq!(String::from_utf8_lossy(&ours.body), String::from_utf8_lossy(&theirs.body), "{path}?{query}");
        assert_eq!(ours, theirs, "{path}?{query}");
    }
    tables.delete().await;
}
