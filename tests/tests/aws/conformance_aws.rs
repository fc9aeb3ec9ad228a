//! The conformance suites on the services of local AWS, except DynamoDB (`conformance_dynamo.rs`): S3, Kinesis, SNS,
//! SQS, Firehose, Secrets Manager. Partial refusals are in `shared/aws/tests/refusals`, because emulators refuse almost
//! nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::services::{Bucket, DataStream, Queue, Topic, clients, fresh_name, is_made};
use stoop_aws::{
    KinesisStream, Lake, LakeDelivery, PollQueue, S3Configuration, S3Files, S3Index, S3Pages, S3Quarantine, Secrets,
    TopicPublisher,
};
use stoop_domain::{Observation, Reject, Sighting, Verdict};
use stoop_pipeline::ports::{
    ContentHash, FilePattern, FileRow, Files, IndexChanges, IndexEntry, OnStream, Pages as _, PollTask, Publisher,
    SearchIndex, SearchState, TaskQueue,
};
use stoop_pipeline::with_causes;
use stoop_runtime::SystemClock;
use stoop_tests::{conformance, made};

#[tokio::test]
async fn s3_is_a_search_index() {
    let bucket = Bucket::create().await;
    // As in OPERATIONS.md: `echo ... | aws s3 cp - s3://...`.
    let rule = async |search: &str, source: &str, text: &str| {
        let key = S3Index::ruling_key(source, search).unwrap();
        let body = format!("{text}\n").into_bytes().into();
        bucket.client.put_object().bucket(&bucket.name).key(key).body(body).send().await.unwrap();
    };
    let index = Arc::new(S3Index::new(bucket.client.clone(), &bucket.name));
    conformance::search_index_conformance(index, rule).await;
    let keys: Vec<String> = bucket.objects("").await.into_iter().map(|(key, _)| key).collect();
    let (segments, others): (Vec<_>, Vec<_>) = keys.iter().partition(|key| key.matches('/').count() == 3);
    let names = ["agenz/flats.json.zst", "avito/asilah.json.zst", "avito/tanger.json.zst", "avito/tanger.ruling"];
    let names = names.iter().chain(&["sarouty/sale.json.zst", "yakeey/agadir.json.zst"]);
    assert_eq!(others, names.map(|name| format!("index/{name}")).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    let of_sale = segments.iter().filter(|key| key.starts_with("index/sarouty/sale/")).count();
    assert!((1..10).contains(&of_sale), "of 15 segments, those that were replaced long ago are deleted: {segments:?}");
    bucket.delete().await;
}

#[tokio::test]
async fn s3_has_a_configuration() {
    let bucket = Bucket::create().await;
    let upload = async |path: &str, text: Option<&str>| {
        let key = format!("config/{path}");
        match text {
            Some(text) => bucket.put(&key, text.into()).await,
            None => drop(bucket.client.delete_object().bucket(&bucket.name).key(key).send().await.unwrap()),
        }
    };
    let [one, other] = [0, 1].map(|_| S3Configuration::new(bucket.client.clone(), &bucket.name));
    conformance::configuration_conformance(&one, &other, upload).await;
    bucket.delete().await;
}

/// A save of many changes by a poller that dies before it stores the manifest.
#[tokio::test]
async fn a_segment_without_a_manifest_is_in_no_index_and_is_deleted() {
    let bucket = Bucket::create().await;
    let index = || S3Index::new(bucket.client.clone(), &bucket.name);
    let entry = |dirhams| IndexEntry {
        doubtful: None,
        on_stream: OnStream::Listing(ContentHash(7)),
        last: Sighting::at(made::minute(0)),
        seen_in_scan: made::minute(0),
        missing_since: None,
        until: None,
        listing: made::observation("1", 0, dirhams).listing,
    };
    let listings = (0..2_000).map(|i| (format!("{i}"), entry(i))).collect();
    let mut state = SearchState { source: "avito".into(), listings, ..SearchState::default() };
    let segments = async || {
        let objects = bucket.objects("index/avito/fes/").await;
        objects.into_iter().map(|(key, _)| key).collect::<Vec<String>>()
    };
    assert!(index().save("fes", &state, &IndexChanges::All).await.unwrap());
    let first = segments().await;
    assert_eq!(first.len(), 1);
    // The bytes do not matter: nobody reads them.
    let orphan = "index/avito/fes/00000000000000000002-killed.json.zst";
    bucket.client.put_object().bucket(&bucket.name).key(orphan).body(vec![0].into()).send().await.unwrap();
    state.version = 1;
    assert!(index().load("fes", "avito").await.unwrap() == state);

    // Every save of everything merges. Each deletes what the one before it replaced, and what is as old.
    for version in 1..5 {
        assert!(index().save("fes", &state, &IndexChanges::All).await.unwrap());
        state.version = version + 1;
        assert!(index().load("fes", "avito").await.unwrap() == state);
        assert_eq!(segments().await.contains(&orphan.to_owned()), version < 3, "version {version}");
        let kept = segments().await.iter().filter(|key| *key != orphan).count();
        assert_eq!(kept, 2, "the segment and the one that it replaced, for those who read it now");
    }
    assert!(!segments().await.contains(&first[0]));

    let used = segments().await.pop().unwrap();
    bucket.client.delete_object().bucket(&bucket.name).key(&used).send().await.unwrap();
    let error = index().load("fes", "avito").await.unwrap_err();
    let expected = format!("read s3://{}/{used}: this segment of an index is missing", bucket.name);
    assert_eq!(with_causes(&error), expected);
    bucket.delete().await;
}

#[tokio::test]
async fn pollers_in_different_processes_share_the_index() {
    let bucket = Bucket::create().await;
    let index = || S3Index::new(bucket.client.clone(), &bucket.name);
    let (one, other) = (index(), index());
    let none = IndexChanges::none();
    let entry = IndexEntry {
        doubtful: None,
        on_stream: OnStream::Listing(ContentHash(7)),
        last: Sighting::at(made::minute(0)),
        seen_in_scan: made::minute(0),
        missing_since: None,
        until: None,
        listing: made::observation("1", 0, 1).listing,
    };
    let first = SearchState { source: "avito".into(), ..one.load("méknes 2/b", "avito").await.unwrap() };
    assert!(one.save("méknes 2/b", &first, &none).await.unwrap());
    assert!(!other.save("méknes 2/b", &first, &none).await.unwrap(), "both began afresh; one was faster");

    let mut loaded = other.load("méknes 2/b", "avito").await.unwrap();
    let ids = ["1".to_owned()];
    assert_eq!(one.held_elsewhere("fes", "avito", &ids).await.unwrap(), [None]);
    loaded.listings.insert("1".into(), entry);
    let mut changes = IndexChanges::none();
    changes.note("1");
    assert!(other.save("méknes 2/b", &loaded, &changes).await.unwrap());
    assert_eq!(
        one.held_elsewhere("fes", "avito", &ids).await.unwrap(),
        [Some(made::minute(0))],
        "the cache is not stale"
    );
    let stale = SearchState { version: 1, ..first };
    assert!(!one.save("méknes 2/b", &stale, &none).await.unwrap(), "overtaken");
    let second = one.load("méknes 2/b", "avito").await.unwrap();
    assert_eq!(second.version, 2);
    assert!(index().save("méknes 2/b", &second, &none).await.unwrap(), "by one that has loaded nothing itself");
    bucket.delete().await;
}

#[tokio::test]
async fn s3_keeps_pages() {
    let bucket = Bucket::create().await;
    let pages = Arc::new(S3Pages::new(bucket.client.clone(), &bucket.name));
    let read = async |run: &str, number: u32| {
        let body = bucket.object(&format!("{}/{number}.zst", pages.folder_of(run).unwrap())).await?;
        Some(zstd::decode_all(body.as_slice()).unwrap())
    };
    conformance::pages_conformance(Arc::clone(&pages), read).await;
    bucket.delete().await;
}

#[tokio::test]
async fn s3_is_a_quarantine() {
    let bucket = Bucket::create().await;
    let read = async || -> Vec<Reject> {
        let objects = bucket.objects("quarantine/avito/").await;
        objects.iter().map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
    };
    let quarantine = S3Quarantine::new(bucket.client.clone(), &bucket.name);
    conformance::quarantine_conformance(Arc::new(quarantine), read).await;
    bucket.delete().await;
}

#[tokio::test]
async fn s3_has_files() {
    let bucket = Bucket::create().await;
    let put = async |name: &str, bytes: Vec<u8>| bucket.put(&format!("files/{name}"), bytes).await;
    let remove = async |name: &str| {
        let key = format!("files/{name}");
        bucket.client.delete_object().bucket(&bucket.name).key(key).send().await.unwrap();
    };
    bucket.put("config/in/x.csv", b"id,price,seen\n".to_vec()).await;
    let files = Arc::new(S3Files::new(bucket.client.clone(), &bucket.name));
    conformance::files_conformance(Arc::clone(&files), put, remove).await;

    // More than one page of a listing.
    for i in 0..1_005 {
        bucket.put(&format!("files/lots/{i:04}.csv"), Vec::new()).await;
    }
    bucket.put("files/lots/", Vec::new()).await;
    let listed = files.list(&FilePattern::parse("lots/*.csv").unwrap(), usize::MAX).await.unwrap();
    assert_eq!(listed.len(), 1_005);
    for file in listed {
        let key = format!("files/{}", file.name);
        bucket.client.delete_object().bucket(&bucket.name).key(key).send().await.unwrap();
    }
    bucket.delete().await;
}

#[tokio::test]
async fn parquet_is_read_from_s3_by_ranges() {
    let bucket = Bucket::create().await;
    bucket.put("files/homes.parquet", parquet(40_000)).await;
    let files = S3Files::new(bucket.client.clone(), &bucket.name);
    let file = &files.list(&FilePattern::parse("homes.parquet").unwrap(), 9).await.unwrap()[0];
    for before in [0, 25_000] {
        let mut open = files.open(file, &conformance::files_map(), before).await.unwrap();
        let mut rows = before;
        loop {
            let page = open.page(5_000, made::minute(0), made::minute(1)).await.unwrap();
            for row in &page.rows {
                let FileRow::Found(found, _) = row else { panic!("{row:?}") };
                assert_eq!(found.native_id, rows.to_string());
                rows += 1;
            }
            if page.ended {
                break;
            }
            assert!(page.rows_read > 0, "a page has rows or is the last");
        }
        assert_eq!(rows, 40_000);
    }
    bucket.delete().await;
}

/// Homes in row groups of 10,000.
fn parquet(homes: i64) -> Vec<u8> {
    use parquet::data_type::Int64Type;
    let schema = "message homes { required int64 id; required int64 price; }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = parquet::file::writer::SerializedFileWriter::new(Vec::new(), schema, Arc::default()).unwrap();
    for group in (0..homes).collect::<Vec<_>>().chunks(10_000) {
        let mut row_group = writer.next_row_group().unwrap();
        while let Some(mut column) = row_group.next_column().unwrap() {
            let values: Vec<i64> = group.iter().map(|id| 7_919 + id).collect();
            let values = if column.typed::<Int64Type>().get_descriptor().name() == "id" { group } else { &values };
            column.typed::<Int64Type>().write_batch(values, None, None).unwrap();
            column.close().unwrap();
        }
        row_group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn kinesis_is_a_stream() {
    let stream = DataStream::create(2).await;
    let put = KinesisStream::new(stream.client.clone(), &stream.name);
    conformance::stream_conformance(Arc::new(put), async || stream.records().await).await;
    stream.delete().await;
}

#[tokio::test]
async fn sns_publishes_alerts() {
    let topic = Topic::create().await;
    let queue = Queue::create(false).await;
    topic.subscribe(&queue, None).await;
    let arrived = Mutex::new(BTreeSet::new());
    let read = async || -> Vec<String> {
        // Neither SNS nor a standard queue guarantees an order or exactly-once delivery; IDs sort in the order of
        // publication.
        let messages = queue.take_all().await;
        let views = messages.iter().map(|message| serde_json::from_str::<serde_json::Value>(&message.body).unwrap());
        let mut arrived = arrived.lock().unwrap();
        arrived.extend(views.map(|view| view["id"].as_str().unwrap().to_owned()));
        arrived.iter().cloned().collect()
    };
    let publisher = TopicPublisher::new(topic.client.clone(), &topic.arn);
    conformance::publisher_conformance(Arc::new(publisher), read).await;
    topic.delete().await;
    queue.delete().await;
}

#[tokio::test]
async fn a_subscriber_gets_what_its_filter_selects() {
    let topic = Topic::create().await;
    let (near, far) = (Queue::create(false).await, Queue::create(false).await);
    let policy = |area: &str| {
        let numeric = serde_json::json!([">=", 15]);
        serde_json::json!({"area": [{"prefix": area}], "drop_percent": [{"numeric": numeric}], "purpose": ["sale"]})
    };
    topic.subscribe(&near, Some(policy("ma/souss-massa/agadir-ida-ou-tanane/agadir/"))).await;
    topic.subscribe(&far, Some(policy("us/"))).await;
    let publisher = TopicPublisher::new(topic.client.clone(), &topic.arn);
    let mut small = made::alert("small", 0, Verdict::Alert);
    small.drop_bp = 1_499;
    for outcome in publisher.publish(&[small, made::alert("large", 1, Verdict::Alert)]).await {
        outcome.unwrap();
    }
    let heard = near.take_all().await;
    let [message] = &heard[..] else { panic!("{} messages", heard.len()) };
    let view: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!((&view["id"], &view["title"]), (&"large".into(), &"Appartement à Founty".into()));
    let attributes: Vec<_> = message.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let expected = "area=ma/souss-massa/agadir-ida-ou-tanane/agadir/- country=ma drop_percent=20 purpose=sale region=souss-massa rule=drop source=avito";
    assert_eq!(attributes.join(" "), expected);
    assert_eq!(far.take_all().await.len(), 0);
    topic.delete().await;
    near.delete().await;
    far.delete().await;
}

#[tokio::test]
async fn sqs_is_a_task_queue() {
    let queue = Queue::create(true).await;
    let receive = async || -> Vec<PollTask> {
        let messages = queue.take_all().await;
        messages.iter().map(|message| serde_json::from_str(&message.body).unwrap()).collect()
    };
    let tasks = PollQueue::new(queue.client.clone(), &queue.url);
    conformance::task_queue_conformance(Arc::new(tasks), receive).await;
    queue.delete().await;
}

#[tokio::test]
async fn a_message_has_one_continuation() {
    let queue = Queue::create(true).await;
    let tasks = PollQueue::new(queue.client.clone(), &queue.url);
    let task = PollTask { search: "two words".into(), due_at: made::minute(0), continuation: None };
    tasks.send(std::slice::from_ref(&task)).await.unwrap();
    for message_id in ["m1", "m1", "m2"] {
        tasks.continue_later(&task, message_id).await.unwrap();
    }
    let bodies: Vec<String> = queue.take_all().await.into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, vec![serde_json::to_string(&task).unwrap(); 3], "itself and two continuations");
    queue.delete().await;
}

#[tokio::test]
async fn firehose_delivers_to_the_lake() {
    let bucket = Bucket::create().await;
    let delivery = bucket.delivery_stream("lake/observations/").await;
    let lake = LakeDelivery::new(clients().firehose(), &delivery.name, Arc::new(SystemClock));
    let observations: Vec<Observation> = (0..700).map(|i| made::observation(&i.to_string(), i, 900_000 + i)).collect();
    lake.keep(&observations.iter().collect::<Vec<_>>()).await.unwrap();
    bucket.wait_for("lake/observations/").await;
    let objects = bucket.objects("lake/observations/").await;
    let lines = objects.iter().flat_map(|(_, body)| stoop_wire::lines(body));
    let mut kept: Vec<Observation> = lines.map(|line| stoop_wire::decode(line).unwrap()).collect();
    kept.sort_by_key(|seen| seen.at);
    kept.dedup();
    assert_eq!(kept, observations);
    delivery.delete().await;
    bucket.delete().await;
}

#[tokio::test]
async fn a_rotated_secret_is_read_on_refresh() {
    let client = clients().secrets();
    let name = fresh_name("secret");
    let text = r#"{"token": "first"}"#;
    let outcome = client.create_secret().name(&name).secret_string(text).send().await;
    is_made(outcome, |error| error.is_resource_exists_exception());
    let secrets = Secrets::new(client.clone(), Arc::new(SystemClock));
    let member = format!("{name}#token");
    assert_eq!(secrets.get(&member).await.unwrap().reveal(), "first");
    client.put_secret_value().secret_id(&name).secret_string(r#"{"token": "second"}"#).send().await.unwrap();
    assert_eq!(secrets.get(&member).await.unwrap().reveal(), "first", "remembered");
    let anew = Secrets::new(client.clone(), Arc::new(SystemClock));
    assert_eq!(anew.refresh(&member).await.unwrap().reveal(), "second");
    let error = secrets.get("no-such-secret").await.unwrap_err();
    assert_eq!(error.to_string(), "GetSecretValue no-such-secret");
    client.delete_secret().secret_id(&name).force_delete_without_recovery(true).send().await.unwrap();
}
