//! The order of results: sites with wrong times, our clock being set, and two searches of one source.

use crate::site::Bench;
use stoop_domain::{EventKind, Status, Time};
use stoop_pipeline::Polled;

const MINUTE_MS: i64 = 60_000;

/// Polls, and returns this many minutes later instead of an hour.
async fn poll(bench: &Bench, minutes: i64) -> Polled {
    let polled = bench.poll().await.unwrap();
    bench.wait_ms(minutes * MINUTE_MS - Time::HOUR_MS);
    polled
}

/// The list prices that were cut or raised, each with the new price.
async fn changes(bench: &Bench, id: &str) -> Vec<(i64, i64)> {
    bench.measure().await;
    let events = bench.home(id).unwrap().history.events();
    let changes = events.iter().filter_map(|event| event.change);
    changes.map(|change| (change.from.0 / 100, change.to.0 / 100)).collect()
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[tokio::test]
async fn prices_have_the_order_of_their_sightings_whatever_times_a_site_has() {
    type ShownTime = fn(Time) -> Time;
    let cases: [(&str, ShownTime); 7] =
        [
            ("right", |modified| modified),
            ("ten minutes ahead", |modified| modified.plus_ms(10 * MINUTE_MS)),
            ("a day ahead", |modified| modified.plus_ms(Time::DAY_MS)),
            ("constant", |_| time("2026-01-14T11:00:00Z")),
            ("dates", |modified| Time::from_ms(modified.ms().div_euclid(Time::DAY_MS) * Time::DAY_MS)),
            ("backwards", |modified| Time::from_ms(2 * time("2026-01-14T11:00:00Z").ms() - modified.ms())),
            // Clocks go back from 13:10 to 12:10, and the site has local times without a zone.
            ("a fold", |modified| {
                if modified < time("2026-01-14T13:10:00Z") { modified } else { modified.plus_ms(-Time::HOUR_MS) }
            }),
        ];
    for (name, shown_time) in cases {
        for minutes in [1, 7, 60] {
            let bench = Bench::new();
            bench.site.show_times(shown_time);
            bench.site.list("2", 100_000);
            let prices = [500_000, 400_000, 480_000, 384_000, 400_000, 300_000];
            let mut began = Vec::new();
            for price in prices {
                bench.site.list("1", price);
                began.push(bench.now());
                assert_eq!(poll(&bench, minutes).await.sent, if began.len() == 1 { 2 } else { 1 }, "{name}");
                assert_eq!(bench.ends("1").await, (Status::Active, price), "{name}, every {minutes} minutes");
                assert_eq!(poll(&bench, minutes).await.sent, 0, "{name}");
            }
            let pairs: Vec<(i64, i64)> = prices.windows(2).map(|pair| (pair[0], pair[1])).collect();
            assert_eq!(changes(&bench, "1").await, pairs, "{name}, every {minutes} minutes");
            let events = bench.home("1").unwrap().history.events();
            for (event, began) in events.iter().zip(began) {
                // A time before the last scan that did not show the change cannot be right.
                let ms = event.at.ms() - began.ms();
                assert!((-minutes * MINUTE_MS..=2 * MINUTE_MS).contains(&ms), "{name}: {ms}");
            }
        }
    }
}

#[tokio::test]
async fn a_site_ten_minutes_ahead_and_then_corrected_loses_no_cut() {
    let bench = Bench::new();
    bench.site.show_times(|modified| modified.plus_ms(10 * MINUTE_MS));
    bench.site.list("1", 400_000);
    bench.site.list("2", 100_000);
    poll(&bench, 1).await;
    bench.site.list("1", 500_000);
    poll(&bench, 1).await;
    // Right from now on: eight minutes before its last time.
    let right = bench.now();
    bench.site.show_times(move |modified| if modified < right { modified.plus_ms(10 * MINUTE_MS) } else { modified });
    bench.site.list("1", 400_000);
    poll(&bench, 1).await;
    assert_eq!(bench.ends("1").await, (Status::Active, 400_000));
    assert_eq!(changes(&bench, "1").await, [(400_000, 500_000), (500_000, 400_000)], "a cut of 20 %, no rise");
    bench.measure().await;
    let cut = bench.home("1").unwrap().history.events().pop().unwrap();
    assert_eq!((cut.kind, cut.at), (EventKind::PriceCut, right));
}

#[tokio::test]
async fn gone_comes_last_however_far_a_site_is_ahead() {
    for ahead_ms in [10 * MINUTE_MS, Time::DAY_MS] {
        let bench = Bench::new();
        bench.site.show_times(move |modified| modified.plus_ms(ahead_ms));
        bench.site.list("1", 500_000);
        bench.site.list("2", 100_000);
        poll(&bench, 1).await;
        let row = bench.site.remove("1");
        assert_eq!((poll(&bench, 10).await.gone, poll(&bench, 1).await.gone), (0, 1));
        assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
        bench.site.restore(row);
        poll(&bench, 1).await;
        assert_eq!(bench.ends("1").await, (Status::Active, 500_000));
        let events = [EventKind::Initial, EventKind::Gone, EventKind::BackOnMarket];
        assert_eq!(bench.events("1").await, events);
    }
}

#[tokio::test]
async fn rows_of_one_listing_on_one_page_keep_their_order_and_equal_ones_are_sent_once() {
    for (first, second) in [(400_000, 500_000), (500_000, 400_000)] {
        let bench = Bench::new();
        bench.site.list("1", first);
        bench.site.list_again("1", second);
        bench.site.list_again("1", second);
        let polled = bench.poll().await.unwrap();
        assert_eq!((polled.listings, polled.new, polled.sent), (3, 1, 2));
        assert_eq!(bench.ends("1").await, (Status::Active, second));
        assert_eq!(changes(&bench, "1").await, [(first, second)]);
    }
    // The row with the later time is the later one, wherever it is.
    let bench = Bench::new();
    bench.wait_ms(MINUTE_MS);
    bench.site.list("1", 400_000);
    bench.wait_ms(-MINUTE_MS);
    bench.site.list_again("1", 500_000);
    bench.wait_ms(2 * MINUTE_MS);
    bench.poll().await.unwrap();
    assert_eq!(bench.ends("1").await, (Status::Active, 400_000));
}

#[tokio::test]
async fn setting_our_clock_back_loses_no_price_and_no_gone_listing() {
    for back_minutes in [3, 6, 60, 26 * 60] {
        let bench = Bench::with("pages_max = 4", "pages_max = 40");
        bench.site.list_many(50);
        bench.site.list("stays", 100_000);
        let message = time("2026-01-14T12:00:00Z");
        bench.site.show_times(move |_| message);
        poll(&bench, 1).await;
        // Not by one share, which would be held back.
        let price = |id: i64| 90_000 - 200 * id;
        for id in 1..=50 {
            bench.site.reprice(&id.to_string(), price(id));
        }
        bench.wait_ms(-back_minutes * MINUTE_MS);
        let mut polled = poll(&bench, 1).await;
        let jumps = polled.clock_jumps.len();
        let mut polls = 0;
        while polled.pages == 0 {
            // An account's record that is slightly ahead is waited for.
            polled = poll(&bench, 1).await;
            polls += 1;
            assert!(polls < 100, "{back_minutes}: no page is read: {polled:?}");
        }
        assert_eq!((polled.changed, jumps), (50, 1), "{back_minutes}");
        for id in 1..=50 {
            assert_eq!(changes(&bench, &id.to_string()).await, [(100_000, price(id))], "{back_minutes}");
        }
        // The clock continues from there, and each change is sent once.
        let rows: Vec<_> = (1..=50).map(|id| bench.site.remove(&id.to_string())).collect();
        let polled = [poll(&bench, 24 * 60).await, poll(&bench, 1).await];
        assert_eq!((polled[0].gone, polled[1].gone), (0, 50), "{back_minutes}");
        assert_eq!(polled.map(|polled| polled.clock_jumps.len()), [0, 0]);
        assert_eq!(bench.ends("7").await, (Status::Gone, price(7)));
        rows.into_iter().for_each(|row| bench.site.restore(row));
        assert_eq!(poll(&bench, 1).await.changed, 50);
        for id in 1..=50 {
            assert_eq!(bench.ends(&id.to_string()).await, (Status::Active, price(id)), "{back_minutes}");
        }
    }
}

#[tokio::test]
async fn a_change_left_unknown_by_a_kill_comes_before_the_next_even_if_the_clock_was_set_back() {
    for (saves, next) in [0, 1, 2].into_iter().flat_map(|saves| [(saves, 450_000), (saves, 350_000)]) {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 500_000);
        bench.poll().await.unwrap();
        bench.site.reprice("1", 400_000);
        bench.index.die_after_saves(saves);
        drop(bench.poll().await);
        bench.index.revive();
        bench.site.reprice("1", next);
        bench.wait_ms(-3 * Time::HOUR_MS);
        bench.poll().await.unwrap();
        assert_eq!(bench.ends("1").await, (Status::Active, next), "after {saves} saves");
    }
}

#[tokio::test]
async fn a_jump_of_the_clock_is_counted_in_the_run() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.poll().await.unwrap();
    for (ms, says) in [
        (-59_000, None),
        (-6 * MINUTE_MS, Some("the clock was set back by 6 minutes")),
        (90 * MINUTE_MS, Some("the clock was set ahead by 90 minutes, or this computer slept")),
        (59_000, None),
    ] {
        bench.wait_ms(-Time::HOUR_MS + 1_000);
        bench.set_clock_by_ms(ms);
        let polled = bench.poll().await.unwrap();
        assert_eq!(polled.clock_jumps, Vec::from_iter(says), "{ms}");
        let runs = bench.database.runs(9).unwrap();
        let run = runs.iter().max_by_key(|run| &run.id).unwrap();
        assert_eq!((run.message.as_deref(), run.counts["clock_jumps"]), (says, u64::from(says.is_some())));
    }
}

#[tokio::test]
async fn a_clock_that_was_years_ahead_delays_no_full_scan_and_no_change() {
    let bench = Bench::new();
    bench.wait_ms(700 * Time::DAY_MS);
    bench.site.list("1", 500_000);
    bench.poll().await.unwrap();
    bench.wait_ms(-700 * Time::DAY_MS);
    for price in [400_000, 450_000, 300_000] {
        bench.site.list("1", price);
        assert_eq!(bench.poll().await.unwrap().changed, 1);
        assert_eq!(bench.ends("1").await, (Status::Active, price));
        let scanned_at = bench.state("all").await.full_scan_at.unwrap();
        assert!(scanned_at <= bench.now(), "{scanned_at} by the clock as it is");
    }
}

#[tokio::test]
async fn a_search_compares_with_the_price_another_search_has_sent_since() {
    const BORDER: i64 = 450_000;
    let cheap = async |bench: &Bench| bench.poll_between("cheap", 0, BORDER).await.unwrap();
    let dear = async |bench: &Bench| bench.poll_between("dear", BORDER, i64::MAX).await.unwrap();
    let bench = Bench::new();
    bench.site.list("1", 400_000);
    bench.site.list("cheap", 100_000);
    bench.site.list("dear", 900_000);
    cheap(&bench).await;
    dear(&bench).await;
    bench.site.reprice("1", 500_000);
    dear(&bench).await;
    assert_eq!(bench.ends("1").await, (Status::Active, 500_000));
    bench.site.reprice("1", 400_000);
    let polled = cheap(&bench).await;
    assert_eq!((polled.new, polled.changed), (0, 1), "as it was for this search, but not for the other");
    assert_eq!(bench.ends("1").await, (Status::Active, 400_000));
    for _ in 0..3 {
        assert_eq!((cheap(&bench).await.sent, dear(&bench).await.sent), (0, 0));
    }
    assert_eq!(changes(&bench, "1").await, [(400_000, 500_000), (500_000, 400_000)]);
}

#[tokio::test]
async fn a_listing_of_two_searches_is_sent_by_the_first_that_sees_it_change() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    let polls = async || {
        let one = bench.poll_between("one", 0, 900_000).await.unwrap().sent;
        let two = bench.poll_between("two", 1, 900_000).await.unwrap().sent;
        (one, two)
    };
    assert_eq!(polls().await, (1, 1), "each knows it from now on");
    for price in [400_000, 450_000, 500_000] {
        bench.site.reprice("1", price);
        assert_eq!(polls().await, (1, 0));
        assert_eq!(polls().await, (0, 0));
        assert_eq!(bench.ends("1").await, (Status::Active, price));
    }
    // It left, and is back before the second search has missed it twice: the first has already reported it gone.
    let row = bench.site.remove("1");
    bench.site.list("2", 100_000);
    polls().await;
    bench.poll_between("one", 0, 900_000).await.unwrap();
    assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
    bench.site.restore(row);
    assert_eq!(bench.poll_between("two", 1, 900_000).await.unwrap().sent, 1, "as it was for this search");
    assert_eq!(bench.ends("1").await, (Status::Active, 500_000));
}

#[tokio::test]
async fn only_listings_of_the_first_scan_are_initial() {
    // The first scan takes three runs.
    let bench = Bench::new();
    bench.site.list_many(8);
    for _ in 0..2 {
        bench.stop_in_a_pause_of_ms(1_000);
        bench.poll().await.unwrap();
        bench.stop_no_more();
    }
    assert!(!bench.state("all").await.begun);
    bench.poll().await.unwrap();
    for id in ["1", "4", "7"] {
        assert_eq!(bench.events(id).await, [EventKind::Initial], "{id}");
    }
    bench.site.list("late", 100_000);
    bench.site.list("1", 90_000);
    bench.poll().await.unwrap();
    assert_eq!(bench.events("late").await, [EventKind::New]);
    assert_eq!(bench.events("1").await, [EventKind::Initial, EventKind::PriceCut]);

    // A listing that the source never shows to its end.
    let bench = Bench::new();
    bench.site.list_many(15);
    bench.poll().await.unwrap();
    bench.site.remove("1");
    bench.poll().await.unwrap();
    assert_eq!(bench.events("12").await, [EventKind::Initial]);
    assert_eq!(bench.events("13").await, [EventKind::New], "as far as known");
    // A changed search starts over.
    bench.site.list("dear", 900_000);
    bench.poll_between("all", 800_000, i64::MAX).await.unwrap();
    assert_eq!(bench.events("dear").await, [EventKind::Initial]);
}

#[tokio::test]
async fn a_change_is_no_older_than_the_last_scan_that_did_not_show_it() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    for _ in 0..3 {
        bench.poll().await.unwrap();
    }
    bench.site.show_times(|modified| modified.plus_ms(-90 * MINUTE_MS));
    bench.site.list("1", 400_000);
    let began = bench.now();
    bench.poll().await.unwrap();
    bench.measure().await;
    let cut = bench.home("1").unwrap().history.events().pop().unwrap();
    assert_eq!(cut.kind, EventKind::PriceCut);
    assert!(cut.at >= began, "{} is before the scan of an hour ago", cut.at);
}

#[tokio::test]
async fn a_changed_search_has_no_sighting_before_what_it_has_sent() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.poll().await.unwrap();
    bench.site.reprice("1", 400_000);
    bench.wait_ms(-3 * Time::HOUR_MS);
    bench.poll_between("all", 1, i64::MAX).await.unwrap();
    assert_eq!(bench.ends("1").await, (Status::Active, 400_000));
}
