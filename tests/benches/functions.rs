//! `cargo bench -p stoop-tests --bench functions --profile dev`: size and performance of the deployed functions.
//!
//! Zip size of each, time from process start to the first `/next` call, and the memory of the metrics function with a
//! full batch, on local AWS. A zip above its budget fails; times and memory are only printed, because machines differ.
//! `docs/PERFORMANCE.md` has the budgets.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stoop_domain::Observation;
use stoop_tests::host::Host;
use stoop_tests::local::LocalAws;
use stoop_tests::made;
use stoop_tests::stack::{Built, architecture};
use stoop_tests::weight::{ZIP_MB_MAX, zipped_mb};

/// Starts of each function.
const STARTS: usize = 21;

const TIMEOUT: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let aws = LocalAws::start()?;
    let folder = tempfile::tempdir()?;
    let built = Built::for_release(&aws, &folder.path().join("built"))?;
    let stack = built.deploy(&aws, "stoop-bench", &[])?;
    let environment = stack.environment(&aws)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("\n{:<8}   zip      init, median of {STARTS} (min to max)", architecture()?);
    let mut heavy = Vec::new();
    for (function, budget_mb) in ZIP_MB_MAX {
        let binary = built.binary(function)?;
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            let host = runtime.block_on(Host::start(&binary, environment.clone(), TIMEOUT))?;
            starts.push(host.init_time().as_secs_f64() * 1_000.0);
        }
        starts.sort_by(f64::total_cmp);
        let (median, min, max) = (starts[STARTS / 2], starts[0], starts[STARTS - 1]);
        let zipped_mb = zipped_mb(&binary)?;
        println!("{function:<8} {zipped_mb:>5.2} MB  {median:.1} ms ({min:.1} to {max:.1})");
        if zipped_mb > budget_mb {
            heavy.push(format!("{function}: a zip of {zipped_mb:.2} MB, and the budget is {budget_mb} MB"));
        }
    }
    println!("\nmetrics function                                          peak memory  took");
    let one_each: Vec<Vec<Observation>> = (0..1_000).map(|i| vec![seen(i)]).collect();
    let in_tens: Vec<Vec<Observation>> = (0..1_000).map(|i| (0..10).map(|j| seen(i * 10 + j)).collect()).collect();
    for (what, records) in [("1,000 records of 1 observation", one_each), ("1,000 records of 10 observations", in_tens)]
    {
        let host = runtime.block_on(Host::start(built.binary("metrics")?, environment.clone(), TIMEOUT))?;
        let event = kinesis(&records);
        let began = Instant::now();
        let response = runtime.block_on(host.invoke(&event))?;
        let took = began.elapsed();
        ensure!(response == json!({"batchItemFailures": []}), "{what}: {response}");
        let kb = host.peak_memory_kb().context("the memory of the process is unknown")?;
        let payload_mb = serde_json::to_vec(&event)?.len() as f64 / 1e6;
        println!(
            "{:<57} {:>5.1} MB     {took:.2?}",
            format!("{what}, a payload of {payload_mb:.1} MB"),
            kb as f64 / 1e3
        );
    }
    ensure!(heavy.is_empty(), "{}", heavy.join("; "));
    Ok(())
}

/// One of 5,000 homes in 50 cities.
fn seen(i: i64) -> Observation {
    let home = i % 5_000;
    made::observation_in(&format!("City {}", home % 50), &home.to_string(), i / 5_000, 500_000 + home * 100)
}

fn kinesis(records: &[Vec<Observation>]) -> Value {
    let record = |(i, seen): (usize, &Vec<Observation>)| {
        let lines: Vec<Vec<u8>> = seen
            .iter()
            .map(|seen| {
                let mut line = Vec::new();
                stoop_wire::encode(seen, &mut line);
                line
            })
            .collect();
        let body = stoop_wire::kpl::aggregate("bench", lines.iter().map(Vec::as_slice));
        let sequence = format!("{:056}", i + 1);
        json!({
            "kinesis": {"kinesisSchemaVersion": "1.0", "partitionKey": "bench", "sequenceNumber": sequence,
                "data": base64(&body), "approximateArrivalTimestamp": 1_768_392_000.0},
            "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventName": "aws:kinesis:record",
            "eventID": format!("shardId-000000000000:{sequence}"), "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/bench",
        })
    };
    json!({"Records": records.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
