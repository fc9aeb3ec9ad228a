//! Sources that stop filling a field: noticed on that page, and then handled as configured.

use crate::site::Bench;
use stoop_domain::{EventKind, Reason, Status};
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{FieldShare, OnDrift, PollError, Polled};

/// Homes on the site: ten pages, of which the first seven make a window.
const HOMES: usize = 30;

/// A bench whose search has seen the site three times.
async fn used_to(on_drift: OnDrift) -> Bench {
    let mut bench = Bench::with("pages_max = 4", "pages_max = 40");
    bench.on_drift = on_drift;
    bench.site.list_many(HOMES);
    for _ in 0..3 {
        let polled = bench.poll().await.unwrap();
        assert_eq!((polled.drifts, polled.outcome), (Vec::new(), Some(RunOutcome::Complete)));
    }
    bench
}

const PRICE_VANISHED: &str = "list_price: 0 % of 21 rows, never below 100 % before (none in 1)";

fn quarantined(bench: &Bench) -> Vec<(Reason, String)> {
    let rejects = bench.database.quarantined(100).unwrap();
    rejects.into_iter().map(|reject| (reject.reason, reject.location)).collect()
}

#[tokio::test]
async fn a_field_that_vanishes_is_reported_while_listings_are_still_sent() {
    let bench = used_to(OnDrift::Warn).await;
    bench.site.call_price("cost", ["", ""]);
    for _ in 0..2 {
        let polled = bench.poll().await.unwrap();
        assert_eq!(polled.drifts, [PRICE_VANISHED], "it is reported the second time, too");
        assert_eq!((polled.message.as_deref(), polled.listings), (Some(PRICE_VANISHED), HOMES as u64));
    }
    assert_eq!(quarantined(&bench), [(Reason::Drifted, "all, list_price".to_owned())], "an example is kept once");
    let run = &bench.database.runs(1).unwrap()[0];
    assert_eq!((run.message.as_deref(), run.counts["drifts"]), (Some(PRICE_VANISHED), 1));
    let profiles = bench.state("all").await.profiles;
    let price = profiles.shares().unwrap().of("list_price").unwrap();
    assert_eq!(price, FieldShare { share: 0.0, earlier: Some(0.875) }, "it is noted, though it is not learnt from");
    bench.site.call_price("price", ["", ""]);
    assert!(is_usual(&bench.poll().await.unwrap()));
}

#[tokio::test]
async fn a_search_that_evolves_accepts_the_new_form() {
    let bench = used_to(OnDrift::Evolve).await;
    bench.site.call_price("cost", ["", ""]);
    assert_eq!(bench.poll().await.unwrap().drifts, [PRICE_VANISHED]);
    let polled = bench.poll().await.unwrap();
    assert_eq!((polled.drifts, polled.message), (Vec::new(), None), "it was reported once");
    assert_eq!(quarantined(&bench), []);
}

#[tokio::test]
async fn a_search_that_freezes_sends_nothing_of_the_page_and_retries_each_time() {
    let mut bench = used_to(OnDrift::Freeze).await;
    bench.measure().await;
    bench.site.call_price("cost", ["", ""]);
    for _ in 0..2 {
        let frozen = bench.poll().await;
        assert!(matches!(&frozen, Err(PollError::Drifted(why)) if why == PRICE_VANISHED), "{frozen:?}");
        assert_eq!(bench.site.take_pages_asked().last(), Some(&7));
        let run = &bench.database.runs(1).unwrap()[0];
        assert_eq!(run.outcome, RunOutcome::Failed);
        let message = "frozen, because the source drifts: list_price: 0 % of 21 rows";
        assert!(run.message.as_ref().unwrap().starts_with(message), "{run:?}");
    }
    assert_eq!(bench.ends("19").await, (Status::Active, 100_000), "on the page that shows it");
    assert_eq!(bench.state("all").await.checkpoint, None);
    // Restored: after the source is corrected, nothing needs to be done.
    bench.site.call_price("price", ["", ""]);
    assert!(is_usual(&bench.poll().await.unwrap()));
    // Changed: a person may accept it.
    bench.site.call_price("cost", ["", ""]);
    assert!(bench.poll().await.is_err());
    bench.on_drift = OnDrift::Evolve;
    assert_eq!(bench.poll().await.unwrap().drifts.len(), 1);
    bench.on_drift = OnDrift::Freeze;
    assert!(is_usual(&bench.poll().await.unwrap()));
}

fn is_usual(polled: &Polled) -> bool {
    polled.drifts.is_empty() && polled.outcome == Some(RunOutcome::Complete)
}

#[tokio::test]
async fn a_price_that_no_row_has_readable_ends_the_scan_before_the_other_homes_lose_theirs() {
    for (before, after, reason) in [("[", "]", "bad_value"), ("0e", "", "price_not_positive")] {
        let bench = used_to(OnDrift::Warn).await;
        bench.site.call_price("price", [before, after]);
        let polled = bench.poll().await.unwrap();
        let why = format!("none of the first 12 rows is understood in whole: {reason} 12");
        assert_eq!((polled.outcome, polled.message, polled.gone), (Some(RunOutcome::Failed), Some(why), 0));
        assert_eq!((polled.sent, polled.not_taken), (9, 3), "the pages before");
        assert_eq!(bench.ends("19").await, (Status::Active, 100_000));
        assert_eq!(bench.events("1").await, [EventKind::Initial], "nothing is gone because it was not understood");
    }
}

#[tokio::test]
async fn values_that_most_rows_lose_are_a_drift() {
    let bench = used_to(OnDrift::Freeze).await;
    // A home on each page keeps its price.
    (0..HOMES).filter(|home| home % 3 > 0).for_each(|home| bench.site.list(&home.to_string(), 0));
    let frozen = bench.poll().await.unwrap_err();
    assert!(frozen.to_string().starts_with("frozen, because the source drifts: list_price: "), "{frozen}");
    assert!(quarantined(&bench).contains(&(Reason::Drifted, "all, list_price".to_owned())));
}

#[tokio::test]
async fn a_new_or_changed_search_has_no_past() {
    let bench = used_to(OnDrift::Freeze).await;
    bench.site.call_price("cost", ["", ""]);
    let polled = bench.poll_between("another", 0, i64::MAX).await.unwrap();
    assert!(is_usual(&polled));
    let polled = bench.poll_between("all", 1, i64::MAX).await.unwrap();
    assert!(is_usual(&polled), "the old query says nothing about the new one");
}
