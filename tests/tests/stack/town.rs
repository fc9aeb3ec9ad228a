//! The market that the stack polls: a simulation behind a real portal, with a story that is known beforehand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use stoop_domain::{Observation, Purpose, Time};
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;
use stoop_simulation::{
    Home, KnownFigures, LifeEvent, Portal, PortalConfig, Simulation, SimulationConfig, Watched, What,
};

/// The portal's token.
pub(crate) const TOKEN: &str = "the-portals-token";
/// The source's name in home IDs.
pub(crate) const SOURCE: &str = "sim";

const HOMES: u32 = 60;
const MARKETS: u32 = 4;
/// The configured threshold: this cut and larger ones are alerts.
const DROP_BP: i64 = 1_500;

pub(crate) struct Town {
    pub(crate) portal: Portal,
    simulation: Arc<Mutex<Simulation>>,
    /// When all homes are listed, and nothing else has happened to any.
    all_listed: Time,
    /// When a home for sale is cut by more than 15 %, and nothing has happened to any home twice since.
    deep_cut: Time,
}

/// A cut that must be an alert.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cut {
    pub(crate) home: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) purpose: &'static str,
    pub(crate) region: String,
    pub(crate) postal_code: String,
}

/// The comparable part of an observation and of what the portal served: home, price, status, bedrooms, postal code.
pub(crate) type Fact = (String, i64, String, Option<u8>, Option<String>);

impl Town {
    /// A town in which nothing has happened yet.
    pub(crate) fn new() -> Self {
        // All events are in the past by the system clock, otherwise they would be refused as in the future.
        let start = Time::from_ms((SystemClock.now().ms() / Time::HOUR_MS - 24 * 25) * Time::HOUR_MS);
        let config = |seed| SimulationConfig {
            past_ms: 0,
            lead_ms: 2 * Time::HOUR_MS,
            ..SimulationConfig::new(seed, start, HOMES, MARKETS).lively()
        };
        let message = |seed| story(config(seed)).map(|(all_listed, deep_cut)| (seed, all_listed, deep_cut));
        let (seed, all_listed, deep_cut) = (1..100_000).find_map(message).expect("some seed has this story");
        let simulation = Arc::new(Mutex::new(Simulation::new(config(seed))));
        simulation.lock().unwrap().advance(all_listed);
        let portal_config = PortalConfig { token: Some(TOKEN.into()), ..PortalConfig::new(|| SystemClock.now()) };
        let portal = Portal::start(Arc::clone(&simulation), portal_config).unwrap();
        Self { portal, simulation, all_listed, deep_cut }
    }

    /// Advances to the deep cut. Returns the expected alerts.
    pub(crate) fn advance_to_the_cut(&self) -> Vec<Cut> {
        self.simulation.lock().unwrap().advance(self.deep_cut);
        self.cuts_after(self.all_listed)
    }

    /// Advances by this many events. Returns the expected alerts, if each is seen.
    pub(crate) fn advance_by(&self, entries: usize) {
        let mut simulation = self.simulation.lock().unwrap();
        for _ in 0..entries {
            let next = simulation.next_at().expect("a market never ends");
            simulation.advance(next);
        }
    }

    pub(crate) fn homes(&self) -> usize {
        self.simulation.lock().unwrap().homes().count()
    }

    /// The exact figures at a time, as seen at `seen_at`: a portal does not say when a price was cut, so a cut is as
    /// old as the poll that found it.
    pub(crate) fn answer(&self, at: Time, seen_at: &BTreeMap<Fact, Time>) -> KnownFigures {
        let simulation = self.simulation.lock().unwrap();
        let homes = simulation.all_homes();
        let listed = simulation.log().iter().filter(|entry| entry.at <= self.all_listed);
        let first_scan = listed.map(|entry| seen_at[&fact_of(homes, entry)]).max().expect("the first scan saw them");
        // The market's clock is behind ours: events before the first scan were seen after it.
        let since = |entry: &LifeEvent| match seen_at[&fact_of(homes, entry)] {
            at if entry.at <= self.all_listed => at,
            at => at.max(first_scan.plus_ms(1)),
        };
        let log = simulation.log().iter().map(|entry| LifeEvent { at: since(entry), ..entry.clone() });
        KnownFigures::from_log(homes, &log.collect::<Vec<_>>(), at, Watched::Since(first_scan))
    }

    /// Price (minor units) and status of each listed home, by home ID.
    pub(crate) fn offers(&self) -> BTreeMap<String, (i64, String)> {
        let simulation = self.simulation.lock().unwrap();
        let offer = |(home, offer): (&Home, &stoop_simulation::Offer)| {
            (home_id(home), (offer.list_price.0, offer.status.as_str().to_owned()))
        };
        simulation.homes().map(offer).collect()
    }

    /// Everything that the portal has shown, as facts, each with its `ModificationTimestamp`: the lake must hold it, if
    /// each was seen.
    pub(crate) fn facts(&self) -> BTreeMap<Fact, Time> {
        let simulation = self.simulation.lock().unwrap();
        let homes = simulation.all_homes();
        simulation.log().iter().map(|entry| (fact_of(homes, entry), entry.offer.modified_at)).collect()
    }

    fn cuts_after(&self, since: Time) -> Vec<Cut> {
        let simulation = self.simulation.lock().unwrap();
        let mut prices: BTreeMap<u32, i64> = BTreeMap::new();
        let mut cuts = Vec::new();
        for entry in simulation.log() {
            let to = entry.offer.list_price.0;
            let Some(from) = prices.insert(entry.home, to) else { continue };
            if entry.at > since && is_deep(from, to) {
                let home = &simulation.all_homes()[entry.home as usize];
                cuts.push(Cut {
                    home: home_id(home),
                    from,
                    to,
                    purpose: home.purpose.as_str(),
                    region: home.market().area.levels()[1].to_owned(),
                    postal_code: postal_code(home),
                });
            }
        }
        cuts.sort();
        cuts
    }
}

fn fact_of(homes: &[Home], entry: &LifeEvent) -> Fact {
    let (home, offer) = (&homes[entry.home as usize], &entry.offer);
    let status = offer.status.as_str().to_owned();
    (home.listing_key(), offer.list_price.0, status, Some(home.bedrooms), Some(postal_code(home)))
}

/// The facts of an observation that was read back.
pub(crate) fn fact(seen: &Observation) -> Fact {
    let listing = &seen.listing;
    let price = listing.list_price.map_or(0, |price| price.0);
    let postal_code = listing.address.postal_code.clone();
    (seen.native_id.clone(), price, listing.status.as_str().to_owned(), listing.bedrooms, postal_code)
}

fn home_id(home: &Home) -> String {
    format!("{SOURCE}/{}", home.listing_key())
}

fn postal_code(home: &Home) -> String {
    home.market().area.levels()[4].to_owned()
}

fn is_deep(from: i64, to: i64) -> bool {
    (from - to) * 10_000 >= DROP_BP * from
}

/// When all homes are listed and when the deep cut comes, if the story loses nothing to two polls: before the first
/// poll each home was only listed, and between the polls at most one thing happened to each, including more than cuts.
fn story(config: SimulationConfig) -> Option<(Time, Time)> {
    let all_listed = config.start.plus_ms(2 * config.lead_ms);
    let mut simulation = Simulation::new(config);
    simulation.advance(all_listed);
    let listed = simulation.log().len();
    if listed != HOMES as usize || simulation.log().iter().any(|entry| entry.what != What::Listed) {
        return None;
    }
    let mut prices: BTreeMap<u32, i64> =
        simulation.log().iter().map(|entry| (entry.home, entry.offer.list_price.0)).collect();
    let mut moved = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    loop {
        let next = simulation.next_at()?;
        simulation.advance(next);
        let entry = simulation.log().last()?;
        if !moved.insert(entry.home) {
            return None;
        }
        kinds.insert(entry.what);
        let to = entry.offer.list_price.0;
        let from = prices.insert(entry.home, to)?;
        let for_sale = simulation.all_homes()[entry.home as usize].purpose == Purpose::Sale;
        if for_sale && is_deep(from, to) {
            let varied = [What::Cut, What::Raised, What::Pending].iter().all(|what| kinds.contains(what));
            return (varied && moved.len() >= 6).then_some((all_listed, entry.at));
        }
    }
}
