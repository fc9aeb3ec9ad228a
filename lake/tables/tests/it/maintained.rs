use std::fs;
use std::path::Path;

use stoop_domain::Time;
use stoop_lake_tables::{Inserter, Lake, LakeTable, Maintained, ObservationRows, maintain, specs};

use crate::killed::Dying;
use crate::support::{chunk, ingest, lines, now, rows, rows_of, run};

/// Data files below a folder.
fn parquet_files(folder: &Path) -> usize {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let count = |path: std::path::PathBuf| match path.is_dir() {
        true if path.ends_with("_delta_log") => 0,
        true => parquet_files(&path),
        false => usize::from(path.extension().is_some_and(|end| end == "parquet")),
    };
    paths.map(count).sum()
}

/// A lake of `objects` files of bronze, each with ten observations.
fn filled(folder: &Path, objects: u32) -> Lake {
    let lake = Lake::folder(folder).unwrap();
    for at in 0..objects {
        let name = format!("object {at}");
        run(ingest(&lake, &[(name.clone(), chunk(&name, &lines(at * 10..at * 10 + 10)))])).unwrap();
    }
    lake
}

fn of(done: &[Maintained], table: &str) -> Maintained {
    done.iter().find(|done| done.table == table).unwrap().clone()
}

/// The store gives files the time of today, so that they are old long after.
fn later() -> Time {
    Time::parse("2100-01-01T00:00:00Z").unwrap()
}

#[test]
fn merged_files_have_the_same_rows_in_order_and_old_versions_stay() {
    let folder = tempfile::tempdir().unwrap();
    let lake = filled(folder.path(), 12);
    let observations = folder.path().join("tables/observations");
    let before = rows(folder.path(), "observations");
    let months = 2;
    let done = run(maintain(&lake, 7, now(), &|| false)).unwrap();
    let merged = of(&done, "observations");
    assert_eq!((merged.files_written, merged.files_removed, merged.rows_written), (months, 0, 120));
    assert_eq!(merged.checkpoint, Some(14), "twelve appends and two merges");
    assert_eq!(rows(folder.path(), "observations"), before);
    run(async {
        let table = LakeTable::read(&lake, "observations").await.unwrap();
        assert_eq!(table.versions().await.unwrap()[0].operation, "OPTIMIZE");
        // Read as a whole, the rows of each file are sorted by area and home.
        let mut last = String::new();
        let mut breaks = 0;
        let visit = |batch: &deltalake::arrow::array::RecordBatch| {
            use deltalake::arrow::array::AsArray as _;
            let column = |name| batch.column_by_name(name).unwrap().as_string::<i32>();
            for (area, home) in column("area").iter().zip(column("listing_id")) {
                let key = format!("{} {}", area.unwrap(), home.unwrap());
                breaks += usize::from(key < last);
                last = key;
            }
        };
        table.each_batch(&["area", "listing_id"], visit).await.unwrap();
        assert!(breaks <= 1, "{breaks} steps back in two files");
        assert_eq!(rows_of(&LakeTable::read_version(&lake, "observations", 12).await.unwrap()).await, before);
    });
    let files = parquet_files(&observations);
    // Nothing is left to do, and nobody's files are removed.
    let again = run(maintain(&lake, 7, now(), &|| false)).unwrap();
    assert_eq!(of(&again, "observations"), Maintained { table: "observations".into(), ..Maintained::default() });
    assert_eq!(parquet_files(&observations), files);
    // Long after, only the current files are there.
    let done = run(maintain(&lake, 7, later(), &|| false)).unwrap();
    assert_eq!(of(&done, "observations").files_removed, files as u64 - months);
    assert_eq!(parquet_files(&observations), 2);
    assert_eq!(rows(folder.path(), "observations"), before);
    // It goes on, from the checkpoint.
    let all: Vec<_> = (0..13_u32)
        .map(|at| (format!("other {at}"), chunk(&format!("other {at}"), &lines(at * 10..at * 10 + 10))))
        .collect();
    assert_eq!(run(ingest(&lake, &all)).unwrap().counts().added, 10);
    assert_eq!(rows(folder.path(), "observations").len(), 130);
}

#[test]
fn a_file_that_no_version_has_is_removed_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let lake = filled(folder.path(), 1);
    let orphan = folder.path().join("tables/observations/month=2026-01/part-lost.zstd.parquet");
    fs::write(&orphan, b"of a process that died").unwrap();
    run(maintain(&lake, 7, now(), &|| false)).unwrap();
    assert!(orphan.exists(), "a writer may be about to commit it");
    run(maintain(&lake, 7, later(), &|| false)).unwrap();
    assert!(!orphan.exists());
    assert_eq!(rows(folder.path(), "observations").len(), 10);
    assert!(run(maintain(&lake, 31, now(), &|| false)).is_err());
}

#[test]
fn a_column_of_a_newer_program_survives_a_merge() {
    let folder = tempfile::tempdir().unwrap();
    let lake = filled(folder.path(), 3);
    run(async {
        let mut newer = specs::observations();
        newer.columns.push(stoop_lake_tables::TableColumn::new(
            "garage_spaces",
            stoop_lake_tables::ColumnType::Int,
            "Garage",
        ));
        drop(Inserter::open(&lake, newer, now()).await.unwrap());
    });
    assert!(ObservationRows::default().is_empty());
    let before = rows(folder.path(), "observations");
    run(maintain(&lake, 7, now(), &|| false)).unwrap();
    assert_eq!(rows(folder.path(), "observations"), before);
    let table = run(LakeTable::read(&lake, "observations")).unwrap();
    assert!(table.fields().unwrap().iter().any(|field| field["name"] == "garage_spaces"));
}

#[test]
fn it_stops_between_two_merges_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let lake = filled(folder.path(), 12);
    let before = rows(folder.path(), "observations");
    let calls = std::cell::Cell::new(0);
    let stop = || {
        calls.set(calls.get() + 1);
        calls.get() > 2
    };
    let done = run(maintain(&lake, 7, now(), &stop)).unwrap();
    assert_eq!(of(&done, "observations").files_written, 1);
    assert_eq!(rows(folder.path(), "observations"), before);
    let done = run(maintain(&lake, 7, now(), &|| false)).unwrap();
    assert_eq!(of(&done, "observations").files_written, 1);
    assert_eq!(rows(folder.path(), "observations"), before);
}

#[test]
fn whenever_it_dies_the_rows_are_the_same() {
    for last_is_done in [false, true] {
        for writes in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let lake = filled(folder.path(), 12);
            let before = rows(folder.path(), "observations");
            let dying = Dying::of(&lake, writes, last_is_done);
            let is_dead = run(maintain(&dying, 7, now(), &|| false)).is_err();
            assert_eq!(rows(folder.path(), "observations"), before, "dead at write {writes}, done: {last_is_done}");
            run(maintain(&lake, 7, later(), &|| false)).unwrap();
            assert_eq!(rows(folder.path(), "observations"), before);
            assert_eq!(parquet_files(&folder.path().join("tables/observations")), 2);
            if !is_dead {
                assert!(writes > 8, "{writes} writes");
                break;
            }
        }
    }
}

#[test]
fn writers_and_merges_at_the_same_time_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = filled(folder.path(), 8);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for at in 0..20_u32 {
                let name = format!("more {at}");
                run(ingest(&lake, &[(name.clone(), chunk(&name, &lines(at * 10..at * 10 + 15)))])).unwrap();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..5 {
                    run(maintain(&lake, 7, now(), &|| false)).unwrap();
                }
            });
        }
        writer.join().unwrap();
    });
    assert_eq!(rows(folder.path(), "observations").len(), 205);
    assert_eq!(rows(folder.path(), "bronze").len(), 28);
}
