//! Many prices that move by the same share within a scan: held back until later scans show it, too (ADR 0075).

use stoop_domain::{EventKind, Status};
use stoop_pipeline::{Ruling, RulingVerdict};

use crate::site::{Bench, answer};

const HOMES: usize = 60;
/// As many as may move alike without a word: 20, but in whole pages of three.
const FREE: u64 = 18;
const HELD: u64 = HOMES as u64 - FREE;
const PRICE: i64 = 100_000;

async fn town() -> Bench {
    Bench::with_homes(HOMES).await
}

/// Sets the prices of the first homes.
fn reprice(bench: &Bench, homes: usize, price: impl Fn(usize) -> i64) {
    (1..=homes).for_each(|id| bench.site.reprice(&id.to_string(), price(id)));
}

/// How many homes have this price.
async fn at_price(bench: &Bench, price: i64) -> u64 {
    let mut found = 0;
    for id in 1..=HOMES {
        found += u64::from(bench.ends(&id.to_string()).await == (Status::Active, price));
    }
    found
}

#[tokio::test]
async fn a_slip_of_a_portal_is_reported_once_and_most_of_it_is_kept_out() {
    let bench = town().await;
    reprice(&bench, HOMES, |_| 80_000);
    let first = bench.poll_completely().await;
    assert_eq!((first.changed, first.prices_held, first.gone), (FREE, HELD, 0));
    let message = first.message.unwrap();
    assert!(message.contains("21 prices or more are lower by 20.0 % in one scan: held back"), "{message}");
    let again = bench.poll_completely().await;
    assert_eq!((again.changed, again.prices_held, again.message), (0, HELD, None));
    assert_eq!(at_price(&bench, PRICE).await, HELD);

    reprice(&bench, HOMES, |_| PRICE);
    let back = bench.poll_completely().await;
    assert_eq!((back.changed, back.prices_held), (FREE, 0));
    let message = back.message.unwrap();
    assert!(message.contains("no prices are lower by 20.0 % any more"), "{message}");
    assert_eq!(bench.state("all").await.held_moves, []);
    let mut untouched = 0;
    for id in 1..=HOMES {
        untouched += u64::from(bench.events(&id.to_string()).await == [EventKind::Initial]);
    }
    assert_eq!(untouched, HELD);
}

#[tokio::test]
async fn what_two_more_scans_show_is_believed() {
    let bench = town().await;
    reprice(&bench, HOMES, |_| 105_000);
    assert_eq!(bench.poll_completely().await.prices_held, HELD);
    assert_eq!(bench.poll_completely().await.prices_held, HELD);
    let third = bench.poll_completely().await;
    assert_eq!((third.changed, third.prices_held), (HELD, 0));
    assert_eq!(at_price(&bench, 105_000).await, HOMES as u64);
    assert_eq!(bench.state("all").await.held_moves, []);
    // The next move is judged anew.
    reprice(&bench, HOMES, |_| 110_250);
    assert_eq!(bench.poll_completely().await.prices_held, HELD);
}

#[tokio::test]
async fn a_scan_that_a_later_run_resumes_holds_and_confirms_like_any_other() {
    let bench = town().await;
    let broken_at_page = async |number| {
        bench.site.fault(number, answer(404, &[], ""));
        assert!(bench.poll().await.is_err());
    };
    // On pages 1 to 10, of which the rest of the scan sees nothing.
    reprice(&bench, 30, |_| 80_000);
    broken_at_page(15).await;
    let rest = bench.poll_completely().await;
    assert_eq!((rest.prices_held, rest.message), (0, None));
    assert_eq!(bench.state("all").await.held_moves.len(), 1);
    assert_eq!(bench.poll_completely().await.prices_held, 30 - FREE);
    // Confirmed on page 7.
    broken_at_page(9).await;
    let rest = bench.poll_completely().await;
    assert_eq!((rest.changed, rest.prices_held), (6, 0));
    assert_eq!(bench.state("all").await.held_moves, []);
    assert_eq!(at_price(&bench, 80_000).await, 30);
}

#[tokio::test]
async fn few_that_move_alike_and_many_that_do_not_are_news() {
    let bench = town().await;
    reprice(&bench, 20, |_| 80_000);
    let few = bench.poll_completely().await;
    assert_eq!((few.changed, few.prices_held, few.message), (20, 0, None));
    reprice(&bench, HOMES, |id| 90_000 - 300 * id as i64);
    let many = bench.poll_completely().await;
    assert_eq!((many.changed, many.prices_held), (HOMES as u64, 0));
}

#[tokio::test]
async fn a_person_releases_a_move_at_once_or_keeps_it_out() {
    let bench = town().await;
    let rule = |verdict| bench.database.rule("all", "site", Ruling { verdict, until: bench.now() }).unwrap();
    reprice(&bench, HOMES, |_| 105_000);
    assert_eq!(bench.poll_completely().await.prices_held, HELD);
    rule(RulingVerdict::Release);
    let released = bench.poll_completely().await;
    assert_eq!((released.changed, released.prices_held), (HELD, 0));
    assert!(released.rulings[0].ends_with(": prices higher by 5.0 %"), "{:?}", released.rulings);
    assert_eq!(bench.state("all").await.held_moves, []);

    // The ruling is about the move before it.
    reprice(&bench, HOMES, |_| 84_000);
    let next = bench.poll_completely().await;
    assert_eq!((next.prices_held, next.rulings.len()), (HELD, 0));
    rule(RulingVerdict::Reject);
    for again in 0..4 {
        let kept_out = bench.poll_completely().await;
        assert_eq!((kept_out.changed, kept_out.prices_held), (0, HELD), "{again}");
        assert_eq!(kept_out.rulings.len(), usize::from(again == 0), "it is reported once");
    }
    assert_eq!(bench.database.findings().unwrap()["all"].held_moves.len(), 1, "stoop sources shows it");
    reprice(&bench, HOMES, |_| 105_000);
    assert_eq!(bench.poll_completely().await.prices_held, 0);
    assert_eq!(bench.state("all").await.held_moves, []);
    assert_eq!(at_price(&bench, 105_000).await, HOMES as u64);
}
