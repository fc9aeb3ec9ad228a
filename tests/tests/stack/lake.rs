//! The lake of the stack in Delta tables: `infra/lake.yaml`, deployed beside it.
//!
//! What the tables have is read from their logs, as the protocol of Delta says, and compared with bronze, which Firehose
//! wrote: nothing of the function's own code is used.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use stoop_aws::S3Lake;
use stoop_domain::Observation;
use stoop_tests::local::EmulatorKind;
use stoop_tests::made::observation_in;
use stoop_tests::stack::{BuiltBeside, Stack};

use crate::cleanup::aside;
use crate::hosted::Hosted;
use crate::proxy::Fate;
use crate::stream::line;
use crate::world::{World, eventually, say};

/// As in the template: with less, the function would not begin to merge.
const TIMEOUT: Duration = Duration::from_secs(900);

fn deploy(world: &World, built: &BuiltBeside) -> Stack {
    // LocalStack's Glue and Athena need a licence.
    let athena = if world.kind == EmulatorKind::LocalStack { "DISABLED" } else { "ENABLED" };
    let parameters = [
        ("Stack", world.stack.name()),
        ("BucketName", world.output("BucketName")),
        ("AlarmTopicArn", world.output("AlarmTopicArn")),
        ("LogRetentionDays", "1"),
        ("Database", "stoop_test"),
        ("Athena", athena),
    ];
    world.deploy_beside(built, "lake", &parameters)
}

/// A bucket with bronze and tables.
struct Bucket<'w> {
    world: &'w World,
    name: String,
}

impl<'w> Bucket<'w> {
    /// The stack's.
    fn of(world: &'w World) -> Self {
        Self { world, name: world.output("BucketName").to_owned() }
    }

    /// A new one, so that nothing that is made up comes into the stack's.
    async fn aside(world: &'w World, name: &str) -> Self {
        let name = format!("{}-lake-{name}", aside(world.stack.name()));
        world.clients.s3().create_bucket().bucket(&name).send().await.unwrap();
        Self { world, name }
    }
}

/// All keys below a prefix.
async fn keys(bucket: &Bucket<'_>, prefix: &str) -> Vec<String> {
    let (mut keys, mut next) = (Vec::new(), None);
    loop {
        let list = bucket.world.clients.s3().list_objects_v2().bucket(&bucket.name).prefix(prefix);
        let page = list.set_continuation_token(next).send().await.unwrap();
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        next = page.next_continuation_token().map(str::to_owned);
        if next.is_none() {
            return keys;
        }
    }
}

async fn body(bucket: &Bucket<'_>, key: &str) -> Vec<u8> {
    let got = bucket.world.clients.s3().get_object().bucket(&bucket.name).key(key).send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

/// The different lines of bronze.
async fn lines(bucket: &Bucket<'_>) -> BTreeSet<Vec<u8>> {
    let lake = S3Lake::new(bucket.world.clients.s3(), &bucket.name);
    let mut lines = BTreeSet::new();
    for entry in lake.entries().await.unwrap() {
        let (stored, mut text) = (lake.read(&entry.key).await.unwrap(), Vec::new());
        // Emulators need not compress.
        if stored.starts_with(&[0x1f, 0x8b]) {
            MultiGzDecoder::new(stored.as_slice()).read_to_end(&mut text).unwrap();
        } else {
            text = stored;
        }
        lines.extend(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
    }
    lines
}

/// The number of rows of a table: those of the files that its versions add and no later one removes. Checks that there
/// are all versions, and that each file is there.
async fn rows(bucket: &Bucket<'_>, table: &str) -> usize {
    let folder = format!("tables/{table}/");
    let all = keys(bucket, &folder).await;
    let commits = all.iter().filter(|key| key.starts_with(&format!("{folder}_delta_log/")) && key.ends_with(".json"));
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for (version, key) in commits.enumerate() {
        assert_eq!(*key, format!("{folder}_delta_log/{version:020}.json"), "each version is there once");
        let text = String::from_utf8(body(bucket, key).await).unwrap();
        for action in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            if let Some(path) = action["add"]["path"].as_str() {
                let stats: Value = serde_json::from_str(action["add"]["stats"].as_str().unwrap()).unwrap();
                let rows = usize::try_from(stats["numRecords"].as_u64().unwrap()).unwrap();
                assert!(files.insert(path.to_owned(), rows).is_none(), "{path} was added twice");
            }
            if let Some(path) = action["remove"]["path"].as_str() {
                assert!(files.remove(path).is_some(), "{path} was not there");
            }
        }
    }
    for path in files.keys() {
        // A log has paths as URLs have them.
        let path = path.replace("%3D", "=");
        assert!(all.contains(&format!("{folder}{path}")), "{path} is in the log of {table} and not in the bucket");
    }
    files.values().sum()
}

/// Puts lines into bronze, as Firehose does.
async fn put_bronze(bucket: &Bucket<'_>, name: &str, observations: &[Observation]) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for observation in observations {
        std::io::Write::write_all(&mut encoder, &line(observation)).unwrap();
    }
    let key = format!("lake/observations/dt=2026-03-01/{name}.jsonl.gz");
    let put = bucket.world.clients.s3().put_object().bucket(&bucket.name).key(key);
    put.body(encoder.finish().unwrap().into()).send().await.unwrap();
}

/// Homes of a town, each at a price of its own in this round.
fn town(round: i64, homes: i64) -> Vec<Observation> {
    (0..homes)
        .map(|home| observation_in("Asilah", &format!("lake-{home}"), 90 * round, 900_000 - round * 500))
        .collect()
}

/// Checks that the tables have each observation of bronze once. Returns how many.
async fn are_bronze(bucket: &Bucket<'_>) -> usize {
    let bronze = lines(bucket).await.len();
    assert_eq!(rows(bucket, "observations").await, bronze, "left: the table; right: bronze");
    assert_eq!(rows(bucket, "quarantine").await, 0);
    bronze
}

/// What DuckDB reads from the bucket with `lake/sql`.
fn queried(world: &World, query: &str, more: &[&str]) -> String {
    let tables = format!("s3://{}/tables", world.output("BucketName"));
    let out = world.run("lake/sql", &[&[query, "--tables", &tables, "--csv"], more].concat());
    out.lines().last().unwrap_or_default().to_owned()
}

/// What was polled is in the tables after a tick, and in the catalogue.
pub(crate) async fn in_tables(world: &World) {
    world.polled_once().await;
    let bucket = &Bucket::of(world);
    eventually("Firehose has delivered the town", || async {
        let lines = lines(bucket).await.len();
        (lines >= world.town.homes()).then_some(()).ok_or_else(|| format!("{lines} lines"))
    })
    .await;
    let built = world.build_beside("lake");
    let lake = deploy(world, &built);
    let tick = async || world.raw.invoke(lake.output("TablesFunctionName").unwrap(), &json!({})).await;
    let first = tick().await.unwrap();
    assert_eq!((&first["held"], &first["ingested"]["quarantined"]), (&json!(0), &json!(0)), "{first}");
    // Others may have delivered meanwhile.
    let homes = eventually("a tick leaves nothing", || async {
        let answer = tick().await.map_err(|error| error.to_string())?;
        let bronze = lines(bucket).await.len();
        let is_done = answer["left"] == 0 && rows(bucket, "observations").await == bronze;
        is_done.then_some(bronze).ok_or_else(|| answer.to_string())
    })
    .await;
    say(&format!("{homes} observations are in the table"));
    are_bronze(bucket).await;
    // Another program reads the same, also as it was: the first version of a table has no rows.
    say(world.run("lake/setup", &[]).trim());
    let count = "select count(distinct observation_id) from observations";
    assert_eq!(queried(world, count, &[]), homes.to_string());
    assert_eq!(queried(world, count, &["--version", "0"]), "0");
    if world.kind == EmulatorKind::MiniStack {
        let glue =
            async |operation: &str, body: Value| world.raw.json("glue", &format!("AWSGlue.{operation}"), body).await;
        let listed = glue("GetTables", json!({ "DatabaseName": "stoop_test" })).await.unwrap();
        let names = listed["TableList"].as_array().unwrap().iter().map(|table| table["Name"].as_str().unwrap());
        assert!(names.clone().any(|name| name == "observations"), "{:?}", names.collect::<Vec<_>>());
        let table = glue("GetTable", json!({ "DatabaseName": "stoop_test", "Name": "observations" })).await.unwrap();
        let location = format!("s3://{}/tables/observations/", world.output("BucketName"));
        let storage = &table["Table"]["StorageDescriptor"];
        assert_eq!(
            (&storage["Location"], &storage["SerdeInfo"]["Parameters"]["path"]),
            (&json!(location), &json!(location))
        );
    }
    world.delete(&lake).await;
}

/// A bucket aside, with more bronze in each round, and the function that was built for the stack.
struct Growing<'w> {
    bucket: Bucket<'w>,
    built: &'w BuiltBeside,
    round: i64,
}

impl<'w> Growing<'w> {
    async fn new(world: &'w World, built: &'w BuiltBeside, name: &str) -> Self {
        Self { bucket: Bucket::aside(world, name).await, built, round: 0 }
    }

    async fn function(&self) -> Hosted {
        let own = [("STOOP_BUCKET", self.bucket.name.as_str())];
        Hosted::start_binary(self.bucket.world, self.built.binary("TablesFunction"), &own, TIMEOUT).await
    }

    /// Two more files; each has half of the other again.
    async fn more(&mut self) {
        self.round += 1;
        let (round, half) = (self.round, [town(self.round, 20), town(-self.round, 20)].concat());
        put_bronze(&self.bucket, &format!("round-{round:03}-a"), &town(round, 40)).await;
        put_bronze(&self.bucket, &format!("round-{round:03}-b"), &half).await;
    }
}

/// Four functions at the same time lose and double nothing.
pub(crate) async fn four_at_once(world: &World) {
    let built = world.build_beside("lake");
    let mut growing = Growing::new(world, &built, "four").await;
    let tick = json!({});
    let (one, two) = (growing.function().await, growing.function().await);
    let (three, four) = (growing.function().await, growing.function().await);
    for _ in 0..3 {
        growing.more().await;
        let (a, b, c, d) = tokio::join!(
            one.host.invoke(&tick),
            two.host.invoke(&tick),
            three.host.invoke(&tick),
            four.host.invoke(&tick)
        );
        let added = [a, b, c, d].map(|answer| answer.unwrap()["ingested"]["added"].as_u64().unwrap());
        assert_eq!(added.iter().sum::<u64>(), 60, "{added:?}");
        are_bronze(&growing.bucket).await;
    }
}

/// Refused commits, lost answers, and deaths at each kind of call lose and double nothing.
pub(crate) async fn refused_and_killed(world: &World) {
    let built = world.build_beside("lake");
    let mut growing = Growing::new(world, &built, "killed").await;
    let (one, tick) = (growing.function().await, json!({}));
    // What S3 answers while another write of the same key is under way, and when an answer is lost.
    let conflict = "<Error><Code>ConditionalRequestConflict</Code><Message>made up</Message></Error>";
    for fate in [Fate::Answer(409, conflict.into()), Fate::ForwardAndFail] {
        growing.more().await;
        let mut times = 0;
        one.proxy.fail(move |asked, _| {
            let is_commit = asked.starts_with("PUT ") && asked.contains("_delta_log/") && asked.ends_with(".json");
            times += usize::from(is_commit);
            if is_commit && times <= 2 { fate.clone() } else { Fate::Forward }
        });
        let answer = one.host.invoke(&tick).await.unwrap();
        assert!(!one.proxy.struck().is_empty(), "no commit was refused: {answer}");
        one.proxy.heal();
        are_bronze(&growing.bucket).await;
    }
    for (call, nth, fate) in [
        ("GET ", 1, Fate::Hang),
        ("PUT ", 1, Fate::Hang),
        ("PUT ", 1, Fate::ForwardAndHang),
        ("PUT ", 2, Fate::Hang),
        ("PUT ", 2, Fate::ForwardAndHang),
        ("PUT ", 3, Fate::ForwardAndHang),
        ("PUT ", 4, Fate::ForwardAndHang),
        ("PUT ", 5, Fate::ForwardAndHang),
    ] {
        growing.more().await;
        let mut seen = 0;
        one.proxy.fail(move |asked, _| {
            seen += usize::from(asked.starts_with(call));
            if asked.starts_with(call) && seen == nth { fate.clone() } else { Fate::Forward }
        });
        one.invoke_and_kill(&tick).await;
        one.proxy.heal();
        one.host.restart().await.unwrap();
        let answer = one.host.invoke(&tick).await.unwrap();
        assert_eq!(answer["left"], 0, "killed at {call}{nth}: {answer}");
        are_bronze(&growing.bucket).await;
    }
    growing.more().await;
    say(&format!("requests of a tick with two new files: {:?}", requests(&one).await));
    // What the last tick recorded is merged by the next one.
    one.host.invoke(&tick).await.unwrap();
    say(&format!("requests of a tick with nothing to do: {:?}", requests(&one).await));
}

/// The requests of a tick, by kind: what docs/LAKE.md says of costs rests on them.
async fn requests(function: &Hosted) -> BTreeMap<&'static str, usize> {
    let counted: Arc<Mutex<BTreeMap<&str, usize>>> = Arc::default();
    let count = Arc::clone(&counted);
    function.proxy.fail(move |asked, _| {
        let is_of_bucket = asked.trim_end_matches('/').matches('/').count() == 1;
        let kind = match asked.split(' ').next() {
            Some("GET") if is_of_bucket => "LIST",
            Some("GET") => "GET",
            Some("HEAD") => "HEAD",
            Some("PUT") => "PUT",
            _ => "other",
        };
        *count.lock().unwrap().entry(kind).or_default() += 1;
        Fate::Forward
    });
    function.host.invoke(&json!({})).await.unwrap();
    function.proxy.heal();
    let counted = counted.lock().unwrap().clone();
    assert!(counted.values().sum::<usize>() < 500, "{counted:?}");
    counted
}
