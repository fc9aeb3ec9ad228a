//! What a mapping gave up, sent again with `infra/redrive` as `docs/OPERATIONS.md` says.

use serde_json::{Value, json};
use stoop_domain::Observation;
use stoop_tests::made::observation_in;

use crate::hosted::{kinesis_batch, sequence};
use crate::stream::measured;
use crate::world::World;

/// The object that Lambda writes to an S3 destination on failure: why, from where, and the event as a text. In AWS's
/// words: "Using Lambda to process records from Amazon Kinesis Data Streams", retaining discarded batch records.
fn given_up(event: &Value) -> Value {
    json!({
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:metrics",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 26,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-14T12:00:00.000Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000006",
            "startSequenceNumber": sequence(0),
            "endSequenceNumber": sequence(1),
            "approximateArrivalOfFirstRecord": "2026-01-14T11:59:00.000Z",
            "approximateArrivalOfLastRecord": "2026-01-14T11:59:00.000Z",
            "batchSize": 2,
            "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/by-hand",
        },
        "payload": event.to_string(),
    })
}

/// A batch in the failures bucket arrives in the state and leaves the bucket; what is no batch stays and is told.
pub(crate) async fn sent_again(world: &World) {
    let seen: Vec<Observation> =
        (0..6).map(|home| observation_in("Errachidia", &format!("again-{home}"), home, 700_000 + home)).collect();
    let event = kinesis_batch(0, &[seen[..4].to_vec(), seen[4..].to_vec()]);
    let bucket = world.output("FailuresBucketName");
    let folder = "aws/lambda/b26f6bb6-xmpl/shardId-000000000006/2026/01/14";
    for (name, body) in [("batch", given_up(&event).to_string()), ("strange", "{}".to_owned())] {
        let request = world.clients.s3().put_object().bucket(bucket).key(format!("{folder}/{name}"));
        request.body(body.into_bytes().into()).send().await.unwrap();
    }
    let said = world.run("python", &["infra/redrive", world.stack.name(), "--dry-run"]);
    assert!(said.contains("2 records would go to the stream"), "{said}");
    let said = world.run("python", &["infra/redrive", world.stack.name()]);
    assert!(said.contains("1 of 2 batches sent, 1 left"), "{said}");
    assert!(said.contains("strange: LEFT: no batch with its payload"), "{said}");
    measured(world, &seen).await;
    let left = world.clients.s3().list_objects_v2().bucket(bucket).prefix(folder).send().await.unwrap();
    let left: Vec<&str> = left.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(left, [format!("{folder}/strange")]);
}
