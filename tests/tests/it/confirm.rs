//! Unchanged listings that are sent again as a confirmation.

use crate::site::Bench;
use stoop_domain::{EventKind, Status, Time};
use stoop_pipeline::Polled;

use EventKind::{Initial, PriceCut, PriceRise};

/// Polls once an hour, this many times.
async fn poll_hours(bench: &Bench, hours: usize) -> Vec<Polled> {
    let mut polls = Vec::new();
    for _ in 0..hours {
        polls.push(poll(bench).await);
    }
    polls
}

/// Polls at once, and returns at the next full hour.
async fn poll(bench: &Bench) -> Polled {
    let polled = bench.poll().await.unwrap();
    bench.wait_ms(-bench.now().ms().rem_euclid(Time::HOUR_MS));
    polled
}

fn until_midnight(bench: &Bench) -> usize {
    let day_ms = bench.now().ms().rem_euclid(Time::DAY_MS);
    usize::try_from((Time::DAY_MS - day_ms) / Time::HOUR_MS).unwrap()
}

#[tokio::test]
async fn in_forty_days_of_hourly_polls_it_is_confirmed_on_few_days() {
    for (coverage, interval) in [("snapshot", 11), ("changes", 3)] {
        let bench = Bench::with("coverage = \"snapshot\"", &format!("coverage = {coverage:?}"));
        bench.site.list_many(4);
        let began = bench.now();
        let polls = poll_hours(&bench, 40 * 24).await;
        assert_eq!(
            polls.iter().map(|polled| polled.new + polled.changed + polled.gone).sum::<u64>(),
            4,
            "the first time"
        );
        let sent: Vec<(i64, u64)> = (0_i64..).zip(&polls).map(|(hour, polled)| (hour, polled.confirmed)).collect();
        let sent: Vec<(i64, u64)> = sent.into_iter().filter(|(_, confirmed)| *confirmed > 0).collect();
        assert!(sent.iter().all(|(_, confirmed)| *confirmed == 4), "a market's homes are due together: {sent:?}");
        assert!(sent.iter().all(|(hour, _)| (hour + 12) % 24 == 0), "at midnight: {sent:?}");
        assert!((40 / interval..=40 / interval + 1).contains(&(sent.len() as i64)), "{coverage}: {sent:?}");
        assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 == interval * 24), "{sent:?}");
        assert_eq!(polls.iter().map(|polled| polled.sent).sum::<u64>(), 4 + 4 * sent.len() as u64);
        assert!(polls.iter().skip(1).all(|polled| polled.seen_again() == 4));
        assert_eq!(bench.events("1").await, [Initial], "nothing happened");
        let (first, last) = bench.home("1").unwrap().history.seen().unwrap();
        assert_eq!(first, began);
        assert!(bench.now().ms() - last.ms() <= interval * Time::DAY_MS, "{coverage}: {last}");
    }
}

#[tokio::test]
async fn a_doubtful_price_is_sent_on_the_first_poll_of_the_next_day_and_counts_from_then_on() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    bench.site.list("2", 500_000);
    poll_hours(&bench, 2).await;
    bench.site.list("1", 50_000);
    let changed_at = bench.now();
    let day = poll_hours(&bench, until_midnight(&bench)).await;
    assert_eq!(day.iter().map(|polled| (polled.sent, polled.confirmed)).max(), Some((1, 0)));
    assert_eq!(bench.events("1").await, [Initial], "it may be a slip");
    let next = poll_hours(&bench, 3).await;
    let message: Vec<_> = next.iter().map(|polled| (polled.sent, polled.confirmed, polled.changed)).collect();
    assert_eq!(message, [(1, 1, 0), (0, 0, 0), (0, 0, 0)]);
    assert_eq!(bench.events("1").await, [Initial, PriceCut]);
    assert_eq!(bench.home("1").unwrap().history.events()[1].at, changed_at, "as of when it was seen first");

    // A slip that is corrected on the same day was never a price.
    bench.site.list("2", 5_000_000);
    poll_hours(&bench, 2).await;
    bench.site.list("2", 490_000);
    poll_hours(&bench, 24).await;
    assert_eq!(bench.events("2").await, [Initial, PriceCut]);
    // One that is not: a rise, and a cut on the next day.
    bench.site.list("2", 4_900_000);
    poll_hours(&bench, 24).await;
    bench.site.list("2", 490_000);
    poll_hours(&bench, 24).await;
    assert_eq!(bench.events("2").await, [Initial, PriceCut, PriceRise, PriceCut]);
}

#[tokio::test]
async fn a_slip_after_a_slip_is_still_due_on_the_next_day() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    poll(&bench).await;
    for price in [50_000, 49_000] {
        bench.site.list("1", price);
        poll(&bench).await;
    }
    poll_hours(&bench, until_midnight(&bench) + 1).await;
    assert_eq!(bench.events("1").await, [Initial, PriceCut]);
    let cut = bench.home("1").unwrap().history.events()[1].change.unwrap();
    assert_eq!((cut.from.0, cut.to.0), (50_000_000, 4_900_000));
}

#[tokio::test]
async fn a_kill_between_sending_and_saving_confirms_again_and_forgets_no_change() {
    for saves in 0..4 {
        let bench = Bench::new();
        bench.site.list("1", 500_000);
        poll(&bench).await;
        bench.wait_ms(20 * Time::DAY_MS);
        bench.index.die_after_saves(saves);
        let killed = bench.poll().await;
        assert_eq!(killed.is_err(), saves < 2, "a save before sending and one after");
        bench.index.revive();
        assert_eq!(poll(&bench).await.sent, u64::from(saves < 2));
        assert_eq!(poll(&bench).await.sent, 0);
        // Later observations are after all of it, even if a clock was set back.
        bench.wait_ms(-5 * Time::HOUR_MS);
        bench.site.reprice("1", 400_000);
        poll(&bench).await;
        assert_eq!(bench.ends("1").await, (Status::Active, 400_000), "after {saves} saves");
        assert_eq!(bench.events("1").await, [Initial, PriceCut]);
    }
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_confirms_once_and_one_that_was_set_back_waits() {
    let bench = Bench::new();
    bench.site.list_many(3);
    poll(&bench).await;
    bench.set_clock_by_ms(400 * Time::DAY_MS);
    assert_eq!((poll(&bench).await.confirmed, poll(&bench).await.confirmed), (3, 0));
    bench.set_clock_by_ms(-400 * Time::DAY_MS);
    let back = poll_hours(&bench, 15 * 24).await;
    assert_eq!(
        back.iter().map(|polled| polled.sent).sum::<u64>(),
        0,
        "it was sent with a time that is now in the future"
    );
    bench.site.list("1", 90_000);
    assert_eq!(poll(&bench).await.changed, 1);
    assert_eq!(bench.ends("1").await, (Status::Active, 90_000));
}

#[tokio::test]
async fn the_first_of_two_searches_to_see_a_listing_confirms_it() {
    let bench = Bench::new();
    bench.site.list("1", 500_000);
    let polls = async || {
        let one = bench.poll_between("one", 0, 900_000).await.unwrap();
        let two = bench.poll_between("two", 1, 900_000).await.unwrap();
        bench.wait_ms(22 * Time::HOUR_MS);
        [one, two].map(|polled| (polled.sent, polled.confirmed))
    };
    assert_eq!(polls().await, [(1, 0), (1, 0)], "each knows it from now on");
    let mut both = Vec::new();
    for _ in 0..33 {
        both.push(polls().await);
    }
    assert_eq!(both.iter().filter(|sent| **sent == [(1, 1), (0, 0)]).count(), 3, "{both:?}");
    assert_eq!(both.iter().filter(|sent| **sent == [(0, 0), (0, 0)]).count(), 30);
    // A doubtful price as well.
    bench.site.list("1", 50_000);
    assert_eq!([polls().await, polls().await], [[(1, 0), (0, 0)], [(1, 1), (0, 0)]]);
    assert_eq!(bench.events("1").await, [Initial, PriceCut]);
}

#[tokio::test]
async fn sold_listings_are_not_confirmed_and_missing_ones_are_gone_as_before() {
    let bench = Bench::new();
    bench.site.set("1", 500_000, "Closed");
    bench.site.list("2", 500_000);
    bench.site.list("3", 500_000);
    poll(&bench).await;
    let mut confirmed = 0;
    for _ in 0..12 {
        bench.wait_ms(23 * Time::HOUR_MS);
        confirmed += poll(&bench).await.confirmed;
    }
    assert_eq!(confirmed, 2, "each of those on offer once");
    bench.site.remove("2");
    assert_eq!([poll(&bench).await.gone, poll(&bench).await.gone], [0, 1]);
    assert_eq!(bench.ends("2").await, (Status::Gone, 500_000));
    for _ in 0..12 {
        bench.wait_ms(23 * Time::HOUR_MS);
        poll(&bench).await;
    }
    assert_eq!(bench.ends("2").await, (Status::Gone, 500_000), "missing listings are not confirmed");
}
