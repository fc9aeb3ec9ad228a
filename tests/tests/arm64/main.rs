//! The functions as deployed by default, built for arm64: each starts, answers its sample of `events/`, and stays
//! within its size limit. `cargo xtask arm64` runs this; CONTRIBUTING.md lists what it needs.
//!
//! On another processor QEMU runs them, in the tests' Lambda host and in MiniStack, which delivers from queues and
//! streams. So durations mean nothing here.
#![allow(clippy::unwrap_used, reason = "a test")]

mod runner;

use std::path::PathBuf;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use stoop_aws::Clients;
use stoop_tests::host::Host;
use stoop_tests::local::LocalAws;
use stoop_tests::stack::{Built, Stack, project};
use stoop_tests::weight::{ZIP_MB_MAX, zipped_mb};
use stoop_waits::{LONG, Limit, PATIENCE};

/// The machine field of a 64-bit ARM ELF file.
const ARM64: [u8; 2] = [0xB7, 0x00];
const CONFIGURATION: &str = r#"
[[search]]
name = "austin"
source = "maps/export.toml"
files = "exports/"
coverage = "snapshot"
every = "1h"
"#;
const MAP: &str = r#"
name = "export"
country = "US"
currency = "USD"
purpose = "sale"

[fields]
native_id = { from = "id" }
list_price = { from = "price" }
city = { from = "city" }
county = { from = "county" }
region = { from = "state" }
"#;
const EXPORT: &str = "id,price,city,county,state\nA1,500000,Austin,Travis,TX\nA2,640000,Austin,Travis,TX\n";

struct World {
    runtime: tokio::runtime::Runtime,
    stack: Stack,
    built: Built,
    programs: std::collections::BTreeMap<&'static str, PathBuf>,
    environment: Vec<(String, String)>,
    clients: Clients,
    /// Dropped last; its folders after it.
    _aws: Mutex<LocalAws>,
    _folder: tempfile::TempDir,
}

type Scenario = for<'w> fn(&'w World) -> Pin<Box<dyn Future<Output = Result<()>> + 'w>>;

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    args.test_threads = Some(1);
    let world: Arc<OnceLock<Result<World>>> = Arc::default();
    let scenarios: [(&str, Scenario); 7] = [
        ("weight", |world| Box::pin(async move { weight(world) })),
        ("planner", |world| Box::pin(planner(world))),
        ("poller", |world| Box::pin(poller(world))),
        ("metrics", |world| Box::pin(metrics(world))),
        ("rollup", |world| Box::pin(rollup(world))),
        ("alerts", |world| Box::pin(alerts(world))),
        ("api", |world| Box::pin(api(world))),
    ];
    let trials = scenarios.map(|(name, scenario)| {
        let world = Arc::clone(&world);
        Trial::test(name, move || {
            let world = world.get_or_init(World::start).as_ref().map_err(|error| format!("{error:#}"))?;
            let _limit = Limit::of(name, LONG);
            world.runtime.block_on(scenario(world)).map_err(|error| format!("{error:#}"))?;
            Ok(())
        })
    });
    let conclusion = libtest_mimic::run(&args, trials.into());
    drop(world);
    conclusion.exit_code()
}

impl World {
    /// Builds for arm64 and deploys to MiniStack.
    fn start() -> Result<Self> {
        let runner = runner::runner()?;
        let aws = LocalAws::start()?;
        let folder = tempfile::Builder::new().prefix("arm64-").tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        eprintln!("sam build for arm64: six functions as they are deployed; the first time this takes ten minutes");
        let built = Built::for_release_on(&aws, &folder.path().join("built"), "arm64")?;
        let programs = built.run_by(&runner)?;
        // The schedule would poll in addition to the tests.
        let stack = built.deploy(&aws, "stoop-arm64", &[("Polling", "DISABLED"), ("MetricsWindowSeconds", "0")])?;
        let environment = stack.environment(&aws)?;
        let variable = |name: &str| environment.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        let clients = Clients::from_variables(variable)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, stack, built, programs, environment, clients, _aws: Mutex::new(aws), _folder: folder })
    }

    /// A function in the tests' host; `own` overrides the template's variables.
    async fn host(&self, function: &str, own: &[(&str, &str)]) -> Result<Host> {
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<_> = self.environment.iter().cloned().chain(own).collect();
        Ok(Host::start(self.built.binary(function)?, environment, PATIENCE).await?)
    }

    async fn answer(&self, function: &str, own: &[(&str, &str)], event: &Value) -> Result<Value> {
        let host = self.host(function, own).await?;
        host.invoke(event).await.with_context(|| format!("{function} wrote:\n{}", host.log().join("\n")))
    }

    /// The response of the function `api` for a path, from its sample of a request.
    async fn ask(&self, path: &str) -> Result<(u64, Value)> {
        let secrets = self.clients.secrets();
        let token = secrets.get_secret_value().secret_id(self.stack.output("ApiTokenSecretArn")?).send().await?;
        let mut event = sample("api-function-url.json")?;
        event["rawPath"] = path.into();
        event["rawQueryString"] = "".into();
        event["queryStringParameters"] = Value::Null;
        // Without it the answer is plain, not compressed and in Base64.
        event["headers"].as_object_mut().context("an event without headers")?.remove("accept-encoding");
        event["headers"]["authorization"] = format!("Bearer {}", token.secret_string().unwrap_or_default()).into();
        let answer = self.answer("api", &[], &event).await?;
        let body = answer["body"].as_str().context("an answer without a body")?;
        Ok((answer["statusCode"].as_u64().context("an answer without a status")?, serde_json::from_str(body)?))
    }

    /// Retries until it is found.
    async fn found(&self, path: &str) -> Result<Value> {
        let began = std::time::Instant::now();
        loop {
            let (status, body) = self.ask(path).await?;
            if status == 200 {
                return Ok(body);
            }
            ensure!(began.elapsed() < PATIENCE, "{path}: {status} {body}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.clients.s3().put_object().bucket(self.stack.output("BucketName")?).key(key);
        put.body(bytes.into()).send().await?;
        Ok(())
    }
}

fn sample(name: &str) -> Result<Value> {
    let path = project().join("events").join(name);
    Ok(serde_json::from_slice(&std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?)?)
}

fn weight(world: &World) -> Result<()> {
    println!("\narm64      zip      budget");
    let mut heavy = Vec::new();
    for (function, budget_mb) in ZIP_MB_MAX {
        let program = &world.programs[function];
        let bytes = std::fs::read(program)?;
        ensure!(bytes.get(18..20) == Some(&ARM64), "{} is not for arm64", program.display());
        let zipped_mb = zipped_mb(program)?;
        println!("{function:<8} {zipped_mb:>5.2} MB  {budget_mb:.1} MB");
        if zipped_mb > budget_mb {
            heavy.push(function);
        }
    }
    ensure!(heavy.is_empty(), "above their budgets: {heavy:?}");
    Ok(())
}

/// The configuration is accepted, and the search is sent: to another queue than the one from which MiniStack feeds the
/// poller, because [`poller`] polls it.
async fn planner(world: &World) -> Result<()> {
    configure(world).await?;
    let other_queue = [("STOOP_QUEUE_URL", world.stack.output("DeadLetterQueueUrl")?)];
    let answer = world.answer("planner", &other_queue, &sample("schedule.json")?).await?;
    ensure!(
        answer == json!({ "sent": ["austin"], "paused": 0, "waiting": 0, "overdue": 0, "refused_configuration": null }),
        "{answer}"
    );
    Ok(())
}

async fn configure(world: &World) -> Result<()> {
    world.put("config/stoop.toml", CONFIGURATION.into()).await?;
    world.put("config/maps/export.toml", MAP.into()).await
}

/// Reads a compressed export, and its content passes through the deployed stream to the tables.
async fn poller(world: &World) -> Result<()> {
    configure(world).await?;
    world.put("files/exports/1.csv.zst", zstd::encode_all(EXPORT.as_bytes(), 3)?).await?;
    // It accepts the configuration, whichever scenario ran before.
    let other_queue = [("STOOP_QUEUE_URL", world.stack.output("DeadLetterQueueUrl")?)];
    world.answer("planner", &other_queue, &sample("schedule.json")?).await?;
    let answer = world.answer("poller", &[], &sample("sqs.json")?).await?;
    ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
    for (id, price) in [("A1", 500_000.0), ("A2", 640_000.0)] {
        let home = world.found(&format!("/api/v1/homes/export/{id}")).await?;
        ensure!(home.to_string().contains(&format!("{price:.1}")), "{id} is to be had for {price}: {home}");
    }
    Ok(())
}

async fn metrics(world: &World) -> Result<()> {
    for event in ["kinesis.json", "kinesis-poison.json"] {
        let answer = world.answer("metrics", &[], &sample(event)?).await?;
        ensure!(answer == json!({ "batchItemFailures": [] }), "{event}: {answer}");
    }
    let home = world.found("/api/v1/homes/reso-actris/ACT7310442").await?;
    ensure!(home.to_string().contains("500000.0"), "it was cut from 625,000: {home}");
    Ok(())
}

/// A tick of its schedule, whatever is left to roll up.
async fn rollup(world: &World) -> Result<()> {
    let answer = world.answer("rollup", &[], &sample("schedule.json")?).await?;
    ensure!(answer.is_object(), "{answer}");
    Ok(())
}

async fn alerts(world: &World) -> Result<()> {
    let answer = world.answer("alerts", &[], &sample("dynamodb-stream.json")?).await?;
    ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
    let scan = world.clients.dynamodb().scan().table_name(world.stack.output("AlertsTableName")?).send().await?;
    // The rules that it was judged by are an item of their own, without a time.
    let alerts = scan.items().iter().filter(|item| item.contains_key("at")).count();
    ensure!(alerts == 1, "one home was cut by a fifth, and one alert is recorded: {:?}", scan.items());
    Ok(())
}

async fn api(world: &World) -> Result<()> {
    let health = world.answer("api", &[], &sample("api-health.json")?).await?;
    ensure!(health["statusCode"] == 200, "{health}");
    let stranger = world.answer("api", &[], &sample("api-function-url.json")?).await?;
    ensure!(stranger["statusCode"] == 401, "{stranger}");
    let (status, markets) = world.ask("/api/v1/markets").await?;
    ensure!(status == 200 && markets["markets"].is_array(), "{status} {markets}");
    Ok(())
}
