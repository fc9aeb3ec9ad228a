//! Requests of the vendors' dialects, and how their scans continue.

mod replication;

use std::collections::BTreeSet;

use stoop_domain::Status;

use super::*;
use crate::limit::Limit;
use crate::port::Params;

const NOW: &str = "2026-01-14T12:00:00Z";
const BASE: &str = "https://mls.example.com/odata";
const ACTRIS: (&str, &str) = ("filter", "OriginatingSystemName eq 'actris'");

fn build(more: &[(&str, &str)]) -> Result<Reso, String> {
    let mut params = Params::from([("url".to_owned(), BASE.to_owned())]);
    params.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Reso::from_params(&params).map_err(|error| error.to_string())
}

/// A source of this dialect with a token.
fn source(dialect: &str, more: &[(&str, &str)]) -> Reso {
    build(&[&[("dialect", dialect), ("token", "s3cret")], more].concat()).unwrap()
}

fn mistake(dialect: &str, more: &[(&str, &str)]) -> String {
    build(&[&[("dialect", dialect), ("token", "s3cret")], more].concat()).err().unwrap_or_default()
}

/// The query of the first page, decoded.
fn asked(source: &Reso, since: Option<&str>) -> String {
    plain(&source.request(&source.begin(since)).url)
}

fn plain(url: &str) -> String {
    let signs = [("%20", " "), ("%27", "'"), ("%3A", ":"), ("%28", "("), ("%29", ")")];
    signs.iter().fold(url.replace(BASE, ""), |url, (code, sign)| url.replace(code, sign))
}

/// A page of rows (key, second of the day), with `more` members next to `value`.
fn body(rows: &[(&str, u32)], more: &str) -> String {
    let row = |(key, second): &(&str, u32)| {
        let at = format!("2026-01-13T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60);
        format!(
            r#"{{"ListingKey": "{key}", "PropertyType": "Land", "StandardStatus": "Active",
            "ModificationTimestamp": "{at}", "BridgeModificationTimestamp": "{at}"}}"#
        )
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    format!(r#"{{"value": [{}]{more}}}"#, rows.join(","))
}

fn read_at(source: &Reso, cursor: &Cursor, body: &str, now: &str) -> Result<Page, ReadError> {
    source.read(cursor, &SourceAnswer::of(body.as_bytes()), Time::parse(now).unwrap())
}

fn read(source: &Reso, cursor: &Cursor, body: &str) -> Page {
    read_at(source, cursor, body, NOW).unwrap()
}

fn onward(page: &Page) -> Cursor {
    let Next::Page(cursor) = &page.next else { panic!("{:?}", page.next) };
    cursor.clone()
}

fn link(to: &str) -> String {
    format!(r#", "@odata.nextLink": "{to}""#)
}

const SINCE: &str = "2026-01-13T10:00:00.000Z";

#[test]
fn each_dialect_asks_in_its_own_words() {
    assert_eq!(
        asked(&source("trestle", &[("expand", "Media($select=MediaURL,Order)")]), None),
        "/Property?$expand=Media($select=MediaURL,Order)&$orderby=ModificationTimestamp&$top=200&$count=true"
    );
    assert_eq!(
        asked(&source("bridge", &[("filter", "City eq 'Austin'")]), Some(SINCE)),
        "/Property?$filter=BridgeModificationTimestamp ge 2026-01-13T09:55:00Z and (City eq 'Austin')\
         &$orderby=BridgeModificationTimestamp&$top=200&$count=true"
    );
    assert_eq!(
        asked(&source("bridge", &[("replication", "true")]), None),
        "/Property/replication?$top=500&$count=true"
    );
    assert_eq!(asked(&source("spark", &[]), None), "/Property?$top=1000&$count=true");
    assert_eq!(
        asked(&source("spark", &[]), Some(SINCE)),
        "/Property?$filter=ModificationTimestamp ge 2026-01-13T09:40:00Z&$top=1000&$count=true"
    );
    let trestle = source("trestle", &[("replication", "true")]);
    assert_eq!(asked(&trestle, None), "/Property?$orderby=ListingKey&$top=1000&replication=true&$count=true");
    assert!(!asked(&trestle, Some(SINCE)).contains("replication"));
    assert!(!asked(&source("trestle", &[("count", "false")]), None).contains("$count"));
}

#[test]
fn mls_grid_is_asked_for_one_system_and_reported_withdrawals_only_after_the_first_scan() {
    let source = source("mlsgrid", &[ACTRIS]);
    assert_eq!(
        asked(&source, None),
        "/Property?$filter=OriginatingSystemName eq 'actris' and MlgCanView eq true&$top=1000&$count=true"
    );
    assert_eq!(
        asked(&source, Some(SINCE)),
        "/Property?$filter=OriginatingSystemName eq 'actris' and ModificationTimestamp ge 2026-01-13T09:55:00Z\
         &$top=1000&$count=true"
    );
}

#[test]
fn a_withdrawn_row_of_mls_grid_is_deleted_whatever_its_status() {
    let body = r#"{"value": [{"ListingKey": "ACT1", "PropertyType": "Residential", "StandardStatus": "Active",
        "ModificationTimestamp": "2026-01-13T11:00:00Z", "MlgCanView": false}]}"#;
    let source = source("mlsgrid", &[ACTRIS]);
    let page = read(&source, &source.begin(Some(SINCE)), body);
    let Row::Found(found) = &page.rows[0] else { panic!("{page:?}") };
    assert_eq!((found.native_id.as_str(), found.listing.status), ("ACT1", Status::Delete));
}

#[test]
fn a_row_of_mls_grid_is_shown_only_for_the_declared_use() {
    let display = |more: &str| {
        let body = format!(
            r#"{{"value": [{{"ListingKey": "ACT1", "PropertyType": "Residential", "StandardStatus": "Active",
            "ModificationTimestamp": "2026-01-13T11:00:00Z", "MlgCanView": true{more}}}]}}"#
        );
        let source = source("mlsgrid", &[ACTRIS, ("use", "IDX")]);
        let page = read(&source, &source.begin(Some(SINCE)), &body);
        let Row::Found(found) = &page.rows[0] else { panic!("{page:?}") };
        found.listing.display
    };
    assert_eq!(display(r#", "MlgCanUse": ["IDX", "BO"]"#), Some(true));
    assert_eq!(display(r#", "MlgCanUse": ["BO", "PT"]"#), Some(false));
    assert_eq!(display(r#", "MlgCanUse": ["IDX"], "InternetEntireListingDisplayYN": false"#), Some(false));
    assert_eq!(display(""), Some(false), "a row that names no use may not be used");
    assert!(mistake("mlsgrid", &[ACTRIS, ("use", "fun")]).contains("IDX, VOW, BO, PT"));
    assert!(mistake("bridge", &[("use", "IDX")]).contains("only MLS Grid"));
    let select = ("select", "ListingKey,ModificationTimestamp,PropertyType,StandardStatus,MlgCanView");
    assert!(mistake("mlsgrid", &[ACTRIS, select, ("use", "IDX")]).contains("names MlgCanUse too"));
}

#[test]
fn mls_grid_s_demands_are_mistakes_of_the_configuration() {
    assert!(mistake("mlsgrid", &[]).contains("one OriginatingSystemName eq '...'"));
    assert!(mistake("mlsgrid", &[("filter", "City eq 'Austin'")]).contains("one OriginatingSystemName eq '...'"));
    assert!(mistake("mlsgrid", &[ACTRIS, ("top", "6000")]).contains("a whole number from 1 to 5000"));
    assert!(mistake("mlsgrid", &[ACTRIS, ("top", "2000"), ("expand", "Media")]).contains("from 1 to 1000"));
    assert!(mistake("mlsgrid", &[ACTRIS, ("expand", "OpenHouse")]).contains("Media, Rooms and UnitTypes"));
    let select = ("select", "ListingKey,ModificationTimestamp,PropertyType,StandardStatus");
    assert!(mistake("mlsgrid", &[ACTRIS, select]).contains("names MlgCanView too"));
    assert_eq!(mistake("mlsgrid", &[ACTRIS, ("top", "5000")]), "");
}

#[test]
fn pages_are_as_large_as_each_dialect_allows() {
    for (dialect, more, max) in [
        ("trestle", &[][..], 1_000),
        ("bridge", &[], 200),
        ("bridge", &[("replication", "true")], 2_000),
        ("spark", &[], 1_000),
        ("spark", &[("url", "https://sparkapi.com/Reso/OData")], 25),
    ] {
        let with = |top: u32| mistake(dialect, &[more, &[("top", &top.to_string())]].concat());
        assert_eq!(with(max), "", "{dialect}");
        assert!(with(max + 1).ends_with(&format!("from 1 to {max}")), "{dialect}");
    }
    assert!(asked(&source("spark", &[("url", "https://sparkapi.com/Reso/OData")]), None).contains("$top=25&"));
    let small = source("bridge", &[("top", "10")]);
    assert_eq!(small.crawl_policy().pages_max, 100_000, "small pages are many");
    assert_eq!(source("trestle", &[]).crawl_policy().pages_max, 5_000);
    assert_eq!(source("trestle", &[("pages", "20")]).crawl_policy().pages_max, 20);
}

#[test]
fn the_limits_are_those_that_the_vendors_name() {
    let message = |dialect: &str, more| -> Vec<String> {
        source(dialect, more).crawl_policy().limits.iter().map(Limit::to_string).collect()
    };
    assert_eq!(message("plain", &[]), ["1 request in 0.5 s"]);
    assert_eq!(message("trestle", &[]), ["180 requests a minute", "7200 requests an hour"]);
    assert_eq!(
        message("mlsgrid", &[ACTRIS]),
        ["2 requests a second", "7200 requests an hour", "40000 requests a day", "4 GB an hour"]
    );
    assert_eq!(message("bridge", &[]), ["333 requests a minute", "5000 requests an hour"]);
    assert_eq!(message("spark", &[]), ["1 request in 0.5 s"]);
}

#[test]
fn replication_is_of_trestle_and_bridge_and_bridge_s_selection_names_what_it_needs() {
    for dialect in ["plain", "spark"] {
        assert!(mistake(dialect, &[("replication", "true")]).contains("for trestle and bridge alone"), "{dialect}");
    }
    let select = ("select", "ListingKey,ModificationTimestamp,PropertyType,StandardStatus");
    let message = mistake("bridge", &[select, ("expand", "ListOffice")]);
    assert!(message.contains("names BridgeModificationTimestamp too"), "{message}");
    assert!(message.contains("names ListOffice too"), "{message}");
    assert!(mistake("odata", &[]).contains("plain or trestle or mlsgrid or bridge or spark"));
}

#[test]
fn a_client_gets_its_token_where_it_says_and_requests_are_granted_at_home_alone() {
    let client = [("dialect", "trestle"), ("client_id", "stoop"), ("client_secret", "s3cret")];
    let source = build(&client).unwrap();
    let grant = source.grant().unwrap();
    assert_eq!(grant.url, "https://mls.example.com/oidc/connect/token");
    let sent = String::from_utf8(grant.body.unwrap()).unwrap();
    assert_eq!(sent, "grant_type=client_credentials&client_id=stoop&client_secret=s3cret&scope=api");
    let mut cursor = source.begin(None);
    let request = source.request(&cursor);
    assert!(request.granted && request.headers.iter().all(|(name, _)| name != "Authorization"));
    cursor.position = "https://evil.example/odata/Property".into();
    assert!(!source.request(&cursor).granted);
    assert!(!format!("{source:?}").contains("s3cret"));

    let more = [("dialect", "spark"), ("token_url", "https://id.example/token"), ("scope", "read")];
    let source = build(&[&client[1..], &more].concat()).unwrap();
    assert_eq!(source.grant().unwrap().url, "https://id.example/token");
    assert!(String::from_utf8(source.grant().unwrap().body.unwrap()).unwrap().ends_with("&scope=read"));
}

#[test]
fn exactly_one_way_in_is_configured_and_no_secret_is_reported() {
    let message = |more: &[(&str, &str)]| build(more).err().unwrap_or_default();
    let (id, secret, token) = (("client_id", "stoop"), ("client_secret", "s3cret"), ("token", "t0ken"));
    let trestle = ("dialect", "trestle");
    assert!(message(&[trestle]).contains("a bearer token, or client_id and client_secret"));
    assert!(message(&[trestle, token, id, secret]).contains("not both"));
    assert!(message(&[trestle, id]).contains("client_id and client_secret together"));
    assert!(message(&[trestle, secret]).contains("client_id and client_secret together"));
    assert!(message(&[id, secret]).contains("token_url = \"\": accepted is the address"));
    assert!(message(&[token, ("scope", "api")]).contains("nothing without client_id"));
    assert!(message(&[trestle, token, ("token_url", "https://id.example")]).contains("nothing without client_id"));
    let all = message(&[trestle, token, secret, ("token_url", "ftp://x"), ("top", "0")]);
    assert!(!all.contains("s3cret") && !all.contains("t0ken"), "{all}");
    assert_eq!(message(&[]), "", "the standard alone may stand open");
}

#[test]
fn a_link_that_counts_rows_gives_way_to_the_last_row_s_time() {
    let source = source("trestle", &[("filter", "City eq 'Austin' or City eq 'Waco'")]);
    let skip = link("https://mls.example.com/odata/Property?$filter=City+eq+'Austin'&$skip=3");
    let first = source.begin(Some(SINCE));
    let page = read(&source, &first, &body(&[("A", 36_000), ("B", 36_001), ("C", 36_002)], &skip));
    let next = onward(&page);
    assert_eq!(
        plain(&next.position),
        "/Property?$filter=ModificationTimestamp ge 2026-01-13T10:00:02Z and (City eq 'Austin' or City eq 'Waco')\
         &$orderby=ModificationTimestamp&$top=1000"
    );
    assert_eq!((next.since.as_deref(), next.pages_before), (Some(SINCE), 1));
    assert_eq!(page.watermark.as_deref(), Some("2026-01-13T10:00:02.000Z"));
}

#[test]
fn a_page_all_of_one_time_follows_the_link_that_counts() {
    let source = source("trestle", &[]);
    let to = "https://mls.example.com/odata/Property?$orderby=ModificationTimestamp&$skip=2";
    let page = read(&source, &source.begin(None), &body(&[("A", 5), ("B", 5)], &link(to)));
    assert_eq!(onward(&page).position, to);
    let token = "https://mls.example.com/odata/Property?$skiptoken=A+B";
    let page = read(&source, &source.begin(None), &body(&[("A", 5), ("B", 6)], &link(token)));
    assert_eq!(onward(&page).position, token, "a token is followed letter by letter");
}

#[test]
fn a_full_scan_of_mls_grid_goes_on_by_time_among_what_can_be_viewed() {
    let source = source("mlsgrid", &[ACTRIS]);
    let skip = link("https://mls.example.com/odata/Property?$skip=1000");
    let page = read(&source, &source.begin(None), &body(&[("A", 5), ("B", 6)], &skip));
    assert_eq!(
        plain(&onward(&page).position),
        "/Property?$filter=OriginatingSystemName eq 'actris' and MlgCanView eq true and \
         ModificationTimestamp ge 2026-01-13T00:00:06Z&$top=1000"
    );
}

/// The server's links use `$skip`, and rows change between any two pages.
#[test]
fn three_hundred_thousand_rows_after_an_outage_are_read_to_the_last_while_others_change() {
    let source = source("trestle", &[("top", "1000")]);
    // Seconds of each row's last change: three rows share a second.
    let mut changed: Vec<u32> = (0..300_000).map(|row| row / 3).collect();
    let mut order: BTreeSet<(u32, usize)> = changed.iter().copied().zip(0..).collect();
    let mut latest = 100_000;
    let mut seen = vec![false; changed.len()];
    let (mut cursor, mut pages) = (source.begin(Some("2026-01-01T00:00:00Z")), 0);
    let start = Time::parse("2026-01-01T00:00:00Z").unwrap();
    loop {
        pages += 1;
        assert!(pages < 500, "the scan does not end");
        let url = plain(&source.request(&cursor).url);
        assert!(!url.contains("$skip"), "{url}");
        let from = url.split(" ge ").nth(1).unwrap().split('&').next().unwrap();
        let from = (Time::parse(from).unwrap().ms() - start.ms()).div_euclid(1_000).max(0);
        let from = (u32::try_from(from).unwrap(), 0);
        let rows: Vec<usize> = order.range(from..).map(|(_, row)| *row).take(1_001).collect();
        let more = rows.len() > 1_000;
        let shown = |row: &usize| {
            seen[*row] = true;
            let at = start.plus_ms(i64::from(changed[*row]) * 1_000);
            format!(r#"{{"ListingKey": "{row}", "ModificationTimestamp": "{at}"}}"#)
        };
        let shown: Vec<String> = rows.iter().take(1_000).map(shown).collect();
        let skip = if more { link("https://mls.example.com/odata/Property?$skip=1000") } else { String::new() };
        let page = read(&source, &cursor, &format!(r#"{{"value": [{}]{skip}}}"#, shown.join(",")));
        // Both read and unread rows move to the end.
        for row in [pages, pages * 613, 299_999 - pages] {
            latest += 1;
            order.remove(&(changed[row], row));
            changed[row] = latest;
            order.insert((latest, row));
        }
        match page.next {
            Next::Page(next) => cursor = next,
            _ => break,
        }
    }
    assert!(seen.iter().all(|seen| *seen));
}

#[test]
fn an_order_of_the_server_s_own_proves_no_time_after_the_scan_began() {
    let source = source("spark", &[]);
    let to = link("https://mls.example.com/odata/Property?$skiptoken=B");
    // Row B changed during the scan, after A had been read.
    let page = read_at(&source, &source.begin(None), &body(&[("A", 60)], &to), "2026-01-13T10:00:00Z").unwrap();
    assert_eq!(page.watermark.as_deref(), Some("2026-01-13T00:01:00.000Z"));
    let next = onward(&page);
    assert_eq!(source.request(&next).url, "https://mls.example.com/odata/Property?$skiptoken=B");
    let page = read_at(&source, &next, &body(&[("B", 36_100)], ""), "2026-01-13T10:05:00Z").unwrap();
    assert_eq!((page.watermark.as_deref(), &page.next), (Some("2026-01-13T10:00:00.000Z"), &Next::End));
    let page = read_at(&source, &next, &body(&[("B", 30)], ""), "2026-01-13T10:05:00Z").unwrap();
    assert_eq!(page.watermark.as_deref(), Some("2026-01-13T00:01:00.000Z"), "the latest of all pages");
}

#[test]
fn a_scan_begins_by_the_earlier_of_two_clocks() {
    let source = source("spark", &[]);
    let headers = [("date".to_owned(), "Tue, 13 Jan 2026 09:00:00 GMT".to_owned())];
    let body = body(&[("A", 35_000)], "");
    let answer = SourceAnswer { status: 200, headers: &headers, body: body.as_bytes() };
    let page = source.read(&source.begin(None), &answer, Time::parse("2026-01-13T10:00:00Z").unwrap()).unwrap();
    assert_eq!(page.watermark.as_deref(), Some("2026-01-13T09:00:00.000Z"));
}

#[test]
fn a_server_that_will_not_count_is_asked_again_without() {
    let source = source("plain", &[]);
    let refused = |cursor: &Cursor, status: u16, body: &str| {
        let answer = SourceAnswer { status, headers: &[], body: body.as_bytes() };
        source.read(cursor, &answer, Time::parse(NOW).unwrap())
    };
    assert!(source.reads(400) && source.reads(501) && !source.reads(404) && !source.reads(401));
    let first = source.begin(Some(SINCE));
    let why = r#"{"error": {"message": "Query option '$count' is not allowed"}}"#;
    let page = refused(&first, 400, why).unwrap();
    assert!(page.rows.is_empty() && page.watermark.is_none() && page.total.is_none());
    let next = onward(&page);
    assert_eq!(format!("{}&$count=true", next.position), first.position);
    assert_eq!(next.since, first.since);
    let message = refused(&next, 400, why).unwrap_err().to_string();
    assert!(message.ends_with("status 400: the message \"Query option '$count' is not allowed\""), "{message}");
    let message = refused(&first, 400, r#"{"error": {"message": "Account has no discount"}}"#).unwrap_err().to_string();
    assert!(message.ends_with("got status 400: the message \"Account has no discount\""), "{message}");
    for (body, end) in [("", "status 400: unreadable answer: it is empty"), ("<p>", "an HTML page without a title")] {
        let message = refused(&first, 400, body).unwrap_err().to_string();
        assert!(message.ends_with(end), "{message}");
    }
}

#[test]
fn a_checkpoint_s_memory_does_not_carry_the_token_away() {
    let source = source("spark", &[]);
    let cursor = Cursor { position: "https://evil.example/P#stoop:{\"rows\":1}".into(), ..source.begin(None) };
    let request = source.request(&cursor);
    assert_eq!(request.url, "https://evil.example/P");
    assert!(request.headers.iter().all(|(name, _)| name != "Authorization"));
}

#[test]
fn mls_grid_s_media_links_are_no_pictures() {
    let body = r#"{"value": [{"ListingKey": "A", "PropertyType": "Land", "StandardStatus": "Active",
        "Media": [{"Order": 1, "MediaURL": "https://media.example/token=1/a.jpg"}]}]}"#;
    for (dialect, more, images) in [("mlsgrid", &[ACTRIS][..], 0), ("trestle", &[], 1), ("plain", &[], 1)] {
        let source = source(dialect, more);
        let page = read(&source, &source.begin(None), body);
        let Row::Found(found) = &page.rows[0] else { panic!("{page:?}") };
        assert_eq!(found.listing.details.images.len(), images, "{dialect}");
    }
}
