//! Whole scans of realtor.com and RentCast against small simulated servers: checks the requests, and that every row is
//! read once.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_sources::{Method, Next, Page, Params, Request, Row, Source, SourceAnswer, build};

/// A server's response.
struct Reply {
    headers: Vec<(String, String)>,
    body: String,
}

/// The results of a scan.
#[derive(Default)]
struct ScanResult {
    ids: Vec<String>,
    requests: Vec<Request>,
    total: Option<u64>,
    end: Next,
}

impl ScanResult {
    fn distinct(&self) -> usize {
        self.ids.iter().collect::<BTreeSet<_>>().len()
    }
}

fn source(kind: &str, params: &[(&str, &str)]) -> Box<dyn Source> {
    let params = params.iter().chain(&[("key", "s3cret")]);
    let params: Params = params.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    build(kind, &params).unwrap()
}

/// Reads pages until the source reports the last one.
fn scan(source: &dyn Source, mut serve: impl FnMut(&Request) -> Reply) -> ScanResult {
    let mut seen = ScanResult::default();
    let mut cursor = source.begin(None);
    for _ in 0..1_000 {
        let request = source.request(&cursor);
        let reply = serve(&request);
        seen.requests.push(request);
        let answer = SourceAnswer { status: 200, headers: &reply.headers, body: reply.body.as_bytes() };
        let page: Page = source.read(&cursor, &answer, Time::from_ms(0)).unwrap();
        seen.total = seen.total.max(page.total);
        for row in page.rows {
            let Row::Found(found) = row else { panic!("{row:?}") };
            seen.ids.push(found.native_id);
        }
        match page.next {
            Next::Page(next) => cursor = next,
            end => {
                seen.end = end;
                return seen;
            }
        }
    }
    panic!("a scan without an end");
}

/// realtor.com's `home_search` with the rows from `offset`, at most `most`, and none after row 10,000.
fn home_search(homes: &[u32], offset: u64, limit: u64, most: usize) -> Reply {
    assert!(offset + limit <= 10_000, "{offset} and {limit} are out of the window");
    let here = homes.iter().skip(usize::try_from(offset).unwrap()).take(usize::try_from(limit).unwrap().min(most));
    let results: Vec<Value> =
        here.map(|id| json!({"property_id": id.to_string(), "status": "for_sale", "list_price": 1})).collect();
    let search = json!({"count": results.len(), "total": homes.len(), "results": results});
    Reply { headers: Vec::new(), body: json!({"data": {"home_search": search}}).to_string() }
}

fn posted(request: &Request) -> (u64, u64) {
    assert_eq!(request.method, Method::Post);
    let body: Value = serde_json::from_slice(request.body.as_deref().unwrap()).unwrap();
    (body["offset"].as_u64().unwrap(), body["limit"].as_u64().unwrap())
}

fn in_query(request: &Request, name: &str) -> Option<u64> {
    let (_, query) = request.url.split_once('?').unwrap();
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

#[test]
fn every_home_is_read_once_by_posts() {
    let homes: Vec<u32> = (0..450).collect();
    let realtor = source("realtor", &[("postal_code", "56501")]);
    let seen = scan(&*realtor, |request| {
        let (offset, limit) = posted(request);
        home_search(&homes, offset, limit, 200)
    });
    let asked: Vec<(u64, u64)> = seen.requests.iter().map(posted).collect();
    assert_eq!(asked, [(0, 200), (200, 200), (400, 200)]);
    assert_eq!((seen.ids.len(), seen.distinct(), seen.total, seen.end), (450, 450, Some(450), Next::End));
}

#[test]
fn a_server_that_grants_fewer_rows_than_asked_for_skips_none() {
    let homes: Vec<u32> = (0..230).collect();
    let realtor = source("realtor", &[("api", "us-real-estate"), ("state_code", "MN"), ("limit", "200")]);
    let seen = scan(&*realtor, |request| {
        home_search(&homes, in_query(request, "offset").unwrap(), in_query(request, "limit").unwrap(), 42)
    });
    assert_eq!((seen.requests.len(), seen.ids.len(), seen.distinct(), seen.end), (6, 230, 230, Next::End));
}

#[test]
fn a_large_state_is_read_to_the_window_s_edge_and_called_partial() {
    let homes: Vec<u32> = (0..12_345).collect();
    let realtor = source("realtor", &[("state_code", "MN"), ("limit", "150")]);
    let seen = scan(&*realtor, |request| {
        let (offset, limit) = posted(request);
        home_search(&homes, offset, limit, 200)
    });
    assert_eq!((seen.distinct(), seen.total, seen.end), (10_000, Some(12_345), Next::Capped));
}

#[test]
fn a_home_that_comes_on_the_market_meanwhile_hides_none() {
    let mut homes: Vec<u32> = (0..450).collect();
    let realtor = source("realtor", &[("postal_code", "56501")]);
    let seen = scan(&*realtor, |request| {
        let (offset, limit) = posted(request);
        homes.insert(0, 1_000 + u32::try_from(offset).unwrap());
        home_search(&homes, offset, limit, 200)
    });
    assert!((0..450).all(|id: u32| seen.ids.contains(&id.to_string())), "newest first: what was there moves on");
    assert!(seen.total > Some(seen.distinct() as u64), "and what came is for the next scan: nothing is called gone");
}

#[test]
fn a_home_that_leaves_meanwhile_leaves_the_count_short() {
    let mut homes: Vec<u32> = (0..450).collect();
    let realtor = source("realtor", &[("postal_code", "56501")]);
    let seen = scan(&*realtor, |request| {
        let (offset, limit) = posted(request);
        if offset == 200 {
            homes.remove(0);
        }
        home_search(&homes, offset, limit, 200)
    });
    assert!(!seen.ids.contains(&"200".to_owned()), "it moved to a page that was read");
    assert_eq!((seen.distinct(), seen.total), (449, Some(450)), "so that it is not taken for gone");
}

/// RentCast's bare array, with the total in a header if requested.
fn rentcast(homes: &[u32], request: &Request) -> Reply {
    assert_eq!(request.method, Method::Get);
    let (offset, limit) = (in_query(request, "offset").unwrap(), in_query(request, "limit").unwrap());
    assert!(offset.is_multiple_of(limit) && limit <= 500);
    let mut headers = vec![("x-limit".to_owned(), limit.to_string()), ("x-offset".to_owned(), offset.to_string())];
    if request.url.contains("includeTotalCount=true") {
        headers.push(("x-total-count".to_owned(), homes.len().to_string()));
    }
    let here = homes.iter().skip(usize::try_from(offset).unwrap()).take(usize::try_from(limit).unwrap());
    let rows: Vec<Value> = here.map(|id| json!({"id": format!("{id}-Elm-St"), "status": "Active"})).collect();
    Reply { headers, body: Value::from(rows).to_string() }
}

#[test]
fn rentcast_is_read_in_as_few_requests_as_there_are_pages() {
    let rentals = source("rentcast", &[("purpose", "rent"), ("zipCode", "10023")]);
    for (count, requests) in [(0, 1), (499, 1), (500, 2), (560, 2), (1_001, 3)] {
        let homes: Vec<u32> = (0..count).collect();
        let seen = scan(&*rentals, |request| rentcast(&homes, request));
        assert_eq!((seen.requests.len(), seen.distinct()), (requests, homes.len()), "{count} homes");
        assert_eq!((seen.total, seen.end), (Some(u64::from(count)), Next::End), "{count} homes");
        let counted = seen.requests.iter().filter(|request| request.url.contains("includeTotalCount")).count();
        assert_eq!(counted, 1, "the count is slow");
    }
}

#[test]
fn a_rentcast_listing_that_leaves_meanwhile_leaves_the_count_short() {
    let mut homes: Vec<u32> = (0..560).collect();
    let sales = source("rentcast", &[("zipCode", "10023")]);
    let seen = scan(&*sales, |request| {
        let reply = rentcast(&homes, request);
        homes.remove(0);
        reply
    });
    assert_eq!((seen.distinct(), seen.total), (559, Some(560)));
}
