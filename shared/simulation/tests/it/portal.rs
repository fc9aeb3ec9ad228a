//! The portal over HTTP on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use stoop_domain::Time;
use stoop_simulation::{Fault, Paging, Portal, PortalConfig, ServedAnswers, Simulation, SimulationConfig};
use stoop_waits::{connected, joined, until};

const START: &str = "2026-01-05T00:00:00Z";

/// A portal with a market of 230 homes and a clock that the test moves.
struct Town {
    simulation: Arc<Mutex<Simulation>>,
    portal: Portal,
    clock: Arc<AtomicI64>,
}

struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

fn town(change: impl FnOnce(&mut PortalConfig)) -> Town {
    let start = Time::parse(START).unwrap();
    let config = SimulationConfig { past_ms: 120 * Time::DAY_MS, ..SimulationConfig::new(9, start, 230, 6).lively() };
    let simulation = Arc::new(Mutex::new(Simulation::new(config)));
    let clock = Arc::new(AtomicI64::new(start.ms()));
    let reader = Arc::clone(&clock);
    let mut config = PortalConfig::new(move || Time::from_ms(reader.load(Ordering::SeqCst)));
    change(&mut config);
    let portal = Portal::start(Arc::clone(&simulation), config).unwrap();
    Town { simulation, portal, clock }
}

impl Town {
    fn get(&self, path: &str) -> Answer {
        get(&format!("{}{path}", self.portal.url()), "").unwrap()
    }

    /// Follows every next link. Returns the keys of each page.
    fn pages(&self, path: &str) -> Vec<Vec<String>> {
        let mut url = format!("{}{path}", self.portal.url());
        let mut pages = Vec::new();
        for _ in 0..100 {
            let page = get(&url, "").unwrap().json();
            pages.push(keys(&page));
            match page["@odata.nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => return pages,
            }
        }
        panic!("the pages never end");
    }
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

fn keys(page: &Value) -> Vec<String> {
    page["value"].as_array().unwrap().iter().map(|row| row["ListingKey"].as_str().unwrap().to_owned()).collect()
}

/// A GET with an additional header, over its own connection.
fn get(url: &str, header: &str) -> std::io::Result<Answer> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = connected(host)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(ErrorKind::UnexpectedEof)?;
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Ok(Answer { status, headers, body: body.to_owned() })
}

#[test]
fn paging_shows_every_listing_exactly_once() {
    for paging in [Paging::SkipToken, Paging::Skip] {
        let town = town(|config| config.paging = paging);
        let known = town.simulation.lock().unwrap().homes().count();
        let pages = town.pages("/odata/Property?$orderby=ModificationTimestamp&$top=17&$count=true");
        let all: Vec<String> = pages.into_iter().flatten().collect();
        assert_eq!(all.len(), known);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), known);
        let first = town.get("/odata/Property?$top=17&$count=true").json();
        assert_eq!(first["@odata.count"], known);
        assert_eq!(first["@odata.context"], format!("{}/odata/$metadata#Property", town.portal.url()));
        let next = first["@odata.nextLink"].as_str().unwrap();
        assert!(next.starts_with(&format!("{}/odata/Property?$top=17&$count=true&$skip", town.portal.url())), "{next}");
    }
}

#[test]
fn a_scan_of_a_changing_market_misses_nothing() {
    let town = town(|_| {});
    let before: BTreeSet<String> =
        town.simulation.lock().unwrap().homes().map(|(home, _)| home.listing_key()).collect();
    let mut url = format!("{}/odata/Property?$top=20", town.portal.url());
    let mut seen = BTreeSet::new();
    loop {
        let page = get(&url, "").unwrap().json();
        seen.extend(keys(&page));
        let mut simulation = town.simulation.lock().unwrap();
        let later = simulation.now().plus_ms(Time::HOUR_MS);
        simulation.advance(later);
        match page["@odata.nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert!(seen.is_superset(&before));
}

#[test]
fn the_filter_selects_by_time_and_location() {
    let town = town(|_| {});
    let since = Time::parse("2026-01-03T00:00:00Z").unwrap();
    let (changed, in_city) = {
        let simulation = town.simulation.lock().unwrap();
        let newer = |city: &str| {
            let wanted = |area: &str| city.is_empty() || area.contains(city);
            let homes = simulation.homes();
            homes.filter(|(home, offer)| offer.modified_at > since && wanted(home.area.path.as_str())).count()
        };
        (newer(""), newer("/seattle/"))
    };
    assert!(changed > in_city && in_city > 0);
    let count = |filter: &str| {
        let pages = town.pages(&format!("/odata/Property?$filter={filter}&$orderby=ModificationTimestamp&$top=5"));
        pages.into_iter().flatten().count()
    };
    assert_eq!(count("ModificationTimestamp+gt+2026-01-03T00:00:00Z"), changed);
    assert_eq!(count("ModificationTimestamp%20gt%202026-01-03T00:00:00Z%20and%20(City%20eq%20'Seattle')"), in_city);
    assert_eq!(count("City+eq+'Nowhere'"), 0);
    assert_eq!(town.get("/odata/Property?$filter=Price+gt+5").status, 400);
    assert_eq!(town.get("/odata/Member").status, 404);
    assert_eq!(town.portal.served().bad_requests, 1);
}

#[test]
fn filtering_by_the_newest_timestamp_gives_only_newer_rows() {
    let town = town(|config| config.follows_clock = true);
    let newest = {
        let simulation = town.simulation.lock().unwrap();
        simulation.homes().map(|(_, offer)| offer.modified_at).max().unwrap()
    };
    let path = format!("/odata/Property?$filter=ModificationTimestamp+gt+{newest}");
    assert_eq!(town.pages(&path).concat().len(), 0);
    let later = Time::parse(START).unwrap().plus_ms(Time::DAY_MS);
    town.clock.store(later.ms(), Ordering::SeqCst);
    assert!(!town.pages(&path).concat().is_empty());
    assert_eq!(town.simulation.lock().unwrap().now(), later);
}

#[test]
fn without_the_token_access_is_refused() {
    let town = town(|config| config.token = Some("let-me-in".into()));
    let url = format!("{}/odata/Property", town.portal.url());
    let status = |header: &str| get(&url, header).unwrap().status;
    assert_eq!(status(""), 401);
    assert_eq!(status("Authorization: Bearer wrong\r\n"), 401);
    assert_eq!(status("Authorization: Bearer let-me-in\r\n"), 200);
    assert_eq!(town.portal.served().unauthorized, 2);
}

#[test]
fn the_quota_resets_at_the_next_minute_of_the_portals_clock() {
    let town = town(|config| (config.per_minute, config.per_hour) = (Some(2), Some(3)));
    let path = "/odata/Property?$top=1";
    let at = |seconds: i64| {
        town.clock.store(Time::parse(START).unwrap().ms() + seconds * 1_000, Ordering::SeqCst);
        let answer = town.get(path);
        (answer.status, answer.headers.get("retry-after").cloned())
    };
    assert_eq!(at(0).0, 200);
    assert_eq!(at(1).0, 200);
    assert_eq!(at(15), (429, Some("45".into())));
    assert_eq!(at(60).0, 200);
    assert_eq!(at(61), (429, Some("3539".into())));
    let headers = town.get(path).headers;
    assert_eq!(headers["minute-quota-limit"], "2.0");
    assert_eq!(headers["hour-quota-limit"], "3.0");
    assert_eq!(headers["hour-quota-resettime"], (Time::parse(START).unwrap().ms() + Time::HOUR_MS).to_string());
    let served = town.portal.served();
    assert_eq!(served, ServedAnswers { requests: 6, pages: 3, rows: 3, over_quota: 3, ..ServedAnswers::default() });
}

#[test]
fn each_fault_has_its_effect_once() {
    let town = town(|_| {});
    let path = "/odata/Property?$top=10";
    let with = |fault: Fault| {
        town.portal.faults().plan(fault, 1);
        town.get(path)
    };
    assert_eq!(with(Fault::ServerError).status, 500);
    let unavailable = with(Fault::Unavailable { retry_after_s: 7 });
    assert_eq!((unavailable.status, &*unavailable.headers["retry-after"]), (503, "7"));
    let too_many = with(Fault::TooManyRequests { retry_after_s: 3 });
    assert_eq!((too_many.status, &*too_many.headers["retry-after"]), (429, "3"));

    let html = with(Fault::Html);
    assert_eq!(html.status, 200);
    assert!(html.headers["content-type"].starts_with("text/html") && html.body.starts_with("<!DOCTYPE html>"));
    let truncated = with(Fault::TruncatedJson);
    assert_eq!(truncated.status, 200);
    assert!(serde_json::from_str::<Value>(&truncated.body).unwrap_err().is_eof());

    let garbage = with(Fault::GarbageRow).json();
    assert_eq!(garbage["value"][0]["ListPrice"], "call for price");
    assert!(garbage["value"][1]["ListPrice"].is_number());
    let foreign = with(Fault::ForeignLink).json();
    assert!(foreign["@odata.nextLink"].as_str().unwrap().starts_with("http://portal.invalid/"));

    town.portal.faults().plan(Fault::Drop, 1);
    let dropped = get(&format!("{}{path}", town.portal.url()), "");
    assert!(dropped.is_err(), "{:?}", dropped.map(|answer| answer.status));

    assert_eq!(town.portal.faults().left(), 0);
    assert_eq!(keys(&town.get(path).json()).len(), 10);
    assert_eq!(town.portal.served().faults, 8);
}

#[test]
fn a_hang_delays_one_request_only() {
    let town = town(|_| {});
    town.portal.faults().plan(Fault::Hang { ms: 600_000 }, 1);
    let url = format!("{}/odata/Property?$top=1", town.portal.url());
    let hanging = std::thread::spawn(move || get(&url, ""));
    until("the hanging request", || (town.portal.faults().left() == 0).then_some(()));
    assert_eq!(town.get("/odata/Property?$top=1").status, 200);
    // Stopping does not wait ten minutes: it closes the connection.
    town.portal.stop();
    assert!(joined("the end of the hanging request", hanging).is_err());
}

#[test]
fn a_looping_link_leads_back_to_its_own_page() {
    let town = town(|_| {});
    town.portal.faults().plan(Fault::LoopingLink, 2);
    let first = town.get("/odata/Property?$top=10").json();
    let again = get(first["@odata.nextLink"].as_str().unwrap(), "").unwrap().json();
    assert_eq!(keys(&first), keys(&again));
    assert_eq!(first["@odata.nextLink"], again["@odata.nextLink"]);
}

#[test]
fn endless_links_continue_after_the_last_listing_and_never_repeat() {
    let town = town(|_| {});
    town.portal.faults().plan(Fault::EndlessLink, 1_000);
    let mut url = format!("{}/odata/Property?$top=1000", town.portal.url());
    let mut links = BTreeSet::new();
    for _ in 0..20 {
        let page = get(&url, "").unwrap().json();
        url = page["@odata.nextLink"].as_str().unwrap().to_owned();
        assert!(links.insert(url.clone()), "{url}");
    }
    town.portal.faults().clear();
    assert_eq!(get(&url, "").unwrap().json()["@odata.nextLink"], Value::Null);
}

#[test]
fn stopping_frees_the_port() {
    let town = town(|_| {});
    let address = town.portal.address();
    assert_eq!(town.get("/odata/Property?$top=1").status, 200);
    town.portal.stop();
    assert_eq!(connected(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert_eq!(Arc::strong_count(&town.simulation), 1);
}
