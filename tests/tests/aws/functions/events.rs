//! The samples in `events/`: made here with the wire's own encoders, and compared with the files.
//!
//! `UPDATE_EVENTS=1 cargo test --workspace --test aws functions::events` rewrites them.

use std::path::PathBuf;
use std::sync::Arc;

use aws_lambda_events::encodings::Base64Data;
use serde_json::{Value, json};
use stoop_aws::{DynamoStore, NoLake, PollQueue};
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Home, Listing, Minor, Observation, PropertyType, Purpose, Status, Time, home_id,
};
use stoop_pipeline::ports::{Commit, HomeChange, PollTask, Store, TaskQueue};
use stoop_tests::made::minute;
use stoop_wire::kpl::aggregate;

use super::aws::Aws;
use super::bench::StandingClock;

/// The search of the samples' homes.
pub(crate) const SEARCH: &str = "austin";

const ACCOUNT: &str = "123456789012";

/// A home in Austin, seen at noon plus `minutes`.
pub(crate) fn seen(native_id: &str, minutes: i64, dollars: i64, status: Status) -> Observation {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        line: text("1808 Travis Heights Blvd"),
        city: text("Austin"),
        county: text("Travis"),
        region: text("TX"),
        postal_code: text("78704"),
        country: text("US"),
        latitude_e6: Some(30_241_870),
        longitude_e6: Some(-97_743_260),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.status = status;
    listing.list_price = Some(Minor(dollars * 100));
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
    listing.bedrooms = Some(3);
    listing.bathrooms_hundredths = Some(250);
    listing.living_area = Some(Area::of(1_950, AreaUnit::SquareFeet));
    listing.listed_at = Some(minute(-1_440));
    listing.details.title = text("Bungalow under the oaks");
    listing.details.url = Some(format!("https://listings.example.com/{native_id}"));
    Observation::new("reso-actris", native_id, minute(minutes), listing)
}

pub(crate) fn line(observation: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(observation, &mut line);
    line
}

/// Observations in the form that the poller puts on the stream.
pub(crate) fn record(observations: &[Observation]) -> Vec<u8> {
    let lines: Vec<Vec<u8>> = observations.iter().map(line).collect();
    aggregate(SEARCH, lines.iter().map(Vec::as_slice))
}

pub(crate) fn base64(bytes: &[u8]) -> Value {
    let mut data = Base64Data::default();
    data.0 = bytes.to_vec();
    serde_json::to_value(data).unwrap()
}

/// The sequence number of the `n`th record of a shard.
pub(crate) fn sequence(n: u64) -> String {
    (49_590_338_271_490_256_608_559_692_538_361_u128 * 1_000 + u128::from(n)).to_string() + "095921575989136588898"
}

/// A record of a Kinesis event.
pub(crate) fn kinesis_record(sequence: &str, data: &[u8]) -> Value {
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": SEARCH,
            "sequenceNumber": sequence,
            "data": base64(data),
            "approximateArrivalTimestamp": 1_768_392_060.25,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("shardId-000000000000:{sequence}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": format!("arn:aws:iam::{ACCOUNT}:role/stoop-MetricsRole-1ABCDEF2GHIJ3"),
        "awsRegion": "us-east-1",
        "eventSourceARN": format!("arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/stoop-Stream-KLMNOPQR4STU"),
    })
}

/// A Kinesis event of records with the sequence numbers 0, 1, ...
pub(crate) fn kinesis(records: &[Vec<u8>]) -> Value {
    let records = records.iter().zip(0..).map(|(data, n)| kinesis_record(&sequence(n), data));
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn kinesis_sample() -> Value {
    let first = [seen("ACT7310442", 0, 625_000, Status::Active), seen("ACT7310443", 0, 489_000, Status::Active)];
    let second = [seen("ACT7310442", 30, 500_000, Status::Active), seen("ACT7310443", 30, 489_000, Status::Pending)];
    kinesis(&[record(&first), record(&second)])
}

/// In this order: foreign bytes, data that is not base64, a line without a listing, nothing, one good record.
fn kinesis_poison() -> Value {
    let garbage: Vec<u8> = (0..120_u8).map(|n| n.wrapping_mul(97) | 0x80).collect();
    let half = br#"{"v":1,"source":"reso-actris","native_id":"ACT7310444","at":1768392000000,"note":"no listing is in this line"}"#;
    let good = record(&[seen("ACT7310442", 0, 625_000, Status::Active)]);
    let mut event = kinesis(&[garbage, Vec::new(), half.to_vec(), Vec::new(), good]);
    event["Records"][1]["kinesis"]["data"] = "this is *not* base64".into();
    event
}

fn home_of(observations: &[Observation]) -> Home {
    let mut home = Home::default();
    for observation in observations {
        home.apply(observation);
    }
    home
}

/// A home as its item in the homes table.
pub(crate) fn image(observations: &[Observation], version: u64) -> Value {
    let home = home_of(observations);
    let facts = home.history.current().unwrap();
    let mut image = json!({
        "id": { "S": home_id(&observations[0]).as_str() },
        "version": { "N": version.to_string() },
        "body": { "B": base64(&stoop_wire::home_to_bytes(&home)) },
        "notable": { "BOOL": true },
        "market": { "S": facts.market.to_string() },
        "status": { "S": facts.status.as_str() },
        "seen_at": { "N": home.history.seen().unwrap().1.ms().to_string() },
    });
    if facts.status.is_open() {
        image["open_in"] = json!({ "S": facts.market.to_string() });
    }
    if let Some(price) = facts.list_price {
        image["list_price"] = json!({ "N": price.0.to_string() });
    }
    image
}

/// The sequence number of the `n`th change of a table.
pub(crate) fn change_number(n: u64) -> String {
    format!("{}", 111_000_000_000_000_000_000_u128 + u128::from(n) * 7)
}

/// The change of a home from the first `before` of its observations to all of them.
pub(crate) fn change(n: u64, observations: &[Observation], before: usize) -> Value {
    let new = image(observations, 2);
    let keys = json!({ "id": new["id"] });
    let size = new.to_string().len();
    let mut change = json!({
        "ApproximateCreationDateTime": 1_768_393_860.0,
        "Keys": keys,
        "NewImage": new,
        "SequenceNumber": change_number(n),
        "SizeBytes": size,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    if before > 0 {
        change["OldImage"] = image(&observations[..before], 1);
    } else {
        change["NewImage"]["version"]["N"] = "1".into();
    }
    json!({
        "eventID": format!("{:032x}", 0x2a4b_6c8d_u64 + n),
        "eventName": if before > 0 { "MODIFY" } else { "INSERT" },
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": change,
        "eventSourceARN":
            format!("arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/stoop-HomesTable-VWXYZ5ABC6DE/stream/2026-01-14T11:00:00.000"),
    })
}

fn dynamodb_sample() -> Value {
    let new = [seen("ACT7310443", 0, 489_000, Status::Active)];
    let cut = [seen("ACT7310442", 0, 625_000, Status::Active), seen("ACT7310442", 30, 500_000, Status::Active)];
    json!({ "Records": [change(0, &new, 0), change(1, &cut, 1)] })
}

/// A message of the poll queue.
pub(crate) fn message(id: &str, group: &str, body: &str) -> Value {
    let at = minute(0).ms().to_string();
    json!({
        "messageId": id,
        "receiptHandle": format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a-{id}"),
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": at,
            "SequenceNumber": "18849496460467696128",
            "MessageGroupId": group,
            "SenderId": "AROAEXAMPLEPLANNERROLE:stoop-planner",
            "MessageDeduplicationId": blake3::hash(body.as_bytes()).to_hex().as_str(),
            "ApproximateFirstReceiveTimestamp": at,
        },
        "messageAttributes": {},
        "md5OfBody": md5_of(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:stoop-poll.fifo"),
        "awsRegion": "us-east-1",
    })
}

fn md5_of(body: &str) -> String {
    use md5::Digest;
    md5::Md5::digest(body.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The planner's message for a search that is due at noon.
pub(crate) fn task(search: &str) -> String {
    serde_json::to_string(&PollTask { search: search.into(), due_at: minute(0), continuation: None }).unwrap()
}

fn sqs_sample() -> Value {
    json!({ "Records": [message("059f36b4-87a3-44ab-83d2-661975830a7d", SEARCH, &task(SEARCH))] })
}

fn schedule_sample() -> Value {
    json!({ "scheduled_time": minute(0).to_string() })
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../events")).join(name)
}

/// A sample file of `events/`.
pub(crate) fn sample(name: &str) -> Value {
    let path = path(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_samples_are_what_the_program_writes_today() {
    for (name, made) in [
        ("kinesis.json", kinesis_sample()),
        ("kinesis-poison.json", kinesis_poison()),
        ("dynamodb-stream.json", dynamodb_sample()),
        ("sqs.json", sqs_sample()),
        ("schedule.json", schedule_sample()),
    ] {
        if std::env::var_os("UPDATE_EVENTS").is_some() {
            std::fs::write(path(name), serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        assert!(sample(name) == made, "events/{name} is out of date; UPDATE_EVENTS=1 rewrites it");
    }
}

#[test]
fn every_sample_is_made_here_or_belongs_to_the_api() {
    let known = ["kinesis.json", "kinesis-poison.json", "dynamodb-stream.json", "sqs.json", "schedule.json"];
    for entry in std::fs::read_dir(path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_known = known.contains(&&*name) || name.starts_with("api-") || name == "README.md";
        assert!(is_known, "nothing checks events/{name}");
    }
    assert_eq!(Time::parse("2026-01-14T12:00:00Z").unwrap(), minute(0), "the time of the samples");
}

#[tokio::test]
async fn the_items_of_the_change_feed_are_as_the_store_writes_them() {
    let cut = [seen("ACT7310442", 0, 625_000, Status::Active), seen("ACT7310442", 30, 500_000, Status::Active)];
    let (old, new) = (home_of(&cut[..1]), home_of(&cut));
    let id = home_id(&cut[0]);
    for is_quiet in [false, true] {
        let aws = Aws::start().await;
        let clock = Arc::new(StandingClock::at(minute(60)));
        let store = DynamoStore::new(aws.clients().dynamodb(), "homes", "markets", Arc::new(NoLake), clock);
        let store = if is_quiet { store.quiet() } else { store };
        for (version_read, old, new, image) in [(0, None, &old, "OldImage"), (1, Some(&old), &new, "NewImage")] {
            let homes = vec![HomeChange::of(&id, version_read, old, new, true)];
            store.commit(&Commit { homes, ..Commit::default() }).await.unwrap();
            let asked = aws.asked("TransactWriteItems");
            let mut expected = sample("dynamodb-stream.json")["Records"][1]["dynamodb"][image].clone();
            if is_quiet {
                // The mapping's filter expects `true`.
                assert_eq!(expected["notable"], json!({ "BOOL": true }));
                expected["notable"] = json!({ "BOOL": false });
            }
            assert_eq!(asked[0]["TransactItems"][0]["Put"]["Item"], expected, "{image}");
        }
    }
}

#[tokio::test]
async fn the_sample_message_is_what_the_queue_gets() {
    let aws = Aws::start().await;
    let queue = PollQueue::new(aws.clients().sqs(), "https://sqs.us-east-1.amazonaws.com/1/stoop-poll.fifo");
    let refused =
        queue.send(&[PollTask { search: SEARCH.into(), due_at: minute(0), continuation: None }]).await.unwrap();
    assert_eq!(refused, [0; 0]);
    let entry = &aws.asked("SendMessageBatch")[0]["Entries"][0];
    let message = &sample("sqs.json")["Records"][0];
    assert_eq!(entry["MessageBody"], message["body"]);
    assert_eq!(entry["MessageGroupId"], message["attributes"]["MessageGroupId"]);
}

#[test]
fn the_tick_has_the_fields_that_the_schedule_sends() {
    let template = std::fs::read_to_string(path("../template.yaml")).unwrap();
    let input = template.lines().find_map(|line| line.trim().strip_prefix("Input: '")?.strip_suffix('\''));
    let input: Value = serde_json::from_str(input.expect("the schedule has an Input")).unwrap();
    let fields = |event: &Value| event.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&input), fields(&sample("schedule.json")));
}
