//! The same on S3, or an emulator of it: `STOOP_LAKE_BUCKET=s3://bucket`, with the usual variables of AWS. Without, these
//! tests print `skipped` and pass.

use std::collections::HashSet;
use std::error::Error as _;
use std::io::Write as _;

use deltalake::logstore::object_store::ObjectStoreExt as _;
use deltalake::logstore::object_store::path::Path;
use flate2::Compression;
use flate2::write::GzEncoder;
use stoop_lake_tables::{Bronze, Counts, Ingest, Lake, Table, Waiting, maintain};

use crate::support::{lines, now, rows_of};

/// Buckets need several threads.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work)
}

#[test]
fn one_thread_is_too_few_for_a_bucket() {
    let lake = Lake::s3("s3://bucket").unwrap();
    let refused = crate::support::run(Table::read(&lake, "observations")).err().unwrap();
    assert_eq!(refused.source().unwrap().to_string(), "a bucket needs a runtime with several threads");
}

/// A part of the bucket of its own. Each runtime opens it for itself, as connections belong to a runtime.
fn part_of_bucket() -> Option<String> {
    let Ok(bucket) = std::env::var("STOOP_LAKE_BUCKET") else {
        println!("skipped: STOOP_LAKE_BUCKET is not set");
        return None;
    };
    Some(format!("{bucket}/test-{}", uuid::Uuid::new_v4()))
}

async fn put_bronze(lake: &Lake, name: &str, lines: &[Vec<u8>]) {
    // Two members of gzip are one file.
    let mut body = Vec::new();
    for half in lines.chunks(lines.len().div_ceil(2)) {
        let mut encoder = GzEncoder::new(&mut body, Compression::fast());
        half.iter().for_each(|line| encoder.write_all(&[line.as_slice(), b"\n"].concat()).unwrap());
        encoder.finish().unwrap();
    }
    let folder = lake.base().path().trim_start_matches('/').to_owned();
    let path = Path::from(format!("{folder}lake/observations/dt=2026-03-01/{name}.jsonl.gz"));
    lake.clone().into_parts().0.put(&path, body.into()).await.unwrap();
}

async fn take(url: &str) -> Counts {
    let lake = &Lake::s3(url).unwrap();
    let mut ingest = Ingest::open(lake, now()).await.unwrap();
    let taken: HashSet<String> = ingest.taken().await.unwrap();
    let files = Waiting::list(lake, &taken).await.unwrap();
    let mut bronze = Bronze::of_bucket(lake.clone(), files);
    while let Some(chunk) = bronze.next().await.unwrap() {
        ingest.take(&chunk, now()).await.unwrap();
    }
    ingest.counts()
}

#[test]
fn four_writers_on_a_bucket_lose_and_double_nothing() {
    let Some(url) = part_of_bucket() else { return };
    run(async {
        let lake = Lake::s3(&url).unwrap();
        for at in 0..3_u32 {
            put_bronze(&lake, &format!("{at}"), &lines(at * 20..at * 20 + 30)).await;
        }
    });
    let added: u64 = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4).map(|_| scope.spawn(|| run(take(&url)).added)).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(added, 70);
    run(async {
        let lake = Lake::s3(&url).unwrap();
        assert_eq!(rows_of(&Table::read(&lake, "observations").await.unwrap()).await.len(), 70);
        assert_eq!(take(&url).await, Counts::default(), "all three files were taken");
        put_bronze(&lake, "late", &lines(60..80)).await;
        let late = take(&url).await;
        assert_eq!((late.objects, late.added, late.repeated), (1, 10, 10));
        maintain(&lake, 7, now(), &|| false).await.unwrap();
        assert_eq!(rows_of(&Table::read(&lake, "observations").await.unwrap()).await.len(), 80);
    });
}
