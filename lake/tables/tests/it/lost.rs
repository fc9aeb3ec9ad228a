use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use deltalake::logstore::object_store::Error;
use deltalake::logstore::object_store::path::Path;
use stoop_lake_tables::{Lake, LakeTable, Replacement, TableCell, maintain, specs};

use crate::hook::{Fate, Hook, hooked};
use crate::support::{chunk, ingest, lines, now, rows, run};

/// Each version is committed and the answer lost: the store's client writes it again, and finds that it is there.
#[derive(Debug, Default)]
struct Losing(Mutex<HashSet<String>>);

impl Hook for Losing {
    fn write(&self, location: &Path) -> Fate {
        let is_commit = location.as_ref().contains("/_delta_log/") && location.as_ref().ends_with(".json");
        if is_commit && self.0.lock().unwrap().insert(location.to_string()) {
            let source = "the answer was lost".into();
            return Fate::Lost(Error::AlreadyExists { path: location.to_string(), source });
        }
        Fate::Done
    }
}

#[test]
fn a_commit_whose_answer_is_lost_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Lake::folder(folder.path()).unwrap();
    let lake = hooked(&plain, &Arc::<Losing>::default());
    for at in 0..3_u32 {
        let name = format!("object {at}");
        let counts =
            run(ingest(&lake, &[(name.clone(), chunk(&name, &lines(at * 10..at * 10 + 15)))])).unwrap().counts();
        assert_eq!((counts.added, counts.objects), (if at == 0 { 15 } else { 10 }, 1));
    }
    run(maintain(&lake, 7, now(), &|| false)).unwrap();
    assert_eq!(rows(folder.path(), "observations").len(), 35);
    run(async {
        for (subject, changed) in [("one", true), ("one", false), ("another", true), ("another", false)] {
            let mut runs = Replacement::begin(&lake, specs::runs(), now()).await.unwrap();
            let texts = ["r1", "poll", subject].map(TableCell::Text);
            let rest = [
                TableCell::Time(now()),
                TableCell::Null,
                TableCell::Text("complete"),
                TableCell::Null,
                TableCell::Text("{}"),
            ];
            runs.push(&[&texts[..], &rest].concat()).await.unwrap();
            assert_eq!(runs.end().await.unwrap().changed, changed, "{subject}");
            let mut subjects = Vec::new();
            let visit = |batch: &deltalake::arrow::array::RecordBatch| subjects.push(batch.num_rows());
            LakeTable::read(&plain, "runs").await.unwrap().each_batch(&["subject"], visit).await.unwrap();
            assert_eq!(subjects, [1], "the files of the table are there");
        }
    });
}
