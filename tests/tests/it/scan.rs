//! What the poller says and does not say: listings that move, leave and return, pages that shift, and runs
//! that are refused, stopped or killed.

use crate::site::{Bench, answer};
use stoop_domain::{EventKind, Reason, Status, Time};
use stoop_pipeline::ports::{HttpAnswer, RunOutcome, SearchState};
use stoop_pipeline::{Cadence, PollError, release};
use stoop_sources::Request;

const BORDER: i64 = 400_000;

async fn poll_dear(bench: &Bench) -> u64 {
    bench.poll_between("dear", BORDER, i64::MAX).await.unwrap().gone
}

async fn poll_cheap(bench: &Bench) -> u64 {
    bench.poll_between("cheap", 0, BORDER).await.unwrap().gone
}

#[tokio::test]
async fn a_listing_that_moves_from_one_search_to_another_is_not_gone() {
    for cheap_first in [false, true] {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 600_000);
        assert_eq!(poll_dear(&bench).await + poll_cheap(&bench).await, 0);
        bench.site.list("1", 300_000);
        for _ in 0..5 {
            // Whichever looks first: the other has not yet missed it twice.
            let gone = match cheap_first {
                true => poll_cheap(&bench).await + poll_dear(&bench).await,
                false => poll_dear(&bench).await + poll_cheap(&bench).await,
            };
            assert_eq!(gone, 0);
        }
        assert_eq!(bench.ends("1").await, (Status::Active, 300_000));
        assert_eq!(bench.events("1").await, [EventKind::Initial, EventKind::PriceCut]);
        assert!(!bench.state("dear").await.listings.contains_key("1"), "it is the other search's now");
    }
}

#[tokio::test]
async fn a_listing_that_one_search_gave_up_before_the_other_looked_is_back_when_it_looks() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 600_000);
    assert_eq!(poll_dear(&bench).await + poll_cheap(&bench).await, 0);
    bench.site.list("1", 300_000);
    assert_eq!([poll_dear(&bench).await, poll_dear(&bench).await], [0, 1], "nobody holds it yet");
    assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
    assert_eq!(poll_cheap(&bench).await, 0);
    assert_eq!(bench.ends("1").await, (Status::Active, 300_000));
}

#[tokio::test]
async fn a_listing_that_moves_back_and_forth_between_searches_is_not_gone() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    for price in [500_000, 300_000, 450_000, 350_000, 420_000] {
        bench.site.list("1", price);
        for _ in 0..3 {
            assert_eq!(poll_dear(&bench).await + poll_cheap(&bench).await, 0);
        }
        assert_eq!(bench.ends("1").await, (Status::Active, price));
    }
}

#[tokio::test]
async fn a_listing_that_two_searches_hold_is_gone_when_both_have_missed_it_twice() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 500_000);
    let dear = async || bench.poll_between("dear", 400_000, i64::MAX).await.unwrap().gone;
    let cheap = async || bench.poll_between("cheap", 0, 600_000).await.unwrap().gone;
    assert_eq!(dear().await + cheap().await, 0);
    bench.site.remove("1");
    assert_eq!([dear().await, dear().await, dear().await], [0; 3], "the other search has not missed it");
    assert_eq!([cheap().await, cheap().await], [0, 1]);
    assert_eq!([dear().await, cheap().await], [0; 2], "it is said once");
    assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
    assert_eq!(bench.events("1").await, [EventKind::Initial, EventKind::Gone]);
    assert_eq!(bench.ends("2").await, (Status::Active, 500_000));
}

#[tokio::test]
async fn a_search_that_asks_for_something_else_says_nothing_is_gone_and_begins_anew() {
    let bench = Bench::new();
    bench.site.list_many(9);
    bench.stop_in_a_pause_of_ms(1_000);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Partial));
    bench.stop_no_more();
    assert!(bench.state("all").await.checkpoint.is_some());

    bench.site.list("dear", 900_000);
    for run in 0..4 {
        bench.site.take_requests();
        let polled = bench.poll_between("all", 500_000, i64::MAX).await.unwrap();
        assert_eq!((polled.outcome, polled.gone), (Some(RunOutcome::Complete), 0));
        assert_eq!(bench.site.take_pages_asked(), [1], "the checkpoint belongs to what was asked before");
        assert_eq!(polled.new, u64::from(run == 0));
    }
    let SearchState { watermark, checkpoint, listings, .. } = bench.state("all").await;
    assert_eq!((watermark, checkpoint), (None, None));
    assert_eq!(listings.keys().collect::<Vec<_>>(), ["dear"]);
    assert_eq!(bench.ends("1").await, (Status::Active, 100_000));
}

#[tokio::test]
async fn a_listing_said_to_be_gone_is_back_for_a_search_that_has_come_to_ask_for_something_else() {
    for saves in [1, usize::MAX] {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 500_000);
        bench.poll().await.unwrap();
        let row = bench.site.remove("1");
        bench.poll().await.unwrap();
        bench.index.die_after_saves(saves);
        assert_eq!(bench.poll().await.is_err(), saves == 1, "a kill leaves it in doubt whether Gone was sent");
        bench.index.revive();
        assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
        for _ in 0..3 {
            assert_eq!(bench.poll_between("all", 1, i64::MAX).await.unwrap().gone, 0);
        }
        bench.site.restore(row);
        bench.poll_between("all", 1, i64::MAX).await.unwrap();
        assert_eq!(bench.ends("1").await, (Status::Active, 500_000));
    }
}

#[tokio::test]
async fn what_was_learnt_of_a_search_is_kept_with_what_it_has_seen_until_it_asks_for_something_else() {
    let bench = Bench::new();
    let hours = async || {
        let cadence = Cadence { every_max_ms: Some(24 * 3_600_000), ..Cadence::steady(3_600_000) };
        cadence.distance(Some(&bench.state("all").await.pace)).ms / 3_600_000
    };
    bench.site.list_many(9);
    let polled = bench.poll().await.unwrap();
    assert_eq!((polled.pace, hours().await), (Some(bench.state("all").await.pace), 1));
    bench.poll().await.unwrap();
    assert_eq!(hours().await, 2, "an hour without a change");

    bench.site.list("new", 500_000);
    bench.stop_in_a_pause_of_ms(1_000);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Partial));
    assert_eq!(hours().await, 2, "it did not see everything");
    bench.stop_no_more();
    bench.poll().await.unwrap();
    assert_eq!(hours().await, 1, "what is new was seen by one of the two");

    for _ in 0..2 {
        bench.poll().await.unwrap();
    }
    assert_eq!(hours().await, 2);
    bench.poll_between("all", 400_000, i64::MAX).await.unwrap();
    assert_eq!(hours().await, 1, "of what it asks for now nothing is known");
}

#[tokio::test]
async fn a_sold_or_withdrawn_listing_that_leaves_the_feed_is_not_gone() {
    for (status, ends, back_as) in [
        ("Closed", Status::Closed, EventKind::New),
        ("Withdrawn", Status::Withdrawn, EventKind::BackOnMarket),
        ("Expired", Status::Expired, EventKind::BackOnMarket),
    ] {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 500_000);
        bench.poll().await.unwrap();
        bench.site.set("1", 500_000, status);
        bench.poll().await.unwrap();
        bench.site.remove("1");
        for _ in 0..4 {
            assert_eq!(bench.poll().await.unwrap().gone, 0);
        }
        assert_eq!(bench.ends("1").await, (ends, 500_000));

        // What was sold may come back for less: that is another sale. What was withdrawn comes back as it was.
        let price = if status == "Closed" { 450_000 } else { 500_000 };
        bench.site.list("1", price);
        assert_eq!(bench.poll().await.unwrap().new, 1);
        assert_eq!(bench.ends("1").await, (Status::Active, price));
        let events = bench.events("1").await;
        assert_eq!(events.last(), Some(&back_as), "{events:?}");
        assert!(!events.contains(&EventKind::PriceCut));
    }
}

#[tokio::test]
async fn a_listing_said_to_be_gone_is_back_though_the_site_gives_the_time_of_before() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 500_000);
    bench.poll().await.unwrap();
    let row = bench.site.remove("1");
    let gone = [bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone];
    assert_eq!(gone, [0, 1, 0]);
    assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
    bench.site.restore(row);
    assert_eq!(bench.poll().await.unwrap().changed, 1);
    assert_eq!(bench.ends("1").await, (Status::Active, 500_000));
    assert_eq!(bench.poll().await.unwrap().changed, 0);
    assert_eq!(bench.events("1").await, [EventKind::Initial, EventKind::Gone, EventKind::BackOnMarket]);
}

#[tokio::test]
async fn a_change_that_the_site_gives_no_new_time_for_happened_when_it_was_seen() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.poll().await.unwrap();
    for price in [400_000, 450_000, 300_000] {
        bench.site.reprice("1", price);
        assert_eq!(bench.poll().await.unwrap().changed, 1);
        assert_eq!(bench.poll().await.unwrap().changed, 0);
        assert_eq!(bench.ends("1").await, (Status::Active, price));
    }
    let events = [EventKind::Initial, EventKind::PriceCut, EventKind::PriceRise, EventKind::PriceCut];
    assert_eq!(bench.events("1").await, events);
    // With a time of its own a change is of that time, however late it is seen.
    bench.site.list("1", 200_000);
    let changed_at = bench.now();
    bench.wait_ms(1_800_000);
    bench.poll().await.unwrap();
    bench.measure().await;
    assert_eq!(bench.home("1").unwrap().history.events().last().unwrap().at, changed_at);
}

#[tokio::test]
async fn a_kill_between_sending_and_saving_forgets_no_change() {
    // Wherever the poll that sees the cut dies, the state ends as the site does.
    for saves in 0..4 {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 500_000);
        bench.poll().await.unwrap();
        bench.site.list("1", 400_000);
        bench.index.die_after_saves(saves);
        assert_eq!(bench.poll().await.is_err(), saves < 2, "a save before sending and one after");
        bench.index.revive();
        let sent = bench.ends("1").await;
        assert_eq!(sent, (Status::Active, if saves == 0 { 500_000 } else { 400_000 }));
        bench.site.list("1", 500_000);
        bench.poll().await.unwrap();
        assert_eq!(bench.ends("1").await, (Status::Active, 500_000), "after {saves} saves");
        let again = bench.poll().await.unwrap();
        assert_eq!((again.new, again.changed), (0, 0));
    }
}

#[tokio::test]
async fn a_new_listing_that_was_sent_but_not_saved_is_missed_when_it_leaves() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.poll().await.unwrap();
    bench.site.list("2", 600_000);
    bench.index.die_after_saves(1);
    assert!(bench.poll().await.is_err(), "the save after sending");
    bench.index.revive();
    assert_eq!(bench.ends("2").await, (Status::Active, 600_000));
    bench.site.remove("2");
    assert_eq!([bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone], [0, 1]);
    assert_eq!(bench.ends("2").await, (Status::Gone, 600_000));
}

#[tokio::test]
async fn a_kill_between_saying_gone_and_saving_does_not_hide_the_return() {
    for saves in 0..3 {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        bench.site.list("2", 500_000);
        bench.poll().await.unwrap();
        let row = bench.site.remove("1");
        bench.poll().await.unwrap();
        bench.index.die_after_saves(saves);
        assert_eq!(bench.poll().await.is_err(), saves < 2);
        bench.index.revive();
        let said = if saves == 0 { Status::Active } else { Status::Gone };
        assert_eq!(bench.ends("1").await, (said, 500_000));
        bench.site.restore(row);
        assert_eq!(bench.poll().await.unwrap().gone, 0);
        assert_eq!(bench.ends("1").await, (Status::Active, 500_000), "after {saves} saves");
    }
}

#[tokio::test]
async fn gone_that_was_not_saved_is_said_again_as_of_the_same_time() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 500_000);
    bench.poll().await.unwrap();
    bench.site.remove("1");
    bench.poll().await.unwrap();
    bench.index.die_after_saves(1);
    bench.poll().await.unwrap_err();
    bench.index.revive();
    assert_eq!(bench.poll().await.unwrap().gone, 1);
    assert_eq!(bench.poll().await.unwrap().gone, 0);
    bench.measure().await;
    assert_eq!(bench.database.counts().unwrap().observations, 3, "the second Gone was a duplicate of the first");
}

#[tokio::test]
async fn pages_that_shift_while_they_are_read_prove_nothing() {
    for removed in [false, true] {
        let bench = Bench::new();
        bench.site.list_many(8);
        bench.poll().await.unwrap();
        for run in 0..4 {
            // Each time the listing that stood first on page 2 slips onto page 1 unseen.
            if removed {
                bench.site.remove_first_after_page(1);
            } else {
                bench.site.move_first_to_end_after_page(1);
            }
            let polled = bench.poll().await.unwrap();
            assert_eq!((polled.outcome, polled.gone), (Some(RunOutcome::Partial), 0));
            assert_eq!(polled.message.as_deref(), Some("7 of 8 listings were shown"));
            assert_eq!(bench.state("all").await.checkpoint, None);
            if removed {
                bench.site.list(&format!("later-{run}"), 100_000);
            }
        }
        bench.site.take_requests();
        let full = bench.poll().await.unwrap();
        assert_eq!((full.outcome, full.message, full.gone), (Some(RunOutcome::Complete), None, 0));
        assert_eq!(bench.site.take_pages_asked(), [1, 2, 3]);
        for id in ["5", "6", "7", "8"] {
            assert_eq!(bench.ends(id).await, (Status::Active, 100_000));
        }
        let removed_are_gone = bench.poll().await.unwrap().gone;
        assert_eq!(removed_are_gone, if removed { 4 } else { 0 }, "two complete scans prove it");
    }
}

#[tokio::test]
async fn a_scan_of_more_pages_than_are_read_is_partial_and_begins_at_the_first_page_again() {
    let bench = Bench::new();
    bench.site.list_many(15);
    for run in 0..4 {
        bench.site.take_requests();
        let polled = bench.poll().await.unwrap();
        assert_eq!((polled.outcome, polled.gone), (Some(RunOutcome::Partial), 0));
        assert!(polled.message.unwrap().contains("broken off after 4 pages, the most that are read"));
        assert_eq!(bench.site.take_pages_asked(), [1, 2, 3, 4]);
        assert_eq!(polled.new, if run == 0 { 12 } else { 0 });
    }
    bench.site.remove("1");
    for _ in 0..3 {
        assert_eq!(bench.poll().await.unwrap().gone, 0, "it may have slipped behind the last page");
    }
}

#[tokio::test]
async fn links_that_lead_in_a_circle_end_the_scan_and_the_next_begins_anew() {
    let bench = Bench::with("by = \"page\"\nsize = 3", "by = \"next-link\"\nnext = \"/next\"");
    bench.site.list_many(6);
    for _ in 0..3 {
        bench.site.take_requests();
        let polled = bench.poll().await.unwrap();
        assert_eq!(polled.outcome, Some(RunOutcome::Partial));
        assert!(polled.message.unwrap().contains("page 3, which shows no listing that was not on a page before it"));
        assert_eq!(bench.site.take_pages_asked(), [1, 2, 1]);
        assert_eq!(bench.state("all").await.checkpoint, None);
    }
    assert_eq!(bench.ends("6").await, (Status::Active, 100_000), "what was read on the way counts");
}

#[tokio::test]
async fn a_stop_while_the_site_asks_for_patience_ends_the_run_and_the_next_goes_on() {
    let bench = Bench::new();
    bench.site.list_many(8);
    bench.site.fault(2, answer(429, &[("retry-after", "60")], ""));
    bench.stop_in_a_pause_of_ms(60_000);
    let first = bench.poll().await.unwrap();
    assert_eq!((first.outcome, first.new), (Some(RunOutcome::Partial), 3));
    assert!(first.message.unwrap().contains("stopped"));
    assert_eq!(bench.site.take_pages_asked(), [1, 2], "nothing is asked after the stop");

    // A run that is stopped before its first page does not lose the place.
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
async fn a_place_at_which_a_source_is_down_is_kept_for_two_polls_and_given_up_at_the_third() {
    let bench = Bench::new();
    bench.site.list_many(8);
    let down = || answer(404, &[], "");
    bench.site.fault(2, down());
    assert!(matches!(bench.poll().await, Err(PollError::Source(_))));
    assert_eq!(bench.site.take_pages_asked(), [1, 2]);
    for _ in 0..2 {
        bench.site.fault(2, down());
        assert!(matches!(bench.poll().await, Err(PollError::Source(_))));
        assert_eq!(bench.site.take_pages_asked(), [2], "it goes on where it was");
    }
    assert_eq!(bench.poll().await.unwrap().new, 5, "and does not ask again for what it has");
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
    assert_eq!(bench.site.take_pages_asked(), [1, 2, 3], "that page may be there no more");
}

#[tokio::test]
async fn two_polls_of_one_search_at_once_lose_nothing() {
    let bench = Bench::new();
    bench.site.list_many(5);
    for price in [200_000, 150_000] {
        let both = tokio::join!(bench.poll(), bench.poll());
        let raced = [&both.0, &both.1].into_iter().filter(|polled| matches!(polled, Err(PollError::Raced(_)))).count();
        let fine = [&both.0, &both.1].into_iter().filter(|polled| polled.is_ok()).count();
        assert_eq!((raced, fine), (1, 1), "{both:?}");
        assert_eq!(bench.database.runs(2).unwrap().iter().filter(|run| run.outcome == RunOutcome::Failed).count(), 1);
        bench.site.list("1", price);
        bench.site.list(&price.to_string(), price);
    }
    assert_eq!(bench.poll().await.unwrap().new, 1);
    for (id, price) in [("1", 150_000), ("5", 100_000), ("200000", 200_000), ("150000", 150_000)] {
        assert_eq!(bench.ends(id).await, (Status::Active, price));
    }
    let events = bench.events("1").await;
    assert_eq!(events, [EventKind::Initial, EventKind::PriceRise, EventKind::PriceCut]);
}

#[tokio::test]
async fn robots_txt_is_asked_once_a_run_by_our_name_and_obeyed() {
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
async fn a_listing_that_cannot_be_is_not_gone_and_is_in_quarantine_once() {
    let bench = Bench::new();
    bench.site.list_many(5);
    bench.poll().await.unwrap();
    bench.site.list("3", 0);
    for run in 0..10 {
        // Its place on the pages changes, as new listings come.
        bench.site.list(&format!("later-{}", run % 3), 100_000);
        let polled = bench.poll().await.unwrap();
        assert_eq!((polled.outcome, polled.gone, polled.rejects), (Some(RunOutcome::Complete), 0, 1));
    }
    let kept = bench.database.quarantined(99).unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(kept[0].detail.contains("list_price"), "{}", kept[0].detail);
    assert_eq!(bench.ends("3").await, (Status::Active, 100_000), "the last that could be");
    bench.site.remove("3");
    assert_eq!([bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone], [0, 1]);
}

#[tokio::test]
async fn a_listing_too_large_for_the_stream_is_in_quarantine_and_the_others_go_on() {
    let city = "city = { constant = \"Graz\" }";
    let bench = Bench::with(city, &format!("{city}\ndescription = {{ from = \"text\" }}"));
    let row = |id: &str, text: &str| serde_json::json!({"id": id, "modified": "2026-01-14T12:00:00Z", "status": "Active", "price": 90_000, "text": text});
    let page = serde_json::json!({"total": 2, "listings": [row("huge", &"x".repeat(2 << 20)), row("small", "x")]});
    bench.site.fault(1, answer(200, &[("content-type", "application/json")], &page.to_string()));
    let polled = bench.poll().await.unwrap();
    assert_eq!((polled.outcome, polled.new, polled.rejects), (Some(RunOutcome::Complete), 1, 1));
    let kept = bench.database.quarantined(9).unwrap();
    assert_eq!((kept[0].reason, kept.len()), (Reason::TooLong, 1));
    assert!(kept[0].location.ends_with("listing huge") && kept[0].detail.contains("bytes"), "{:?}", kept[0]);
}

#[tokio::test]
async fn refused_records_are_put_again_by_their_place() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.stream.refuse([vec![0, 2], vec![1]]);
    let polled = bench.poll().await.unwrap();
    assert_eq!((polled.outcome, polled.new), (Some(RunOutcome::Complete), 3));
    assert_eq!(bench.stream.take_puts()[..3], [3, 2, 1]);
    assert_eq!(bench.measure().await, 3, "each once");
}

#[tokio::test]
async fn a_stream_that_refuses_for_ever_fails_the_poll_and_the_next_sends_again() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.stream.refuse_all(true);
    assert!(matches!(bench.poll().await, Err(PollError::Refused(3))));
    assert_eq!(bench.stream.take_puts(), [3; 6]);
    assert_eq!(bench.database.runs(1).unwrap()[0].outcome, RunOutcome::Failed);
    bench.stream.refuse_all(false);
    assert_eq!(bench.poll().await.unwrap().new, 3);
    assert_eq!(bench.measure().await, 3);

    // The same for a change and for Gone.
    bench.site.list("1", 90_000);
    bench.stream.refuse_all(true);
    assert!(matches!(bench.poll().await, Err(PollError::Refused(1))));
    bench.stream.refuse_all(false);
    assert_eq!(bench.poll().await.unwrap().changed, 1);
    bench.site.remove("2");
    assert_eq!(bench.poll().await.unwrap().gone, 0);
    bench.stream.refuse_all(true);
    assert!(matches!(bench.poll().await, Err(PollError::Refused(1))));
    bench.stream.refuse_all(false);
    assert_eq!(bench.poll().await.unwrap().gone, 1);
    assert_eq!(bench.ends("1").await, (Status::Active, 90_000));
    assert_eq!(bench.ends("2").await, (Status::Gone, 100_000));
}

#[tokio::test]
async fn rows_that_a_map_leaves_out_are_none_of_those_that_were_not_shown() {
    let bench = Bench::with("[http]\n", "[[skip]]\nfrom = \"status\"\nis = \"Withdrawn\"\n\n[http]\n");
    bench.site.list_many(7);
    bench.site.set("3", 100_000, "Withdrawn");
    bench.site.set("5", 100_000, "Withdrawn");
    let first = bench.poll().await.unwrap();
    assert_eq!((first.outcome, first.listings, first.message), (Some(RunOutcome::Complete), 5, None));
    bench.site.remove("1");
    let gone = [bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone];
    assert_eq!(gone, [0, 1], "and what is gone is said to be");
    // One of them is left out, so that a page that shifts is noticed all the same.
    bench.site.remove_first_after_page(1);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Partial));
}

#[tokio::test]
async fn a_page_that_shows_nothing_new_ends_the_scan_as_partial() {
    // A server that takes no notice of where it is asked to go on, and whose answer does not say how many there are.
    let bench = Bench::new();
    let listing = |id: u32| {
        format!(
            r#"{{"id":"{id}","addressLine1":"{id} A St","state":"TX","zipCode":"78723","city":"Austin",
                "status":"Active","price":{id}000}}"#
        )
    };
    let rows: Vec<String> = (100..120).map(listing).collect();
    bench.site.always(answer(200, &[], &format!("[{}]", rows.join(","))));
    let params = [("url", "https://site.test"), ("key", "k"), ("zipCode", "78723"), ("limit", "20")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let rentcast = || stoop_sources::build("rentcast", &params).unwrap().into();
    for (run, new) in [(0, 20), (1, 0)] {
        let polled = bench.poll_origin("austin", rentcast()).await.unwrap();
        assert_eq!((polled.outcome, polled.requests, polled.new), (Some(RunOutcome::Partial), 2, new), "{run}");
        let why = "broken off after page 2, which shows no listing that was not on a page before it";
        assert_eq!(polled.message.as_deref(), Some(why));
        assert_eq!(polled.gone, 0, "{run}");
    }

    // A page that leads on and has one that is new among those of before is no such page.
    let bench = Bench::new();
    bench.site.list_many(9);
    bench.site.move_first_to_end_after_page(1);
    assert_eq!(bench.poll().await.unwrap().pages, 3);
}

#[tokio::test]
async fn a_redirect_that_is_not_followed_says_where_it_leads_and_why() {
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
async fn a_server_that_asks_for_three_years_is_left_alone_for_a_day_and_can_be_asked_again_at_once() {
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
async fn a_source_that_failed_too_often_can_be_asked_again_at_once() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.site.always(answer(404, &[], "gone fishing"));
    // An hour passes with each poll, so that every one of them is made; the last opens the breaker for an hour.
    for _ in 0..12 {
        drop(bench.poll().await);
    }
    bench.wait_ms(-Time::HOUR_MS);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Skipped));
    let (account, record) = bench.database.accounts().unwrap().remove(0);
    bench.wait_ms(-Time::HOUR_MS);
    let (until, why) = record.held(bench.now()).unwrap();
    assert!(until > bench.now() && why.starts_with("left alone after 12 polls in a row failed"), "{until} {why}");
    release(&*bench.database, &account, bench.now()).await.unwrap();
    assert!(bench.poll().await.is_err(), "it is asked");
}

#[tokio::test]
async fn a_poll_of_which_nothing_is_understood_has_failed_and_the_next_begins_anew() {
    let bench = Bench::new();
    bench.site.list_many(3);
    bench.site.call_price("price", ["\"", " or so\""]);
    for _ in 0..2 {
        let polled = bench.poll().await.unwrap();
        assert_eq!((polled.outcome, polled.rejects, polled.sent), (Some(RunOutcome::Failed), 3, 0));
        assert_eq!(polled.message.as_deref(), Some("none of the first 3 rows is understood: bad_value 3"));
    }
    assert_eq!(bench.measure().await, 0);
    bench.site.call_price("price", ["", ""]);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Complete));
}

/// A Zillow with 1,500 homes, of which it shows 820 at most; it knows its bounds.
fn zillow(request: &Request) -> HttpAnswer {
    let number = |name: &str| {
        let (_, query) = request.url.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
    };
    let (least, most) = (number("minPrice").unwrap_or(0), number("maxPrice").unwrap_or(usize::MAX));
    let page = number("page").unwrap_or(1);
    let price = |id: &usize| 100_000 + id * 700;
    let homes: Vec<usize> = (0..1_500).filter(|id| (least..=most).contains(&price(id))).collect();
    let row = |id: &usize| {
        let (address, price) = ("1 A St, Springfield, IL 62701", price(id));
        format!(r#"{{"zpid":"{id}","price":{price},"address":"{address}","listingStatus":"FOR_SALE"}}"#)
    };
    let rows: Vec<String> = homes.iter().skip((page - 1) * 41).take(41).map(row).collect();
    let (total, pages) = (homes.len(), homes.len().div_ceil(41).min(20));
    let said = format!(r#""resultsPerPage":41,"totalPages":{pages},"totalResultCount":{total},"currentPage":{page}"#);
    answer(200, &[], &format!(r#"{{"props":[{}],{said}}}"#, rows.join(",")))
}

#[tokio::test]
async fn a_scan_that_was_killed_goes_on_at_the_page_that_was_in_hand_however_it_was_split() {
    let params = [("url", "https://site.test"), ("key", "k"), ("location", "Springfield, IL")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let source = || stoop_sources::build("zillow", &params).unwrap().into();
    for killed_at in [2, 3, 7, 12, 23] {
        let bench = Bench::new();
        bench.site.serve(zillow);
        bench.site.freeze_after(killed_at);
        tokio::select! {
            polled = bench.poll_origin("springfield", source()) => panic!("{polled:?}"),
            () = bench.site.is_frozen() => {}
        }
        let in_hand = bench.site.take_requests().pop().unwrap();
        bench.site.freeze_after(u64::MAX);
        let polled = bench.poll_origin("springfield", source()).await.unwrap();
        assert_eq!(polled.outcome, Some(RunOutcome::Complete), "{:?}", polled.message);
        let asked = bench.site.take_requests();
        assert_eq!(asked[0].url, in_hand.url, "killed after {killed_at} pages");
        assert!(asked.iter().all(|request| killed_at < 3 || request.url.contains("Price=")), "only its parts");
        assert_eq!(bench.state("springfield").await.listings.len(), 1_500);
    }
}
