use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;

use rawzip::{CompressionMethod, ZipArchiveWriter};
use stoop_pipeline::ports::{FileError, FilePattern, FileRow, FileVersion, Files, OpenFile};
use stoop_sources::declared::Map;

use crate::made;

const MAP: &str = r#"
name = "files"
country = "AT"
currency = "EUR"
purpose = "sale"
[fields]
native_id = { from = "id" }
observed_at = { from = "seen", date = "rfc3339", default = "2026-01-01T00:00:00Z" }
list_price = { from = "price" }
city = { constant = "Graz" }
[[skip]]
from = "price"
is = ["-"]
"#;

/// Rows of the large file: a few megabytes.
const MANY: usize = 60_000;

/// A map for the suite's files.
///
/// # Panics
///
/// Never: the map is valid.
#[must_use]
pub fn files_map() -> Map {
    Map::parse(MAP, "files.toml").expect("the map of the suite is one")
}

/// The contract of [`Files`]. `put` creates or replaces a file, `remove` deletes it; names begin where patterns do.
pub async fn files_conformance<F: Files + ?Sized>(
    files: Arc<F>,
    put: impl AsyncFn(&str, Vec<u8>),
    remove: impl AsyncFn(&str),
) {
    listed(&*files, &put).await;
    read(&*files, &put).await;
    archives(&*files, &put).await;
    lost(&*files, &put, &remove).await;
}

async fn list<F: Files + ?Sized>(files: &F, pattern: &str) -> Vec<FileVersion> {
    let mut listed = files.list(&FilePattern::parse(pattern).unwrap(), usize::MAX).await.unwrap();
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    listed
}

async fn one<F: Files + ?Sized>(files: &F, name: &str) -> FileVersion {
    let [file] = &list(files, name).await[..] else { panic!("{name} is one file") };
    assert_eq!(file.name, name);
    file.clone()
}

async fn listed<F: Files + ?Sized>(files: &F, put: &impl AsyncFn(&str, Vec<u8>)) {
    for name in ["in/a.csv", "in/2026/01/b.csv", "in/c.zip", "in/.x.csv", "in/d.csv.part", "inn/e.csv", "in/é f.csv"] {
        put(name, b"id,price,seen\n".to_vec()).await;
    }
    let names =
        async |pattern: &str| -> Vec<String> { list(files, pattern).await.into_iter().map(|file| file.name).collect() };
    assert_eq!(names("in/").await, ["in/2026/01/b.csv", "in/a.csv", "in/c.zip", "in/é f.csv"]);
    assert_eq!(names("in").await, names("in/").await);
    assert_eq!(names("in/*.csv").await, ["in/a.csv", "in/é f.csv"]);
    assert_eq!(names("in/**/*.csv").await, ["in/2026/01/b.csv", "in/a.csv", "in/é f.csv"]);
    assert_eq!(names("in/a.csv").await, ["in/a.csv"]);
    assert_eq!(names("in*/e.csv").await, ["inn/e.csv"]);
    assert_eq!(names("in/2026/*/*").await, ["in/2026/01/b.csv"]);
    assert_eq!(names("in/*.json").await, [""; 0]);
    let few = files.list(&FilePattern::parse("in/").unwrap(), 2).await.unwrap();
    assert_eq!(few.len(), 2, "at most as many as were asked for");

    let before = one(files, "in/a.csv").await;
    assert_eq!((before.size, one(files, "in/a.csv").await), (14, before.clone()), "a version does not change");
    put("in/a.csv", b"id,price,seen\n1,2,\n".to_vec()).await;
    let after = one(files, "in/a.csv").await;
    assert_ne!(after, before, "and another when it was replaced");
    assert!(after.modified >= before.modified && after.modified > made::minute(-60 * 24 * 365 * 20));
}

/// Reads the rest of a file: IDs and positions of rejects, number of rows, bytes.
async fn drain(file: &mut dyn OpenFile, rows_max: usize) -> Result<(Vec<String>, u64, u64), FileError> {
    let (mut seen, mut rows, mut bytes) = (Vec::new(), 0, 0);
    loop {
        let page = file.page(rows_max, made::minute(0), made::minute(60)).await?;
        assert!(page.rows_read <= rows_max as u64 && page.rows.len() as u64 <= page.rows_read);
        assert!(page.rows_read > 0 || page.ended, "a page has rows or is the last");
        rows += page.rows_read;
        bytes += page.bytes_read;
        seen.extend(page.rows.into_iter().map(|row| match row {
            FileRow::Found(observation, _) => format!("{} {}", observation.native_id, observation.at),
            FileRow::Refused { position, native_id, .. } => format!("{position} ({})", native_id.unwrap_or_default()),
        }));
        if page.ended {
            return Ok((seen, rows, bytes));
        }
    }
}

async fn open<F: Files + ?Sized>(files: &F, name: &str, before: u64) -> Result<Box<dyn OpenFile>, FileError> {
    files.open(&one(files, name).await, &files_map(), before).await
}

async fn read<F: Files + ?Sized>(files: &F, put: &impl AsyncFn(&str, Vec<u8>)) {
    let csv = "id,price,seen\n1,100,2026-01-10T00:00:00Z\n2,-,\n,100,\n4,100,2030-01-10T00:00:00Z\n5,100,\n";
    put("read/a.csv", csv.as_bytes().to_vec()).await;
    let expected =
        ["1 2026-01-10T00:00:00Z", "read/a.csv: line 4 ()", "read/a.csv: line 5 (4)", "5 2026-01-01T00:00:00Z"];
    for rows_max in [1, 2, 100] {
        let mut file = open(files, "read/a.csv", 0).await.unwrap();
        let (seen, rows, bytes) = drain(&mut *file, rows_max).await.unwrap();
        assert_eq!((seen, rows), (expected.map(str::to_owned).to_vec(), 5));
        assert_eq!(bytes, csv.len() as u64);
    }
    for before in 0..7 {
        let mut file = open(files, "read/a.csv", before).await.unwrap();
        let (_, rows, _) = drain(&mut *file, 2).await.unwrap();
        assert_eq!(rows, 5_u64.saturating_sub(before), "after the first {before}");
    }

    let gz = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(many().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    put("read/many.csv.gz", gz).await;
    put("read/many.csv", many().into_bytes()).await;
    for name in ["read/many.csv.gz", "read/many.csv"] {
        let (seen, rows, _) = drain(&mut *open(files, name, 0).await.unwrap(), 1_000).await.unwrap();
        assert_eq!((rows, seen.len()), (MANY as u64, MANY));
        let later = drain(&mut *open(files, name, 44_444).await.unwrap(), 7_000).await.unwrap();
        assert_eq!(later.0, seen[44_444..], "the same rows each time");
    }
}

fn many() -> String {
    let mut csv = "id,price,seen,words\n".to_owned();
    for i in 0..MANY {
        let words = blake3::hash(&i.to_le_bytes()).to_hex();
        writeln!(csv, "h{i},{},2026-01-10T00:00:00Z,{words}", 1_000 + i).unwrap();
    }
    csv
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    for (name, bytes) in entries {
        let (mut entry, config) =
            archive.new_file(*name).compression_method(CompressionMethod::DEFLATE).start().unwrap();
        let mut writer = config.wrap(flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast()));
        writer.write_all(bytes).unwrap();
        let (encoder, descriptor) = writer.finish().unwrap();
        encoder.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap()
}

async fn archives<F: Files + ?Sized>(files: &F, put: &impl AsyncFn(&str, Vec<u8>)) {
    let many = many();
    let bytes = zip(&[
        ("z.csv", b"id,price,seen\n9,9000,2026-01-10T00:00:00Z\n"),
        ("b/many.csv", many.as_bytes()),
        ("a.txt", b"about"),
    ]);
    put("zip/all.zip", bytes.clone()).await;
    let (seen, rows, _) = drain(&mut *open(files, "zip/all.zip", 0).await.unwrap(), 1_000).await.unwrap();
    assert_eq!((rows, &*seen[0]), (MANY as u64 + 2, "zip/all.zip/a.txt ()"));
    assert_eq!((&*seen[1], &*seen[MANY + 1]), ("h0 2026-01-10T00:00:00Z", "9 2026-01-10T00:00:00Z"));
    let later = drain(&mut *open(files, "zip/all.zip", 55_555).await.unwrap(), 10_000).await.unwrap();
    assert_eq!(later.0, seen[55_555..]);

    put("zip/cut.zip", bytes[..bytes.len() / 2].to_vec()).await;
    put("zip/strange.csv", b"number,amount\n1,2\n".to_vec()).await;
    put("zip/strange.doc", b"?".to_vec()).await;
    for name in ["zip/cut.zip", "zip/strange.csv", "zip/strange.doc"] {
        match open(files, name, 0).await {
            Err(FileError::Unreadable(why)) => assert!(why.starts_with(name), "it names the file: {why}"),
            Err(other) => panic!("{name}: {other}"),
            Ok(_) => panic!("{name} was opened"),
        }
    }
}

async fn lost<F: Files + ?Sized>(files: &F, put: &impl AsyncFn(&str, Vec<u8>), remove: &impl AsyncFn(&str)) {
    put("lost/many.csv", many().into_bytes()).await;
    let old = one(files, "lost/many.csv").await;
    let mut open = files.open(&old, &files_map(), 0).await.unwrap();
    open.page(10, made::minute(0), made::minute(60)).await.unwrap();
    put("lost/many.csv", many().replace(",2026-", ",2025-").into_bytes()).await;
    // Some rows may have been fetched before; none is ever of another version.
    let outcome = loop {
        match open.page(1_000, made::minute(0), made::minute(60)).await {
            Ok(page) => {
                let old =
                    |row: &FileRow| matches!(row, FileRow::Found(found, _) if found.at > made::minute(-14 * 24 * 60));
                assert!(page.rows.iter().all(old), "all rows are of one version");
                assert!(!page.ended && page.rows_read > 0, "it is too large to have been fetched whole");
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(outcome, FileError::Changed), "{outcome}");
    let outcome = files.open(&old, &files_map(), 0).await;
    assert!(matches!(outcome.err(), Some(FileError::Changed)), "an old version is not opened");

    let file = one(files, "lost/many.csv").await;
    remove("lost/many.csv").await;
    assert!(matches!(files.open(&file, &files_map(), 0).await.err(), Some(FileError::Left)));
}
