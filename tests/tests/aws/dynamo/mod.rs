//! Tables for one test, and what the store wrote elsewhere.

pub(crate) mod faults;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, StreamSpecification, StreamViewType, TableStatus,
};
use aws_sdk_dynamodbstreams::config::{BehaviorVersion, Credentials};
use aws_sdk_dynamodbstreams::operation::describe_stream::DescribeStreamError;
use aws_sdk_dynamodbstreams::types::{AttributeValue, Record, ShardIteratorType, StreamStatus};
use stoop_aws::{
    Clients, DynamoBrowse, DynamoBudgets, DynamoControls, DynamoLedger, DynamoRuns, DynamoStore, DynamoViews, Lake,
};
use stoop_domain::{HomeId, Market, Observation, Time};
use stoop_market::Cells;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Change, PortError, Views};
use stoop_tests::conformance::StoreWitness;
use stoop_tests::local::LocalAws;
use stoop_tests::made;
use stoop_wire::home_from_bytes;

/// One emulator for all tests of this program; it ends with the program.
static AWS: LazyLock<Mutex<LocalAws>> = LazyLock::new(|| Mutex::new(LocalAws::start().unwrap()));

/// The interval and number of polls for slow effects.
const POLL_EVERY: Duration = Duration::from_millis(250);
const LOOKS_MAX: usize = 480;

fn variable(name: &str) -> Option<String> {
    let environment = AWS.lock().unwrap().environment();
    let found = environment.into_iter().find(|(known, _)| known == name).map(|(_, value)| value.into_string().unwrap());
    found.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

/// Clients of the emulator of these tables.
pub(crate) fn clients() -> Clients {
    Clients::from_variables(variable).unwrap()
}

/// A program of the emulator's virtual environment, which knows where the emulator is.
pub(crate) fn command(program: &str) -> std::process::Command {
    AWS.lock().unwrap().command(program)
}

/// Tables as in the template, with their own names.
pub(crate) struct Tables {
    pub(crate) client: Client,
    pub(crate) homes: String,
    pub(crate) markets: String,
    pub(crate) alerts: String,
    pub(crate) runs: String,
    homes_stream: String,
}

impl Tables {
    pub(crate) async fn new() -> Self {
        let client = clients().dynamodb();
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("stoop-{}-{made}-{:08x}", std::process::id(), chance());
        let name = |table: &str| format!("{prefix}-{table}");
        let [homes, markets, alerts, runs] = ["homes", "markets", "alerts", "runs"].map(name);
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .unwrap();
        let open = index("open", &["open_in", "id"], ProjectionType::KeysOnly);
        let by_market = index("by_market", &["market", "id"], ProjectionType::KeysOnly);
        let of_homes = create(&client, &homes, &["id"], &["open_in", "market"]).global_secondary_indexes(open);
        let of_homes = of_homes.global_secondary_indexes(by_market);
        ensure(of_homes.stream_specification(stream)).await;
        let described = client.describe_table().table_name(&homes).send().await.unwrap();
        let homes_stream = described.table.unwrap().latest_stream_arn.unwrap();
        let heads = index("heads", &["kind", "market"], ProjectionType::KeysOnly);
        let changed = index("changed", &["changed", "market"], ProjectionType::KeysOnly);
        let of_markets = create(&client, &markets, &["market", "part"], &["kind", "changed"]);
        ensure(of_markets.global_secondary_indexes(heads).global_secondary_indexes(changed)).await;
        let by_day = index("by_day", &["day", "at"], ProjectionType::All);
        ensure(create(&client, &alerts, &["id"], &["day", "at"]).global_secondary_indexes(by_day)).await;
        let by_kind = index("by_kind", &["kind", "began_at"], ProjectionType::All);
        let of_runs = create(&client, &runs, &["subject", "id"], &["kind", "began_at"]);
        ensure(of_runs.global_secondary_indexes(by_kind)).await;
        let tables = Self { client, homes, markets, alerts, runs, homes_stream };
        tables.wait().await;
        tables
    }

    /// Waits until the tables are usable and the stream has all later writes.
    async fn wait(&self) {
        let streams = streams_client(&self.client);
        for _ in 0..LOOKS_MAX {
            let mut ready = true;
            for table in self.names() {
                let described = self.client.describe_table().table_name(table).send().await.unwrap();
                ready &= described.table.unwrap().table_status == Some(TableStatus::Active);
            }
            // A busy emulator has the table before its stream.
            let is_not_there = |error: &DescribeStreamError| error.is_resource_not_found_exception();
            let described = match streams.describe_stream().stream_arn(&self.homes_stream).send().await {
                Ok(described) => described.stream_description,
                Err(error) if error.as_service_error().is_some_and(is_not_there) => None,
                Err(error) => panic!("{error:?}"),
            };
            if ready && described.and_then(|stream| stream.stream_status) == Some(StreamStatus::Enabled) {
                return;
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        panic!("the tables {:?} are not ready", self.names());
    }

    fn names(&self) -> [&String; 4] {
        [&self.homes, &self.markets, &self.alerts, &self.runs]
    }

    /// Deletes the tables. A failed test leaves them to the end of the emulator.
    pub(crate) async fn delete(&self) {
        for table in self.names() {
            self.client.delete_table().table_name(table).send().await.unwrap();
        }
    }

    pub(crate) fn store(&self, lake: &Arc<MemoryLake>) -> Arc<DynamoStore> {
        self.store_with(self.client.clone(), lake)
    }

    /// A store in these tables with another client.
    pub(crate) fn store_with(&self, client: Client, lake: &Arc<MemoryLake>) -> Arc<DynamoStore> {
        Arc::new(DynamoStore::new(client, &self.homes, &self.markets, lake.clone(), Arc::new(Noon)))
    }

    pub(crate) fn ledger(&self) -> DynamoLedger {
        DynamoLedger::new(self.client.clone(), &self.alerts)
    }

    pub(crate) fn budgets(&self) -> DynamoBudgets {
        DynamoBudgets::new(self.client.clone(), &self.runs)
    }

    pub(crate) fn runs(&self) -> DynamoRuns {
        DynamoRuns::new(self.client.clone(), &self.runs)
    }

    pub(crate) fn controls(&self) -> DynamoControls {
        DynamoControls::new(self.client.clone(), &self.runs)
    }

    pub(crate) fn views(&self) -> DynamoViews {
        self.views_with(self.client.clone())
    }

    /// Views of these tables with another client.
    pub(crate) fn views_with(&self, client: Client) -> DynamoViews {
        DynamoViews::new(client, &self.markets, &self.alerts, Arc::new(Noon))
    }

    pub(crate) fn browse(&self) -> DynamoBrowse {
        DynamoBrowse::new(self.client.clone(), &self.homes, &self.markets, &self.runs, Arc::new(Noon))
    }

    /// How often homes were written.
    async fn homes_written(&self) -> usize {
        let request = self.client.scan().table_name(&self.homes).consistent_read(true);
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        items.iter().map(|item| item["version"].as_n().unwrap().parse::<usize>().unwrap()).sum()
    }

    /// The `part`s of a market in the table, in order.
    pub(crate) async fn parts(&self, market: &Market) -> Vec<String> {
        self.parts_of(market.to_string()).await
    }

    /// The `part`s of its archive.
    pub(crate) async fn archive_parts(&self, market: &Market) -> Vec<String> {
        self.parts_of(format!("archive:{market}")).await
    }

    /// The `part`s of its merged homes.
    pub(crate) async fn merged_parts(&self, market: &Market) -> Vec<String> {
        self.parts_of(format!("merged:{market}")).await
    }

    async fn parts_of(&self, partition: String) -> Vec<String> {
        let request = self
            .client
            .query()
            .table_name(&self.markets)
            .consistent_read(true)
            .key_condition_expression("market = :market")
            .expression_attribute_values(":market", aws_sdk_dynamodb::types::AttributeValue::S(partition));
        let items = request.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.unwrap();
        items.into_iter().map(|item| item["part"].as_s().unwrap().clone()).collect()
    }
}

/// A random number: names must differ from those of another run on the same endpoint.
fn chance() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(()) >> 32) as u32
}

fn create(client: &Client, name: &str, keys: &[&str], others: &[&str]) -> CreateTableFluentBuilder {
    let attributes = keys.iter().chain(others).map(|name| {
        let attribute = AttributeDefinition::builder().attribute_name(*name);
        attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
    });
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_key_schema(Some(schema(keys)))
        .set_attribute_definitions(Some(attributes.collect()))
}

/// Makes a table. If it exists, this very call made it: nobody else uses the names, and the SDK retries when a busy
/// emulator is slow.
async fn ensure(table: CreateTableFluentBuilder) {
    if let Err(error) = table.send().await {
        let error = error.into_service_error();
        assert!(error.is_resource_in_use_exception(), "{error:?}");
    }
}

fn schema(keys: &[&str]) -> Vec<KeySchemaElement> {
    let kinds = [KeyType::Hash, KeyType::Range];
    let element =
        |(name, kind): (&&str, KeyType)| KeySchemaElement::builder().attribute_name(*name).key_type(kind).build();
    keys.iter().zip(kinds).map(element).collect::<Result<_, _>>().unwrap()
}

fn index(name: &str, keys: &[&str], projected: ProjectionType) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(schema(keys)))
        .projection(Projection::builder().projection_type(projected).build())
        .build()
        .unwrap()
}

/// A clock that stays at noon of the day of [`made`]'s observations.
pub(crate) struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Time {
        made::minute(0)
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// A lake in memory.
#[derive(Default)]
pub(crate) struct MemoryLake {
    kept: Mutex<Vec<Observation>>,
}

#[async_trait]
impl Lake for MemoryLake {
    async fn keep(&self, observations: &[&Observation]) -> Result<(), PortError> {
        self.kept.lock().unwrap().extend(observations.iter().copied().cloned());
        Ok(())
    }
}

impl MemoryLake {
    pub(crate) fn kept(&self) -> Vec<Observation> {
        self.kept.lock().unwrap().clone()
    }
}

pub(crate) struct Witness {
    pub(crate) tables: Arc<Tables>,
    pub(crate) lake: Arc<MemoryLake>,
}

#[async_trait]
impl StoreWitness for Witness {
    async fn lake(&self) -> Vec<Observation> {
        self.lake.kept()
    }

    async fn changes(&self) -> Vec<Change> {
        // A stream lags behind its table. Each write of a home is one record, and increases its version by one.
        let written = self.tables.homes_written().await;
        let client = streams_client(&self.tables.client);
        for _ in 0..LOOKS_MAX {
            let records = stream_records(&client, &self.tables.homes_stream).await;
            if records.len() >= written {
                return records.iter().filter_map(change_of).collect();
            }
            tokio::time::sleep(POLL_EVERY).await;
        }
        panic!("the stream does not have all of the {written} writes");
    }

    async fn archive(&self, market: &Market) -> Cells {
        self.tables.views().archive(market).await.unwrap()
    }

    fn exactly_once(&self) -> bool {
        false
    }
}

/// The SDK has a separate client for streams; our functions do not need it.
fn streams_client(dynamodb: &Client) -> aws_sdk_dynamodbstreams::Client {
    let [key, secret] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|name| variable(name).unwrap());
    let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN"), None, "test");
    let config = aws_sdk_dynamodbstreams::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(dynamodb.config().region().cloned())
        .credentials_provider(credentials)
        .http_client(dynamodb.config().http_client().unwrap())
        .endpoint_url(variable("AWS_ENDPOINT_URL").unwrap());
    aws_sdk_dynamodbstreams::Client::from_conf(config.build())
}

/// The records of a table's stream from its beginning, those of one item in order, up to the current end.
async fn stream_records(client: &aws_sdk_dynamodbstreams::Client, stream: &str) -> Vec<Record> {
    let described = client.describe_stream().stream_arn(stream).send().await.unwrap();
    let mut records = Vec::new();
    for shard in described.stream_description.unwrap().shards() {
        let request = client.get_shard_iterator().stream_arn(stream).shard_id(shard.shard_id().unwrap());
        let iterator = request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        let mut next = iterator.shard_iterator;
        while let Some(iterator) = next {
            let mut answer = client.get_records().shard_iterator(iterator).send().await.unwrap();
            let found = answer.records.take().unwrap_or_default();
            // An open shard has no end.
            next = answer.next_shard_iterator.filter(|_| !found.is_empty());
            records.extend(found);
        }
    }
    records
}

/// The change in a record, if the filter of the alerts function passes it.
fn change_of(record: &Record) -> Option<Change> {
    let images = record.dynamodb()?;
    let new = images.new_image()?;
    if new.get("notable") != Some(&AttributeValue::Bool(true)) {
        return None;
    }
    let home = |image: &std::collections::HashMap<String, AttributeValue>| {
        home_from_bytes(image["body"].as_b().unwrap().as_ref()).unwrap()
    };
    let id = HomeId(new["id"].as_s().unwrap().as_str().into());
    Some(Change { home: id, old: images.old_image().map(home), new: home(new) })
}
