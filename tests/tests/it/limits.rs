//! The crawl policy of twenty pollers towards a server that counts: they keep its limits on every clock, wait when it
//! asks, use valid tokens, and stop while it is down.

mod world;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use stoop_domain::Time;
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{Clock, PollError, Search};
use stoop_sources::{ClientCredentials, CrawlPolicy, Cursor, Limit, Page, ReadError, Request, Source, SourceAnswer};
use tokio::time::sleep;
use world::{World, answer, search, search_of, source};

const HOST: &str = "grid.test";
const POLLERS: i64 = 20;

/// The limits of MLS Grid.
const MLS_GRID: [Limit; 4] =
    [Limit::per_second(2), Limit::per_hour(7_200), Limit::per_day(40_000), Limit::bytes_per_hour(4_000_000_000)];

/// Twenty pollers with clocks that are up to 40 ms off poll the server side by side.
async fn twenty_poll(world: &World, limits: &[Limit], end_ms: i64) {
    let searches: Vec<Search> = (0..POLLERS).map(|i| search(HOST, &format!("s{i}"), limits)).collect();
    let off_ms = |i: i64| i * 4 - 40;
    let polls = searches.iter().zip(0..).map(|(search, i)| world.keep_polling(search, off_ms(i), end_ms));
    let mut polls: Vec<_> = polls.map(Box::pin).collect();
    // All at once, on one thread.
    std::future::poll_fn(|context| {
        polls.retain_mut(|poll| poll.as_mut().poll(context).is_pending());
        if polls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn twenty_pollers_keep_mls_grids_limits_for_a_day_and_use_most_of_them() {
    let world = World::new(&MLS_GRID, 0, 1);
    twenty_poll(&world, &MLS_GRID, 26 * Time::HOUR_MS).await;
    let seen = world.server.seen.lock().unwrap();
    assert_eq!(seen.refused, 0, "not one 429");
    let on_the_first_day = seen.arrivals.iter().filter(|at| **at < Time::DAY_MS).count();
    assert!(on_the_first_day >= 28_000, "{on_the_first_day} of 40000 requests");
    let in_the_first_hour = seen.arrivals.iter().filter(|at| **at < Time::HOUR_MS).count();
    assert!(in_the_first_hour >= 5_040, "{in_the_first_hour} of 7200 requests");
    assert!(seen.arrivals.len() > on_the_first_day + 5_000, "the next day has its own limit");
    let each = |asked: &AtomicU64| asked.load(Ordering::SeqCst) as f64 / seen.arrivals.len() as f64;
    let [reads, writes] = [0, 1].map(|i| each(&world.asked[i]));
    assert!(reads < 2.0 && writes < 1.5, "{reads} reads and {writes} writes of the record for each request");
}

#[tokio::test(start_paused = true)]
async fn twenty_pollers_keep_a_limit_in_bytes_and_use_most_of_it() {
    let limits = [Limit::per_second(2), Limit::bytes_per_hour(30_000_000)];
    let world = World::new(&limits, 40_000, 2);
    twenty_poll(&world, &limits, 4 * Time::HOUR_MS).await;
    let seen = world.server.seen.lock().unwrap();
    assert_eq!(seen.refused, 0);
    assert!(seen.bytes >= 4 * 21_000_000, "{} of 120000000 bytes", seen.bytes);
}

#[tokio::test(start_paused = true)]
async fn limits_hold_across_restarts() {
    let limits = [Limit::per_second(2), Limit::per_hour(100)];
    let mut world = World::new(&limits, 0, 3);
    for hour in 1..=3 {
        for _ in 0..4 {
            twenty_poll(&world, &limits, world.now_ms() + Time::HOUR_MS / 4).await;
            world.restart();
        }
        let seen = world.server.seen.lock().unwrap();
        assert_eq!(seen.refused, 0);
        assert!(seen.arrivals.len() >= 90 * hour, "{} in {hour} hours", seen.arrivals.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_is_obeyed_by_all() {
    for (status, headers) in [
        (429, vec![("retry-after", "90")]),
        (503, vec![("retry-after", "90")]),
        (429, vec![("hour-quota-resettime", "1768375190000"), ("date", "Wed, 14 Jan 2026 07:18:20 GMT")]),
        (200, vec![("x-ratelimit-requests-remaining", "0"), ("x-ratelimit-requests-reset", "90")]),
    ] {
        let world = World::new(&[], 0, 4);
        let message = answer(status, &headers, r#"{"total":0,"listings":[]}"#);
        world.answer_with(move |_, seen, _| (seen.arrivals.len() == 300).then(|| message.clone()));
        twenty_poll(&world, &MLS_GRID[..2], 20 * 60_000).await;
        let seen = world.server.seen.lock().unwrap();
        assert!(seen.arrivals.len() > 700, "{} requests", seen.arrivals.len());
        // Between the answer and its storing there are some 320 ms, in which other requests may be sent.
        let reported_at = seen.arrivals[299];
        let until = reported_at + 90_000;
        let within = seen.arrivals.iter().filter(|at| (reported_at + 500..until).contains(*at)).count();
        assert_eq!(within, 0, "status {status} with {headers:?}");
        assert!(seen.arrivals.iter().any(|at| (until..until + 5_000).contains(at)), "and then they continue");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_may_not_wait_that_long_is_partial_and_the_next_continues() {
    let limits = [Limit::per_minute(10), Limit::per_hour(25)];
    let world = World::new(&limits, 0, 5);
    let search = search(HOST, "s", &limits);
    let deadline = world.clock(0).now().plus_ms(20_000);
    let first = world.poll(&search, 0, Some(deadline)).await.unwrap();
    assert_eq!((first.outcome, first.pages, first.held_until.is_some()), (Some(RunOutcome::Partial), 10, true));
    let message = first.message.clone().unwrap();
    assert!(message.starts_with("grid.test: the limit of 10 requests a minute is used up, until 2026-"), "{message}");
    assert!(world.now_ms() < 20_000, "it does not wait in vain");
    assert_eq!((first.counts()["left of 10 requests a minute"], first.counts()["waited_ms"]), (0, 0));

    let second = world.poll(&search, 0, None).await.unwrap();
    assert_eq!((second.outcome, second.pages), (Some(RunOutcome::Complete), 10), "from the checkpoint on");
    assert!(second.counts()["waited_ms"] > 50_000, "{second:?}");
    assert_eq!(
        (first.counts()["left of 25 requests an hour"], second.counts()["left of 25 requests an hour"]),
        (15, 5)
    );

    let third = world.poll(&search, 0, None).await.unwrap();
    let message = third.message.unwrap();
    assert_eq!((third.outcome, third.pages), (Some(RunOutcome::Partial), 5));
    assert!(message.contains("25 requests an hour"), "{message}");
    assert!(world.now_ms() < 300_000 && world.server.seen.lock().unwrap().refused == 0);
    let runs = world.database.runs(9).unwrap();
    assert!(runs.iter().all(|run| run.outcome != RunOutcome::Failed));
    assert_eq!(runs[0].message.as_deref(), Some(&*message));
}

#[tokio::test(start_paused = true)]
async fn the_circuit_breaker_opens_for_a_dead_source_and_delays_no_other() {
    let world = World::new(&[], 0, 6);
    world.answer_with(|request, _, _| request.url.contains("dead.test").then(|| answer(404, &[], "")));
    let (dead, alive) = (search("dead.test", "dead", &[]), search(HOST, "alive", &[]));
    let asked = |world: &World| world.server.seen.lock().unwrap().arrivals.len();
    for _ in 0..5 {
        assert!(matches!(world.poll(&dead, 0, None).await, Err(PollError::Source(_))));
    }
    let before = asked(&world);
    let skipped = world.poll(&dead, 0, None).await.unwrap();
    assert_eq!((skipped.outcome, skipped.requests), (Some(RunOutcome::Skipped), 0));
    let message = skipped.message.unwrap();
    assert!(
        message.starts_with("dead.test: the circuit breaker is open: 5 polls in a row failed, until 2026-01-14T07:14:"),
        "{message}"
    );
    let run = world.database.runs(1).unwrap().remove(0);
    assert_eq!((run.outcome, run.message), (RunOutcome::Skipped, Some(message)));
    assert_eq!(asked(&world), before, "nothing was asked");
    assert_eq!(world.poll(&alive, 0, None).await.unwrap().outcome, Some(RunOutcome::Complete));

    // A minute later one of five tries.
    sleep(Duration::from_secs(60)).await;
    let before = asked(&world);
    let poll = || world.poll(&dead, 0, None);
    let (a, b, c, d, e) = tokio::join!(poll(), poll(), poll(), poll(), poll());
    let outcomes = [a, b, c, d, e].map(|polled| polled.ok().and_then(|polled| polled.outcome));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some(RunOutcome::Skipped)).count(), 4, "{outcomes:?}");
    assert_eq!(asked(&world) - before, 1);
    sleep(Duration::from_secs(61)).await;
    assert_eq!(poll().await.unwrap().outcome, Some(RunOutcome::Skipped), "for two minutes now");

    sleep(Duration::from_secs(60)).await;
    world.answer_with(|_, _, _| None);
    for _ in 0..2 {
        assert_eq!(poll().await.unwrap().outcome, Some(RunOutcome::Complete), "it is back");
    }
}

/// The same source, with a token.
struct Granted(Box<dyn Source>, &'static str);

impl Source for Granted {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        self.0.crawl_policy()
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        self.0.begin(since)
    }

    fn request(&self, cursor: &Cursor) -> Request {
        Request { granted: true, ..self.0.request(cursor) }
    }

    fn grant(&self) -> Option<Request> {
        let credentials = ClientCredentials {
            token_url: format!("https://{HOST}/token"),
            client_id: "stoop".into(),
            client_secret: self.1.into(),
            scope: None,
        };
        Some(credentials.request())
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        self.0.read(cursor, answer, now)
    }
}

/// A server that grants tokens of ten minutes and accepts only the last one; after `revoked_at_ms` the first is
/// invalid.
fn ask_for_tokens(world: &World, revoked_at_ms: i64) {
    world.answer_with(move |request, seen, now_ms| {
        if request.url.ends_with("/token") {
            if !String::from_utf8_lossy(request.body.as_deref().unwrap()).contains("client_secret=hush") {
                return Some(answer(401, &[], r#"{"error":"invalid_client"}"#));
            }
            seen.granted.push(now_ms);
            let token = format!("t0ken-{}", seen.granted.len());
            return Some(answer(200, &[], &format!(r#"{{"access_token":"{token}","expires_in":600}}"#)));
        }
        let bearer = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.clone());
        let last = seen.granted.last().is_some_and(|at| now_ms - at < 600_000);
        let revoked = seen.granted.len() == 1 && now_ms >= revoked_at_ms;
        let good = bearer == Some(format!("Bearer t0ken-{}", seen.granted.len())) && last && !revoked;
        (!good).then(|| answer(401, &[], ""))
    });
}

#[tokio::test(start_paused = true)]
async fn one_token_serves_all_polls_and_is_renewed_before_it_expires() {
    let world = World::new(&[], 0, 7);
    ask_for_tokens(&world, i64::MAX);
    let searches: Vec<Search> = (0..3)
        .map(|i| search_of(Granted(Box::new(source(HOST, &format!("s{i}"))), "hush"), &format!("s{i}"), &MLS_GRID[..2]))
        .collect();
    let [a, b, c] = [0, 1, 2].map(|i| world.keep_polling(&searches[i], 0, 30 * 60_000));
    tokio::join!(a, b, c);
    let seen = world.server.seen.lock().unwrap();
    let granted: Vec<i64> = seen.granted.iter().map(|at| at / 60_000).collect();
    assert_eq!(granted, [0, 8, 16, 24], "each for ten minutes, of which a fifth is left");
    let runs = world.database.runs(9_999).unwrap();
    assert!(runs.len() > 50 && runs.iter().all(|run| run.outcome == RunOutcome::Complete), "no poll got a 401");
    let stored = String::from_utf8_lossy(&world.stored()).into_owned();
    assert!(!stored.contains("t0ken") && !stored.contains("hush"), "neither token nor secret is stored");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_renewed_once() {
    let world = World::new(&[], 0, 8);
    ask_for_tokens(&world, 60_000);
    let search = search_of(Granted(Box::new(source(HOST, "s")), "hush"), "s", &[]);
    assert_eq!(world.poll(&search, 0, None).await.unwrap().outcome, Some(RunOutcome::Complete));
    sleep(Duration::from_secs(60)).await;
    let polled = world.poll(&search, 0, None).await.unwrap();
    assert_eq!((polled.outcome, polled.requests), (Some(RunOutcome::Complete), 22), "a 401 and a token more");

    world.answer_with(|request, _, _| {
        let granted = answer(200, &[], r#"{"access_token":"t0ken"}"#);
        Some(if request.url.ends_with("/token") { granted } else { answer(401, &[], "") })
    });
    let before = world.server.seen.lock().unwrap().arrivals.len();
    let error = world.poll(&search, 0, None).await.unwrap_err();
    assert!(matches!(&error, PollError::Denied(why) if why.contains("status 401")), "{error}");
    assert_eq!(world.server.seen.lock().unwrap().arrivals.len() - before, 3, "a page, a token, a page");

    ask_for_tokens(&world, 0);
    let search = search_of(Granted(Box::new(source(HOST, "s")), "wr0ng"), "s", &[]);
    let error = world.poll(&search, 0, None).await.unwrap_err();
    assert!(matches!(&error, PollError::Denied(why) if why.contains("token")), "{error}");
    assert!(!error.to_string().contains("wr0ng"));
}
