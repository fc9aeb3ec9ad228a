use std::collections::VecDeque;
use std::sync::Arc;

use stoop_domain::Time;

use super::MappingConfig;
use super::batch::{PAYLOAD_BYTES_MAX, event_bytes};
use super::stream::{Record, Shard};
use crate::random::Random;

/// Where a mapping stands in one shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardReader {
    /// Records of the shard that were handed to the lanes.
    read: usize,
    /// One per batch that may be under way at once.
    pub(crate) lanes: Vec<Lane>,
}

/// Records that are processed one batch after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// What is left of batches that were sent, in order. The first holds up everything behind it.
    parts: VecDeque<Part>,
    /// Records that were never sent.
    fresh: VecDeque<Arc<Record>>,
    /// Whether a batch is under way.
    pub(crate) is_busy: bool,
}

/// A batch, or what is left of one.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) records: Vec<Arc<Record>>,
    /// Retries that count against `MaximumRetryAttempts`.
    pub(crate) retries: u32,
    /// How often the function was invoked with it.
    pub(crate) invoked: u32,
    /// Whether it last ended in an error.
    pub(crate) is_function_error: bool,
    /// How often it was put off in a row.
    pub(crate) delays: u32,
    pub(crate) not_before: Time,
}

impl ShardReader {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { read: 0, lanes: vec![Lane::default(); lanes] }
    }

    /// Takes up what has arrived.
    pub(crate) fn poll(&mut self, shard: &Shard, now: Time) {
        let lanes = self.lanes.len() as u128;
        for record in &shard.records[self.read..] {
            if record.arrived_at > now {
                break;
            }
            let lane = usize::try_from(record.hash % lanes).unwrap_or(0);
            self.lanes[lane].fresh.push_back(Arc::clone(record));
            self.read += 1;
        }
    }

    /// Whether the shard takes no more records and all that it has are done.
    pub(crate) fn is_done(&self, shard: &Shard) -> bool {
        let is_idle = |lane: &Lane| !lane.is_busy && lane.parts.is_empty() && lane.fresh.is_empty();
        shard.is_closed && self.read == shard.records.len() && self.lanes.iter().all(is_idle)
    }

    /// When there is something to do for a reader that has nothing to do now.
    pub(crate) fn next_at(&self, shard: &Shard) -> Option<Time> {
        let arrives = shard.records.get(self.read).map(|record| record.arrived_at);
        let waiting = self.lanes.iter().filter_map(|lane| lane.parts.front()).map(|part| part.not_before);
        waiting.chain(arrives).min()
    }
}

impl Lane {
    /// Whether a batch may be sent.
    pub(crate) fn is_ready(&self, now: Time) -> bool {
        match self.parts.front() {
            _ if self.is_busy => false,
            Some(part) => part.not_before <= now,
            None => !self.fresh.is_empty(),
        }
    }

    /// The next batch of a lane that is ready.
    pub(crate) fn take(&mut self, config: &MappingConfig, now: Time, random: &mut Random) -> Part {
        if let Some(part) = self.parts.pop_front() {
            return part;
        }
        let records_max = if config.short_batches {
            1 + usize::try_from(random.below(config.batch_size as u64)).unwrap_or(0)
        } else {
            config.batch_size
        };
        let mut records = Vec::new();
        let mut bytes = 0;
        while let Some(record) = self.fresh.front() {
            bytes += event_bytes(record);
            if records.len() == records_max || (bytes > PAYLOAD_BYTES_MAX && !records.is_empty()) {
                break;
            }
            records.extend(self.fresh.pop_front());
        }
        Part { records, retries: 0, invoked: 0, is_function_error: false, delays: 0, not_before: now }
    }

    /// Puts parts back in front of everything, the first of them first.
    pub(crate) fn put_back(&mut self, parts: impl IntoIterator<Item = Part, IntoIter: DoubleEndedIterator>) {
        for part in parts.into_iter().rev() {
            self.parts.push_front(part);
        }
    }
}

impl Part {
    /// Cuts it in two at a place.
    pub(crate) fn split(mut self, at: usize) -> [Self; 2] {
        let records = self.records.split_off(at);
        let rest = Self { records, ..self.clone() };
        [self, rest]
    }
}
