//! The real binary under the tests' Lambda host: continuations, freezes, timeouts and its log.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::base64;
use serde_json::json;
use stoop_domain::Time;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_tests::host::{FunctionError, Host, INVOCATIONS_MAX, RecursiveLoop, TraceHeader};
use stoop_tests::service::{Cut, Fate, Line, Message, Service, event_of, follow, lines_with};
use stoop_wire::kpl::{Deaggregated, deaggregate};

const TIMEOUT: Duration = Duration::from_secs(60);
const BUCKET: &str = "data";
const SEARCH: &str = "mls";
/// With characters that a URL escapes.
const KEY: &str = "k3Y/w+th=odd%chars~0123456789";

#[expect(clippy::disallowed_methods, reason = "the function uses the system clock, and so does its test")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time::from_ms(i64::try_from(since.as_millis()).unwrap())
}

/// Services with an accepted configuration: one search of this URL, with this many rows per page.
async fn service(url: &str, top: u32, more: &str) -> Service {
    let service = Service::start().await.unwrap();
    let toml = format!(
        "[[search]]\nname = \"{SEARCH}\"\nsource = \"reso\"\nevery = \"1h\"\n{more}\n[search.params]\nurl = \"{url}\"\n\
         name = \"mls\"\ntop = {top}\ntoken = {{ secret = \"mls\" }}\n"
    );
    let accepted = json!({ "fingerprint": "1", "files": { "stoop.toml": toml } });
    service.keep_object(BUCKET, "accepted/config.json", accepted.to_string());
    service.keep_secret("stoop/stoop/mls", KEY);
    service
}

async fn poller(service: &Service, log: &str, timeout: Duration) -> Host {
    let mut environment = service.environment();
    let own = [
        ("STOOP_BUCKET", BUCKET),
        ("STOOP_RUNS_TABLE", "runs"),
        ("STOOP_QUEUE_URL", "http://127.0.0.1/000000000000/queue.fifo"),
        ("STOOP_STREAM", "stream"),
        ("STOOP_LOG", log),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Host::start(env!("CARGO_BIN_EXE_poller"), environment, timeout).await.unwrap()
}

/// The planner's message.
fn message() -> Message {
    let body = json!({ "search": SEARCH, "due_at": now().ms() }).to_string();
    Message { id: "first".into(), body, group: SEARCH.into(), trace: None }
}

/// A portal with this many listings, and their keys.
fn portal(listings: u32) -> (Portal, BTreeSet<String>) {
    let simulation = Simulation::new(SimulationConfig::new(21, now().plus_ms(-60 * Time::DAY_MS), listings, 3));
    let shown = simulation.shown_after(None).map(|(home, _)| home.listing_key()).collect();
    let config = PortalConfig { token: Some(KEY.into()), ..PortalConfig::new(now) };
    (Portal::start(Arc::new(Mutex::new(simulation)), config).unwrap(), shown)
}

/// The listings on the stream with their times, in stream order.
fn observed(service: &Service) -> Vec<(String, i64)> {
    let mut all = Vec::new();
    for record in service.records() {
        let record = base64::decode(record).unwrap();
        let Deaggregated::Aggregated(aggregate) = deaggregate(&record).unwrap() else { panic!("no aggregate") };
        let lines = aggregate.user_records().flat_map(|user| stoop_wire::lines(user.data));
        let seen = lines.map(|line| stoop_wire::decode(line).unwrap());
        all.extend(seen.map(|seen| (seen.native_id.clone(), seen.at.ms())));
    }
    all
}

fn keys(observed: &[(String, i64)]) -> BTreeSet<String> {
    observed.iter().map(|(key, _)| key.clone()).collect()
}

#[tokio::test]
async fn a_poll_with_many_continuations_is_a_recursive_loop_to_lambda() {
    let (portal, _) = portal(200);
    let url = format!("{}/odata", portal.url());
    // One request a minute: every message but the first has to wait longer than it may run.
    let limited = "limits = [\"1/m\"]";
    for (recursive_loop, ends) in [
        (RecursiveLoop::Terminate, Err(FunctionError::Recursive(INVOCATIONS_MAX))),
        (RecursiveLoop::Allow, Ok(INVOCATIONS_MAX + 2)),
    ] {
        let service = service(&url, 10, limited).await;
        let host = poller(&service, "warn", Duration::from_secs(8)).await;
        let went = follow(&host, &service, message(), recursive_loop, INVOCATIONS_MAX + 2).await;
        assert_eq!(went, ends, "{recursive_loop:?}: {}", host.log().join("\n"));
    }
}

#[tokio::test]
async fn the_trace_header_goes_to_aws_and_not_to_sources() {
    let service = service("http://127.0.0.1:1", 10, "").await;
    // The services also act as the source, so that its requests are visible.
    let url = format!("{}/source", service.line().url());
    let service_of = self::service(&url, 10, "").await;
    let host = poller(&service_of, "warn", TIMEOUT).await;
    let trace =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=68fd508a:5|c512fbe3:3";
    host.invoke_traced(&event_of(&message()), Some(trace)).await.unwrap();
    let calls = service_of.calls();
    let operations: BTreeSet<&str> = calls.iter().map(|call| &*call.operation).collect();
    assert!(["GetObject", "GetSecretValue", "PutItem"].iter().all(|call| operations.contains(call)), "{operations:?}");
    for call in &calls {
        let sent = call.header("x-amzn-trace-id");
        assert_eq!(sent, Some(trace), "{} {}", call.operation, call.path);
        assert_eq!(TraceHeader::parse(sent.unwrap()).invocations("c512fbe3"), 3);
    }
    let asked = service.calls();
    assert!(!asked.is_empty(), "the source was asked: {}", host.log().join("\n"));
    for call in asked {
        assert_eq!(call.header("x-amzn-trace-id"), None, "{}", call.path);
    }
}

#[tokio::test]
async fn the_key_of_a_source_is_never_logged() {
    let (portal, shown) = portal(60);
    let service = service(&format!("{}/odata", portal.url()), 25, "").await;
    let host = poller(&service, "trace,reqwest=trace,hyper=trace,aws_smithy_runtime=trace", TIMEOUT).await;
    host.invoke(&event_of(&message())).await.unwrap();
    assert_eq!(keys(&observed(&service)), shown, "{}", host.log().join("\n"));
    // A source that refuses the key: the poll reports it.
    let other = self::service(&format!("{}/odata", service.line().url()), 25, "").await;
    let refused = poller(&other, "trace,lambda_runtime=trace,h2=trace", TIMEOUT).await;
    refused.invoke(&event_of(&message())).await.unwrap();
    refused.wait_for_log(0, "ERROR").await.unwrap();
    for host in [&host, &refused] {
        for secret in [KEY, "test-secret-access-key", "test-session-token"] {
            assert_eq!(lines_with(&host.log(), secret), Vec::<&str>::new());
        }
        assert!(host.log().iter().any(|line| line.contains("DEBUG")));
    }
}

#[tokio::test]
async fn a_poll_after_a_freeze_continues_with_new_connections() {
    for how in [Cut::Closed, Cut::Reset] {
        let (portal, shown) = portal(60);
        let source = Line::to(portal.address()).await.unwrap();
        let service = service(&format!("{}/odata", source.url()), 100, "").await;
        let host = poller(&service, "info", TIMEOUT).await;
        let (mut to_aws, mut to_source) = (0, 0);
        for _ in 0..5 {
            let response = host.invoke(&event_of(&message())).await.unwrap();
            assert_eq!(response["batchItemFailures"], json!([]), "{how:?}: {}", host.log().join("\n"));
            host.freeze().await;
            to_aws += service.line().cut(how).await;
            to_source += source.cut(how).await;
        }
        assert!(
            to_aws >= 5 && to_source >= 5,
            "{how:?}: connections were kept: {to_aws} to AWS, {to_source} to the source"
        );
        let failed: Vec<String> = host.log().into_iter().filter(|line| line.contains("\"ERROR\"")).collect();
        assert_eq!(failed, Vec::<String>::new(), "{how:?}");
        assert_eq!(keys(&observed(&service)), shown);
        assert_eq!(std::fs::read_dir(host.temporary()).unwrap().count(), 0, "it keeps no temporary files");
    }
}

/// The function times out while it waits for this call; then the message is delivered again.
async fn killed_in(operation: &'static str, fate: Fate) {
    let (portal, shown) = portal(60);
    let service = service(&format!("{}/odata", portal.url()), 25, "").await;
    let host = poller(&service, "info", Duration::from_secs(4)).await;
    let struck = fate.clone();
    service.decide(move |call| if call.operation == operation { struck.clone() } else { Fate::Answer });
    let message = message();
    let killed = host.invoke(&event_of(&message)).await;
    assert!(matches!(killed, Err(FunctionError::TimedOut(_))), "{operation} {fate:?}: {killed:?}");
    service.decide(|_| Fate::Answer);
    host.restart().await.unwrap();
    follow(&host, &service, message.clone(), RecursiveLoop::Allow, 10).await.unwrap();
    let all = observed(&service);
    assert_eq!(keys(&all), shown, "{operation} {fate:?}: nothing is lost\n{}", host.log().join("\n"));
    // A duplicate is the same observation, which changes nothing downstream.
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), shown.len(), "{operation} {fate:?}");
    // Once the index is saved, not even that.
    follow(&host, &service, self::message(), RecursiveLoop::Allow, 10).await.unwrap();
    assert_eq!(observed(&service).len(), all.len(), "{operation} {fate:?}");
}

#[tokio::test]
async fn a_poll_killed_during_a_call_loses_nothing_and_resends_only_the_same() {
    tokio::join!(
        killed_in("PutRecords", Fate::Hang),
        killed_in("PutRecords", Fate::AnswerLost),
        killed_in("PutObject", Fate::AnswerLost),
        killed_in("PutItem", Fate::Hang),
    );
}
