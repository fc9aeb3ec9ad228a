use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use deltalake::logstore::object_store::Result;
use deltalake::logstore::object_store::path::Path;
use stoop_lake_tables::{IngestCounts, Lake, maintain};

use crate::hook::{Hook, hooked};
use crate::support::{chunk, ingest_keeping, lines, now, rows, run};

/// Notes which files with observations are read.
#[derive(Debug, Default)]
struct Noting(Mutex<BTreeSet<String>>);

impl Hook for Noting {
    fn read(&self, location: &Path) -> Result<()> {
        if location.as_ref().contains("/observations/month=") {
            self.0.lock().unwrap().insert(location.to_string());
        }
        Ok(())
    }
}

/// Takes these observations as a file of their own, by a new process. Returns what it did and how many files it searched.
fn take(lake: &Lake, object: &str, numbers: std::ops::Range<u32>) -> (IngestCounts, usize) {
    let noting = Arc::<Noting>::default();
    let chunks = [(object.to_owned(), chunk(object, &lines(numbers)))];
    let counts = run(ingest_keeping(&hooked(lake, &noting), &chunks, 1_000)).unwrap().counts();
    let searched = noting.0.lock().unwrap().len();
    (counts, searched)
}

/// What is new was mostly seen after all that is there, so a month is not read again for it, however large it is.
#[test]
fn only_files_of_the_same_time_are_searched() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    // All that follow are of January.
    for at in 0..9 {
        let (counts, searched) = take(&lake, &format!("in order {at}"), at * 5..at * 5 + 5);
        assert_eq!((counts.added, counts.repeated, searched), (5, 0, 0), "file {at}");
    }
    // The last one of each of two files, and between them.
    let (counts, searched) = take(&lake, "late", 14..16);
    assert_eq!((counts.added, counts.repeated, searched), (0, 2, 2));
    let (counts, searched) = take(&lake, "the end again", 43..50);
    assert_eq!((counts.added, counts.repeated, searched), (5, 2, 1));
    // The bounds of a merged file, and those that a checkpoint keeps, do it, too.
    let done = run(maintain(&lake, 7, now(), &|| false)).unwrap();
    let done = done.iter().find(|done| done.table == "observations").unwrap();
    assert_eq!((done.files_written, done.checkpoint.is_some()), (1, true));
    let (counts, searched) = take(&lake, "after a merge", 50..55);
    assert_eq!((counts.added, searched), (5, 0));
    let (counts, searched) = take(&lake, "all again", 0..55);
    assert_eq!((counts.repeated, searched), (55, 2));
    assert_eq!(rows(folder.path(), "observations").len(), 55);
}
