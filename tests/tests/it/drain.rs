//! What is on the stream of a laptop is processed, and removed only then.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stoop_domain::{Observation, Time};
use stoop_embedded::Database;
use stoop_pipeline::ports::{PortError, Stream, StreamReader};
use stoop_pipeline::{DrainPorts, Measured, Measurer, drain};
use stoop_tests::made::{minute, observation};
use stoop_tests::{StandingClock, conformance};
use tempfile::TempDir;

fn fresh() -> (Arc<Database>, TempDir) {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("stoop-data")).unwrap();
    (database, folder)
}

async fn publish(database: &Database, observations: &[Observation]) {
    let record = |seen: &Observation| {
        let mut line = Vec::new();
        stoop_wire::encode(seen, &mut line);
        (seen.native_id.clone(), line)
    };
    let records: Vec<_> = observations.iter().map(record).collect();
    assert!(Stream::put(database, &records).await.unwrap().is_empty());
}

/// Drains the stream at this time, until `stop`. Returns the IDs that were taken.
async fn drained(database: &Database, now: Time, stop: &(dyn Fn() -> bool + Sync)) -> Vec<String> {
    let (clock, mut taken) = (StandingClock::at(now), Vec::new());
    let ports = DrainPorts { stream: database, quarantine: database, clock: &clock, stop };
    let mut measurer = Measurer::new(database);
    let take = async |observations: &[Observation]| {
        taken.extend(observations.iter().map(|seen| seen.native_id.clone()));
        measurer.measure(observations).await.map_err(|error| PortError::unavailable("measure", error))
    };
    let measured = drain(ports, take).await.unwrap();
    assert_eq!(measured.observations, taken.len() as u64, "counted over all batches");
    taken
}

#[tokio::test]
async fn the_database_is_a_stream_with_a_reader() {
    let (database, _folder) = fresh();
    conformance::stream_reader_conformance(database).await;
}

#[tokio::test]
async fn everything_is_processed_and_noise_is_quarantined() {
    let (database, _folder) = fresh();
    let seen: Vec<_> = (0..150).map(|i| observation(&i.to_string(), 0, 900_000 + i)).collect();
    publish(&database, &seen[..100]).await;
    Stream::put(&*database, &[("x".into(), b"noise".to_vec())]).await.unwrap();
    publish(&database, &seen[100..]).await;
    let expected: Vec<_> = seen.iter().map(|seen| seen.native_id.clone()).collect();
    assert_eq!(drained(&database, minute(1), &|| false).await, expected, "in order, each once");
    assert_eq!(database.quarantined(9).unwrap().len(), 1);
    assert_eq!(database.records(1).await.unwrap(), []);
    assert_eq!(database.newest_sighting().await.unwrap(), Some(minute(0)));
    assert_eq!(drained(&database, minute(1), &|| false).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_that_is_not_stored_stays_on_the_stream() {
    let (database, _folder) = fresh();
    publish(&database, &[observation("1", 0, 900_000)]).await;
    let ports = DrainPorts {
        stream: &*database,
        quarantine: &*database,
        clock: &StandingClock::at(minute(1)),
        stop: &|| false,
    };
    let fails = async |_: &[Observation]| -> Result<Measured, PortError> {
        Err(PortError::unavailable("store", "a made-up fault"))
    };
    drain(ports, fails).await.unwrap_err();
    assert_eq!(database.newest_sighting().await.unwrap(), None);
    assert_eq!(drained(&database, minute(1), &|| false).await, ["1"]);
}

#[tokio::test]
async fn a_stop_leaves_the_rest_to_the_next_call() {
    let (database, _folder) = fresh();
    let seen: Vec<_> = (0..100).map(|i| observation(&i.to_string(), 0, 900_000 + i)).collect();
    publish(&database, &seen).await;
    let asked = AtomicUsize::new(0);
    let first = drained(&database, minute(1), &|| asked.fetch_add(1, Ordering::SeqCst) > 0).await;
    assert!((1..100).contains(&first.len()), "{}", first.len());
    let second = drained(&database, minute(1), &|| false).await;
    assert_eq!(first.len() + second.len(), 100, "none is lost or repeated");
}

#[tokio::test]
async fn a_clock_that_was_set_back_makes_no_sighting_one_of_the_future() {
    let days = |days: i64| minute(days * 24 * 60);
    let (database, _folder) = fresh();
    publish(&database, &[observation("ahead", 20 * 24 * 60, 900_000)]).await;
    assert_eq!(drained(&database, days(20), &|| false).await, ["ahead"]);
    publish(&database, &[observation("before", 19 * 24 * 60, 900_000), observation("after", 23 * 24 * 60, 900_000)])
        .await;
    assert_eq!(drained(&database, days(0), &|| false).await, ["before"]);
    assert_eq!(database.quarantined(9).unwrap().len(), 1, "later than any sighting before");
    assert_eq!(database.newest_sighting().await.unwrap(), Some(days(20)), "it never goes back");
}
