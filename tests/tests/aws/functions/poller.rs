//! The poller function: from messages to polled searches; which messages are redelivered, and which are done.

mod deadline;
mod losses;
mod secrets;
mod tasks;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};
use stoop_aws::{PollQueue, Secrets};
use stoop_domain::Time;
use stoop_embedded::{FolderFiles, PageFolder};
use stoop_emf::Meter;
use stoop_pipeline::ports::{
    FileError, FilePage, FilePattern, FileVersion, Files, OpenFile, PlanLedger, PollTask, PortError,
};
use stoop_pipeline::{Cadence, Clock, LastPoll, PollPorts, Tokens};
use stoop_poller::PollerHandler;
use stoop_runtime::HttpClient;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_sources::declared::Map;
use stoop_tests::made::minute;

use super::aws::Aws;
use super::bench::{Bench, StandingClock, Uploads, count_of, counted};
use super::book::Book;
use super::events::{SEARCH, message, sample, task};

const HOMES: u32 = 60;
const PREFIX: &str = "stoop/test/";

/// The map of the files.
const MAP: &str = "name = 'mls'\ncountry = 'US'\ncurrency = 'USD'\npurpose = 'sale'\n[fields]\n\
                   native_id = { from = 'id' }\nlist_price = { from = 'price' }\ncity = { constant = 'Seattle' }\n";

/// The function's environment: a portal, a queue and a database.
struct Stage {
    bench: Bench,
    aws: Aws,
    portal: Portal,
    /// How long the portal takes per page.
    page_ms: Arc<AtomicI64>,
    uploads: Uploads,
    clock: Arc<StandingClock>,
    plans: Book,
    meter: Meter,
    queue: PollQueue,
    secrets: Secrets,
    http: HttpClient,
    files: SlowFiles,
    pages: PageFolder,
    tokens: Tokens,
}

/// A folder with slow files.
struct SlowFiles {
    inner: FolderFiles,
    clock: Arc<StandingClock>,
    /// How long a page takes.
    page_ms: AtomicI64,
}

struct SlowFile {
    inner: Box<dyn OpenFile>,
    clock: Arc<StandingClock>,
    page_ms: i64,
}

#[async_trait]
impl Files for SlowFiles {
    async fn list(&self, pattern: &FilePattern, most: usize) -> Result<Vec<FileVersion>, PortError> {
        self.inner.list(pattern, most).await
    }

    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError> {
        let inner = self.inner.open(file, map, rows_before).await?;
        let page_ms = self.page_ms.load(Ordering::SeqCst);
        Ok(Box::new(SlowFile { inner, clock: Arc::clone(&self.clock), page_ms }))
    }

    fn appear_whole(&self) -> bool {
        true
    }
}

#[async_trait]
impl OpenFile for SlowFile {
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError> {
        self.clock.pass(self.page_ms);
        self.inner.page(rows_max, as_of, now).await
    }
}

impl Stage {
    /// With the samples' search configured.
    async fn new() -> Self {
        let mut stage = Self::without_searches(None).await;
        stage.uploads = Uploads::accepted(&stage.search(SEARCH, ""));
        stage
    }

    /// With that search on a portal that needs a token, which is a secret.
    async fn with_token(token: &str) -> Self {
        let mut stage = Self::without_searches(Some(token)).await;
        stage.uploads = Uploads::accepted(&stage.search(SEARCH, ", token = { secret = 'mls' }"));
        stage
    }

    async fn without_searches(token: Option<&str>) -> Self {
        let begin = Time::parse("2026-01-05T00:00:00Z").unwrap();
        let clock = Arc::new(StandingClock::at(begin));
        let config = SimulationConfig::new(5, begin, HOMES, 3);
        let (page_ms, slow) = (Arc::new(AtomicI64::new(0)), Arc::clone(&clock));
        let takes = Arc::clone(&page_ms);
        let mut portal = PortalConfig::new(move || {
            slow.pass(takes.load(Ordering::SeqCst));
            slow.now()
        });
        portal.token = token.map(str::to_owned);
        portal.follows_clock = false;
        let simulation = Arc::new(Mutex::new(Simulation::new(config)));
        let (bench, aws) = (Bench::new(), Aws::start().await);
        Self {
            pages: PageFolder::new(bench.path()),
            files: SlowFiles {
                inner: FolderFiles::new(bench.path()),
                clock: Arc::clone(&clock),
                page_ms: AtomicI64::new(0),
            },
            portal: Portal::start(simulation, portal).unwrap(),
            page_ms,
            uploads: Uploads::default(),
            plans: Book::default(),
            meter: Meter::new("test", "poller"),
            queue: PollQueue::new(aws.clients().sqs(), "https://sqs.us-east-1.amazonaws.com/1/stoop-poll.fifo"),
            secrets: Secrets::new(aws.clients().secrets(), Arc::clone(&clock) as Arc<dyn Clock>),
            http: HttpClient::new(),
            tokens: Tokens::default(),
            clock,
            bench,
            aws,
        }
    }

    /// A search of the portal in `stoop.toml`.
    fn search(&self, name: &str, more: &str) -> String {
        let url = format!("{}/odata", self.portal.url());
        format!("[[search]]\nname = '{name}'\nsource = 'reso'\nparams = {{ url = '{url}', top = 10{more} }}\n")
    }

    fn app(&self) -> PollerHandler<'_> {
        PollerHandler {
            configuration: &self.uploads,
            secrets: &self.secrets,
            secrets_prefix: PREFIX,
            queue: &self.queue,
            poll: PollPorts {
                http: &self.http,
                files: &self.files,
                stream: &*self.bench.database,
                index: &*self.bench.database,
                pages: &self.pages,
                quarantine: &*self.bench.database,
                runs: &*self.bench.database,
                budgets: &*self.bench.database,
                tokens: &self.tokens,
                clock: &*self.clock,
                deadline: None,
                stop: &|| false,
            },
            plans: &self.plans,
            meter: &self.meter,
        }
    }

    /// Passes messages, five minutes before the deadline. Returns the IDs of those to redeliver.
    async fn handle(&self, event: Value) -> Vec<String> {
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let deadline = self.clock.now().plus_ms(300_000);
        named(Box::pin(self.app().handle(event, deadline)).await)
    }

    async fn take_one(&self, body: &str) -> Vec<String> {
        self.handle(json!({ "Records": [message("one", SEARCH, body)] })).await
    }

    /// The stream since the last call: the number of observations of each home.
    fn streamed(&self) -> BTreeMap<String, usize> {
        let records = self.bench.database.stream_read(0, usize::MAX).unwrap();
        let mut streamed = BTreeMap::new();
        for line in records.iter().flat_map(|record| stoop_wire::lines(&record.body)) {
            *streamed.entry(stoop_wire::decode(line).unwrap().native_id).or_default() += 1;
        }
        if let Some(last) = records.last() {
            self.bench.database.stream_ack(last.seq).unwrap();
        }
        streamed
    }

    fn counted(&self) -> BTreeMap<String, u64> {
        counted(&self.meter)
    }

    /// The stored outcome of the search's last poll.
    async fn last_poll(&self) -> LastPoll {
        self.plans.last_polls(&[SEARCH.to_owned()]).await.unwrap()[0].expect("known after each poll")
    }

    /// The seconds after which messages were made visible again, by receipt.
    fn brought_back(&self) -> Vec<(String, i64)> {
        let asked = self.aws.asked("ChangeMessageVisibility");
        let text = |request: &Value| request["ReceiptHandle"].as_str().unwrap().rsplit('-').next().unwrap().to_owned();
        asked.iter().map(|request| (text(request), request["VisibilityTimeout"].as_i64().unwrap())).collect()
    }
}

fn named(response: SqsBatchResponse) -> Vec<String> {
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

fn nothing() -> Vec<String> {
    Vec::new()
}

#[tokio::test]
async fn the_sample_polls_its_search() {
    let stage = Stage::new().await;
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    let streamed = stage.streamed();
    assert!(streamed.len() > 20 && streamed.values().all(|count| *count == 1), "{streamed:?}");
    let counts = stage.counted();
    let listings = streamed.len() as u64;
    assert_eq!((counts["PollsComplete"], counts["ListingsSeen"], counts["ObservationsSent"]), (1, listings, listings));
    assert_eq!((count_of(&counts, "PollsFailed"), count_of(&counts, "Quarantined")), (0, 0));

    // The same message again, as SQS may deliver it.
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!((stage.streamed().len(), count_of(&stage.counted(), "ObservationsSent")), (0, 0));
    assert_eq!(stage.brought_back(), []);
}

#[tokio::test]
async fn the_pace_is_stored_for_the_planner_and_a_failing_ledger_redelivers_the_task() {
    let stage = Stage::new().await;
    let cadence = Cadence { every_max_ms: Some(6 * 3_600_000), ..Cadence::steady(900_000) };
    let mut distances = Vec::new();
    for poll in 0..6 {
        *stage.plans.is_shut.lock().unwrap() = poll == 4;
        let again = stage.take_one(&task(SEARCH)).await;
        assert_eq!(again.len(), usize::from(poll == 4), "{again:?}");
        *stage.plans.is_shut.lock().unwrap() = false;
        let distance = cadence.distance(stage.last_poll().await.pace.as_ref());
        distances.push(distance.ms / 60_000);
        // The planner would wait this long.
        stage.clock.pass(distance.ms.cast_signed());
    }
    assert_eq!(distances, [15, 30, 45, 75, 75, 225]);
    assert_eq!(stage.counted()["PollsComplete"], 5);
}

#[tokio::test]
async fn a_message_that_is_not_a_task_is_redelivered_soon_and_counted() {
    for body in ["", "austin", "{}", "[]", "null", r#"{"search":1,"due_at":2}"#, r#"{"search":"austin"}"#] {
        let stage = Stage::new().await;
        assert_eq!(stage.take_one(body).await, ["one"], "{body}");
        assert_eq!((stage.counted()["PollsFailed"], stage.brought_back()), (1, vec![("one".to_owned(), 30)]));
        assert_eq!(stage.streamed().len(), 0);
    }
    let stage = Stage::new().await;
    let mut event = json!({ "Records": [message("one", SEARCH, "bad")] });
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3".into();
    assert_eq!(stage.handle(event).await, ["one"]);
    assert_eq!(stage.brought_back(), [("one".to_owned(), 90)], "later each time");
}

#[tokio::test]
async fn the_response_has_lambdas_format() {
    let stage = Stage::new().await;
    let event: SqsEvent = serde_json::from_value(json!({ "Records": [message("one", SEARCH, "bad")] })).unwrap();
    let response = Box::pin(stage.app().handle(event, stage.clock.now())).await;
    let expected = json!({ "batchItemFailures": [{ "itemIdentifier": "one" }] });
    assert_eq!(serde_json::to_value(response).unwrap(), expected);
    assert_eq!(stage.handle(json!({ "Records": [] })).await, nothing());
    assert!(serde_json::from_value::<SqsEvent>(json!({ "Messages": [] })).is_err(), "the runtime refuses it");
}

#[tokio::test]
async fn after_a_failed_message_its_search_is_not_polled_and_others_are() {
    let mut stage = Stage::without_searches(None).await;
    stage.uploads = Uploads::accepted(&(stage.search(SEARCH, "") + &stage.search("tacoma", ", name = 'other'")));
    let event = json!({ "Records": [
        message("first", SEARCH, "no task"),
        message("second", SEARCH, &task(SEARCH)),
        message("other", "tacoma", &task("tacoma")),
        message("third", SEARCH, &task(SEARCH)),
    ] });
    assert_eq!(stage.handle(event).await, ["first", "second", "third"]);
    let counts = stage.counted();
    assert_eq!((counts["PollsFailed"], counts["PollsComplete"]), (1, 1), "one failed, and those after it wait");
    let runs = stage.bench.database.runs(10).unwrap();
    assert_eq!(runs.iter().map(|run| &*run.subject).collect::<Vec<_>>(), ["tacoma"]);
    assert_eq!(stage.brought_back(), ["first", "second", "third"].map(|receipt| (receipt.to_owned(), 30)));
}

#[tokio::test]
async fn a_message_for_a_removed_search_is_done() {
    let stage = Stage::new().await;
    for uploads in [
        Uploads::default(),
        Uploads::accepted(&stage.search("tacoma", "")),
        Uploads::accepted(&stage.search(SEARCH, "").replace("source", "enabled = false\nsource")),
    ] {
        let stage = Stage { uploads, ..Stage::new().await };
        assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
        assert!(stage.counted().is_empty() && stage.bench.database.runs(1).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_source_that_is_down_waits_for_the_schedule_and_a_failing_port_is_retried() {
    let mut stage = Stage::new().await;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let down = stage.search(SEARCH, "").replace(&stage.portal.address().to_string(), &port.to_string());
    stage.uploads = Uploads::accepted(&down);
    assert_eq!(stage.handle(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsFailed"], 1);

    stage.uploads.take_away(true);
    assert_eq!(stage.take_one(&task(SEARCH)).await, ["one"]);
    assert_eq!((stage.counted()["PollsFailed"], stage.brought_back().len()), (1, 1));
}

#[tokio::test]
async fn a_message_that_stays_hidden_is_redelivered_anyway() {
    let stage = Stage::new().await;
    stage.aws.down("ChangeMessageVisibility", true);
    assert_eq!(stage.take_one("no task").await, ["one"]);
}

#[tokio::test]
async fn a_source_that_was_down_five_times_is_skipped_without_a_failure() {
    let mut stage = Stage::new().await;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let down = stage.search(SEARCH, "").replace(&stage.portal.address().to_string(), &port.to_string());
    stage.uploads = Uploads::accepted(&down);
    for _ in 0..6 {
        assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    }
    let counts = stage.counted();
    assert_eq!((counts["PollsFailed"], counts["PollsSkipped"]), (5, 1));
}

#[tokio::test]
async fn drift_is_counted_whether_the_search_warns_or_freezes() {
    let mut stage = Stage::without_searches(None).await;
    let folder = stage.bench.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    let put = |name: &str, price: &str| {
        let rows: String = (0..40).map(|home| format!("{name}{home},{price}\n")).collect();
        std::fs::write(folder.join(name), format!("id,price\n{rows}")).unwrap();
    };
    ["1.csv", "2.csv", "3.csv"].iter().for_each(|name| put(name, "500000"));
    let search = format!("[[search]]\nname = '{SEARCH}'\nsource = 'maps/mls.toml'\nfiles = 'in/*.csv'\n");
    stage.uploads = Uploads::accepted(&search).with_file("maps/mls.toml", MAP);
    assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    assert_eq!((stage.streamed().len(), count_of(&stage.counted(), "FieldsDrifted")), (120, 0));
    put("4.csv", "");
    for (drift, ended, streamed) in [("freeze", "PollsFailed", 0), ("warn", "PollsComplete", 40)] {
        stage.uploads = Uploads::accepted(&format!("{search}drift = '{drift}'\n")).with_file("maps/mls.toml", MAP);
        assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
        let counts = stage.counted();
        assert_eq!((counts[ended], counts["FieldsDrifted"]), (1, 1), "{drift}");
        assert_eq!(stage.streamed().len(), streamed, "{drift}");
    }
}
