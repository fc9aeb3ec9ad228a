//! Polls a simulated portal over real HTTP: the state equals the simulation's, through every fault of the portal.

use std::sync::atomic::Ordering;

use crate::support::{Bench, hours};
use stoop_domain::{EventKind, HomeId, Status, Time};
use stoop_market::{Figures, Segment, Window};
use stoop_pipeline::PollError;
use stoop_pipeline::ports::RunOutcome;
use stoop_simulation::{Fault, KnownFigures};

/// Compares every figure of the answer, for every market.
fn agrees(bench: &Bench, answer: &KnownFigures) {
    stock_agrees(bench, answer);
    let now = bench.now();
    for (market, cells) in bench.database.cells_where(|_| true).unwrap() {
        let figures = Figures::of(&cells, Segment::All, now, &market.area.country().zone);
        for (window, ours) in stoop_simulation::Window::ALL.into_iter().zip(Window::ALL) {
            let flows = serde_json::to_value(figures.flows(ours).unwrap()).unwrap();
            for (name, count) in answer.markets[&market].counts(window).named() {
                assert_eq!(flows[name].as_u64(), Some(count), "{name} in the last {} in {market}", ours.label());
            }
        }
    }
}

/// The stock and its prices, for every market: known after a single scan.
fn stock_agrees(bench: &Bench, answer: &KnownFigures) {
    let now = bench.now();
    let stored = bench.database.cells_where(|_| true).unwrap();
    for (market, cells) in &stored {
        let figures = Figures::of(cells, Segment::All, now, &market.area.country().zone);
        let want = answer.markets.get(market).unwrap_or_else(|| panic!("{market} is in no answer"));
        assert_eq!(figures.active, want.active().cast_signed(), "active in {market}");
        let pairs = [
            (figures.median_price, want.median(), 0.001_01),
            (figures.mean_price, want.mean(), 0.001_01),
            (figures.min_price, want.min(), 0.002_02),
            (figures.max_price, want.max(), 0.002_02),
        ];
        for (got, want, bound) in pairs {
            assert_eq!(got.is_some(), want.is_some(), "{market}");
            if let (Some(got), Some(want)) = (got, want) {
                // The answer's mean and median are whole cents.
                let near = (got / want.0 as f64 - 1.0).abs() <= bound;
                assert!(near, "{got} for {want:?} in {market}");
            }
        }
    }
    let with_homes = answer.markets.values().filter(|figures| figures.active() > 0).count();
    assert!(stored.len() >= with_homes);
}

#[tokio::test]
async fn every_figure_equals_the_simulations_after_thirty_days_of_faults() {
    let bench = Bench::new(40);
    let mut seed = 0x5eed_u64;
    let end = bench.now().plus_ms(30 * Time::DAY_MS);
    let mut polls = 0;
    while let Some(next) = bench.next_at().filter(|next| *next < end) {
        bench.advance(next);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let faults = [
            Fault::ServerError,
            Fault::Unavailable { retry_after_s: 1 },
            Fault::TooManyRequests { retry_after_s: 2 },
            Fault::Html,
            Fault::TruncatedJson,
            Fault::LoopingLink,
            Fault::ForeignLink,
            Fault::Drop,
            Fault::GarbageRow,
        ];
        if (seed >> 33).is_multiple_of(7) {
            bench.portal.faults().plan(faults[(seed >> 40) as usize % faults.len()], 1);
        }
        // A failed poll is retried before the market advances, as the schedule would.
        let mut failed = 0;
        while bench.poll().await.is_err() {
            failed += 1;
            assert!(bench.portal.faults().left() == 0 && failed < 10, "a poll fails only on a fault");
        }
        if bench.refused_rows() {
            // The garbage row was a listing: the next full scan has it whole.
            bench.poll_all().await.unwrap();
        }
        bench.measure().await;
        polls += 1;
    }
    assert!(polls > 100, "{polls} polls are too few to prove anything");
    agrees(&bench, &bench.answer());
    bench.verify();
}

#[tokio::test]
async fn a_poll_made_twice_changes_nothing() {
    let bench = Bench::new(60);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    let first = bench.poll_all().await.unwrap();
    assert!(first.new > 20);
    assert_eq!(bench.measure().await.new, first.new);
    let second = bench.poll_all().await.unwrap();
    assert_eq!((second.listings, second.new, second.changed, second.gone), (first.listings, 0, 0, 0));
    assert_eq!(bench.measure().await.observations, 0);
}

#[tokio::test]
async fn answers_that_are_not_pages_fail_the_poll_with_a_reason_and_lose_nothing() {
    for (fault, times, words) in [
        (Fault::Html, 1, "HTML"),
        (Fault::TruncatedJson, 1, "unreadable"),
        (Fault::LoopingLink, 2, "leads back to the page it stands on"),
        (Fault::ForeignLink, 1, "link to the next page"),
        (Fault::ServerError, 5, "status 500, 5 times"),
        (Fault::Drop, 5, "5 times"),
    ] {
        let bench = Bench::new(60);
        bench.advance(bench.now().plus_ms(hours(24 * 20)));
        bench.portal.faults().plan(fault, times);
        let error = bench.poll().await.unwrap_err();
        assert!(error.to_string().contains(words), "{fault:?}: {error}");
        assert!(matches!(error, PollError::Source(_)));
        let run = bench.database.runs(1).unwrap().remove(0);
        assert_eq!(run.outcome, RunOutcome::Failed);
        assert_eq!(run.message, Some(error.to_string()));
        bench.portal.faults().clear();
        let mut partial = 0;
        while bench.poll().await.unwrap().outcome != Some(RunOutcome::Complete) {
            partial += 1;
            assert!(partial < 100, "no poll is complete");
        }
        bench.measure().await;
        stock_agrees(&bench, &bench.answer());
    }
}

#[tokio::test]
async fn a_portal_without_an_end_is_read_up_to_the_bound() {
    let bench = Bench::new(30);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.portal.faults().plan(Fault::EndlessLink, usize::from(u16::MAX));
    let polled = bench.poll().await.unwrap();
    assert_eq!(polled.outcome, Some(RunOutcome::Partial));
    assert!(polled.message.unwrap().contains("broken off after"));
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let bench = Bench::new(30);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.portal.faults().plan(Fault::TooManyRequests { retry_after_s: 45 }, 1);
    let before = bench.slept_ms();
    bench.poll().await.unwrap();
    assert!(bench.slept_ms() - before >= 45_000);
}

#[tokio::test]
async fn a_retry_after_of_an_hour_is_obeyed_by_every_poll() {
    let bench = Bench::new(60);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.portal.faults().plan(Fault::Unavailable { retry_after_s: 3_600 }, 1);
    let began = bench.now();
    for poll in 0..3 {
        let polled = bench.poll().await.unwrap();
        let outcome = if poll == 0 { RunOutcome::Failed } else { RunOutcome::Partial };
        assert_eq!((polled.outcome, polled.requests), (Some(outcome), u64::from(poll == 0)), "refused, then not asked");
        let until = polled.held_until.unwrap();
        assert!((3_600_000..3_601_000).contains(&(until.ms() - began.ms())), "{until}");
        let expected = format!("status 503: the server asks to wait, until {until}; a later run goes on from here");
        assert!(polled.message.unwrap().ends_with(&expected));
        assert!(bench.now().ms() - began.ms() < 1_000, "no poll waits that long");
    }
    bench.advance(began.plus_ms(3_601_000));
    assert_eq!(bench.poll().await.unwrap().outcome, Some(RunOutcome::Complete));
}

#[tokio::test]
async fn one_garbage_price_goes_to_quarantine_and_its_home_is_kept() {
    let bench = Bench::new(60);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.portal.faults().plan(Fault::GarbageRow, 1);
    let polled = bench.poll().await.unwrap();
    assert_eq!((polled.rejects, polled.values_refused), (0, 1));
    let reject = bench.database.quarantined(10).unwrap().remove(0);
    assert!(reject.detail.contains("ListPrice"), "{}", reject.detail);
    assert_eq!(bench.measure().await.new, polled.new);
    let priced = |id: &str| {
        let home = bench.database.home(&HomeId(id.into())).unwrap().unwrap().value;
        home.history.current().unwrap().list_price
    };
    let home = format!("{}/{}", reject.source, reject.location.rsplit_once("listing ").unwrap().1);
    assert_eq!(priced(&home), None, "it is kept without a price");
    bench.poll_all().await.unwrap();
    bench.measure().await;
    assert!(priced(&home).is_some(), "until the next scan");
}

#[tokio::test]
async fn a_listing_is_gone_after_two_complete_scans_miss_it_not_after_one() {
    let bench = Bench::new(60);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.poll_all().await.unwrap();
    bench.measure().await;
    bench.show_only(50);
    assert_eq!(bench.poll_all().await.unwrap().gone, 0, "once is not enough");
    bench.show_only(50);
    bench.portal.faults().plan(Fault::Html, 1);
    assert!(bench.poll_all().await.is_err(), "a scan that fails proves nothing");
    bench.advance(bench.now().plus_ms(10 * 60_000));
    let second = bench.poll_all().await.unwrap();
    assert!(second.gone > 0);
    bench.measure().await;
    let homes = bench.database.homes_after(None, 1_000).unwrap();
    let gone = homes.iter().filter(|(_, home)| home.history.current().unwrap().status == Status::Gone);
    let events = gone.clone().flat_map(|(_, home)| home.history.events());
    assert_eq!(gone.count() as u64, second.gone);
    assert!(events.filter(|event| event.kind == EventKind::Gone).count() as u64 == second.gone, "each was on offer");
    bench.show_only(50);
    assert_eq!(bench.poll_all().await.unwrap().gone, 0, "gone is sent once");

    // The portal shows them again, unchanged, with the earlier times.
    bench.show_only(60);
    assert_eq!(bench.poll_all().await.unwrap().changed, second.gone);
    bench.measure().await;
    stock_agrees(&bench, &bench.answer());
    bench.verify();
}

#[tokio::test]
async fn a_stopped_poll_continues_where_it_stopped() {
    let bench = Bench::new(300);
    bench.advance(bench.now().plus_ms(hours(24 * 20)));
    bench.stop_after_pages.store(2, Ordering::SeqCst);
    let first = bench.poll().await.unwrap();
    assert_eq!((first.outcome, first.pages), (Some(RunOutcome::Partial), 2));
    bench.stop_after_pages.store(u64::MAX, Ordering::SeqCst);
    let second = bench.poll().await.unwrap();
    assert_eq!(second.outcome, Some(RunOutcome::Complete));
    bench.measure().await;
    stock_agrees(&bench, &bench.answer());
    let pages = (bench.shown() as u64).div_ceil(crate::support::PAGE);
    assert_eq!(first.pages + second.pages, pages.max(first.pages + 1), "no page was read twice");
}
