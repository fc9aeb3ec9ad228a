//! Records per second through the handler, with a store that answers at once: JSON of the event, base64, the KPL's
//! format, decoding, histories and sums. In turn and in the same run, it also measures decoding of the same lines
//! alone, because a ratio says more than an absolute time on this machine.
//!
//! `cargo bench -p stoop-metrics`
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_lambda_events::encodings::Base64Data;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use stoop_domain::{
    Address, Area, AreaUnit, Currency, Home, HomeId, Listing, Market, Minor, Observation, PropertyType, Purpose,
    Reject, Time,
};
use stoop_emf::Meter;
use stoop_market::Cells;
use stoop_metrics::MetricsHandler;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Commit, CommitError, PortError, Quarantine, Store, Versioned};
use stoop_wire::kpl::aggregate;

const HOMES: usize = 5_000;
const MARKETS: usize = 50;
/// User records in a Kinesis record.
const LINES: usize = 250;
/// As in DynamoDB.
const COMMIT_ITEMS_MAX: usize = 100;
const ROUNDS: usize = 30;
const NOW: i64 = 1_768_392_000_000;

/// Homes and markets in memory, with the conditions of the port's contract.
#[derive(Default)]
struct MemoryStore {
    homes: Mutex<HashMap<HomeId, Versioned<Home>>>,
    markets: Mutex<HashMap<Market, Versioned<Cells>>>,
}

#[async_trait]
impl Store for MemoryStore {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        let homes = self.homes.lock().unwrap();
        Ok(ids.iter().map(|id| homes.get(id).cloned()).collect())
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        let markets = self.markets.lock().unwrap();
        Ok(ids.iter().map(|id| markets.get(id).cloned()).collect())
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        let (mut homes, mut markets) = (self.homes.lock().unwrap(), self.markets.lock().unwrap());
        let home_moved = |id, read| homes.get(id).map_or(0, |known| known.version) != read;
        let market_moved = |id, read| markets.get(id).map_or(0, |known| known.version) != read;
        if commit.homes.iter().any(|change| home_moved(change.id, change.version_read))
            || commit.markets.iter().any(|change| market_moved(change.market, change.version_read))
        {
            return Err(CommitError::Conflict);
        }
        for change in &commit.homes {
            let value = stoop_wire::home_from_bytes(&change.new.bytes).unwrap();
            homes.insert(change.id.clone(), Versioned { value, version: change.version_read + 1 });
        }
        for change in &commit.markets {
            let stored = Versioned { value: change.new.clone(), version: change.version_read + 1 };
            markets.insert(change.market.clone(), stored);
        }
        Ok(())
    }

    fn commit_items_max(&self) -> usize {
        COMMIT_ITEMS_MAX
    }
}

/// This bench must not quarantine anything.
struct NoQuarantine;

#[async_trait]
impl Quarantine for NoQuarantine {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        panic!("{rejects:?}")
    }
}

struct Noon;

#[async_trait]
impl Clock for Noon {
    fn now(&self) -> Time {
        Time::from_ms(NOW)
    }

    async fn sleep(&self, _: u64) {}
}

/// The `round`th sighting of a home. The last round finds one home in three cheaper.
fn seen(home: usize, round: usize) -> Observation {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        line: Some(format!("{} Lake Shore Drive", home * 7 % 9_999)),
        city: text("Chicago"),
        county: text("Cook"),
        region: text("IL"),
        postal_code: Some(format!("{}", 60_001 + home % MARKETS)),
        country: text("US"),
        latitude_e6: Some(41_832_475),
        longitude_e6: Some(-87_648_833),
        ..Address::default()
    };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    let price = 30_000_000 + i64::try_from(home * 1_000).unwrap();
    let is_cut = round > 0 && home.is_multiple_of(3);
    listing.list_price = Some(Minor(if is_cut { price / 10 * 9 } else { price }));
    listing.property_type = Some(PropertyType::SingleFamilyResidence);
    listing.bedrooms = Some(3);
    listing.living_area = Some(Area::of(2_100, AreaUnit::SquareFeet));
    listing.details.agency = text("Lantern Street Properties");
    listing.details.url = Some(format!("https://example.com/listing/{home}"));
    let at = Time::from_ms(NOW + i64::try_from(home).unwrap() - 7_200_000 * i64::try_from(2 - round).unwrap());
    Observation::new("reso-mred", format!("{:08}", home * 48_271 % 99_999_989), at, listing)
}

fn lines(round: usize) -> Vec<Vec<u8>> {
    let line = |home| {
        let mut line = Vec::new();
        stoop_wire::encode(&seen(home, round), &mut line);
        line
    };
    (0..HOMES).map(line).collect()
}

fn event(lines: &[Vec<u8>]) -> Box<RawValue> {
    let record = |(n, lines): (usize, &[Vec<u8>])| {
        let mut data = Base64Data::default();
        data.0 = aggregate("chicago", lines.iter().map(Vec::as_slice));
        json!({
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "chicago",
                "sequenceNumber": (49_590_338_271_490_256_608_u128 + n as u128).to_string(),
                "data": data,
                "approximateArrivalTimestamp": 1_768_392_000.5,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("shardId-000000000000:{n}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/bench",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/bench",
        })
    };
    let records: Vec<_> = lines.chunks(LINES).enumerate().map(record).collect();
    to_raw_value(&json!({ "Records": records })).unwrap()
}

fn decode(lines: &[Vec<u8>]) -> Duration {
    let began = Instant::now();
    let observations: Vec<Observation> = lines.iter().map(|line| stoop_wire::decode(line).unwrap()).collect();
    let took = began.elapsed();
    black_box(observations);
    took
}

/// Handles an event, which must succeed.
async fn handle(app: &MetricsHandler<'_>, event: &RawValue) -> Duration {
    let began = Instant::now();
    let response = app.handle(black_box(event), Time::from_ms(i64::MAX)).await.unwrap();
    let took = began.elapsed();
    assert_eq!(response.batch_item_failures, []);
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn main() {
    // `cargo test` only checks that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 1 };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let looks = [lines(0), lines(1)];
    let events = looks.each_ref().map(|lines| event(lines));
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..rounds {
        let store = MemoryStore::default();
        let meter = Meter::new("bench", "metrics");
        let app = MetricsHandler::new(&store, &NoQuarantine, &Noon, &meter);
        times[0].push((decode(&looks[0]) + decode(&looks[1])) / 2);
        for (times, event) in times[1..].iter_mut().zip(&events) {
            times.push(runtime.block_on(handle(&app, event)));
        }
        assert_eq!(store.homes.lock().unwrap().len(), HOMES);
    }
    let [decoding, first, again] = times.map(median);
    let (records, bytes) = (HOMES.div_ceil(LINES), events[0].get().len());
    println!(
        "{HOMES} observations in {records} records, an event of {:.1} MB; medians of {rounds}",
        bytes as f64 / 1e6
    );
    for (what, took) in [("decoding alone", decoding), ("handler, new homes", first), ("handler, known homes", again)] {
        let per_second = HOMES as f64 / took.as_secs_f64();
        let ratio = took.as_secs_f64() / decoding.as_secs_f64();
        println!("{what:<22}{per_second:>12.0} observations/s{ratio:>8.2} x the time of decoding");
    }
}
