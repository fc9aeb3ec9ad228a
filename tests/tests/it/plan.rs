//! From ticks of the schedule to tasks on the queue: each search at its interval, whatever fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use stoop_domain::Time;
use stoop_pipeline::ports::{PlanLedger, PollTask, PortError, TaskQueue};
use stoop_pipeline::{Cadence, Clock, LastPoll, Pace, Planned, PlannedSearch, Polled, plan};
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
    sent: Mutex<BTreeMap<String, Time>>,
    last_polls: Mutex<BTreeMap<String, LastPoll>>,
    records_to_lose: AtomicUsize,
    answers_to_drop: AtomicUsize,
}

#[async_trait]
impl PlanLedger for Book {
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        let sent = self.sent.lock().unwrap();
        let answers = searches.iter().map(|search| sent.get(search).copied());
        Ok(answers.skip(self.answers_to_drop.load(Ordering::SeqCst)).collect())
    }

    async fn sent(&self, searches: &[String], at: Time) -> Result<(), PortError> {
        if count_down(&self.records_to_lose) {
            return Err(PortError::new("record the sent searches", "a made-up fault"));
        }
        self.sent.lock().unwrap().extend(searches.iter().map(|search| (search.clone(), at)));
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
            return Err(PortError::new("send tasks", "a made-up fault"));
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
        plan(searches, now, &*self.book, &*self.line, &*self.clock).await
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

    fn delivered(&self) -> Vec<PollTask> {
        std::mem::take(&mut self.line.delivered.lock().unwrap())
    }

    fn recorded(&self) -> BTreeMap<String, Time> {
        self.book.sent.lock().unwrap().clone()
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
    bench.book.sent.lock().unwrap().insert("zip-0".into(), minute(0));
    let planned = bench.tick(&many(1), minute(1)).await.unwrap();
    assert_eq!(planned, Planned { waiting: 1, ..Planned::default() });
    assert!(bench.line.calls.lock().unwrap().is_empty());
}

#[tokio::test]
async fn refused_tasks_are_sent_again_with_growing_pauses() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(3, Ordering::SeqCst);
    let planned = bench.tick(&many(16), minute(0)).await.unwrap();
    assert_eq!((planned.sent.len(), planned.refused.len()), (16, 0));
    assert_eq!(*bench.line.calls.lock().unwrap(), [16, 8, 4, 2], "only the refused ones");
    assert_eq!(*bench.clock.slept.lock().unwrap(), [200, 400, 800]);
    assert_eq!((bench.delivered().len(), bench.recorded().len()), (16, 16));
}

#[tokio::test]
async fn tasks_refused_to_the_end_are_not_recorded_and_stay_due() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(1, Ordering::SeqCst);
    let searches = many(2);
    // The first send accepts one of the two, every later one none.
    let refusing = Refusing(bench.line.clone());
    let planned = plan(&searches, minute(0), &*bench.book, &refusing, &*bench.clock).await.unwrap();
    assert_eq!((names(&planned.sent), names(&planned.refused)), (vec!["zip-1"], vec!["zip-0"]));
    assert_eq!(bench.line.calls.lock().unwrap().len(), 6, "attempts are bounded");
    assert_eq!(bench.recorded().into_keys().collect::<Vec<_>>(), ["zip-1"]);
    let planned = bench.tick(&searches, minute(1)).await.unwrap();
    assert_eq!(names(&planned.sent), ["zip-0"]);
}

/// After its first send the queue refuses everything.
struct Refusing(Arc<Line>);

#[async_trait]
impl TaskQueue for Refusing {
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError> {
        let refused = self.0.send(tasks).await;
        self.0.sends_to_refuse.store(usize::MAX, Ordering::SeqCst);
        if self.0.calls.lock().unwrap().len() == 6 {
            self.0.sends_to_refuse.store(0, Ordering::SeqCst);
        }
        refused
    }

    async fn continue_later(&self, next: &PollTask, delivery: &str) -> Result<(), PortError> {
        self.0.continue_later(next, delivery).await
    }
}

#[tokio::test]
async fn tasks_accepted_before_the_queue_failed_are_recorded() {
    let bench = Bench::new();
    bench.line.sends_to_halve.store(1, Ordering::SeqCst);
    bench.line.sends_to_fail.store(1, Ordering::SeqCst);
    let searches = many(4);
    assert!(bench.tick(&searches, minute(0)).await.is_err());
    assert_eq!(bench.recorded().into_keys().collect::<Vec<_>>(), ["zip-1", "zip-3"]);
    let planned = bench.tick(&searches, minute(1)).await.unwrap();
    assert_eq!(names(&planned.sent), ["zip-0", "zip-2"]);
    assert_eq!(bench.delivered().len(), 4);
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
    bench.book.sent(&["zip-0".to_owned()], Time::parse("2099-01-01T00:00:00Z").unwrap()).await.unwrap();
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

/// Ticks of every minute until `end`, with a poll as soon as its task is there, which is a change if `is_changed` at
/// that minute. Returns the minutes for which tasks were due.
async fn follow(
    bench: &Bench,
    search: &PlannedSearch,
    minutes: std::ops::Range<i64>,
    is_changed: impl Fn(i64) -> bool,
) -> Vec<i64> {
    let mut due = Vec::new();
    for at in minutes {
        bench.tick(std::slice::from_ref(search), minute(at)).await.unwrap();
        for task in bench.delivered() {
            let mut pace = bench.pace(&search.name);
            let polled = Polled { pages: 1, requests: 1, changed: u64::from(is_changed(at)), ..Polled::default() };
            // The queue has a variable delay.
            pace.learn(minute(at).plus_ms(7_000 * (at % 5)), true, &polled);
            bench.polled(&search.name, pace);
            due.push((task.due_at.ms() - minute(0).ms()) / MINUTE_MS);
        }
    }
    due
}

fn gaps(minutes: &[i64]) -> Vec<i64> {
    minutes.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn a_quiet_search_reaches_its_longest_interval_and_an_active_one_returns_within_hours() {
    let (bench, search) = (Bench::new(), adaptive("austin", 15, 360));
    let quiet = follow(&bench, &search, 0..3_000, |_| false).await;
    let distances = gaps(&quiet);
    assert_eq!(distances.last(), Some(&360), "{distances:?}");
    assert!(quiet.len() < 18, "a hundred and ninety-six polls less: {distances:?}");
    let busy = follow(&bench, &search, 3_000..4_400, |_| true).await;
    let distances = gaps(&busy);
    assert_eq!(distances[..4], [180, 90, 45, 30], "{distances:?}");
    assert!(distances[4..].iter().all(|gap| *gap == 15), "{distances:?}");
    let slots: std::collections::BTreeSet<i64> = quiet[1..].iter().chain(&busy).map(|at| at % 15).collect();
    assert_eq!(slots.len(), 1, "all of them are slots of its own: {slots:?}");
}

#[tokio::test]
async fn an_account_of_fifty_requests_a_month_slows_its_searches_and_says_why() {
    let bench = Bench::new();
    let mut search = search("austin", 60);
    search.cadence.limits = vec![Limit::per_second(20), Limit::per_month(50)];
    let due = follow(&bench, &search, 0..31 * 24 * 60, |_| true).await;
    assert!((48..=50).contains(&due.len()), "{}", due.len());
    assert!(gaps(&due)[1..].iter().all(|gap| *gap == 15 * 60), "the next whole slots: {:?}", gaps(&due));
    let planned = bench.tick(&[search], minute(31 * 24 * 60)).await.unwrap();
    let [(name, why)] = &planned.slowed_by[..] else { panic!("{planned:?}") };
    assert_eq!((name.as_str(), why.to_string()), ("austin", "50 requests in 31 days, at 1 request a poll".to_owned()));
}

/// One tick: the time since the one before, its delay, and the queue's answer.
#[derive(Clone, Debug)]
struct Tick {
    after_ms: i64,
    late_ms: i64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    Halved,
    Refused,
    Failed,
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    // Mostly a minute apart and on time; sometimes hours apart, minutes late, at odd milliseconds.
    let after = prop_oneof![6 => Just(MINUTE_MS), 2 => 1..3 * MINUTE_MS, 1 => MINUTE_MS..40 * 60 * MINUTE_MS];
    let late = prop_oneof![6 => Just(0), 2 => 0..MINUTE_MS, 1 => 0..15 * MINUTE_MS];
    let fate =
        prop_oneof![8 => Just(Fate::Well), 1 => Just(Fate::Halved), 1 => Just(Fate::Refused), 1 => Just(Fate::Failed)];
    let tick = (after, late, fate).prop_map(|(after_ms, late_ms, fate)| Tick { after_ms, late_ms, fate });
    prop::collection::vec(tick, 1..250)
}

fn cadences() -> impl Strategy<Value = Vec<u64>> {
    let usual = prop::sample::select(vec![60_000, 300_000, 900_000, 3_600_000, 5_400_000, 21_600_000, 86_400_000]);
    prop::collection::vec(prop_oneof![usual, 1_000..200_000_000_u64], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_search_is_sent_more_often_than_its_interval_and_none_starves(cadences in cadences(), ticks in ticks()) {
        let searches: Vec<PlannedSearch> =
            cadences.iter().enumerate().map(|(i, every_ms)| PlannedSearch { name: format!("s{i}"), cadence: Cadence::steady(*every_ms) }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let mut last: BTreeMap<String, Time> = BTreeMap::new();
        for tick in ticks {
            let clock = bench.clock.now().plus_ms(tick.after_ms);
            bench.clock.now_ms.store(clock.ms(), Ordering::SeqCst);
            let scheduled = clock.plus_ms(-tick.late_ms);
            let now = if tick.late_ms > 5 * MINUTE_MS { clock } else { scheduled };
            let line = &bench.line;
            line.sends_to_halve.store(usize::from(tick.fate == Fate::Halved), Ordering::SeqCst);
            line.sends_to_refuse.store(if tick.fate == Fate::Refused { usize::MAX } else { 0 }, Ordering::SeqCst);
            line.sends_to_fail.store(usize::from(tick.fate == Fate::Failed), Ordering::SeqCst);
            let outcome = runtime.block_on(bench.tick_of(&searches, scheduled));
            for task in bench.delivered() {
                let every_ms = searches.iter().find(|search| search.name == task.search).unwrap().cadence.every_ms as i64;
                prop_assert!(task.due_at <= now && now.ms() - task.due_at.ms() < every_ms, "the slot that it is in");
                if let Some(before) = last.insert(task.search.clone(), task.due_at) {
                    prop_assert!(task.due_at.ms() - before.ms() >= every_ms, "{} after {before}", task.due_at);
                }
            }
            let Ok(planned) = outcome else { continue };
            prop_assert_eq!(planned.sent.len() + planned.refused.len() + planned.waiting, searches.len());
            if planned.refused.is_empty() {
                for search in &searches {
                    let every_ms = search.cadence.every_ms as i64;
                    let waited_ms = now.ms() - last[&search.name].ms();
                    prop_assert!(waited_ms < every_ms + every_ms.min(60 * MINUTE_MS), "{search:?} starves");
                }
            }
            for (name, at) in bench.recorded() {
                prop_assert_eq!(last.get(&name), Some(&at), "recorded tasks were sent");
            }
        }
    }

    #[test]
    fn a_changing_pace_moves_no_slots_and_keeps_its_bounds(
        every_minutes in 1..90_i64, times in 1..30_i64, ticks in ticks(), changes in prop::collection::vec(any::<bool>(), 250),
    ) {
        let search = adaptive("austin", every_minutes as u64, (every_minutes * times) as u64);
        let (every_ms, max_ms) = (every_minutes * MINUTE_MS, every_minutes * times * MINUTE_MS);
        let unit_ms = if every_ms <= 60 * MINUTE_MS { every_ms } else { MINUTE_MS };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let (mut due, mut pace) = (Vec::<i64>::new(), Pace::default());
        for (tick, is_changed) in ticks.into_iter().zip(changes) {
            let now = bench.clock.now().plus_ms(tick.after_ms);
            let planned = runtime.block_on(bench.tick(std::slice::from_ref(&search), now)).unwrap();
            let distance_ms = search.cadence.distance(Some(&pace)).ms.cast_signed();
            prop_assert!((every_ms..=max_ms).contains(&distance_ms));
            for task in planned.sent {
                if let Some(before) = due.last() {
                    prop_assert!(task.due_at.ms() - before >= distance_ms);
                }
                if due.len() > 1 {
                    prop_assert_eq!((task.due_at.ms() - due[1]).rem_euclid(unit_ms), 0, "a slot of its own");
                }
                due.push(task.due_at.ms());
                pace.learn(now, true, &Polled { pages: 1, requests: 1, changed: u64::from(is_changed), ..Polled::default() });
                bench.polled("austin", pace);
            }
            if let Some(last) = due.last() {
                let waits_ms = distance_ms + every_ms.min(60 * MINUTE_MS);
                prop_assert!(now.ms() - last < waits_ms, "it starves");
            }
        }
    }

    #[test]
    fn ticks_of_every_minute_keep_every_interval_exactly(every_minutes in 1..400_i64, name in "[a-z]{1,12}", second in 0..60_000_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let searches = [search(&name, every_minutes as u64)];
        let mut sent = Vec::new();
        for tick in 0..every_minutes * 5 + 60 {
            let planned = runtime.block_on(bench.tick(&searches, minute(tick).plus_ms(second))).unwrap();
            if !planned.sent.is_empty() {
                sent.push(tick);
            }
        }
        let gaps: Vec<i64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        prop_assert!(gaps.len() >= 4 && (every_minutes..=every_minutes + every_minutes.min(60)).contains(&gaps[0]), "{gaps:?}");
        prop_assert!(gaps[1..].iter().all(|gap| *gap == every_minutes), "{gaps:?}");
    }
}
