//! What a source must have reported, according to the simulation.

use std::collections::BTreeMap;

use stoop_domain::{Facts, History, Listing, Minor, Observation, Phase, Status, Time};
use stoop_simulation::{Dialect, Home, Offer, ShownListing};
use stoop_sources::{Coverage, Source};

use super::fleet::{Entry, Reports};
use super::memory::Memory;

/// The changing facts of a listing, as its source reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reported {
    status: Status,
    list_price: Option<Minor>,
    original_list_price: Option<Minor>,
    before: Option<Minor>,
    price_changed_at: Option<Time>,
}

impl Reported {
    fn of(listing: &Listing) -> Self {
        Self {
            status: listing.status,
            list_price: listing.list_price,
            original_list_price: listing.original_list_price,
            before: listing.previous_list_price,
            price_changed_at: listing.price_changed_at,
        }
    }

    fn shown(reports: Reports, shown: &ShownListing) -> Self {
        let offer = &shown.offer;
        let (before, changed_at) = offer.price_change.unzip();
        let plain = Self {
            status: Status::Active,
            list_price: Some(offer.list_price).filter(|_| !shown.unpriced),
            original_list_price: None,
            before: None,
            price_changed_at: None,
        };
        match reports {
            Reports::Everything => Self {
                status: if shown.withdrawn { Status::Delete } else { offer.status },
                original_list_price: Some(offer.original_list_price),
                before,
                price_changed_at: changed_at,
                ..plain
            },
            // These say by how much the price changed.
            Reports::Zillow => Self {
                status: offer.status,
                before: before.filter(|_| !shown.unpriced),
                price_changed_at: changed_at,
                ..plain
            },
            Reports::Realtor => {
                let before = before.filter(|before| *before > offer.list_price && !shown.unpriced);
                Self { status: offer.status, before, ..plain }
            }
            Reports::PriceBefore => Self { before, ..plain },
            Reports::Price => plain,
        }
    }
}

/// The listings that a site shows now and a search should find, by native ID.
pub(crate) fn shown_now(entry: &Entry) -> BTreeMap<String, (Home, Offer, Time)> {
    let simulation = entry.line.site.simulation().lock().unwrap();
    let dialect = &entry.line.site.config().dialect;
    let wanted = simulation.shown_after(None).filter(|(home, offer)| (entry.homes)(home) && (entry.shows)(offer));
    let shown = wanted.map(|(home, offer)| {
        let since = simulation.shown_at(home.index).unwrap();
        (dialect.native_id(home), (home.clone(), offer.clone(), since))
    });
    shown.collect()
}

/// The stream's lines of each listing, in order.
fn by_listing(lines: &[Observation]) -> BTreeMap<&str, Vec<&Observation>> {
    let mut listings: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for line in lines {
        listings.entry(&line.native_id).or_default().push(line);
    }
    listings
}

/// After a full scan that saw everything: what was shown before and until now is on the stream, unchanged.
pub(crate) fn check_after_full_scan(entry: &Entry, memory: &Memory, began: Time) {
    memory.lines(entry.source.name(), |lines| {
        let listings = by_listing(lines);
        for (id, (home, offer, since)) in shown_now(entry) {
            // Listings withdrawn by MLS Grid have their own time; the last check covers them.
            if since >= began || is_off(&offer) {
                continue;
            }
            let want = Reported::shown(
                entry.reports,
                &ShownListing { home: home.index, offer, withdrawn: false, unpriced: false },
            );
            let got = listings.get(&*id).and_then(|lines| lines.last()).map(|line| Reported::of(&line.listing));
            assert_eq!(got.as_ref(), Some(&want), "{}: {id} after the scan of {began}", entry.name);
        }
    });
}

/// Listings reported gone in the lines from `from` on were not shown when the scan began.
pub(crate) fn check_gone(entry: &Entry, memory: &Memory, from: usize, began: Time) {
    memory.lines(entry.source.name(), |lines| {
        let said = lines[from..].iter().filter(|line| line.listing.status == Status::Gone);
        let said: Vec<&str> = said.map(|line| &*line.native_id).collect();
        if said.is_empty() {
            return;
        }
        let shown = shown_now(entry);
        for id in said {
            let back = shown.get(id).map(|(_, _, since)| *since);
            assert!(back.is_none_or(|since| since >= began), "{}: {id} is there since {back:?}", entry.name);
        }
    });
}

/// Every state that was shown is on the stream in order, at least once per UTC day, and nothing else; gone listings
/// were reported gone in between.
pub(crate) fn check_sequence(entries: &[&Entry], memory: &Memory) {
    let (first, line) = (entries[0], &entries[0].line);
    let homes = line.site.simulation().lock().unwrap().all_homes().to_vec();
    let dialect = &line.site.config().dialect;
    let mut want: BTreeMap<String, Vec<Reported>> = BTreeMap::new();
    line.witnessed(0, |witnesses| {
        for shown in witnesses.iter().flat_map(|witness| &witness.shown) {
            let message = Reported::shown(first.reports, shown);
            let states = want.entry(dialect.native_id(&homes[shown.home as usize])).or_default();
            if states.last() != Some(&message) {
                states.push(message);
            }
        }
    });
    let proves = first.source.crawl_policy().coverage == Coverage::Snapshot;
    memory.lines(first.source.name(), |lines| {
        let listings = by_listing(lines);
        let seen: Vec<&str> = listings.keys().copied().collect();
        assert_eq!(seen, want.keys().collect::<Vec<_>>(), "{}: the listings ever seen", first.name);
        for (id, lines) in listings {
            let mut got: Vec<Reported> = Vec::new();
            let mut was_gone = false;
            let mut day_before = None;
            for line in lines {
                let message = Reported::of(&line.listing);
                let gone = message.status == Status::Gone;
                let again = got.last() == Some(&message);
                assert!(!gone || (proves && !was_gone), "{}: {id} is reported gone", first.name);
                let day = line.seen.ms().div_euclid(Time::DAY_MS);
                let confirms = day_before.replace(day).is_some_and(|before| before < day);
                assert!(!again || was_gone || confirms, "{}: {id} is sent again as {message:?}", first.name);
                if !gone && !again {
                    got.push(message);
                }
                was_gone = gone;
            }
            assert_eq!(got, want[id], "{}: what was shown of {id}", first.name);
        }
    });
}

/// The quarantine has exactly the garbage.
pub(crate) fn check_quarantine(entry: &Entry, memory: &Memory) {
    let garbage = entry.line.witnessed(0, |witnesses| {
        witnesses.iter().flat_map(|witness| &witness.shown).filter(|shown| shown.unpriced).count()
    });
    let rejects = memory.rejects(entry.source.name());
    assert_eq!(rejects, garbage, "{}: rejects", entry.name);
}

/// At the end the stream's last state of each listing equals the simulation's.
pub(crate) fn check_end(entry: &Entry, memory: &Memory) {
    let shown = shown_now(entry);
    assert!(shown.len() > 15, "{}: {} listings are too few to prove anything", entry.name, shown.len());
    let (market_now, homes) = {
        let simulation = entry.line.site.simulation().lock().unwrap();
        (simulation.now(), simulation.all_homes().to_vec())
    };
    let dialect = &entry.line.site.config().dialect;
    let of_search: Vec<String> =
        homes.iter().filter(|home| (entry.homes)(home)).map(|home| dialect.native_id(home)).collect();
    memory.lines(entry.source.name(), |lines| {
        let mut listings = by_listing(lines);
        listings.retain(|id, _| of_search.iter().any(|of_search| of_search == id));
        for (id, (home, offer, _)) in &shown {
            if is_withdrawn(entry, offer, market_now) {
                // It may never have been seen, or have left before a full scan, which does not show such rows.
                let over = listings.get(&**id).is_none_or(|lines| is_over(&current(lines)));
                assert!(over, "{}: {id} is withdrawn", entry.name);
                continue;
            }
            let shown = ShownListing { home: home.index, offer: offer.clone(), withdrawn: false, unpriced: false };
            let want = Reported::shown(entry.reports, &shown);
            let lines = listings.get(&**id).unwrap_or_else(|| panic!("{}: nothing is known of {id}", entry.name));
            let current = current(lines);
            assert_eq!((current.status, current.list_price), (want.status, want.list_price), "{}: {id}", entry.name);
            let last = lines.last().map(|line| Reported::of(&line.listing));
            assert_eq!(last, Some(want), "{}: {id}", entry.name);
        }
        let proves = entry.source.crawl_policy().coverage == Coverage::Snapshot;
        for (id, lines) in listings.iter().filter(|(id, _)| !shown.contains_key(**id)) {
            let current = current(lines);
            assert!(
                !proves || is_over(&current),
                "{}: {id} no longer exists, and is reported as {current:?}",
                entry.name
            );
        }
    });
}

/// The last facts in a home's history.
fn current(lines: &[&Observation]) -> Facts {
    let mut history = History::default();
    for line in lines {
        history.apply(line.sighting(), &Facts::of(&line.listing).unwrap(), line.listing.listed_at);
    }
    history.current().unwrap().clone()
}

/// Whether MLS Grid has withdrawn a listing that has been off the market for a while.
fn is_withdrawn(entry: &Entry, offer: &Offer, now: Time) -> bool {
    let Dialect::Reso(site) = &entry.line.site.config().dialect else { return false };
    site.withdraws_after_ms.is_some_and(|ms| is_off(offer) && offer.status_changed_at.plus_ms(ms) <= now)
}

fn is_over(facts: &Facts) -> bool {
    matches!(facts.status.phase(), Phase::Closed | Phase::Off)
}

fn is_off(offer: &Offer) -> bool {
    matches!(offer.status.phase(), Phase::Closed | Phase::Off)
}
