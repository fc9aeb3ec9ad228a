//! A small listing site in memory, and everything needed to poll it, with the means to break it.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(dead_code, reason = "each test file uses its part")]

mod broken;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_domain::{EventKind, Home, HomeId, Observation, Status, Time};
use stoop_embedded::{Database, FolderFiles, PageFolder};
use stoop_pipeline::ports::{Http, HttpAnswer, HttpError, SearchIndex, SearchState};
use stoop_pipeline::{Clock, Measurer, OnDrift, Origin, PollError, PollPorts, Polled, Search, Tokens, poll};
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

    /// Polls the search for prices from `min` to below `max`, and advances an hour.
    pub(crate) async fn poll_between(&self, search: &str, min: i64, max: i64) -> Result<Polled, PollError> {
        let params: Params =
            [("min", min), ("max", max)].map(|(key, value)| (key.to_owned(), value.to_string())).into();
        let source = HttpSource::new(&Map::parse(&self.map, "site.toml").unwrap(), &params).unwrap();
        self.poll_origin(search, Origin::Http(Box::new(source))).await
    }

    /// Polls a search of any origin, and advances an hour.
    pub(crate) async fn poll_origin(&self, search: &str, source: Origin) -> Result<Polled, PollError> {
        let search = Search { full_scan_every_ms: 0, on_drift: self.on_drift, ..Search::new(search, source) };
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

impl Site {
    /// Adds a listing at the end, or changes it in place.
    pub(crate) fn list(&self, id: &str, price: i64) {
        self.set(id, price, "Active");
    }

    pub(crate) fn set(&self, id: &str, price: i64, status: &'static str) {
        let row = Row { id: id.into(), price, status, modified: self.clock.now() };
        let mut rows = self.rows.lock().unwrap();
        match rows.iter_mut().find(|row| row.id == id) {
            Some(known) => *known = row,
            None => rows.push(row),
        }
    }

    /// Adds a second listing with the ID of an existing one.
    pub(crate) fn list_again(&self, id: &str, price: i64) {
        let row = Row { id: id.into(), price, status: "Active", modified: self.clock.now() };
        self.rows.lock().unwrap().push(row);
    }

    /// Sets how the site shows modification times.
    pub(crate) fn show_times(&self, shown: impl Fn(Time) -> Time + Send + 'static) {
        *self.shown_time.lock().unwrap() = Box::new(shown);
    }

    /// Changes a price without changing the modification time.
    pub(crate) fn reprice(&self, id: &str, price: i64) {
        self.rows.lock().unwrap().iter_mut().filter(|row| row.id == id).for_each(|row| row.price = price);
    }

    /// Lists `n` homes named 1, 2, ...
    pub(crate) fn list_many(&self, n: usize) {
        for i in 1..=n {
            self.list(&i.to_string(), 100_000);
        }
    }

    /// Removes a listing; [`Site::restore`] puts the result back unchanged.
    pub(crate) fn remove(&self, id: &str) -> Row {
        take(&mut self.rows.lock().unwrap(), id)
    }

    pub(crate) fn restore(&self, row: Row) {
        self.rows.lock().unwrap().push(row);
    }

    /// Removes the site's first listing after page `number` was shown.
    pub(crate) fn remove_first_after_page(&self, number: usize) {
        self.after_page(number, |rows| drop(rows.remove(0)));
    }

    /// Moves the first listing to the end after page `number` was shown, as on sites where renewed listings go to the
    /// end.
    pub(crate) fn move_first_to_end_after_page(&self, number: usize) {
        self.after_page(number, |rows| rows.rotate_left(1));
    }

    fn after_page(&self, number: usize, edit: impl FnOnce(&mut Vec<Row>) + Send + 'static) {
        self.edits.lock().unwrap().insert(number, Box::new(edit));
    }

    /// Answers the next request for page `number` with this instead.
    pub(crate) fn fault(&self, number: usize, answer: HttpAnswer) {
        self.faults.lock().unwrap().insert(number, answer);
    }

    /// Answers every request for a page with this from now on.
    pub(crate) fn always(&self, answer: HttpAnswer) {
        self.serve(move |_| answer.clone());
    }

    /// Restores the site's own answers.
    pub(crate) fn as_it_is(&self) {
        *self.serve.lock().unwrap() = None;
    }

    /// Answers every request for a page with this function from now on.
    pub(crate) fn serve(&self, serve: impl Fn(&Request) -> HttpAnswer + Send + 'static) {
        *self.serve.lock().unwrap() = Some(Box::new(serve));
    }

    /// Answers this many more requests, and then none until there are more.
    pub(crate) fn freeze_after(&self, requests: u64) {
        self.answers_left.store(requests, Ordering::SeqCst);
    }

    /// Waits until a request is not answered.
    pub(crate) async fn is_frozen(&self) {
        self.frozen.notified().await;
    }

    pub(crate) fn set_robots(&self, answer: HttpAnswer) {
        *self.robots.lock().unwrap() = answer;
    }

    /// Sets another name for the price field, and the text before and after its value.
    pub(crate) fn call_price(&self, name: &'static str, [before, after]: [&'static str; 2]) {
        *self.price.lock().unwrap() = [name, before, after];
    }

    /// Takes the requests made so far.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }

    /// Takes the page numbers requested so far.
    pub(crate) fn take_pages_asked(&self) -> Vec<usize> {
        let requests = self.take_requests();
        requests.iter().map(|request| page_of(&request.url)).collect()
    }

    fn page(&self, url: &str) -> String {
        let page = page_of(url);
        let (min, max) = (number(url, "min").unwrap_or(0), number(url, "max").unwrap_or(i64::MAX));
        let mut rows = self.rows.lock().unwrap();
        let found: Vec<&Row> = rows.iter().filter(|row| (min..max).contains(&row.price)).collect();
        let [name, before, after] = *self.price.lock().unwrap();
        let shown = found.iter().skip((page - 1) * PAGE).take(PAGE).map(|row| {
            let Row { id, price, status, modified } = row;
            let modified = (self.shown_time.lock().unwrap())(*modified);
            format!(r#"{{"id":"{id}","{name}":{before}{price}{after},"status":"{status}","modified":"{modified}"}}"#)
        });
        let shown = shown.collect::<Vec<_>>().join(",");
        // The links form a circle of two pages; only maps that follow links use them.
        let next = format!("https://site.test/list?page={}", 3 - page.min(2));
        let body = format!(r#"{{"total":{},"next":"{next}","listings":[{shown}]}}"#, found.len());
        if let Some(edit) = self.edits.lock().unwrap().remove(&page) {
            edit(&mut rows);
        }
        body
    }
}

fn take(rows: &mut Vec<Row>, id: &str) -> Row {
    let index = rows.iter().position(|row| row.id == id).unwrap_or_else(|| panic!("{id} is not on the site"));
    rows.remove(index)
}

fn page_of(url: &str) -> usize {
    number(url, "page").map_or(1, |n| usize::try_from(n).unwrap())
}

fn number(url: &str, param: &str) -> Option<i64> {
    let (_, query) = url.split_once('?')?;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(param)?.strip_prefix('='))?;
    value.parse().ok()
}

#[async_trait]
impl Http for Site {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        // Two concurrent polls alternate here.
        tokio::task::yield_now().await;
        self.requests.lock().unwrap().push(request.clone());
        if request.url.ends_with("/robots.txt") {
            return Ok(self.robots.lock().unwrap().clone());
        }
        if self.answers_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.frozen.notify_one();
            std::future::pending::<()>().await;
        }
        if let Some(serve) = &*self.serve.lock().unwrap() {
            return Ok(serve(request));
        }
        let fault = self.faults.lock().unwrap().remove(&page_of(&request.url));
        Ok(fault.unwrap_or_else(|| answer(200, &[("content-type", "application/json")], &self.page(&request.url))))
    }
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

    fn jumped_ms(&self) -> i64 {
        self.jumped_ms.swap(0, Ordering::SeqCst)
    }
}
