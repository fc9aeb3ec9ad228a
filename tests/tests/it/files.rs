//! Searches that read files: what is taken, in which order, as of when, and what a stop, a kill or a broken file does.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::site::Bench;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_domain::{EventKind, Reason, Status, Time};
use stoop_pipeline::ports::{FilePattern, RunOutcome};
use stoop_pipeline::{FileSet, LossVerdict, OnDrift, Origin, PollError, Polled, Ruling};
use stoop_sources::Coverage;
use stoop_sources::declared::Map;

const MAP: &str = r#"
name = "site"
country = "AT"
currency = "EUR"
purpose = "sale"
[fields]
native_id = { from = "id" }
list_price = { from = "price" }
city = { constant = "Graz" }
"#;

const SEEN: &str = "observed_at = { from = \"seen\", date = \"rfc3339\" }\n";

/// A bench with a folder `in`, and a search of it.
struct Inbox {
    bench: Bench,
    map: String,
    coverage: Coverage,
}

impl Inbox {
    fn new(coverage: Coverage) -> Self {
        let bench = Bench::new();
        std::fs::create_dir(bench.folder().join("in")).unwrap();
        Self { bench, map: MAP.to_owned(), coverage }
    }

    /// One whose rows say when they were observed.
    fn with_times() -> Self {
        Self { map: MAP.to_owned() + SEEN, ..Self::new(Coverage::Changes) }
    }

    /// Puts a file that was written so many minutes before the bench's clock began.
    fn put(&self, name: &str, minutes_ago: i64, bytes: impl AsRef<[u8]>) {
        let path = self.bench.folder().join("in").join(name);
        let mut file = File::create(path).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
        let ms = u64::try_from(written(minutes_ago).ms()).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_millis(ms)).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.bench.folder().join("in").join(name)).unwrap();
    }

    fn origin(&self) -> Origin {
        let map = Map::parse(&self.map, "in.toml").unwrap();
        Origin::Files(FileSet { map, pattern: FilePattern::parse("in/").unwrap(), coverage: self.coverage })
    }

    async fn poll(&self) -> Result<Polled, PollError> {
        self.bench.poll_origin("inbox", self.origin()).await
    }

    async fn polled(&self) -> Polled {
        self.poll().await.unwrap()
    }

    /// What happened to a home, in minutes before the clock began.
    async fn events(&self, id: &str) -> Vec<(EventKind, i64)> {
        self.bench.measure().await;
        let home = self.bench.home(id).unwrap_or_default();
        let ago = |at: Time| (written(0).ms() - at.ms()).div_euclid(60_000);
        home.history.events().iter().map(|event| (event.kind, ago(event.at))).collect()
    }
}

/// So many minutes before the bench's clock begins.
fn written(minutes_ago: i64) -> Time {
    Time::parse("2026-01-14T12:00:00Z").unwrap().plus_ms(-minutes_ago * 60_000)
}

fn csv(rows: &[(&str, i64)]) -> String {
    rows.iter().fold("id,price\n".to_owned(), |csv, (id, price)| format!("{csv}{id},{price}\n"))
}

/// Rows with the minutes before the clock began at which they were so.
fn timed(rows: &[(&str, i64, i64)]) -> String {
    rows.iter()
        .fold("id,price,seen\n".to_owned(), |csv, (id, price, ago)| format!("{csv}{id},{price},{}\n", written(*ago)))
}

fn zip(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, text) in entries {
        let (mut entry, config) = archive.new_file(*name).compression_method(CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        writer.write_all(text.as_bytes()).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

#[tokio::test]
async fn an_archive_that_is_dropped_in_is_read_once() {
    let inbox = Inbox::new(Coverage::Changes);
    assert_eq!(
        (inbox.polled().await.outcome, inbox.bench.state("inbox").await.version),
        (Some(RunOutcome::Complete), 0)
    );
    let (one, two) = (csv(&[("1", 500), ("2", 600)]), csv(&[("3", 700)]));
    inbox.put("export.zip", 90, zip(&[("b.csv", &two), ("a.csv", &one)]));
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.message, polled.requests), (Some(RunOutcome::Complete), None, 0));
    assert_eq!((polled.files, polled.pages, polled.listings, polled.new), (1, 1, 3, 3));
    for (id, price) in [("1", 500), ("2", 600), ("3", 700)] {
        assert_eq!(inbox.bench.ends(id).await, (Status::Active, price));
        assert_eq!(inbox.events(id).await, [(EventKind::New, 90)], "as of when the file was written");
    }
    let version = inbox.bench.state("inbox").await.version;
    for _ in 0..2 {
        let polled = inbox.polled().await;
        assert_eq!((polled.files, polled.pages, polled.outcome), (0, 0, Some(RunOutcome::Complete)));
    }
    assert_eq!(inbox.bench.state("inbox").await.version, version, "nothing is stored for nothing");
    assert_eq!(inbox.bench.database.runs(1).unwrap()[0].counts["files"], 0);
    assert!(!inbox.bench.database.data().join("raw").exists(), "the file is its own copy");

    // The same content under another name and time costs nothing downstream.
    inbox.put("again.csv", 30, one);
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.listings, polled.new + polled.changed), (1, 2, 0));
}

#[tokio::test]
async fn a_backfill_tells_of_the_days_that_its_files_are_of() {
    let inbox = Inbox::new(Coverage::Changes);
    // Their names sort the other way round: the time they were written decides.
    for (name, hours_ago, price) in [("e.csv", 40, 500), ("d.csv", 30, 450), ("c.csv", 20, 450), ("b.csv", 10, 480)] {
        inbox.put(name, hours_ago * 60, csv(&[("1", price)]));
    }
    assert_eq!((inbox.polled().await.files, inbox.polled().await.files), (4, 0));
    use EventKind::{New, PriceCut, PriceRise};
    assert_eq!(inbox.events("1").await, [(New, 2_400), (PriceCut, 1_800), (PriceRise, 600)]);

    // One that comes late is of its own day as well, and what came after it still does.
    inbox.put("late.csv", 25 * 60, csv(&[("1", 470), ("2", 900)]));
    assert_eq!(inbox.polled().await.files, 1);
    let expected = [(New, 2_400), (PriceCut, 1_800), (PriceRise, 1_500), (PriceCut, 1_200), (PriceRise, 600)];
    assert_eq!(inbox.events("1").await, expected);
    assert_eq!(inbox.bench.ends("1").await, (Status::Active, 480));
    assert_eq!(inbox.events("2").await, [(New, 1_500)]);

    // What the latest file said is said again with its details by the next, and then no more.
    inbox.put("f.csv", 5, csv(&[("1", 480)]));
    inbox.put("g.csv", 4, csv(&[("1", 480)]));
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, expected);
}

#[tokio::test]
async fn files_of_one_second_have_an_order() {
    let inbox = Inbox::new(Coverage::Changes);
    for (name, price) in [("a.csv", 500), ("b.csv", 400), ("c.csv", 450)] {
        inbox.put(name, 60, csv(&[("1", price)]));
    }
    assert_eq!(inbox.polled().await.files, 3);
    use EventKind::{New, PriceCut, PriceRise};
    assert_eq!(inbox.events("1").await.iter().map(|event| event.0).collect::<Vec<_>>(), [New, PriceCut, PriceRise]);
}

#[tokio::test]
async fn a_file_may_hold_the_past_of_a_home_in_any_order() {
    for order in ["by-time", "any"] {
        let inbox = Inbox { map: format!("order = \"{order}\"\n{MAP}{SEEN}"), ..Inbox::with_times() };
        inbox.put("a.csv", 10, timed(&[("1", 500, 2_000), ("1", 500, 1_000), ("1", 400, 1_500), ("1", 450, 500)]));
        inbox.polled().await;
        use EventKind::{New, PriceCut, PriceRise};
        let expected = [(New, 2_000), (PriceCut, 1_500), (PriceRise, 1_000), (PriceCut, 500)];
        assert_eq!(inbox.events("1").await, expected, "{order}");
        // The next export tells all of it again, and one thing more.
        inbox.put("b.csv", 5, timed(&[("1", 500, 2_000), ("1", 400, 1_500), ("1", 450, 500), ("1", 440, 100)]));
        inbox.polled().await;
        assert_eq!(inbox.events("1").await[..4], expected);
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, 440));
    }
}

/// A small generator of numbers that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn how_files_come_makes_no_difference_to_what_holds() {
    for seed in 0..40 {
        let mut dice = Dice(seed);
        let files: Vec<(String, i64, String)> = (0..6)
            .map(|i| {
                let rows: Vec<(String, i64)> =
                    (0..4).map(|home| (home.to_string(), 400 + 50 * i64::try_from(dice.roll(3)).unwrap())).collect();
                let rows: Vec<(&str, i64)> = rows.iter().map(|(id, price)| (&**id, *price)).collect();
                (format!("{i}.csv"), 2_400 - 300 * i, csv(&rows))
            })
            .collect();
        let (mut told, mut ends) = (Vec::new(), Vec::new());
        for shuffled in [false, false, true] {
            let inbox = Inbox::new(Coverage::Changes);
            let mut left = files.clone();
            while !left.is_empty() {
                let at = if shuffled { usize::try_from(dice.roll(left.len() as u64)).unwrap() } else { 0 };
                let (name, ago, text) = left.remove(at);
                inbox.put(&name, ago, text);
                if dice.roll(2) == 0 {
                    inbox.polled().await;
                }
            }
            inbox.polled().await;
            for home in ["0", "1", "2", "3"] {
                let events = inbox.events(home).await;
                ends.push((home, events[0], inbox.bench.ends(home).await));
                told.push((home, events));
            }
        }
        // In their order, the same however many polls there were. In any other, what the newest says holds, and
        // the beginning; a look between that saw nothing new was not sent, and so can't part what comes late.
        assert_eq!(told[..4], told[4..8], "seed {seed}");
        assert_eq!((&ends[..4], &ends[..4]), (&ends[4..8], &ends[8..]), "seed {seed}");
    }
}

#[tokio::test]
async fn what_a_snapshot_lacks_is_gone_as_of_it() {
    let inbox = Inbox::new(Coverage::Snapshot);
    let all = csv(&[("1", 500), ("2", 600), ("3", 700)]);
    inbox.put("a.csv", 600, &all);
    inbox.put("b.csv", 500, csv(&[("1", 500), ("3", 700)]));
    inbox.put("c.csv", 400, csv(&[("1", 500), ("3", 700)]));
    assert_eq!(inbox.polled().await.gone, 1, "a backlog of exports is worked off as if each came in its time");
    use EventKind::{BackOnMarket, Gone, Initial};
    assert_eq!(inbox.events("2").await, [(Initial, 600), (Gone, 500)]);

    // An export of before comes late: it says what was, and nothing of what is.
    inbox.put("late.csv", 550, csv(&[("1", 500)]));
    inbox.put("late too.csv", 450, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 0);
    assert_eq!(inbox.bench.ends("3").await, (Status::Active, 700));
    // Nothing was said of it by the file after that, as it was gone; the next says so as of then.
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
    inbox.put("d.csv", 350, csv(&[("1", 500), ("3", 700)]));
    assert_eq!(inbox.polled().await.gone, 1);
    let told = [(Initial, 600), (Gone, 500), (BackOnMarket, 450), (Gone, 400)];
    assert_eq!(inbox.events("2").await, told);

    inbox.put("e.csv", 300, &all);
    assert_eq!((inbox.polled().await.gone, inbox.bench.ends("2").await), (0, (Status::Active, 600)));
    // Of so many turns in one day a history keeps the first and the last.
    assert_eq!(inbox.events("2").await, [(Initial, 600), (Gone, 500), (BackOnMarket, 300)]);
}

/// A snapshot of the homes of this range.
fn homes(range: std::ops::Range<i64>) -> String {
    let rows: Vec<_> = range.map(|id| (id.to_string(), 500 + id)).collect();
    csv(&rows.iter().map(|(id, price)| (id.as_str(), *price)).collect::<Vec<_>>())
}

const HOUR: i64 = 60;

#[tokio::test]
async fn an_export_that_was_cut_off_takes_nothing_away() {
    let inbox = Inbox::new(Coverage::Snapshot);
    for (i, range) in [0..100, 0..99, 0..45, 0..45, 0..99].into_iter().enumerate() {
        inbox.put(&format!("{i}.csv"), 40 * HOUR - 5 * HOUR * i64::try_from(i).unwrap(), homes(range));
        let polled = inbox.polled().await;
        assert_eq!(polled.gone, u64::from(i == 1), "{i}");
        let held = polled.held_back.map(|held| (held.listings, held.held));
        assert_eq!(held, [2, 3].contains(&i).then_some((54, 99)), "{i}");
        assert_eq!(
            polled.message.is_some_and(|told| told.starts_with("54 of 99 listings are missing")),
            held.is_some()
        );
    }
    use EventKind::{Gone, Initial};
    assert_eq!(inbox.events("98").await, [(Initial, 40 * HOUR)]);
    assert_eq!(inbox.events("99").await, [(Initial, 40 * HOUR), (Gone, 35 * HOUR)]);
}

#[tokio::test]
async fn a_large_loss_is_proven_by_the_times_of_the_files_and_gone_as_of_the_first() {
    let inbox = Inbox::new(Coverage::Snapshot);
    // All at once, as they lie there: polls are an hour apart.
    for (hours_ago, range) in [(40, 0..100), (30, 0..45), (24, 0..45), (18, 0..45)] {
        inbox.put(&format!("{hours_ago}.csv"), hours_ago * HOUR, homes(range));
    }
    assert_eq!(inbox.polled().await.gone, 55);
    use EventKind::{Gone, Initial};
    assert_eq!(inbox.events("99").await, [(Initial, 40 * HOUR), (Gone, 30 * HOUR)]);
}

#[tokio::test]
async fn a_loss_of_files_is_released_or_rejected_without_another_file() {
    for verdict in [LossVerdict::Release, LossVerdict::Reject] {
        let inbox = Inbox::new(Coverage::Snapshot);
        inbox.put("a.csv", 40 * HOUR, homes(0..100));
        inbox.put("b.csv", 30 * HOUR, homes(0..45));
        assert_eq!(inbox.polled().await.held_back.map(|held| held.listings), Some(55));
        assert_eq!(inbox.polled().await.held_back.map(|held| held.listings), Some(55), "said until it is over");
        inbox.bench.database.rule("inbox", "site", Ruling { verdict, until: written(30 * HOUR).plus_ms(1) }).unwrap();
        // What is to be said of it is noted, and the run killed before it is on the stream.
        inbox.bench.stream.refuse_all(true);
        let release = verdict == LossVerdict::Release;
        assert_eq!(inbox.poll().await.is_err(), release);
        inbox.bench.stream.refuse_all(false);
        let polled = inbox.polled().await;
        assert_eq!((polled.gone, polled.held_back), (if release { 55 } else { 0 }, None), "{verdict}");
        use EventKind::{Gone, Initial};
        let expected = [(Initial, 40 * HOUR), (Gone, 30 * HOUR)];
        assert_eq!(inbox.events("99").await, expected[..if release { 2 } else { 1 }], "{verdict}");
        // It is forgotten, and so begins anew with the next file, a day later.
        inbox.put("c.csv", 6 * HOUR, homes(0..45));
        let held = inbox.polled().await.held_back.map(|held| held.listings);
        assert_eq!(held, (!release).then_some(55), "{verdict}");
    }
}

#[tokio::test]
async fn weekly_exports_give_the_inventory_of_the_last_one() {
    let inbox = Inbox::new(Coverage::Snapshot);
    let mut dice = Dice(7);
    let mut on_sale: BTreeSet<i64> = (0..400).collect();
    for week in 0..8 {
        // Some leave, some come, and some that left come back.
        on_sale.retain(|_| dice.roll(8) > 0);
        on_sale.extend((0..40).map(|_| i64::try_from(dice.roll(600)).unwrap()));
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
async fn a_snapshot_that_proves_nothing_says_nothing() {
    let inbox = Inbox::new(Coverage::Snapshot);
    inbox.put("a.csv", 600, csv(&[("1", 500), ("2", 600)]));
    inbox.polled().await;
    for (i, (text, says)) in [
        ("id,price\n1,500\n,600\n", "1 rows were not understood: nothing is said to be gone"),
        ("id,price\n", "there is no listing in it: nothing is said to be gone"),
        ("id,price\n1,500\n2,0\n", ""),
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
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_once_and_holds_up_no_other() {
    let inbox = Inbox::new(Coverage::Changes);
    let archive = zip(&[("a.csv", &csv(&[("1", 500)]))]);
    inbox.put("a.zip", 600, &archive[..archive.len() - 30]);
    inbox.put("b.csv", 500, "number,amount\n1,2\n");
    inbox.put("c.doc", 400, "?");
    inbox.put("d.csv", 300, csv(&[("2", 600)]));
    inbox.put("e.csv", 200, "id,price\n3,dear\n4,700\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.new, polled.rejects), (Some(RunOutcome::Partial), 2, 2, 4));
    let message = polled.message.unwrap();
    for says in ["in/a.zip: ", "in/b.csv does not fit: ", "in/c.doc: the format cannot be told from the name"] {
        assert!(message.contains(says), "{message}");
    }
    let mut places: Vec<(String, Reason)> = inbox
        .bench
        .database
        .quarantined(9)
        .unwrap()
        .into_iter()
        .map(|reject| (reject.location, reject.reason))
        .collect();
    places.sort();
    let expected = ["in/a.zip", "in/b.csv", "in/c.doc", "in/e.csv: line 2"];
    assert_eq!(places.iter().map(|(place, _)| &**place).collect::<Vec<_>>(), expected);

    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.rejects, polled.message), (Some(RunOutcome::Complete), 0, None));
    // Another version is looked at again.
    inbox.put("a.zip", 100, &archive);
    inbox.put("c.doc", 90, "??");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.new, polled.rejects), (Some(RunOutcome::Partial), 1, 1, 1));
    assert_eq!(inbox.bench.database.quarantined(9).unwrap().len(), 5, "each version of a broken file is there");
}

#[tokio::test]
async fn a_poll_of_which_no_file_can_be_read_has_failed() {
    let inbox = Inbox::new(Coverage::Changes);
    inbox.put("b.csv", 500, "number,amount\n1,2\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.outcome, polled.files, polled.rejects), (Some(RunOutcome::Failed), 0, 1));
    assert!(polled.message.unwrap().contains("in/b.csv does not fit: "));
    inbox.put("d.csv", 300, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete), "each version is told of once");
}

#[tokio::test]
async fn files_that_are_still_written_are_left_until_they_are_done() {
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
    assert_eq!(inbox.bench.state("inbox").await.files.marks.len(), 0, "what is remembered is bounded by what is there");
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 600));
}

#[tokio::test]
async fn a_folder_that_is_not_there_fails_the_poll_and_forgets_nothing() {
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
        // Those at the end are missing from the second on.
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
    // Each put waits 100 ms once and is told to stop by that: so every page is a run.
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
async fn a_kill_at_any_save_leaves_what_a_clean_run_leaves() {
    let put_all = |inbox: &Inbox| {
        inbox.put("b.csv", 500, large(1));
        inbox.put("c.csv", 400, large(2));
    };
    let told = async |inbox: &Inbox| {
        let mut told = Vec::new();
        for id in ["h0", "h1", "h7", "h1400", "h2401", "h2450"] {
            told.push((id, inbox.events(id).await, inbox.bench.ends(id).await));
        }
        (told, inbox.bench.database.counts().unwrap().observations)
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
            assert!(outcome.is_ok(), "so many saves are more than are made: {outcome:?}");
            expected = Some(told(&inbox).await);
            continue;
        }
        for _ in 0..2 {
            inbox.polled().await;
        }
        assert_eq!(Some(told(&inbox).await), expected, "after {saves} saves");
    }
}

#[tokio::test]
async fn a_file_that_says_less_than_those_before_it_freezes_the_search_until_it_is_taken() {
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

#[tokio::test]
async fn the_counts_of_a_poll_are_of_rows_and_add_up() {
    let inbox = Inbox::with_times();
    // Three homes, thousands of rows in no order of time: what is said once more to keep histories right is sent, and
    // is no row.
    let home = |i: i64| ["a", "b", "c"][usize::try_from(i % 3).unwrap()];
    let rows: Vec<(&str, i64, i64)> =
        (0..2_500).map(|i| (home(i), 100_000 + i * 7_919 / 5 % 2, i * 7_919 % 5_003)).collect();
    inbox.put("homes.csv", 90, timed(&rows));
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.rows, polled.listings, polled.new), (1, 2_500, 2_500, 3));
    assert_eq!(polled.new + polled.changed + polled.seen_again() + polled.rejects + polled.left_out(), 2_500);
    assert!(polled.sent > polled.new + polled.changed, "{polled:?}");
    let sent = inbox.bench.measure().await;
    assert_eq!(sent, polled.sent);

    // Beside rows that are refused, and a file that is plainly the wrong one.
    inbox.put(
        "more.csv",
        80,
        format!("{}d,cheap,2026-01-14T11:00:00Z\n", timed(&[("a", 90_000, 1), ("d", 80_000, 1)])),
    );
    inbox.put("wrong.csv", 70, "id,price,seen\nx,cheap,then\ny,cheap,then\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.rows, polled.listings, polled.new, polled.changed), (1, 5, 2, 1, 1));
    assert_eq!((polled.rejects, polled.outcome), (3, Some(RunOutcome::Partial)));
    let why = "in/wrong.csv: none of the first 2 rows is understood: bad_value 2";
    assert_eq!(polled.message.as_deref(), Some(why));
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete), "it is looked at once");
}

#[tokio::test]
async fn rows_of_one_date_stand_in_the_order_of_their_file_and_come_to_the_same_under_another_name() {
    for prices in [[500, 400, 450], [400, 500, 450], [450, 500, 400]] {
        let rows: Vec<(&str, i64, i64)> = prices.iter().map(|price| ("1", *price, 1_440)).collect();
        let text = timed(&rows);
        let inbox = Inbox::with_times();
        inbox.put("a.csv", 90, &text);
        inbox.polled().await;
        let events = inbox.events("1").await;
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, prices[2]));
        assert_eq!(events.len(), 3, "{events:?}");
        let observations = inbox.bench.database.counts().unwrap().observations;
        // The same rows once more, older, newer, and behind others of the same date.
        let more = format!("{text}{}", &timed(&[("2", 700, 1_440)])["id,price,seen\n".len()..]);
        for (name, minutes_ago, text) in [("old.csv", 900, &text), ("new.csv", 10, &text), ("more.csv", 5, &more)] {
            inbox.put(name, minutes_ago, text);
            inbox.polled().await;
            assert_eq!(inbox.events("1").await, events, "{name}");
        }
        assert_eq!(inbox.bench.database.counts().unwrap().observations, observations + 1, "the other home");
    }
}

#[tokio::test]
async fn rows_of_one_date_keep_their_order_where_a_run_ended_between_them() {
    let inbox = Inbox::with_times();
    inbox.put("before.csv", 900, timed(&[("other", 700, 3_000)]));
    inbox.polled().await;
    let mut rows = vec![("1", 400, 1_440)];
    let ids: Vec<String> = (0..1_500).map(|id| format!("h{id}")).collect();
    rows.extend(ids.iter().map(|id| (id.as_str(), 700, 1_440)));
    rows.push(("1", 500, 1_440));
    rows.push(("1", 450, 1_440));
    let text = timed(&rows);
    inbox.put("a.csv", 90, &text);
    inbox.bench.stop_in_a_pause_of_ms(1);
    inbox.bench.stream.refuse([vec![0]]);
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Partial));
    inbox.bench.stop_no_more();
    inbox.polled().await;
    assert_eq!(inbox.bench.ends("1").await, (Status::Active, 450));
    let events = inbox.events("1").await;
    assert_eq!(
        events.iter().map(|event| event.0).collect::<Vec<_>>()[1..],
        [EventKind::PriceRise, EventKind::PriceCut]
    );
    let observations = inbox.bench.database.counts().unwrap().observations;
    inbox.put("again.csv", 80, &text);
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, events);
    assert_eq!(inbox.bench.database.counts().unwrap().observations, observations, "read again it is the same");
}

#[tokio::test]
async fn what_a_late_file_says_in_the_middle_of_a_stretch_parts_it_however_late() {
    let inbox = Inbox::with_times();
    let day = 1_440;
    inbox.put("a.csv", 900, timed(&[("1", 500, 400 * day), ("2", 500, 400 * day)]));
    inbox.polled().await;
    // Seen again as it was, and then another price: what held before is known to its end.
    inbox.put("b.csv", 800, timed(&[("1", 500, 200 * day), ("2", 500, 200 * day)]));
    inbox.polled().await;
    inbox.put("c.csv", 700, timed(&[("1", 480, 100 * day)]));
    inbox.polled().await;
    inbox.put("late.csv", 1_000, timed(&[("1", 400, 300 * day), ("2", 400, 300 * day)]));
    inbox.polled().await;
    use EventKind::{New, PriceCut, PriceRise};
    let (new, cut, back) = ((New, 400 * day), (PriceCut, 300 * day), (PriceRise, 200 * day));
    assert_eq!(inbox.events("1").await, [new, cut, back, (PriceCut, 100 * day)]);
    assert_eq!(inbox.events("2").await, [new, cut, back]);
    assert_eq!(inbox.bench.ends("2").await, (Status::Active, 500));
}

#[tokio::test]
async fn a_snapshot_was_seen_as_of_its_own_time_whatever_its_rows_say_of_theirs() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map += SEEN;
    // The date stands still, and a clock runs ahead of the file's.
    inbox.put("a.csv", 600, timed(&[("1", 400, 2_000), ("2", 400, 500), ("3", 700, 2_000)]));
    inbox.put("b.csv", 500, timed(&[("1", 500, 2_000), ("2", 500, 400), ("3", 700, 2_000)]));
    inbox.put("c.csv", 400, timed(&[("1", 400, 2_000), ("2", 400, 400), ("3", 700, 2_000)]));
    inbox.polled().await;
    use EventKind::{Gone, Initial, New, PriceCut, PriceRise};
    for id in ["1", "2"] {
        assert_eq!(inbox.events(id).await, [(Initial, 600), (PriceRise, 500), (PriceCut, 400)], "{id}");
    }
    // What comes after the first file is new, and what leaves is gone as of the first that lacks it.
    inbox.put("d.csv", 300, timed(&[("1", 400, 2_000), ("2", 400, 400), ("4", 700, 250)]));
    inbox.put("e.csv", 200, timed(&[("1", 400, 2_000), ("2", 400, 400), ("4", 700, 250)]));
    inbox.polled().await;
    assert_eq!(inbox.events("4").await, [(New, 300)]);
    assert_eq!(inbox.events("3").await, [(Initial, 600), (Gone, 300)]);
}

/// What the third of three nightly exports adds to the history that each of them tells in full.
const NIGHTS: [&[(&str, i64, i64)]; 3] =
    [&[("1", 500, 900), ("2", 700, 900)], &[("1", 450, 550)], &[("1", 440, 450), ("1", 430, 450)]];

#[tokio::test]
async fn snapshots_that_tell_the_past_tell_it_once() {
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map = format!("history = true\norder = \"any\"\n{MAP}{SEEN}");
    for (night, minutes_ago) in [(0, 600), (1, 500), (2, 400)] {
        let rows = NIGHTS[..=night].concat();
        inbox.put(&format!("{night}.csv"), minutes_ago, timed(&rows));
    }
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete));
    use EventKind::{Gone, New, PriceCut};
    let told = [(New, 900), (PriceCut, 550), (PriceCut, 450), (PriceCut, 450)];
    assert_eq!(inbox.events("1").await, told);
    // What they lack is gone all the same.
    for minutes_ago in [300, 200] {
        inbox.put(&format!("{minutes_ago}.csv"), minutes_ago, timed(&NIGHTS[1..].concat()));
    }
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, told);
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
        // Behind it in time and before it; what says the same is no other row.
        let (first, more) = ([("1", 500, 800)], [("1", 450, 700), ("1", 430, 900), ("1", 500, 800)]);
        let rows: Vec<_> = first.into_iter().chain(others).chain(more).collect();
        inbox.put(&format!("{night}.csv"), 600 - 100 * night, timed(&rows));
    }
    // A page is a run, so that another one has read the first row.
    let mut runs = 0;
    loop {
        inbox.bench.stop_in_a_pause_of_ms(1);
        inbox.bench.stream.refuse([vec![0]]);
        let polled = inbox.polled().await;
        inbox.bench.stop_no_more();
        inbox.bench.stream.refuse([]);
        runs += 1;
        if polled.outcome == Some(RunOutcome::Complete) {
            break;
        }
    }
    assert!((6..20).contains(&runs), "{runs}");
    assert_eq!(inbox.events("1").await, [(EventKind::Initial, 600)]);
    let refused = inbox.bench.database.quarantined(99).unwrap();
    let told = refused.iter().map(|reject| (reject.reason, reject.detail.contains("history = true")));
    assert_eq!(told.collect::<Vec<_>>(), [(Reason::Repeated, true); 6]);
    assert_eq!(inbox.bench.state("inbox").await.listings.len(), 2_501);
}

#[tokio::test]
async fn two_searches_of_files_of_one_source_end_with_what_was_told_last() {
    let inbox = Inbox::new(Coverage::Changes);
    let other = |name: &str| {
        let map = Map::parse(&inbox.map, "in.toml").unwrap();
        Origin::Files(FileSet { map, pattern: FilePattern::parse(name).unwrap(), coverage: Coverage::Changes })
    };
    let poll = async |search: &str, file: &str| inbox.bench.poll_origin(search, other(file)).await.unwrap();
    for (minutes_ago, search, price) in [(600, "one", 400), (500, "two", 500), (400, "one", 400)] {
        let name = format!("{search}-{minutes_ago}.csv");
        inbox.put(&name, minutes_ago, csv(&[("1", price)]));
        poll(search, &format!("in/{search}-*.csv")).await;
        assert_eq!(inbox.bench.ends("1").await, (Status::Active, price));
    }
}

#[tokio::test]
async fn rows_that_say_the_same_day_by_day_are_sent_every_eleventh_and_a_doubtful_price_on_the_next() {
    let days = |day: i64| (40 - day) * 24 * 60;
    let inbox = Inbox::new(Coverage::Snapshot);
    let mut confirmed = Vec::new();
    for day in 0..34 {
        let price = if day < 30 { 500_000 } else { 50_000 };
        inbox.put(&format!("{day:02}.csv"), days(day), csv(&[("1", price), ("2", 700_000)]));
        let polled = inbox.polled().await;
        assert_eq!(polled.new + polled.changed, if day == 0 { 2 } else { u64::from(day == 30) });
        confirmed.push(polled.confirmed);
        if day == 30 {
            assert_eq!(inbox.events("1").await.len(), 1, "it may be a slip");
        }
    }
    let of_both: Vec<usize> = (0..34).filter(|day| confirmed[*day] == 2).collect();
    assert!(of_both.len() >= 2 && of_both.windows(2).all(|pair| pair[1] - pair[0] == 11), "{confirmed:?}");
    assert!(confirmed[31] >= 1, "{confirmed:?}");
    assert_eq!(inbox.events("1").await.last(), Some(&(EventKind::PriceCut, days(30))));

    // All of it in one file, or in one that is read in one go after another: the same.
    let rows: Vec<(&str, i64, i64)> =
        [(0, 500_000), (1, 50_000), (2, 50_000), (3, 50_000)].map(|(day, price)| ("1", price, days(day))).into();
    let at_once = Inbox::with_times();
    at_once.put("all.csv", 1, timed(&rows));
    at_once.polled().await;
    let one_by_one = Inbox::with_times();
    for (place, row) in rows.iter().enumerate() {
        one_by_one.put(&format!("{place}.csv"), 10 - place as i64, timed(&[*row]));
        one_by_one.polled().await;
    }
    let told = at_once.events("1").await;
    assert_eq!(told.last(), Some(&(EventKind::PriceCut, days(1))));
    assert_eq!(one_by_one.events("1").await, told);
}

#[tokio::test]
async fn snapshots_that_are_copied_at_once_are_judged_by_the_times_in_their_names() {
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
async fn a_file_of_the_future_counts_as_of_now_and_makes_no_other_late() {
    let inbox = Inbox::new(Coverage::Snapshot);
    inbox.put("a.csv", -60 * 24 * 300, csv(&[("1", 500), ("2", 600)]));
    assert_eq!(inbox.polled().await.files, 1);
    inbox.bench.wait_ms(2 * Time::DAY_MS);
    inbox.put("b.csv", -60 * 24, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 1);
    assert_eq!(inbox.bench.ends("1").await.0, Status::Gone);
    // The same, where its name has the time. Without a row, as rows of the future are refused.
    let mut inbox = Inbox::new(Coverage::Snapshot);
    inbox.map += "observed_at = { file_name = '(\\d{4}-\\d{2}-\\d{2})', date = \"%Y-%m-%d\" }\n";
    inbox.put("2026-01-13.csv", 20, csv(&[("1", 500), ("2", 600)]));
    inbox.put("2026-11-20.csv", 10, csv(&[]));
    assert_eq!(inbox.polled().await.files, 2);
    inbox.bench.wait_ms(2 * Time::DAY_MS);
    inbox.put("2026-01-15.csv", -60 * 24, csv(&[("2", 600)]));
    assert_eq!(inbox.polled().await.gone, 1);
}
