//! Declared APIs: the requests they make and the answers they understand.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use stoop_domain::{Reason, Time};
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Answer, Coverage, Cursor, Method, Next, Page, Params, ReadError, Row, Source};

fn map(http: &str, rows: Option<&str>) -> Map {
    let rows = rows.map(|rows| format!("[read]\nrows = \"{rows}\"\n")).unwrap_or_default();
    let toml = format!(
        "name = \"t\"\ncountry = \"AT\"\ncurrency = \"EUR\"\npurpose = \"sale\"\n[fields]\nnative_id = {{ from = \"id\" }}\n\
         list_price = {{ from = \"p\" }}\ncity = {{ constant = \"Graz\" }}\n{rows}{http}"
    );
    Map::parse(&toml, "t.toml").unwrap_or_else(|errors| panic!("{errors}"))
}

fn source(http: &str, rows: Option<&str>) -> HttpSource {
    HttpSource::new(&map(http, rows), &Params::new()).unwrap()
}

fn read(source: &HttpSource, cursor: &Cursor, body: &str) -> Result<Page, ReadError> {
    let answer = Answer::of(body.as_bytes());
    source.read(cursor, &answer, Time::from_ms(0))
}

/// The addresses that a scan asks for when it gets these answers, one after another.
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
    assert_eq!(source.manners().coverage, Coverage::Snapshot);
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
    let [Row::Found(found), Row::Refused { reason, detail, raw }] = &page.rows[..] else { panic!("{page:?}") };
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

#[test]
fn mistakes_in_http_are_told_like_all_others() {
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
