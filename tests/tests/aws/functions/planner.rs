//! The planner function: from a tick to messages on the queue, by the accepted configuration.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_emf::Meter;
use stoop_pipeline::ports::{PlanLedger, PollTask, PortError, SearchControls, TaskQueue};
use stoop_pipeline::{Clock, ControlAction, LastPoll, Polled, SearchControl};
use stoop_planner::{PlanResponse, PlannerHandler, TickError};
use stoop_tests::made::minute;

use super::bench::{StandingClock, Uploads, count_of, counted, raw};
use super::book::Book;
use super::events::{SEARCH, sample};

/// A queue that refuses some searches, or fails as a whole.
#[derive(Default)]
struct Line {
    accepted: Mutex<Vec<PollTask>>,
    refused: Mutex<Vec<&'static str>>,
    is_down: Mutex<bool>,
}

#[async_trait]
impl TaskQueue for Line {
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError> {
        if *self.is_down.lock().unwrap() {
            return Err(PortError::unavailable("send tasks", "a made-up fault"));
        }
        let refused = self.refused.lock().unwrap();
        let (mut indexes, mut accepted) = (Vec::new(), self.accepted.lock().unwrap());
        for (index, task) in tasks.iter().enumerate() {
            if refused.contains(&&*task.search) { indexes.push(index) } else { accepted.push(task.clone()) }
        }
        Ok(indexes)
    }

    async fn continue_later(&self, next: &PollTask, _delivery: &str) -> Result<(), PortError> {
        self.accepted.lock().unwrap().push(next.clone());
        Ok(())
    }
}

/// The function's environment.
struct Stage {
    uploads: Uploads,
    book: Book,
    line: Line,
    clock: StandingClock,
    meter: Meter,
}

impl Stage {
    fn with(uploads: Uploads) -> Self {
        let (clock, meter) = (StandingClock::at(minute(0)), Meter::new("test", "planner"));
        Self { uploads, book: Book::default(), line: Line::default(), clock, meter }
    }

    fn app(&self) -> PlannerHandler<'_> {
        PlannerHandler {
            configuration: &self.uploads,
            ledger: &self.book,
            controls: &self.book,
            queue: &self.line,
            clock: &self.clock,
            meter: &self.meter,
            takeover: <_>::default(),
            reported: <_>::default(),
            reported_overdue: <_>::default(),
        }
    }

    /// Stores the outcome of a poll that just ended well, like the poller.
    async fn polled(&self, search: &str, polled: &Polled) {
        let [last] = self.book.last_polls(&[search.to_owned()]).await.unwrap()[..] else { unreachable!() };
        let (last, now) = (last.expect("known from the first sending on"), self.clock.now());
        let mut pace = last.pace.unwrap_or_default();
        pace.learn(now, true, polled);
        let last = LastPoll {
            polled_at: Some(now),
            succeeded_at: Some(now),
            failed: false,
            goes_on: None,
            pace: Some(pace),
            ..last
        };
        self.book.keep_last_poll(search, &last).await.unwrap();
    }

    fn accepted(&self) -> Vec<(String, Time)> {
        std::mem::take(&mut *self.line.accepted.lock().unwrap())
            .into_iter()
            .map(|task| (task.search, task.due_at))
            .collect()
    }

    fn recorded(&self) -> Vec<String> {
        self.book.sent.lock().unwrap().keys().cloned().collect()
    }

    fn gauged(&self, name: &str) -> Option<u64> {
        counted(&self.meter).get(name).copied()
    }

    fn counted(&self, name: &str) -> u64 {
        count_of(&counted(&self.meter), name)
    }
}

/// A configuration of searches that are polled every 15 minutes.
fn searches(names: &[&str]) -> String {
    let search = |name: &&str| {
        format!(
            "[[search]]\nname = '{name}'\nsource = 'reso'\nevery = '15m'\nparams = {{ url = 'https://mls.example/odata' }}\n"
        )
    };
    names.iter().map(search).collect()
}

async fn tick(app: &PlannerHandler<'_>, event: &Value) -> Result<PlanResponse, TickError> {
    app.handle(&raw(event)).await
}

fn noon() -> Value {
    json!({ "scheduled_time": "2026-01-14T12:00:00Z" })
}

#[tokio::test]
async fn the_sample_sends_due_searches_and_a_second_tick_nothing() {
    let stage = Stage::with(Uploads::of(&searches(&[SEARCH, "tacoma"])));
    stage.clock.pass(2_500);
    let app = stage.app();
    let answer = tick(&app, &sample("schedule.json")).await.unwrap();
    assert_eq!((answer.sent, answer.waiting), (vec![SEARCH.to_owned(), "tacoma".into()], 0));
    assert_eq!(stage.accepted(), [(SEARCH.to_owned(), minute(0)), ("tacoma".into(), minute(0))]);
    assert_eq!(stage.counted("SearchesPlanned"), 2);

    let answer = tick(&app, &sample("schedule.json")).await.unwrap();
    assert_eq!(answer, PlanResponse { waiting: 2, ..PlanResponse::default() });
    assert_eq!((stage.accepted(), stage.counted("SearchesPlanned")), (Vec::new(), 0));
}

#[tokio::test]
async fn a_paused_search_waits_and_one_that_somebody_asks_for_is_sent() {
    let stage = Stage::with(Uploads::of(&searches(&[SEARCH, "tacoma"])));
    let app = stage.app();
    tick(&app, &json!({})).await.unwrap();
    let asked = |search, action| SearchControl::of(search).after(action, "ann", stage.clock.now());
    stage.clock.pass(60_000);
    stage.book.keep(&asked(SEARCH, ControlAction::Pause)).await.unwrap();
    stage.book.keep(&asked("tacoma", ControlAction::Poll)).await.unwrap();
    stage.clock.pass(60_000);
    let answer = tick(&app, &json!({})).await.unwrap();
    assert_eq!(answer, PlanResponse { sent: vec!["tacoma".into()], paused: 1, ..PlanResponse::default() });
    stage.clock.pass(24 * 60 * 60_000);
    let answer = tick(&app, &json!({})).await.unwrap();
    assert_eq!(
        (answer.sent, answer.paused, answer.overdue),
        (vec!["tacoma".to_owned()], 1, 1),
        "by its interval again"
    );
}

#[tokio::test]
async fn an_adaptive_search_is_sent_at_its_pace_and_the_others_as_configured() {
    let text = searches(&[SEARCH, "tacoma"]).replacen("every = '15m'", "every = '15m'\nevery_max = '6h'", 1);
    let stage = Stage::with(Uploads::of(&text));
    let app = stage.app();
    let mut sent = BTreeMap::<String, usize>::new();
    for _ in 0..24 * 60 {
        for search in tick(&app, &json!({})).await.unwrap().sent {
            *sent.entry(search.clone()).or_default() += 1;
            stage.polled(&search, &Polled { pages: 1, requests: 1, ..Polled::default() }).await;
        }
        stage.clock.pass(60_000);
    }
    assert!((94..=96).contains(&sent["tacoma"]) && (6..=12).contains(&sent[SEARCH]), "{sent:?}");
    assert!(app.reported.lock().await.is_empty(), "no limit holds them back");
}

#[tokio::test]
async fn unpolled_searches_are_counted_at_every_tick_and_logged_once() {
    let stage = Stage::with(Uploads::of(&searches(&[SEARCH, "tacoma"])));
    let app = stage.app();
    let well = Polled { pages: 1, requests: 1, ..Polled::default() };
    let mut overdue = Vec::new();
    for at in 0..4 * 60 {
        for search in tick(&app, &json!({})).await.unwrap().sent {
            // One is polled when it is sent; the other is not for an hour and then fails.
            if search == "tacoma" {
                stage.polled(&search, &well).await;
            }
        }
        if at == 120 {
            let mut last_polls = stage.book.last_polls.lock().unwrap();
            *last_polls.get_mut(SEARCH).unwrap() =
                LastPoll { failed: true, polled_at: Some(stage.clock.now()), ..last_polls[SEARCH] };
        }
        if at == 180 {
            stage.polled(SEARCH, &well).await;
        }
        overdue.push(stage.gauged("SearchesOverdue"));
        stage.clock.pass(60_000);
    }
    let minutes: Vec<usize> = (0..overdue.len()).filter(|at| overdue[*at] == Some(1)).collect();
    assert!(overdue.iter().all(|n| matches!(n, Some(0 | 1))), "reported at each tick: {overdue:?}");
    let expected: Vec<usize> = (31..=180).chain(211..240).collect();
    assert_eq!(minutes, expected, "after twice its cadence, and once it was polled, after that again");
    assert_eq!(app.reported_overdue.lock().await.iter().collect::<Vec<_>>(), [SEARCH]);
}

#[tokio::test]
async fn searches_of_one_server_share_its_limits_and_each_is_logged_once() {
    let search = |name: &str, key: &str| {
        format!(
            "[[search]]\nname = '{name}'\nsource = 'rentcast'\nparams = {{ zipCode = '78704', key = {{ secret = '{key}' }} }}\n"
        )
    };
    let stage = Stage::with(Uploads::of(&(search("a", "one") + &search("b", "other"))));
    let app = stage.app();
    let mut sent = 0;
    for _ in 0..31 * 24 {
        for search in tick(&app, &json!({})).await.unwrap().sent {
            sent += 1;
            stage.polled(&search, &Polled { pages: 1, requests: 2, ..Polled::default() }).await;
        }
        stage.clock.pass(60 * 60_000);
    }
    // Fifty requests in 31 days, two per poll.
    assert!((22..=26).contains(&sent), "{sent} polls of two searches");
    assert_eq!(app.reported.lock().await.iter().collect::<Vec<_>>(), ["a", "b"]);
    stage.uploads.upload(&search("b", "other").replace("name", "every = '9d'\nname"));
    tick(&app, &json!({})).await.unwrap();
    assert!(app.reported.lock().await.is_empty(), "a search no longer slowed is logged again when it is slowed again");
}

#[tokio::test]
async fn an_event_without_a_time_is_a_tick_now() {
    for event in [
        json!({}),
        json!(null),
        json!([]),
        json!("tick"),
        json!({ "scheduled_time": null }),
        json!({ "scheduled_time": 12 }),
        json!({ "scheduled_time": "" }),
        json!({ "scheduled_time": "<aws.scheduler.scheduled-time>" }),
        json!({ "scheduled_time": "99999-99-99T99:99:99Z" }),
        // Too far from the clock to be right.
        json!({ "scheduled_time": "2031-01-14T12:00:00Z" }),
        json!({ "scheduled_time": "1970-01-01T00:00:00Z" }),
    ] {
        let stage = Stage::with(Uploads::of(&searches(&[SEARCH])));
        tick(&stage.app(), &event).await.unwrap();
        assert_eq!(stage.accepted(), [(SEARCH.to_owned(), minute(0))], "{event}");
    }
}

#[tokio::test]
async fn without_a_configuration_nothing_is_polled_without_an_error() {
    let stage = Stage::with(Uploads::default());
    assert_eq!(tick(&stage.app(), &noon()).await.unwrap(), PlanResponse::default());
    assert_eq!((stage.accepted(), stage.counted("ConfigInvalid")), (Vec::new(), 0));
}

#[tokio::test]
async fn a_first_configuration_with_mistakes_is_reported_in_full_at_each_tick() {
    let text = searches(&[SEARCH]).replace("'15m'", "'often'").replace("reso", "nowhere");
    let stage = Stage::with(Uploads::of(&text));
    let app = stage.app();
    for _ in 0..3 {
        let answer = tick(&app, &noon()).await.unwrap();
        let why = answer.refused_configuration.unwrap();
        assert!(why.contains("often") && why.contains("nowhere"), "{why}");
        assert_eq!((answer.sent, stage.counted("ConfigInvalid")), (Vec::new(), 1));
    }
    assert_eq!(stage.accepted(), []);
}

#[tokio::test]
async fn a_broken_upload_keeps_the_last_accepted_one_and_counts_at_each_tick() {
    let good = searches(&[SEARCH]);
    let stage = Stage::with(Uploads::of(&good));
    let app = stage.app();
    tick(&app, &noon()).await.unwrap();
    assert_eq!((stage.accepted().len(), stage.counted("ConfigInvalid")), (1, 0));

    for broken in ["this is no TOML", "[[search]]\nname = 1\n", &good.replace("name", "nmae")] {
        stage.uploads.upload(broken);
        // Neither an environment with the good one nor a new one accepts the broken one.
        for app in [&app, &stage.app()] {
            stage.clock.pass(60 * 60_000);
            let answer = tick(app, &json!({})).await.unwrap();
            assert_eq!(answer.sent, [SEARCH], "{broken}");
            assert!(answer.refused_configuration.is_some(), "{broken}");
            assert_eq!(stage.counted("ConfigInvalid"), 1, "{broken}");
        }
    }
    stage.uploads.upload(&good.replace(SEARCH, "tacoma"));
    let answer = tick(&app, &json!({})).await.unwrap();
    assert_eq!((answer.sent, answer.refused_configuration), (vec!["tacoma".to_owned()], None));
    assert_eq!(stage.counted("ConfigInvalid"), 0);
}

#[tokio::test]
async fn an_unreadable_configuration_fails_the_tick_and_the_next_catches_up() {
    let stage = Stage::with(Uploads::of(&searches(&[SEARCH])));
    let app = stage.app();
    stage.uploads.take_away(true);
    assert!(matches!(tick(&app, &noon()).await, Err(TickError::Port(_))));
    stage.uploads.take_away(false);
    assert_eq!(tick(&app, &noon()).await.unwrap().sent, [SEARCH]);
}

#[tokio::test]
async fn refused_searches_are_an_error_after_accepted_ones_are_recorded() {
    let stage = Stage::with(Uploads::of(&searches(&["a", "b", "c"])));
    let app = stage.app();
    stage.line.refused.lock().unwrap().push("b");
    let error = tick(&app, &noon()).await.unwrap_err();
    assert!(matches!(error, TickError::Refused(1)), "{error}");
    assert_eq!(error.to_string(), "the queue refused 1 searches repeatedly");
    assert_eq!((stage.recorded(), stage.counted("SearchesPlanned")), (vec!["a".to_owned(), "c".into()], 2));
    assert_eq!(stage.accepted().len(), 2);

    stage.line.refused.lock().unwrap().clear();
    assert_eq!(tick(&app, &noon()).await.unwrap().sent, ["b"], "it stayed due, and the others are not sent twice");
}

#[tokio::test]
async fn a_failing_queue_or_ledger_fails_the_tick_and_everything_stays_due() {
    let stage = Stage::with(Uploads::of(&searches(&["a", "b"])));
    let app = stage.app();
    for port in [&stage.line.is_down, &stage.book.is_shut] {
        *port.lock().unwrap() = true;
        assert!(matches!(tick(&app, &noon()).await, Err(TickError::Port(_))));
        *port.lock().unwrap() = false;
        assert_eq!((stage.recorded(), stage.accepted()), (Vec::new(), Vec::new()));
    }
    assert_eq!(tick(&app, &noon()).await.unwrap().sent, ["a", "b"]);
}
