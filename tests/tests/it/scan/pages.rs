//! Pages that shift, form a circle, or are too many.

use crate::site::{Bench, answer};
use stoop_domain::Status;
use stoop_pipeline::ports::RunOutcome;

#[tokio::test]
async fn pages_that_shift_while_they_are_read_prove_nothing() {
    for removed in [false, true] {
        let bench = Bench::new();
        bench.site.list_many(8);
        bench.poll().await.unwrap();
        for run in 0..4 {
            // Each time the first listing of page 2 moves to page 1 unseen.
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
async fn a_scan_of_too_many_pages_is_partial_and_starts_over() {
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
        assert_eq!(bench.poll().await.unwrap().gone, 0, "it may have moved past the last page");
    }
}

#[tokio::test]
async fn links_in_a_circle_end_the_scan_and_the_next_starts_over() {
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
    assert_eq!(bench.ends("6").await, (Status::Active, 100_000), "the pages before count");
}

#[tokio::test]
async fn rows_that_a_map_skips_are_not_missing() {
    let bench = Bench::with("[http]\n", "[[skip]]\nfrom = \"status\"\nis = \"Withdrawn\"\n\n[http]\n");
    bench.site.list_many(7);
    bench.site.set("3", 100_000, "Withdrawn");
    bench.site.set("5", 100_000, "Withdrawn");
    let first = bench.poll().await.unwrap();
    assert_eq!((first.outcome, first.listings, first.message), (Some(RunOutcome::Complete), 5, None));
    bench.site.remove("1");
    let gone = [bench.poll().await.unwrap().gone, bench.poll().await.unwrap().gone];
    assert_eq!(gone, [0, 1], "and gone listings are reported");
    // One of them is skipped, so that a shifting page is still noticed.
    bench.site.remove_first_after_page(1);
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Partial));
}

#[tokio::test]
async fn a_page_that_shows_nothing_new_ends_the_scan_as_partial() {
    // A server that ignores the page parameter and has no total.
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

    // A page that leads on and has a new listing among known ones is not such a page.
    let bench = Bench::new();
    bench.site.list_many(9);
    bench.site.move_first_to_end_after_page(1);
    assert_eq!(bench.poll().await.unwrap().pages, 3);
}
