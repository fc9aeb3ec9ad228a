//! The meaning of responses and errors.

use std::cell::Cell;

use super::*;
use crate::mapping::{Condition, Stuck};

/// The batches sent for `a b c d` after a response to the first one.
fn after(response: impl Fn(&Batch) -> Vec<u8>) -> Vec<String> {
    let config = MappingConfig { report_batch_item_failures: true, ..MappingConfig::default() };
    let mut mapping = Mapping::new(config, 1);
    let is_first = Cell::new(true);
    let batches = sent(&mut mapping, &saying("a b c d"), |batch| {
        if is_first.take() { Outcome::Returned(response(batch)) } else { Outcome::success() }
    });
    assert_eq!((&*batches[0], mapping.counters().records_processed), ("a b c d", 4));
    batches[1..].to_vec()
}

fn name(batch: &Batch, indexes: &[usize]) -> Vec<u8> {
    let outcome = Outcome::fails(indexes.iter().map(|index| batch.records[*index].sequence_number.to_string()));
    let Outcome::Returned(response) = outcome else { panic!("{outcome:?}") };
    response
}

#[test]
fn no_reported_failure_is_success() {
    for response in [
        r#"{"batchItemFailures":[]}"#,
        r#"{"batchItemFailures":null}"#,
        "{}",
        "null",
        "",
        " \n",
        // A misspelt key reports no failure. This loses records on AWS, too.
        r#"{"batchItemFailure":[{"itemIdentifier":"1"}]}"#,
    ] {
        assert!(after(|_| response.into()).is_empty(), "{response}");
    }
}

#[test]
fn everything_from_the_lowest_reported_record_comes_again() {
    assert_eq!(after(|batch| name(batch, &[2])), ["c d"]);
    assert_eq!(after(|batch| name(batch, &[0])), ["a b c d"]);
    assert_eq!(after(|batch| name(batch, &[3, 1, 2])), ["b c d"]);
    assert_eq!(after(|batch| name(batch, &[3, 3])), ["d"]);
}

#[test]
fn sequence_numbers_are_compared_as_numbers() {
    let mut stream = Stream::new(1);
    let numbers: Vec<u128> = (0..60).map(|n| stream.put(Time::from_ms(0), "key", format!("{n}")).1).collect();
    let as_text = |at: usize| numbers[at].to_string();
    assert!(as_text(59) < as_text(10), "the numbers sort differently as strings");
    let config = MappingConfig { report_batch_item_failures: true, ..MappingConfig::default() };
    let batches = sent(&mut Mapping::new(config, 1), &stream, |batch| {
        if batch.records.len() == 60 { Outcome::fails([as_text(59), as_text(10)]) } else { Outcome::success() }
    });
    assert!(batches[1].starts_with("10 11 "), "{}", batches[1]);
}

#[test]
fn an_identifier_that_names_no_record_fails_the_whole_batch() {
    for failures in [
        r#"[{"itemIdentifier":""}]"#,
        r#"[{"itemIdentifier":null}]"#,
        r#"[{"itemIdentifier":7}]"#,
        r#"[{"itemIdentifier":"49590338271490256608559692538361571095921575989136588898"}]"#,
        r#"[{"sequenceNumber":"1"}]"#,
        r#"[{}]"#,
        r#"[null]"#,
        r#"["1"]"#,
    ] {
        assert_eq!(after(|_| format!(r#"{{"batchItemFailures":{failures}}}"#).into()), ["a b c d"], "{failures}");
    }
    let one_is_unknown = |batch: &Batch| {
        let known = String::from_utf8(name(batch, &[2])).unwrap();
        known.replace("}]", r#"},{"itemIdentifier":"1"}]"#).into_bytes()
    };
    assert_eq!(after(one_is_unknown), ["a b c d"]);
}

#[test]
fn a_response_of_another_shape_fails_the_whole_batch() {
    for response in ["done", "\"done\"", "7", "[]", "true", r#"{"batchItemFailures":7}"#, r#"{"batchItemFailures":[}"#]
    {
        assert_eq!(after(|_| response.into()), ["a b c d"], "{response}");
    }
}

#[test]
fn without_report_batch_item_failures_a_response_is_ignored() {
    let mut mapping = Mapping::new(MappingConfig::default(), 1);
    let batches = sent(&mut mapping, &saying("a b"), |batch| Outcome::fails_from(&batch.records[0]));
    assert_eq!((batches.len(), mapping.counters().succeeded), (1, 1));
}

#[test]
fn an_error_fails_the_whole_batch_up_to_the_maximum_of_retries() {
    for retries in [0, 1, 4] {
        let config = MappingConfig { maximum_retry_attempts: Some(retries), batch_size: 3, ..MappingConfig::default() };
        let mut mapping = Mapping::new(config, 1);
        let batches = sent(&mut mapping, &saying("a poison c d"), fails_at_poison);
        assert_eq!(batches.len(), 1 + retries as usize + 1);
        assert!(batches[..=retries as usize].iter().all(|batch| batch == "a poison c"));
        assert_eq!(discarded(&mapping), ["a poison c"]);
        let counters = mapping.counters();
        assert_eq!((counters.retries, counters.records_discarded, counters.records_processed), (retries.into(), 3, 1));
    }
}

#[test]
fn with_bisect_a_failed_batch_is_halved_without_counting_retries() {
    let config = MappingConfig { report_batch_item_failures: false, ..careful(1) };
    let mut mapping = Mapping::new(config, 1);
    let batches = sent(&mut mapping, &saying("a b c d e poison g h"), fails_at_poison);
    let expected = ["a b c d e poison g h", "a b c d", "e poison g h", "e poison", "e", "poison", "poison", "g h"];
    assert_eq!(batches, expected);
    assert_eq!(discarded(&mapping), ["poison"]);
    let counters = mapping.counters();
    assert_eq!((counters.bisects, counters.retries, counters.records_processed), (3, 1, 7));
}

#[test]
fn with_bisect_a_failed_invocation_is_halved_with_or_without_reports() {
    let mut mapping = Mapping::new(careful(0), 1);
    assert_eq!(sent(&mut mapping, &saying("a poison"), fails_at_poison), ["a poison", "a", "poison"]);
}

#[test]
fn with_bisect_a_partial_success_is_cut_at_the_reported_record() {
    let mut mapping = Mapping::new(careful(0), 1);
    let batches = sent(&mut mapping, &saying("a b poison d e"), reports_poison);
    assert_eq!(batches, ["a b poison d e", "poison d e", "poison", "d e"]);
    assert_eq!(discarded(&mapping), ["poison"]);
    assert_eq!((mapping.counters().retries, mapping.counters().bisects), (0, 2));
}

#[test]
fn with_bisect_a_stuck_batch_may_be_retried_and_discarded_unchanged() {
    let mut mapping = Mapping::new(MappingConfig { stuck: Stuck::Retried, ..careful(2) }, 1);
    let batches = sent(&mut mapping, &saying("a poison c d"), reports_poison);
    assert_eq!(batches, ["a poison c d", "poison c d", "poison c d", "poison c d"]);
    assert_eq!(discarded(&mapping), ["poison c d"]);

    let runs: Vec<usize> = (0..200)
        .map(|seed| {
            let mut mapping = Mapping::new(MappingConfig { stuck: Stuck::Either, ..careful(2) }, seed);
            sent(&mut mapping, &saying("a poison c d"), reports_poison).len()
        })
        .collect();
    assert!(runs.iter().any(|run| *run != runs[0]), "the seed decides: {runs:?}");
}

#[test]
fn without_bisect_the_rest_of_a_batch_is_discarded_with_the_poison() {
    let config = MappingConfig { bisect_batch_on_function_error: false, ..careful(2) };
    let mut mapping = Mapping::new(config, 1);
    let batches = sent(&mut mapping, &saying("a poison c d"), reports_poison);
    assert_eq!(batches, ["a poison c d", "poison c d", "poison c d", "poison c d"]);
    assert_eq!((discarded(&mapping), mapping.counters().retries), (vec!["poison c d".into()], 2));
    assert!(!mapping.discarded()[0].is_function_error);
}

#[test]
fn the_rest_of_a_partial_success_is_not_filled_up_from_the_stream() {
    let mut mapping = Mapping::new(MappingConfig { batch_size: 3, ..careful(5) }, 1);
    let batches = sent(&mut mapping, &saying("a b c d e f"), |batch| {
        if said(batch) == "a b c" { Outcome::fails_from(&batch.records[1]) } else { Outcome::success() }
    });
    assert_eq!(batches, ["a b c", "b c", "d e f"]);
}

#[test]
fn the_destination_gets_the_records_and_their_metadata() {
    let mut mapping = Mapping::new(careful(2), 1);
    sent(&mut mapping, &saying("a poison c"), fails_at_poison);
    let [discarded] = mapping.discarded() else { panic!("{:?}", mapping.discarded()) };
    assert_eq!((discarded.condition, discarded.batch.records.len()), (Condition::RetryAttemptsExhausted, 1));
    let document = discarded.s3_document();
    let sequence_number = discarded.batch.records[0].sequence_number.to_string();
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(document["responseContext"]["functionError"], "Unhandled");
    assert_eq!(document["KinesisBatchInfo"]["startSequenceNumber"], sequence_number);
    assert_eq!(document["KinesisBatchInfo"]["endSequenceNumber"], sequence_number);
    assert_eq!(document["KinesisBatchInfo"]["batchSize"], 1);
    let payload: serde_json::Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload, discarded.batch.kinesis_event());
    assert_eq!(discarded.message().get("payload"), None, "queues and topics get no payload");
}
