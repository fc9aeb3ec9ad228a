//! Files that are unreadable, change or disappear, and runs that end in the middle of one.

use super::{Inbox, csv, zip};
use stoop_domain::{EventKind, Reason, Status};
use stoop_pipeline::ports::RunOutcome;
use stoop_pipeline::{OnDrift, PollError};
use stoop_sources::Coverage;

#[tokio::test]
async fn an_unreadable_file_is_reported_once_and_blocks_no_other() {
    let inbox = Inbox::new(Coverage::Changes);
    let archive = zip(&[("a.csv", &csv(&[("1", 500)]))]);
    inbox.put("a.zip", 600, &archive[..archive.len() - 30]);
    inbox.put("b.csv", 500, "number,amount\n1,2\n");
    inbox.put("c.doc", 400, "?");
    inbox.put("d.csv", 300, csv(&[("2", 600)]));
    inbox.put("e.csv", 200, "id,price\n,500\n4,700\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.new, polled.rejects), (Some(RunOutcome::Partial), 2, 2, 4));
    let message = polled.message.unwrap();
    for says in ["in/a.zip: ", "in/b.csv does not fit: ", "in/c.doc: the name does not give the format"] {
        assert!(message.contains(says), "{message}");
    }
    let mut positions: Vec<(String, Reason)> = inbox
        .bench
        .database
        .quarantined(9)
        .unwrap()
        .into_iter()
        .map(|reject| (reject.location, reject.reason))
        .collect();
    positions.sort();
    let expected = ["in/a.zip", "in/b.csv", "in/c.doc", "in/e.csv: line 2"];
    assert_eq!(positions.iter().map(|(position, _)| &**position).collect::<Vec<_>>(), expected);

    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.rejects, polled.message), (Some(RunOutcome::Complete), 0, None));
    // Another version is read again.
    inbox.put("a.zip", 100, &archive);
    inbox.put("c.doc", 90, "??");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.new, polled.rejects), (Some(RunOutcome::Partial), 1, 1, 1));
    assert_eq!(inbox.bench.database.quarantined(9).unwrap().len(), 5, "each version of a broken file is there");
}

#[tokio::test]
async fn a_poll_without_a_readable_file_fails() {
    let inbox = Inbox::new(Coverage::Changes);
    inbox.put("b.csv", 500, "number,amount\n1,2\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.rejects), (Some(RunOutcome::Failed), 0, 1));
    assert!(polled.message.unwrap().contains("in/b.csv does not fit: "));
    inbox.put("d.csv", 300, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete), "each version is reported once");
}

#[tokio::test]
async fn files_that_are_still_written_wait_until_they_are_complete() {
    let inbox = Inbox::new(Coverage::Changes);
    for name in ["a.csv.part", ".b.csv", "c.tmp", "d.csv~"] {
        inbox.put(name, 600, csv(&[("1", 500)]));
    }
    inbox.put("fresh.csv", 0, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.files, 0, "it was written this very moment");
    assert_eq!((inbox.polled().await.files, inbox.bench.ends("2").await), (1, (Status::Active, 600)));
    let folder = inbox.bench.folder().join("in");
    std::fs::rename(folder.join("a.csv.part"), folder.join("a.csv")).unwrap();
    assert_eq!(inbox.polled().await.files, 1);
}

#[tokio::test]
async fn a_file_that_is_replaced_is_read_again_and_one_that_leaves_is_forgotten() {
    let inbox = Inbox::new(Coverage::Changes);
    inbox.put("all.csv", 600, csv(&[("1", 500), ("2", 600)]));
    inbox.polled().await;
    inbox.put("all.csv", 500, csv(&[("1", 450), ("2", 600)]));
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.changed), (1, 1));
    assert_eq!(inbox.events("1").await, [(EventKind::New, 600), (EventKind::PriceCut, 500)]);
    assert_eq!(inbox.bench.state("inbox").await.files.marks.len(), 1);
    inbox.remove("all.csv");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.gone), (Some(RunOutcome::Complete), 0));
    assert_eq!(inbox.bench.state("inbox").await.files.marks.len(), 0, "the marks are bounded by the files");
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
}

#[tokio::test]
async fn a_missing_folder_fails_the_poll_and_forgets_nothing() {
    let inbox = Inbox::new(Coverage::Changes);
    inbox.put("a.csv", 600, csv(&[("1", 500)]));
    inbox.polled().await;
    let folder = inbox.bench.folder();
    std::fs::rename(folder.join("in"), folder.join("away")).unwrap();
    let error = inbox.poll().await.unwrap_err();
    assert!(matches!(&error, PollError::Port(_)) && error.to_string().contains("in/"), "{error}");
    std::fs::rename(folder.join("away"), folder.join("in")).unwrap();
    assert_eq!(inbox.polled().await.files, 0);
}

/// Rows for three pages; the price of every seventh home depends on `turn`.
fn large(turn: i64) -> String {
    (0..2_500).fold("id,price\n".to_owned(), |csv, i| {
        let price = if i % 7 == 0 { 400 - turn } else { 500 };
        // Those at the end are missing from the second turn on.
        if turn > 0 && i > 2_400 { csv } else { format!("{csv}h{i},{price}\n") }
    })
}

#[tokio::test]
async fn a_stop_in_mid_file_neither_skips_nor_repeats_a_row() {
    let inbox = Inbox::new(Coverage::Snapshot);
    inbox.put("a.csv", 600, large(0));
    inbox.polled().await;
    inbox.bench.measure().await;
    inbox.put("b.csv", 500, large(1));
    inbox.put("c.csv", 400, large(2));
    // Each put waits 100 ms once and is thereby asked to stop: so every page is a run.
    let (mut listings, mut changed, mut gone, mut runs) = (0, 0, 0, 0);
    loop {
        inbox.bench.stop_in_a_pause_of_ms(1);
        inbox.bench.stream.refuse([vec![0]]);
        let polled = inbox.polled().await;
        inbox.bench.stop_no_more();
        inbox.bench.stream.refuse([]);
        listings += polled.listings;
        changed += polled.changed;
        gone += polled.gone;
        runs += 1;
        assert!(runs < 20, "each run sees something");
        if polled.outcome == Some(RunOutcome::Complete) {
            break;
        }
        assert_eq!(polled.message.as_deref(), Some("stopped; the next run goes on from here"));
    }
    assert!(runs > 3, "{runs}");
    assert_eq!((listings, changed, gone), (2 * 2_401, 2 * 343, 99));
    assert_eq!(inbox.events("h2450").await, [(EventKind::Initial, 600), (EventKind::Gone, 500)]);
    assert_eq!(inbox.bench.ends("h7").await, (Status::Active, 398));
}

#[tokio::test]
async fn a_kill_at_any_save_gives_the_state_of_a_clean_run() {
    let put_all = |inbox: &Inbox| {
        inbox.put("b.csv", 500, large(1));
        inbox.put("c.csv", 400, large(2));
    };
    let message = async |inbox: &Inbox| {
        let mut message = Vec::new();
        for id in ["h0", "h1", "h7", "h1400", "h2401", "h2450"] {
            message.push((id, inbox.events(id).await, inbox.bench.ends(id).await));
        }
        (message, inbox.bench.database.counts().unwrap().observations)
    };
    let mut expected = None;
    for saves in (0..12).rev() {
        let inbox = Inbox::new(Coverage::Snapshot);
        inbox.put("a.csv", 600, large(0));
        inbox.polled().await;
        put_all(&inbox);
        inbox.bench.index.die_after_saves(saves);
        let outcome = inbox.poll().await;
        inbox.bench.index.revive();
        if expected.is_none() {
            assert!(outcome.is_ok(), "more saves than were made: {outcome:?}");
            expected = Some(message(&inbox).await);
            continue;
        }
        for _ in 0..2 {
            inbox.polled().await;
        }
        assert_eq!(Some(message(&inbox).await), expected, "after {saves} saves");
    }
}

#[tokio::test]
async fn a_file_with_drift_freezes_the_search_until_it_is_accepted() {
    let mut inbox = Inbox::new(Coverage::Changes);
    let rows = |first: i64, price: &str| {
        (first..first + 40).fold("id,price\n".to_owned(), |csv, id| format!("{csv}{id},{price}\n"))
    };
    inbox.bench.on_drift = OnDrift::Freeze;
    for (name, minutes_ago) in [("1.csv", 60), ("2.csv", 50), ("3.csv", 40)] {
        inbox.put(name, minutes_ago, rows(minutes_ago * 100, "300000"));
    }
    assert_eq!(inbox.polled().await.listings, 120);
    inbox.put("4.csv", 30, rows(1, ""));
    for _ in 0..2 {
        let frozen = inbox.poll().await.unwrap_err();
        assert!(frozen.to_string().contains("list_price: 0 % of 40 rows, never below 100 % before"), "{frozen}");
    }
    assert_eq!(inbox.bench.measure().await, 120, "nothing of it is sent");
    inbox.bench.on_drift = OnDrift::Evolve;
    let taken = inbox.polled().await;
    assert_eq!((taken.listings, taken.files, taken.drifts.len()), (40, 1, 1));
    inbox.bench.on_drift = OnDrift::Freeze;
    inbox.put("5.csv", 20, rows(1, ""));
    assert_eq!(inbox.polled().await.drifts.len(), 0);
}
