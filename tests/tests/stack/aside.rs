//! Resources next to the stack, for a poller that runs alone.

use std::time::Duration;

use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Value, json};
use stoop_aws::{S3Configuration, S3Index};
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{ConfigFiles, Configuration};
use stoop_runtime::SystemClock;
use stoop_wire::kpl::{Deaggregated, deaggregate};

use crate::cleanup::aside;
use crate::hosted::Hosted;
use crate::world::{World, eventually};

/// A queue, a bucket and a stream next to the stack's, because the stack's own poller would receive the messages.
pub(crate) struct Aside<'w> {
    world: &'w World,
    queue: String,
    bucket: String,
    stream: String,
}

impl<'w> Aside<'w> {
    /// Makes them, with this suffix in their names, and accepts a configuration there.
    pub(crate) async fn make(world: &'w World, what: &str, configuration: String) -> Self {
        let name = format!("{}-{what}", aside(world.stack.name()));
        let queue = world.clients.sqs().create_queue().queue_name(format!("{name}.fifo"));
        let queue = queue.attributes(QueueAttributeName::FifoQueue, "true").send().await.unwrap().queue_url.unwrap();
        world.clients.s3().create_bucket().bucket(&name).send().await.unwrap();
        let kinesis = world.clients.kinesis();
        kinesis.create_stream().stream_name(&name).shard_count(1).send().await.unwrap();
        eventually("the stream is active", || async {
            let message = kinesis.describe_stream_summary().stream_name(&name).send().await.unwrap();
            let status = message.stream_description_summary().unwrap().stream_status().as_str().to_owned();
            if status == "ACTIVE" { Ok(()) } else { Err(status) }
        })
        .await;
        let files = ConfigFiles { fingerprint: "1".into(), files: [("stoop.toml".to_owned(), configuration)].into() };
        S3Configuration::new(world.clients.s3(), &name).accept(&files).await.unwrap();
        Self { world, queue, bucket: name.clone(), stream: name }
    }

    /// The real poller with this timeout, on these resources.
    pub(crate) async fn poller(&self, timeout: Duration) -> Hosted {
        let own = [("STOOP_BUCKET", &*self.bucket), ("STOOP_STREAM", &*self.stream), ("STOOP_QUEUE_URL", &*self.queue)];
        Hosted::start(self.world, "poller", &own, timeout).await
    }

    /// The searches' index.
    pub(crate) fn index(&self) -> S3Index {
        S3Index::new(self.world.clients.s3(), &self.bucket)
    }

    /// Sends a search, like the planner.
    pub(crate) async fn send(&self, search: &str) {
        let body = json!({"search": search, "due_at": SystemClock.now().ms()}).to_string();
        let message = self.world.clients.sqs().send_message().queue_url(&self.queue).message_body(body);
        message.message_group_id(search).message_deduplication_id("first").send().await.unwrap();
    }

    /// The next message, as the event of a mapping with a batch size of one; it is deleted.
    pub(crate) async fn message(&self) -> Option<Value> {
        let sqs = self.world.clients.sqs();
        let request = sqs.receive_message().queue_url(&self.queue).max_number_of_messages(1).wait_time_seconds(1);
        let received = request.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
        let message = received.messages().first()?.clone();
        let receipt = message.receipt_handle().unwrap();
        sqs.delete_message().queue_url(&self.queue).receipt_handle(receipt).send().await.unwrap();
        let attributes = message.attributes().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| (name.as_str().to_owned(), json!(value)));
        Some(json!({ "Records": [{
            "messageId": message.message_id(),
            "receiptHandle": receipt,
            "body": message.body(),
            "attributes": attributes.collect::<serde_json::Map<_, _>>(),
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:aside.fifo",
            "awsRegion": "us-east-1",
        }]}))
    }

    /// The listings on the stream, in order.
    pub(crate) async fn listings(&self) -> Vec<String> {
        let kinesis = self.world.clients.kinesis();
        let shards = kinesis.list_shards().stream_name(&self.stream).send().await.unwrap();
        let shard = shards.shards()[0].shard_id().to_owned();
        let from = kinesis.get_shard_iterator().stream_name(&self.stream).shard_id(shard);
        let from = from.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await.unwrap();
        let (mut next, mut listings) = (from.shard_iterator, Vec::new());
        while let Some(iterator) = next {
            let read = kinesis.get_records().shard_iterator(iterator).send().await.unwrap();
            for record in read.records() {
                let Deaggregated::Aggregated(aggregate) = deaggregate(record.data().as_ref()).unwrap() else {
                    panic!("not an aggregated record: {record:?}");
                };
                let lines = aggregate.user_records().flat_map(|user| stoop_wire::lines(user.data));
                listings.extend(lines.map(|line| stoop_wire::decode(line).unwrap().native_id));
            }
            next = read.next_shard_iterator.filter(|_| !read.records.is_empty());
        }
        listings
    }
}
