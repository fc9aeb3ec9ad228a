//! Reference series: stored as a whole, found around an area, and not touched by anything else.

use std::path::Path;

use rusqlite::Connection;
use stoop_domain::{AreaValues, Currency, Day, ReferenceAround, ReferenceSeries, ReferenceUnit, Time};
use stoop_embedded::{Database, Keep, Pruning};

use crate::support::{open, paths};
use crate::verify::{fill, verify};

/// The time of loading.
fn loaded() -> Time {
    Time::from_ms(1_768_003_200_000)
}

fn day(text: &str) -> Day {
    Day::last_of(text).unwrap()
}

fn series(name: &str, areas: &[(&str, &[(&str, f64)])]) -> ReferenceSeries {
    let area = |(path, values): &(&str, &[(&str, f64)])| AreaValues {
        path: (*path).to_owned(),
        values: values.iter().map(|(of, value)| (day(of), *value)).collect(),
    };
    let unit = ReferenceUnit::Money(Currency::USD);
    ReferenceSeries { name: name.to_owned(), unit, areas: areas.iter().map(area).collect() }
}

fn income() -> ReferenceSeries {
    series(
        "income",
        &[
            ("us", &[("2020", 60_000.0), ("2024", 80_000.0)]),
            ("us/wa", &[("2020", 70_000.0), ("2021", 71_000.0), ("2022", 72_000.0), ("2023", 73_000.0)]),
            ("us/wa/king", &[("2022", 90_000.0)]),
        ],
    )
}

/// The values of every series around an area: `income us/wa 2022-12-31 72000`.
fn around(database: &Database, path: &str, first: &str, last: &str) -> Vec<String> {
    let found = database.reference_around(path, day(first), day(last)).unwrap();
    let values = |ReferenceAround { name, levels, .. }: ReferenceAround| {
        let lines = levels.into_iter().flat_map(move |AreaValues { path, values }| {
            let name = name.clone();
            values.into_iter().map(move |(of, value)| format!("{name} {path} {of} {value}"))
        });
        lines.collect::<Vec<_>>()
    };
    found.into_iter().flat_map(values).collect()
}

/// Every stored row of the series.
fn stored(folder: &Path) -> Vec<String> {
    let connection = Connection::open(paths(folder).0).unwrap();
    let mut all = Vec::new();
    for sql in [
        "SELECT name || unit || areas_version || loaded_at || source FROM reference_series",
        "SELECT id || series || path FROM reference_areas",
        "SELECT area || ' ' || day || ' ' || value FROM reference_values",
    ] {
        let mut statement = connection.prepare(sql).unwrap();
        all.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    all
}

#[test]
fn a_series_is_found_around_an_area_from_the_value_that_holds_on_the_first_day() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    database.store_reference(&series("rate", &[("us", &[("2022-06-01", 0.05)])]), "rate.csv", loaded()).unwrap();
    assert_eq!(
        around(&database, "us/wa/king/seattle/98178", "2022-03", "2022-12-31"),
        [
            "income us/wa/king 2022-12-31 90000",
            "income us/wa 2021-12-31 71000",
            "income us/wa 2022-12-31 72000",
            "income us 2020-12-31 60000",
            "rate us 2022-06-01 0.05",
        ]
    );
    assert_eq!(
        around(&database, "us/", "2024-12-31", "2024-12-31"),
        ["income us 2024-12-31 80000", "rate us 2022-06-01 0.05"]
    );
    assert_eq!(around(&database, "us/tx", "2019", "2020-06"), Vec::<String>::new());
    assert_eq!(around(&database, "ma/casablanca-settat", "2019", "2025"), Vec::<String>::new());
}

#[test]
fn the_same_series_again_changes_nothing_and_another_one_replaces_it() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    assert_eq!((database.references().unwrap(), database.remove_reference("income").unwrap()), (Vec::new(), false));
    database.store_reference(&series("other", &[("us", &[("2020", 1.0)])]), "other.csv", loaded()).unwrap();
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    let once = stored(folder.path());
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    assert_eq!(stored(folder.path()), once);
    let listed = &database.references().unwrap()[0];
    assert_eq!((listed.name.as_str(), listed.areas, listed.values, listed.is_outdated), ("income", 3, 7, false));
    assert_eq!((listed.from, listed.to, listed.source.as_str()), (day("2020"), day("2024"), "income.csv"));

    database.store_reference(&series("income", &[("us/tx", &[("2021", 5.0)])]), "new.csv", loaded()).unwrap();
    assert_eq!(around(&database, "us/tx", "2020", "2025"), ["income us/tx 2021-12-31 5", "other us 2020-12-31 1"]);
    assert_eq!(around(&database, "us/wa/king", "2020", "2025"), ["other us 2020-12-31 1"]);
    assert!(database.remove_reference("income").unwrap());
    assert_eq!(database.references().unwrap().len(), 1);
    assert_eq!(stored(folder.path()).len(), 3, "one series, one area, one value");
}

#[test]
fn a_series_that_cannot_be_stored_leaves_the_former_one() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    let before = stored(folder.path());
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON reference_values WHEN new.value = 5.0
                 BEGIN SELECT RAISE(ABORT, 'no room on this disk'); END";
    Connection::open(paths(folder.path()).0).unwrap().execute_batch(fails).unwrap();
    let broken = series("income", &[("us", &[("2020", 4.0), ("2021", 5.0)])]);
    let error = database.store_reference(&broken, "new.csv", loaded()).unwrap_err();
    assert!(error.to_string().contains("store the reference series income"), "{error}");
    assert_eq!(stored(folder.path()), before);
    assert_eq!(database.references().unwrap()[0].values, 7);
}

#[test]
fn rebuild_verify_and_prune_do_not_touch_series() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let database = open(folder.path());
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    let before = stored(folder.path());
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    database.rebuild("this one", &|| false).unwrap();
    database.swap().unwrap();
    let keep =
        Keep { raw_pages_ms: 0, raw_pages_bytes: 0, runs_ms: 0, quarantine_ms: 0, quarantine_rows: 0, free_bytes: 0 };
    database.prune(Pruning { keep, now: loaded(), dry_run: false, rewrite: true, stop: &|| false }).unwrap();
    assert_eq!(stored(folder.path()), before);
}

#[test]
fn a_series_for_other_areas_is_listed_and_not_shown() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    connection.execute_batch("UPDATE reference_series SET areas_version = 0").unwrap();
    assert_eq!(around(&database, "us/wa", "2020", "2025"), Vec::<String>::new());
    assert!(database.references().unwrap()[0].is_outdated);
    database.store_reference(&income(), "income.csv", loaded()).unwrap();
    assert_eq!(around(&database, "us/wa/king", "2024", "2024").len(), 3);
}
