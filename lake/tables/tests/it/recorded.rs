use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use deltalake::arrow::array::AsArray as _;
use deltalake::arrow::datatypes::Int64Type;
use stoop_lake_tables::{Lake, LakeTable, maintain, record_versions, specs};

use crate::support::{chunk, ingest, lines, now, run};

/// The recorded versions: of each table the number and what was done, in order of time.
fn recorded(lake: &Lake) -> BTreeMap<String, Vec<(i64, String)>> {
    let mut found: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    let visit = |batch: &deltalake::arrow::array::RecordBatch| {
        let text = |name| batch.column_by_name(name).unwrap().as_string::<i32>();
        let numbers = batch.column_by_name("version").unwrap().as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let version = (numbers.value(row), text("operation").value(row).to_owned());
            found.entry(text("table_name").value(row).to_owned()).or_default().push(version);
        }
    };
    run(async { LakeTable::read(lake, "versions").await.unwrap().each_batch(&[], visit).await.unwrap() });
    found.values_mut().for_each(|versions| versions.sort());
    found
}

fn in_the_logs(lake: &Lake) -> BTreeMap<String, Vec<(i64, String)>> {
    run(async {
        let mut found = BTreeMap::new();
        for name in lake.tables().await.unwrap().into_iter().filter(|name| name != "versions") {
            let versions = LakeTable::read(lake, &name).await.unwrap().versions().await.unwrap().into_iter().rev();
            let versions = versions.map(|version| (version.version.cast_signed(), version.operation)).collect();
            found.insert(name, versions);
        }
        found
    })
}

fn grow(lake: &Lake, object: u32) {
    let name = format!("object {object}");
    run(ingest(lake, &[(name.clone(), chunk(&name, &lines(object * 10..object * 10 + 10)))])).unwrap();
}

#[test]
fn every_version_of_every_table_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    assert_eq!(run(record_versions(&lake, now())).unwrap(), 0);
    assert!(!folder.path().join("tables").exists(), "nothing is made where there is no table");
    for object in 0..3 {
        grow(&lake, object);
    }
    assert_eq!(run(record_versions(&lake, now())).unwrap(), 4 + 4 + 1);
    assert_eq!(recorded(&lake), in_the_logs(&lake));
    assert_eq!(run(record_versions(&lake, now())).unwrap(), 0);
    grow(&lake, 3);
    // Merges the files of the record, too, which has no row for that.
    run(maintain(&lake, 7, now(), &|| false)).unwrap();
    let (one, other) = run(async { tokio::join!(record_versions(&lake, now()), record_versions(&lake, now())) });
    assert_eq!(one.unwrap() + other.unwrap(), 2 + 2, "two appends and two merges, whoever was first");
    assert_eq!(recorded(&lake), in_the_logs(&lake));
}

#[test]
fn what_a_log_loses_stays_recorded_and_a_table_made_again_is_another() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    for object in 0..12 {
        grow(&lake, object);
    }
    run(record_versions(&lake, now())).unwrap();
    let all = recorded(&lake);
    run(maintain(&lake, 7, now(), &|| false)).unwrap();
    let log = |table: &str, version: u32| folder.path().join(format!("tables/{table}/_delta_log/{version:020}.json"));
    for version in 0..5 {
        fs::remove_file(log("observations", version)).unwrap();
    }
    run(record_versions(&lake, now())).unwrap();
    assert_eq!(recorded(&lake)["observations"][..13], all["observations"][..]);

    let quarantine: &Path = &folder.path().join("tables/quarantine");
    fs::remove_dir_all(quarantine).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2));
    run(LakeTable::open(&lake, &specs::quarantine(), now())).unwrap();
    assert_eq!(run(record_versions(&lake, now())).unwrap(), 1);
    assert_eq!(recorded(&lake)["quarantine"].iter().filter(|(number, _)| *number == 0).count(), 2);
}
