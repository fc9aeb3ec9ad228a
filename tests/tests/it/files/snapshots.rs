//! Files that are complete snapshots: listings that they lack are gone, as of their time.

use std::collections::BTreeSet;

use super::{Inbox, MAP, SEEN, csv, timed, written};
use stoop_dice::Dice;
use stoop_domain::{EventKind, Reason, Status, Time};
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{Ruling, RulingVerdict};
use stoop_sources::Coverage;

#[tokio::test]
async fn listings_that_a_snapshot_lacks_are_gone_as_of_it() {
    let inbox = Inbox::new(Coverage::Snapshot);
    let all = csv(&[("1", 500), ("2", 600), ("3", 700)]);
    inbox.put("a.csv", 600, &all);
    inbox.put("b.csv", 500, csv(&[("1", 500), ("3", 700)]));
    inbox.put("c.csv", 400, csv(&[("1", 500), ("3", 700)]));
    assert_eq!(inbox.polled().await.gone, 1, "a backlog of exports is worked off as if each came in its time");
    use EventKind::{BackOnMarket, Gone, Initial};
    assert_eq!(inbox.events("2").await, [(Initial, 600), (Gone, 500)]);

    // An older export comes late: it adds to the past and does not change the present.
    inbox.put("late.csv", 550, csv(&[("1", 500)]));
    inbox.put("late too.csv", 450, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 0);
    assert_eq!(inbox.bench.ends("3").await, (Status::Active, 700));
    // The later file said nothing of it, because it was gone; the next one reports it as of its own time.
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
    inbox.put("d.csv", 350, csv(&[("1", 500), ("3", 700)]));
    assert_eq!(inbox.polled().await.gone, 1);
    let message = [(Initial, 600), (Gone, 500), (BackOnMarket, 450), (Gone, 400)];
    assert_eq!(inbox.events("2").await, message);

    inbox.put("e.csv", 300, &all);
    assert_eq!((inbox.polled().await.gone, inbox.bench.ends("2").await), (0, (Status::Active, 600)));
    // Of this many changes in one day a history keeps the first and the last.
    assert_eq!(inbox.events("2").await, [(Initial, 600), (Gone, 500), (BackOnMarket, 300)]);
}

/// A snapshot of the homes in this range.
fn homes(range: std::ops::Range<i64>) -> String {
    let rows: Vec<_> = range.map(|id| (id.to_string(), 500 + id)).collect();
    csv(&rows.iter().map(|(id, price)| (id.as_str(), *price)).collect::<Vec<_>>())
}

const HOUR: i64 = 60;

#[tokio::test]
async fn a_truncated_export_removes_nothing() {
    let inbox = Inbox::new(Coverage::Snapshot);
    for (i, range) in [0..100, 0..99, 0..45, 0..45, 0..99].into_iter().enumerate() {
        inbox.put(&format!("{i}.csv"), 40 * HOUR - 5 * HOUR * i64::try_from(i).unwrap(), homes(range));
        let polled = inbox.polled().await;
        assert_eq!(polled.gone, u64::from(i == 1), "{i}");
        let held = polled.held_back.map(|held| (held.listings, held.held));
        assert_eq!(held, [2, 3].contains(&i).then_some((54, 99)), "{i}");
        assert_eq!(
            polled.message.is_some_and(|message| message.starts_with("54 of 99 listings are missing")),
            held.is_some()
        );
    }
    use EventKind::{Gone, Initial};
    assert_eq!(inbox.events("98").await, [(Initial, 40 * HOUR)]);
    assert_eq!(inbox.events("99").await, [(Initial, 40 * HOUR), (Gone, 35 * HOUR)]);
}

#[tokio::test]
async fn a_large_loss_is_confirmed_by_the_times_of_the_files_and_gone_as_of_the_first() {
    let inbox = Inbox::new(Coverage::Snapshot);
    // All files are there at once: polls are an hour apart.
    for (hours_ago, range) in [(40, 0..100), (30, 0..45), (24, 0..45), (18, 0..45)] {
        inbox.put(&format!("{hours_ago}.csv"), hours_ago * HOUR, homes(range));
    }
    assert_eq!(inbox.polled().await.gone, 55);
    use EventKind::{Gone, Initial};
    assert_eq!(inbox.events("99").await, [(Initial, 40 * HOUR), (Gone, 30 * HOUR)]);
}

#[tokio::test]
async fn a_loss_of_files_is_released_or_rejected_without_another_file() {
    for verdict in [RulingVerdict::Release, RulingVerdict::Reject] {
        let inbox = Inbox::new(Coverage::Snapshot);
        inbox.put("a.csv", 40 * HOUR, homes(0..100));
        inbox.put("b.csv", 30 * HOUR, homes(0..45));
        assert_eq!(inbox.polled().await.held_back.map(|held| held.listings), Some(55));
        assert_eq!(inbox.polled().await.held_back.map(|held| held.listings), Some(55), "reported until it is over");
        inbox.bench.database.rule("inbox", "site", Ruling { verdict, until: written(30 * HOUR).plus_ms(1) }).unwrap();
        // The decision is saved, and the run killed before it is on the stream.
        inbox.bench.stream.refuse_all(true);
        let release = verdict == RulingVerdict::Release;
        assert_eq!(inbox.poll().await.is_err(), release);
        inbox.bench.stream.refuse_all(false);
        let polled = inbox.polled().await;
        assert_eq!((polled.gone, polled.held_back), (if release { 55 } else { 0 }, None), "{verdict}");
        use EventKind::{Gone, Initial};
        let expected = [(Initial, 40 * HOUR), (Gone, 30 * HOUR)];
        assert_eq!(inbox.events("99").await, expected[..if release { 2 } else { 1 }], "{verdict}");
        // The loss is forgotten, so it begins anew with the next file, a day later.
        inbox.put("c.csv", 6 * HOUR, homes(0..45));
        let held = inbox.polled().await.held_back.map(|held| held.listings);
        assert_eq!(held, (!release).then_some(55), "{verdict}");
    }
}

#[tokio::test]
async fn weekly_exports_give_the_inventory_of_the_last_one() {
    let inbox = Inbox::new(Coverage::Snapshot);
    let mut dice = Dice::new(7);
    let mut on_sale: BTreeSet<i64> = (0..400).collect();
    for week in 0..8 {
        // Some leave, some come, and some that left come back.
        on_sale.retain(|_| !dice.one_in(8));
        on_sale.extend((0..40).map(|_| dice.below(600_i64)));
        let rows: Vec<_> = on_sale.iter().map(|id| (id.to_string(), 500)).collect();
        let rows: Vec<_> = rows.iter().map(|(id, price)| (id.as_str(), *price)).collect();
        inbox.put(&format!("{week}.csv"), (8 - week) * 7 * 24 * HOUR, csv(&rows));
    }
    assert!(inbox.polled().await.gone > 200);
    inbox.bench.measure().await;
    let homes = inbox.bench.database.homes_after(None, usize::MAX).unwrap();
    let active = homes.iter().filter(|(_, home)| home.history.current().unwrap().status == Status::Active);
    let active: BTreeSet<i64> = active.map(|(id, _)| id.0.rsplit_once('/').unwrap().1.parse().unwrap()).collect();
    assert_eq!(active, on_sale);
}

#[tokio::test]
async fn a_snapshot_that_proves_nothing_reports_nothing_gone() {
    let inbox = Inbox::new(Coverage::Snapshot);
    inbox.put("a.csv", 600, csv(&[("1", 500), ("2", 600)]));
    inbox.polled().await;
    for (i, (text, says)) in [
        ("id,price\n1,500\n,600\n", "1 rows were not understood: nothing is said to be gone"),
        ("id,price\n", "there is no listing in it: nothing is said to be gone"),
        ("id,price\n1,500\n2,cheap\n", ""),
    ]
    .into_iter()
    .enumerate()
    {
        for again in 0..3 {
            inbox.put(&format!("{i}-{again}.csv"), 500 - 10 * (3 * i64::try_from(i).unwrap() + again), text);
        }
        let polled = inbox.polled().await;
        assert_eq!((polled.files, polled.gone, polled.outcome), (3, 0, Some(RunOutcome::Complete)), "{text}");
        assert!(polled.message.unwrap_or_default().contains(says), "{text}");
    }
    inbox.put("9.csv", 100, csv(&[("1", 500), ("2", 600)]));
    inbox.polled().await;
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
    assert_eq!(inbox.events("2").await.len(), 1, "it was there, for a while without a price");
}

#[tokio::test]
async fn a_snapshots_sightings_have_its_own_time_whatever_its_rows_say() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map += SEEN;
    // The date does not change, and a clock runs ahead of the file's.
    inbox.put("a.csv", 600, timed(&[("1", 400, 2_000), ("2", 400, 500), ("3", 700, 2_000)]));
    inbox.put("b.csv", 500, timed(&[("1", 500, 2_000), ("2", 500, 400), ("3", 700, 2_000)]));
    inbox.put("c.csv", 400, timed(&[("1", 400, 2_000), ("2", 400, 400), ("3", 700, 2_000)]));
    inbox.polled().await;
    use EventKind::{Gone, Initial, New, PriceCut, PriceRise};
    for id in ["1", "2"] {
        assert_eq!(inbox.events(id).await, [(Initial, 600), (PriceRise, 500), (PriceCut, 400)], "{id}");
    }
    // Listings that appear after the first file are new, and missing ones are gone as of the first file that lacks
    // them.
    inbox.put("d.csv", 300, timed(&[("1", 400, 2_000), ("2", 400, 400), ("4", 700, 250)]));
    inbox.put("e.csv", 200, timed(&[("1", 400, 2_000), ("2", 400, 400), ("4", 700, 250)]));
    inbox.polled().await;
    assert_eq!(inbox.events("4").await, [(New, 300)]);
    assert_eq!(inbox.events("3").await, [(Initial, 600), (Gone, 300)]);
}

/// What the third of three nightly exports adds to the full history in each of them.
const NIGHTS: [&[(&str, i64, i64)]; 3] =
    [&[("1", 500, 900), ("2", 700, 900)], &[("1", 450, 550)], &[("1", 440, 450), ("1", 430, 450)]];

#[tokio::test]
async fn snapshots_with_history_send_it_once() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map = format!("history = true\norder = \"any\"\n{MAP}{SEEN}");
    for (night, minutes_ago) in [(0, 600), (1, 500), (2, 400)] {
        let rows = NIGHTS[..=night].concat();
        inbox.put(&format!("{night}.csv"), minutes_ago, timed(&rows));
    }
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete));
    use EventKind::{Gone, New, PriceCut};
    let message = [(New, 900), (PriceCut, 550), (PriceCut, 450), (PriceCut, 450)];
    assert_eq!(inbox.events("1").await, message);
    // Listings that they lack are gone anyway.
    for minutes_ago in [300, 200] {
        inbox.put(&format!("{minutes_ago}.csv"), minutes_ago, timed(&NIGHTS[1..].concat()));
    }
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, message);
    assert_eq!(inbox.events("2").await, [(New, 900), (Gone, 300)]);
}

#[tokio::test]
async fn another_row_of_a_listing_in_one_snapshot_is_refused() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map = format!("order = \"any\"\n{MAP}{SEEN}");
    for night in 0..3 {
        let others = |id: i64| (format!("h{id}"), 900 + id + night, 900);
        let others: Vec<_> = (0..2_500).map(others).collect();
        let others = others.iter().map(|(id, price, ago)| (id.as_str(), *price, *ago));
        // A different row, later or earlier, is refused; an equal one is not.
        let (first, more) = ([("1", 500, 800)], [("1", 450, 700), ("1", 430, 900), ("1", 500, 800)]);
        let rows: Vec<_> = first.into_iter().chain(others).chain(more).collect();
        inbox.put(&format!("{night}.csv"), 600 - 100 * night, timed(&rows));
    }
    // Each page is a run, so that another run has read the first row.
    let mut runs = 0;
    loop {
        inbox.bench.stop_in_a_pause_of_ms(1);
        inbox.bench.stream.refuse([vec![0]]);
        let polled = inbox.polled().await;
        inbox.bench.stop_no_more();
        inbox.bench.stream.refuse([]);
        runs += 1;
        assert!(runs < 20, "no run is complete: {polled:?}");
        if polled.outcome == Some(RunOutcome::Complete) {
            break;
        }
    }
    assert!((6..20).contains(&runs), "{runs}");
    assert_eq!(inbox.events("1").await, [(EventKind::Initial, 600)]);
    let refused = inbox.bench.database.quarantined(99).unwrap();
    let message = refused.iter().map(|reject| (reject.reason, reject.detail.contains("history = true")));
    assert_eq!(message.collect::<Vec<_>>(), [(Reason::Repeated, true); 6]);
    assert_eq!(inbox.bench.state("inbox").await.listings.len(), 2_501);
}

#[tokio::test]
async fn snapshots_copied_together_are_judged_by_the_times_in_their_names() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map += "observed_at = { file_name = '(\\d{4}-\\d{2}-\\d{2})', date = \"%Y-%m-%d\" }\n";
    // The oldest was written last.
    let homes = |from: usize| -> Vec<(String, i64)> { (from..from + 30).map(|id| (id.to_string(), 500)).collect() };
    for (week, day) in ["2025-12-01", "2025-12-08", "2025-12-15"].into_iter().enumerate() {
        let rows = homes(week * 2);
        let rows: Vec<(&str, i64)> = rows.iter().map(|(id, price)| (&**id, *price)).collect();
        inbox.put(&format!("export-{day}.csv"), 10 * (week as i64 + 1), csv(&rows));
    }
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.gone, polled.new), (3, 4, 34));
    inbox.bench.measure().await;
    let ends = |id: &str| {
        let home = inbox.bench.home(id).unwrap();
        let last = home.history.events().into_iter().next_back().unwrap();
        (last.kind, last.at.to_string())
    };
    assert_eq!(ends("0"), (EventKind::Gone, "2025-12-08T00:00:00Z".to_owned()));
    assert_eq!(ends("3"), (EventKind::Gone, "2025-12-15T00:00:00Z".to_owned()));
    assert_eq!(ends("33"), (EventKind::New, "2025-12-15T00:00:00Z".to_owned()));
    assert_eq!(inbox.bench.ends("33").await, (Status::Active, 500));
}

#[tokio::test]
async fn a_file_of_the_future_counts_as_of_now_and_makes_no_other_file_late() {
    let inbox = Inbox::new(Coverage::Snapshot);
    inbox.put("a.csv", -60 * 24 * 300, csv(&[("1", 500), ("2", 600)]));
    assert_eq!(inbox.polled().await.files, 1);
    inbox.bench.wait_ms(2 * Time::DAY_MS);
    inbox.put("b.csv", -60 * 24, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 1);
    assert_eq!(inbox.bench.ends("1").await.0, Status::Gone);
    // The same with the time in its name. Without a row, as rows of the future are refused.
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map += "observed_at = { file_name = '(\\d{4}-\\d{2}-\\d{2})', date = \"%Y-%m-%d\" }\n";
    inbox.put("2026-01-13.csv", 20, csv(&[("1", 500), ("2", 600)]));
    inbox.put("2026-11-20.csv", 10, csv(&[]));
    assert_eq!(inbox.polled().await.files, 2);
    inbox.bench.wait_ms(2 * Time::DAY_MS);
    inbox.put("2026-01-15.csv", -60 * 24, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 1);
}
