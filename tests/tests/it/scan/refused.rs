//! Refused listings and records.

use crate::site::{Bench, answer};
use stoop_domain::{Reason, Status};
use stoop_pipeline::PollError;
use stoop_pipeline::ports::RunOutcome;

#[tokio::test]
async fn an_impossible_price_is_unknown_and_in_quarantine_once() {
    let bench = Bench::new();
    bench.site.list_many(5);
    bench.poll().await.unwrap();
    bench.site.list("3", 0);
    for run in 0..10 {
        // Its position on the pages changes, as new listings come.
        bench.site.list(&format!("later-{}", run % 3), 100_000);
        let polled = bench.poll().await.unwrap();
        let counts = (polled.outcome, polled.gone, polled.rejects, polled.values_refused);
        assert_eq!(counts, (Some(RunOutcome::Complete), 0, 0, 1));
        assert_eq!(polled.changed, u64::from(run == 0), "its price is unknown");
    }
    let kept = bench.database.quarantined(99).unwrap();
    assert_eq!((kept.len(), kept[0].rows, kept[0].values), (1, 0, 1), "{kept:?}");
    assert_eq!((&*kept[0].location, &*kept[0].detail), ("all, listing 3", "list_price is 0 minor units"));
    bench.site.list("3", 100_000);
    bench.poll().await.unwrap();
    assert_eq!(bench.ends("3").await, (Status::Active, 100_000));
    assert_eq!(bench.events("3").await.len(), 1, "as if its price had been known");
    bench.site.remove("3");
    assert_eq!([bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone], [0, 1]);
}

#[tokio::test]
async fn a_listing_too_large_for_the_stream_is_quarantined_and_the_others_are_sent() {
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
async fn refused_records_are_put_again_by_index() {
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

    // The same for a change and for `Gone`.
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
async fn a_poll_that_understands_nothing_fails_and_the_next_starts_over() {
    let bench = Bench::new();
    bench.site.list_many(10);
    bench.site.call_price("price", ["\"", " or so\""]);
    for sent in [9, 0] {
        let polled = bench.poll().await.unwrap();
        let counts = (polled.outcome, polled.values_refused, polled.sent);
        assert_eq!(counts, (Some(RunOutcome::Failed), 10, sent), "the page of the tenth row is not sent");
        assert_eq!(polled.message.as_deref(), Some("none of the first 10 rows is understood in whole: bad_value 10"));
    }
    assert_eq!(bench.measure().await, 9);
    bench.site.call_price("price", ["", ""]);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Complete));
    assert_eq!(bench.ends("1").await, (Status::Active, 100_000));
}
