//! A poll that has more to do than it has time for.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_kinesis::types::ShardIteratorType;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use serde_json::{Value, json};
use stoop_aws::{S3Configuration, S3Index};
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{ConfigFiles, Configuration, RunOutcome, SearchIndex};
use stoop_runtime::SystemClock;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_wire::kpl::{Deaggregated, deaggregate};

use crate::cleanup::aside;
use crate::hosted::{Hosted, failures};
use crate::world::{World, eventually};

const SEARCH: &str = "long";
const PAGE: usize = 10;
/// What the function has: it stops when half of it is over.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Each message brings some pages; a machine that brings none in four seconds would be here for ever.
const MESSAGES_MAX: usize = 60;

/// A queue, a bucket and a stream beside the stack's, whose own poller would take the messages otherwise.
struct Aside<'w> {
    world: &'w World,
    queue: String,
    bucket: String,
    stream: String,
}

impl<'w> Aside<'w> {
    async fn make(world: &'w World) -> Self {
        let name = aside(world.stack.name());
        let queue = world.clients.sqs().create_queue().queue_name(format!("{name}.fifo"));
        let queue = queue.attributes(QueueAttributeName::FifoQueue, "true").send().await.unwrap().queue_url.unwrap();
        world.clients.s3().create_bucket().bucket(&name).send().await.unwrap();
        let kinesis = world.clients.kinesis();
        kinesis.create_stream().stream_name(&name).shard_count(1).send().await.unwrap();
        eventually("the stream is active", || async {
            let told = kinesis.describe_stream_summary().stream_name(&name).send().await.unwrap();
            let status = told.stream_description_summary().unwrap().stream_status().as_str().to_owned();
            if status == "ACTIVE" { Ok(()) } else { Err(status) }
        })
        .await;
        Self { world, queue, bucket: name.clone(), stream: name }
    }

    /// The next message, as the event of a mapping that takes one at a time; it is deleted.
    async fn message(&self) -> Option<Value> {
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

    /// The listings on the stream, in its order.
    async fn listings(&self) -> Vec<String> {
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
                    panic!("no aggregated record: {record:?}");
                };
                let lines = aggregate.user_records().flat_map(|user| stoop_wire::lines(user.data));
                listings.extend(lines.map(|line| stoop_wire::decode(line).unwrap().native_id));
            }
            next = read.next_shard_iterator.filter(|_| !read.records.is_empty());
        }
        listings
    }
}

/// The poller stops in good time, leaves a checkpoint and sends itself on; the next message goes on there. In the end
/// every listing was sent once, and no page was asked for twice.
pub(crate) async fn carried_on(world: &World) {
    let start = SystemClock.now().plus_ms(-60 * Time::DAY_MS);
    let simulation = Simulation::new(SimulationConfig::new(21, start, 250, 3));
    let mut shown: Vec<String> = simulation.shown_after(None).map(|(home, _)| home.listing_key()).collect();
    shown.sort();
    assert!(shown.len() > 12 * PAGE, "{} listings are too few pages for half of {TIMEOUT:?}", shown.len());
    let portal = Portal::start(Arc::new(Mutex::new(simulation)), PortalConfig::new(|| SystemClock.now())).unwrap();
    let aside = Aside::make(world).await;
    let text = format!(
        "[[search]]\nname = \"{SEARCH}\"\nsource = \"reso\"\nevery = \"1h\"\n\n[search.params]\nurl = \"{}/odata\"\nname = \"aside\"\ntop = {PAGE}\n",
        portal.url()
    );
    let files = ConfigFiles { fingerprint: "1".into(), files: [("stoop.toml".to_owned(), text)].into() };
    S3Configuration::new(world.clients.s3(), &aside.bucket).accept(&files).await.unwrap();
    let own = [("STOOP_BUCKET", &*aside.bucket), ("STOOP_STREAM", &*aside.stream), ("STOOP_QUEUE_URL", &*aside.queue)];
    let poller = Hosted::start(world, "poller", &own, TIMEOUT).await;
    let index = S3Index::new(world.clients.s3(), &aside.bucket);

    let body = json!({"search": SEARCH, "due_at": SystemClock.now().ms()}).to_string();
    let first = world.clients.sqs().send_message().queue_url(&aside.queue).message_body(body);
    first.message_group_id(SEARCH).message_deduplication_id("first").send().await.unwrap();
    let mut messages = 0;
    let mut event = aside.message().await;
    while let Some(message) = event {
        messages += 1;
        assert!(messages <= MESSAGES_MAX, "{messages} messages, {} listings", aside.listings().await.len());
        let began = SystemClock.now();
        let response = poller.host.invoke(&message).await.unwrap();
        assert_eq!(failures(&response), Vec::<String>::new());
        assert!(SystemClock.now().ms() - began.ms() < TIMEOUT.as_millis() as i64, "it stops before its deadline");
        event = aside.message().await;
        let state = index.load(SEARCH).await.unwrap();
        assert_eq!(state.checkpoint.is_some(), event.is_some(), "a checkpoint and a message to use it, or neither");
    }
    assert!(messages > 1, "half of {TIMEOUT:?} was enough for all: nothing is shown");
    let mut sent = aside.listings().await;
    sent.sort();
    assert_eq!(sent, shown);
    let pages = shown.len().div_ceil(PAGE) as u64;
    // The last page of a portal that links pages may be an empty one.
    assert!((pages..=pages + 1).contains(&portal.served().pages), "{pages} pages in {:?}", portal.served());
    let state = index.load(SEARCH).await.unwrap();
    assert_eq!(state.listings.len(), shown.len());
    assert!(state.full_scan_at.is_some() && state.watermark.is_some(), "the next poll asks for what changed");
    let runs = world.runs(SEARCH).await;
    let outcomes: Vec<_> = runs.iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RunOutcome::Partial).count(), messages - 1, "{runs:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == RunOutcome::Complete).count(), 1, "{runs:?}");
}
