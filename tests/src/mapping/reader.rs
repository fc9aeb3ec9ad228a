use std::collections::VecDeque;
use std::sync::Arc;

use stoop_domain::Time;

use super::MappingConfig;
use super::batch::{PAYLOAD_BYTES_MAX, event_bytes};
use super::stream::{Record, Shard};
use stoop_dice::Dice;

/// The position of a mapping in one shard.
#[derive(Clone, Debug)]
pub(crate) struct ShardReader {
    /// The number of records handed to the lanes.
    read: usize,
    /// One per batch that may run concurrently.
    pub(crate) lanes: Vec<Lane>,
}

/// Records whose batches run one after another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lane {
    /// What is left of batches that were sent, in order. The first blocks all later records.
    parts: VecDeque<BatchPart>,
    /// Records that were never sent.
    fresh: VecDeque<Arc<Record>>,
    /// Whether a batch is in progress.
    pub(crate) is_busy: bool,
}

/// A batch or the rest of one.
#[derive(Clone, Debug)]
pub(crate) struct BatchPart {
    pub(crate) records: Vec<Arc<Record>>,
    /// Retries that count against `MaximumRetryAttempts`.
    pub(crate) retries: u32,
    /// The number of invocations with it.
    pub(crate) invoked: u32,
    /// Whether the last one ended in an error.
    pub(crate) is_function_error: bool,
    /// The number of consecutive delays.
    pub(crate) delays: u32,
    pub(crate) not_before: Time,
}

impl ShardReader {
    pub(crate) fn new(lanes: usize) -> Self {
        Self { read: 0, lanes: vec![Lane::default(); lanes] }
    }

    /// Takes the records that have arrived.
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

    /// Whether the shard is closed and all its records are processed.
    pub(crate) fn is_done(&self, shard: &Shard) -> bool {
        let is_idle = |lane: &Lane| !lane.is_busy && lane.parts.is_empty() && lane.fresh.is_empty();
        shard.is_closed && self.read == shard.records.len() && self.lanes.iter().all(is_idle)
    }

    /// When an idle reader has work again.
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

    /// The next batch of a ready lane.
    pub(crate) fn take(&mut self, config: &MappingConfig, now: Time, dice: &mut Dice) -> BatchPart {
        if let Some(part) = self.parts.pop_front() {
            return part;
        }
        let records_max = if config.short_batches { 1 + dice.below(config.batch_size) } else { config.batch_size };
        let mut records = Vec::new();
        let mut bytes = 0;
        while let Some(record) = self.fresh.front() {
            bytes += event_bytes(record);
            if records.len() == records_max || (bytes > PAYLOAD_BYTES_MAX && !records.is_empty()) {
                break;
            }
            records.extend(self.fresh.pop_front());
        }
        BatchPart { records, retries: 0, invoked: 0, is_function_error: false, delays: 0, not_before: now }
    }

    /// Puts parts back to the front, keeping their order.
    pub(crate) fn put_back(&mut self, parts: impl IntoIterator<Item = BatchPart, IntoIter: DoubleEndedIterator>) {
        for part in parts.into_iter().rev() {
            self.parts.push_front(part);
        }
    }
}

impl BatchPart {
    /// Splits it at an index.
    pub(crate) fn split(mut self, at: usize) -> [Self; 2] {
        let records = self.records.split_off(at);
        let rest = Self { records, ..self.clone() };
        [self, rest]
    }
}
