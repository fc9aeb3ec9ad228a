//! The shards of records, and splits and merges.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::*;
use crate::mapping::ShardId;

#[test]
fn a_record_goes_to_the_shard_whose_range_holds_the_md5_of_its_key() {
    // RFC 1321: the MD5 of "a" is 0cc1..., of "abc" 9001..., of "message digest" f96b..., of "" d41d...
    let shards = |count, key| Stream::new(count).put(Time::from_ms(0), key, "").0.0;
    assert_eq!([shards(2, "a"), shards(2, "abc"), shards(2, "message digest")], [0, 1, 1]);
    assert_eq!([shards(16, "a"), shards(16, "abc"), shards(16, "message digest"), shards(16, "")], [0, 9, 15, 13]);
    assert_eq!([shards(1, "a"), shards(1, "message digest")], [0, 0]);
    // The last range includes the remainder of the division, so that every hash has a shard.
    for count in [3, 7, 1_000] {
        let mut stream = Stream::new(count);
        let used: BTreeSet<ShardId> =
            (0..10_000).map(|n| stream.put(Time::from_ms(0), &format!("{n}"), "").0).collect();
        assert_eq!(used, (0..count).map(ShardId).collect());
    }
}

#[test]
fn sequence_numbers_grow_as_numbers_and_not_as_strings() {
    let mut stream = Stream::new(1);
    let numbers: Vec<u128> = (0..100).map(|_| stream.put(Time::from_ms(0), "key", "").1).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b));
    let strings: Vec<String> = numbers.iter().map(u128::to_string).collect();
    assert!(!strings.is_sorted());
}

#[test]
fn the_children_of_a_split_share_the_range_of_their_parent() {
    let mut stream = Stream::new(2);
    let parent = stream.put(Time::from_ms(0), "abc", "").0;
    let [low, high] = stream.split(parent);
    // The upper half is split at c000...: 9001 is below, f96b above.
    assert_eq!(stream.put(Time::from_ms(0), "abc", "").0, low);
    assert_eq!(stream.put(Time::from_ms(0), "message digest", "").0, high);
    assert_eq!(stream.put(Time::from_ms(0), "a", "").0, ShardId(0), "the other shard is unchanged");
    assert_eq!(stream.open_shards().collect::<Vec<_>>(), [ShardId(0), low, high]);
    let next = [ShardId(0), low, high].map(|shard| stream.next_to(shard));
    assert_eq!(next, [Some(low), Some(high), None]);
    let merged = stream.merge(ShardId(0), low);
    assert_eq!(stream.put(Time::from_ms(0), "a", "").0, merged);
    assert_eq!(stream.put(Time::from_ms(0), "abc", "").0, merged);
}

#[test]
#[should_panic(expected = "are not adjacent")]
fn shards_that_are_not_adjacent_cannot_be_merged() {
    Stream::new(3).merge(ShardId(0), ShardId(2));
}

#[test]
#[should_panic(expected = "ShardId(0) is closed")]
fn a_closed_shard_cannot_be_split() {
    let mut stream = Stream::new(1);
    stream.split(ShardId(0));
    stream.split(ShardId(0));
}

#[test]
fn children_are_read_after_their_parent() {
    let mut stream = Stream::new(1);
    let put = |stream: &mut Stream, numbers: Range<usize>| {
        for n in numbers {
            stream.put(Time::from_ms(0), &format!("{}", n % 40), format!("{n}"));
        }
    };
    put(&mut stream, 0..50);
    let config = MappingConfig { batch_size: 4, parallelization_factor: 3, ..careful(100) };
    let mut mapping = Mapping::new(config, 3);
    let last: RefCell<BTreeMap<String, usize>> = RefCell::default();
    let shards = RefCell::new(Vec::new());
    let function = async |batch: Batch| {
        pause(2).await;
        if batch.retries < 2 && batch.records.len() % 2 == 1 {
            return Outcome::Failed;
        }
        shards.borrow_mut().push(batch.shard.0);
        for record in &batch.records {
            let n: usize = String::from_utf8_lossy(&record.data).parse().unwrap();
            let before = last.borrow_mut().insert(record.partition_key.clone(), n);
            assert!(before < Some(n), "{n} of {} after {before:?}", record.partition_key);
        }
        Outcome::success()
    };
    finish(mapping.run_some(&stream, 3, function));
    let processed = mapping.counters().records_processed;
    assert!(0 < processed && processed < 50, "in mid-stream: {processed}");
    let [low, _] = stream.split(ShardId(0));
    put(&mut stream, 50..100);
    let [lowest, second] = stream.split(low);
    put(&mut stream, 100..150);
    stream.merge(lowest, second);
    put(&mut stream, 150..200);
    finish(mapping.run(&stream, function));
    assert_eq!(mapping.counters().records_processed, 200);
    let shards = shards.into_inner();
    let first = |shard| shards.iter().position(|seen| *seen == shard).unwrap();
    let last = |shard| shards.iter().rposition(|seen| *seen == shard).unwrap();
    for (parent, child) in [(0, 1), (0, 2), (1, 3), (1, 4), (3, 5), (4, 5)] {
        assert!(last(parent) < first(child), "{parent} before {child}: {shards:?}");
    }
}

#[test]
fn a_failing_parent_blocks_its_children_until_its_records_are_discarded() {
    let mut stream = saying("poison");
    stream.split(ShardId(0));
    stream.put(Time::from_ms(0), "key", "child");
    let mut mapping = Mapping::new(careful(3), 1);
    assert_eq!(sent(&mut mapping, &stream, fails_at_poison), ["poison", "poison", "poison", "poison", "child"]);
    assert_eq!(discarded(&mapping), ["poison"]);
}
