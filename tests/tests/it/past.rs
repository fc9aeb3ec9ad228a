//! Three years of a simulated market, with the past added after the present: on every day the stored figures equal
//! those that the simulation counts from its log.

use std::collections::BTreeMap;

use stoop_domain::{Address, Day, Listing, Market, Observation, Time};
use stoop_embedded::Database;
use stoop_market::{Cells, Figures, Flows, Segment, closes};
use stoop_pipeline::Measurer;
use stoop_simulation::{
    EventCounts, Home, KnownFigures, LifeEvent, Simulation, SimulationConfig, Watched, Window, write_row,
};

const DAYS: i64 = 3 * 365;

fn three_years() -> Simulation {
    let start = Time::parse("2023-01-05T00:00:00Z").unwrap();
    let config = SimulationConfig { past_ms: 0, ..SimulationConfig::new(9, start, 60, 3) };
    let mut simulation = Simulation::new(config);
    simulation.advance(start.plus_ms(DAYS * Time::DAY_MS));
    simulation
}

fn observation(home: &Home, entry: &LifeEvent) -> Observation {
    let mut row = Vec::new();
    write_row(&mut row, home, &entry.offer);
    let row: serde_json::Value = serde_json::from_slice(&row).unwrap();
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    let address = Address {
        city: text("City"),
        county: text("CountyOrParish"),
        region: text("StateOrProvince"),
        postal_code: text("PostalCode"),
        country: text("Country"),
        ..Address::default()
    };
    let mut listing = Listing::new(home.purpose, home.currency(), address);
    listing.status = entry.offer.status;
    listing.list_price = Some(entry.offer.list_price);
    listing.original_list_price = Some(entry.offer.original_list_price);
    listing.property_type = Some(home.kind);
    listing.bedrooms = Some(home.bedrooms);
    Observation::new("simulated", home.listing_key(), entry.at, listing)
}

fn counts(flows: &Flows) -> EventCounts {
    let count = |n: i64| u64::try_from(n).unwrap();
    assert_eq!((flows.relisted, flows.moved_in, flows.moved_out), (0, 0, 0), "nobody moves, or is away for 90 days");
    EventCounts {
        initial: count(flows.initial),
        new: count(flows.new),
        back_on_market: count(flows.back_on_market),
        pending: count(flows.pending),
        closed: count(flows.closed),
        gone: count(flows.gone),
        price_cuts: count(flows.price_cuts),
        price_rises: count(flows.price_rises),
        sold: count(flows.sold),
    }
}

/// The last moment of a day of the market.
fn end_of(day: Day, market: &Market) -> Time {
    let zone = market.area.country().zone;
    let midnight = Day(day.0 + 1).date().to_zoned(zone).unwrap().timestamp();
    Time::from_ms(midnight.as_millisecond() - 1)
}

#[tokio::test]
async fn a_past_filled_in_later_equals_the_simulation_on_every_day() {
    let simulation = three_years();
    let message = simulation.log().iter().map(|entry| observation(&simulation.all_homes()[entry.home as usize], entry));
    let message: Vec<Observation> = message.collect();
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
    let mut measurer = Measurer::new(&*database);
    // The last year first, then the years before it, the newer one first, in batches that end anywhere.
    let parts = message.len() / 3;
    let batches = message.rchunks(parts).flat_map(|year| year.chunks(parts / 3 + 7));
    for batch in batches {
        measurer.measure(batch).await.unwrap();
    }
    let all: BTreeMap<Market, Cells> = database
        .cells_where(|_| true)
        .unwrap()
        .into_iter()
        .map(|(market, cells)| {
            assert!(cells.horizon().is_some(), "the state has put days into its archive");
            let archive = database.archive(&market).unwrap();
            (market, cells.with_archive(&archive))
        })
        .collect();

    let (began, ended) = (simulation.config().start, simulation.now());
    let mut checked = 0;
    for ago in (1..DAYS).step_by(23) {
        for (market, cells) in &all {
            let zone = &market.area.country().zone;
            let now = end_of(ended.plus_ms(-ago * Time::DAY_MS).day_in(zone), market);
            let answer = KnownFigures::from_log(simulation.all_homes(), simulation.log(), now, Watched::Always);
            let Some(want) = answer.markets.get(market) else { continue };
            let got = Figures::of(cells, Segment::All, now, zone);
            let days = [Window::Days7, Window::Days28, Window::Days90].map(|window| want.counts(window));
            let flows = [&got.last_7_days, &got.last_28_days, &got.last_90_days].map(counts);
            assert_eq!(flows, days, "{market:?} at {now}");
            assert_eq!(u64::try_from(got.active).unwrap(), want.active(), "{market:?} at {now}");
            #[expect(clippy::cast_precision_loss, reason = "as figures are")]
            let mean = (want.active() > 0).then(|| want.sum() as f64 / want.active() as f64);
            assert_eq!(got.mean_price, mean, "{market:?} at {now}");
            checked += want.active();
        }
    }
    assert!(checked > 300, "{checked}");

    // Every day's stock is that of the day before plus entries minus exits, by the answer's own counts.
    let mut moved = 0;
    for (market, cells) in &all {
        let zone = &market.area.country().zone;
        let mut exits = 0;
        let (first, last) = (began.day_in(zone).0 - 1, ended.day_in(zone).0);
        let mut before = 0;
        for close in closes(cells, Segment::All, Day(first), Day(last)) {
            let now = end_of(close.day, market);
            let answer = KnownFigures::from_log(simulation.all_homes(), simulation.log(), now, Watched::Always);
            let active = answer.markets.get(market).map_or(0, stoop_simulation::Figures::active).cast_signed();
            assert_eq!(close.active, active, "{market:?} on {}", close.day);
            assert_eq!(active, before + close.flows.entries() - close.flows.exits(), "{market:?} on {}", close.day);
            before = active;
            exits += close.flows.exits();
        }
        moved += exits;
    }
    assert!(moved > 300, "{moved}");
}
