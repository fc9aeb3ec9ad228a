//! The poller function: messages in, searches polled; what is to come again, and what is done with.

mod losses;
mod tasks;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};
use stoop_aws::{Meter, PollQueue, Secrets};
use stoop_domain::Time;
use stoop_embedded::{FolderFiles, PageFolder};
use stoop_pipeline::ports::{
    FileError, FilePage, FilePattern, FileVersion, Files, OpenFile, PlanLedger, PollTask, PortError,
};
use stoop_pipeline::{Cadence, Clock, LastPoll, Tokens};
use stoop_poller::App;
use stoop_runtime::HttpClient;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};
use stoop_sources::declared::Map;
use stoop_tests::made::minute;

use super::aws::Aws;
use super::bench::{Bench, Standing, Uploads, count_of, counted};
use super::events::{SEARCH, message, sample, task};
use super::planner::Book;

const HOMES: u32 = 60;
const PREFIX: &str = "stoop/test/";

/// How files are read.
const MAP: &str = "name = 'mls'\ncountry = 'US'\ncurrency = 'USD'\npurpose = 'sale'\n[fields]\n\
                   native_id = { from = 'id' }\nlist_price = { from = 'price' }\ncity = { constant = 'Seattle' }\n";

/// What the function is put on: a portal, a queue and a database.
struct Stage {
    bench: Bench,
    aws: Aws,
    portal: Portal,
    /// How long the portal takes for a page.
    page_ms: Arc<AtomicI64>,
    uploads: Uploads,
    clock: Arc<Standing>,
    plans: Book,
    meter: Meter,
    queue: PollQueue,
    secrets: Secrets,
    http: HttpClient,
    files: SlowFiles,
    pages: PageFolder,
    tokens: Tokens,
}

/// A folder whose files take their time.
struct SlowFiles {
    inner: FolderFiles,
    clock: Arc<Standing>,
    /// How long a page takes.
    page_ms: AtomicI64,
}

struct SlowFile {
    inner: Box<dyn OpenFile>,
    clock: Arc<Standing>,
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
    /// One in which the search of the samples is configured.
    async fn new() -> Self {
        let mut stage = Self::without_searches(None).await;
        stage.uploads = Uploads::accepted(&stage.search(SEARCH, ""));
        stage
    }

    /// One in which that search's portal asks for a token, which is a secret.
    async fn with_token(token: &str) -> Self {
        let mut stage = Self::without_searches(Some(token)).await;
        stage.uploads = Uploads::accepted(&stage.search(SEARCH, ", token = { secret = 'mls' }"));
        stage
    }

    async fn without_searches(token: Option<&str>) -> Self {
        let begin = Time::parse("2026-01-05T00:00:00Z").unwrap();
        let clock = Arc::new(Standing::at(begin));
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

    fn app(&self) -> App<'_> {
        App {
            configuration: &self.uploads,
            secrets: &self.secrets,
            secrets_prefix: PREFIX,
            queue: &self.queue,
            http: &self.http,
            files: &self.files,
            stream: &*self.bench.database,
            index: &*self.bench.database,
            pages: &self.pages,
            quarantine: &*self.bench.database,
            runs: &*self.bench.database,
            budgets: &*self.bench.database,
            tokens: &self.tokens,
            plans: &self.plans,
            clock: &*self.clock,
            meter: &self.meter,
        }
    }

    /// Hands over messages, five minutes before the deadline. Gives the ids of those that are to come again.
    async fn take(&self, event: Value) -> Vec<String> {
        let event: SqsEvent = serde_json::from_value(event).unwrap();
        let deadline = self.clock.now().plus_ms(300_000);
        named(Box::pin(self.app().handle(event, deadline)).await)
    }

    async fn take_one(&self, body: &str) -> Vec<String> {
        self.take(json!({ "Records": [message("one", SEARCH, body)] })).await
    }

    /// What is on the stream since the last time: how many observations of each home.
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

    /// What planner and poller know of the samples' search.
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
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    let streamed = stage.streamed();
    assert!(streamed.len() > 20 && streamed.values().all(|count| *count == 1), "{streamed:?}");
    let counts = stage.counted();
    let listings = streamed.len() as u64;
    assert_eq!((counts["PollsComplete"], counts["ListingsSeen"], counts["ObservationsSent"]), (1, listings, listings));
    assert_eq!((count_of(&counts, "PollsFailed"), count_of(&counts, "Quarantined")), (0, 0));

    // The same message again, as SQS may deliver it.
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!((stage.streamed().len(), count_of(&stage.counted(), "ObservationsSent")), (0, 0));
    assert_eq!(stage.brought_back(), []);
}

#[tokio::test]
async fn the_planner_learns_how_often_the_search_changes_and_a_ledger_that_fails_brings_the_task_again() {
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
        // The planner would wait as long.
        stage.clock.pass(distance.ms.cast_signed());
    }
    assert_eq!(distances, [15, 30, 45, 75, 75, 225]);
    assert_eq!(stage.counted()["PollsComplete"], 5);
}

#[tokio::test]
async fn a_message_that_is_no_task_comes_again_soon_and_is_counted() {
    for body in ["", "austin", "{}", "[]", "null", r#"{"search":1,"due_at":2}"#, r#"{"search":"austin"}"#] {
        let stage = Stage::new().await;
        assert_eq!(stage.take_one(body).await, ["one"], "{body}");
        assert_eq!((stage.counted()["PollsFailed"], stage.brought_back()), (1, vec![("one".to_owned(), 30)]));
        assert_eq!(stage.streamed().len(), 0);
    }
    let stage = Stage::new().await;
    let mut event = json!({ "Records": [message("one", SEARCH, "bad")] });
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3".into();
    assert_eq!(stage.take(event).await, ["one"]);
    assert_eq!(stage.brought_back(), [("one".to_owned(), 90)], "later each time");
}

#[tokio::test]
async fn the_response_is_what_lambda_reads() {
    let stage = Stage::new().await;
    let event: SqsEvent = serde_json::from_value(json!({ "Records": [message("one", SEARCH, "bad")] })).unwrap();
    let response = Box::pin(stage.app().handle(event, stage.clock.now())).await;
    let expected = json!({ "batchItemFailures": [{ "itemIdentifier": "one" }] });
    assert_eq!(serde_json::to_value(response).unwrap(), expected);
    assert_eq!(stage.take(json!({ "Records": [] })).await, nothing());
    assert!(serde_json::from_value::<SqsEvent>(json!({ "Messages": [] })).is_err(), "the runtime refuses it");
}

#[tokio::test]
async fn after_a_message_that_failed_nothing_of_its_search_is_polled_and_others_are() {
    let mut stage = Stage::without_searches(None).await;
    stage.uploads = Uploads::accepted(&(stage.search(SEARCH, "") + &stage.search("tacoma", ", name = 'other'")));
    let event = json!({ "Records": [
        message("first", SEARCH, "no task"),
        message("second", SEARCH, &task(SEARCH)),
        message("other", "tacoma", &task("tacoma")),
        message("third", SEARCH, &task(SEARCH)),
    ] });
    assert_eq!(stage.take(event).await, ["first", "second", "third"]);
    let counts = stage.counted();
    assert_eq!((counts["PollsFailed"], counts["PollsComplete"]), (1, 1), "one failed, and those behind it wait");
    let runs = stage.bench.database.runs(10).unwrap();
    assert_eq!(runs.iter().map(|run| &*run.subject).collect::<Vec<_>>(), ["tacoma"]);
    assert_eq!(stage.brought_back(), ["first", "second", "third"].map(|receipt| (receipt.to_owned(), 30)));
}

#[tokio::test]
async fn a_search_that_is_not_there_any_more_is_done_with() {
    let stage = Stage::new().await;
    for uploads in [
        Uploads::default(),
        Uploads::accepted(&stage.search("tacoma", "")),
        Uploads::accepted(&stage.search(SEARCH, "").replace("source", "enabled = false\nsource")),
    ] {
        let stage = Stage { uploads, ..Stage::new().await };
        assert_eq!(stage.take(sample("sqs.json")).await, nothing());
        assert!(stage.counted().is_empty() && stage.bench.database.runs(1).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_secret_that_is_missing_or_not_to_be_had_fails_the_poll_and_the_schedule_asks_again() {
    let stage = Stage::with_token("hush").await;
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!((stage.counted()["PollsFailed"], stage.streamed().len()), (1, 0));
    assert_eq!(stage.aws.asked("GetSecretValue"), [json!({ "SecretId": "stoop/test/mls" })]);
    assert_eq!(stage.portal.served().requests, 0, "nobody is asked without a key");

    stage.aws.keep_secret("stoop/test/mls", "hush");
    stage.aws.down("GetSecretValue", true);
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsFailed"], 1);
    stage.aws.down("GetSecretValue", false);
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsComplete"], 1);
}

#[tokio::test]
async fn a_key_that_expired_is_read_again_and_one_that_is_wrong_fails_the_poll() {
    let stage = Stage::with_token("new").await;
    stage.aws.keep_secret("stoop/test/mls", "old");
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!((stage.counted()["PollsFailed"], stage.aws.asked("GetSecretValue").len()), (1, 1));

    // A minute later somebody has rotated it; what this environment remembers is still the old one.
    stage.clock.pass(60_000);
    stage.aws.keep_secret("stoop/test/mls", "new");
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    let counts = stage.counted();
    assert_eq!((counts["PollsComplete"], count_of(&counts, "PollsFailed")), (1, 0));
    assert_eq!((stage.portal.served().unauthorized, stage.aws.asked("GetSecretValue").len()), (2, 1));
}

#[tokio::test]
async fn a_source_that_is_down_is_left_to_the_schedule_and_a_port_that_fails_is_tried_again() {
    let mut stage = Stage::new().await;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let down = stage.search(SEARCH, "").replace(&stage.portal.address().to_string(), &port.to_string());
    stage.uploads = Uploads::accepted(&down);
    assert_eq!(stage.take(sample("sqs.json")).await, nothing());
    assert_eq!(stage.counted()["PollsFailed"], 1);

    stage.uploads.take_away(true);
    assert_eq!(stage.take_one(&task(SEARCH)).await, ["one"]);
    assert_eq!((stage.counted()["PollsFailed"], stage.brought_back().len()), (1, 1));
}

#[tokio::test]
async fn a_message_that_cannot_be_brought_back_soon_comes_again_all_the_same() {
    let stage = Stage::new().await;
    stage.aws.down("ChangeMessageVisibility", true);
    assert_eq!(stage.take_one("no task").await, ["one"]);
}

#[tokio::test]
async fn a_poll_that_meets_its_deadline_goes_on_in_another_message_until_everything_is_seen() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    let (mut body, mut streamed, mut rounds) = (task(SEARCH), BTreeMap::<String, usize>::new(), 0);
    loop {
        rounds += 1;
        assert!(rounds < 20, "each round sees some pages");
        let id = format!("round-{rounds}");
        assert_eq!(stage.take(json!({ "Records": [message(&id, SEARCH, &body)] })).await, nothing());
        for (home, count) in stage.streamed() {
            *streamed.entry(home).or_default() += count;
        }
        let counts = stage.counted();
        let sent = stage.aws.asked("SendMessage");
        assert_eq!(sent.len() as u64, count_of(&counts, "PollsPartial"));
        let Some(next) = sent.first() else { break };
        assert_eq!(next["MessageGroupId"], SEARCH);
        assert!(next["MessageDeduplicationId"].as_str().is_some_and(|id| id.len() == 64));
        body = next["MessageBody"].as_str().unwrap().to_owned();
        let next: PollTask = serde_json::from_str(&body).unwrap();
        assert_eq!((next.search.as_str(), next.due_at), (SEARCH, minute(0)), "the same task");
        assert_eq!(next.continuation.unwrap().number, rounds);
        assert_eq!(stage.last_poll().await.goes_on, Some(minute(0)));
    }
    let whole = Stage::new().await;
    whole.take_one(&task(SEARCH)).await;
    assert!(rounds > 2, "{rounds}");
    assert_eq!(streamed, whole.streamed(), "what one long poll sees, once each");
}

/// The configuration of the samples' search with limits of its own.
fn limited(stage: &Stage, limits: &str) -> Uploads {
    Uploads::accepted(&stage.search(SEARCH, "").replace("source", &format!("limits = '{limits}'\nsource")))
}

#[tokio::test]
async fn a_poll_that_has_no_time_to_wait_for_its_turn_goes_on_in_another_message() {
    let mut stage = Stage::new().await;
    stage.uploads = limited(&stage, "1/m");
    assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
    assert_eq!((stage.counted()["PollsPartial"], stage.aws.asked("SendMessage").len()), (1, 1));
    let seen = stage.streamed().len();
    stage.take(json!({ "Records": [message("two", SEARCH, &task(SEARCH))] })).await;
    assert_eq!(stage.counted()["PollsComplete"], 1);
    let whole = Stage::new().await;
    whole.take_one(&task(SEARCH)).await;
    assert_eq!(seen + stage.streamed().len(), whole.streamed().len(), "none is lost, none comes twice");
    let run = stage.bench.database.runs(9).unwrap().pop().unwrap();
    assert!(run.message.unwrap().contains("the limit of 1 request a minute is used up, until 2026-01-05T00:04:"));
}

#[tokio::test]
async fn a_poll_that_is_held_for_longer_waits_for_the_schedule() {
    let mut stage = Stage::new().await;
    stage.uploads = limited(&stage, "2/h");
    for (polls, requests) in [(1, 2), (2, 2)] {
        assert_eq!(stage.take_one(&task(SEARCH)).await, nothing());
        assert_eq!(stage.portal.served().requests, requests, "poll {polls}");
    }
    let counts = stage.counted();
    assert_eq!((counts["PollsPartial"], count_of(&counts, "PollsFailed")), (2, 0));
    assert_eq!(stage.aws.asked("SendMessage").len(), 0);
}

#[tokio::test]
async fn a_source_that_was_down_five_times_is_skipped_and_that_is_no_failure() {
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
async fn files_that_take_longer_than_a_function_may_are_read_by_several() {
    let mut stage = Stage::without_searches(None).await;
    let search = format!("[[search]]\nname = '{SEARCH}'\nsource = 'maps/mls.toml'\nfiles = 'in/*.csv'\n");
    stage.uploads = Uploads::accepted(&search).with_file("maps/mls.toml", MAP);
    let folder = stage.bench.path().join("in");
    std::fs::create_dir(&folder).unwrap();
    for (name, homes) in [("a.csv", 0..3_500), ("b.csv", 3_000..4_000)] {
        let rows: String = homes.map(|home| format!("{home},500000\n")).collect();
        std::fs::write(folder.join(name), format!("id,price\n{rows}")).unwrap();
    }
    stage.files.page_ms.store(200_000, Ordering::SeqCst);
    let (mut body, mut streamed, mut rounds) = (task(SEARCH), BTreeMap::<String, usize>::new(), 0);
    loop {
        rounds += 1;
        assert!(rounds < 20, "each round reads some rows");
        assert_eq!(stage.take(json!({ "Records": [message(&format!("m{rounds}"), SEARCH, &body)] })).await, nothing());
        for (home, count) in stage.streamed() {
            *streamed.entry(home).or_default() += count;
        }
        let sent = stage.aws.asked("SendMessage");
        let Some(next) = sent.first() else { break };
        body = next["MessageBody"].as_str().unwrap().to_owned();
    }
    assert!(rounds > 2, "{rounds}");
    assert_eq!((streamed.len(), streamed.values().max()), (4_000, Some(&1)), "every home once");
    assert!(stage.counted().contains_key("PollsComplete"));
}

#[tokio::test]
async fn a_source_that_drifts_is_counted_whether_its_search_warns_or_freezes() {
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

#[tokio::test]
async fn a_poll_that_cannot_be_sent_on_comes_again_itself() {
    let stage = Stage::new().await;
    stage.page_ms.store(200_000, Ordering::SeqCst);
    stage.aws.down("SendMessage", true);
    assert_eq!(stage.take_one(&task(SEARCH)).await, ["one"]);
    let counts = stage.counted();
    assert_eq!((counts["PollsFailed"], counts["PollsPartial"]), (1, 1));
    assert_eq!(stage.brought_back(), [("one".to_owned(), 30)]);
}
