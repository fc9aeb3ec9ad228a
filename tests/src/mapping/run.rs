use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use stoop_domain::Time;

use super::invoke::{Ended, Invocations};
use super::reader::{BatchPart, ShardReader};
use super::response::ResponseVerdict;
use super::stream::{Record, ShardId, Stream};
use super::{Batch, Condition, Counters, Discarded, MappingConfig, Outcome, Stuck};
use stoop_dice::Dice;

/// An event source mapping that reads a [`Stream`] from its first record (`TRIM_HORIZON`).
pub struct Mapping {
    config: MappingConfig,
    dice: Dice,
    now: Time,
    readers: BTreeMap<ShardId, ShardReader>,
    counters: Counters,
    discarded: Vec<Discarded>,
}

/// A killed invocation is killed at one of its first pauses, up to this number.
const KILLED_WITHIN_PAUSES: u64 = 24;
const RETRY_DELAY_MS: i64 = 1_000;
const RETRY_DELAY_MS_MAX: i64 = 60_000;

impl Mapping {
    /// A mapping that has read nothing, at the beginning of 1970.
    ///
    /// # Panics
    /// If AWS would refuse the settings.
    #[must_use]
    pub fn new(config: MappingConfig, seed: u64) -> Self {
        assert!((1..=10_000).contains(&config.batch_size), "BatchSize is 1 to 10,000, not {}", config.batch_size);
        let factor = config.parallelization_factor;
        assert!((1..=10).contains(&factor), "ParallelizationFactor is 1 to 10, not {factor}");
        let age_ms = config.maximum_record_age_ms.unwrap_or(60_000);
        assert!((60_000..=604_800_000).contains(&age_ms), "MaximumRecordAge is 60 s to 7 days, not {age_ms} ms");
        let retries = config.maximum_retry_attempts.unwrap_or(0);
        assert!(retries <= 10_000, "MaximumRetryAttempts is at most 10,000, not {retries}");
        Self {
            config,
            dice: Dice::new(seed),
            now: Time::from_ms(0),
            readers: BTreeMap::new(),
            counters: Counters::default(),
            discarded: Vec::new(),
        }
    }

    /// Calls the function until all records of the stream are processed, including later ones.
    ///
    /// Does not end if the function fails forever and retries, age and the stream's retention have no limit.
    pub async fn run<F, Fut>(&mut self, stream: &Stream, function: F)
    where
        F: FnMut(Batch) -> Fut,
        Fut: Future<Output = Outcome>,
    {
        self.run_some(stream, u64::MAX, function).await;
    }

    /// The same with at most `invocations_max` invocations. Those in progress finish; failed ones wait.
    pub async fn run_some<F, Fut>(&mut self, stream: &Stream, invocations_max: u64, mut function: F)
    where
        F: FnMut(Batch) -> Fut,
        Fut: Future<Output = Outcome>,
    {
        let mut under_way = Invocations::new();
        let mut left = invocations_max;
        loop {
            self.poll(stream);
            while left > 0
                && let Some(ended) = self.next_to_invoke()
            {
                left -= 1;
                let (batch, pauses_left) = (ended.batch.clone(), self.draw_pauses());
                under_way.start(ended, function(batch), pauses_left);
                self.counters.concurrency_max = self.counters.concurrency_max.max(under_way.len() as u64);
            }
            if under_way.len() > 0 {
                let (ended, outcome) = under_way.next(&mut self.dice).await;
                self.settle(ended, outcome);
            } else if left > 0
                && let Some(at) = self.next_at(stream)
            {
                self.now = self.now.max(at);
            } else {
                return;
            }
        }
    }

    /// The work so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The records that the on-failure destination received, in order.
    #[must_use]
    pub fn discarded(&self) -> &[Discarded] {
        &self.discarded
    }

    /// The time of the simulated clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Advances the clock without invocations, as when the mapping is disabled.
    pub fn pass(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms.max(0));
    }

    /// Takes the records that have arrived. A child shard is read after its parents are processed.
    fn poll(&mut self, stream: &Stream) {
        let shards = stream.shards();
        for (i, shard) in shards.iter().enumerate() {
            let parent_is_done =
                |parent: &ShardId| self.readers.get(parent).is_some_and(|reader| reader.is_done(&shards[parent.0]));
            if shard.parents.iter().all(parent_is_done) {
                let factor = self.config.parallelization_factor;
                self.readers.entry(ShardId(i)).or_insert_with(|| ShardReader::new(factor)).poll(shard, self.now);
            }
        }
    }

    fn next_at(&self, stream: &Stream) -> Option<Time> {
        self.readers.iter().filter_map(|(shard, reader)| reader.next_at(&stream.shards()[shard.0])).min()
    }

    /// The next batch for the function, of a lane drawn from the seed.
    fn next_to_invoke(&mut self) -> Option<Ended> {
        loop {
            let lanes = self.readers.iter().flat_map(|(shard, reader)| {
                let ready = reader.lanes.iter().enumerate().filter(|(_, lane)| lane.is_ready(self.now));
                ready.map(|(lane, _)| (*shard, lane))
            });
            let lanes: Vec<(ShardId, usize)> = lanes.collect();
            if lanes.is_empty() {
                return None;
            }
            let (shard, lane) = self.dice.pick(&lanes);
            let reading = &mut self.readers.get_mut(&shard)?.lanes[lane];
            let mut part = reading.take(&self.config, self.now, &mut self.dice);
            self.drop_expired(&mut part);
            self.discard_old(shard, &mut part);
            if part.records.is_empty() {
                continue;
            }
            if self.dice.chance(self.config.mishaps.throttled_permille) {
                self.counters.throttled += 1;
                self.put_off(&mut part);
                self.put_back(shard, lane, [part]);
                continue;
            }
            self.counters.invocations += 1;
            part.invoked += 1;
            self.lane(shard, lane).is_busy = true;
            let batch = self.batch(shard, &part);
            let loses_response = self.dice.chance(self.config.mishaps.response_lost_permille);
            return Some(Ended { shard, lane, part, batch, loses_response });
        }
    }

    fn draw_pauses(&mut self) -> Option<u64> {
        let is_killed = self.dice.chance(self.config.mishaps.killed_permille);
        is_killed.then(|| self.dice.below(KILLED_WITHIN_PAUSES))
    }

    /// Drops expired records, without a notice.
    fn drop_expired(&mut self, part: &mut BatchPart) {
        let kept_since = self.now.plus_ms(-self.config.retention_ms);
        let had = part.records.len();
        part.records.retain(|record| record.arrived_at >= kept_since);
        self.counters.records_expired += (had - part.records.len()) as u64;
    }

    fn discard_old(&mut self, shard: ShardId, part: &mut BatchPart) {
        let Some(age_ms) = self.config.maximum_record_age_ms else { return };
        let young_since = self.now.plus_ms(-age_ms);
        let old = part.records.iter().take_while(|record| record.arrived_at < young_since).count();
        if old > 0 {
            let records: Vec<Arc<Record>> = part.records.drain(..old).collect();
            self.discard(shard, BatchPart { records, ..part.clone() }, Condition::RecordAgeExceeded);
        }
    }

    fn settle(&mut self, ended: Ended, outcome: Outcome) {
        let Ended { shard, lane, mut part, batch, loses_response } = ended;
        self.lane(shard, lane).is_busy = false;
        let outcome = if loses_response { Outcome::TimedOut } else { outcome };
        let is_killed = outcome == Outcome::TimedOut;
        self.counters.killed += u64::from(is_killed);
        self.pass(if is_killed { self.config.timeout_ms } else { self.config.invocation_ms });
        let verdict = outcome.verdict(&batch, self.config.report_batch_item_failures);
        part.is_function_error = verdict == ResponseVerdict::Failure;
        match verdict {
            ResponseVerdict::Success => {
                self.counters.succeeded += 1;
                if self.dice.chance(self.config.mishaps.again_permille) {
                    self.counters.again += 1;
                    self.put_back(shard, lane, [part]);
                } else {
                    self.counters.records_processed += part.records.len() as u64;
                }
            }
            ResponseVerdict::Partial(at) => {
                self.counters.partial += 1;
                self.continue_from(shard, lane, part, at);
            }
            ResponseVerdict::Failure => {
                self.counters.failed += 1;
                self.fail(shard, lane, part);
            }
            ResponseVerdict::NotReached => {
                // It was counted before its outcome was known.
                self.counters.invocations -= 1;
                self.counters.throttled += 1;
                part.invoked -= 1;
                self.put_off(&mut part);
                self.put_back(shard, lane, [part]);
            }
        }
    }

    /// Records before the checkpoint are processed; the others come again.
    fn continue_from(&mut self, shard: ShardId, lane: usize, part: BatchPart, at: usize) {
        self.counters.records_processed += at as u64;
        let [_, rest] = part.split(at);
        if at > 0 {
            self.counters.bisects += u64::from(self.config.bisect_batch_on_function_error);
            self.put_back(shard, lane, [BatchPart { invoked: 0, delays: 0, ..rest }]);
        } else if !self.config.bisect_batch_on_function_error {
            self.retry(shard, lane, rest);
        } else {
            let is_halved = match self.config.stuck {
                Stuck::Halved => true,
                Stuck::Retried => false,
                Stuck::Either => self.dice.chance(500),
            };
            if is_halved { self.fail(shard, lane, rest) } else { self.retry(shard, lane, rest) }
        }
    }

    /// All records of a batch come again: with bisect in two halves, without counting a retry.
    fn fail(&mut self, shard: ShardId, lane: usize, part: BatchPart) {
        if !self.config.bisect_batch_on_function_error || part.records.len() < 2 {
            return self.retry(shard, lane, part);
        }
        self.counters.bisects += 1;
        let at = part.records.len() / 2;
        let halves = part.split(at).map(|half| BatchPart { invoked: 0, delays: 0, ..half });
        self.put_back(shard, lane, halves);
    }

    fn retry(&mut self, shard: ShardId, lane: usize, mut part: BatchPart) {
        if self.config.maximum_retry_attempts.is_some_and(|most| part.retries >= most) {
            self.discard(shard, part, Condition::RetryAttemptsExhausted);
            return;
        }
        part.retries += 1;
        self.counters.retries += 1;
        self.put_off(&mut part);
        self.put_back(shard, lane, [part]);
    }

    fn put_off(&self, part: &mut BatchPart) {
        let delay_ms = RETRY_DELAY_MS.saturating_mul(1 << part.delays.min(16)).min(RETRY_DELAY_MS_MAX);
        part.delays += 1;
        part.not_before = self.now.plus_ms(delay_ms);
    }

    fn discard(&mut self, shard: ShardId, part: BatchPart, condition: Condition) {
        self.counters.records_discarded += part.records.len() as u64;
        let batch = self.batch(shard, &part);
        let BatchPart { invoked, is_function_error, .. } = part;
        let (approximate_invoke_count, at) = (invoked, self.now);
        self.discarded.push(Discarded { condition, batch, approximate_invoke_count, is_function_error, at });
    }

    fn batch(&self, shard: ShardId, part: &BatchPart) -> Batch {
        Batch { shard, records: part.records.clone(), sent_at: self.now, retries: part.retries }
    }

    fn lane(&mut self, shard: ShardId, lane: usize) -> &mut super::reader::Lane {
        let factor = self.config.parallelization_factor;
        &mut self.readers.entry(shard).or_insert_with(|| ShardReader::new(factor)).lanes[lane]
    }

    fn put_back<const N: usize>(&mut self, shard: ShardId, lane: usize, parts: [BatchPart; N]) {
        self.lane(shard, lane).put_back(parts);
    }
}
