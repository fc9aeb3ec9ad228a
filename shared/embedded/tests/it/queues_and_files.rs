//! The feed and the stream are trimmed, the lake is cut into files, and files are written atomically.

use std::fs;

use crate::support::{apply, files, lake, now, observation, open};
use stoop_embedded::PageFolder;
use stoop_pipeline::ports::{Pages, Stream};

#[test]
fn the_feed_keeps_what_some_consumer_has_not_read() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    for minute in 0..6 {
        apply(&database, &[&observation("1", minute, 0)]);
    }
    let positions = |after| -> Vec<i64> {
        database.changes(after, 99).unwrap().into_iter().map(|(position, _)| position).collect()
    };
    assert_eq!(positions(0), [1, 2, 3, 4, 5, 6]);
    assert_eq!(positions(4), [5, 6]);
    assert_eq!(database.changes(1, 2).unwrap().len(), 2);
    assert_eq!(database.checkpoint("alerts").unwrap(), 0);
    database.set_checkpoint("slow", 2).unwrap();
    database.set_checkpoint("alerts", 5).unwrap();
    database.set_checkpoint("alerts", 3).unwrap();
    assert_eq!(database.checkpoint("alerts").unwrap(), 5, "a checkpoint never goes back");
    assert_eq!(positions(0), [3, 4, 5, 6]);
    database.set_checkpoint("slow", 6).unwrap();
    database.set_checkpoint("alerts", 6).unwrap();
    assert_eq!(positions(0), Vec::<i64>::new());
    drop(database);
    let database = open(folder.path());
    apply(&database, &[&observation("1", 7, 0)]);
    assert_eq!(database.changes(6, 9).unwrap()[0].0, 7, "positions are never reused, even after the feed was empty");
}

#[test]
fn acknowledged_records_leave_the_stream() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let records: Vec<_> = (0..4_u8).map(|i| ("k".to_owned(), vec![i])).collect();
    now(Stream::put(&*database, &records)).unwrap();
    let first = database.stream_read(0, 2).unwrap();
    assert_eq!(first.iter().map(|record| record.body[0]).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(database.stream_read(0, 2).unwrap(), first, "reading removes nothing");
    database.stream_ack(first[1].seq).unwrap();
    let rest = database.stream_read(0, 9).unwrap();
    assert_eq!(rest.iter().map(|record| record.body[0]).collect::<Vec<_>>(), [2, 3]);
    database.stream_ack(rest[1].seq).unwrap();
    drop(database);
    let database = open(folder.path());
    now(Stream::put(&*database, &records[..1])).unwrap();
    assert_eq!(database.stream_read(rest[1].seq, 9).unwrap().len(), 1, "positions are never reused");
}

#[test]
fn the_lake_is_cut_into_files_of_about_a_mebibyte() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let day_minutes = 24 * 60;
    let seen: Vec<_> = (0..12).map(|i| observation(&i.to_string(), i * day_minutes / 3, 500_000)).collect();
    for seen in &seen {
        apply(&database, &[seen]);
        assert_eq!(lake(&database).last(), Some(seen));
    }
    assert_eq!(lake(&database), seen);
    let objects = database.lake_objects().unwrap();
    assert!((2..=3).contains(&objects.len()), "{objects:?}");
    let mut rows = 0;
    for object in &objects {
        assert_eq!(object.seq, rows);
        rows += object.rows;
        assert!((1 << 20..1 << 21).contains(&object.bytes));
        assert_eq!(fs::metadata(database.data().join(&object.path)).unwrap().len(), object.bytes);
        let name = format!("dt={}/{:012}-{}-", &object.last_at.to_string()[..10], object.seq, object.rows);
        assert!(object.path.starts_with(&format!("lake/observations/{name}")), "{}", object.path);
        assert_eq!(object.last_at, seen[usize::try_from(rows).unwrap() - 1].at);
    }
    let whole = fs::read(database.data().join(&objects[0].path)).unwrap();
    let lines = zstd::decode_all(whole.as_slice()).unwrap();
    assert_eq!(stoop_wire::lines(&lines).count() as u64, objects[0].rows, "any zstd decoder reads them");
    assert_eq!(database.newest_observation().unwrap(), Some(seen[11].at));
}

#[test]
fn no_run_name_leaves_the_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    let pages = PageFolder::new(folder.path());
    for run in ["..", "../../up", "/etc", "a/b", "a%2fb", ".hidden", "C:\\x", "a\0b", "ok-1_2.3", "é"] {
        now(pages.put(run, 3, run.as_bytes())).unwrap();
    }
    let expected = [
        "raw/%2e.%2f..%2fup/3.zst",
        "raw/%2e./3.zst",
        "raw/%2ehidden/3.zst",
        "raw/%2fetc/3.zst",
        "raw/%c3%a9/3.zst",
        "raw/C%3a%5cx/3.zst",
        "raw/a%00b/3.zst",
        "raw/a%252fb/3.zst",
        "raw/a%2fb/3.zst",
        "raw/ok-1_2.3/3.zst",
    ];
    assert_eq!(files(folder.path()), expected);
    assert!(now(pages.put("", 0, b"")).is_err());
    assert!(now(pages.put(&"x".repeat(201), 0, b"")).is_err());
}
