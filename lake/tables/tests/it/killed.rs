use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{Error, Result};
use stoop_lake_tables::Lake;

use crate::hook::{Fate, Hook, hooked};
use crate::support::{chunk, ingest, lines, rows, run};

/// The process dies: after some writes every call fails, and the last write is done or not.
#[derive(Debug)]
pub(crate) struct Dying {
    writes_left: AtomicI64,
    last_is_done: bool,
}

impl Dying {
    /// The same lake, through a store that dies.
    pub(crate) fn of(lake: &Lake, writes: i64, last_is_done: bool) -> Lake {
        hooked(lake, &Arc::new(Self { writes_left: AtomicI64::new(writes), last_is_done }))
    }

    fn dead() -> Error {
        Error::Generic { store: "dying", source: "the process is dead".into() }
    }
}

impl Hook for Dying {
    fn write(&self, _: &Path) -> Fate {
        match self.writes_left.fetch_sub(1, Ordering::SeqCst) {
            1.. => Fate::Done,
            0 if self.last_is_done => Fate::Lost(Self::dead()),
            _ => Fate::Refused(Self::dead()),
        }
    }

    fn read(&self, _: &Path) -> Result<()> {
        if self.writes_left.load(Ordering::SeqCst) < 0 { Err(Self::dead()) } else { Ok(()) }
    }
}

#[test]
fn whenever_the_process_dies_the_next_one_completes_the_work() {
    let name = |at: usize| format!("object {at}");
    let mut contents = [lines(0..30), lines(20..50), lines(40..45)];
    contents[1].push(b"{\"v\":3,\"source\":7}".to_vec());
    let chunks: Vec<_> = contents.iter().enumerate().map(|(at, lines)| (name(at), chunk(&name(at), lines))).collect();
    let right = tempfile::tempdir().unwrap();
    run(ingest(&Lake::folder(right.path()).unwrap(), &chunks)).unwrap();
    let right = ["observations", "quarantine", "bronze"].map(|table| rows(right.path(), table));
    assert_eq!(right.each_ref().map(std::collections::BTreeMap::len), [50, 1, 3]);
    for last_is_done in [false, true] {
        let mut deaths = 0;
        for writes in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let lake = Lake::folder(folder.path()).unwrap();
            let first = run(ingest(&Dying::of(&lake, writes, last_is_done), &chunks));
            let is_dead = first.is_err();
            let second = run(ingest(&Lake::folder(folder.path()).unwrap(), &chunks)).unwrap();
            for (table, right) in ["observations", "quarantine", "bronze"].into_iter().zip(&right) {
                assert_eq!(&rows(folder.path(), table), right, "{table}, dead at write {writes}, done: {last_is_done}");
            }
            if !is_dead {
                assert_eq!(second.counts().lines, 0);
                break;
            }
            deaths += 1;
        }
        // Three tables; two or three months and a version for each chunk; quarantine; the files that were taken.
        assert!(deaths >= 15, "{deaths} deaths");
    }
}
