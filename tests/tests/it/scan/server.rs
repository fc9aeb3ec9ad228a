//! A server that asks to wait, redirects, forbids, or is down.

use crate::site::{Bench, answer};
use stoop_domain::Time;
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{PollError, release};

#[tokio::test]
async fn a_stop_during_a_retry_after_ends_the_run_and_the_next_continues() {
    let bench = Bench::new();
    bench.site.list_many(8);
    bench.site.fault(2, answer(429, &[("retry-after", "60")], ""));
    bench.stop_in_a_pause_of_ms(60_000);
    let first = bench.poll().await.unwrap();
    assert_eq!((first.outcome, first.new), (Some(RunOutcome::Partial), 3));
    assert!(first.message.unwrap().contains("stopped"));
    assert_eq!(bench.site.take_pages_asked(), [1, 2], "nothing is asked after the stop");

    // A run that is stopped before its first page keeps the checkpoint.
    bench.site.fault(2, answer(503, &[("retry-after", "60")], ""));
    bench.stop_no_more();
    bench.stop_in_a_pause_of_ms(60_000);
    let second = bench.poll().await.unwrap();
    assert_eq!((second.outcome, second.pages, second.requests), (Some(RunOutcome::Partial), 0, 1));

    bench.site.take_requests();
    bench.stop_no_more();
    let third = bench.poll().await.unwrap();
    assert_eq!((third.outcome, third.new), (Some(RunOutcome::Complete), 5));
    assert_eq!(bench.site.take_pages_asked(), [2, 3]);
    assert_eq!(bench.measure().await, 8, "each listing was sent once");
}

#[tokio::test]
async fn a_checkpoint_at_a_failing_page_is_kept_for_two_polls_and_given_up_at_the_third() {
    let bench = Bench::new();
    bench.site.list_many(8);
    let down = || answer(404, &[], "");
    bench.site.fault(2, down());
    assert!(matches!(bench.poll().await, Err(PollError::Source(_))));
    assert_eq!(bench.site.take_pages_asked(), [1, 2]);
    for _ in 0..2 {
        bench.site.fault(2, down());
        assert!(matches!(bench.poll().await, Err(PollError::Source(_))));
        assert_eq!(bench.site.take_pages_asked(), [2], "it continues where it was");
    }
    assert_eq!(bench.poll().await.unwrap().new, 5, "and does not repeat pages");
    assert_eq!(bench.site.take_pages_asked(), [2, 3]);

    bench.site.list_many(9);
    bench.site.fault(3, down());
    assert!(bench.poll().await.is_err());
    for _ in 0..3 {
        bench.site.fault(3, down());
        assert!(bench.poll().await.is_err());
    }
    bench.site.take_pages_asked();
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Complete));
    assert_eq!(bench.site.take_pages_asked(), [1, 2, 3], "that page may no longer exist");
}

#[tokio::test]
async fn robots_txt_is_read_once_per_run_for_our_name_and_obeyed() {
    let rules = |rules: &str| answer(200, &[("content-type", "text/plain")], rules);
    for (robots, allowed) in [
        (rules("User-agent: *\nDisallow: /list"), false),
        (rules("User-agent: stoop\nDisallow: /\nUser-agent: *\nAllow: /"), false),
        (rules("User-agent: *\nDisallow: /admin"), true),
        (rules("User-agent: *\nDisallow: /\nUser-agent: stoop\nDisallow: /*?secret"), true),
        (answer(404, &[], ""), true),
        (answer(410, &[], ""), true),
        (answer(429, &[("retry-after", "1")], ""), false),
        (answer(500, &[], ""), false),
        (answer(503, &[], ""), false),
    ] {
        let bench = Bench::with("pause_ms = 1000", "pause_ms = 1000\nrobots = true");
        bench.site.list_many(6);
        bench.site.set_robots(robots.clone());
        let polled = bench.poll().await;
        assert_eq!(polled.is_ok(), allowed, "{robots:?}");
        let requests = bench.site.take_requests();
        let asked = requests.iter().filter(|request| request.url == "https://site.test/robots.txt").count();
        assert_eq!(asked, 1, "{robots:?}");
        assert_eq!(requests.len(), if allowed { 3 } else { 1 });
        for request in requests {
            let names: Vec<_> = request.headers.iter().filter(|(name, _)| name == "user-agent").collect();
            assert!(matches!(names[..], [(_, agent)] if agent == stoop_pipeline::USER_AGENT), "{names:?}");
        }
        if let Err(error) = polled {
            assert!(error.to_string().contains("robots.txt"), "{error}");
        }
    }
    let bench = Bench::new();
    bench.poll().await.unwrap();
    assert_eq!(bench.site.take_requests().len(), 1, "an API is not asked for it");
}

#[tokio::test]
async fn a_refused_redirect_says_its_target_and_why() {
    let elsewhere =
        "it leads to https://login.test/sign-in/…, which is not followed: keys are not sent to another server";
    let around = "it leads to https://site.test/list, which is not followed: more redirects than are followed";
    for (location, why) in [
        ("https://login.test/sign-in/0123456789abcdef0123456789?key=s3cret", elsewhere),
        ("//login.test/sign-in/0123456789abcdef0123456789#s3cret", elsewhere),
        ("/list?again=s3cret", around),
        ("http://site.test/list?page=1", "it leads to http://site.test/list, which is not followed: keys are not sent"),
    ] {
        let bench = Bench::new();
        bench.site.list_many(3);
        bench.site.fault(1, answer(302, &[("location", location)], ""));
        let error = bench.poll().await.unwrap_err().to_string();
        assert!(error.contains(&format!("site.test: status 302: {why}")), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_retry_after_of_three_years_is_obeyed_for_a_day_and_can_be_reset() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.site.fault(1, answer(429, &[("retry-after", "99999999")], ""));
    let began = bench.now();
    let polled = bench.poll().await.unwrap();
    let day = began.plus_ms(Time::DAY_MS);
    assert_eq!(
        (polled.outcome, polled.held_until),
        (Some(RunOutcome::Failed), Some(day)),
        "it refused all it was asked"
    );
    let why = format!("site.test: status 429: the server asks to wait, until {day}; a later run goes on from here");
    assert_eq!(polled.message, Some(why));
    assert_eq!(bench.poll().await.unwrap().requests, 0);

    let (account, record) = bench.database.accounts().unwrap().remove(0);
    let held = (day, "status 429: the server asks to wait".to_owned());
    assert_eq!(record.held(bench.now()), Some(held.clone()));
    assert_eq!(release(&*bench.database, &account, bench.now()).await.unwrap(), Some(held));
    assert_eq!(release(&*bench.database, &account, bench.now()).await.unwrap(), None);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Complete));
}

#[tokio::test]
async fn an_open_circuit_breaker_can_be_reset() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.site.always(answer(404, &[], "gone fishing"));
    // An hour passes with each poll, so that each of them is made; the last opens the breaker for an hour.
    for _ in 0..12 {
        drop(bench.poll().await);
    }
    bench.wait_ms(-Time::HOUR_MS);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Skipped));
    let (account, record) = bench.database.accounts().unwrap().remove(0);
    bench.wait_ms(-Time::HOUR_MS);
    let (until, why) = record.held(bench.now()).unwrap();
    assert!(
        until > bench.now() && why.starts_with("the circuit breaker is open: 12 polls in a row failed"),
        "{until} {why}"
    );
    release(&*bench.database, &account, bench.now()).await.unwrap();
    assert!(bench.poll().await.is_err(), "it is asked");
}
