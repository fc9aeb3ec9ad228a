//! A small listing site in memory, and everything needed to poll it, with the means to break it.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(dead_code, reason = "each test file uses its part")]

mod broken;
mod pages;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_domain::{EventKind, Home, HomeId, Observation, Status, Time};
use stoop_embedded::{Database, FolderFiles, PageFolder};
use stoop_pipeline::ports::{Http, HttpAnswer, HttpError, RunOutcome, SearchIndex, SearchState};
use stoop_pipeline::{
    Clock, DisplayTerms, Measurer, OnDrift, Origin, PollError, PollPorts, Polled, Search, Tokens, poll,
};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Params, Request};

pub(crate) use broken::{DyingIndex, RefusingStream};

/// Listings per page.
pub(crate) const PAGE: usize = 3;

const MAP: &str = r#"
name = "site"
country = "AT"
currency = "EUR"
purpose = "sale"

[read]
rows = "/listings"

[http]
url = "https://site.test/list?min={min}&max={max}"
coverage = "snapshot"
pause_ms = 1000
pages_max = 4

[http.pages]
by = "page"
size = 3
total = "/total"

[fields]
native_id = { from = "id" }
observed_at = { from = "modified", date = "rfc3339" }
status = { from = "status" }
list_price = { from = "price" }
city = { constant = "Graz" }
"#;

/// A listing of the site.
#[derive(Clone)]
pub(crate) struct Row {
    id: String,
    price: i64,
    status: &'static str,
    modified: Time,
}

/// Maps the real modification time to the site's.
type ShownTime = Box<dyn Fn(Time) -> Time + Send>;

type Serve = Box<dyn Fn(&Request) -> HttpAnswer + Send>;

type Edit = Box<dyn FnOnce(&mut Vec<Row>) + Send>;

/// A web site that shows its listings in pages, each with its modification time.
pub(crate) struct Site {
    clock: Arc<Virtual>,
    rows: Mutex<Vec<Row>>,
    shown_time: Mutex<ShownTime>,
    /// Changes of the listings after a page was shown, by page number.
    edits: Mutex<BTreeMap<usize, Edit>>,
    /// Single answers instead of a page, by page number.
    faults: Mutex<BTreeMap<usize, HttpAnswer>>,
    robots: Mutex<HttpAnswer>,
    /// Answers every request for a page instead of the site.
    serve: Mutex<Option<Serve>>,
    /// After this many more requests none is answered.
    answers_left: AtomicU64,
    frozen: tokio::sync::Notify,
    /// The name of the price field, and the text before and after its value.
    price: Mutex<[&'static str; 3]>,
    requests: Mutex<Vec<Request>>,
}

/// A clock that advances only for waiters, and by [`Bench::poll`].
pub(crate) struct Virtual {
    now: AtomicI64,
    /// By how much it was set, as this process knows.
    jumped_ms: AtomicI64,
    /// A waiter for this long is asked to stop.
    patience_ms: AtomicU64,
    stop: AtomicBool,
}

/// A site, a database, and a poller between them.
pub(crate) struct Bench {
    pub(crate) site: Site,
    pub(crate) database: Arc<Database>,
    pub(crate) stream: RefusingStream,
    pub(crate) index: DyingIndex,
    pub(crate) on_drift: OnDrift,
    pub(crate) display: DisplayTerms,
    tokens: Tokens,
    clock: Arc<Virtual>,
    map: String,
    pages: PageFolder,
    files: FolderFiles,
    runs: AtomicU64,
    folder: tempfile::TempDir,
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpAnswer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpAnswer { status, headers, body: body.as_bytes().to_vec() }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        let begin = Time::parse("2026-01-14T12:00:00Z").unwrap();
        let clock = Arc::new(Virtual {
            now: AtomicI64::new(begin.ms()),
            jumped_ms: AtomicI64::new(0),
            patience_ms: AtomicU64::new(u64::MAX),
            stop: AtomicBool::new(false),
        });
        Self {
            site: Site {
                clock: Arc::clone(&clock),
                rows: Mutex::default(),
                shown_time: Mutex::new(Box::new(|modified| modified)),
                edits: Mutex::default(),
                faults: Mutex::default(),
                robots: Mutex::new(answer(404, &[], "")),
                serve: Mutex::default(),
                answers_left: AtomicU64::new(u64::MAX),
                frozen: tokio::sync::Notify::new(),
                price: Mutex::new(["price", "", ""]),
                requests: Mutex::default(),
            },
            stream: RefusingStream::new(Arc::clone(&database)),
            index: DyingIndex::new(Arc::clone(&database)),
            pages: PageFolder::new(database.data()),
            database,
            on_drift: OnDrift::default(),
            display: DisplayTerms::default(),
            tokens: Tokens::default(),
            clock,
            map: MAP.to_owned(),
            runs: AtomicU64::new(0),
            files: FolderFiles::new(folder.path()),
            folder,
        }
    }

    /// The same with another line in the map.
    pub(crate) fn with(line: &str, other: &str) -> Self {
        assert!(MAP.contains(line));
        let bench = Self::new();
        Self { map: MAP.replace(line, other), ..bench }
    }

    /// Polls the whole site.
    pub(crate) async fn poll(&self) -> Result<Polled, PollError> {
        self.poll_between("all", 0, i64::MAX).await
    }

    /// A bench whose site shows so many homes, which were seen.
    pub(crate) async fn with_homes(homes: usize) -> Self {
        let bench = Self::with("pages_max = 4", "pages_max = 400");
        bench.site.list_many(homes);
        assert_eq!(bench.poll_completely().await.new, homes as u64);
        bench
    }

    /// Polls the whole site to its end.
    pub(crate) async fn poll_completely(&self) -> Polled {
        let polled = self.poll().await.unwrap();
        assert_eq!(polled.outcome, Some(RunOutcome::Complete), "{:?}", polled.message);
        polled
    }

    /// Polls the search for prices from `min` to below `max`, and advances an hour.
    pub(crate) async fn poll_between(&self, search: &str, min: i64, max: i64) -> Result<Polled, PollError> {
        let params: Params =
            [("min", min), ("max", max)].map(|(key, value)| (key.to_owned(), value.to_string())).into();
        let source = HttpSource::new(&Map::parse(&self.map, "site.toml").unwrap(), &params).unwrap();
        self.poll_origin(search, Origin::Http(Box::new(source))).await
    }

    /// Polls a search of any origin, and advances an hour.
    pub(crate) async fn poll_origin(&self, search: &str, source: Origin) -> Result<Polled, PollError> {
        let search = Search {
            full_scan_every_ms: 0,
            on_drift: self.on_drift,
            display: self.display,
            ..Search::new(search, source)
        };
        let run = format!("run-{:04}", self.runs.fetch_add(1, Ordering::SeqCst));
        let stop = || self.clock.stop.load(Ordering::SeqCst);
        let ports = PollPorts {
            http: &self.site,
            files: &self.files,
            stream: &self.stream,
            index: &self.index,
            pages: &self.pages,
            quarantine: &*self.database,
            runs: &*self.database,
            budgets: &*self.database,
            tokens: &self.tokens,
            clock: &*self.clock,
            deadline: None,
            stop: &stop,
        };
        let polled = poll(&search, &run, ports).await;
        self.clock.now.fetch_add(Time::HOUR_MS, Ordering::SeqCst);
        polled
    }

    /// Asks a waiter for this long to stop.
    pub(crate) fn stop_in_a_pause_of_ms(&self, ms: u64) {
        self.clock.patience_ms.store(ms, Ordering::SeqCst);
    }

    pub(crate) fn stop_no_more(&self) {
        self.clock.patience_ms.store(u64::MAX, Ordering::SeqCst);
        self.clock.stop.store(false, Ordering::SeqCst);
    }

    pub(crate) fn wait_ms(&self, ms: i64) {
        self.clock.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// Sets the clock, and lets the process see it.
    pub(crate) fn set_clock_by_ms(&self, ms: i64) {
        self.wait_ms(ms);
        self.clock.jumped_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The folder of files.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks polls to stop from now on.
    pub(crate) fn stop_now(&self) {
        self.clock.stop.store(true, Ordering::SeqCst);
    }

    /// The state of a search.
    pub(crate) async fn state(&self, search: &str) -> SearchState {
        self.database.load(search, "site").await.unwrap()
    }

    /// Processes everything on the stream. Returns the number of observations.
    pub(crate) async fn measure(&self) -> u64 {
        let records = self.database.stream_read(0, usize::MAX).unwrap();
        let Some(last) = records.last() else { return 0 };
        let lines = records.iter().flat_map(|record| stoop_wire::lines(&record.body));
        let observations: Vec<Observation> = lines.map(|line| stoop_wire::decode(line).unwrap()).collect();
        let measured = Measurer::new(&*self.database).measure(&observations).await.unwrap();
        self.database.stream_ack(last.seq).unwrap();
        verify(&self.database);
        measured.observations
    }

    /// The final status and price.
    pub(crate) async fn ends(&self, id: &str) -> (Status, i64) {
        self.measure().await;
        let home = self.home(id).unwrap_or_else(|| panic!("nothing is known of {id}"));
        let facts = home.history.current().unwrap();
        (facts.status, facts.list_price.unwrap().0 / 100)
    }

    /// The events of a home so far.
    pub(crate) async fn events(&self, id: &str) -> Vec<EventKind> {
        self.measure().await;
        let events = self.home(id).unwrap_or_default().history.events();
        events.iter().filter(|event| event.has_come(self.now())).map(|event| event.kind).collect()
    }

    pub(crate) fn home(&self, id: &str) -> Option<Home> {
        let found = self.database.home(&HomeId(format!("site/{id}").into())).unwrap();
        found.map(|found| found.value)
    }
}

/// Checks that the stored state is that of the stored observations.
pub(crate) fn verify(database: &Database) {
    assert_eq!(database.verify(&|| false).unwrap().differences, Vec::<String>::new());
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Time {
        Time::from_ms(self.now.load(Ordering::SeqCst))
    }

    async fn sleep(&self, ms: u64) {
        self.now.fetch_add(ms.cast_signed(), Ordering::SeqCst);
        if ms >= self.patience_ms.load(Ordering::SeqCst) {
            self.stop.store(true, Ordering::SeqCst);
        }
    }

    fn jumped_ms(&self, _search: &str) -> i64 {
        self.jumped_ms.swap(0, Ordering::SeqCst)
    }
}
