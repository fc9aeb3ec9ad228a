//! From ticks of the schedule to tasks on the queue: each search at its interval, whatever fails.

mod cadence;
mod controls;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use stoop_domain::Time;
use stoop_pipeline::ports::{PlanLedger, PollTask, PortError, TaskQueue};
use stoop_pipeline::{
    Cadence, Clock, ControlAction, LastPoll, NextPoll, Pace, Planned, PlannedSearch, Polled, SearchControl, plan,
};
use stoop_sources::Limit;
use stoop_tests::conformance;
use stoop_tests::made::minute;

const MINUTE_MS: i64 = 60_000;

/// A clock that advances on request.
struct Virtual {
    now_ms: AtomicI64,
    slept: Mutex<Vec<u64>>,
}

#[async_trait]
impl Clock for Virtual {
    fn now(&self) -> Time {
        Time::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    async fn sleep(&self, ms: u64) {
        self.slept.lock().unwrap().push(ms);
    }
}

/// A ledger in memory that drops records on request, as if the planner died before recording.
#[derive(Default)]
struct Book {
    sent: Mutex<BTreeMap<String, NextPoll>>,
    last_polls: Mutex<BTreeMap<String, LastPoll>>,
    records_to_lose: AtomicUsize,
    answers_to_drop: AtomicUsize,
}

#[async_trait]
impl PlanLedger for Book {
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<NextPoll>>, PortError> {
        let sent = self.sent.lock().unwrap();
        let answers = searches.iter().map(|search| sent.get(search).cloned());
        Ok(answers.skip(self.answers_to_drop.load(Ordering::SeqCst)).collect())
    }

    async fn sent(&self, searches: &[NextPoll]) -> Result<(), PortError> {
        if count_down(&self.records_to_lose) {
            return Err(PortError::unavailable("record the sent searches", "a made-up fault"));
        }
        self.sent.lock().unwrap().extend(searches.iter().map(|next| (next.search.clone(), next.clone())));
        Ok(())
    }

    async fn last_poll(&self, search: &str) -> Result<Option<LastPoll>, PortError> {
        Ok(self.last_polls(&[search.to_owned()]).await?.into_iter().next().flatten())
    }

    async fn last_polls(&self, searches: &[String]) -> Result<Vec<Option<LastPoll>>, PortError> {
        let last_polls = self.last_polls.lock().unwrap();
        let answers = searches.iter().map(|search| last_polls.get(search).copied());
        Ok(answers.skip(self.answers_to_drop.load(Ordering::SeqCst)).collect())
    }

    async fn keep_last_poll(&self, search: &str, last: &LastPoll) -> Result<(), PortError> {
        self.last_polls.lock().unwrap().insert(search.to_owned(), *last);
        Ok(())
    }
}

/// A queue in memory that recognises duplicates for five minutes, and refuses or fails on request.
struct Line {
    clock: Arc<Virtual>,
    known: Mutex<BTreeMap<PollTask, Time>>,
    delivered: Mutex<Vec<PollTask>>,
    /// The deliveries whose scan is continued.
    continued: Mutex<BTreeSet<String>>,
    calls: Mutex<Vec<usize>>,
    /// How many sends refuse every second task, beginning with the first.
    sends_to_halve: AtomicUsize,
    sends_to_refuse: AtomicUsize,
    sends_to_fail: AtomicUsize,
}

#[async_trait]
impl TaskQueue for Line {
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError> {
        self.calls.lock().unwrap().push(tasks.len());
        if count_down(&self.sends_to_refuse) {
            return Ok((0..tasks.len()).collect());
        }
        let refused: Vec<usize> =
            if count_down(&self.sends_to_halve) { (0..tasks.len()).step_by(2).collect() } else { Vec::new() };
        if refused.is_empty() && count_down(&self.sends_to_fail) {
            return Err(PortError::unavailable("send tasks", "a made-up fault"));
        }
        let now = self.clock.now();
        let mut known = self.known.lock().unwrap();
        for (_, task) in tasks.iter().enumerate().filter(|(index, _)| !refused.contains(index)) {
            let again = known.get(task).is_some_and(|at| now.ms() - at.ms() < 5 * MINUTE_MS);
            if !again {
                known.insert(task.clone(), now);
                self.delivered.lock().unwrap().push(task.clone());
            }
        }
        Ok(refused)
    }

    async fn continue_later(&self, next: &PollTask, delivery: &str) -> Result<(), PortError> {
        if self.continued.lock().unwrap().insert(delivery.to_owned()) {
            self.delivered.lock().unwrap().push(next.clone());
        }
        Ok(())
    }
}

fn count_down(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}

struct Bench {
    clock: Arc<Virtual>,
    book: Arc<Book>,
    line: Arc<Line>,
}

impl Bench {
    /// At noon, with nothing planned.
    fn new() -> Self {
        let clock = Arc::new(Virtual { now_ms: AtomicI64::new(minute(0).ms()), slept: Mutex::default() });
        let none = || AtomicUsize::new(0);
        let line = Line {
            clock: clock.clone(),
            known: Mutex::default(),
            delivered: Mutex::default(),
            continued: Mutex::default(),
            calls: Mutex::default(),
            sends_to_halve: none(),
            sends_to_refuse: none(),
            sends_to_fail: none(),
        };
        Self { clock, book: Arc::default(), line: Arc::new(line) }
    }

    /// A tick that is on time.
    async fn tick(&self, searches: &[PlannedSearch], now: Time) -> Result<Planned, PortError> {
        self.clock.now_ms.store(now.ms(), Ordering::SeqCst);
        self.tick_of(searches, now).await
    }

    /// A tick that was scheduled for `now`, whatever the clock says.
    async fn tick_of(&self, searches: &[PlannedSearch], now: Time) -> Result<Planned, PortError> {
        self.tick_controlled(searches, &[], now).await
    }

    async fn tick_controlled(
        &self,
        searches: &[PlannedSearch],
        controls: &[SearchControl],
        now: Time,
    ) -> Result<Planned, PortError> {
        plan(searches, controls, now, &*self.book, &*self.line, &*self.clock).await
    }

    fn pace(&self, search: &str) -> Pace {
        self.book.last_polls.lock().unwrap()[search].pace.unwrap_or_default()
    }

    /// Stores that a poll has just ended well.
    fn polled(&self, search: &str, pace: Pace) {
        let now = Some(self.clock.now());
        let last = LastPoll { polled_at: now, succeeded_at: now, pace: Some(pace), ..LastPoll::default() };
        self.book.last_polls.lock().unwrap().insert(search.to_owned(), last);
    }

    /// Stores that a search was sent.
    fn sent(&self, search: &str, at: Time) {
        let next = NextPoll {
            search: search.to_owned(),
            sent_at: at,
            next_at: at,
            every_ms: 0,
            slowed_by: None,
            answered: None,
        };
        self.book.sent.lock().unwrap().insert(search.to_owned(), next);
    }

    fn delivered(&self) -> Vec<PollTask> {
        std::mem::take(&mut self.line.delivered.lock().unwrap())
    }

    fn recorded(&self) -> BTreeMap<String, Time> {
        let sent = self.book.sent.lock().unwrap();
        sent.iter().map(|(search, next)| (search.clone(), next.sent_at)).collect()
    }
}

fn search(name: &str, every_minutes: u64) -> PlannedSearch {
    PlannedSearch { name: name.into(), cadence: Cadence::steady(every_minutes * 60_000) }
}

fn adaptive(name: &str, every_minutes: u64, max_minutes: u64) -> PlannedSearch {
    let steady = search(name, every_minutes);
    PlannedSearch { cadence: Cadence { every_max_ms: Some(max_minutes * 60_000), ..steady.cadence }, ..steady }
}

fn many(n: usize) -> Vec<PlannedSearch> {
    (0..n).map(|i| search(&format!("zip-{i}"), 60)).collect()
}

fn names(tasks: &[PollTask]) -> Vec<&str> {
    tasks.iter().map(|task| task.search.as_str()).collect()
}

#[tokio::test]
async fn the_ledger_of_these_tests_conforms() {
    conformance::plan_ledger_conformance(Bench::new().book).await;
}

#[tokio::test]
async fn the_queue_of_these_tests_conforms() {
    let bench = Bench::new();
    conformance::task_queue_conformance(bench.line.clone(), async || bench.delivered()).await;
}

#[test]
fn a_task_has_the_documented_body() {
    let task = PollTask { search: "austin".into(), due_at: minute(0), continuation: None };
    let body = r#"{"search":"austin","due_at":1768392000000}"#;
    assert_eq!(serde_json::to_string(&task).unwrap(), body);
    assert_eq!(serde_json::from_str::<PollTask>(body).unwrap(), task);
}

#[tokio::test]
async fn a_day_of_ticks_polls_a_search_of_every_15_minutes_96_times() {
    let bench = Bench::new();
    let searches = [search("austin", 15)];
    // A rate schedule ticks at the second at which it was made.
    for tick in 0..24 * 60 {
        bench.tick(&searches, minute(tick).plus_ms(37_000 + tick % 7)).await.unwrap();
    }
    let delivered = bench.delivered();
    assert!((95..=96).contains(&delivered.len()), "{}", delivered.len());
    let later: Vec<i64> = delivered[1..].windows(2).map(|p| p[1].due_at.ms() - p[0].due_at.ms()).collect();
    assert!(later.iter().all(|gap| *gap == 15 * MINUTE_MS), "{later:?}");
}

#[tokio::test]
async fn a_search_that_joins_is_polled_at_once() {
    let bench = Bench::new();
    let mut searches = vec![search("austin", 600)];
    bench.tick(&searches, minute(0)).await.unwrap();
    searches.push(search("graz", 600));
    let planned = bench.tick(&searches, minute(1)).await.unwrap();
    assert_eq!((names(&planned.sent), planned.waiting), (vec!["graz"], 1));
    assert_eq!(planned.sent[0].due_at, minute(1));
}

#[tokio::test]
async fn nothing_to_plan_makes_no_call() {
    let bench = Bench::new();
    bench.line.sends_to_fail.store(1, Ordering::SeqCst);
    assert_eq!(bench.tick(&[], minute(0)).await.unwrap(), Planned::default());
    bench.sent("zip-0", minute(0));
    let planned = bench.tick(&many(1), minute(1)).await.unwrap();
    assert_eq!(planned, Planned { waiting: 1, ..Planned::default() });
    assert!(bench.line.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_planner_that_dies_before_it_records_sends_the_same_tasks_again() {
    let bench = Bench::new();
    let searches = many(40);
    // The same tick again: the schedule's retry of the very first tasks.
    bench.book.records_to_lose.store(1, Ordering::SeqCst);
    assert!(bench.tick(&searches, minute(0)).await.is_err());
    bench.clock.now_ms.fetch_add(90_000, Ordering::SeqCst);
    assert_eq!(bench.tick_of(&searches, minute(0)).await.unwrap().sent.len(), 40);
    assert_eq!(bench.delivered().len(), 40, "once each");

    // Later the next tick works as well, because a slot has one beginning.
    let due = minute(180);
    bench.tick(&searches, due).await.unwrap();
    bench.delivered();
    bench.book.records_to_lose.store(usize::MAX, Ordering::SeqCst);
    assert!(bench.tick(&searches, due.plus_ms(60 * MINUTE_MS)).await.is_err());
    bench.book.records_to_lose.store(0, Ordering::SeqCst);
    bench.tick(&searches, due.plus_ms(60 * MINUTE_MS + 30_000)).await.unwrap();
    let mut delivered = bench.delivered();
    delivered.sort();
    let distinct = delivered.windows(2).all(|pair| pair[0].search != pair[1].search);
    assert!(distinct && delivered.len() == 40, "once each: {delivered:?}");
}

#[tokio::test]
async fn a_time_that_cannot_be_right_is_replaced_by_the_clocks() {
    for wrong in [Time::from_ms(i64::MAX), Time::from_ms(i64::MIN), minute(2), minute(-6)] {
        let bench = Bench::new();
        let planned = bench.tick_of(&many(1), wrong).await.unwrap();
        assert_eq!(planned.sent[0].due_at, minute(0), "{wrong}");
    }
    for right in [minute(1), minute(-5)] {
        let planned = Bench::new().tick_of(&many(1), right).await.unwrap();
        assert_eq!(planned.sent[0].due_at, right);
    }
}

#[tokio::test]
async fn a_record_from_the_future_blocks_no_search() {
    let bench = Bench::new();
    bench.sent("zip-0", Time::parse("2099-01-01T00:00:00Z").unwrap());
    assert_eq!(bench.tick(&many(1), minute(0)).await.unwrap().sent.len(), 1);
    assert_eq!(bench.recorded()["zip-0"], minute(0), "and is replaced");
}

#[tokio::test]
async fn an_older_tick_that_comes_after_a_newer_one_sends_nothing() {
    let bench = Bench::new();
    let searches = [search("austin", 1)];
    bench.tick(&searches, minute(3)).await.unwrap();
    for old in [minute(2), minute(3)] {
        assert_eq!(bench.tick_of(&searches, old).await.unwrap(), Planned { waiting: 1, ..Planned::default() });
    }
    assert_eq!(bench.recorded()["austin"], minute(3));
}

#[tokio::test]
async fn a_ledger_with_missing_answers_is_an_error() {
    let bench = Bench::new();
    bench.book.answers_to_drop.store(1, Ordering::SeqCst);
    let error = bench.tick(&many(3), minute(0)).await.unwrap_err();
    assert_eq!(error.to_string(), "look up when 3 searches were sent");
    assert!(bench.delivered().is_empty());
}
