use std::collections::BTreeSet;
use std::sync::Mutex;

use deltalake::logstore::object_store::path::Path;
use stoop_domain::Time;
use stoop_lake_tables::{
    ColumnType, Inserter, Lake, LakeError, LakeTable, ObservationRows, RowBuilder, Spec, TableCell, TableColumn,
    maintain, specs,
};
use stoop_waits::joined;

use crate::hook::{Fate, Hook, hooked};
use crate::support::{chunk, ingest, lines, now, rows, rows_of, run};

/// The definition that an older program had: without these columns.
fn older(without: &[&str]) -> Spec {
    let mut spec = specs::observations();
    spec.columns.retain(|column| !without.contains(&column.name.as_ref()));
    spec
}

#[test]
fn a_new_column_is_added_and_older_versions_stay_readable() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::folder(folder.path()).unwrap();
        let new = ["bedrooms", "lot_area_m2", "amenities"];
        drop(Inserter::open(&lake, older(&new), now()).await.unwrap());
        let before = LakeTable::read(&lake, "observations").await.unwrap();
        assert_eq!(before.fields().unwrap().len(), specs::observations().columns.len() - new.len());
        let chunks = [("one".to_owned(), chunk("one", &lines(0..10)))];
        ingest(&lake, &chunks).await.unwrap();
        let after = LakeTable::read(&lake, "observations").await.unwrap();
        assert_eq!(after.fields().unwrap().len(), specs::observations().columns.len());
        assert_eq!(rows_of(&after).await.len(), 10);
        let operations: Vec<String> =
            after.versions().await.unwrap().into_iter().map(|version| version.operation).collect();
        assert_eq!(operations, ["WRITE", "ADD COLUMN", "CREATE TABLE"]);
        let first = LakeTable::read_version(&lake, "observations", 0).await.unwrap();
        assert_eq!(first.fields().unwrap(), before.fields().unwrap());
        // The older program goes on, and knows nothing of the columns.
        Inserter::open(&lake, older(&new), now()).await.unwrap();
        assert_eq!(LakeTable::read(&lake, "observations").await.unwrap().version(), 2);
    });
}

/// While the first file that a merge makes is written, a newer program adds a column and a row.
#[derive(Debug)]
struct Newer {
    lake: Mutex<Option<Lake>>,
}

impl Hook for Newer {
    fn write(&self, location: &Path) -> Fate {
        if location.as_ref().contains("/tables/bronze/part-")
            && let Some(lake) = self.lake.lock().unwrap().take()
        {
            joined("another writer", std::thread::spawn(move || run(add_with_a_new_column(&lake))));
        }
        Fate::Done
    }
}

async fn add_with_a_new_column(lake: &Lake) {
    let mut spec = specs::bronze();
    spec.columns.push(TableColumn::new("bytes", ColumnType::Long, "Its size"));
    let mut batch = RowBuilder::new(&spec.columns);
    let cells = [
        TableCell::Text("newer"),
        TableCell::Long(1),
        TableCell::Time(now()),
        TableCell::Int(1),
        TableCell::Null,
        TableCell::Long(77),
    ];
    batch.push(&cells).unwrap();
    let mut inserter = Inserter::open(lake, spec, now()).await.unwrap();
    assert_eq!(inserter.insert(&batch.take().unwrap(), &[1], now()).await.unwrap().added, 1);
}

#[test]
fn a_merge_keeps_a_column_that_a_newer_program_adds_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Lake::folder(folder.path()).unwrap();
    for name in ["one", "two"] {
        run(ingest(&plain, &[(name.to_owned(), chunk(name, &lines(0..1)))])).unwrap();
    }
    let newer = Newer { lake: Mutex::new(Some(plain.clone())) }.into();
    let done = run(maintain(&hooked(&plain, &newer), 7, now(), &|| false)).unwrap();
    let bronze = done.iter().find(|done| done.table == "bronze").unwrap();
    assert_eq!((bronze.files_merged, bronze.files_written), (4, 2), "two files, then the merged one and the newer one");
    let rows = rows(folder.path(), "bronze");
    assert_eq!(rows.keys().map(String::as_str).collect::<BTreeSet<_>>(), ["newer", "one", "two"].into());
    assert_eq!(rows["newer"].get("bytes").map(String::as_str), Some("77"));
}

#[test]
fn a_table_that_does_not_fit_is_refused() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::folder(folder.path()).unwrap();
        let mut other = specs::observations();
        let at = other.position("bedrooms").unwrap();
        other.columns[at].kind = ColumnType::Text;
        LakeTable::open(&lake, &other, now()).await.unwrap();
        let error = LakeTable::open(&lake, &specs::observations(), now()).await.err().unwrap().to_string();
        let wanted = "the table observations: the column bedrooms is \"string\"; this program writes \"integer\"";
        assert_eq!(error, wanted);

        LakeTable::open(&lake, &specs::quarantine(), now()).await.unwrap();
        let log = folder.path().join("tables/quarantine/_delta_log/00000000000000000000.json");
        let ours = std::fs::read_to_string(&log).unwrap();
        let of_schema =
            |number: &str| ours.replace("\"stoop.tableSchema\":\"2\"", &format!("\"stoop.tableSchema\":\"{number}\""));
        std::fs::write(&log, of_schema("1")).unwrap();
        let error = LakeTable::open(&lake, &specs::quarantine(), now()).await.err().unwrap().to_string();
        assert!(error.contains("it has schema 1; this program writes 2: remove all tables, and ingest"), "{error}");
        std::fs::write(&log, of_schema("9")).unwrap();
        let error = LakeTable::open(&lake, &specs::quarantine(), now()).await.err().unwrap();
        assert!(matches!(error, LakeError::Newer { found: 9, ours: 2, .. }), "{error}");
        assert!(LakeTable::read(&lake, "quarantine").await.is_ok(), "anybody may read it");
    });
}

#[test]
fn each_version_has_the_rows_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::folder(folder.path()).unwrap();
    for at in 0..4_u32 {
        let name = format!("object {at}");
        run(ingest(&lake, &[(name.clone(), chunk(&name, &lines(at * 10..at * 10 + 10)))])).unwrap();
    }
    assert_eq!(rows(folder.path(), "observations").len(), 40);
    run(async {
        for version in 0..=4 {
            let table = LakeTable::read_version(&lake, "observations", version).await.unwrap();
            assert_eq!(rows_of(&table).await.len() as u64, version * 10);
        }
        let versions = LakeTable::read(&lake, "observations").await.unwrap().versions().await.unwrap();
        let newest = versions.first().unwrap();
        assert_eq!((newest.version, newest.rows_added, newest.rows_removed), (4, 10, 0));
        let as_of = LakeTable::read_as_of(&lake, "observations", versions[1].at).await.unwrap();
        // Two commits within a millisecond are of one moment.
        assert!(as_of.version() >= 3);
        let Err(error) =
            LakeTable::read_as_of(&lake, "observations", Time::parse("2020-01-01T00:00:00Z").unwrap()).await
        else {
            panic!("the table is younger");
        };
        assert!(error.to_string().starts_with("no version of the table observations at 2020-01-01"), "{error}");
        assert!(LakeTable::read_version(&lake, "observations", 5).await.is_err());
        let error = LakeTable::read(&lake, "homes").await.err().unwrap().to_string();
        assert!(error.contains("there are bronze, observations, quarantine"), "{error}");
    });
}

#[test]
fn a_row_has_a_cell_for_each_column() {
    let columns = specs::bronze().columns;
    assert!(RowBuilder::new(&columns).push(&[]).is_err());
    assert!(ObservationRows::default().is_empty());
}
