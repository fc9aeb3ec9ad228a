//! A portal, a database and a clock between them.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use stoop_domain::{Observation, Time};
use stoop_embedded::{Database, FolderFiles, PageFolder};
use stoop_pipeline::{Clock, Measured, Measurer, PollError, PollPorts, Polled, Search, Tokens, poll};
use stoop_runtime::HttpClient;
use stoop_simulation::{KnownFigures, Portal, PortalConfig, Simulation, SimulationConfig, Watched};
use stoop_sources::Params;
use stoop_tests::StandingClock;

/// Listings per page.
pub(crate) const PAGE: u64 = 25;

/// Everything a poll needs, on a market without a past, so that nothing happened before the first poll.
pub(crate) struct Bench {
    pub(crate) portal: Portal,
    pub(crate) database: Arc<Database>,
    pub(crate) stop_after_pages: AtomicU64,
    simulation: Arc<Mutex<Simulation>>,
    clock: Arc<StandingClock>,
    tokens: Tokens,
    _folder: tempfile::TempDir,
    run: AtomicU64,
    homes: u32,
}

pub(crate) fn hours(n: i64) -> i64 {
    n * Time::HOUR_MS
}

impl Bench {
    pub(crate) fn new(homes: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        let begin = Time::parse("2026-01-05T00:00:00Z").unwrap();
        let config =
            SimulationConfig { past_ms: 0, pace_percent: 900, ..SimulationConfig::new(11, begin, homes, 4).lively() };
        let simulation = Arc::new(Mutex::new(Simulation::new(config)));
        let clock = Arc::new(StandingClock::at(begin));
        let portal_clock = Arc::clone(&clock);
        let portal = Portal::start(Arc::clone(&simulation), PortalConfig::new(move || portal_clock.now())).unwrap();
        let stop_after_pages = AtomicU64::new(u64::MAX);
        Self {
            portal,
            database,
            stop_after_pages,
            simulation,
            clock,
            tokens: Tokens::default(),
            _folder: folder,
            run: AtomicU64::new(0),
            homes,
        }
    }

    /// From now on the portal shows only the first `homes` homes of the market.
    pub(crate) fn show_only(&self, homes: u32) {
        assert!(homes <= self.homes);
        let now = self.now().plus_ms(1);
        let mut other = Simulation::new(SimulationConfig { homes, ..self.simulation.lock().unwrap().config().clone() });
        other.advance(now);
        *self.simulation.lock().unwrap() = other;
        self.clock.set(now);
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn slept_ms(&self) -> i64 {
        self.clock.slept_ms()
    }

    pub(crate) fn next_at(&self) -> Option<Time> {
        self.simulation.lock().unwrap().next_at()
    }

    /// Advances the market and the clock to a time, unless a poll has waited for longer.
    pub(crate) fn advance(&self, to: Time) {
        let to = to.max(self.now());
        self.simulation.lock().unwrap().advance(to);
        self.clock.set(to);
    }

    pub(crate) fn shown(&self) -> usize {
        self.simulation.lock().unwrap().shown_after(None).count()
    }

    /// The exact figures now, as seen since the first poll.
    pub(crate) fn answer(&self) -> KnownFigures {
        let since = self.database.runs(usize::MAX).unwrap().last().expect("it was polled").began_at;
        KnownFigures::of(&self.simulation.lock().unwrap(), self.now(), Watched::Since(since))
    }

    /// Whether the last poll quarantined rows.
    pub(crate) fn refused_rows(&self) -> bool {
        self.database.runs(1).unwrap()[0].counts.get("values_refused").is_some_and(|n| *n > 0)
    }

    /// Polls the changes since the last poll.
    pub(crate) async fn poll(&self) -> Result<Polled, PollError> {
        self.poll_every(i64::MAX).await
    }

    /// Polls everything.
    pub(crate) async fn poll_all(&self) -> Result<Polled, PollError> {
        self.poll_every(0).await
    }

    async fn poll_every(&self, full_scan_every_ms: i64) -> Result<Polled, PollError> {
        let params = [("url", format!("{}/odata", self.portal.url())), ("top", PAGE.to_string())];
        let params: Params = params.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let source = stoop_sources::build("reso", &params).unwrap();
        let search = Search { full_scan_every_ms, ..Search::new("bench", source) };
        let run = format!("run-{:06}", self.run.fetch_add(1, Ordering::SeqCst));
        let http = HttpClient::new();
        let pages = PageFolder::new(self.database.data());
        let before = self.portal.served().pages;
        let stop = || self.portal.served().pages - before >= self.stop_after_pages.load(Ordering::SeqCst);
        let ports = PollPorts {
            http: &http,
            files: &FolderFiles::new(self.database.data()),
            stream: &*self.database,
            index: &*self.database,
            pages: &pages,
            quarantine: &*self.database,
            runs: &*self.database,
            budgets: &*self.database,
            tokens: &self.tokens,
            clock: &*self.clock,
            deadline: None,
            stop: &stop,
        };
        poll(&search, &run, ports).await
    }

    /// Processes everything on the stream.
    pub(crate) async fn measure(&self) -> Measured {
        let mut measurer = Measurer::new(&*self.database);
        let mut total = Measured::default();
        loop {
            let records = self.database.stream_read(0, 100).unwrap();
            let Some(last) = records.last() else { return total };
            let lines = records.iter().flat_map(|record| stoop_wire::lines(&record.body));
            let observations: Vec<Observation> = lines.map(|line| stoop_wire::decode(line).unwrap()).collect();
            total.add(&measurer.measure(&observations).await.unwrap());
            self.database.stream_ack(last.seq).unwrap();
        }
    }

    /// Checks that the stored state is that of the stored observations.
    pub(crate) fn verify(&self) {
        assert_eq!(self.database.verify(&|| false).unwrap().differences, Vec::<String>::new());
    }
}
