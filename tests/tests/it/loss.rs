//! Implausibly large losses: held back, confirmed by time, released or rejected (ADR 0037).

use stoop_domain::{EventKind, Status, Time};
use stoop_pipeline::ports::{IndexChanges, RunOutcome, SearchIndex, SearchState};
use stoop_pipeline::{HeldBack, Ruling, RulingVerdict};

use crate::site::{Bench, answer};

const HOMES: usize = 60;

/// A site with sixty homes that were seen.
async fn town() -> Bench {
    Bench::with_homes(HOMES).await
}

/// Makes the site answer that it is empty.
fn empty(bench: &Bench) {
    bench.site.always(answer(200, &[], r#"{"listings":[],"total":0}"#));
}

/// Removes the homes from `from` to `to`, polls `polls` times, and restores them. Returns how many were gone.
async fn without(bench: &Bench, from: usize, to: usize, polls: usize) -> Vec<u64> {
    let rows: Vec<_> = (from..=to).map(|id| bench.site.remove(&id.to_string())).collect();
    let mut gone = Vec::new();
    for _ in 0..polls {
        gone.push(bench.poll_completely().await.gone);
    }
    rows.into_iter().for_each(|row| bench.site.restore(row));
    gone
}

/// Each home was there when the search began, and has had no event since.
async fn nothing_happened(bench: &Bench) {
    for id in 1..=HOMES {
        assert_eq!(bench.events(&id.to_string()).await, [EventKind::Initial], "{id}");
    }
    assert_eq!(bench.state("all").await.held_back, None);
}

fn rule(bench: &Bench, verdict: RulingVerdict) {
    bench.database.rule("all", "site", Ruling { verdict, until: bench.now() }).unwrap();
}

#[tokio::test]
async fn two_empty_answers_erase_no_market() {
    let bench = town().await;
    empty(&bench);
    let held_at = bench.now();
    for again in 0..2 {
        let polled = bench.poll_completely().await;
        let held = polled.held_back.unwrap();
        assert_eq!((polled.gone, held.listings, held.held, held.since), (0, 60, 60, held_at), "{again}");
        assert_eq!(held.until, held_at.plus_ms(24 * Time::HOUR_MS));
        let message = polled.message.unwrap();
        assert!(message.starts_with(&format!("60 of 60 listings are missing since {held_at}: ")), "{message}");
        assert_eq!(bench.state("all").await.held_back, Some(held));
        assert_eq!(bench.database.findings().unwrap()["all"].held_back, Some(held), "stoop sources shows it");
        bench.wait_ms(1_000 - Time::HOUR_MS);
    }
    bench.site.as_it_is();
    let back = bench.poll_completely().await;
    assert_eq!((back.new, back.changed, back.held_back, back.message), (0, 0, None, None));
    nothing_happened(&bench).await;
}

#[tokio::test]
async fn a_market_empty_for_a_day_is_gone_as_of_the_first_miss() {
    let bench = town().await;
    empty(&bench);
    let first_miss = bench.now();
    let mut gone = Vec::new();
    while gone.last() != Some(&60) {
        gone.push(bench.poll_completely().await.gone);
        assert!(gone.len() < 30, "{gone:?}");
    }
    assert_eq!(gone.len(), 25, "polled every hour, and believed a day after the first");
    assert_eq!(bench.poll_completely().await.gone, 0, "said once");
    assert_eq!(bench.ends("7").await, (Status::Gone, 100_000));
    let events = bench.home("7").unwrap().history.events();
    assert_eq!(events.iter().map(|event| (event.kind, event.at)).next_back(), Some((EventKind::Gone, first_miss)));
    bench.site.as_it_is();
    bench.poll_completely().await;
    assert_eq!(bench.events("7").await, [EventKind::Initial, EventKind::Gone, EventKind::BackOnMarket]);
}

#[tokio::test]
async fn a_portal_that_loses_half_for_hours_changes_nothing() {
    let bench = town().await;
    for _ in 0..40 {
        empty(&bench);
        assert_eq!(bench.poll_completely().await.gone, 0);
        bench.site.as_it_is();
        bench.poll_completely().await;
    }
    nothing_happened(&bench).await;
    // Half of it for eleven hours, then the other half.
    assert_eq!(without(&bench, 1, 30, 11).await, [0; 11]);
    assert_eq!(without(&bench, 31, 60, 11).await, [0; 11]);
    bench.poll_completely().await;
    nothing_happened(&bench).await;
}

#[tokio::test]
async fn the_larger_the_share_the_longer_it_must_be_missing() {
    // Polled every hour: the first scan that misses it, and those that miss it again.
    for (lost, scans) in [(10, 2), (12, 2), (13, 7), (23, 7), (24, 13), (47, 13), (48, 25)] {
        let bench = town().await;
        let mut expected = vec![0; scans];
        *expected.last_mut().unwrap() = lost as u64;
        assert_eq!(without(&bench, 1, lost, scans).await, expected, "{lost} of {HOMES}");
    }
}

#[tokio::test]
async fn two_scans_a_second_apart_count_as_one() {
    let bench = town().await;
    let row = bench.site.remove("7");
    for after_ms in [1_000, 10 * 60_000] {
        assert_eq!(bench.poll_completely().await.gone, 0);
        bench.wait_ms(after_ms - Time::HOUR_MS);
    }
    assert_eq!(bench.poll_completely().await.gone, 1, "ten minutes after the first miss");
    bench.site.restore(row);
    bench.poll_completely().await;
    assert_eq!(bench.events("7").await, [EventKind::Initial, EventKind::Gone, EventKind::BackOnMarket]);
}

#[tokio::test]
async fn a_shrinking_loss_is_like_any_other_and_returning_homes_were_never_gone() {
    let bench = town().await;
    let away: Vec<_> = (1..=40).map(|id| bench.site.remove(&id.to_string())).collect();
    for _ in 0..3 {
        assert_eq!(bench.poll_completely().await.gone, 0);
    }
    away.into_iter().skip(9).for_each(|row| bench.site.restore(row));
    let polled = bench.poll_completely().await;
    assert_eq!((polled.gone, polled.held_back, polled.changed, polled.new), (9, None, 0, 0));
    assert_eq!(bench.events("9").await, [EventKind::Initial, EventKind::Gone]);
    assert_eq!(bench.events("10").await, [EventKind::Initial]);
}

#[tokio::test]
async fn an_operator_releases_a_loss() {
    let bench = town().await;
    empty(&bench);
    let first_miss = bench.now();
    bench.poll_completely().await;
    rule(&bench, RulingVerdict::Release);
    let polled_now = bench.poll_completely().await;
    assert_eq!((polled_now.gone, polled_now.held_back), (60, None));
    assert!(polled_now.message.unwrap().starts_with("release 2026-"), "the run has the ruling");
    bench.measure().await;
    let event = bench.home("7").unwrap().history.events().pop().unwrap();
    assert_eq!((event.kind, event.at), (EventKind::Gone, first_miss));

    // The ruling does not affect the next loss.
    bench.site.as_it_is();
    bench.poll_completely().await;
    empty(&bench);
    for _ in 0..3 {
        let polled = bench.poll_completely().await;
        assert_eq!((polled.gone, polled.held_back.map(|held| held.listings)), (0, Some(60)));
    }
}

#[tokio::test]
async fn a_release_affects_neither_returned_nor_later_missing_listings() {
    let bench = town().await;
    let mut away: Vec<_> = (1..=30).map(|id| bench.site.remove(&id.to_string())).collect();
    bench.poll_completely().await;
    rule(&bench, RulingVerdict::Release);
    bench.site.restore(away.remove(0));
    bench.site.remove("31");
    assert_eq!(bench.poll_completely().await.gone, 29);
    assert_eq!([bench.ends("1").await.0, bench.ends("31").await.0], [Status::Active; 2]);
    assert_eq!(bench.poll_completely().await.gone, 1, "the one that left later, an hour after it was missed first");
}

#[tokio::test]
async fn an_operator_rejects_a_loss_and_it_starts_over() {
    let bench = town().await;
    empty(&bench);
    for _ in 0..24 {
        assert_eq!(bench.poll_completely().await.gone, 0);
    }
    rule(&bench, RulingVerdict::Reject);
    let begins_anew = bench.now();
    for _ in 0..24 {
        let polled = bench.poll_completely().await;
        assert_eq!((polled.gone, polled.held_back.map(|held| held.since)), (0, Some(begins_anew)));
    }
    assert_eq!(bench.poll_completely().await.gone, 60);
}

#[tokio::test]
async fn an_invalid_ruling_is_reported_and_changes_nothing() {
    let bench = town().await;
    bench.database.set_setting("ruling/site/all", "yes please").unwrap();
    assert_eq!(bench.poll_completely().await.message, None, "the ruling is not read while nothing is held back");
    empty(&bench);
    bench.poll_completely().await;
    let polled = bench.poll_completely().await;
    assert_eq!((polled.gone, polled.held_back.map(|held| held.listings)), (0, Some(60)));
    assert!(polled.message.unwrap().contains("\"yes please\" is not a ruling; accepted: \"release "));
}

#[tokio::test]
async fn a_kill_between_holding_back_and_reporting_loses_nothing() {
    for release in [false, true] {
        let bench = town().await;
        empty(&bench);
        let first_miss = bench.now();
        for _ in 0..24 {
            bench.poll_completely().await;
        }
        if release {
            bench.wait_ms(-20 * Time::HOUR_MS);
            rule(&bench, RulingVerdict::Release);
        }
        // The decision is saved and the stream refuses it; then it is sent and not saved.
        bench.stream.refuse_all(true);
        bench.poll().await.unwrap_err();
        bench.stream.refuse_all(false);
        bench.index.die_after_saves(1);
        bench.poll().await.unwrap_err();
        bench.index.revive();
        let polled = bench.poll_completely().await;
        assert_eq!((polled.gone, polled.held_back), (60, None), "{release}");
        assert_eq!(bench.events("7").await, [EventKind::Initial, EventKind::Gone]);
        if !release {
            let event = bench.home("7").unwrap().history.events().pop().unwrap();
            assert_eq!(event.at, first_miss);
        }
    }
}

#[tokio::test]
async fn a_loss_that_could_not_be_saved_begins_with_the_next_scan() {
    let bench = town().await;
    empty(&bench);
    bench.index.die_after_saves(0);
    bench.poll().await.unwrap_err();
    bench.index.revive();
    let since = bench.now();
    assert_eq!(bench.poll_completely().await.held_back.map(|held| held.since), Some(since));
}

#[tokio::test]
async fn two_searches_of_one_source_hold_back_their_own_losses() {
    let bench = Bench::with("pages_max = 4", "pages_max = 400");
    bench.site.list_many(HOMES);
    let poll = async |name: &str| bench.poll_between(name, 0, i64::MAX).await.unwrap();
    poll("one").await;
    poll("two").await;
    empty(&bench);
    for _ in 0..6 {
        for name in ["one", "two"] {
            assert_eq!(poll(name).await.gone, 0, "{name}");
        }
    }
    bench.site.as_it_is();
    for name in ["one", "two"] {
        let polled = poll(name).await;
        assert_eq!((polled.new, polled.changed, polled.gone, polled.held_back), (0, 0, 0, None), "{name}");
    }
    assert_eq!(bench.events("7").await, [EventKind::Initial]);

    // Listings that one of them lacks and the other has are not a loss.
    bench.site.list_many(HOMES);
    let moved = async || bench.poll_between("one", 1_000_000, i64::MAX).await.unwrap();
    let polled = moved().await;
    assert_eq!((polled.gone, polled.held_back), (0, None));
}

#[tokio::test]
async fn a_clock_that_jumps_confirms_no_loss_and_delays_none_for_ever() {
    for hours in [48, -48] {
        let bench = town().await;
        empty(&bench);
        bench.poll_completely().await;
        bench.set_clock_by_ms(hours * Time::HOUR_MS);
        let mut gone = Vec::new();
        while gone.last() != Some(&60) {
            gone.push(bench.poll_completely().await.gone);
            assert!(gone.len() < 30, "{hours}: {gone:?}");
        }
        assert_eq!(gone.len(), 24, "{hours}: a day of polls, whatever the clock");
        assert_eq!(bench.events("7").await, [EventKind::Initial, EventKind::Gone], "{hours}");
    }
}

#[tokio::test]
async fn a_resumed_or_partial_scan_neither_begins_nor_ends_a_loss() {
    let bench = town().await;
    let away: Vec<_> = (1..=30).map(|id| bench.site.remove(&id.to_string())).collect();
    bench.site.fault(3, answer(404, &[], "not there"));
    bench.poll().await.unwrap_err();
    let resumed = bench.poll().await.unwrap();
    assert_eq!((resumed.outcome, resumed.held_back, resumed.gone), (Some(RunOutcome::Complete), None, 0));
    let since = bench.now();
    let held = Some(HeldBack { listings: 30, held: 60, since, until: since.plus_ms(12 * Time::HOUR_MS) });
    assert_eq!(bench.poll_completely().await.held_back, held);
    bench.site.fault(3, answer(404, &[], "not there"));
    bench.poll().await.unwrap_err();
    let resumed = bench.poll().await.unwrap();
    assert_eq!((resumed.held_back, resumed.gone), (held, 0), "it is reported until the next complete scan");
    away.into_iter().for_each(|row| bench.site.restore(row));
    bench.poll_completely().await;
    nothing_happened(&bench).await;
}

#[tokio::test]
async fn polled_once_a_day_a_loss_is_confirmed_at_the_next_poll() {
    let bench = town().await;
    let once_a_day = async || {
        bench.wait_ms(23 * Time::HOUR_MS);
        bench.poll_completely().await.gone
    };
    empty(&bench);
    assert_eq!([once_a_day().await, once_a_day().await], [0, 60]);
}

#[tokio::test]
async fn an_older_index_is_read_and_its_losses_start_over() {
    let bench = town().await;
    let state = bench.state("all").await;
    let mut text = serde_json::to_value(&state).unwrap();
    for entry in text["listings"].as_object_mut().unwrap().values_mut() {
        entry["missed"] = 1.into();
        entry.as_object_mut().unwrap().remove("missing_since");
    }
    let of_before: SearchState = serde_json::from_value(text).unwrap();
    assert!(
        bench
            .database
            .save("all", &SearchState { version: state.version, ..of_before }, &IndexChanges::All)
            .await
            .unwrap()
    );
    let row = bench.site.remove("7");
    assert_eq!([bench.poll_completely().await.gone, bench.poll_completely().await.gone], [0, 1]);
    bench.site.restore(row);
}

/// Polls a search of the whole site under another name, once a day. Returns how many were gone.
async fn days_of(bench: &Bench, search: &str, days: usize) -> Vec<u64> {
    let mut gone = Vec::new();
    for _ in 0..days {
        gone.push(bench.poll_between(search, 0, i64::MAX).await.unwrap().gone);
        bench.wait_ms(Time::DAY_MS - Time::HOUR_MS);
    }
    gone
}

#[tokio::test]
async fn a_renamed_search_keeps_no_home_on_the_market() {
    let bench = town().await;
    days_of(&bench, "renamed", 3).await;
    let row = bench.site.remove("7");
    let first_miss = bench.now();
    let gone = days_of(&bench, "renamed", 12).await;
    assert_eq!(gone.iter().sum::<u64>(), 1, "{gone:?}");
    assert!(gone[..5].iter().all(|gone| *gone == 0), "the other search may still poll: {gone:?}");
    bench.measure().await;
    let events = bench.home("7").unwrap().history.events();
    assert_eq!(events.last().map(|event| (event.kind, event.at)), Some((EventKind::Gone, first_miss)));
    assert_eq!(bench.ends("8").await, (Status::Active, 100_000));

    // It is polled again under both names, and the old one notices the return.
    bench.site.restore(row);
    bench.poll_completely().await;
    assert_eq!(bench.events("7").await, [EventKind::Initial, EventKind::Gone, EventKind::BackOnMarket]);
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_a_sleep_confirm_nothing() {
    let bench = town().await;
    // Ahead by less than is refused: sightings keep that time.
    bench.set_clock_by_ms(25 * Time::HOUR_MS);
    bench.poll_completely().await;
    bench.set_clock_by_ms(-25 * Time::HOUR_MS);
    let away: Vec<_> = (1..=20).map(|id| bench.site.remove(&id.to_string())).collect();
    assert_eq!(bench.poll_completely().await.gone, 0);
    bench.set_clock_by_ms(7 * Time::HOUR_MS);
    for _ in 0..3 {
        assert_eq!(bench.poll_completely().await.gone, 0, "no six hours have passed");
    }
    away.into_iter().for_each(|row| bench.site.restore(row));
    bench.poll_completely().await;
    nothing_happened(&bench).await;
}
