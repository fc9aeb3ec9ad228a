//! Requests keep to the service's limits for one call, from AWS's documentation: infra/README.md has the pages.

use std::sync::{Arc, Mutex};

use aws_smithy_types::base64;
use serde_json::{Value, json};
use stoop_aws::{DynamoStore, KinesisStream, LakeDelivery, TopicPublisher};
use stoop_domain::HomeId;
use stoop_pipeline::ports::{Publisher, Store, Stream};

use crate::messages::{TOPIC, alerts};
use crate::service::{Answer, ReceivedRequest, Service, Still};

fn entries(asked: &ReceivedRequest) -> Vec<Value> {
    asked.json()["Records"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_call_has_at_most_five_hundred_records() {
    let service = Service::start(|_, asked| {
        let taken = json!({ "SequenceNumber": "1", "ShardId": "shardId-000000000000" });
        Answer::new(200, json!({ "FailedRecordCount": 0, "Records": vec![taken; entries(asked).len()] }))
    })
    .await;
    let stream = KinesisStream::new(service.clients.kinesis(), "stoop");
    let many: Vec<_> = (0..1_001).map(|i| (format!("search {i}"), format!("line {i}\n").into_bytes())).collect();
    assert_eq!(stream.put(&many).await.unwrap(), Vec::<usize>::new());
    assert_eq!(service.asked().iter().map(|asked| entries(asked).len()).collect::<Vec<_>>(), [500, 500, 1]);
    // A record and its key have at most 1 MiB together.
    let largest = ("k".repeat(256), vec![b'x'; stream.record_bytes_max()]);
    stream.put(&[largest]).await.unwrap();
    let last = entries(service.asked().last().unwrap()).remove(0);
    let data = base64::decode(last["Data"].as_str().unwrap()).unwrap();
    assert!(data.len() + last["PartitionKey"].as_str().unwrap().len() <= 1 << 20);
}

#[tokio::test]
async fn a_read_asks_for_at_most_a_hundred_items_at_a_time() {
    let service = Service::start(|_, _| Answer::new(200, json!({ "Responses": {}, "UnprocessedKeys": {} }))).await;
    let clock = Arc::new(Still::default());
    let lake = LakeDelivery::new(service.clients.firehose(), "lake", clock.clone());
    let store = DynamoStore::new(service.clients.dynamodb(), "homes", "markets", Arc::new(lake), clock);
    let ids: Vec<HomeId> = (0..250).map(|i| HomeId(format!("reso/{i}").into())).collect();
    assert_eq!(store.homes(&ids).await.unwrap().len(), 250);
    let keys = |asked: &ReceivedRequest| asked.json()["RequestItems"]["homes"]["Keys"].as_array().unwrap().len();
    let mut asked: Vec<usize> = service.asked().iter().map(keys).collect();
    asked.sort_unstable();
    assert_eq!(asked, [50, 100, 100]);
}

/// The size as SNS counts it: the form's texts, without their encoding.
fn bytes(asked: &ReceivedRequest) -> usize {
    let form = String::from_utf8(asked.body.to_vec()).unwrap();
    let counted = form.split('&').filter_map(|pair| pair.split_once('=')).filter(|(name, _)| {
        ["Subject", ".Message", "Name", "DataType", "StringValue"].iter().any(|part| name.ends_with(part))
    });
    counted.map(|(_, value)| value.len() - 2 * value.matches('%').count()).sum()
}

#[tokio::test]
async fn the_longest_alerts_fit_into_calls_of_256_kib() {
    let largest = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&largest);
    let service = Service::start(move |_, asked| {
        let mut largest = seen.lock().unwrap();
        *largest = bytes(asked).max(*largest);
        let ids = String::from_utf8(asked.body.to_vec()).unwrap().matches(".Id=").count();
        let taken = (0..ids).map(|id| format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>"));
        let taken: String = taken.collect();
        let body = format!(
            "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
             <Successful>{taken}</Successful><Failed/></PublishBatchResult></PublishBatchResponse>"
        );
        Answer::new(200, body).with("content-type", "text/xml")
    })
    .await;
    // No character takes more bytes, in JSON and in JSON inside JSON.
    let endless = Some("🏠".repeat(10_000));
    let url = Some(format!("https://homes.example/{}", "\"".repeat(900)));
    let mut alerts = alerts(20);
    for alert in &mut alerts {
        (alert.title, alert.line, alert.url) = (endless.clone(), endless.clone(), url.clone());
    }
    let outcomes = TopicPublisher::new(service.clients.sns(), TOPIC).publish(&alerts).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let largest = *largest.lock().unwrap();
    assert!((100_000..=256 << 10).contains(&largest), "{largest}");
    assert!(service.asked().len() > 2, "ten of them are too much for one call");
}
