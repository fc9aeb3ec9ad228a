//! Time, throttling, and killed functions.

use std::cell::{Cell, RefCell};

use super::*;
use crate::mapping::{Condition, Mishaps};

const MINUTE_MS: i64 = 60_000;

fn aged(maximum_record_age_ms: i64) -> MappingConfig {
    let maximum_record_age_ms = Some(maximum_record_age_ms);
    MappingConfig { maximum_record_age_ms, ..MappingConfig::default() }
}

#[test]
fn a_record_too_old_is_not_sent_even_once() {
    let mut stream = saying("a b");
    stream.put(Time::from_ms(5 * MINUTE_MS), "key", "c");
    let mut mapping = Mapping::new(aged(2 * MINUTE_MS), 1);
    mapping.pass(6 * MINUTE_MS);
    assert_eq!(sent(&mut mapping, &stream, |_| Outcome::success()), ["c"]);
    let [discarded] = mapping.discarded() else { panic!("{:?}", mapping.discarded()) };
    assert_eq!((discarded.condition, said(&discarded.batch)), (Condition::RecordAgeExceeded, "a b".into()));
    assert_eq!(discarded.approximate_invoke_count, 0);
    assert_eq!(discarded.s3_document().get("responseContext"), None);
}

#[test]
fn a_batch_is_retried_until_its_records_are_too_old() {
    let mut mapping = Mapping::new(aged(10 * MINUTE_MS), 1);
    let batches = sent(&mut mapping, &saying("a poison"), fails_at_poison);
    assert!(batches.len() > 10 && batches.iter().all(|batch| batch == "a poison"), "{batches:?}");
    assert_eq!(discarded(&mapping), ["a poison"]);
    assert_eq!(mapping.discarded()[0].condition, Condition::RecordAgeExceeded);
    let late = mapping.now().ms() - 10 * MINUTE_MS;
    assert!((0..=2 * MINUTE_MS).contains(&late), "discarded when it is too old: {late} ms after");
}

#[test]
fn a_record_of_exactly_the_maximum_age_is_sent() {
    let mut mapping = Mapping::new(aged(MINUTE_MS), 1);
    mapping.pass(MINUTE_MS);
    assert_eq!(sent(&mut mapping, &saying("a"), |_| Outcome::success()), ["a"]);
}

#[test]
fn without_limits_a_mapping_retries_until_the_records_expire_unreported() {
    let mut mapping = Mapping::new(MappingConfig::default(), 1);
    let batches = sent(&mut mapping, &saying("a poison c"), fails_at_poison);
    assert!(batches.len() > 1_000);
    assert_eq!((mapping.counters().records_expired, mapping.discarded().len()), (3, 0));
    assert!(mapping.now() > Time::from_ms(Time::DAY_MS));
}

#[test]
fn throttling_is_not_a_retry() {
    let config = MappingConfig { maximum_retry_attempts: Some(0), ..MappingConfig::default() };
    let mut mapping = Mapping::new(config, 1);
    let times = Cell::new(0);
    let batches = sent(&mut mapping, &saying("a b"), |_| {
        times.set(times.get() + 1);
        if times.get() < 9 { Outcome::Throttled } else { Outcome::success() }
    });
    let counters = mapping.counters();
    assert_eq!((batches.len(), counters.throttled, counters.invocations, counters.retries), (9, 8, 1, 0));
    assert_eq!(counters.records_processed, 2);

    let mishaps = Mishaps { throttled_permille: 900, ..Mishaps::default() };
    let mut mapping = Mapping::new(MappingConfig { mishaps, ..config }, 1);
    assert_eq!(sent(&mut mapping, &saying("a b"), |_| Outcome::success()), ["a b"]);
    assert!(mapping.counters().throttled > 0 && mapping.now().ms() >= 1_000, "throttling takes time");
}

#[test]
fn a_throttled_batch_still_ages() {
    let mut mapping = Mapping::new(MappingConfig { maximum_retry_attempts: Some(0), ..aged(5 * MINUTE_MS) }, 1);
    sent(&mut mapping, &saying("a b"), |_| Outcome::Throttled);
    assert_eq!(discarded(&mapping), ["a b"]);
    assert_eq!(mapping.discarded()[0].condition, Condition::RecordAgeExceeded);
}

#[test]
fn retries_wait_twice_as_long_each_time_up_to_a_minute() {
    let config = MappingConfig { maximum_retry_attempts: Some(9), invocation_ms: 0, ..MappingConfig::default() };
    let mut mapping = Mapping::new(config, 1);
    let times = RefCell::new(Vec::new());
    sent(&mut mapping, &saying("a"), |batch| {
        times.borrow_mut().push(batch.sent_at.ms());
        Outcome::Failed
    });
    let waits: Vec<i64> = times.into_inner().windows(2).map(|pair| (pair[1] - pair[0]) / 1_000).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
}

#[test]
fn a_killed_function_stops_in_the_middle_and_its_batch_comes_again() {
    let mut stream = Stream::new(1);
    for n in 0..200 {
        stream.put(Time::from_ms(0), "key", format!("{n}"));
    }
    let mishaps = Mishaps { killed_permille: 300, ..Mishaps::default() };
    let mut mapping = Mapping::new(MappingConfig { batch_size: 20, mishaps, ..MappingConfig::default() }, 11);
    let (begun, ended) = (Cell::new(0), Cell::new(0));
    let touched = RefCell::new(vec![0; 200]);
    finish(mapping.run(&stream, async |batch: Batch| {
        begun.set(begun.get() + 1);
        for record in &batch.records {
            let n: usize = String::from_utf8_lossy(&record.data).parse().unwrap();
            touched.borrow_mut()[n] += 1;
            pause(1).await;
        }
        ended.set(ended.get() + 1);
        Outcome::success()
    }));
    let counters = mapping.counters();
    assert!(counters.killed > 0);
    assert_eq!((counters.invocations, counters.succeeded), (begun.get(), ended.get()));
    assert_eq!(counters.killed, begun.get() - ended.get());
    assert_eq!((counters.records_processed, counters.retries), (200, counters.killed));
    let touched = touched.into_inner();
    let in_the_middle = touched.chunks(20).any(|batch| batch[0] > batch[19] && batch[19] > 0);
    assert!(in_the_middle, "a part of the batch was processed, and then all of it: {touched:?}");
}

#[test]
fn a_lost_response_brings_the_batch_again() {
    let mishaps = Mishaps { response_lost_permille: 500, ..Mishaps::default() };
    let mut mapping = Mapping::new(MappingConfig { batch_size: 1, mishaps, ..MappingConfig::default() }, 2);
    let words = vec!["x"; 50].join(" ");
    let batches = sent(&mut mapping, &saying(&words), |_| Outcome::success());
    let counters = mapping.counters();
    assert!(counters.killed > 5);
    assert_eq!(batches.len() as u64, 50 + counters.killed);
}

#[test]
fn processed_records_may_come_again() {
    let mishaps = Mishaps { again_permille: 400, ..Mishaps::default() };
    let mut mapping = Mapping::new(MappingConfig { batch_size: 1, mishaps, ..MappingConfig::default() }, 2);
    let words = vec!["x"; 50].join(" ");
    let batches = sent(&mut mapping, &saying(&words), |_| Outcome::success());
    let counters = mapping.counters();
    assert!(counters.again > 5);
    assert_eq!((batches.len() as u64, counters.records_processed), (50 + counters.again, 50));
}

#[test]
fn a_mapping_waits_for_later_records() {
    let mut stream = saying("a");
    stream.put(Time::from_ms(90_000), "key", "b");
    let mut mapping = Mapping::new(MappingConfig::default(), 1);
    assert_eq!(sent(&mut mapping, &stream, |_| Outcome::success()), ["a", "b"]);
    assert_eq!(mapping.now(), Time::from_ms(90_100));
}

#[test]
#[should_panic(expected = "ParallelizationFactor is 1 to 10, not 11")]
fn settings_that_aws_refuses_are_refused() {
    drop(Mapping::new(MappingConfig { parallelization_factor: 11, ..MappingConfig::default() }, 1));
}
