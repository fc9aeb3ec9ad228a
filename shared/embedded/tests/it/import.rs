//! Imports the state of another store.

use std::path::Path;

use rusqlite::Connection;
use stoop_domain::Observation;
use stoop_embedded::{Database, HeldObservations, ImportedObject};
use stoop_market::Cells;
use stoop_pipeline::ports::{Gathers, PortError};
use stoop_pipeline::{StoredAlert, StoredHome, StoredMarket};

use crate::support::{open, paths};
use crate::verify::{asks, fill, measure, verify};

/// The content of a database, as another store would give it.
struct Other {
    observations: Vec<Observation>,
    homes: Vec<StoredHome>,
    markets: Vec<StoredMarket>,
    alerts: Vec<StoredAlert>,
    rules: Vec<(String, String)>,
}

fn other(folder: &Path) -> Other {
    let mut observations = Vec::new();
    let read = |line: &[u8]| -> Result<(), PortError> {
        observations.push(stoop_wire::decode(line).unwrap());
        Ok(())
    };
    open(folder).observations(read).unwrap();
    let connection = Connection::open(paths(folder).0).unwrap();
    let cells = |bytes: Vec<u8>| Cells::from_bytes(&bytes).unwrap();
    let mut homes =
        connection.prepare("SELECT id, version, body, market, status, list_price, last_seen FROM homes").unwrap();
    let homes = homes.query_map([], |row| {
        let (id, version, body, market) = (row.get(0)?, row.get::<_, i64>(1)? as u64, row.get(2)?, row.get(3)?);
        Ok(StoredHome {
            id,
            version,
            body,
            market,
            status: row.get(4)?,
            list_price: row.get(5)?,
            last_seen: row.get(6)?,
        })
    });
    let homes = homes.unwrap().map(Result::unwrap).collect();
    let part = |table: &str| -> (u64, Cells) {
        let sql = format!("SELECT version, body FROM {table} ORDER BY version DESC LIMIT 1");
        connection.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)? as u64, cells(row.get(1)?)))).unwrap()
    };
    let sum = |table: &str| {
        let mut sum = Cells::default();
        let mut parts = connection.prepare(&format!("SELECT body FROM {table}")).unwrap();
        parts.query_map([], |row| Ok(cells(row.get(0)?))).unwrap().for_each(|part| sum.merge(&part.unwrap()));
        sum
    };
    // Other stores have one tail.
    let market = StoredMarket {
        id: "ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD".into(),
        base: Some(part("bases")),
        tail: Some((part("tails").0, sum("tails"))),
        archive: sum("archives"),
    };
    let mut alerts = connection.prepare("SELECT id, at, verdict, body FROM alerts").unwrap();
    let alerts = alerts.query_map([], |row| {
        let (id, at, verdict, body) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        Ok(StoredAlert { id, at, verdict, body, rules: Some("usual".into()) })
    });
    let alerts = alerts.unwrap().map(Result::unwrap).collect();
    let rules = connection.query_row("SELECT body FROM rules", [], |row| row.get(0)).unwrap();
    Other { observations, homes, markets: vec![market], alerts, rules: vec![("usual".into(), rules)] }
}

fn import_lake(database: &Database, name: &str, observations: &[Observation]) -> Result<(), PortError> {
    let mut held = HeldObservations::default();
    database.hold(&mut held, &observations.iter().collect::<Vec<_>>())?;
    let rows = observations.len() as u64;
    database.import_object(&ImportedObject { name: name.into(), rows, ..ImportedObject::default() }, &mut held)
}

#[test]
fn an_imported_state_passes_verify() {
    let folders = [tempfile::TempDir::new().unwrap(), tempfile::TempDir::new().unwrap()];
    fill(folders[0].path());
    let other = other(folders[0].path());
    let database = open(folders[1].path());
    database.imported_objects().unwrap_err();
    database.begin_import().unwrap();
    let (first, second) = other.observations.split_at(300);
    import_lake(&database, "1", first).unwrap();
    import_lake(&database, "2", second).unwrap();
    import_lake(&database, "1", first).unwrap_err();
    import_lake(&database, "empty", &[]).unwrap();
    assert_eq!(database.imported_objects().unwrap().keys().collect::<Vec<_>>(), ["1", "2", "empty"]);

    for times in 0..2 {
        let import = database.import_generation().unwrap();
        import.homes(&other.homes).unwrap();
        if times == 0 {
            // Killed here, nothing is live, and the import is repeated.
            assert_eq!(database.counts().unwrap().homes, 0);
            database.swap().unwrap_err();
            continue;
        }
        import.markets(&other.markets).unwrap();
        import.finish().unwrap();
        database.import_ledger(&other.alerts, &other.rules).unwrap();
        database.swap().unwrap();
        database.forget_generations().unwrap();
    }
    drop(database);
    let found = verify(folders[1].path());
    assert_eq!(found.differences, Vec::<String>::new());
    assert_eq!((found.observations, found.homes, found.markets, found.alerts), (1_205, 1_201, 1, 2));
    assert!(found.alerts_complete);

    // It replaces the former state.
    let database = open(folders[1].path());
    let import = database.import_generation().unwrap();
    import.homes(&other.homes[1..]).unwrap();
    import.markets(&other.markets).unwrap();
    import.finish().unwrap();
    database.swap().unwrap();
    database.import_ledger(&[], &other.rules).unwrap();
    drop(database);
    let found = verify(folders[1].path());
    assert_eq!((found.homes, found.alerts, found.different), (1_200, 0, 3), "{:?}", found.differences);
}

#[test]
fn a_database_with_a_state_of_its_own_is_refused() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    measure(&database, &[asks("mine", 0, 1)]);
    let error = database.begin_import().unwrap_err();
    assert!(stoop_pipeline::with_causes(&error).contains("it has a state of its own"));
    database.imported_objects().unwrap_err();
}

#[test]
fn lake_by_home_groups_the_observations_of_a_home() {
    let folder = tempfile::TempDir::new().unwrap();
    fill(folder.path());
    let database = open(folder.path());
    let mut lake = database.lake_by_home(0, &|| false).unwrap();
    assert_eq!(lake.count(), 1);
    let shown: Vec<Vec<Observation>> = lake.take(0).unwrap().map(Result::unwrap).collect();
    assert_eq!(shown.len(), 2, "at most a thousand homes at a time");
    let of = |id: &str| shown.iter().flatten().filter(|seen| seen.native_id == id).count();
    assert_eq!((shown.iter().map(Vec::len).sum::<usize>(), of("h1"), of("h3"), of("h4")), (1_205, 2, 3, 1));
    let name = database.lake_name().unwrap();
    assert_eq!(database.lake_name().unwrap(), name);
    measure(&database, &[asks("more", 0, 1)]);
    assert_ne!(database.lake_name().unwrap(), name);
}
