//! Stoop's sources read what the simulation writes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use stoop_domain::{Listing, Time, market_of};
use stoop_simulation::{Home, Noise, Offer, Portal, PortalConfig, SimulatedRows, Simulation, SimulationConfig};
use stoop_sources::declared::{Map, RowBytes, RowOutcome};
use stoop_sources::{Next, Params, SourceAnswer};

fn start() -> Time {
    Time::parse("2026-01-05T00:00:00Z").unwrap()
}

/// A moment after everything simulated here, so that nothing lies in the future.
fn now() -> Time {
    start().plus_ms(3_000 * Time::DAY_MS)
}

fn assert_same(listing: &Listing, home: &Home, offer: &Offer) {
    assert_eq!(market_of(listing), Some(home.market()));
    assert_eq!(listing.status, offer.status);
    assert_eq!(listing.list_price, Some(offer.list_price));
    assert_eq!(listing.original_list_price, Some(offer.original_list_price));
    assert_eq!((listing.previous_list_price, listing.price_changed_at), offer.price_change.unzip());
    let closing = offer.closing.map(|closing| (closing.price, closing.day));
    assert_eq!((listing.close_price, listing.close_date), closing.unzip());
    assert_eq!(listing.property_type, Some(home.kind));
    assert_eq!(listing.bedrooms, Some(home.bedrooms));
    assert_eq!(listing.living_area.map(|area| area.ten_thousandths), Some(i64::from(home.living_area) * 10_000));
}

#[test]
fn the_declared_map_reads_every_row() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../maps/simulated.toml");
    let map = Map::parse(&std::fs::read_to_string(path).unwrap(), "maps/simulated.toml").unwrap();
    let mut reader = map.bind_json();
    let noise = Noise { seen_again_permille: 500, cents_permille: 50, slips_permille: 50, late_permille: 10 };
    let mut rows = SimulatedRows::new(SimulationConfig { noise, ..SimulatedRows::config(3, start(), 5_000) }, 5_000);
    let homes = rows.homes().to_vec();
    let mut row = Vec::new();
    let mut closed = 0;
    while let Some(entry) = rows.next_into(&mut row) {
        let outcome = reader.read(RowBytes::Json(&row), "rows.jsonl", now()).unwrap();
        let RowOutcome::Observation(mut seen, _) = outcome else { panic!("skipped {}", String::from_utf8_lossy(&row)) };
        seen.check(now()).unwrap();
        let home = &homes[entry.home as usize];
        assert_eq!((&*seen.native_id, seen.at), (&*home.listing_key(), entry.at));
        assert_eq!(seen.listing.listed_at, Some(entry.offer.on_market_at));
        assert_same(&seen.listing, home, &entry.offer);
        closed += u32::from(entry.offer.closing.is_some());
        row.clear();
    }
    assert!(closed > 100, "{closed}");
}

#[test]
fn the_reso_source_reads_every_listing_from_the_portal() {
    let simulation = Arc::new(Mutex::new(Simulation::new(SimulationConfig::new(3, start(), 300, 6))));
    let portal = Portal::start(Arc::clone(&simulation), PortalConfig::new(start)).unwrap();
    let params = [("url", format!("{}/odata", portal.url())), ("top", "40".into())];
    let params: Params = params.map(|(key, value)| (key.to_owned(), value)).into();
    let source = stoop_sources::build("reso", &params).unwrap();
    let mut cursor = source.begin(None);
    let mut found = BTreeMap::new();
    let total = loop {
        let body = get(&source.request(&cursor).url);
        let answer = SourceAnswer::of(body.as_bytes());
        let page = source.read(&cursor, &answer, now()).unwrap();
        for row in page.rows {
            let stoop_sources::Row::Found(row) = row else { panic!("{row:?}") };
            assert!(found.insert(row.native_id.clone(), row).is_none());
        }
        let Next::Page(next) = page.next else { break page.total };
        cursor = next;
    };
    assert_eq!(total, Some(found.len() as u64));
    let simulation = simulation.lock().unwrap();
    assert_eq!(simulation.homes().count(), found.len());
    for (home, offer) in simulation.homes() {
        let row = &found[&home.listing_key()];
        assert_eq!(row.at, Some(offer.modified_at));
        assert_same(&row.listing, home, offer);
    }
}

fn get(url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = stoop_waits::connected(host).unwrap();
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}
