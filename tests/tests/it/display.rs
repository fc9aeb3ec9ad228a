//! What a provider lets be shown of a search's listings.

use crate::site::Bench;
use stoop_domain::HomeId;
use stoop_pipeline::DisplayTerms;
use stoop_serve::HomeView;

/// Whether the home's history, an estimate of its value, and the home itself may be shown.
fn shown(bench: &Bench) -> [bool; 3] {
    let home = bench.home("1").unwrap();
    [home.history_may_be_shown(), home.estimate_may_be_shown(), home.may_be_shown()]
}

#[tokio::test]
async fn terms_hold_for_each_listing_from_the_next_complete_scan_and_are_taken_back_by_a_yes() {
    let mut bench = Bench::new();
    bench.site.list("1", 500_000);
    assert_eq!(bench.poll().await.unwrap().sent, 1);
    bench.measure().await;
    assert_eq!(shown(&bench), [true; 3]);

    bench.display = DisplayTerms { history: Some(false), estimate: Some(false), ..DisplayTerms::default() };
    assert_eq!((bench.poll().await.unwrap().sent, bench.poll().await.unwrap().sent), (1, 0), "sent once more");
    bench.site.list("1", 480_000);
    bench.poll().await.unwrap();
    bench.measure().await;
    assert_eq!(shown(&bench), [false, false, true]);
    let home = bench.home("1").unwrap();
    let view = HomeView::of(HomeId("site/1".into()), &home, None, bench.now()).unwrap();
    assert_eq!((view.intervals.len(), view.clone().displayed(&home).intervals.len()), (2, 1));
    assert!(view.summary.last_change.is_some() && view.displayed(&home).summary.last_change.is_none());

    // A term that is no longer there takes nothing back, for it is not known who said it.
    bench.display = DisplayTerms::default();
    bench.poll().await.unwrap();
    bench.measure().await;
    assert_eq!(shown(&bench), [false, false, true]);
    bench.display = DisplayTerms { history: Some(true), expired: Some(false), ..DisplayTerms::default() };
    bench.poll().await.unwrap();
    bench.measure().await;
    assert_eq!(shown(&bench), [true, false, true]);
}
