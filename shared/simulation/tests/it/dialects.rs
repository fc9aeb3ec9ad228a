//! Every source reads its site field by field and page by page, without a socket.

mod vendors;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use stoop_domain::{Currency, Listing, Phase, Purpose, Status, Time};
use stoop_simulation::{
    Access, Answered, Client, Dialect, Fault, Home, JsonSite, Offer, Pages, PortalRequest, ResoSite, Simulation,
    SimulationConfig, Site, SiteConfig, Vendor,
};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Cursor, Grant, Method, Next, Page, Params, ReadError, Request, Row, Source, SourceAnswer};

const HOST: &str = "https://site.test";

fn start() -> Time {
    Time::parse("2026-01-05T00:00:00Z").unwrap()
}

/// A market in Chicago and Seattle; with `morocco`, half of it in Morocco.
fn market(homes: u32, morocco: bool) -> Arc<Mutex<Simulation>> {
    let markets = if morocco { 18 } else { 6 };
    let config =
        SimulationConfig { morocco, rent_permille: 300, ..SimulationConfig::new(5, start(), homes, markets).lively() };
    Arc::new(Mutex::new(Simulation::new(config)))
}

fn site(dialect: Dialect, homes: u32) -> Site {
    let morocco = matches!(dialect, Dialect::Avito { .. } | Dialect::Mubawab);
    Site::new(market(homes, morocco), SiteConfig::new(dialect))
}

fn source(kind: &str, params: &[(&str, &str)]) -> Box<dyn Source> {
    let mut params: Params = params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    params.entry("url".into()).or_insert_with(|| HOST.into());
    stoop_sources::build(kind, &params).unwrap()
}

/// A source declared by a map, with the paging of the site.
fn declared(pages: &str) -> HttpSource {
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../../maps/simulated.toml");
    let fields = std::fs::read_to_string(map).unwrap();
    let http = format!(
        "[read]\nrows = \"/data\"\n[http]\nurl = \"{HOST}/homes\"\ncoverage = \"snapshot\"\n[http.pages]\n{pages}\ntotal = \"/total\"\n"
    );
    HttpSource::new(&Map::parse(&format!("{fields}\n{http}"), "site.toml").unwrap(), &Params::new()).unwrap()
}

/// Sends a request at `now`, as a poller would.
fn send(site: &Site, request: &Request, bearer: Option<&str>, now: Time) -> Option<Answered> {
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    headers.extend(bearer.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
    let body = request.body.as_deref().unwrap_or_default();
    let asked = match request.method {
        Method::Get => PortalRequest::get(&request.url, &headers),
        Method::Post => PortalRequest::post(&request.url, &headers, body),
    };
    site.answer(&asked.unwrap(), now).answer
}

fn read(site: &Site, source: &dyn Source, cursor: &Cursor, now: Time) -> Result<Page, ReadError> {
    let answer = send(site, &source.request(cursor), None, now).unwrap();
    assert!(source.reads(answer.status), "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    let read = SourceAnswer { status: answer.status, headers: &answer.headers, body: &answer.body };
    source.read(cursor, &read, now)
}

/// The result of a scan, with the total that the source reports.
struct Scan {
    found: BTreeMap<String, Listing>,
    total: Option<u64>,
    pages: u32,
    watermark: Option<String>,
}

fn scan(site: &Site, source: &dyn Source, since: Option<&str>) -> Scan {
    let mut cursor = source.begin(since);
    let mut scan = Scan { found: BTreeMap::new(), total: None, pages: 0, watermark: None };
    loop {
        let page = read(site, source, &cursor, start()).unwrap();
        for row in page.rows {
            let Row::Found(found) = row else { panic!("{row:?}") };
            scan.found.insert(found.native_id, found.listing);
        }
        scan.total = scan.total.max(page.total);
        scan.watermark = page.watermark.or(scan.watermark);
        scan.pages += 1;
        assert!(scan.pages < 500, "the pages never end");
        match page.next {
            Next::Page(next) => cursor = next,
            Next::End => return scan,
            Next::Capped => panic!("capped"),
        }
    }
}

/// The expected homes of a market, by the IDs of the dialect.
fn wanted(site: &Site, is_wanted: impl Fn(&Home, &Offer) -> bool) -> BTreeMap<String, (Home, Offer)> {
    let simulation = site.simulation().lock().unwrap();
    let homes = simulation.homes().filter(|(home, offer)| is_wanted(home, offer));
    homes.map(|(home, offer)| (site.config().dialect.native_id(home), (home.clone(), offer.clone()))).collect()
}

fn is_live(offer: &Offer) -> bool {
    matches!(offer.status.phase(), Phase::Active | Phase::Pending)
}

fn in_chicago(home: &Home, offer: &Offer) -> bool {
    is_live(offer) && home.area.path.as_str().contains("/chicago/")
}

fn in_morocco(site: &Site, purpose: Purpose) -> BTreeMap<String, (Home, Offer)> {
    wanted(site, |home, offer| is_live(offer) && home.purpose == purpose && home.currency() == Currency::MAD)
}

/// Checks that exactly the expected homes are found, with the fields that every source has.
fn assert_found(scan: &Scan, wanted: &BTreeMap<String, (Home, Offer)>) {
    assert!(wanted.len() > 20, "{} listings are too few for the test", wanted.len());
    assert_eq!(scan.found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
    for (id, (home, offer)) in wanted {
        let listing = &scan.found[id];
        assert_eq!(listing.list_price, Some(offer.list_price), "{id}");
        assert_eq!((listing.purpose, listing.currency), (home.purpose, home.currency()), "{id}");
        assert_eq!(listing.bedrooms, Some(home.bedrooms), "{id}");
        assert_eq!(listing.bathrooms_hundredths, Some(u16::from(home.bathrooms) * 100), "{id}");
        let area = listing.living_area.unwrap();
        assert_eq!(area.ten_thousandths, i64::from(home.living_area) * 10_000, "{id}");
        let day = offer.on_market_at.ms().div_euclid(Time::DAY_MS);
        let listed = listing.listed_at.map(|at| at.ms().div_euclid(Time::DAY_MS));
        assert!(listed.is_none_or(|listed| (listed - day).abs() <= 31), "{id}");
    }
}

#[test]
fn zillow_is_read_page_by_page_and_split_beyond_twenty_pages() {
    for (api, status_type, purpose) in [
        ("zillow-com1", "ForSale", Purpose::Sale),
        ("zillow-com1", "ForRent", Purpose::Rent),
        ("zillow56", "ForSale", Purpose::Sale),
        ("zillow56", "ForRent", Purpose::Rent),
    ] {
        for page_size in [41, 6, 2] {
            let site = site(Dialect::Zillow { page_size }, 600);
            let search = [("key", "k"), ("api", api), ("location", "Chicago, IL"), ("status_type", status_type)];
            let source = source("zillow", &search);
            let wanted = wanted(&site, |home, offer| home.purpose == purpose && in_chicago(home, offer));
            let scan = scan(&site, &*source, None);
            assert_found(&scan, &wanted);
            assert_eq!(scan.total, Some(wanted.len() as u64));
            let split = wanted.len() > 20 * page_size;
            assert_eq!(scan.pages > 20, split, "{} pages of {page_size}", scan.pages);
            for (id, (home, offer)) in &wanted {
                let (listing, change) = (&scan.found[id], offer.price_change);
                assert_eq!(listing.status, offer.status);
                assert_eq!((listing.previous_list_price, listing.price_changed_at), change.unzip());
                assert_eq!(listing.property_type, Some(home.kind));
                assert_eq!(listing.address.postal_code.as_deref(), Some(&*home.area.postal_code));
            }
        }
    }
}

#[test]
fn realtor_is_read_from_both_apis() {
    let site = site(Dialect::Realtor, 600);
    let params = [("key", "k"), ("city", "Chicago"), ("state_code", "IL"), ("limit", "17")];
    for api in ["realty-in-us", "us-real-estate"] {
        for (name, purpose) in [("sale", Purpose::Sale), ("rent", Purpose::Rent)] {
            let source = source("realtor", &[&params[..], &[("api", api), ("purpose", name)]].concat());
            let wanted = wanted(&site, |home, offer| home.purpose == purpose && in_chicago(home, offer));
            let scan = scan(&site, &*source, None);
            assert_found(&scan, &wanted);
            assert_eq!((scan.total, scan.pages), (Some(wanted.len() as u64), wanted.len().div_ceil(17) as u32));
            for (id, (home, offer)) in &wanted {
                let listing = &scan.found[id];
                assert_eq!((listing.status, listing.property_type), (offer.status, Some(home.kind)));
                let before = offer.price_change.map(|(before, _)| before).filter(|before| *before > offer.list_price);
                assert_eq!((listing.previous_list_price, listing.price_changed_at), (before, None));
                assert_eq!(listing.listed_at, Some(offer.on_market_at));
            }
        }
    }
}

#[test]
fn rentcast_is_a_bare_array_or_404_without_listings() {
    let site = site(Dialect::RentCast, 600);
    for (name, purpose) in [("sale", Purpose::Sale), ("rent", Purpose::Rent)] {
        let params = [("key", "k"), ("city", "Chicago"), ("state", "IL"), ("limit", "20"), ("purpose", name)];
        let scan = scan(&site, &*source("rentcast", &params), None);
        let wanted = wanted(&site, |home, offer| home.purpose == purpose && in_chicago(home, offer));
        assert_found(&scan, &wanted);
        assert_eq!(scan.total, Some(wanted.len() as u64));
        assert!(scan.found.values().all(|listing| listing.status == Status::Active));
    }
    let nothing = scan(&site, &*source("rentcast", &[("key", "k"), ("zipCode", "99999")]), None);
    assert_eq!((nothing.found.len(), nothing.total, nothing.pages), (0, None, 1));
}

#[test]
fn avito_is_read_from_the_data_of_its_pages_and_from_its_cards() {
    for data in [true, false] {
        let site = site(Dialect::Avito { data }, 600);
        for (path, purpose) in [("fr/maroc/appartements-à_vendre", Purpose::Sale), ("fr/maroc/à_louer", Purpose::Rent)]
        {
            let wanted = in_morocco(&site, purpose);
            let scan = scan(&site, &*source("avito", &[("path", path)]), None);
            assert_found(&scan, &wanted);
            let total = data.then_some(wanted.len() as u64);
            assert_eq!((scan.total, scan.pages), (total, wanted.len().div_ceil(35) as u32));
            for (id, (_, offer)) in &wanted {
                let listing = &scan.found[id];
                let before = offer.price_change.map(|(before, _)| before).filter(|_| data);
                assert_eq!((listing.status, listing.previous_list_price), (Status::Active, before));
                assert!(listing.address.neighbourhood.as_ref().is_some_and(|name| name.starts_with("Secteur ")));
            }
        }
    }
}

#[test]
fn mubawab_is_read_from_its_cards() {
    let site = site(Dialect::Mubawab, 600);
    for (path, purpose) in
        [("fr/sc/appartements-a-vendre", Purpose::Sale), ("fr/cc/immobilier-a-louer-all:o:n", Purpose::Rent)]
    {
        let wanted = in_morocco(&site, purpose);
        let scan = scan(&site, &*source("mubawab", &[("path", path)]), None);
        assert_found(&scan, &wanted);
        // A page that is full may have another one behind it.
        assert_eq!((scan.total, scan.pages), (None, (wanted.len() / 33 + 1) as u32));
        for (id, (home, _)) in &wanted {
            let address = &scan.found[id].address;
            assert_eq!(address.neighbourhood, Some(format!("Secteur {}", home.area.postal_code)));
            assert!(address.city.as_ref().is_some_and(|city| home.area.path.as_str().contains(&city.to_lowercase())));
        }
    }
}

#[test]
fn a_declared_source_follows_every_way_of_paging() {
    for (pages, how) in [
        (Pages::Number, "by = \"page\"\nsize = 20"),
        (Pages::Offset, "by = \"offset\"\nsize = 20"),
        (Pages::Cursor, "by = \"cursor\"\nnext = \"/cursor\""),
        (Pages::NextLink, "by = \"next-link\"\nnext = \"/next\""),
        (Pages::LinkHeader, "by = \"link-header\""),
    ] {
        for shows_all in [false, true] {
            let site = site(Dialect::Json(JsonSite { shows_all, ..JsonSite::new(pages) }), 400);
            let wanted = wanted(&site, |home, offer| (shows_all || is_live(offer)) && home.currency() == Currency::USD);
            let scan = scan(&site, &declared(how), None);
            assert_found(&scan, &wanted);
            assert_eq!(scan.total, Some(wanted.len() as u64), "{pages:?}");
            assert!(scan.pages >= wanted.len().div_ceil(20) as u32);
            assert!(wanted.iter().all(|(id, (_, offer))| scan.found[id].status == offer.status));
        }
    }
}
#[test]
fn faults_of_total_page_and_row_work_in_every_dialect() {
    for dialect in [
        Dialect::Zillow { page_size: 10 },
        Dialect::Realtor,
        Dialect::RentCast,
        Dialect::Avito { data: true },
        Dialect::Mubawab,
        Dialect::Json(JsonSite::new(Pages::Number)),
    ] {
        let source: Box<dyn Source> = match &dialect {
            Dialect::Zillow { .. } => source("zillow", &[("key", "k"), ("location", "Chicago, IL")]),
            Dialect::Realtor => {
                source("realtor", &[("key", "k"), ("city", "Chicago"), ("state_code", "IL"), ("limit", "20")])
            }
            Dialect::RentCast => {
                source("rentcast", &[("key", "k"), ("city", "Chicago"), ("state", "IL"), ("limit", "20")])
            }
            Dialect::Avito { .. } => source("avito", &[]),
            Dialect::Mubawab => source("mubawab", &[]),
            _ => Box::new(declared("by = \"page\"\nsize = 20")),
        };
        let site = site(dialect.clone(), 600);
        let first = source.begin(None);
        let right = read(&site, &*source, &first, start()).unwrap();
        let Next::Page(second) = &right.next else { panic!("{dialect:?} has one page") };
        let faulty = |fault: Fault, cursor: &Cursor| {
            site.faults().plan(fault, 1);
            read(&site, &*source, cursor, start()).unwrap()
        };
        // Mubawab has no total.
        let wrong_total = faulty(Fault::WrongTotal, &first).total;
        assert!(wrong_total > right.total || dialect == Dialect::Mubawab, "{dialect:?}");
        assert_eq!(faulty(Fault::RepeatedPage, second).rows, right.rows, "{dialect:?}");
        let garbage = faulty(Fault::GarbageRow, &first);
        let Row::Found(unpriced) = &garbage.rows[0] else { panic!("{dialect:?}: {:?}", garbage.rows[0]) };
        assert_eq!((unpriced.listing.list_price, unpriced.refused.len()), (None, 1), "{dialect:?}");
        assert!(unpriced.refused[0].detail.contains("call for price"), "{dialect:?}: {unpriced:?}");
        assert_eq!(garbage.rows[1..], right.rows[1..], "{dialect:?}");
    }
}

#[test]
fn equal_requests_at_equal_times_get_equal_answers() {
    let answers = || {
        let site = site(Dialect::Avito { data: true }, 200);
        (1..5)
            .map(|page| {
                let url = format!("{HOST}/fr/maroc/appartements?o={page}");
                site.answer(&PortalRequest::get(&url, &[]).unwrap(), start())
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(answers(), answers());
}
