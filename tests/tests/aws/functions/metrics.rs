//! The metrics function with a failing dependency, a deadline, or an item that is too large.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lambda_events::streams::KinesisEventResponse;
use serde_json::{Value, json};
use stoop_domain::{Address, Currency, Home, HomeId, Market, Observation, Status, Time};
use stoop_embedded::Database;
use stoop_emf::Meter;
use stoop_market::Cells;
use stoop_metrics::MetricsHandler;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Store, Versioned};
use stoop_tests::made::{minute, observation_in};

use super::bench::{Bench, Fault, Scripted, StandingClock, count_of, counted, raw};
use super::events::{kinesis, record, sample, seen, sequence};

/// Long before the deadline.
pub(crate) fn later() -> Time {
    Time::from_ms(i64::MAX)
}

/// The sequence numbers in a response.
pub(crate) fn failures(response: &KinesisEventResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_deref().unwrap()).collect()
}

/// A meter of the function.
pub(crate) fn meter() -> Meter {
    Meter::new("test", "metrics")
}

/// An event with one observation per record, all of different homes in different cities.
fn one_each(native_ids: &[&str]) -> (Vec<Observation>, Value) {
    let seen: Vec<Observation> =
        native_ids.iter().map(|id| observation_in(&format!("City {id}"), id, 0, 900_000)).collect();
    let records: Vec<Vec<u8>> = seen.iter().map(|seen| record(std::slice::from_ref(seen))).collect();
    (seen, kinesis(&records))
}

/// Handles an event on scripted ports, in groups of one record.
async fn one_by_one(ports: &Scripted, event: &Value) -> (Vec<String>, std::collections::BTreeMap<String, u64>) {
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(ports, ports, &clock, &meter).with_groups_of(1);
    let response = app.handle(&raw(event), later()).await.unwrap();
    (failures(&response).into_iter().map(str::to_owned).collect(), counted(&meter))
}

#[tokio::test]
async fn the_sample_is_measured_and_reported_in_metrics() {
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    let event = raw(&sample("kinesis.json"));
    assert_eq!(failures(&app.handle(&event, later()).await.unwrap()), [""; 0]);
    assert_eq!(bench.homes(), ["reso-actris/ACT7310442", "reso-actris/ACT7310443"]);
    let counts = counted(&meter);
    let expected = [("EventLagMs", 1), ("ObservationsMeasured", 4)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, expected.into(), "zero counts are not written");

    let before = bench.image();
    assert_eq!(failures(&app.handle(&event, later()).await.unwrap()), [""; 0]);
    assert!(bench.image() == before, "the same batch again changes nothing");
    assert_eq!(counted(&meter)["Duplicates"], 4);
}

#[tokio::test]
async fn a_contradictory_address_is_counted() {
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    let (mut observations, _) = one_each(&["1", "2", "3"]);
    for (seen, region) in observations.iter_mut().zip(["Texas", "Maine", "ME"]) {
        let text = |text: &str| Some(text.to_owned());
        let address =
            Address { country: text("US"), region: text(region), postal_code: text("78704"), ..Address::default() };
        (seen.listing.address, seen.listing.currency) = (address, Currency::USD);
    }
    let records: Vec<Vec<u8>> = vec![record(&observations)];
    assert_eq!(failures(&app.handle(&raw(&kinesis(&records)), later()).await.unwrap()), [""; 0]);
    let counts = counted(&meter);
    assert_eq!(count_of(&counts, "AddressesContradictory"), 2, "{counts:?}");
}

#[tokio::test]
async fn the_response_has_lambdas_format() {
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database).commits(&[Fault::None, Fault::Before]);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter).with_groups_of(1);
    let (_, event) = one_each(&["1", "2", "3"]);
    let response = serde_json::to_value(app.handle(&raw(&event), later()).await.unwrap()).unwrap();
    assert_eq!(response, json!({ "batchItemFailures": [{ "itemIdentifier": sequence(1) }] }));
    let response = serde_json::to_value(app.handle(&raw(&event), later()).await.unwrap()).unwrap();
    assert_eq!(response, json!({ "batchItemFailures": [] }));
}

#[tokio::test]
async fn an_event_that_is_not_a_batch_is_an_error_and_an_empty_batch_succeeds() {
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database);
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let app = MetricsHandler::new(&ports, &ports, &clock, &meter);
    for event in
        [json!({}), json!(null), json!([]), json!("Records"), json!({ "Records": null }), json!({ "Records": 1 })]
    {
        let error = app.handle(&raw(&event), later()).await.unwrap_err().to_string();
        assert!(
            error.starts_with("the event is not a Kinesis batch: ") && error.contains("accepted: {\"Records\""),
            "{error}"
        );
    }
    for deadline in [later(), minute(60)] {
        let response = app.handle(&raw(&json!({ "Records": [] })), deadline).await.unwrap();
        assert_eq!(failures(&response), [""; 0], "nothing is left to be late with");
    }
    assert!(counted(&meter).is_empty());
}

#[tokio::test]
async fn a_failing_commit_returns_the_first_record_of_its_group_and_keeps_earlier_groups() {
    let ids = ["1", "2", "3", "4", "5"];
    let (observations, event) = one_each(&ids);
    for fault in [Fault::Before, Fault::After] {
        for k in 0..ids.len() {
            let bench = Bench::new();
            let mut script = vec![Fault::None; k];
            script.push(fault);
            let ports = Scripted::new(&bench.database).commits(&script);
            let (failed, counts) = one_by_one(&ports, &event).await;
            assert_eq!(failed, [sequence(k as u64)], "{fault:?} at {k}");
            let stored = k + usize::from(fault == Fault::After);
            assert_eq!(bench.homes().len(), stored, "{fault:?} at {k}");
            assert_eq!(counts["RecordsFailed"], (ids.len() - k) as u64, "redelivered");
            assert_eq!(count_of(&counts, "ObservationsMeasured"), k as u64, "certainly stored");

            // Lambda delivers again from there.
            let mut rest = event.clone();
            rest["Records"].as_array_mut().unwrap().drain(..k);
            assert_eq!(one_by_one(&ports, &rest).await.0, [""; 0]);
            let clean = Bench::new();
            stoop_pipeline::Measurer::new(&*clean.database).measure(&observations).await.unwrap();
            assert!(bench.image() == clean.image(), "{fault:?} at {k}");
            assert_eq!(bench.kept().len(), ids.len());
        }
    }
}

#[tokio::test]
async fn a_failing_read_returns_the_record_and_a_conflict_is_retried_at_once() {
    let (_, event) = one_each(&["1", "2"]);
    let bench = Bench::new();
    // Each group reads its home and its market.
    for (reads, failed) in [(&[Fault::Before][..], 0), (&[Fault::None, Fault::Before], 0)] {
        let ports = Scripted::new(&bench.database).reads(reads);
        assert_eq!(one_by_one(&ports, &event).await.0, [sequence(failed)]);
        assert_eq!(bench.homes(), [""; 0]);
    }
    let ports = Scripted::new(&bench.database).commits(&[Fault::Conflict, Fault::Conflict]);
    let (failed, counts) = one_by_one(&ports, &event).await;
    assert_eq!((failed, counts["Conflicts"]), (Vec::new(), 2));
    assert_eq!(bench.homes().len(), 2);
}

#[tokio::test]
async fn a_store_that_never_stops_conflicting_is_given_up() {
    let (_, event) = one_each(&["1", "2"]);
    let bench = Bench::new();
    let ports = Scripted::new(&bench.database).commits(&[Fault::Conflict; 1_000]);
    assert_eq!(one_by_one(&ports, &event).await.0, [sequence(0)]);
}

/// A database whose every commit takes this much time.
struct Slow<'a> {
    database: Arc<Database>,
    clock: &'a StandingClock,
    commit_ms: i64,
}

#[async_trait]
impl Store for Slow<'_> {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.database.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.database.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        self.clock.pass(self.commit_ms);
        self.database.commit(commit).await
    }

    fn commit_items_max(&self) -> usize {
        self.database.commit_items_max()
    }
}

#[tokio::test]
async fn near_the_deadline_stored_groups_stay_and_the_rest_is_returned() {
    let (_, event) = one_each(&["1", "2", "3", "4", "5"]);
    let bench = Bench::new();
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let store = Slow { database: Arc::clone(&bench.database), clock: &clock, commit_ms: 20_000 };
    let app = MetricsHandler::new(&store, &*bench.database, &clock, &meter).with_groups_of(1);
    // In a minute three groups of 20 s fit, and the fourth would begin with no time left.
    let response = app.handle(&raw(&event), minute(61)).await.unwrap();
    assert_eq!((failures(&response), bench.homes().len()), (vec![&*sequence(3)], 3));
    assert_eq!(counted(&meter)["RecordsFailed"], 2);

    let response = app.handle(&raw(&event), clock_now(&clock)).await.unwrap();
    assert_eq!(failures(&response), [&*sequence(0)], "no time at all");
}

#[tokio::test]
async fn a_fully_stored_batch_succeeds_however_late() {
    let (_, event) = one_each(&["1", "2", "3"]);
    let bench = Bench::new();
    let (meter, clock) = (meter(), StandingClock::at(minute(60)));
    let store = Slow { database: Arc::clone(&bench.database), clock: &clock, commit_ms: 20_000 };
    let app = MetricsHandler::new(&store, &*bench.database, &clock, &meter).with_groups_of(1);
    let response = app.handle(&raw(&event), minute(61)).await.unwrap();
    assert_eq!((failures(&response), bench.homes().len()), (Vec::new(), 3));
    assert_eq!(count_of(&counted(&meter), "RecordsFailed"), 0);
}

fn clock_now(clock: &StandingClock) -> Time {
    stoop_pipeline::Clock::now(clock)
}

/// A database in which one home has outgrown its item.
struct Full<'a> {
    database: Arc<Database>,
    home: &'a str,
}

#[async_trait]
impl Store for Full<'_> {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.database.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.database.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        match commit.homes.iter().find(|change| change.id.as_str() == self.home) {
            Some(change) => Err(CommitError::TooLarge { home: change.id.clone(), bytes: 409_601 }),
            None => self.database.commit(commit).await,
        }
    }

    fn commit_items_max(&self) -> usize {
        8
    }
}

#[tokio::test]
async fn a_home_that_outgrew_its_item_is_quarantined_and_its_neighbours_are_measured() {
    let bench = Bench::new();
    let store = Full { database: Arc::clone(&bench.database), home: "reso-actris/big" };
    let (meter, clock) = (meter(), StandingClock::at(minute(120)));
    let app = MetricsHandler::new(&store, &*bench.database, &clock, &meter);
    let at = |id: &str, minutes| seen(id, minutes, 500_000 + minutes, Status::Active);
    let all = [at("a", 0), at("big", 0), at("b", 0), at("big", 30), at("c", 0), at("d", 10)];
    let records: Vec<Vec<u8>> = all.chunks(2).map(record).collect();
    for _ in 0..2 {
        let response = app.handle(&raw(&kinesis(&records)), later()).await.unwrap();
        assert_eq!(failures(&response), [""; 0]);
        assert_eq!(bench.homes(), ["a", "b", "c", "d"].map(|id| format!("reso-actris/{id}")));
        let rejects = bench.database.quarantined(10).unwrap();
        assert_eq!(rejects.len(), 2, "each once, also when the batch comes again");
        for reject in &rejects {
            assert_eq!((reject.reason.as_str(), &*reject.source), ("too_long", "reso-actris"));
            assert!(reject.detail.contains("409601 bytes"), "{}", reject.detail);
            assert!(stoop_wire::decode(reject.raw.as_bytes()).unwrap().native_id == "big", "it can be read again");
        }
        let counts = counted(&meter);
        assert_eq!((counts["ItemsTooLarge"], counts["Quarantined"]), (1, 2));
    }
}

#[tokio::test]
async fn a_home_that_fits_neither_its_item_nor_the_quarantine_is_returned() {
    let bench = Bench::new();
    let store = Full { database: Arc::clone(&bench.database), home: "reso-actris/big" };
    let ports = Scripted::new(&bench.database).quarantine(&[Fault::Before]);
    let (meter, clock) = (meter(), StandingClock::at(minute(120)));
    let app = MetricsHandler::new(&store, &ports, &clock, &meter);
    let event = kinesis(&["a", "big", "b"].map(|id| record(&[seen(id, 0, 500_000, Status::Active)])));
    let response = app.handle(&raw(&event), later()).await.unwrap();
    assert_eq!((failures(&response), bench.quarantined()), (vec![&*sequence(0)], 0));
    let response = app.handle(&raw(&event), later()).await.unwrap();
    assert_eq!((failures(&response), bench.quarantined(), bench.homes().len()), (Vec::new(), 1, 2));
}
