//! Given-up batches, sent again with `infra/redrive` as in `docs/OPERATIONS.md`.

use serde_json::{Value, json};
use stoop_domain::Observation;
use stoop_tests::made::observation_in;

use crate::hosted::{kinesis_batch, sequence};
use crate::stream::{line, measured};
use crate::world::World;

/// The object that Lambda writes to an S3 destination on failure: the reason, the source, and the event as a string.
/// See "Using Lambda to process records from Amazon Kinesis Data Streams", retaining discarded batch records.
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

/// A quarantined line reaches the state, once its cause is corrected; a line that is refused again is quarantined
/// again; and a row of a source stays, because it is not a line.
pub(crate) async fn played_again(world: &World) {
    let seen = observation_in("Boujdour", "quarantined", 0, 640_000);
    let reject = |source: &str, reason: &str, raw: &str| {
        json!({"source": source, "at": 1_768_392_000_000_i64, "location": "by hand", "reason": reason, "detail": "made up",
            "raw": raw})
    };
    let line = String::from_utf8(line(&seen)).unwrap();
    let unreadable = r#"{"dynamodb": {"SequenceNumber": "1"}, "by": "hand"}"#;
    let bucket = world.output("BucketName");
    for (name, reject) in [
        ("stream/by-hand", reject("stream", "newer_version", &line)),
        ("changes/by-hand", reject("changes", "unreadable", unreadable)),
        ("portal/by-hand", reject("portal", "bad_value", r#"{"price": "ask"}"#)),
    ] {
        let request = world.clients.s3().put_object().bucket(bucket).key(format!("quarantine/{name}.json"));
        request.body(reject.to_string().into_bytes().into()).send().await.unwrap();
    }
    let keys = ["stream", "changes", "portal"].map(|source| format!("quarantine/{source}/by-hand.json"));
    let mut command = vec!["infra/redrive", world.stack.name(), "--quarantine"];
    command.extend(keys.iter().map(String::as_str));
    let said = world.run("python", &[&command[..], &["--dry-run"]].concat());
    assert!(said.contains("newer_version, would go to the stream"), "{said}");
    let said = world.run("python", &command);
    assert!(said.contains("2 of 3 rejects sent, 1 left"), "{said}");
    assert!(said.contains("portal/by-hand.json: LEFT: a row of the source portal"), "{said}");
    measured(world, &[seen]).await;
    let left = world.state.objects("quarantine/").await;
    let by_hand: Vec<&String> = left.keys().filter(|key| key.contains("by-hand")).collect();
    assert_eq!(by_hand, [&keys[2]]);
    assert!(
        left.values().any(|body| String::from_utf8_lossy(body).contains("by\\\": \\\"hand")),
        "refused again, and kept"
    );
}

/// A batch in the failures bucket reaches the state and leaves the bucket; anything else stays and is reported.
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
    assert!(said.contains("strange: LEFT: not a batch with its payload"), "{said}");
    measured(world, &seen).await;
    let left = world.clients.s3().list_objects_v2().bucket(bucket).prefix(folder).send().await.unwrap();
    let left: Vec<&str> = left.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(left, [format!("{folder}/strange")]);
}
