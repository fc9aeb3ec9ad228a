//! Declared APIs: their requests, and the answers that they read.

use crate::http_maps::{map, read};
use stoop_domain::{Reason, Time};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Coverage, Cursor, Method, Next, Params, ReadError, Row, Source, SourceAnswer};

fn source(http: &str, rows: Option<&str>) -> HttpSource {
    HttpSource::new(&map(http, rows), &Params::new()).unwrap()
}

/// The URLs that a scan requests when it gets these answers in order.
fn scan(source: &HttpSource, answers: &[&str]) -> (Vec<String>, Next) {
    let mut cursor = source.begin(None);
    let mut asked = Vec::new();
    for answer in answers {
        asked.push(source.request(&cursor).url);
        match read(source, &cursor, answer).unwrap().next {
            Next::Page(next) => cursor = next,
            end => return (asked, end),
        }
    }
    asked.push(source.request(&cursor).url);
    (asked, Next::Page(cursor))
}

#[test]
fn the_example_map_pages_through_its_api() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../maps/example-http.toml")).unwrap();
    let map = Map::parse(&text, "example-http.toml").unwrap();
    let params = Params::from([("city".into(), "Bad Aussee&x".into()), ("key".into(), "k/1".into())]);
    let source = HttpSource::new(&map, &params).unwrap();
    assert_eq!(source.name(), "example");
    assert_eq!(source.crawl_policy().coverage, Coverage::Snapshot);
    let first = source.request(&source.begin(None));
    assert_eq!(first.method, Method::Get);
    assert_eq!(first.url, "https://api.example.com/v1/listings?city=Bad%20Aussee%26x&per_page=100&page=1");
    assert_eq!(first.headers, [("Authorization".to_owned(), "Bearer k/1".to_owned())]);
    let body = r#"{"data": {"total": 3, "listings": [
        {"id": 1, "kind": "flat", "state": "on_market", "price": {"amount": 250000, "currency": "EUR"}, "area": 58.5,
         "published": "2026-01-13T10:00:00", "geo": [47.07, 15.43], "photos": ["a"], "address": {"zip": "8010"}},
        {"id": 2, "kind": "garage", "state": "on_market"},
        {"id": 3, "kind": "house", "state": "demolished"}]}}"#;
    let page = read(&source, &source.begin(None), body).unwrap();
    assert_eq!((page.total, &page.next), (Some(3), &Next::End));
    let [Row::Found(found), Row::Refused { reason, detail, raw, .. }] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!((&*found.native_id, found.at), ("1", None));
    assert_eq!(found.listing.list_price.unwrap().0, 25_000_000);
    assert_eq!(found.listing.listed_at.unwrap().to_string(), "2026-01-13T09:00:00Z");
    assert_eq!((*reason, raw.contains("demolished")), (Reason::BadValue, true));
    assert!(detail.contains("status: \"demolished\" is not in the lookup"), "{detail}");
}

#[test]
fn parameters_are_asked_for_all_at_once() {
    let map = map("[http]\nurl = \"https://a.example/{town}?k={key}\"\n", None);
    let errors = HttpSource::new(&map, &Params::from([("tonw".into(), "x".into())])).unwrap_err();
    assert_eq!(
        errors.0,
        [
            "parameter \"key\" is missing",
            "parameter \"town\" is missing",
            "there is no parameter \"tonw\"; accepted: key, town"
        ]
    );
    let no_http =
        Map::parse("name = \"t\"\npurpose = \"sale\"\n[fields]\nnative_id = { from = \"id\" }\n", "t").unwrap();
    assert!(HttpSource::new(&no_http, &Params::new()).unwrap_err().to_string().contains("no [http]"));
}

#[test]
fn a_post_carries_its_body() {
    let toml = "[http]\nurl = \"https://a.example/s\"\nmethod = \"POST\"\nbody = '{\"city\": \"{city}\", \"n\": {}}'\n";
    let source = HttpSource::new(&map(toml, None), &Params::from([("city".into(), "a\"b".into())])).unwrap();
    let request = source.request(&source.begin(None));
    assert_eq!(request.method, Method::Post);
    assert_eq!(String::from_utf8(request.body.unwrap()).unwrap(), r#"{"city": "a\"b", "n": {}}"#);
}

#[test]
fn pages_are_counted_until_a_short_one_or_the_total() {
    let pages = "[http]\nurl = \"https://a.example/s\"\n[http.pages]\nby = \"page\"\nsize = 2\ntotal = \"/n\"\n";
    let source = source(pages, Some("/r"));
    let (asked, end) = scan(&source, &[r#"{"r": [{"id":1},{"id":2}]}"#, r#"{"r": [{"id":3}]}"#]);
    assert_eq!((asked.join(" "), end), ("https://a.example/s?page=1 https://a.example/s?page=2".into(), Next::End));
    let (asked, end) = scan(&source, &[r#"{"n": 2, "r": [{"id":1},{"id":2}]}"#]);
    assert_eq!((asked.len(), end), (1, Next::End));
}

#[test]
fn offsets_grow_by_what_was_read() {
    let source = source("[http]\nurl = \"https://a.example/s?q=1\"\n[http.pages]\nby = \"offset\"\nsize = 2\n", None);
    let (asked, end) = scan(&source, &[r#"[{"id":1},{"id":2}]"#, "[]"]);
    assert_eq!(asked, ["https://a.example/s?q=1&offset=0", "https://a.example/s?q=1&offset=2"]);
    assert_eq!(end, Next::End);
}

#[test]
fn cursors_and_links_are_followed_where_they_lead() {
    let cursors = source(
        "[http]\nurl = \"https://a.example/s\"\n[http.pages]\nby = \"cursor\"\nparam = \"after\"\nnext = \"/next\"\n",
        Some("/r"),
    );
    let (asked, end) = scan(&cursors, &[r#"{"r": [], "next": "a b"}"#, r#"{"r": [], "next": null}"#]);
    assert_eq!((asked.join(" "), end), ("https://a.example/s https://a.example/s?after=a%20b".into(), Next::End));

    let links = source(
        "[http]\nurl = \"https://a.example/s\"\n[http.pages]\nby = \"next-link\"\nnext = \"/l/next\"\n",
        Some("/r"),
    );
    let (asked, _) = scan(
        &links,
        &[r#"{"r": [], "l": {"next": "/s?p=2&$x"}}"#, r#"{"r": [], "l": {"next": "https://a.example/s?p=3"}}"#],
    );
    assert_eq!(asked[1..], ["https://a.example/s?p=2&$x", "https://a.example/s?p=3"]);
    for away in ["https://evil.example/s", "//evil.example/s", "http://a.example/s?p=2", "https://a.example"] {
        let answer = format!(r#"{{"r": [], "l": {{"next": "{away}"}}}}"#);
        let read = read(&links, &links.begin(None), &answer);
        assert!(away == "https://a.example" || matches!(read, Err(ReadError::BadLink(_))), "{away}: {read:?}");
    }
    let back = read(&links, &links.begin(None), r#"{"r": [], "l": {"next": "?"}}"#);
    assert!(back.is_ok(), "another address: {back:?}");
    let back = read(&links, &links.begin(None), r#"{"r": [], "l": {"next": "https://a.example/s"}}"#);
    assert!(matches!(back, Err(ReadError::BadLink(_))), "{back:?}");
}

#[test]
fn a_search_that_never_ends_is_capped() {
    let source = source("[http]\nurl = \"https://a.example/s\"\npages_max = 3\n[http.pages]\nby = \"page\"\n", None);
    let (asked, end) = scan(&source, &[r#"[{"id":1}]"#; 10]);
    assert_eq!((asked.len(), end), (3, Next::Capped));
}

#[test]
fn an_answer_of_another_kind_is_not_ours() {
    let source = source("[http]\nurl = \"https://a.example/s\"\n", Some("/r"));
    let cursor = source.begin(None);
    for body in ["<!doctype html><title>Login</title>", "", r#"{"error": "quota"}"#, r#"{"r": {}}"#, "[]"] {
        assert!(matches!(read(&source, &cursor, body), Err(ReadError::NotOurs { .. })), "{body}");
    }
    for body in [r#"{"r": [1"#, r#"{"r": [1,]}"#] {
        assert!(matches!(read(&source, &cursor, body), Err(ReadError::Unreadable(_))), "{body}");
    }
}

fn params(pairs: &[(&str, &str)]) -> Params {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn limits_supplement_or_replace_the_pause() {
    let limits = |http: &str| {
        let limits = source(&format!("[http]\nurl = \"https://a.example\"\n{http}"), None).crawl_policy().limits;
        limits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(limits(""), "1 request a second");
    assert_eq!(limits("pause_ms = 500\n"), "1 request in 0.5 s");
    assert_eq!(
        limits("limits = [\"2/s\", \"7_200/h\", \"4GB/h\"]\n"),
        "2 requests a second, 7200 requests an hour, 4 GB an hour"
    );
    assert_eq!(limits("limits = \"50/mo\"\npause_ms = 2000\n"), "50 requests in 31 days, 1 request in 2 s");
    assert_eq!(limits("pause_ms = 0\n"), "");
}

#[test]
fn a_status_may_mean_that_there_are_no_rows() {
    let source = source("[http]\nurl = \"https://a.example\"\nempty_status = [404, 204]\n", None);
    assert_eq!([200, 204, 404, 400, 500].map(|status| source.reads(status)), [true, true, true, false, false]);
    let answer = SourceAnswer { status: 404, headers: &[], body: b"<html>no such listings" };
    let page = source.read(&source.begin(None), &answer, Time::from_ms(0)).unwrap();
    assert_eq!((page.rows.len(), page.next, page.total), (0, Next::End, None));
}

const WATERMARK: &str =
    "[http]\nurl = \"https://a.example/s\"\n[http.watermark]\nfrom = \"/m/at\"\nparam = \"since\"\n";

#[test]
fn the_next_scan_asks_for_what_came_after_the_last() {
    let source = source(WATERMARK, Some("/r"));
    assert_eq!(source.request(&source.begin(None)).url, "https://a.example/s");
    let now = Time::parse("2026-01-14T12:00:00Z").unwrap();
    let watermark = |cursor: &Cursor, rows: &str| {
        let body = format!(r#"{{"r": [{rows}]}}"#);
        source.read(cursor, &SourceAnswer::of(body.as_bytes()), now).unwrap().watermark
    };
    let begin = source.begin(None);
    // The latest of all rows, including refused ones, but without invalid times and times ahead of the clock.
    let rows = r#"{"id": 1, "m": {"at": "2026-01-13T10:00:00.5Z"}}, {"p": 1, "m": {"at": "2026-01-13T11:00:00+01:00"}}, {"id": 2},
        {"id": 3, "m": {"at": "soon"}}, {"id": 4, "m": {"at": "2026-01-15"}}, 7"#;
    assert_eq!(watermark(&begin, rows).as_deref(), Some("2026-01-13T10:00:00.500Z"));
    assert_eq!(watermark(&begin, r#"{"id": 1}"#), None);
    // If the server's clock is slightly ahead, our time.
    let ahead = r#"{"id": 1, "m": {"at": "2026-01-14T12:10:00Z"}}"#;
    assert_eq!(watermark(&begin, ahead).as_deref(), Some("2026-01-14T12:00:00.000Z"));
    // Five minutes earlier, in whole seconds.
    let later = source.begin(Some("2026-01-13T10:00:00.500Z"));
    assert_eq!(source.request(&later).url, "https://a.example/s?since=2026-01-13T09%3A55%3A00Z");
    assert_eq!(
        watermark(&later, r#"{"id": 1, "m": {"at": "2026-01-01"}}"#).as_deref(),
        Some("2026-01-13T10:00:00.500Z")
    );
    assert_eq!(watermark(&later, r#"{"id": 1}"#), None);
    // A watermark that no scan can have stored starts a full scan, which has no `since`.
    assert_eq!(source.begin(Some("yesterday")), source.begin(None));
    let none = self::source("[http]\nurl = \"https://a.example/s\"\n", None);
    assert_eq!(none.begin(Some("2026-01-13T10:00:00.500Z")), none.begin(None));
}

#[test]
fn a_watermark_is_sent_as_the_api_wants_it() {
    let asked = |http: &str, since: Option<&str>| {
        let source = source(http, None);
        let request = source.request(&source.begin(since));
        request.body.map_or(request.url, |body| String::from_utf8(body).unwrap())
    };
    let since = Some("2026-01-13T00:02:00.500Z");
    let table = "[http.watermark]\nfrom = \"$.at\"\nlook_back_s = 0\n";
    let url = |rest: &str| format!("[http]\nurl = \"https://a.example/s?from={{since}}&x=1\"\n{table}{rest}");
    let days = url("full = \"1970-01-01\"\ndate = [\"%Y-%m-%d\", \"iso\"]\n");
    assert_eq!(asked(&days, since), "https://a.example/s?from=2026-01-13&x=1");
    assert_eq!(asked(&days, None), "https://a.example/s?from=1970-01-01&x=1");
    assert_eq!(
        asked(&url("full = \"0\"\nsent_as = \"epoch_ms\"\n"), since),
        "https://a.example/s?from=1768262520500&x=1"
    );
    let body = |text: &str, rest: &str| {
        format!("[http]\nurl = \"https://a.example\"\nmethod = \"POST\"\nbody = '{text}'\n{table}{rest}")
    };
    let seconds = body(r#"{"since": {since}}"#, "date = \"epoch_s\"\n");
    assert_eq!(asked(&seconds, since), r#"{"since": 1768262520}"#);
    assert_eq!(asked(&seconds, None), r#"{"since": null}"#);
    let text = body(r#"{"since": {since}, "x": "{since}"}"#, "full = \"\"\n");
    assert_eq!(asked(&text, since), r#"{"since": "2026-01-13T00:02:00Z", "x": "2026-01-13T00:02:00Z"}"#);
}

#[test]
fn a_form_is_a_body_too() {
    let toml = "[http]\nurl = \"https://a.example\"\nmethod = \"POST\"\nbody = \"q={city}&page={page}\"\n[http.pages]\nby = \"page\"\n";
    let source = HttpSource::new(&map(toml, None), &params(&[("city", "Bad Aussee&x")])).unwrap();
    let request = source.request(&source.begin(None));
    assert_eq!(String::from_utf8(request.body.unwrap()).unwrap(), "q=Bad%20Aussee%26x&page=1");
    assert_eq!(request.headers, [("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())]);
    let own = toml.replace("[http.pages]", "[http.headers]\ncontent-type = \"text/plain\"\n[http.pages]");
    assert_eq!(
        self::source(&own.replace("{city}", "x"), None)
            .request(&self::source(&own.replace("{city}", "x"), None).begin(None))
            .headers
            .len(),
        1
    );
}

#[test]
fn mistakes_in_the_newer_keys_are_reported_with_their_positions() {
    let toml = r#"name = "t"
purpose = "sale"
[read]
rows = "$.data["
[fields]
native_id = { from = "id" }
[http]
url = "https://user:pass@a.example/{page}"
method = "POST"
body = '{"a": {a}, }'
limits = ["2/s", "2/w"]
empty_status = [404, 401, "x"]
secret_params = ["b"]
[http.headers]
authorization = "Bearer x"
[http.oauth2]
token_url = "login.example"
client_id = "{client_id}"
secret = "x"
[http.pages]
by = "page"
param = "p"
more = "more"
total_pages = "$.a..b..c"
next = "/next"
[http.watermark]
date = "yyyy"
sent_as = "rfc 3339"
"#;
    let found = Map::parse(toml, "t.toml").unwrap_err().to_string();
    for wanted in [
        "t.toml:4: read.rows: \"$.data[\" is no JSONPath",
        "t.toml:8: http.url: has a user name before its host; accepted: ",
        "t.toml:10: http.body: is no JSON with 1 for each of its {names}: ",
        "t.toml:11: http.limits: \"2/w\"; accepted: requests or bytes",
        "t.toml:12: http.empty_status: accepted: a list of statuses",
        "t.toml:13: http.secret_params: nothing asks for {b}; accepted: ",
        "http.headers.Authorization: stands beside [http.oauth2]",
        "t.toml:16: http.oauth2.client_secret: is missing",
        "t.toml:17: http.oauth2.token_url: \"login.example\"; accepted: an address",
        "t.toml:19: http.oauth2.secret: there is no such key",
        "t.toml:20: http.pages.param: stands beside a {page}",
        "t.toml:23: http.pages.more: \"more\" is no JSON Pointer",
        "t.toml:24: http.pages.total_pages: \"$.a..b..c\" has more than one ..",
        "t.toml:25: http.pages.next: there is no such key",
        "t.toml:26: http.watermark: no request asks for it",
        "t.toml:26: http.watermark.from: is missing",
        "t.toml:27: http.watermark.date: \"yyyy\" ",
        "t.toml:28: http.watermark.sent_as: \"rfc 3339\" ",
    ] {
        assert!(found.contains(wanted), "{wanted}\n--\n{found}");
    }
    let since = "name = \"t\"\npurpose = \"sale\"\n[fields]\nnative_id = { from = \"id\" }\n[http]\nurl = \"https://a.example/{since}\"\n[http.watermark]\nfrom = \"at\"\nparam = \"s\"\n";
    let found = Map::parse(since, "t.toml").unwrap_err().to_string();
    assert!(found.contains("t.toml:7: http.watermark.full: is missing"), "{found}");
    assert!(found.contains("http.watermark.param: stands beside a {since}"), "{found}");
}

#[test]
fn mistakes_in_http_are_reported_like_all_others() {
    let toml = "name = \"t\"\npurpose = \"sale\"\n[fields]\nnative_id = { from = \"id\" }\n[http]\nmethod = \"PUT\"\nbody = \"x\"\ncoverage = \"all\"\n[http.pages]\nby = \"offset\"\nnext = \"x\"\n";
    let found = Map::parse(toml, "t.toml").unwrap_err().to_string();
    for wanted in [
        "t.toml:5: http.url: is missing",
        "t.toml:6: http.method: \"PUT\"; accepted: GET, POST",
        "http.body: a GET has none",
        "t.toml:8: http.coverage: \"all\"; accepted: snapshot, changes",
        "t.toml:9: http.pages.size: is missing",
        "t.toml:11: http.pages.next: there is no such key",
    ] {
        assert!(found.contains(wanted), "{wanted}\n--\n{found}");
    }
}
