//! Buckets, streams, topics and queues for tests, each with a way to see what arrived.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use aws_sdk_firehose::types::{BufferingHints, CompressionFormat, ExtendedS3DestinationConfiguration};
use aws_sdk_kinesis::types::{ShardIteratorType, StreamStatus};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use stoop_aws::Clients;
use stoop_tests::local::{EmulatorKind, LocalAws};
use stoop_waits::{Limit, PATIENCE};
use stoop_wire::kpl::{Deaggregated, deaggregate};

/// One emulator for all tests of this program; it ends with the program.
static AWS: LazyLock<Mutex<LocalAws>> = LazyLock::new(|| Mutex::new(LocalAws::start().unwrap()));

const REGION: &str = "us-east-1";
/// How long a test may take. Nextest, which ends what takes too long, does not run this program.
const TEST_MAX: Duration = Duration::from_mins(30);

fn variable(name: &str) -> Option<String> {
    let environment = AWS.lock().unwrap().environment();
    let value =
        environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.to_str().unwrap().to_owned());
    value.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
}

thread_local! {
    /// Each test has a thread of its own, with its name.
    static LIMIT: Limit = Limit::of(&format!("the test {}", thread::current().name().unwrap_or_default()), TEST_MAX);
}

/// Clients of the emulator, or of the endpoint in `AWS_ENDPOINT_URL`. From the first call on, the test's time is limited.
pub(crate) fn clients() -> Clients {
    LIMIT.with(|_| ());
    Clients::from_variables(variable).unwrap()
}

/// A unique name.
pub(crate) fn fresh_name(kind: &str) -> String {
    format!("stoop-test-{kind}-{:016x}", RandomState::new().hash_one(kind))
}

/// Create calls are retried when an emulator takes longer than an attempt may (LocalStack loads a service at its first
/// call), and then find their own result: nobody else has the name.
pub(crate) fn is_made<T, E, R>(outcome: Result<T, SdkError<E, R>>, is_there: impl Fn(&E) -> bool)
where
    SdkError<E, R>: Debug,
{
    if let Err(error) = outcome {
        assert!(error.as_service_error().is_some_and(is_there), "{error:?}");
    }
}

/// A bucket for one test.
pub(crate) struct Bucket {
    pub(crate) client: aws_sdk_s3::Client,
    pub(crate) name: String,
}

impl Bucket {
    pub(crate) async fn create() -> Self {
        Self::create_with(clients().s3()).await
    }

    pub(crate) async fn create_with(client: aws_sdk_s3::Client) -> Self {
        let name = fresh_name("bucket");
        let mut request = client.create_bucket().bucket(&name);
        let region = variable("AWS_REGION").unwrap();
        if region != REGION {
            let constraint = BucketLocationConstraint::from(region.as_str());
            let configuration = CreateBucketConfiguration::builder().location_constraint(constraint).build();
            request = request.create_bucket_configuration(configuration);
        }
        request.send().await.unwrap();
        Self { client, name }
    }

    pub(crate) async fn put(&self, key: &str, body: Vec<u8>) {
        self.client.put_object().bucket(&self.name).key(key).body(body.into()).send().await.unwrap();
    }

    pub(crate) async fn object(&self, key: &str) -> Option<Vec<u8>> {
        match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Every object under a prefix, key and body, in order.
    pub(crate) async fn objects(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let listed = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).send().await.unwrap();
        assert_ne!(listed.is_truncated(), Some(true), "more objects than a test should make");
        let mut objects = Vec::new();
        for object in listed.contents() {
            let key = object.key().unwrap();
            objects.push((key.to_owned(), self.object(key).await.unwrap()));
        }
        objects
    }

    pub(crate) async fn wait_for(&self, prefix: &str) {
        let mut waited = Duration::ZERO;
        while self.objects(prefix).await.is_empty() {
            assert!(waited < PATIENCE, "nothing arrived at {prefix}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            waited += Duration::from_millis(200);
        }
    }

    /// A delivery stream into this bucket, uncompressed. Emulators accept any role; on AWS it is the one named by
    /// `STOOP_FIREHOSE_ROLE`, which may write into buckets `stoop-test-*`.
    pub(crate) async fn delivery_stream(&self, prefix: &str) -> DeliveryStream {
        let (client, name) = (clients().firehose(), fresh_name("delivery"));
        let role = variable("STOOP_FIREHOSE_ROLE").unwrap_or_else(|| "arn:aws:iam::000000000000:role/firehose".into());
        let hints = BufferingHints::builder().interval_in_seconds(0).size_in_mbs(64).build();
        let destination = ExtendedS3DestinationConfiguration::builder()
            .role_arn(role)
            .bucket_arn(format!("arn:aws:s3:::{}", self.name))
            .prefix(prefix)
            .buffering_hints(hints)
            .compression_format(CompressionFormat::Uncompressed)
            .build()
            .unwrap();
        let request = client.create_delivery_stream().delivery_stream_name(&name);
        let outcome = request.extended_s3_destination_configuration(destination).send().await;
        is_made(outcome, |error| error.is_resource_in_use_exception());
        let stream = DeliveryStream { client, name };
        stream.wait_until_active().await;
        stream
    }

    pub(crate) async fn delete(self) {
        for (key, _) in self.objects("").await {
            self.client.delete_object().bucket(&self.name).key(key).send().await.unwrap();
        }
        self.client.delete_bucket().bucket(&self.name).send().await.unwrap();
    }
}

/// A Firehose delivery stream.
pub(crate) struct DeliveryStream {
    client: aws_sdk_firehose::Client,
    pub(crate) name: String,
}

impl DeliveryStream {
    async fn wait_until_active(&self) {
        let mut waited = Duration::ZERO;
        loop {
            let message = self.client.describe_delivery_stream().delivery_stream_name(&self.name).send().await.unwrap();
            let status = message.delivery_stream_description().unwrap().delivery_stream_status().as_str().to_owned();
            if status == "ACTIVE" {
                return;
            }
            assert!(waited < PATIENCE && status == "CREATING", "{status}");
            tokio::time::sleep(Duration::from_millis(200)).await;
            waited += Duration::from_millis(200);
        }
    }

    pub(crate) async fn delete(self) {
        self.client.delete_delivery_stream().delivery_stream_name(&self.name).send().await.unwrap();
    }
}

/// A Kinesis data stream.
pub(crate) struct DataStream {
    pub(crate) client: aws_sdk_kinesis::Client,
    pub(crate) name: String,
}

impl DataStream {
    pub(crate) async fn create(shards: i32) -> Self {
        let (client, name) = (clients().kinesis(), fresh_name("stream"));
        let outcome = client.create_stream().stream_name(&name).shard_count(shards).send().await;
        is_made(outcome, |error| error.is_resource_in_use_exception());
        let mut waited = Duration::ZERO;
        loop {
            let message = client.describe_stream_summary().stream_name(&name).send().await.unwrap();
            if *message.stream_description_summary().unwrap().stream_status() == StreamStatus::Active {
                return Self { client, name };
            }
            assert!(waited < PATIENCE, "the stream does not become active");
            tokio::time::sleep(Duration::from_millis(200)).await;
            waited += Duration::from_millis(200);
        }
    }

    /// Everything on the stream from its beginning, key and lines, shard by shard.
    pub(crate) async fn records(&self) -> Vec<(String, Vec<u8>)> {
        let shards = self.client.list_shards().stream_name(&self.name).send().await.unwrap();
        let mut all = Vec::new();
        for shard in shards.shards() {
            let request = self.client.get_shard_iterator().stream_name(&self.name).shard_id(shard.shard_id());
            let from = request.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
            let mut next = from.shard_iterator;
            let mut nothing_new = 0;
            while let Some(iterator) = next.filter(|_| nothing_new < reads()) {
                let read = self.client.get_records().shard_iterator(iterator).send().await.unwrap();
                let at_the_end = read.records().is_empty() && read.millis_behind_latest() == Some(0);
                nothing_new = if at_the_end { nothing_new + 1 } else { 0 };
                for record in read.records() {
                    all.push((record.partition_key().unwrap().to_owned(), lines(record.data().as_ref())));
                }
                next = read.next_shard_iterator;
                pause().await;
            }
        }
        all
    }

    pub(crate) async fn delete(self) {
        self.client.delete_stream().stream_name(&self.name).send().await.unwrap();
    }
}

/// The user records of an aggregated record, joined.
fn lines(record: &[u8]) -> Vec<u8> {
    match deaggregate(record).unwrap() {
        Deaggregated::Aggregated(aggregate) => {
            aggregate.user_records().flat_map(|record| record.data.to_vec()).collect()
        }
        other => panic!("not an aggregated record: {other:?}"),
    }
}

fn is_aws() -> bool {
    AWS.lock().unwrap().kind() == EmulatorKind::Given
}

/// How many reads without news end the wait. AWS may show accepted data a little later; an emulator shows it at once.
fn reads() -> u32 {
    if is_aws() { 5 } else { 1 }
}

/// Kinesis allows five reads of a shard per second.
async fn pause() {
    if is_aws() {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// An SQS queue.
pub(crate) struct Queue {
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) url: String,
    arn: String,
}

/// A received message.
pub(crate) struct Received {
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl Queue {
    pub(crate) async fn create(fifo: bool) -> Self {
        let client = clients().sqs();
        let name = fresh_name("queue") + if fifo { ".fifo" } else { "" };
        let mut request = client.create_queue().queue_name(&name);
        if fifo {
            request = request.attributes(QueueAttributeName::FifoQueue, "true");
        }
        let url = request.send().await.unwrap().queue_url.unwrap();
        let message = client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
        let arn = message.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
        Self { client, url, arn }
    }

    /// Receives and deletes until the queue is empty, in the order of delivery.
    pub(crate) async fn take_all(&self) -> Vec<Received> {
        let mut all = Vec::new();
        let mut nothing_new = 0;
        while nothing_new < reads() {
            let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
            let received = request.wait_time_seconds(1).message_attribute_names("All").send().await.unwrap();
            nothing_new = if received.messages().is_empty() { nothing_new + 1 } else { 0 };
            for message in received.messages() {
                let attributes = message.message_attributes().into_iter().flatten();
                let text = |value: &aws_sdk_sqs::types::MessageAttributeValue| value.string_value().unwrap().to_owned();
                all.push(Received {
                    body: message.body().unwrap().to_owned(),
                    attributes: attributes.map(|(name, value)| (name.clone(), text(value))).collect(),
                });
                let done = self.client.delete_message().queue_url(&self.url);
                done.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
            }
        }
        all
    }

    pub(crate) async fn delete(self) {
        self.client.delete_queue().queue_url(&self.url).send().await.unwrap();
    }
}

/// An SNS topic.
pub(crate) struct Topic {
    pub(crate) client: aws_sdk_sns::Client,
    pub(crate) arn: String,
}

impl Topic {
    pub(crate) async fn create() -> Self {
        let client = clients().sns();
        let arn = client.create_topic().name(fresh_name("topic")).send().await.unwrap().topic_arn.unwrap();
        Self { client, arn }
    }

    /// Subscribes a queue to raw messages, with an optional filter policy.
    pub(crate) async fn subscribe(&self, queue: &Queue, filter_policy: Option<serde_json::Value>) {
        let allow = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.arn}},
        }]});
        let set = queue.client.set_queue_attributes().queue_url(&queue.url);
        set.attributes(QueueAttributeName::Policy, allow.to_string()).send().await.unwrap();
        let mut request = self.client.subscribe().topic_arn(&self.arn).protocol("sqs").endpoint(&queue.arn);
        request = request.attributes("RawMessageDelivery", "true");
        if let Some(policy) = filter_policy {
            request = request.attributes("FilterPolicy", policy.to_string());
        }
        request.send().await.unwrap();
    }

    pub(crate) async fn delete(self) {
        self.client.delete_topic().topic_arn(&self.arn).send().await.unwrap();
    }
}
