//! What the poller sends and does not send: listings that move, leave and return, pages that shift, and runs that are
//! refused, stopped or killed.

mod kills;
mod pages;
mod refused;
mod searches;
mod server;

use crate::site::Bench;
use stoop_domain::{EventKind, Status};

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

        // A sold listing may come back for less: that is another sale. A withdrawn one comes back unchanged.
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
async fn a_gone_listing_is_back_even_if_the_site_has_its_old_time() {
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
async fn a_change_without_a_new_time_has_the_time_of_its_sighting() {
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
    // A change with its own time has that time, however late it is seen.
    bench.site.list("1", 200_000);
    let changed_at = bench.now();
    bench.wait_ms(1_800_000);
    bench.poll().await.unwrap();
    bench.measure().await;
    assert_eq!(bench.home("1").unwrap().history.events().last().unwrap().at, changed_at);
}
