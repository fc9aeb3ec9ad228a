//! How batches are formed and ordered.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::*;
use crate::mapping::{Counters, Mishaps, ShardId};
use stoop_dice::Dice;

#[test]
fn a_batch_has_at_most_the_batch_size_and_is_in_order() {
    let stream = saying("a b c d e f g");
    let config = MappingConfig { batch_size: 3, ..MappingConfig::default() };
    let mut mapping = Mapping::new(config, 1);
    assert_eq!(sent(&mut mapping, &stream, |_| Outcome::success()), ["a b c", "d e f", "g"]);
    let expected =
        Counters { invocations: 3, succeeded: 3, records_processed: 7, concurrency_max: 1, ..Counters::default() };
    assert_eq!(mapping.counters(), expected);
    assert!(sent(&mut mapping, &stream, |_| Outcome::Failed).is_empty(), "processed records do not come again");
}

#[test]
fn a_batch_is_cut_at_six_megabytes() {
    let mut stream = Stream::new(1);
    for _ in 0..10 {
        stream.put(Time::from_ms(0), "key", vec![7; 1_000_000]);
    }
    let sizes = RefCell::new(Vec::new());
    finish(Mapping::new(MappingConfig::default(), 1).run(&stream, async |batch: Batch| {
        assert!(batch.kinesis_event().to_string().len() <= 6 * 1_024 * 1_024);
        sizes.borrow_mut().push(batch.records.len());
        Outcome::success()
    }));
    assert_eq!(sizes.into_inner(), [4, 4, 2]);
}

#[test]
fn a_record_that_fills_an_event_alone_is_sent_alone() {
    let mut stream = Stream::new(1);
    stream.put(Time::from_ms(0), "key", "a");
    stream.put(Time::from_ms(0), "key", vec![b'x'; 5_000_000]);
    stream.put(Time::from_ms(0), "key", "b");
    let batches = sent(&mut Mapping::new(MappingConfig::default(), 1), &stream, |_| Outcome::success());
    assert_eq!(batches.iter().map(String::len).collect::<Vec<_>>(), [1, 5_000_000, 1]);
}

#[test]
fn a_batch_is_of_one_shard() {
    let mut stream = Stream::new(4);
    let mut shards = BTreeMap::new();
    for n in 0..200 {
        let (shard, sequence_number) = stream.put(Time::from_ms(n), &format!("key-{n}"), "");
        shards.insert(sequence_number, shard);
    }
    assert_eq!(shards.values().copied().collect::<std::collections::BTreeSet<ShardId>>().len(), 4);
    finish(Mapping::new(MappingConfig::default(), 1).run(&stream, async |batch: Batch| {
        assert!(batch.records.iter().all(|record| shards[&record.sequence_number] == batch.shard));
        Outcome::success()
    }));
}

#[test]
fn a_failed_batch_blocks_only_its_shard() {
    let mut stream = Stream::new(2);
    let shards: Vec<ShardId> =
        (0..20).map(|n| stream.put(Time::from_ms(0), &format!("{n}"), format!("{n}")).0).collect();
    let of = |shard| (0..20).filter(|n| shards[*n] == ShardId(shard)).map(|n| n.to_string()).collect::<Vec<_>>();
    let config = MappingConfig { batch_size: 2, ..MappingConfig::default() };
    let mut mapping = Mapping::new(config, 5);
    let seen = RefCell::new(Vec::new());
    // The first shard fails with every batch.
    finish(mapping.run_some(&stream, 40, async |batch: Batch| {
        if batch.shard == ShardId(0) {
            return Outcome::Failed;
        }
        seen.borrow_mut().push(said(&batch));
        Outcome::success()
    }));
    assert_eq!(seen.into_inner().join(" "), of(1).join(" "));
    let first = finish(async {
        let first = RefCell::new(None);
        mapping
            .run_some(&stream, 1, async |batch: Batch| {
                first.replace(Some(said(&batch)));
                Outcome::Failed
            })
            .await;
        first.into_inner()
    });
    assert_eq!(first, Some(of(0)[..2].join(" ")), "still the same batch");
}

/// Runs a thousand records of forty keys with a factor. Returns the maximum number of concurrent batches.
fn run_in_parallel(factor: usize, seed: u64) -> u64 {
    let mut stream = Stream::new(1);
    let mut dice = Dice::new(seed);
    for n in 0..1_000 {
        stream.put(Time::from_ms(0), &format!("key-{}", dice.below(40_u8)), format!("{n}"));
    }
    let config = MappingConfig { batch_size: 10, parallelization_factor: factor, ..MappingConfig::default() };
    let config = MappingConfig { report_batch_item_failures: true, short_batches: true, ..config };
    let mut mapping = Mapping::new(config, seed);
    let last: RefCell<BTreeMap<String, u64>> = RefCell::default();
    let keys_in_progress: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let running = Cell::new(0_u64);
    let most = Cell::new(0_u64);
    finish(mapping.run(&stream, async |batch: Batch| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        for record in &batch.records {
            *keys_in_progress.borrow_mut().entry(record.partition_key.clone()).or_default() += 1;
        }
        pause(3).await;
        let mut done = 0;
        for record in &batch.records {
            let n: u64 = String::from_utf8_lossy(&record.data).parse().unwrap();
            // Each record fails once in a while, together with all that follow.
            if (n + u64::from(batch.retries)).is_multiple_of(17) && batch.retries < 3 {
                break;
            }
            let before = last.borrow_mut().insert(record.partition_key.clone(), n);
            assert!(before < Some(n), "{n} of {} after {before:?}", record.partition_key);
            done += 1;
            pause(1).await;
        }
        for record in &batch.records {
            *keys_in_progress.borrow_mut().get_mut(&record.partition_key).unwrap() -= 1;
            let others = batch.records.iter().filter(|other| other.partition_key == record.partition_key).count();
            assert!(keys_in_progress.borrow()[&record.partition_key] < others, "a key is in one batch at a time");
        }
        running.set(running.get() - 1);
        batch.records.get(done).map_or_else(Outcome::success, |record| Outcome::fails_from(record))
    }));
    assert_eq!(mapping.counters().records_processed, 1_000);
    assert_eq!(mapping.counters().concurrency_max, most.get());
    most.get()
}

#[test]
fn the_factor_limits_concurrent_batches_and_each_key_stays_in_order() {
    for (factor, seed) in [(1, 1), (2, 2), (5, 3), (10, 4)] {
        assert_eq!(run_in_parallel(factor, seed), factor as u64);
    }
}

#[test]
fn polls_find_any_number_of_records() {
    let stream = saying(&vec!["x"; 400].join(" "));
    let config = MappingConfig { batch_size: 8, short_batches: true, ..MappingConfig::default() };
    let batches = sent(&mut Mapping::new(config, 3), &stream, |_| Outcome::success());
    for size in 1..=8 {
        assert!(batches.iter().any(|batch| batch.split(' ').count() == size), "none of {size}");
    }
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = |seed| {
        let mut stream = Stream::new(3);
        for n in 0..300 {
            stream.put(Time::from_ms(n / 3), &format!("{}", n % 11), format!("{n}"));
        }
        let mishaps = Mishaps { killed_permille: 100, response_lost_permille: 50, again_permille: 50, ..NO_MISHAPS };
        let config = MappingConfig { batch_size: 7, parallelization_factor: 4, mishaps, ..careful(3) };
        let mut mapping = Mapping::new(config, seed);
        let seen = RefCell::new(Vec::new());
        finish(mapping.run(&stream, async |batch: Batch| {
            for record in &batch.records {
                pause(1).await;
                seen.borrow_mut().push(record.sequence_number);
            }
            Outcome::success()
        }));
        (seen.into_inner(), mapping.counters(), mapping.now())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7).0, run(8).0);
}

const NO_MISHAPS: Mishaps =
    Mishaps { killed_permille: 0, response_lost_permille: 0, again_permille: 0, throttled_permille: 0 };

#[test]
fn kinesis_events_have_the_documented_shape() {
    let mut stream = Stream::new(1);
    let (_, sequence_number) = stream.put(Time::from_ms(1_545_084_650_987), "1", "Hello, this is a test.");
    for data in ["", "f", "fo", "foo", "\u{fb}\u{fc}"] {
        stream.put(Time::from_ms(1_545_084_650_987), "1", data);
    }
    let event = RefCell::new(serde_json::Value::Null);
    finish(Mapping::new(MappingConfig::default(), 1).run(&stream, async |batch: Batch| {
        event.replace(batch.kinesis_event());
        Outcome::success()
    }));
    let event = event.into_inner();
    let record = &event["Records"][0];
    assert_eq!(record["kinesis"]["data"], "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==");
    assert_eq!(record["kinesis"]["sequenceNumber"], sequence_number.to_string());
    assert_eq!(record["kinesis"]["approximateArrivalTimestamp"], 1_545_084_650.987);
    assert_eq!(record["eventID"], format!("shardId-000000000000:{sequence_number}"));
    let data: Vec<_> = event["Records"].as_array().unwrap().iter().map(|record| &record["kinesis"]["data"]).collect();
    assert_eq!(data[1..], ["", "Zg==", "Zm8=", "Zm9v", "w7vDvA=="]);
}

#[test]
fn dynamodb_events_have_the_documented_shape() {
    let mut stream = Stream::new(1);
    for data in [
        r#"{"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"}}}"#,
        r#"{"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"}}}"#,
        r#"{"Keys":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}}}"#,
    ] {
        stream.put(Time::from_ms(0), "1", data);
    }
    let names = RefCell::new(Vec::new());
    finish(Mapping::new(MappingConfig::default(), 1).run(&stream, async |batch: Batch| {
        let event = batch.dynamodb_event().unwrap();
        for (record, sent) in event["Records"].as_array().unwrap().iter().zip(&batch.records) {
            names.borrow_mut().push(record["eventName"].as_str().unwrap().to_owned());
            assert_eq!(record["dynamodb"]["SequenceNumber"], sent.sequence_number.to_string());
            assert_eq!(record["dynamodb"]["Keys"]["id"]["S"], "1");
        }
        Outcome::success()
    }));
    assert_eq!(names.into_inner(), ["INSERT", "MODIFY", "REMOVE"]);
}
