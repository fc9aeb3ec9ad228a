//! A stack with a small town: tables filled as by the metrics function, a lake of objects, a ledger.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use stoop_aws_cli::{Pair, Pulled, Stack, pull};
use stoop_domain::Observation;
use stoop_embedded::{Database, Verified};
use stoop_pipeline::Measurer;
use stoop_pipeline::ports::{Ledger, Store};
use stoop_rules::Rules;
use stoop_tests::made;

use crate::dynamo::{MemoryLake, Tables, clients};
use crate::services::Bucket;

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const MARKET: &str = "ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD";

/// A day in minutes, and one after all other days.
const DAY: i64 = 1_440;
const LATE: i64 = 10_001 * DAY;

pub(super) struct Town {
    pub(super) tables: Tables,
    pub(super) bucket: Bucket,
    pub(super) folder: tempfile::TempDir,
}

/// Homes over many years, so that there are a base, an archive in pieces and a tail; and two price cuts.
pub(super) fn batches() -> Vec<Vec<Observation>> {
    let mut batches: Vec<Vec<Observation>> = made::scattered(400).chunks(100).map(<[Observation]>::to_vec).collect();
    let at = |id: &str, day: i64, price| made::observation(id, LATE + day * DAY, price);
    batches.push(vec![at("cut1", 0, 700_000), at("cut2", 0, 900_000), at("still", 0, 800_000)]);
    batches.push(vec![at("cut1", 1, 500_000)]);
    batches.push(vec![at("cut2", 2, 600_000)]);
    batches
}

/// Measures batches into a store, like the metrics function.
pub(super) async fn measure(store: &dyn Store, batches: &[Vec<Observation>]) {
    let mut measurer = Measurer::new(store);
    for batch in batches {
        measurer.measure(batch).await.unwrap();
    }
}

/// An object as Firehose writes it.
pub(super) fn object(observations: &[Observation]) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::fast());
    for observation in observations {
        let mut line = Vec::new();
        stoop_wire::encode(observation, &mut line);
        line.push(b'\n');
        file.write_all(&line).unwrap();
    }
    file.finish().unwrap()
}

/// The name of the `n`th object of the lake.
pub(super) fn key(n: usize) -> String {
    format!("lake/observations/dt=2026-01-{:02}/stoop-lake-1-2026-01-14-{n:02}.jsonl.gz", 14 + n / 4)
}

impl Town {
    pub(super) async fn new() -> Self {
        let batches = batches();
        let town = Self::of(&batches).await;
        let rules = Rules::default();
        for id in ["cut1", "cut2"] {
            let all = batches.concat();
            let (id, home) = made::home(&all.iter().filter(|seen| seen.native_id == id).collect::<Vec<_>>());
            let alerts = rules.standing(&id, &home);
            assert_eq!(alerts.len(), 1);
            town.tables.ledger().record(&alerts, &rules).await.unwrap();
        }
        town
    }

    /// A town with these homes and no alerts sent.
    pub(super) async fn of(batches: &[Vec<Observation>]) -> Self {
        let (tables, bucket) = (Tables::new().await, Bucket::create_with(clients().s3()).await);
        let town = Self { tables, bucket, folder: tempfile::tempdir().unwrap() };
        for (n, batch) in batches.iter().enumerate() {
            town.take(n, batch).await;
        }
        town
    }

    /// Adds the `n`th batch to the tables and the lake.
    pub(super) async fn take(&self, n: usize, batch: &[Observation]) {
        measure(&*self.tables.store(&Arc::new(MemoryLake::default())), &[batch.to_vec()]).await;
        // A line comes twice when a commit was retried.
        let lines: Vec<Observation> = batch.iter().chain(batch.first()).cloned().collect();
        self.bucket.put(&key(n), object(&lines)).await;
    }

    pub(super) fn stack(&self) -> Stack {
        let (alerts, runs) = (Some(self.tables.alerts.clone()), Some(self.tables.runs.clone()));
        Stack { bucket: self.bucket.name.clone(), tables: pair(&self.tables), alerts, runs }
    }

    pub(super) fn pulled(&self) -> std::path::PathBuf {
        self.folder.path().join("pulled")
    }

    pub(super) async fn pull(&self) -> Pulled {
        pull(&clients(), &self.pulled(), &self.stack(), &|_| {}).await.unwrap()
    }

    /// Every item of a table that has this attribute as text.
    pub(super) async fn items(&self, table: &str, name: &str, value: &str) -> Vec<Item> {
        let all = self.tables.client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let all = all.collect::<Result<Vec<_>, _>>().await.unwrap();
        let mut found: Vec<Item> =
            all.into_iter().filter(|item| item.get(name) == Some(&AttributeValue::S(value.into()))).collect();
        found.sort_by_key(|item| item.get("part").and_then(|part| part.as_s().ok()).cloned());
        found
    }

    pub(super) async fn put(&self, table: &str, item: Item) {
        self.tables.client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
    }

    pub(super) async fn remove(&self, table: &str, item: &Item) {
        let names: &[&str] = if table == self.tables.markets { &["market", "part"] } else { &["id"] };
        let key = names.iter().map(|name| ((*name).to_owned(), item[*name].clone())).collect();
        self.tables.client.delete_item().table_name(table).set_key(Some(key)).send().await.unwrap();
    }

    pub(super) async fn delete(self) {
        self.tables.delete().await;
    }
}

pub(super) fn pair(tables: &Tables) -> Pair {
    Pair { homes: tables.homes.clone(), markets: tables.markets.clone() }
}

/// The result of `stoop verify` on a folder.
pub(super) fn verify(folder: &Path) -> Verified {
    let database = Database::open_read(&folder.join("stoop.db"), &folder.join("stoop-data")).unwrap();
    database.verify(&|| false).unwrap()
}
