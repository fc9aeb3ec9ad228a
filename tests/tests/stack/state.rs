//! The stored data of the stack: tables, lake, quarantine.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::sync::Arc;

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use stoop_aws::{Clients, DynamoStore, DynamoViews, NoLake};
use stoop_domain::{Alert, HomeId, Market, Observation};
use stoop_market::Cells;
use stoop_pipeline::Recomputation;
use stoop_pipeline::ports::{RunRecord, Store, Views};
use stoop_runtime::SystemClock;
use stoop_tests::stack::Stack;

use crate::figures::json_of;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Names of tables and buckets, and their clients.
pub(crate) struct State {
    pub(crate) dynamo: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) tables: Tables,
    pub(crate) bucket: String,
    runs: String,
}

/// The tables of one state.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) homes: String,
    pub(crate) markets: String,
    pub(crate) alerts: String,
}

impl State {
    pub(crate) fn new(clients: &Clients, stack: &Stack) -> Result<Self> {
        let name = |output| stack.output(output).map(str::to_owned);
        let tables = Tables {
            homes: name("HomesTableName")?,
            markets: name("MarketsTableName")?,
            alerts: name("AlertsTableName")?,
        };
        Ok(Self {
            dynamo: clients.dynamodb(),
            s3: clients.s3(),
            tables,
            bucket: name("BucketName")?,
            runs: name("RunsTableName")?,
        })
    }

    /// Every item of a table.
    pub(crate) async fn scan(&self, table: &str) -> Vec<Item> {
        let pages = self.dynamo.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.unwrap()
    }

    /// The items of a source's homes, by ID.
    pub(crate) async fn homes_of(&self, source: &str) -> BTreeMap<String, Item> {
        let prefix = format!("{source}/");
        let items = self.scan(&self.tables.homes).await.into_iter();
        let by_id = items.map(|item| (text(&item, "id"), item));
        by_id.filter(|(id, _)| id.starts_with(&prefix)).collect()
    }

    /// Everything in the tables of homes, markets and alerts, in its own order; except whether a market waits for a
    /// roll-up, which changes every minute.
    pub(crate) async fn everything(&self) -> Vec<String> {
        let mut all = Vec::new();
        for table in [&self.tables.homes, &self.tables.markets, &self.tables.alerts] {
            let mut items = self.scan(table).await;
            items.iter_mut().for_each(|item| drop(item.remove("changed")));
            all.extend(items.into_iter().map(|item| format!("{table}: {}", json_of(&AttributeValue::M(item)))));
        }
        all.sort();
        all
    }

    /// The ledger of alerts, by ID.
    pub(crate) async fn alerts(&self) -> BTreeMap<String, Alert> {
        let items = self.scan(&self.tables.alerts).await;
        // The table also has the rules that they were judged by.
        let alerts = items.iter().filter(|item| item.contains_key("day"));
        alerts.map(|item| (text(item, "id"), serde_json::from_str(&text(item, "body")).unwrap())).collect()
    }

    pub(crate) async fn runs(&self, search: &str) -> Vec<RunRecord> {
        let request = self.dynamo.query().table_name(&self.runs).consistent_read(true);
        let request =
            request.key_condition_expression("#subject = :search").expression_attribute_names("#subject", "subject");
        let items = request.expression_attribute_values(":search", AttributeValue::S(search.to_owned()));
        let items = items.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        // The table also has when the search was last sent, and its pace.
        let runs = items
            .iter()
            .filter(|item| item.get("kind").is_some_and(|kind| kind.as_s().is_ok_and(|kind| kind == "poll")));
        runs.map(|item| serde_json::from_str(&text(item, "body")).unwrap()).collect()
    }

    /// The records of a host's requests, one per account there.
    pub(crate) async fn budgets(&self, host: &str) -> Vec<Value> {
        let items = self.scan(&self.runs).await;
        let of_host = items.iter().filter(|item| text(item, "subject").starts_with(&format!("account#{host}#")));
        of_host.map(|item| serde_json::from_str(&text(item, "body")).unwrap()).collect()
    }

    /// Lets the interval of a limit pass for the account of a host, by moving its bookings back.
    pub(crate) async fn window_goes_by(&self, host: &str) -> i64 {
        let items = self.scan(&self.runs).await;
        let of_host = |item: &&Item| text(item, "subject").starts_with(&format!("account#{host}#"));
        let mut item = items.iter().find(of_host).unwrap().clone();
        let mut body: Value = serde_json::from_str(&text(&item, "body")).unwrap();
        // A limit's counts: what is counted, the limit, the interval, when it was set, the part of the last count.
        let window_ms = body["rings"][0][2].as_i64().unwrap();
        let parts = 24;
        let gone_by_ms = (window_ms + window_ms / 100) / parts * parts;
        body["latest_ms"] = (body["latest_ms"].as_i64().unwrap() - gone_by_ms).into();
        body["rings"][0][4] = (body["rings"][0][4].as_i64().unwrap() - parts).into();
        item.insert("body".to_owned(), AttributeValue::S(body.to_string()));
        self.dynamo.put_item().table_name(&self.runs).set_item(Some(item)).send().await.unwrap();
        gone_by_ms
    }

    /// The head of a market as stored.
    pub(crate) async fn head(&self, market: &str) -> Option<Item> {
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let request = self.dynamo.get_item().table_name(&self.tables.markets).consistent_read(true);
        request.key("market", key(market)).key("part", key("head")).send().await.unwrap().item
    }

    /// The objects of the data bucket under a prefix, by key.
    pub(crate) async fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        for key in self.keys(&self.bucket, prefix).await {
            let object = self.s3.get_object().bucket(&self.bucket).key(&key).send().await.unwrap();
            objects.insert(key, object.body.collect().await.unwrap().to_vec());
        }
        objects
    }

    async fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let mut pages = self.s3.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
        }
        keys
    }

    /// The observations in the lake, and how many of its objects were compressed.
    pub(crate) async fn lake(&self) -> (Vec<Observation>, usize, usize) {
        let objects = self.objects("lake/observations/").await;
        let mut observations = Vec::new();
        let mut compressed = 0;
        for (key, body) in &objects {
            let lines = if body.starts_with(&[0x1f, 0x8b]) {
                compressed += 1;
                let mut lines = Vec::new();
                flate2::read::MultiGzDecoder::new(&body[..]).read_to_end(&mut lines).unwrap();
                lines
            } else {
                body.clone()
            };
            let decoded = stoop_wire::lines(&lines).map(stoop_wire::decode);
            observations.extend(decoded.map(|line| line.unwrap_or_else(|error| panic!("{key}: {error}"))));
        }
        (observations, compressed, objects.len())
    }

    /// Compares the stored homes and markets of these observations with those recomputed. The markets must have no
    /// other homes.
    pub(crate) async fn check(&self, tables: &Tables, observations: &[Observation]) -> Result<(), String> {
        // Objects of the lake are not in order of arrival: the result is the same in any order.
        let mut recomputed = Recomputation::default();
        observations.iter().for_each(|observation| recomputed.add(observation));
        let store = self.store(tables);
        let homes: Vec<HomeId> = observations.iter().map(stoop_domain::home_id).collect();
        let markets = observations.iter().filter_map(|seen| stoop_domain::market_of(&seen.listing));
        let markets: Vec<Market> = markets.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        let mut homes: Vec<HomeId> = homes.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        homes.sort();
        let mut expected = recomputed.markets();
        for (market, stored) in markets.iter().zip(store.markets(&markets).await.unwrap()) {
            let archive = self.views(tables).archive(market).await.unwrap();
            expected.check(market, &stored.map(|stored| stored.value).unwrap_or_else(Cells::default), &archive)?;
        }
        for (id, stored) in homes.iter().zip(store.homes(&homes).await.unwrap()) {
            recomputed.check_home(id, &stored.ok_or_else(|| format!("{id} is not stored"))?.value)?;
        }
        Ok(())
    }

    pub(crate) fn store(&self, tables: &Tables) -> DynamoStore {
        DynamoStore::new(self.dynamo.clone(), &tables.homes, &tables.markets, Arc::new(NoLake), Arc::new(SystemClock))
    }

    fn views(&self, tables: &Tables) -> DynamoViews {
        DynamoViews::new(self.dynamo.clone(), &tables.markets, &tables.alerts, Arc::new(SystemClock))
    }

    /// Deletes every object of a bucket, and every version of it.
    pub(crate) async fn empty(&self, bucket: &str) {
        for key in self.keys(bucket, "").await {
            self.s3.delete_object().bucket(bucket).key(key).send().await.unwrap();
        }
        let versions = self.s3.list_object_versions().bucket(bucket).send().await.unwrap();
        let old = versions.versions().iter().map(|old| (old.key(), old.version_id()));
        let marks = versions.delete_markers().iter().map(|mark| (mark.key(), mark.version_id()));
        for (key, version) in old.chain(marks) {
            let request = self.s3.delete_object().bucket(bucket).key(key.unwrap());
            request.version_id(version.unwrap()).send().await.unwrap();
        }
    }
}

/// A text attribute.
pub(crate) fn text(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).unwrap_or_else(|| panic!("no text {name}: {item:?}")).clone()
}

/// A number attribute.
pub(crate) fn number(item: &Item, name: &str) -> i64 {
    let value = item.get(name).and_then(|value| value.as_n().ok());
    value.unwrap_or_else(|| panic!("no number {name}: {item:?}")).parse().unwrap()
}
