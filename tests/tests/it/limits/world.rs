//! A server that counts, pollers with their own clocks, and a network with latency: all on a clock that advances when
//! everybody waits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::Time;
use stoop_embedded::{Database, FolderFiles};
use stoop_pipeline::ports::{Account, Budgets, Http, HttpAnswer, HttpError, Pages, PortError};
use stoop_pipeline::{Clock, Origin, PollError, PollPorts, Polled, Search, Tokens, poll};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Limit, Metered, Params, Request, Source};
use tokio::time::{Instant, sleep};

/// Listings and pages of every search.
const ROWS: usize = 1;
const PAGES: usize = 20;

const MAP: &str = r#"
name = "grid"
country = "AT"
currency = "EUR"
purpose = "sale"

[read]
rows = "/listings"

[http]
url = "https://HOST/list?search={search}"
coverage = "snapshot"
pause_ms = 0
pages_max = 100

[http.pages]
by = "page"
size = 1
total = "/total"

[fields]
native_id = { from = "id" }
status = { from = "status" }
list_price = { from = "price" }
city = { constant = "Graz" }
"#;

/// Dice that several polls throw.
#[derive(Debug)]
pub(crate) struct SharedDice(Mutex<Dice>);

impl SharedDice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Dice::new(seed)))
    }

    /// A number in `0..bound`.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.0.lock().unwrap().below(bound)
    }
}

/// One limit as a server may count it: in any interval of time, and in consecutive intervals from some time on.
struct Counted {
    limit: Limit,
    phase_ms: i64,
    sliding: VecDeque<(i64, u64)>,
    sliding_sum: u64,
    fixed: (i64, u64),
}

impl Counted {
    fn new(limit: Limit, dice: &SharedDice) -> Self {
        let phase_ms = dice.below(limit.per_ms).cast_signed();
        Self { limit, phase_ms, sliding: VecDeque::new(), sliding_sum: 0, fixed: (i64::MIN, 0) }
    }

    /// Whether it is used up by either way of counting.
    fn is_used_up(&mut self, now_ms: i64) -> bool {
        let per_ms = self.limit.per_ms.cast_signed();
        while let Some((_, amount)) = self.sliding.pop_front_if(|(at, _)| now_ms - *at >= per_ms) {
            self.sliding_sum -= amount;
        }
        let window = (now_ms + self.phase_ms).div_euclid(per_ms);
        if self.fixed.0 != window {
            self.fixed = (window, 0);
        }
        self.sliding_sum.max(self.fixed.1) >= self.limit.most
    }

    fn count(&mut self, now_ms: i64, bytes: u64) {
        let amount = if self.limit.of == Metered::Bytes { bytes } else { 1 };
        self.sliding.push_back((now_ms, amount));
        self.sliding_sum += amount;
        self.fixed.1 += amount;
    }
}

/// What the server saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// When each request arrived, in milliseconds since the start.
    pub(crate) arrivals: Vec<i64>,
    /// How many of them exceeded a limit.
    pub(crate) refused: usize,
    pub(crate) bytes: u64,
    /// When each token was granted.
    pub(crate) granted: Vec<i64>,
}

type Answers = Box<dyn Fn(&Request, &mut Seen, i64) -> Option<HttpAnswer> + Send + Sync>;

/// A server with limits.
pub(crate) struct Server {
    began: Instant,
    dice: SharedDice,
    counted: Mutex<Vec<Counted>>,
    pub(crate) seen: Mutex<Seen>,
    /// The answers instead of a page.
    pub(crate) instead: Mutex<Answers>,
    /// The size of a page.
    page_bytes: usize,
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> HttpAnswer {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HttpAnswer { status, headers, body: body.as_bytes().to_vec() }
}

fn param<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    url.split_once('?')?.1.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

#[async_trait]
impl Http for Server {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        sleep(Duration::from_millis(5 + self.dice.below(130))).await;
        let now_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap();
        let answered = self.answer(request, now_ms);
        sleep(Duration::from_millis(20 + self.dice.below(300))).await;
        Ok(answered)
    }
}

impl Server {
    fn answer(&self, request: &Request, now_ms: i64) -> HttpAnswer {
        let mut seen = self.seen.lock().unwrap();
        seen.arrivals.push(now_ms);
        if let Some(other) = (self.instead.lock().unwrap())(request, &mut seen, now_ms) {
            return other;
        }
        let mut counted = self.counted.lock().unwrap();
        if counted.iter_mut().any(|counted| counted.is_used_up(now_ms)) {
            seen.refused += 1;
            return answer(429, &[], "");
        }
        let search = param(&request.url, "search").unwrap();
        let page: usize = param(&request.url, "page").map_or(1, |page| page.parse().unwrap());
        let row = |row: usize| {
            let id = (page - 1) * ROWS + row;
            format!(r#"{{"id":"{search}-{id}","price":{},"status":"Active"}}"#, 100_000 + id)
        };
        let rows = (0..ROWS).map(row).collect::<Vec<_>>().join(",");
        let body = format!(r#"{{"total":{},"listings":[{rows}]}}"#, ROWS * PAGES);
        let body = format!("{body}{}", " ".repeat(self.page_bytes.saturating_sub(body.len())));
        seen.bytes += body.len() as u64;
        counted.iter_mut().for_each(|counted| counted.count(now_ms, body.len() as u64));
        answer(200, &[("content-type", "application/json")], &body)
    }
}

/// A clock that is slightly off.
pub(crate) struct OwnClock {
    began: Instant,
    off_ms: i64,
}

#[async_trait]
impl Clock for OwnClock {
    fn now(&self) -> Time {
        let begin = Time::parse("2026-01-14T07:13:20Z").unwrap();
        begin.plus_ms(i64::try_from(self.began.elapsed().as_millis()).unwrap() + self.off_ms)
    }

    async fn sleep(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

/// A database behind a network, where others come between reading and writing.
struct Distant<'a>(&'a Database, &'a SharedDice, &'a [AtomicU64; 2]);

impl Distant<'_> {
    async fn way(&self) {
        sleep(Duration::from_millis(1 + self.1.below(8))).await;
    }
}

#[async_trait]
impl Budgets for Distant<'_> {
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError> {
        self.2[0].fetch_add(1, Ordering::SeqCst);
        self.way().await;
        let loaded = Budgets::load(self.0, account).await;
        self.way().await;
        loaded
    }

    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError> {
        self.2[1].fetch_add(1, Ordering::SeqCst);
        self.way().await;
        let saved = Budgets::save(self.0, account, record, version).await;
        self.way().await;
        saved
    }
}

/// Drops raw pages.
struct Nowhere;

#[async_trait]
impl Pages for Nowhere {
    async fn put(&self, _: &str, _: u32, _: &[u8]) -> Result<(), PortError> {
        Ok(())
    }

    fn folder_of(&self, run: &str) -> Result<String, PortError> {
        Ok(run.to_owned())
    }
}

/// A server, a database, and the shared parts of polls.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) database: Arc<Database>,
    pub(crate) tokens: Tokens,
    pub(crate) dice: SharedDice,
    began: Instant,
    /// How often an account's record was read and written.
    pub(crate) asked: [AtomicU64; 2],
    runs: AtomicU64,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new(limits: &[Limit], page_bytes: usize, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        let (began, dice) = (Instant::now(), SharedDice::new(seed));
        let server = Server {
            began,
            counted: Mutex::new(limits.iter().map(|limit| Counted::new(*limit, &dice)).collect()),
            dice: SharedDice::new(!seed),
            seen: Mutex::default(),
            instead: Mutex::new(Box::new(|_, _, _| None)),
            page_bytes,
        };
        Self {
            server,
            database,
            tokens: Tokens::default(),
            dice,
            began,
            asked: Default::default(),
            runs: AtomicU64::new(0),
            folder,
        }
    }

    /// From now on the server answers with this, if it returns something.
    pub(crate) fn answer_with(
        &self,
        instead: impl Fn(&Request, &mut Seen, i64) -> Option<HttpAnswer> + Send + Sync + 'static,
    ) {
        *self.server.instead.lock().unwrap() = Box::new(instead);
    }

    /// Milliseconds since the start.
    pub(crate) fn now_ms(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap()
    }

    pub(crate) fn clock(&self, off_ms: i64) -> OwnClock {
        OwnClock { began: self.began, off_ms }
    }

    /// Reopens the database, as after a restart.
    pub(crate) fn restart(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        self.database = Database::open(&path("stoop.db"), &path("data")).unwrap();
        self.tokens = Tokens::default();
    }

    /// All files in the database's folder.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect()
    }

    /// Polls once, by a clock that is `off_ms` ahead, until `deadline`.
    pub(crate) async fn poll(&self, search: &Search, off_ms: i64, deadline: Option<Time>) -> Result<Polled, PollError> {
        let clock = self.clock(off_ms);
        let run = format!("run-{:06}", self.runs.fetch_add(1, Ordering::SeqCst));
        let ports = PollPorts {
            http: &self.server,
            files: &FolderFiles::new(self.folder.path()),
            stream: &*self.database,
            index: &*self.database,
            pages: &Nowhere,
            quarantine: &*self.database,
            runs: &*self.database,
            budgets: &Distant(&self.database, &self.dice, &self.asked),
            tokens: &self.tokens,
            clock: &clock,
            deadline,
            stop: &|| false,
        };
        poll(search, &run, ports).await
    }

    /// Polls repeatedly until `end_ms`. A delayed poll is retried when it may, and now and then before.
    pub(crate) async fn keep_polling(&self, search: &Search, off_ms: i64, end_ms: i64) {
        while self.now_ms() < end_ms {
            let polled = self.poll(search, off_ms, None).await.unwrap();
            let pause_ms = match polled.held_until {
                Some(until) => (until.ms() - self.clock(off_ms).now().ms()).clamp(1_000, 900_000).cast_unsigned(),
                None => self.dice.below(2_000),
            };
            sleep(Duration::from_millis(pause_ms)).await;
        }
    }
}

/// The source of a search on a host.
pub(crate) fn source(host: &str, search: &str) -> HttpSource {
    let params: Params = [("search".to_owned(), search.to_owned())].into();
    HttpSource::new(&Map::parse(&MAP.replace("HOST", host), "grid.toml").unwrap(), &params).unwrap()
}

/// A search on a host.
pub(crate) fn search(host: &str, name: &str, limits: &[Limit]) -> Search {
    search_of(source(host, name), name, limits)
}

pub(crate) fn search_of(source: impl Source + 'static, name: &str, limits: &[Limit]) -> Search {
    let origin = Origin::Http(Box::new(source));
    Search { full_scan_every_ms: 0, limits: Some(limits.to_vec()), ..Search::new(name, origin) }
}
