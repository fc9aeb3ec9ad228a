//! The alerts function: from changes to alerts, by the accepted rules.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use aws_lambda_events::streams::DynamoDbEventResponse;
use serde_json::{Value, json};
use stoop_alerts::{AlertsHandler, RulesInForce};
use stoop_domain::{Alert, AlertId, Observation, Status, Time};
use stoop_embedded::{AlertFilter, Database};
use stoop_emf::Meter;
use stoop_pipeline::ports::{FailureKind, Ledger, PortError, Publisher, Quarantine};
use stoop_rules::Rules;
use stoop_tests::NoOthers;
use stoop_tests::made::minute;

use super::bench::{Bench, Fault, Scripted, StandingClock, Uploads, count_of, counted, raw};
use super::events::{change, change_number, sample, seen};

/// A topic that refuses the alerts of some homes.
#[derive(Default)]
struct Topic {
    message: Mutex<Vec<Alert>>,
    refused: Mutex<Vec<String>>,
    /// Whether it refuses them for good.
    for_good: Mutex<bool>,
}

#[async_trait]
impl Publisher for Topic {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>> {
        let refused = self.refused.lock().unwrap();
        let tell = |alert: &Alert| {
            if refused.iter().any(|home| alert.home.as_str() == format!("reso-actris/{home}")) {
                let for_good = *self.for_good.lock().unwrap();
                let kind = if for_good { FailureKind::Refused } else { FailureKind::Unavailable };
                return Err(PortError::new(kind, "publish an alert", "a made-up fault"));
            }
            self.message.lock().unwrap().push(alert.clone());
            Ok(())
        };
        alerts.iter().map(tell).collect()
    }
}

/// A ledger that fails to look up or to record.
struct Shut<'a> {
    database: &'a Database,
    known: bool,
    record: bool,
}

#[async_trait]
impl Ledger for Shut<'_> {
    async fn known(&self, ids: &[AlertId]) -> Result<Vec<bool>, PortError> {
        if self.known {
            Err(PortError::unavailable("look up alerts", "a made-up fault"))
        } else {
            self.database.known(ids).await
        }
    }

    async fn record(&self, alerts: &[Alert], rules: &Rules) -> Result<(), PortError> {
        if self.record {
            return Err(PortError::unavailable("record alerts", "a made-up fault"));
        }
        Ledger::record(self.database, alerts, rules).await
    }

    async fn mark(&self, marks: &[(AlertId, Option<Time>)]) -> Result<u64, PortError> {
        self.database.mark(marks).await
    }
}

/// The function's environment.
struct Stage {
    bench: Bench,
    topic: Topic,
    uploads: Uploads,
    clock: StandingClock,
    meter: Meter,
}

impl Stage {
    fn new() -> Self {
        let (uploads, clock) = (Uploads::default(), StandingClock::at(minute(60)));
        Self { bench: Bench::new(), topic: Topic::default(), uploads, clock, meter: Meter::new("test", "alerts") }
    }

    fn with(uploads: Uploads) -> Self {
        Self { uploads, ..Self::new() }
    }

    fn app(&self) -> AlertsHandler<'_> {
        self.app_on(&*self.bench.database, &*self.bench.database)
    }

    fn app_on<'a>(&'a self, ledger: &'a dyn Ledger, quarantine: &'a dyn Quarantine) -> AlertsHandler<'a> {
        AlertsHandler {
            rules: RulesInForce::new(&self.uploads, "15").unwrap(),
            ledger,
            listings: &NoOthers,
            publisher: &self.topic,
            quarantine,
            clock: &self.clock,
            meter: &self.meter,
        }
    }

    /// Judges these changes in a new environment.
    async fn judge(&self, changes: &[Value]) -> Vec<String> {
        named(self.app().handle(&raw(&json!({ "Records": changes }))).await.unwrap())
    }

    /// The homes whose alerts were sent since the last call.
    fn message(&self) -> Vec<String> {
        let message = std::mem::take(&mut *self.topic.message.lock().unwrap());
        message.iter().map(|alert| alert.home.as_str().trim_start_matches("reso-actris/").to_owned()).collect()
    }

    fn counted(&self) -> BTreeMap<String, u64> {
        counted(&self.meter)
    }
}

fn named(response: DynamoDbEventResponse) -> Vec<String> {
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier.unwrap()).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

/// The observations of a home that falls from $1,000,000 by this many percent.
fn fall(native_id: &str, percent: i64) -> [Observation; 2] {
    [0, percent].map(|percent| seen(native_id, percent, 1_000_000 - percent * 10_000, Status::Active))
}

/// The `n`th change: a home that falls by this many percent.
fn cut(n: u64, native_id: &str, percent: i64) -> Value {
    change(n, &fall(native_id, percent), 1)
}

#[tokio::test]
async fn the_samples_price_cut_is_sent_once() {
    let stage = Stage::new();
    let (app, event) = (stage.app(), raw(&sample("dynamodb-stream.json")));
    assert_eq!(named(app.handle(&event).await.unwrap()), nothing());
    let alert = stage.topic.message.lock().unwrap()[0].clone();
    assert_eq!((alert.home.as_str(), alert.drop_bp), ("reso-actris/ACT7310442", 2_000));
    assert_eq!((alert.from.0, alert.to.0, &*alert.rule), (62_500_000, 50_000_000, "price-drop"));
    assert_eq!((stage.message().len(), stage.counted()["AlertsSent"]), (1, 1));

    assert_eq!(named(app.handle(&event).await.unwrap()), nothing());
    assert_eq!((stage.message(), count_of(&stage.counted(), "AlertsSent")), (nothing(), 0));
}

#[tokio::test]
async fn the_response_has_lambdas_format() {
    let stage = Stage::new();
    stage.topic.refused.lock().unwrap().push("b".into());
    let event = json!({ "Records": [cut(0, "a", 20), cut(1, "b", 20)] });
    let response = serde_json::to_value(stage.app().handle(&raw(&event)).await.unwrap()).unwrap();
    assert_eq!(response, json!({ "batchItemFailures": [{ "itemIdentifier": change_number(1) }] }));
}

#[tokio::test]
async fn an_event_that_is_not_a_batch_is_an_error_and_an_empty_batch_succeeds() {
    let stage = Stage::new();
    for event in [json!({}), json!(null), json!([]), json!({ "Records": "none" })] {
        let error = stage.app().handle(&raw(&event)).await.unwrap_err().to_string();
        assert!(error.starts_with("the event is not a DynamoDB Streams batch: "), "{error}");
    }
    assert_eq!(stage.judge(&[]).await, nothing());
}

#[tokio::test]
async fn a_removed_home_gives_no_alert() {
    let stage = Stage::new();
    let mut removed = cut(0, "removed", 50);
    removed["eventName"] = "REMOVE".into();
    let images = removed["dynamodb"].as_object_mut().unwrap();
    images.remove("NewImage");
    assert_eq!(stage.judge(&[removed, cut(1, "b", 20)]).await, nothing());
    assert_eq!((stage.message(), stage.bench.quarantined()), (vec!["b".to_owned()], 0));
}

#[tokio::test]
async fn an_unreadable_image_is_quarantined_once_and_its_neighbours_are_judged() {
    /// Makes a record unreadable.
    type Spoil = fn(&mut Value);
    let spoil: [(&str, Spoil); 8] = [
        ("home is damaged", |record| {
            let body = &mut record["dynamodb"]["NewImage"]["body"]["B"];
            *body = body.as_str().unwrap()[..8].into();
        }),
        ("home of format 0", |record| record["dynamodb"]["OldImage"]["body"]["B"] = "AAID".into()),
        ("not a change record", |record| record["dynamodb"]["NewImage"]["body"]["B"] = "not *base64*".into()),
        ("has no binary body", |record| record["dynamodb"]["NewImage"]["body"] = json!({ "S": "text" })),
        ("no new image", |record| drop(record["dynamodb"].as_object_mut().unwrap().remove("NewImage"))),
        ("no key id", |record| drop(record["dynamodb"].as_object_mut().unwrap().remove("Keys"))),
        ("no SequenceNumber", |record| drop(record["dynamodb"].as_object_mut().unwrap().remove("SequenceNumber"))),
        ("not a change record", |record| *record = json!("what is this")),
    ];
    for (why, spoil) in spoil {
        let stage = Stage::new();
        let mut spoilt = cut(1, "spoilt", 30);
        spoil(&mut spoilt);
        for _ in 0..2 {
            assert_eq!(stage.judge(&[cut(0, "a", 20), spoilt.clone(), cut(2, "b", 20)]).await, nothing(), "{why}");
            assert_eq!(stage.counted()["Quarantined"], 1, "{why}");
        }
        assert_eq!(stage.message(), ["a", "b"], "{why}");
        let rejects = stage.bench.database.quarantined(10).unwrap();
        assert_eq!(rejects.len(), 1, "{why}");
        assert!(rejects[0].detail.contains(why), "{why}: {}", rejects[0].detail);
        assert_eq!((&*rejects[0].source, rejects[0].reason.as_str()), ("changes", "unreadable"));
        let position =
            if spoilt["dynamodb"]["SequenceNumber"].is_string() { change_number(1) } else { "unknown".into() };
        assert_eq!(rejects[0].location, format!("change {position}"), "{why}");
    }
}

#[tokio::test]
async fn a_home_of_a_newer_format_is_returned_with_all_after_it() {
    for image in ["OldImage", "NewImage"] {
        let stage = Stage::new();
        let mut newer = cut(1, "newer", 30);
        newer["dynamodb"][image]["body"]["B"] = "CQID".into();
        for _ in 0..2 {
            let given_back = stage.judge(&[cut(0, "a", 20), newer.clone(), cut(2, "b", 20)]).await;
            assert_eq!(given_back, [change_number(1)], "until this function is updated");
            let counts = stage.counted();
            assert_eq!((counts["RecordsNewer"], count_of(&counts, "Quarantined")), (1, 0));
        }
        assert_eq!((stage.message(), stage.bench.quarantined()), (vec!["a".to_owned()], 0));
    }
}

#[tokio::test]
async fn a_failing_quarantine_returns_the_first_record_and_sends_nothing() {
    for fault in [Fault::Before, Fault::After] {
        let stage = Stage::new();
        let ports = Scripted::new(&stage.bench.database).quarantine(&[fault]);
        let app = stage.app_on(&*stage.bench.database, &ports);
        let event = raw(&json!({ "Records": [cut(0, "a", 20), json!(1), cut(2, "b", 20)] }));
        assert_eq!(named(app.handle(&event).await.unwrap()), [change_number(0)]);
        let counts = stage.counted();
        assert_eq!((counts["RecordsFailed"], stage.message(), count_of(&counts, "Quarantined")), (3, nothing(), 0));
        assert_eq!(named(app.handle(&event).await.unwrap()), nothing());
        assert_eq!((stage.message().len(), stage.bench.quarantined()), (2, 1));
    }
}

#[tokio::test]
async fn an_alert_refused_by_the_topic_is_returned_and_the_others_are_sent_once() {
    let homes = ["a", "b", "c", "d"];
    let changes: Vec<Value> = homes.iter().zip(0..).map(|(home, n)| cut(n, home, 20)).collect();
    for refused in 0..homes.len() {
        let stage = Stage::new();
        stage.topic.refused.lock().unwrap().push(homes[refused].into());
        let for_good = refused % 2 == 0;
        *stage.topic.for_good.lock().unwrap() = for_good;
        assert_eq!(stage.judge(&changes).await, [change_number(refused as u64)]);
        let counts = stage.counted();
        assert_eq!(count_of(&counts, "CallsRefused"), u64::from(for_good), "only what no retry ends");
        let come_again = (homes.len() - refused) as u64;
        assert_eq!((counts["AlertsSent"], counts["AlertsFailed"], counts["RecordsFailed"]), (3, 1, come_again));
        assert_eq!(stage.message().len(), 3);

        stage.topic.refused.lock().unwrap().clear();
        assert_eq!(stage.judge(&changes[refused..]).await, nothing());
        assert_eq!(stage.message(), [homes[refused]], "the others are known");
        assert_eq!(stage.bench.database.alerts(AlertFilter::Sent, 10).unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_failing_ledger_returns_the_first_change_with_an_alert() {
    let changes = [change(0, &fall("new", 0)[..1], 0), cut(1, "a", 20), cut(2, "b", 20)];
    let event = raw(&json!({ "Records": changes }));
    for (known, message) in [(true, 0), (false, 2)] {
        let stage = Stage::new();
        let shut = Shut { database: &stage.bench.database, known, record: !known };
        let app = stage.app_on(&shut, &*stage.bench.database);
        assert_eq!(named(app.handle(&event).await.unwrap()), [change_number(1)]);
        assert_eq!(stage.counted()["AlertsFailed"], 1);
        assert_eq!(stage.message().len(), message, "a sent but unrecorded alert is sent again, with the same ID");
        assert_eq!(named(stage.app().handle(&event).await.unwrap()), nothing());
        assert_eq!(stage.message(), ["a", "b"]);
    }
}

#[tokio::test]
async fn a_suspect_change_is_held_back_and_recorded() {
    let stage = Stage::new();
    assert_eq!(stage.judge(&[cut(0, "slip", 90)]).await, nothing());
    assert_eq!((stage.message(), stage.counted()["AlertsSuspect"]), (nothing(), 1));
    assert_eq!(stage.bench.database.alerts(AlertFilter::Suspect, 10).unwrap().len(), 1);
}

#[tokio::test]
async fn the_rules_come_from_the_accepted_configuration_or_the_stack() {
    let falls = [cut(0, "12", 12), cut(1, "16", 16), cut(2, "40", 40)];
    for (uploads, message) in [
        (Uploads::default(), &["16", "40"][..]),
        (Uploads::accepted("[alerts]\ndrop_percent = 30\n"), &["40"]),
        (Uploads::accepted("[alerts]\ndrop_percent = 10\n"), &["12", "16", "40"]),
        (Uploads::accepted("[alerts]\ndrop_amount = { USD = 120_000 }\n"), &["12", "16", "40"]),
        (Uploads::accepted("[alerts]\nnoise_percent = 1\n"), &["16", "40"]),
        (Uploads::accepted(""), &["16", "40"]),
        // An upload has no effect until the planner has accepted it.
        (Uploads::of("[alerts]\ndrop_percent = 30\n"), &["16", "40"]),
        // An older planner may have accepted a configuration that this program cannot read.
        (Uploads::accepted("[alerts]\ndrop_percent = 'many'\n"), &["16", "40"]),
        (Uploads::accepted("this is not TOML"), &["16", "40"]),
    ] {
        let stage = Stage::with(uploads);
        assert_eq!(stage.judge(&falls).await, nothing());
        assert_eq!(stage.message(), message);
    }
}

#[tokio::test]
async fn unreadable_rules_block_the_batch_unless_earlier_ones_are_cached() {
    let stage = Stage::with(Uploads::accepted("[alerts]\ndrop_percent = 30\n"));
    let app = stage.app();
    let judge = async |n, home| {
        let event = raw(&json!({ "Records": [cut(n, home, 40), cut(n + 1, &format!("{home}-less"), 20)] }));
        named(app.handle(&event).await.unwrap())
    };
    stage.uploads.take_away(true);
    assert_eq!(judge(0, "a").await, [change_number(0)]);
    assert_eq!((stage.message(), stage.counted()["RecordsFailed"]), (nothing(), 2));
    stage.uploads.take_away(false);
    assert_eq!(judge(0, "a").await, nothing());
    stage.uploads.take_away(true);
    stage.clock.pass(10 * 60_000);
    assert_eq!(judge(2, "b").await, nothing());
    assert_eq!(stage.message(), ["a", "b"]);
}

#[tokio::test]
async fn a_new_configuration_applies_a_minute_later() {
    let stage = Stage::with(Uploads::accepted("[alerts]\ndrop_percent = 30\n"));
    let app = stage.app();
    let event = raw(&json!({ "Records": [cut(0, "a", 20)] }));
    assert_eq!(named(app.handle(&event).await.unwrap()), nothing());
    let newer = Uploads::accepted("[alerts]\ndrop_percent = 10\n");
    stage.uploads.accept_from(&newer);
    for (pass_ms, message) in [(59_000, 0), (1_000, 1)] {
        stage.clock.pass(pass_ms);
        assert_eq!(named(app.handle(&event).await.unwrap()), nothing());
        assert_eq!(stage.message().len(), message);
    }
}

#[test]
fn an_invalid_percentage_is_an_error_at_the_start() {
    let uploads = Uploads::default();
    for text in ["", "many", "-1", "100.01", "15%"] {
        let error =
            RulesInForce::new(&uploads, text).err().unwrap_or_else(|| panic!("{text:?} was accepted")).to_string();
        assert_eq!(error, format!("STOOP_DROP_PERCENT is {text:?}; accepted: a number from 0 to 100"));
    }
    for text in ["0", "15", "12.5", "100"] {
        assert!(RulesInForce::new(&uploads, text).is_ok(), "{text}");
    }
}
