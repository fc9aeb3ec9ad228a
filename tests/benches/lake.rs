//! `cargo xtask bench lake`: size, start, time and memory of the lake function, on local AWS.
//!
//! It is built as for a deployment. Each tick finds a file of a hundred thousand new observations, as Firehose writes one,
//! and the tables that the ticks before have made. It fails if the zip exceeds its budget; times and memory are only
//! printed, because machines differ. `docs/LAKE.md` has them.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use stoop_aws::Clients;
use stoop_tests::host::Host;
use stoop_tests::local::LocalAws;
use stoop_tests::made;
use stoop_tests::stack::{BuiltBeside, architecture};
use stoop_tests::weight::{LAKE_ZIP_MB_MAX, zipped_mb};

const TIMEOUT: Duration = Duration::from_secs(900);
const BUCKET: &str = "stoop-bench-lake";
/// Starts of the function.
const STARTS: usize = 21;
const TICKS: i64 = 10;
const OBSERVATIONS: i64 = 100_000;
const MB: f64 = 1e6;

fn main() -> Result<()> {
    let aws = LocalAws::start()?;
    let folder = tempfile::tempdir()?;
    let built = BuiltBeside::for_release(&aws, "infra/lake.yaml", &folder.path().join("lake"))?;
    let binary = built.binary("TablesFunction");
    let variables: BTreeMap<String, String> =
        aws.environment().into_iter().filter_map(|(name, value)| Some((name, value.into_string().ok()?))).collect();
    let mut environment = vec![
        ("STOOP_STACK".to_owned(), "stoop-bench".to_owned()),
        ("STOOP_LOG".to_owned(), "warn".to_owned()),
        ("STOOP_BUCKET".to_owned(), BUCKET.to_owned()),
    ];
    environment.extend(
        variables
            .iter()
            .filter(|(name, _)| name.starts_with("AWS_"))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let s3 = Clients::from_variables(|name| variables.get(name).cloned())?.s3();
    runtime.block_on(s3.create_bucket().bucket(BUCKET).send())?;

    let start = || runtime.block_on(Host::start(&binary, environment.clone(), TIMEOUT));
    let starts: Result<Vec<f64>> = (0..STARTS).map(|_| Ok(start()?.init_time().as_secs_f64() * 1_000.0)).collect();
    let mut starts = starts?;
    starts.sort_by(f64::total_cmp);
    let zip_mb = zipped_mb(&binary)?;
    println!(
        "\n{}: a zip of {zip_mb:.2} MB; init in {:.1} ms (median of {STARTS})",
        architecture()?,
        starts[STARTS / 2]
    );
    ensure!(zip_mb <= LAKE_ZIP_MB_MAX, "the budget is {LAKE_ZIP_MB_MAX} MB");

    let host = start()?;
    println!("\ntick   seconds   peak memory, MB   bronze, MB");
    for tick in 0..TICKS {
        let body = bronze(tick)?;
        let bytes = body.len() as f64;
        let key = format!("lake/observations/dt=2026-03-01/{tick:03}.jsonl.gz");
        runtime.block_on(s3.put_object().bucket(BUCKET).key(key).body(body.into()).send())?;
        let began = Instant::now();
        let answer = runtime.block_on(host.invoke(&json!({})))?;
        let took = began.elapsed();
        ensure!(answer["ingested"]["added"] == OBSERVATIONS && answer["left"] == 0, "{answer}");
        let kb = host.peak_memory_kb().context("the memory of the process is unknown")?;
        println!("{tick:>4} {:>9.1} {:>17.0} {:>12.1}", took.as_secs_f64(), kb as f64 / 1e3, bytes / MB);
    }
    let began = Instant::now();
    runtime.block_on(host.invoke(&json!({})))?;
    println!("nothing new: {:.2} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// A file with the observations of a tick: all different, of homes in fifty cities, over two months.
fn bronze(tick: i64) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for number in tick * OBSERVATIONS..(tick + 1) * OBSERVATIONS {
        let home = number % 20_000;
        let seen =
            made::observation_in(&format!("City {}", home % 50), &home.to_string(), number / 12, 500_000 + number);
        let mut line = Vec::new();
        stoop_wire::encode(&seen, &mut line);
        line.push(b'\n');
        encoder.write_all(&line)?;
    }
    Ok(encoder.finish()?)
}
