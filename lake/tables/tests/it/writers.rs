use stoop_lake_tables::{Chunk, Ingest, IngestCounts, Lake};

use crate::support::{chunk, lines, now, rows, run};

/// Each takes all chunks, in another order, so that all of them want to add the same rows.
#[test]
fn four_writers_lose_and_double_nothing() {
    const WRITERS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let chunks: Vec<Chunk> =
        (0..8_u32).map(|at| chunk(&format!("object {at}"), &lines(at * 20..at * 20 + 30))).collect();
    let work = |writer: usize| {
        run(async {
            let mut ingest = Ingest::open(&Lake::folder(folder.path()).unwrap(), now()).await.unwrap();
            for at in 0..chunks.len() {
                ingest.take(&chunks[(at + writer * 2) % chunks.len()], now()).await.unwrap();
            }
            ingest.counts()
        })
    };
    let counts: Vec<IngestCounts> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || work(writer))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(rows(folder.path(), "observations").len(), 170);
    assert_eq!(rows(folder.path(), "bronze").len(), 8);
    assert_eq!(counts.iter().map(|counts| counts.added).sum::<u64>(), 170);
    assert_eq!(counts.iter().map(|counts| counts.lines).sum::<u64>(), 4 * 8 * 30);
}
