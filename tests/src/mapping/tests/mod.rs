//! Tests of each documented rule. They name records by their content.

mod batches;
mod failures;
mod limits;
mod shards;

use std::cell::RefCell;

use stoop_domain::Time;

use super::{Batch, Mapping, MappingConfig, Outcome, Stream};

/// The content of a batch, record by record.
fn said(batch: &Batch) -> String {
    let data = batch.records.iter().map(|record| String::from_utf8_lossy(&record.data).into_owned());
    data.collect::<Vec<_>>().join(" ")
}

/// A stream of one shard and one key with `words`, all at time 0.
fn saying(words: &str) -> Stream {
    let mut stream = Stream::new(1);
    for word in words.split(' ') {
        stream.put(Time::from_ms(0), "key", word);
    }
    stream
}

/// Runs a mapping and returns the batches that it sent.
fn sent(mapping: &mut Mapping, stream: &Stream, function: impl Fn(&Batch) -> Outcome) -> Vec<String> {
    let seen = RefCell::new(Vec::new());
    finish(mapping.run(stream, async |batch: Batch| {
        seen.borrow_mut().push(said(&batch));
        function(&batch)
    }));
    seen.into_inner()
}

/// The batches that the on-failure destination received.
fn discarded(mapping: &Mapping) -> Vec<String> {
    mapping.discarded().iter().map(|discarded| said(&discarded.batch)).collect()
}

fn finish<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Fails whenever the batch has the record `poison`.
fn fails_at_poison(batch: &Batch) -> Outcome {
    if said(batch).contains("poison") { Outcome::Failed } else { Outcome::success() }
}

/// Reports the first record `poison`.
fn reports_poison(batch: &Batch) -> Outcome {
    let poison = batch.records.iter().find(|record| record.data == b"poison");
    poison.map_or_else(Outcome::success, |record| Outcome::fails_from(record))
}

/// Partial responses and bisect, as in the templates of this project.
fn careful(maximum_retry_attempts: u32) -> MappingConfig {
    MappingConfig {
        report_batch_item_failures: true,
        bisect_batch_on_function_error: true,
        maximum_retry_attempts: Some(maximum_retry_attempts),
        ..MappingConfig::default()
    }
}

/// A function that pauses `times` times.
async fn pause(times: usize) {
    for _ in 0..times {
        super::pause().await;
    }
}
