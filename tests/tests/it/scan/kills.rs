//! Scans that are killed: nothing is forgotten, and what was sent is not contradicted.

use crate::site::{Bench, answer};
use stoop_domain::Status;
use stoop_pipeline::ports::{HttpAnswer, RunOutcome};
use stoop_sources::Request;

#[tokio::test]
async fn a_kill_between_sending_and_saving_forgets_no_change() {
    // Wherever the poll that sees the cut dies, the final state equals the site's.
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
async fn a_new_listing_sent_but_not_saved_is_missed_when_it_leaves() {
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
async fn a_kill_between_sending_gone_and_saving_does_not_hide_the_return() {
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
async fn gone_that_was_not_saved_is_sent_again_with_the_same_time() {
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

/// A Zillow with 1,500 homes, of which it shows at most 820; it respects its bounds.
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
async fn a_killed_scan_continues_at_its_current_page_however_it_was_split() {
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
