//! Records on the stream: duplicate, unordered, foreign.

use std::time::Duration;

use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use serde_json::Value;
use stoop_domain::Observation;
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;
use stoop_tests::made::{market_in, observation_in};
use stoop_wire::kpl::aggregate;

use crate::figures::json_of;
use crate::world::{PATIENCE, World, eventually, say};

/// A line of wire JSON with its line end.
pub(crate) fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(observation, &mut line);
    line.push(b'\n');
    line
}

/// Observations as the poller sends them: one aggregated record.
pub(crate) fn record(observations: &[&Observation]) -> Vec<u8> {
    let lines: Vec<Vec<u8>> = observations.iter().map(|seen| line(seen)).collect();
    aggregate("by-hand", lines.iter().map(Vec::as_slice))
}

async fn put(world: &World, records: Vec<Vec<u8>>) {
    let entries = records
        .into_iter()
        .map(|data| PutRecordsRequestEntry::builder().partition_key("by-hand").data(Blob::new(data)).build().unwrap());
    let request = world.clients.kinesis().put_records().stream_name(world.output("StreamName"));
    let answer = request.set_records(Some(entries.collect())).send().await.unwrap();
    assert_eq!(answer.failed_record_count(), Some(0));
}

pub(crate) async fn measured(world: &World, observations: &[Observation]) {
    eventually("the state is that of the observations", || async {
        world.state.check(&world.state.tables, observations).await
    })
    .await;
}

/// Each observation several times, the later before the earlier: the state is as if each had come once and in order.
pub(crate) async fn duplicates_and_disorder(world: &World) {
    let city = "Essaouira";
    let seen = |home: i64, hour: i64| {
        let dirhams = 900_000 + home * 10_000 - hour * (1_000 + home);
        observation_in(city, &format!("disorder-{home}"), hour * 60 + home, dirhams)
    };
    // In the order of time, as a history is built.
    let observations: Vec<Observation> = (0..6).flat_map(|hour| (0..12).map(move |home| seen(home, hour))).collect();
    let refs: Vec<&Observation> = observations.iter().collect();
    let reversed: Vec<&Observation> = refs.iter().rev().copied().collect();
    let every_third: Vec<&Observation> = refs.iter().step_by(3).copied().collect();
    let (early, late) = refs.split_at(refs.len() / 2);
    put(world, vec![record(late), record(&every_third), record(early), record(late)]).await;
    put(world, vec![record(&reversed), record(early), line(refs[5]), record(&every_third)]).await;
    measured(world, &observations).await;
    // And once more, after all is stored: nothing changes.
    let before = world.state.everything().await;
    let last = observation_in("Ouarzazate", "disorder-end", 0, 700_000);
    put(world, vec![record(&reversed), record(&refs), record(&[&last])]).await;
    measured(world, &[last]).await;
    let after = world.state.everything().await;
    let gone: Vec<_> = before.iter().filter(|item| !after.contains(item)).collect();
    assert!(gone.is_empty(), "changed: {gone:?}");
    assert_eq!(after.len(), before.len() + 2, "one home and one market are new");
}

/// Garbage among good records goes to quarantine with its bytes, and does not affect the others.
pub(crate) async fn poison(world: &World) {
    let good: Vec<Observation> =
        (0..5).map(|home| observation_in("Taroudant", &format!("good-{home}"), home, 800_000 + home)).collect();
    let nameless = String::from_utf8(line(&good[0])).unwrap().replacen("\"native_id\":", "\"native\":", 1);
    assert!(nameless.contains("\"native\":"), "no id in {nameless}");
    let garbage = b"\xff\xfe this is not a listing \x00".to_vec();
    let mut damaged = record(&[&good[1]]);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    let mixed = [line(&good[2]), nameless.into_bytes(), b"{\"not\": \"ours\"}\n".to_vec(), line(&good[3])];
    let mixed = aggregate("by-hand", mixed.iter().map(Vec::as_slice));
    let before = world.state.objects("quarantine/").await.len();
    let poisoned =
        vec![record(&[&good[0]]), garbage, damaged, mixed, vec![b'x'; 1_000_000], record(&[&good[1], &good[4]])];
    put(world, poisoned).await;
    measured(world, &good).await;
    let rejects = eventually("unreadable records are in quarantine", || async {
        let rejects = world.state.objects("quarantine/").await;
        let new = rejects.len() - before;
        if new >= 5 { Ok(rejects) } else { Err(format!("{new} of 5")) }
    })
    .await;
    let rejects: Vec<Value> = rejects.values().map(|body| serde_json::from_slice(body).unwrap()).collect();
    assert_eq!(rejects.len() - before, 5, "{rejects:?}");
    let raws: Vec<&str> = rejects.iter().filter_map(|reject| reject["raw"].as_str()).collect();
    for part in ["this is not a listing", "\"native\":", "{\"not\": \"ours\"}", "xxxxxxxxxx"] {
        assert!(raws.iter().any(|raw| raw.contains(part)), "{part} is not kept: {raws:?}");
    }
    // Each reject has its position and its reason.
    let message = rejects.iter().all(|reject| reject["location"].is_string() && reject["detail"].is_string());
    assert!(message, "{rejects:?}");
    let counted = world.counted("MetricsFunctionName", "Quarantined", world.began).await;
    assert!(counted >= 5, "the metric counts {counted}");
}

/// The time from a record on the stream to the figures in the head item. Printed, not checked: an emulator polls a
/// stream once a second or less often, and AWS has its own delays.
pub(crate) async fn latency(world: &World) {
    const RECORDS: usize = 20;
    let city = "Tiznit";
    let market = market_in(city).to_string();
    let mut waits_ms = Vec::with_capacity(RECORDS);
    for number in 1..=RECORDS {
        let mut seen = observation_in(city, &format!("latency-{number}"), 0, 500_000);
        seen.at = SystemClock.now();
        seen.seen = seen.at;
        let began = SystemClock.now();
        put(world, vec![record(&[&seen])]).await;
        while active(world, &market).await < number as u64 {
            assert!(
                SystemClock.now().ms() - began.ms() < PATIENCE.as_millis() as i64,
                "record {number} is not measured"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        waits_ms.push(SystemClock.now().ms() - began.ms());
    }
    waits_ms.sort_unstable();
    let at = |percent: usize| waits_ms[(RECORDS * percent).div_ceil(100).max(1) - 1];
    say(&format!("put to snapshot, {RECORDS} records: p50 {} ms, p99 {} ms", at(50), at(99)));
}

async fn active(world: &World, market: &str) -> u64 {
    let head = world.state.head(market).await;
    head.map_or(0, |head| json_of(&head["figures"])["active"].as_u64().unwrap())
}
