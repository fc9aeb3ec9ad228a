//! The real binaries under our Lambda runtime API, where they can be killed, with a proxy that fails on purpose.

use std::path::PathBuf;
use std::time::Duration;

use aws_smithy_types::base64;
use serde_json::{Value, json};
use stoop_domain::{Home, HomeId, Observation};
use stoop_tests::host::{FunctionError, Host};
use stoop_tests::stack::VARIABLES;

use crate::proxy::Proxy;
use crate::stream::line;
use crate::world::World;

/// The timeout of the template's functions, or longer: nothing here waits for it.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(120);

/// A function of the stack's build in our own process.
pub(crate) struct Hosted {
    pub(crate) host: Host,
    pub(crate) proxy: Proxy,
}

impl Hosted {
    /// Starts a function with the template's environment, overridden by `own`.
    pub(crate) async fn start(world: &World, function: &str, own: &[(&str, &str)], timeout: Duration) -> Self {
        Self::start_binary(world, world.built.binary(function).unwrap(), own, timeout).await
    }

    /// The same with another binary.
    pub(crate) async fn start_binary(world: &World, binary: PathBuf, own: &[(&str, &str)], timeout: Duration) -> Self {
        let proxy = Proxy::start(&world.variable("AWS_ENDPOINT_URL").unwrap()).await;
        let mut environment: Vec<(String, String)> = vec![
            ("AWS_ENDPOINT_URL".into(), proxy.url.clone()),
            ("STOOP_STACK".into(), world.stack.name().into()),
            ("STOOP_LOG".into(), "info".into()),
            ("STOOP_DROP_PERCENT".into(), "15".into()),
            ("STOOP_MERGE_LISTINGS".into(), "off".into()),
        ];
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            environment.push((name.into(), world.variable(name).unwrap()));
        }
        for (name, output) in VARIABLES {
            environment.push((name.into(), world.output(output).into()));
        }
        environment.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let host = Host::start(binary, environment, timeout).await.unwrap();
        Self { host, proxy }
    }

    /// Invokes it, and kills it at the first fault of the proxy.
    pub(crate) async fn invoke_and_kill(&self, event: &Value) {
        let kill = async {
            self.proxy.strikes().await;
            self.host.kill();
        };
        let (answer, ()) = tokio::join!(self.host.invoke(event), kill);
        assert!(matches!(answer, Err(FunctionError::Exited(_))), "it was not killed in time: {answer:?}");
    }
}

/// The identifiers in `batchItemFailures`.
pub(crate) fn failures(response: &Value) -> Vec<String> {
    let failures = response["batchItemFailures"].as_array().unwrap_or_else(|| panic!("no batch response: {response}"));
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// A sequence number in Kinesis's form.
pub(crate) fn sequence(index: usize) -> String {
    format!("49590338271490256608559692538361571095921575989136588{index:03}")
}

/// A batch as a Kinesis mapping delivers it: each record has the lines of some observations, and the first is at
/// `first` on the shard.
pub(crate) fn kinesis_batch(first: usize, records: &[Vec<Observation>]) -> Value {
    let records = records.iter().enumerate().map(|(index, observations)| {
        let lines: Vec<u8> = observations.iter().flat_map(line).collect();
        let sequence = sequence(first + index);
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "by-hand",
                "sequenceNumber": sequence,
                "data": base64::encode(lines),
                "approximateArrivalTimestamp": 1_545_084_650.987,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000006:{sequence}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::000000000000:role/metrics",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/by-hand",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

/// A batch as a mapping of the homes table's stream delivers it.
pub(crate) fn change_batch(first: usize, changes: &[(HomeId, Home, Home)]) -> Value {
    let image = |id: &HomeId, version: u32, home: &Home| {
        json!({
            "id": {"S": id.as_str()},
            "version": {"N": version.to_string()},
            "body": {"B": base64::encode(stoop_wire::home_to_bytes(home))},
            "notable": {"BOOL": true},
        })
    };
    let records = changes.iter().enumerate().map(|(index, (id, old, new))| {
        json!({
            "eventID": format!("{index:032x}"),
            "eventName": "MODIFY",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_479_499_740.0,
                "Keys": {"id": {"S": id.as_str()}},
                "NewImage": image(id, 2, new),
                "OldImage": image(id, 1, old),
                "SequenceNumber": sequence(first + index),
                "SizeBytes": 112,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:000000000000:table/homes/stream/2026-01-01T00:00:00.000",
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}
