use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use stoop_domain::Time;
use stoop_embedded::FolderFiles;
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{Clock, PollPorts, Polled, Search, Tokens, poll};
use stoop_sources::{Coverage, Source};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::fleet::Entry;
use super::memory::Memory;
use super::network::{Network, PausedClock, Witness};
use super::oracle;

/// A fleet, its sites, and the stored results.
pub(crate) struct World {
    pub(crate) entries: Vec<Entry>,
    pub(crate) memory: Memory,
    network: Network,
    tokens: Tokens,
    clock: Arc<PausedClock>,
    start: Time,
    /// The end of the day: the markets do not change from then on.
    end: Time,
    polls: Mutex<Vec<PollSeen>>,
}

/// A poll as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PollSeen {
    pub(crate) search: String,
    pub(crate) began: Time,
    pub(crate) ended: Time,
    /// The outcome, or the reason of the failure.
    pub(crate) outcome: Result<Option<RunOutcome>, String>,
    pub(crate) requests: u64,
    pub(crate) gone: u64,
    /// Listings that were held back.
    pub(crate) held_back: u64,
}

/// After the day each search is polled until this many scans in a row were complete: what two miss is gone.
const QUIET_SCANS: u32 = 3;

/// Or after this many polls.
const LAST_POLLS_MAX: u32 = 30;

impl World {
    /// A fleet at the beginning of its day.
    pub(crate) fn new(entries: Vec<Entry>, start: Time, hours: i64) -> Self {
        let clock = Arc::new(PausedClock::at(start));
        let end = start.plus_ms(hours * Time::HOUR_MS);
        let lines = entries.iter().map(|entry| (entry.source.name().to_owned(), Arc::clone(&entry.line))).collect();
        let network = Network { lines, clock: Arc::clone(&clock), markets_end: end };
        Self {
            entries,
            memory: Memory::default(),
            network,
            tokens: Tokens::default(),
            clock,
            start,
            end,
            polls: Mutex::default(),
        }
    }

    /// Runs all searches side by side, each at its interval, until the end of the day.
    pub(crate) async fn live(self: Arc<Self>) {
        let mut polls = JoinSet::new();
        for index in 0..self.entries.len() {
            polls.spawn(Arc::clone(&self).keep_polling(index));
        }
        all(polls).await;
    }

    /// Then polls each without faults until it must know everything.
    pub(crate) async fn settle(self: Arc<Self>) {
        let mut polls = JoinSet::new();
        for index in (0..self.entries.len()).filter(|index| !self.entries[*index].is_dead) {
            polls.spawn(Arc::clone(&self).poll_in_peace(index));
        }
        all(polls).await;
    }

    /// Every poll so far, in the order in which they ended.
    pub(crate) fn polls(&self) -> Vec<PollSeen> {
        self.polls.lock().unwrap().clone()
    }

    async fn keep_polling(self: Arc<Self>, index: usize) {
        let entry = &self.entries[index];
        let mut due = self.start.plus_ms(entry.phase_ms);
        while due < self.end {
            self.sleep_until(due).await;
            // Its outcome is in the list of polls.
            drop(self.poll(entry, entry.full_scan_every_ms).await);
            while due <= self.clock.now() {
                due = due.plus_ms(entry.every_ms);
            }
        }
    }

    async fn poll_in_peace(self: Arc<Self>, index: usize) {
        let entry = &self.entries[index];
        self.sleep_until(self.end).await;
        let mut quiet = 0;
        let mut message = Vec::new();
        while quiet < QUIET_SCANS {
            assert!(message.len() < LAST_POLLS_MAX as usize, "{} never sees everything: {message:#?}", entry.name);
            let outcome = self.poll(entry, 0).await;
            let complete = matches!(&outcome, Ok(polled) if polled.outcome == Some(RunOutcome::Complete));
            // The loss at the end of the day may be so large that its confirmation takes hours.
            let held_back = matches!(&outcome, Ok(polled) if polled.held_back.is_some());
            quiet = if complete && !held_back { quiet + 1 } else { 0 };
            message.push(outcome.map(|polled| (polled.outcome, polled.message)));
            let pause_s = if held_back { 3_600 } else { 600 };
            sleep(Duration::from_secs(pause_s)).await;
        }
    }

    async fn poll(&self, entry: &Entry, full_scan_every_ms: i64) -> Result<Polled, String> {
        let source: Box<dyn Source> = Box::new(entry.source.clone());
        let limits = entry.limits.clone();
        let search = Search { full_scan_every_ms, limits, ..Search::new(&entry.name, source) };
        let began = self.clock.now();
        let lines_before = self.memory.lines(entry.source.name(), <[_]>::len);
        let witnesses_before = entry.line.witnesses();
        let run = format!("{}-{}", entry.name, began.ms());
        let ports = PollPorts {
            http: &self.network,
            files: &FolderFiles::new(Path::new("none")),
            stream: &self.memory,
            index: &self.memory,
            pages: &self.memory,
            quarantine: &self.memory,
            runs: &self.memory,
            budgets: &self.memory,
            tokens: &self.tokens,
            clock: &*self.clock,
            deadline: None,
            stop: &|| false,
        };
        let polled = poll(&search, &run, ports).await.map_err(|error| error.to_string());
        let whole = entry.line.witnessed(witnesses_before, |seen| !seen.iter().any(Witness::is_twisted));
        let full = self.memory.state(&entry.name, |state| state.full_scan_at == Some(began));
        let proves = entry.source.crawl_policy().coverage == Coverage::Snapshot;
        if polled.is_ok() && whole && full && proves {
            oracle::check_after_full_scan(entry, &self.memory, began);
        }
        oracle::check_gone(entry, &self.memory, lines_before, began);
        self.polls.lock().unwrap().push(PollSeen {
            search: entry.name.clone(),
            began,
            ended: self.clock.now(),
            outcome: polled.as_ref().map(|polled| polled.outcome).map_err(Clone::clone),
            requests: polled.as_ref().map_or(0, |polled| polled.requests),
            gone: polled.as_ref().map_or(0, |polled| polled.gone),
            held_back: polled.as_ref().ok().and_then(|polled| polled.held_back).map_or(0, |held| held.listings),
        });
        polled
    }

    async fn sleep_until(&self, at: Time) {
        let ms = u64::try_from(at.ms() - self.clock.now().ms()).unwrap_or(0);
        sleep(Duration::from_millis(ms)).await;
    }
}

/// Waits for all tasks; reports the first panic.
async fn all(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
