//! Overlapping searches of one source, and one whose query changes.

use crate::site::Bench;
use stoop_domain::{EventKind, Status};
use stoop_pipeline::ports::{RunOutcome, SearchState};
use stoop_pipeline::{Cadence, PollError};

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
            // Whichever polls first: the other has not yet missed it twice.
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
async fn a_listing_given_up_by_one_search_is_back_when_another_sees_it() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 600_000);
    assert_eq!(poll_dear(&bench).await + poll_cheap(&bench).await, 0);
    bench.site.list("1", 300_000);
    assert_eq!([poll_dear(&bench).await, poll_dear(&bench).await], [0, 1], "no search holds it yet");
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
    assert_eq!([dear().await, cheap().await], [0; 2], "it is sent once");
    assert_eq!(bench.ends("1").await, (Status::Gone, 500_000));
    assert_eq!(bench.events("1").await, [EventKind::Initial, EventKind::Gone]);
    assert_eq!(bench.ends("2").await, (Status::Active, 500_000));
}

#[tokio::test]
async fn a_changed_search_reports_nothing_gone_and_starts_over() {
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
        assert_eq!(bench.site.take_pages_asked(), [1], "the checkpoint belongs to the old query");
        assert_eq!(polled.new, u64::from(run == 0));
    }
    let SearchState { watermark, checkpoint, listings, .. } = bench.state("all").await;
    assert_eq!((watermark, checkpoint), (None, None));
    assert_eq!(listings.keys().collect::<Vec<_>>(), ["dear"]);
    assert_eq!(bench.ends("1").await, (Status::Active, 100_000));
}

#[tokio::test]
async fn a_gone_listing_is_back_for_a_changed_search() {
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
async fn the_pace_of_a_search_is_kept_until_it_is_changed() {
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
    assert_eq!(hours().await, 1, "one of the two has seen the new listing");

    for _ in 0..2 {
        bench.poll().await.unwrap();
    }
    assert_eq!(hours().await, 2);
    bench.poll_between("all", 400_000, i64::MAX).await.unwrap();
    assert_eq!(hours().await, 1, "nothing is known about the new query");
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
