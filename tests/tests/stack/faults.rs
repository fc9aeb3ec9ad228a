//! Services that fail, and functions that are killed: nothing is lost, and nothing is counted or sent twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stoop_domain::{HomeId, Observation};
use stoop_tests::made::{home, observation_in};

use crate::alerts_sent::{Heard, Subscriber};
use crate::hosted::{Hosted, TIMEOUT, change_batch, failures, kinesis_batch, sequence};
use crate::proxy::{Fate, internal_failure, throttled};
use crate::world::{World, eventually};

/// This many homes of a city, each seen twice, at slightly falling prices.
fn town(city: &str, homes: usize) -> Vec<Observation> {
    let seen = |home: usize, look: i64| {
        let dirhams = 600_000 + 1_000 * home as i64 - 500 * look;
        observation_in(city, &format!("{city}-{home}"), 60 * look, dirhams)
    };
    (0..2).flat_map(|look| (0..homes).map(move |home| seen(home, look))).collect()
}

/// In records of this many observations.
fn records(observations: &[Observation], each: usize) -> Vec<Vec<Observation>> {
    observations.chunks(each).map(<[_]>::to_vec).collect()
}

/// How often each observation of a city is in the lake.
async fn in_the_lake(world: &World, city: &str) -> BTreeMap<(String, i64), usize> {
    let mut found = BTreeMap::new();
    for seen in world.state.lake().await.0 {
        if seen.listing.address.city.as_deref() == Some(city) {
            *found.entry((seen.native_id, seen.at.ms())).or_default() += 1;
        }
    }
    found
}

async fn is_in_the_lake(world: &World, city: &str, observations: &[Observation]) {
    let wanted: BTreeSet<_> = observations.iter().map(|seen| (seen.native_id.clone(), seen.at.ms())).collect();
    eventually("the lake has every observation", || async {
        let found: BTreeSet<_> = in_the_lake(world, city).await.into_keys().collect();
        (found == wanted).then_some(()).ok_or_else(|| format!("{} of {}", found.len(), wanted.len()))
    })
    .await;
}

/// A table refuses a market for a while: the response names the first record that is not stored; when the records from
/// there on are redelivered, they are stored.
pub(crate) async fn throttled_table(world: &World) {
    let metrics = Hosted::start(world, "metrics", &[], TIMEOUT).await;
    // The function stores a thousand observations at a time: the first city is its own group.
    let (first, second) = (town("Larache", 500), town("Midelt", 40));
    let mut batch = records(&first, 100);
    batch.extend(records(&second, 20));
    metrics.proxy.fail(|operation, body| {
        let refused = operation == "TransactWriteItems" && body.contains("midelt");
        if refused { throttled() } else { Fate::Forward }
    });
    let response = metrics.host.invoke(&kinesis_batch(0, &batch)).await.unwrap();
    assert_eq!(failures(&response), [sequence(10)]);
    assert!(metrics.proxy.struck().len() >= 3, "the SDK tries more than once: {:?}", metrics.proxy.struck());
    world.state.check(&world.state.tables, &first).await.unwrap();
    assert!(world.state.check(&world.state.tables, &second).await.is_err(), "nothing of it can be stored");

    // Still throttled when Lambda delivers again from there on; then no longer.
    let response = metrics.host.invoke(&kinesis_batch(10, &batch[10..])).await.unwrap();
    assert_eq!(failures(&response), [sequence(10)]);
    metrics.proxy.heal();
    let response = metrics.host.invoke(&kinesis_batch(10, &batch[10..])).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    world.state.check(&world.state.tables, &second).await.unwrap();
    is_in_the_lake(world, "Midelt", &second).await;

    // Refused reads are handled alike.
    let third = town("Azrou", 20);
    metrics.proxy.fail(|operation, _| if operation == "BatchGetItem" { throttled() } else { Fate::Forward });
    let response = metrics.host.invoke(&kinesis_batch(20, &records(&third, 20))).await.unwrap();
    assert_eq!(failures(&response), [sequence(20)]);
    metrics.proxy.heal();
    let response = metrics.host.invoke(&kinesis_batch(20, &records(&third, 20))).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    world.state.check(&world.state.tables, &third).await.unwrap();
}

/// Firehose refuses entries: they are sent again. While it keeps refusing, the batch fails, and the state has nothing
/// that the lake lacks.
pub(crate) async fn refused_by_firehose(world: &World) {
    let metrics = Hosted::start(world, "metrics", &[], TIMEOUT).await;
    let once = town("Ifrane", 10);
    let mut refused = 0;
    metrics.proxy.fail(move |operation, _| {
        refused += usize::from(operation == "PutRecordBatch");
        if operation == "PutRecordBatch" && refused <= 2 { Fate::RefuseRecords } else { Fate::Forward }
    });
    let response = metrics.host.invoke(&kinesis_batch(0, &records(&once, 5))).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    assert_eq!(metrics.proxy.struck(), ["PutRecordBatch"; 2]);
    world.state.check(&world.state.tables, &once).await.unwrap();
    is_in_the_lake(world, "Ifrane", &once).await;
    assert!(
        in_the_lake(world, "Ifrane").await.values().all(|times| *times == 1),
        "accepted entries are not sent again"
    );

    let never = town("Figuig", 10);
    metrics.proxy.fail(|operation, _| if operation == "PutRecordBatch" { Fate::RefuseRecords } else { Fate::Forward });
    let response = metrics.host.invoke(&kinesis_batch(0, &records(&never, 5))).await.unwrap();
    assert_eq!(failures(&response), [sequence(0)]);
    let stored: Vec<String> = world.state.homes_of("avito").await.into_keys().collect();
    assert!(!stored.iter().any(|id| id.contains("Figuig")), "state without lake: {stored:?}");
    assert!(in_the_lake(world, "Figuig").await.is_empty());
    metrics.proxy.heal();
    let response = metrics.host.invoke(&kinesis_batch(0, &records(&never, 5))).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    world.state.check(&world.state.tables, &never).await.unwrap();
    is_in_the_lake(world, "Figuig", &never).await;
}

/// The function is killed at every step of a batch, before and after the service has executed it. The batch is
/// redelivered, and the state is that of an undisturbed run: the sum over the observations.
pub(crate) async fn killed_in_mid_batch(world: &World) {
    let metrics = Hosted::start(world, "metrics", &[], TIMEOUT).await;
    // 150 homes and a market are two transactions.
    for (city, operation, nth, fate) in [
        ("Zagora", "BatchGetItem", 1, Fate::Hang),
        ("Tinghir", "PutRecordBatch", 1, Fate::Hang),
        ("Guelmim", "PutRecordBatch", 1, Fate::ForwardAndHang),
        ("Sefrou", "TransactWriteItems", 1, Fate::Hang),
        ("Khenifra", "TransactWriteItems", 1, Fate::ForwardAndHang),
        ("Berkane", "TransactWriteItems", 2, Fate::Hang),
        ("Taourirt", "TransactWriteItems", 2, Fate::ForwardAndHang),
    ] {
        let observations = town(city, 150);
        let event = kinesis_batch(0, &records(&observations, 30));
        let mut seen = 0;
        let after = fate.clone();
        metrics.proxy.fail(move |asked, _| {
            seen += usize::from(asked == operation);
            if asked == operation && seen == nth { fate.clone() } else { Fate::Forward }
        });
        metrics.invoke_and_kill(&event).await;
        assert_eq!(metrics.proxy.struck(), [operation], "{city}");
        let early = world.state.check(&world.state.tables, &observations).await;
        let stored = operation == "TransactWriteItems" && matches!(after, Fate::ForwardAndHang) && nth == 2;
        assert!(early.is_err() || stored, "{city}: killed at {operation} {nth}, and all is stored");
        metrics.proxy.heal();
        metrics.host.restart().await.unwrap();
        let response = metrics.host.invoke(&event).await.unwrap();
        assert_eq!(failures(&response), Vec::<String>::new(), "{city}");
        world.state.check(&world.state.tables, &observations).await.unwrap_or_else(|why| panic!("{city}: {why}"));
        is_in_the_lake(world, city, &observations).await;
    }
}

/// SNS fails for a while: unsent alerts are redelivered, and each alert is sent under one ID and recorded once.
pub(crate) async fn sns_outage(world: &World) {
    let alerts = Hosted::start(world, "alerts", &[], TIMEOUT).await;
    let queue = format!("{}-outage", world.stack.name());
    let area = "Asilah";
    let filter =
        json!({"source": ["avito"], "area": [{"prefix": "ma/tanger-tetouan-al-hoceima/tanger-assilah/assilah"}]});
    let subscriber = Subscriber::subscribe(&world.clients, world.output("TopicArn"), &queue, &filter, true).await;
    let changes: Vec<_> = (0..25).map(|number| change(area, number)).collect();
    let ids: BTreeSet<String> = changes.iter().map(|(id, ..)| id.to_string()).collect();
    let event = change_batch(0, &changes);

    alerts.proxy.fail(|operation, _| if operation == "PublishBatch" { internal_failure() } else { Fate::Forward });
    let response = alerts.host.invoke(&event).await.unwrap();
    assert_eq!(failures(&response), [sequence(0)]);
    assert!(alerts_of(world, &ids).await.is_empty(), "recorded without being sent");
    assert!(subscriber.take().await.is_empty());

    // It accepts the first ten and returns an error: those are sent again, with the same IDs.
    alerts.proxy.heal();
    let mut calls = 0;
    alerts.proxy.fail(move |operation, _| {
        calls += usize::from(operation == "PublishBatch");
        match (operation, calls) {
            ("PublishBatch", 1) => Fate::ForwardAndFail,
            ("PublishBatch", _) => internal_failure(),
            _ => Fate::Forward,
        }
    });
    let response = alerts.host.invoke(&event).await.unwrap();
    assert_eq!(failures(&response).len(), 1, "{response}");
    alerts.proxy.heal();
    let response = alerts.host.invoke(&event).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    let ledger = alerts_of(world, &ids).await;
    assert_eq!(ledger.len(), ids.len());

    let heard = std::cell::RefCell::new(Vec::<Heard>::new());
    eventually("each alert is sent", || async {
        let new = subscriber.take().await;
        heard.borrow_mut().extend(new);
        let message: BTreeSet<String> = heard.borrow().iter().map(|message| text(&message.body["home"])).collect();
        (message == ids).then_some(()).ok_or_else(|| format!("{} of {}", message.len(), ids.len()))
    })
    .await;
    for message in heard.borrow().iter() {
        assert_eq!(ledger[&text(&message.body["home"])], text(&message.body["id"]));
    }
    // Delivered once more, as streams do: nothing is sent again.
    let response = alerts.host.invoke(&event).await.unwrap();
    assert_eq!(failures(&response), Vec::<String>::new());
    assert!(subscriber.take().await.is_empty(), "sent again");
    assert_eq!(alerts_of(world, &ids).await, ledger);
}

/// A home that is cut by a fifth.
fn change(city: &str, number: usize) -> (HomeId, stoop_domain::Home, stoop_domain::Home) {
    let before = observation_in(city, &format!("{city}-{number}"), 0, 1_000_000);
    let after = observation_in(city, &format!("{city}-{number}"), 60, 800_000);
    let (id, old) = home(&[&before]);
    (id, old, home(&[&before, &after]).1)
}

/// The IDs of the recorded alerts of some homes, by home.
async fn alerts_of(world: &World, homes: &BTreeSet<String>) -> BTreeMap<String, String> {
    let ledger = world.state.alerts().await;
    let of_homes = ledger.into_iter().filter(|(_, alert)| homes.contains(alert.home.as_str()));
    of_homes.map(|(id, alert)| (alert.home.to_string(), id)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
