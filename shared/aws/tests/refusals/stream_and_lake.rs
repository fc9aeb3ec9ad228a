use std::sync::Arc;

use aws_smithy_types::base64;
use serde_json::{Value, json};
use stoop_aws::{KinesisStream, Lake, LakeDelivery};
use stoop_domain::{Address, Currency, Listing, Observation, Purpose, Time};
use stoop_pipeline::ports::Stream;
use stoop_pipeline::with_causes;
use stoop_wire::kpl::{Deaggregated, deaggregate};

use crate::service::{Answer, ReceivedRequest, Service, Still};

fn records(n: usize) -> Vec<(String, Vec<u8>)> {
    (0..n).map(|i| (format!("search {i}"), format!("line {i}\n").into_bytes())).collect()
}

fn entries(asked: &ReceivedRequest) -> Vec<Value> {
    asked.json()["Records"].as_array().unwrap().clone()
}

fn data(entry: &Value) -> Vec<u8> {
    base64::decode(entry["Data"].as_str().unwrap()).unwrap()
}

fn taken() -> Value {
    json!({"SequenceNumber": "1", "ShardId": "shardId-000000000000"})
}

#[tokio::test]
async fn records_refused_by_kinesis_are_returned_by_index() {
    let service = Service::start(|_, asked| {
        let outcomes = entries(asked).into_iter().map(|entry| match entry["PartitionKey"].as_str().unwrap() {
            "search 1" => {
                json!({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"})
            }
            "search 503" => json!({"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."}),
            _ => taken(),
        });
        Answer::new(200, json!({"FailedRecordCount": 1, "Records": outcomes.collect::<Vec<_>>()}))
    })
    .await;
    let stream = KinesisStream::new(service.clients.kinesis(), "stoop");
    assert_eq!(stream.put(&records(505)).await.unwrap(), [1, 503], "across batches");
    let asked = service.asked();
    assert_eq!(asked.iter().map(|asked| entries(asked).len()).collect::<Vec<_>>(), [500, 5]);
    let first = data(&entries(&asked[0])[0]);
    let Ok(Deaggregated::Aggregated(aggregate)) = deaggregate(&first) else { panic!("no aggregate") };
    assert_eq!(aggregate.partition_keys().collect::<Vec<_>>(), [b"search 0"]);
    assert_eq!(aggregate.user_records().map(|record| record.data).collect::<Vec<_>>(), [b"line 0\n"]);
}

#[tokio::test]
async fn a_batch_has_at_most_five_mib() {
    let service = Service::start(|_, asked| {
        let outcomes: Vec<Value> = entries(asked).iter().map(|_| taken()).collect();
        Answer::new(200, json!({"FailedRecordCount": 0, "Records": outcomes}))
    })
    .await;
    let stream = KinesisStream::new(service.clients.kinesis(), "stoop");
    let large: Vec<_> = (0..45).map(|_| ("a search".to_owned(), vec![b'x'; stream.record_bytes_max()])).collect();
    assert_eq!(stream.put(&large).await.unwrap(), Vec::<usize>::new());
    let batches: Vec<Vec<Value>> = service.asked().iter().map(entries).collect();
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 45);
    let bytes = |batch: &Vec<Value>| batch.iter().map(|entry| data(entry).len() + "a search".len()).sum::<usize>();
    assert!(batches.iter().all(|batch| bytes(batch) <= 5 << 20), "{:?}", batches.iter().map(bytes).collect::<Vec<_>>());
    assert_eq!(batches.len(), 3, "19 records of 256 KiB and a little fit into 5 MiB");
}

#[tokio::test]
async fn a_busy_stream_refuses_for_now_and_a_missing_one_for_good() {
    let busy =
        Service::start(|_, _| Answer::json_error(400, "ProvisionedThroughputExceededException", "Rate exceeded"));
    let busy = busy.await;
    let stream = KinesisStream::new(busy.clients.kinesis(), "stoop");
    assert_eq!(stream.put(&records(3)).await.unwrap(), [0, 1, 2]);
    assert_eq!(busy.asked().len(), 3, "the SDK's attempts");

    let missing = Service::start(|_, _| Answer::json_error(400, "ResourceNotFoundException", "Stream stoop not found"));
    let missing = missing.await;
    let stream = KinesisStream::new(missing.clients.kinesis(), "stoop");
    let error = stream.put(&records(3)).await.unwrap_err();
    let expected = "PutRecords on the stream stoop: ResourceNotFoundException: Stream stoop not found";
    assert_eq!(with_causes(&error), expected);
}

#[tokio::test]
async fn a_response_that_omits_or_finally_refuses_a_record_is_an_error() {
    let answers = [json!([taken()]), json!([taken(), {"ErrorCode": "Unheard", "ErrorMessage": "of"}])];
    for (answer, expected) in answers.into_iter().zip(["2 records were put and 1 answered for", "Unheard: of"]) {
        let answer = json!({"FailedRecordCount": 1, "Records": answer});
        let service = Service::start(move |_, _| Answer::new(200, &answer)).await;
        let error = KinesisStream::new(service.clients.kinesis(), "stoop").put(&records(2)).await.unwrap_err();
        assert!(with_causes(&error).contains(expected), "{}", with_causes(&error));
    }
}

#[tokio::test]
async fn records_too_large_for_kinesis_are_errors_before_anything_is_put() {
    let service = Service::start(|_, _| panic!("no request is expected")).await;
    let stream = KinesisStream::new(service.clients.kinesis(), "stoop");
    let next_to_empty = vec![b'\n'; stream.record_bytes_max()];
    let cases = [
        (("k".to_owned(), next_to_empty), "bytes as an aggregate of 262144 lines; accepted: at most 1048576"),
        ((String::new(), b"x".to_vec()), "has 0 characters; accepted: 1 to 256"),
        (("é".repeat(257), b"x".to_vec()), "has 257 characters; accepted: 1 to 256"),
        (("k".to_owned(), vec![0; stream.record_bytes_max() + 1]), "accepted: at most 262144"),
    ];
    for (record, expected) in cases {
        let error = stream.put(&[("fine".into(), b"fine".to_vec()), record]).await.unwrap_err();
        assert!(with_causes(&error).contains(expected), "{}", with_causes(&error));
    }
}

fn observation(i: usize, description_bytes: usize) -> Observation {
    let address = Address { city: Some("Agadir".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
    listing.details.description = (description_bytes > 0).then(|| "x".repeat(description_bytes));
    Observation::new("avito", i.to_string(), Time::from_ms(0), listing)
}

fn lake(service: &Service, clock: &Arc<Still>) -> LakeDelivery {
    LakeDelivery::new(service.clients.firehose(), "lake", clock.clone())
}

fn firehose_answer(outcomes: &[bool]) -> Answer {
    let refused = json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."});
    let outcome = |taken: &bool| if *taken { json!({"RecordId": "1"}) } else { refused.clone() };
    let outcomes: Vec<Value> = outcomes.iter().map(outcome).collect();
    Answer::new(200, json!({"FailedPutCount": 1, "Encrypted": false, "RequestResponses": outcomes}))
}

/// The IDs of the observations in a request, record by record.
fn ids(asked: &ReceivedRequest) -> Vec<Vec<String>> {
    let lines = |record: &Value| {
        let record = data(record);
        assert_eq!(record.last(), Some(&b'\n'));
        stoop_wire::lines(&record).map(|line| stoop_wire::decode(line).unwrap().native_id).collect()
    };
    entries(asked).iter().map(lines).collect()
}

#[tokio::test]
async fn only_the_records_refused_by_firehose_are_sent_again() {
    let service = Service::start(|address, _| match address {
        0 => firehose_answer(&[true, false, false]),
        1 => firehose_answer(&[false, true]),
        _ => firehose_answer(&[true]),
    })
    .await;
    let clock = Arc::new(Still::default());
    let observations: Vec<Observation> = (0..6).map(|i| observation(i, 400_000)).collect();
    lake(&service, &clock).keep(&observations.iter().collect::<Vec<_>>()).await.unwrap();
    let asked: Vec<_> = service.asked().iter().map(ids).collect();
    assert_eq!(
        asked,
        [
            vec![vec!["0", "1"], vec!["2", "3"], vec!["4", "5"]],
            vec![vec!["2", "3"], vec!["4", "5"]],
            vec![vec!["2", "3"]]
        ]
    );
    assert_eq!(clock.sleeps().len(), 2, "a pause before each attempt but the first");
}

#[tokio::test]
async fn constant_refusals_of_firehose_are_an_error_after_bounded_attempts() {
    let service = Service::start(|_, _| firehose_answer(&[false])).await;
    let clock = Arc::new(Still::default());
    let error = lake(&service, &clock).keep(&[&observation(0, 0)]).await.unwrap_err();
    let expected = "PutRecordBatch on the delivery stream lake: 1 records are still refused after 6 attempts: \
                    ServiceUnavailableException: Slow down.";
    assert_eq!(with_causes(&error), expected);
    assert_eq!((service.asked().len(), clock.sleeps().len()), (6, 5));
    assert!(clock.sleeps().iter().all(|ms| *ms <= 3_000));
}

#[tokio::test]
async fn an_unavailable_firehose_is_retried() {
    let unavailable = || Answer::json_error(503, "ServiceUnavailableException", "Back off.");
    let service =
        Service::start(move |address, _| if address < 4 { unavailable() } else { firehose_answer(&[true]) }).await;
    let clock = Arc::new(Still::default());
    lake(&service, &clock).keep(&[&observation(0, 0)]).await.unwrap();
    assert_eq!((service.asked().len(), clock.sleeps().len()), (5, 1), "three attempts are the SDK's");
}

#[tokio::test]
async fn many_lines_are_packed_into_few_records_and_batches() {
    let service = Service::start(|_, asked| firehose_answer(&vec![true; entries(asked).len()])).await;
    let clock = Arc::new(Still::default());
    let observations: Vec<Observation> = (0..100).map(|i| observation(i, 90_000)).collect();
    lake(&service, &clock).keep(&observations.iter().collect::<Vec<_>>()).await.unwrap();
    let asked = service.asked();
    let message: Vec<String> = asked.iter().flat_map(ids).flatten().collect();
    assert_eq!(message, (0..100).map(|i| i.to_string()).collect::<Vec<_>>(), "each once and in order");
    for batch in &asked {
        let records: Vec<usize> = entries(batch).iter().map(|record| data(record).len()).collect();
        assert!(records.iter().all(|bytes| *bytes <= 1_000 << 10) && records.iter().sum::<usize>() <= 4 << 20);
    }
    assert_eq!(asked.len(), 3, "9 MB");
    let error = lake(&service, &clock).keep(&[&observation(7, 1_100_000)]).await.unwrap_err();
    assert!(with_causes(&error).contains("the line of avito/7 at 1970-01-01T00:00:00Z has"), "{}", with_causes(&error));
    assert_eq!(service.asked().len(), 3);
    lake(&service, &clock).keep(&[]).await.unwrap();
    assert_eq!(service.asked().len(), 3, "every batch takes a call");
}
