//! A search with more homes than the API's pages show is split by price, so that every home is seen.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use proptest::prelude::*;
use stoop_domain::Time;
use stoop_sources::{Cursor, Next, Page, Params, Row, Source, SourceAnswer, build};

const ROWS: usize = 41;
const PAGES: usize = 20;
/// Number of consecutive pages without new listings after which the poller stops the scan.
const OVERLAPS_MAX: usize = 60;

/// A simulated Zillow: a pure function from a request to an answer.
#[derive(Clone, Debug, Default)]
struct Server {
    /// The price of each home; its index is its ID. A home with `None` is missing from queries with a price bound.
    prices: Vec<Option<u64>>,
    zillow56: bool,
    rent: bool,
    /// Whether it ignores bounds.
    deaf: bool,
    /// Whether homes at a bound are excluded.
    above: bool,
    below: bool,
}

impl Server {
    fn of(prices: Vec<u64>) -> Self {
        Self { prices: prices.into_iter().map(Some).collect(), ..Self::default() }
    }

    fn source(&self, more: &[(&str, &str)]) -> Box<dyn Source> {
        let api = if self.zillow56 { "zillow56" } else { "zillow-com1" };
        let status_type = if self.rent { "ForRent" } else { "ForSale" };
        let all = [("location", "Springfield, IL"), ("key", "k"), ("api", api), ("status_type", status_type)];
        let params: Params = all.iter().chain(more).map(|(key, value)| ((*key).into(), (*value).into())).collect();
        build("zillow", &params).unwrap()
    }

    fn bounds(&self, url: &str) -> (Option<u64>, Option<u64>, usize) {
        let names = match (self.zillow56, self.rent) {
            (false, false) => ["minPrice", "maxPrice"],
            (false, true) => ["rentMinPrice", "rentMaxPrice"],
            (true, false) => ["price_min", "price_max"],
            (true, true) => ["monthlyPayment_min", "monthlyPayment_max"],
        };
        let query: BTreeMap<&str, &str> =
            url.split_once('?').unwrap().1.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let number = |name: &str| query.get(name).map(|value| value.parse::<u64>().unwrap());
        (number(names[0]), number(names[1]), number("page").map_or(1, |page| page as usize))
    }

    fn matches(&self, price: Option<u64>, least: Option<u64>, most: Option<u64>) -> bool {
        if self.deaf || (least.is_none() && most.is_none()) {
            return true;
        }
        let Some(price) = price else { return false };
        least.is_none_or(|least| price > least || (price == least && !self.above))
            && most.is_none_or(|most| price < most || (price == most && !self.below))
    }

    fn answer(&self, url: &str) -> String {
        let (least, most, page) = self.bounds(url);
        let homes: Vec<(usize, Option<u64>)> =
            self.prices.iter().copied().enumerate().filter(|(_, price)| self.matches(*price, least, most)).collect();
        let pages = homes.len().div_ceil(ROWS).min(PAGES);
        let shown = homes.iter().skip((page - 1) * ROWS).take(if page <= pages { ROWS } else { 0 });
        let mut rows = String::new();
        for (id, price) in shown {
            let price = price.map_or("null".into(), |price| price.to_string());
            let sep = if rows.is_empty() { "" } else { "," };
            write!(rows, "{sep}{{\"zpid\": {id}, \"price\": {price}}}").unwrap();
        }
        let (name, current) =
            if self.zillow56 { ("results", String::new()) } else { ("props", format!(", \"currentPage\": {page}")) };
        format!(
            "{{\"{name}\": [{rows}], \"resultsPerPage\": {ROWS}, \"totalPages\": {pages}, \"totalResultCount\": {}{current}}}",
            homes.len()
        )
    }
}

/// A scan from a cursor to its end: the cursors, the homes of each page, and the result.
struct Scan {
    cursors: Vec<Cursor>,
    seen: Vec<HashSet<usize>>,
    end: Next,
}

impl Scan {
    fn all(&self) -> HashSet<usize> {
        self.seen.iter().flatten().copied().collect()
    }
}

fn ids(page: &Page) -> HashSet<usize> {
    let id = |row: &Row| match row {
        Row::Found(found) => found.native_id.parse().unwrap(),
        Row::Refused { detail, .. } => panic!("{detail}"),
    };
    page.rows.iter().map(id).collect()
}

/// Scans as the poller does, and checks the invariants of every page.
fn scan(server: &Server, source: &dyn Source, mut cursor: Cursor) -> Scan {
    let (mut cursors, mut seen, mut visited) = (Vec::new(), Vec::new(), HashSet::new());
    let (mut known, mut nothing_new) = (HashSet::new(), 0);
    loop {
        assert!(visited.insert(cursor.position.clone()), "{} comes twice", cursor.position);
        assert!(cursor.position.len() < 1_000, "{}", cursor.position);
        assert!(cursor.pages_before < source.crawl_policy().pages_max, "too many pages");
        let body = server.answer(&source.request(&cursor).url);
        let page = source.read(&cursor, &SourceAnswer::of(body.as_bytes()), Time::from_ms(0)).unwrap();
        seen.push(ids(&page));
        let before = known.len();
        known.extend(ids(&page));
        nothing_new = if known.len() == before && !ids(&page).is_empty() { nothing_new + 1 } else { 0 };
        assert!(nothing_new <= if page.overlaps { OVERLAPS_MAX } else { 0 }, "{nothing_new} pages for nothing");
        if cursor.pages_before == 0 {
            assert_eq!(page.total, Some(server.prices.len() as u64));
        }
        assert!(page.total >= Some(server.prices.len() as u64));
        let next = page.next;
        cursors.push(cursor.clone());
        match next {
            Next::Page(next) => {
                assert_eq!((next.pages_before, &next.since), (cursor.pages_before + 1, &cursor.since));
                cursor = next;
            }
            end => return Scan { cursors, seen, end },
        }
    }
}

fn whole(server: &Server) -> Scan {
    let source = server.source(&[]);
    scan(server, &*source, source.begin(Some("s")))
}

/// The homes that a complete scan can reach: no more of one price than the pages show.
fn reachable(prices: &[Option<u64>]) -> HashSet<usize> {
    let mut alike: BTreeMap<u64, usize> = BTreeMap::new();
    prices.iter().flatten().for_each(|price| *alike.entry(*price).or_default() += 1);
    let fits = |price: u64| alike[&price] <= ROWS * PAGES;
    prices.iter().enumerate().filter(|(_, price)| price.is_some_and(fits)).map(|(id, _)| id).collect()
}

#[test]
fn a_search_that_fits_is_read_page_by_page() {
    let scan = whole(&Server::of((0..820).map(|i| 100_000 + i * 1_000).collect()));
    assert_eq!((scan.cursors.len(), scan.all().len(), scan.end), (20, 820, Next::End));
    assert_eq!(scan.cursors[19].position, "20 t820");
}

#[test]
fn one_home_more_is_split_in_two() {
    let scan = whole(&Server::of((0..821).map(|i| 100_000 + i * 1_000).collect()));
    let positions: Vec<&str> = scan.cursors.iter().map(|cursor| cursor.position.as_str()).collect();
    assert_eq!(positions[..3], ["1", "1 t821 -300000 300000-", "2 t821 -300000 300000-"]);
    assert_eq!(positions[6], "1 t821 300000-");
    assert_eq!((scan.all().len(), scan.end), (821, Next::End));
}

#[test]
fn a_single_price_that_does_not_fit_is_read_as_far_as_it_goes_and_the_rest_after_it() {
    let mut prices = vec![299_900; 1_000];
    prices.extend((0..2_000).map(|i| 50_000 + i * 700));
    let server = Server::of(prices);
    let scan = whole(&server);
    assert_eq!(scan.end, Next::Capped);
    let seen = scan.all();
    assert!(reachable(&server.prices).is_subset(&seen));
    assert!((820..1_000).contains(&seen.iter().filter(|id| **id < 1_000).count()));
    assert!(scan.cursors.last().unwrap().position.contains(" lost "), "{}", scan.cursors.last().unwrap().position);
}

#[test]
fn two_prices_side_by_side_are_parted() {
    let scan = whole(&Server::of([vec![250_000; 600], vec![250_001; 600]].concat()));
    assert_eq!((scan.all().len(), scan.end), (1_200, Next::End));
}

#[test]
fn homes_without_a_price_are_missed_and_the_total_shows_it() {
    let mut server = Server::of((0..1_500).map(|i| 100_000 + i * 500).collect());
    server.prices.extend([None; 7]);
    let scan = whole(&server);
    assert_eq!((scan.all().len(), scan.end), (1_500, Next::End), "fewer than the total of 1,507 that every page says");
}

#[test]
fn an_api_that_is_deaf_to_bounds_is_not_asked_again_and_again() {
    for (zillow56, rent) in [(false, false), (true, true)] {
        let prices = (0..3_000).map(|i| if rent { 500 + i * 3 } else { 20_000 + i * 700 }).rev().collect();
        let scan = whole(&Server { zillow56, rent, deaf: true, ..Server::of(prices) });
        assert_eq!((scan.all().len(), scan.end, scan.cursors.len()), (820, Next::Capped, 21));
        assert_eq!(scan.cursors[20].position, "20 t3000 lost");
    }
}

#[test]
fn houston_takes_some_hundred_pages() {
    // 12,665 homes with prices evenly distributed on a log scale, from 40,000 to 4 million.
    let prices = (0..12_665_u32).map(|i| (40_000.0 * 10_f64.powf(2.0 * f64::from(i) / 12_665.0)) as u64).collect();
    let scan = whole(&Server { zillow56: true, ..Server::of(prices) });
    assert_eq!((scan.all().len(), scan.end), (12_665, Next::End));
    assert_eq!(scan.cursors.len(), 347, "309 would hold them all");
}

#[test]
fn a_tampered_position_is_refused_and_asks_for_nothing_but_the_beginning() {
    let server = Server::of(vec![200_000; 5]);
    let source = server.source(&[("minPrice", "100000"), ("maxPrice", "900000")]);
    let begin = source.begin(None);
    for position in ["1 50000-900000", "1 -", "x", "", "1&maxPrice=9", "0", "1 100000-200000 300000-900000"] {
        let cursor = Cursor { position: position.into(), ..begin.clone() };
        assert_eq!(source.request(&cursor), source.request(&begin), "{position}");
        let body = server.answer(&source.request(&cursor).url);
        let error = source.read(&cursor, &SourceAnswer::of(body.as_bytes()), Time::from_ms(0)).unwrap_err();
        assert_eq!(error.to_string(), format!("the link to the next page is no position in this search: {position:?}"));
    }
}

fn prices() -> impl Strategy<Value = Vec<u64>> {
    let many = 0..3_500_usize;
    prop_oneof![
        prop::collection::vec(1..2_000_000_u64, many.clone()),
        (many.clone(), 1..5_000_000_u64).prop_map(|(n, price)| vec![price; n]),
        prop::collection::vec((0.0..8.6_f64).prop_map(|e| 10_f64.powf(e) as u64), many.clone()),
        prop::collection::vec((1..120_u64).prop_map(|i| i * 5_000 - 100), many.clone()),
        (many.clone(), many, 1..1_000_000_u64).prop_map(|(a, b, p)| [vec![p; a / 3], vec![p + 1; b / 3]].concat()),
        prop::collection::vec(1..500_000_000_u64, 0..100),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_home_is_seen_whatever_the_prices(
        prices in prices(),
        unpriced in 0..3_usize,
        (zillow56, rent) in any::<(bool, bool)>(),
        at in any::<prop::sample::Index>(),
    ) {
        let mut server = Server { zillow56, rent, ..Server::of(prices) };
        server.prices.extend(vec![None; unpriced]);
        let scanned = whole(&server);
        let (seen, reach) = (scanned.all(), reachable(&server.prices));
        prop_assert!(reach.is_subset(&seen));
        let priced = server.prices.len() - unpriced;
        let least = server.prices.len().div_ceil(ROWS);
        prop_assert!(scanned.cursors.len() <= 2 * least + 100, "{} pages where {least} would do", scanned.cursors.len());
        prop_assert_eq!(scanned.end == Next::End, reach.len() == priced, "capped, if and only if something was not shown");

        // A scan that continues from any cursor sees the rest.
        let from = at.index(scanned.cursors.len());
        let source = server.source(&[]);
        let resumed = scan(&server, &*source, scanned.cursors[from].clone());
        prop_assert_eq!(&resumed.cursors[..], &scanned.cursors[from..]);
        prop_assert_eq!(&resumed.seen[..], &scanned.seen[from..]);
        prop_assert_eq!(resumed.end, scanned.end);
    }

    #[test]
    fn it_does_not_matter_whether_the_api_counts_one_of_its_bounds_in(
        prices in prop::collection::vec(10_000..2_000_000_u64, 0..3_500),
        (above, below) in prop_oneof![Just((true, false)), Just((false, true))],
    ) {
        let n = prices.len();
        let scan = whole(&Server { above, below, ..Server::of(prices) });
        prop_assert_eq!((scan.all().len(), scan.end), (n, Next::End));
    }

    #[test]
    fn the_user_s_own_bounds_are_kept(
        prices in prop::collection::vec(1..1_000_000_u64, 1_000..3_500),
        (least, most) in (0..900_000_u64, 1..1_000_000_u64),
    ) {
        let (least, most) = (least.min(most), least.max(most));
        let server = Server::of(prices);
        let within = |price: Option<u64>| price.is_some_and(|price| (least..=most).contains(&price));
        let server = Server { prices: server.prices.into_iter().filter(|price| within(*price)).collect(), ..server };
        let source = server.source(&[("minPrice", &least.to_string()), ("maxPrice", &most.to_string())]);
        let scan = scan(&server, &*source, source.begin(None));
        prop_assert_eq!((scan.all().len(), &scan.end), (server.prices.len(), &Next::End));
        for cursor in &scan.cursors {
            let (from, to, _) = server.bounds(&source.request(cursor).url);
            prop_assert!(from >= Some(least) && to.is_some_and(|to| to <= most), "{}", cursor.position);
        }
    }
}
