//! Homes that a portal no longer shows, if its answers never prove that they are gone.

use stoop_domain::{EventKind, Status, Time, Watch};
use stoop_market::{Figures, Segment};

use crate::site::{Bench, answer};
use EventKind::{BackOnMarket, Expired, Initial};

/// The numbers of active and unconfirmed homes, of those that expired within 90 days, and of homes shown as active.
async fn shown(bench: &Bench) -> (i64, i64, i64, usize) {
    bench.measure().await;
    let now = bench.now();
    let (mut active, mut unconfirmed, mut expired) = (0, 0, 0);
    for (market, cells) in bench.database.cells_where(|_| true).unwrap() {
        let figures = Figures::of(&cells, Segment::All, now, &market.area.country().zone);
        active += figures.active;
        unconfirmed += figures.unconfirmed;
        expired += figures.last_90_days.expired;
    }
    let homes = bench.database.homes_after(None, usize::MAX).unwrap();
    let listed = homes.iter().filter(|(_, home)| home.history.status_at(now) == Some(Status::Active)).count();
    (active, unconfirmed, expired, listed)
}

/// Polls once a day, this many times.
async fn poll_days(bench: &Bench, days: usize) {
    for _ in 0..days {
        bench.poll().await.unwrap();
        bench.wait_ms(Time::DAY_MS - bench.now().ms().rem_euclid(Time::DAY_MS));
    }
}

#[tokio::test]
async fn a_portal_that_never_proves_absence_is_emptied_and_its_homes_expire_and_come_back() {
    let bench = Bench::with("coverage = \"snapshot\"", "coverage = \"changes\"");
    bench.site.list_many(12);
    poll_days(&bench, 40).await;
    assert_eq!(shown(&bench).await, (12, 0, 0, 12), "confirmed by then");
    assert_eq!(bench.home("7").unwrap().history.watch(), Watch::Repeated);
    let rows: Vec<_> = (1..=12).map(|id: i32| bench.site.remove(&id.to_string())).collect();
    poll_days(&bench, 11).await;
    assert_eq!(shown(&bench).await, (12, 12, 0, 12), "two turns and a day");
    poll_days(&bench, 16).await;
    assert_eq!(shown(&bench).await, (12, 12, 0, 12), "27 days");
    poll_days(&bench, 4).await;
    assert_eq!(shown(&bench).await, (0, 0, 12, 0), "31 days");
    assert_eq!(bench.events("7").await, [Initial, Expired]);
    poll_days(&bench, 150).await;
    assert_eq!(shown(&bench).await, (0, 0, 0, 0), "half a year");
    rows.into_iter().take(8).for_each(|row| bench.site.restore(row));
    poll_days(&bench, 1).await;
    assert_eq!(shown(&bench).await, (8, 0, 0, 8), "and they come back");
    assert_eq!(bench.events("7").await, [Initial, Expired, EventKind::Relisted]);
}

#[tokio::test]
async fn with_complete_scans_nothing_expires_and_unpolled_homes_are_unconfirmed() {
    let bench = Bench::new();
    bench.site.list_many(4);
    poll_days(&bench, 30).await;
    assert_eq!(shown(&bench).await, (4, 0, 0, 4));
    assert_eq!(bench.home("1").unwrap().history.watch(), Watch::Complete);
    // No poll for half a year.
    bench.wait_ms(180 * Time::DAY_MS);
    assert_eq!(shown(&bench).await, (4, 4, 0, 4));
    drop(bench.site.remove("1"));
    poll_days(&bench, 2).await;
    assert_eq!(shown(&bench).await, (3, 0, 0, 3), "gone is reported, with its own time");
    assert_eq!(bench.events("1").await, [Initial, EventKind::Gone]);
}

#[tokio::test]
async fn a_home_missing_for_five_weeks_was_off_the_market() {
    let bench = Bench::with("coverage = \"snapshot\"", "coverage = \"changes\"");
    bench.site.list_many(2);
    poll_days(&bench, 1).await;
    let row = bench.site.remove("1");
    poll_days(&bench, 35).await;
    assert_eq!(shown(&bench).await, (1, 0, 1, 1));
    bench.site.restore(row);
    poll_days(&bench, 1).await;
    assert_eq!(shown(&bench).await, (2, 0, 1, 2));
    assert_eq!(bench.events("1").await, [Initial, Expired, BackOnMarket]);
}

#[tokio::test]
async fn a_portal_without_a_total_proves_nothing_and_its_homes_expire() {
    let bench = Bench::with("size = 3\ntotal = \"/total\"", "size = 3");
    bench.site.list_many(10);
    poll_days(&bench, 1).await;
    // Only the first scan sees it.
    drop(bench.site.remove("10"));
    poll_days(&bench, 19).await;
    assert_eq!(shown(&bench).await, (10, 1, 0, 10));
    for id in ["7", "10"] {
        assert_eq!(bench.home(id).unwrap().history.watch(), Watch::Repeated, "{id}");
    }
    (1..=9).for_each(|id: i32| drop(bench.site.remove(&id.to_string())));
    poll_days(&bench, 35).await;
    assert_eq!(shown(&bench).await, (0, 0, 10, 0));
}

#[tokio::test]
async fn a_portal_with_rejects_in_every_scan_proves_nothing_and_its_homes_expire() {
    let bench = Bench::new();
    bench.site.list_many(9);
    // A row without an ID may be any home.
    bench.site.list("", 100_000);
    poll_days(&bench, 1).await;
    assert_eq!(bench.state("all").await.proves_absence, Some(false));
    bench.measure().await;
    assert_eq!(bench.home("7").unwrap().history.watch(), Watch::Complete, "the first scan does not show it yet");
    poll_days(&bench, 19).await;
    assert_eq!(shown(&bench).await, (9, 0, 0, 9));
    assert_eq!(bench.home("7").unwrap().history.watch(), Watch::Repeated);
    (3..=9).for_each(|id: i32| drop(bench.site.remove(&id.to_string())));
    poll_days(&bench, 27).await;
    assert_eq!(shown(&bench).await, (9, 7, 0, 9), "27 days, and none is reported gone");
    poll_days(&bench, 8).await;
    assert_eq!(shown(&bench).await, (2, 0, 7, 2));
    assert_eq!(bench.events("7").await, [Initial, Expired]);
    // Once all rows are understood, the remaining homes behave as usual.
    drop(bench.site.remove(""));
    poll_days(&bench, 12).await;
    assert_eq!(bench.state("all").await.proves_absence, Some(true));
    shown(&bench).await;
    assert_eq!(bench.home("1").unwrap().history.watch(), Watch::Complete);
}

/// Polls once a day in two runs, this many times: the first finds page 2 down, and the second continues there to the
/// end.
async fn poll_days_in_two_runs(bench: &Bench, days: usize) {
    for _ in 0..days {
        bench.site.fault(2, answer(404, &[], ""));
        assert!(bench.poll().await.is_err());
        bench.site.take_requests();
        poll_days(bench, 1).await;
        assert_eq!(bench.site.take_pages_asked().first(), Some(&2), "it went on");
    }
}

#[tokio::test]
async fn a_portal_whose_scans_always_take_two_runs_proves_nothing_and_its_homes_expire() {
    let bench = Bench::new();
    bench.site.list_many(10);
    poll_days_in_two_runs(&bench, 20).await;
    assert_eq!(bench.state("all").await.proves_absence, Some(false));
    assert_eq!(shown(&bench).await, (10, 0, 0, 10));
    for id in ["1", "10"] {
        assert_eq!(bench.home(id).unwrap().history.watch(), Watch::Repeated, "{id}");
    }
    (5..=10).for_each(|id: i32| drop(bench.site.remove(&id.to_string())));
    poll_days_in_two_runs(&bench, 27).await;
    assert_eq!(shown(&bench).await, (10, 6, 0, 10), "27 days, and none is reported gone");
    poll_days_in_two_runs(&bench, 8).await;
    assert_eq!(shown(&bench).await, (4, 0, 6, 4));
    assert_eq!(bench.events("10").await, [Initial, Expired]);
}

#[tokio::test]
async fn a_scan_of_two_runs_proves_nothing_until_the_next_of_one() {
    let bench = Bench::new();
    bench.site.list_many(10);
    poll_days(&bench, 3).await;
    drop(bench.site.remove("10"));
    poll_days(&bench, 1).await;
    poll_days_in_two_runs(&bench, 1).await;
    assert_eq!(bench.state("all").await.proves_absence, Some(false));
    assert_eq!(shown(&bench).await, (10, 0, 0, 10), "missed twice, but by one scan that proves it");
    poll_days(&bench, 1).await;
    assert_eq!(bench.state("all").await.proves_absence, Some(true));
    assert_eq!(bench.events("10").await, [Initial, EventKind::Gone]);
    poll_days(&bench, 30).await;
    assert_eq!(shown(&bench).await, (9, 0, 0, 9));
    assert_eq!(bench.home("1").unwrap().history.watch(), Watch::Complete);
}
