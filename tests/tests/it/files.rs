//! Searches that read files: which are read, in which order and with which times, and the effect of a stop, a kill or a
//! broken file.

mod order;
mod snapshots;
mod trouble;

use std::fs::File;
use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use crate::site::Bench;
use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_domain::{EventKind, Status, Time};
use stoop_pipeline::ports::{FilePattern, RunOutcome};
use stoop_pipeline::{FileSet, Origin, PollError, Polled};
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

    /// With rows that have their observation times.
    fn with_times() -> Self {
        Self { map: MAP.to_owned() + SEEN, ..Self::new(Coverage::Changes) }
    }

    /// Writes a file with a modification time this many minutes before the bench's start.
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

    /// The events of a home, in minutes before the start.
    async fn events(&self, id: &str) -> Vec<(EventKind, i64)> {
        self.bench.measure().await;
        let home = self.bench.home(id).unwrap_or_default();
        let ago = |at: Time| (written(0).ms() - at.ms()).div_euclid(60_000);
        home.history.events().iter().map(|event| (event.kind, ago(event.at))).collect()
    }
}

/// This many minutes before the bench's start.
fn written(minutes_ago: i64) -> Time {
    Time::parse("2026-01-14T12:00:00Z").unwrap().plus_ms(-minutes_ago * 60_000)
}

fn csv(rows: &[(&str, i64)]) -> String {
    rows.iter().fold("id,price\n".to_owned(), |csv, (id, price)| format!("{csv}{id},{price}\n"))
}

/// Rows with their times in minutes before the start.
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
async fn an_archive_in_the_folder_is_read_once() {
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
async fn a_backfill_has_the_days_of_its_files() {
    let inbox = Inbox::new(Coverage::Changes);
    // Their names sort in the reverse order: the modification time decides.
    for (name, hours_ago, price) in [("e.csv", 40, 500), ("d.csv", 30, 450), ("c.csv", 20, 450), ("b.csv", 10, 480)] {
        inbox.put(name, hours_ago * 60, csv(&[("1", price)]));
    }
    assert_eq!((inbox.polled().await.files, inbox.polled().await.files), (4, 0));
    use EventKind::{New, PriceCut, PriceRise};
    assert_eq!(inbox.events("1").await, [(New, 2_400), (PriceCut, 1_800), (PriceRise, 600)]);

    // A late file also has its own day, and the later prices still apply.
    inbox.put("late.csv", 25 * 60, csv(&[("1", 470), ("2", 900)]));
    assert_eq!(inbox.polled().await.files, 1);
    let expected = [(New, 2_400), (PriceCut, 1_800), (PriceRise, 1_500), (PriceCut, 1_200), (PriceRise, 600)];
    assert_eq!(inbox.events("1").await, expected);
    assert_eq!(inbox.bench.ends("1").await, (Status::Active, 480));
    assert_eq!(inbox.events("2").await, [(New, 1_500)]);

    // The content of the latest file is repeated with details by the next, and then no more.
    inbox.put("f.csv", 5, csv(&[("1", 480)]));
    inbox.put("g.csv", 4, csv(&[("1", 480)]));
    inbox.polled().await;
    assert_eq!(inbox.events("1").await, expected);
}

#[tokio::test]
async fn the_counts_of_a_poll_are_of_rows_and_add_up() {
    let inbox = Inbox::with_times();
    // Three homes, thousands of unordered rows: repetitions that keep histories right are sent, but are not rows.
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

    // In addition, rejected rows, and a file that is plainly the wrong one.
    inbox.put("more.csv", 80, format!("{}d,70000,then\n", timed(&[("a", 90_000, 1), ("d", 80_000, 1)])));
    inbox.put("wrong.csv", 70, "id,price,seen\nx,1,then\ny,2,then\n");
    let polled = inbox.polled().await;
    assert_eq!((polled.files, polled.rows, polled.listings, polled.new, polled.changed), (1, 5, 2, 1, 1));
    assert_eq!((polled.rejects, polled.outcome), (3, Some(RunOutcome::Partial)));
    let why = "in/wrong.csv: none of the first 2 rows is understood: bad_value 2";
    assert_eq!(polled.message.as_deref(), Some(why));
    assert_eq!(inbox.polled().await.outcome, Some(RunOutcome::Complete), "it is read once");
}

#[tokio::test]
async fn equal_daily_rows_are_sent_every_eleventh_day_and_a_doubtful_price_on_the_next() {
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

    // All of it in one file, or in several files read in one go: the same result.
    let rows: Vec<(&str, i64, i64)> =
        [(0, 500_000), (1, 50_000), (2, 50_000), (3, 50_000)].map(|(day, price)| ("1", price, days(day))).into();
    let at_once = Inbox::with_times();
    at_once.put("all.csv", 1, timed(&rows));
    at_once.polled().await;
    let one_by_one = Inbox::with_times();
    for (index, row) in rows.iter().enumerate() {
        one_by_one.put(&format!("{index}.csv"), 10 - index as i64, timed(&[*row]));
        one_by_one.polled().await;
    }
    let message = at_once.events("1").await;
    assert_eq!(message.last(), Some(&(EventKind::PriceCut, days(1))));
    assert_eq!(one_by_one.events("1").await, message);
}
