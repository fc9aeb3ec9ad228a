use std::sync::Arc;

use md5::{Digest, Md5};
use stoop_domain::Time;

/// A stream of shards that receives records by partition key.
///
/// For DynamoDB Streams read "item key" for "partition key": a table's partitions split like shards.
#[derive(Clone, Debug)]
pub struct Stream {
    shards: Vec<Shard>,
    records: u64,
}

/// The number of a shard, in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub usize);

/// A record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Increases within a shard, and from a parent to its children, by steps of any size. Compare as a number: sequence
    /// numbers do not sort as strings.
    pub sequence_number: u128,
    /// The key that determines the shard.
    pub partition_key: String,
    pub data: Vec<u8>,
    /// `ApproximateArrivalTimestamp`. The record is not visible before.
    pub arrived_at: Time,
    pub(crate) hash: u128,
}

#[derive(Clone, Debug)]
pub(crate) struct Shard {
    pub(crate) parents: Vec<ShardId>,
    pub(crate) is_closed: bool,
    pub(crate) records: Vec<Arc<Record>>,
    /// The first and the last hash key.
    range: (u128, u128),
}

/// Slightly before the sequence numbers gain a digit, so that comparing them as strings fails.
const FIRST_SEQUENCE_NUMBER: u128 = 999_999_999_999_999_999_900;

impl Stream {
    /// A stream with `shards` equal hash key ranges.
    ///
    /// # Panics
    /// If `shards` is 0.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        assert!(shards > 0, "a stream has a shard");
        let size = u128::MAX / shards as u128;
        let shard = |i: usize| {
            let first = size * i as u128;
            let last = if i + 1 == shards { u128::MAX } else { first + size - 1 };
            Shard::open(Vec::new(), (first, last))
        };
        Self { shards: (0..shards).map(shard).collect(), records: 0 }
    }

    /// Puts a record that is visible from `arrives_at` on. Returns its shard and sequence number.
    ///
    /// # Panics
    /// If it arrives before another record of its shard: records of a shard must be put in order of time.
    pub fn put(&mut self, arrives_at: Time, partition_key: &str, data: impl Into<Vec<u8>>) -> (ShardId, u128) {
        let hash = u128::from_be_bytes(Md5::digest(partition_key.as_bytes()).into());
        let sequence_number = FIRST_SEQUENCE_NUMBER + u128::from(self.records) * 3;
        self.records += 1;
        let (partition_key, data) = (partition_key.to_owned(), data.into());
        let record = Record { sequence_number, partition_key, data, arrived_at: arrives_at, hash };
        for (i, shard) in self.shards.iter_mut().enumerate() {
            if !shard.is_closed && shard.range.0 <= hash && hash <= shard.range.1 {
                let last = shard.records.last().map(|last| last.arrived_at);
                assert!(last <= Some(arrives_at), "a record of shard {i} came at {last:?}, this one at {arrives_at}");
                shard.records.push(Arc::new(record));
                return (ShardId(i), sequence_number);
            }
        }
        unreachable!("the open shards' ranges hold every hash")
    }

    /// Splits an open shard in the middle of its range. It is closed and gets two children.
    ///
    /// # Panics
    /// If it is closed or its range is too small.
    pub fn split(&mut self, shard: ShardId) -> [ShardId; 2] {
        let (first, last) = self.close(shard);
        assert!(first < last, "a range of one hash key can't be split");
        let middle = first + (last - first) / 2;
        [(first, middle), (middle + 1, last)].map(|range| self.add(Shard::open(vec![shard], range)))
    }

    /// Merges two open shards with adjacent ranges. They are closed and get one child.
    ///
    /// # Panics
    /// If one is closed or their ranges are not adjacent.
    pub fn merge(&mut self, one: ShardId, other: ShardId) -> ShardId {
        let (one_range, other_range) = (self.close(one), self.close(other));
        let (low, high) = (one_range.min(other_range), one_range.max(other_range));
        assert!(low.1.checked_add(1) == Some(high.0), "{one:?} and {other:?} are not adjacent");
        self.add(Shard::open(vec![one, other], (low.0, high.1)))
    }

    /// The shards that accept records.
    pub fn open_shards(&self) -> impl Iterator<Item = ShardId> {
        self.shards.iter().enumerate().filter(|(_, shard)| !shard.is_closed).map(|(i, _)| ShardId(i))
    }

    /// The open shard whose range follows that of an open shard; `None` for the last.
    #[must_use]
    pub fn next_to(&self, shard: ShardId) -> Option<ShardId> {
        let after = self.shards[shard.0].range.1.checked_add(1)?;
        self.open_shards().find(|other| self.shards[other.0].range.0 == after)
    }

    /// The number of records ever put.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.records
    }

    /// Whether no record was ever put.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    pub(crate) fn shards(&self) -> &[Shard] {
        &self.shards
    }

    fn add(&mut self, shard: Shard) -> ShardId {
        self.shards.push(shard);
        ShardId(self.shards.len() - 1)
    }

    fn close(&mut self, shard: ShardId) -> (u128, u128) {
        let closing = &mut self.shards[shard.0];
        assert!(!closing.is_closed, "{shard:?} is closed");
        closing.is_closed = true;
        closing.range
    }
}

impl Shard {
    fn open(parents: Vec<ShardId>, range: (u128, u128)) -> Self {
        Self { parents, is_closed: false, records: Vec::new(), range }
    }
}

impl std::fmt::Display for ShardId {
    /// In the format of Kinesis.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "shardId-{:012}", self.0)
    }
}
