//! Whole scans of declared APIs: a simulated server returns the same rows with every kind of paging, and each row is
//! read once.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::{Value, json};
use stoop_domain::Time;
use stoop_sources::declared::{HttpSource, Map};
use stoop_sources::{Method, Next, Params, Request, Row, Source, SourceAnswer};

const HEAD: &str = "name = \"t\"\npurpose = \"sale\"\ncurrency = \"EUR\"\n[fields]\nnative_id = { from = \"id\" }\n";

/// A server with a number of rows, and a maximum per page.
struct Server {
    rows: u64,
    page_max: u64,
}

/// A server's response: status, headers, body.
type Said = (u16, Vec<(String, String)>, String);

impl Server {
    fn rows(&self, from: u64, most: u64) -> Vec<Value> {
        let to = self.rows.min(from.saturating_add(most.min(self.page_max)));
        (from..to).map(|id| json!({ "id": id })).collect()
    }

    fn next(&self, from: u64, shown: &[Value]) -> Option<u64> {
        Some(from + shown.len() as u64).filter(|next| *next < self.rows)
    }
}

/// The pairs of a URL's query, or the members of a JSON body.
fn asked(request: &Request) -> BTreeMap<String, String> {
    let query = request.url.split_once('?').map_or("", |(_, query)| query);
    let mut pairs: BTreeMap<String, String> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(body) = &request.body {
        let body: BTreeMap<String, Value> = serde_json::from_slice(body).unwrap();
        pairs.extend(body.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
            let text = value.as_str().map(str::to_owned);
            (name, text.unwrap_or_else(|| value.to_string()))
        }));
    }
    pairs
}

fn number(asked: &BTreeMap<String, String>, name: &str, otherwise: u64) -> u64 {
    asked.get(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Reads all pages as the poller does. Returns the IDs of the rows and the number of requests.
fn scan(http: &str, serve: impl Fn(&Request) -> Said) -> (Vec<u64>, usize) {
    let map = Map::parse(&format!("{HEAD}{http}"), "t.toml").unwrap_or_else(|errors| panic!("{errors}"));
    let source = HttpSource::new(&map, &Params::new()).unwrap();
    let (mut ids, mut visited) = (Vec::new(), HashSet::new());
    let mut cursor = source.begin(None);
    loop {
        assert!(visited.insert(cursor.position.clone()), "the pages lead in a circle: {cursor:?}");
        let (status, headers, body) = serve(&source.request(&cursor));
        assert!(source.reads(status), "status {status}");
        let answer = SourceAnswer { status, headers: &headers, body: body.as_bytes() };
        let page = source.read(&cursor, &answer, Time::from_ms(0)).unwrap_or_else(|error| panic!("{error}"));
        ids.extend(page.rows.iter().map(|row| match row {
            Row::Found(found) => found.native_id.parse::<u64>().unwrap(),
            Row::Refused { detail, .. } => panic!("{detail}"),
        }));
        match page.next {
            Next::Page(next) => cursor = next,
            Next::End => return (ids, visited.len()),
            Next::Capped => panic!("capped after {} pages", visited.len()),
        }
    }
}

fn said(body: &Value) -> Said {
    (200, Vec::new(), body.to_string())
}

/// A kind of paging: its name, the map's lines, and the server's handler.
type Way = (&'static str, &'static str, fn(&Server, &Request) -> Said);

const URL: &str = "[read]\nrows = \"/r\"\n[http]\nurl = \"https://a.example/s\"\npages_max = 1000\n";

#[expect(clippy::too_many_lines, reason = "a list: one entry for each way to page")]
fn ways() -> Vec<Way> {
    fn page(server: &Server, request: &Request) -> (Vec<Value>, u64) {
        let asked = asked(request);
        let page = number(&asked, "page", 1) - 1;
        let size = number(&asked, "n", 5);
        (server.rows(page * size.min(server.page_max), size), page)
    }
    vec![
        (
            "page, until a short one",
            "[http.pages]\nby = \"page\"\nsize = 5\nsize_param = \"n\"\n",
            |server, request| said(&json!({ "r": page(server, request).0 })),
        ),
        ("page, until an empty one", "[http.pages]\nby = \"page\"\n", |server, request| {
            said(&json!({ "r": page(server, request).0 }))
        }),
        ("page, until a 404", "empty_status = [404]\n[http.pages]\nby = \"page\"\n", |server, request| {
            let rows = page(server, request).0;
            if rows.is_empty() { (404, Vec::new(), "none".into()) } else { said(&json!({ "r": rows })) }
        }),
        ("page, by the total", "[http.pages]\nby = \"page\"\ntotal = \"/n\"\n", |server, request| {
            said(&json!({ "r": page(server, request).0, "n": server.rows }))
        }),
        (
            "page, by the total in a header",
            "[http.pages]\nby = \"page\"\ntotal_header = \"X-Total-Count\"\n",
            |server, request| {
                let headers = vec![("x-total-count".into(), server.rows.to_string())];
                (200, headers, json!({ "r": page(server, request).0 }).to_string())
            },
        ),
        ("page, by the number of pages", "[http.pages]\nby = \"page\"\ntotal_pages = \"/p\"\n", |server, request| {
            let size = server.page_max.min(5);
            said(&json!({ "r": page(server, request).0, "p": server.rows.div_ceil(size) }))
        }),
        ("page, by a flag", "[http.pages]\nby = \"page\"\nmore = \"$.m.more\"\n", |server, request| {
            let (rows, page) = page(server, request);
            let more = (page + 1) * server.page_max.min(5) < server.rows;
            said(&json!({ "r": rows, "m": { "more": more } }))
        }),
        ("page, in the path", "[http.pages]\nby = \"page\"\nsize = 5\n", |server, request| {
            let path = request.url.strip_prefix("https://a.example/s/").unwrap();
            let (size, page) = path.split_once('/').unwrap();
            let (size, page): (u64, u64) = (size.parse().unwrap(), page.parse().unwrap());
            said(&json!({ "r": server.rows((page - 1) * size, size) }))
        }),
        ("offset", "[http.pages]\nby = \"offset\"\nsize = 5\ntotal = \"/n\"\n", |server, request| {
            said(&json!({ "r": server.rows(number(&asked(request), "offset", 0), 5), "n": server.rows }))
        }),
        ("offset, by a flag", "[http.pages]\nby = \"offset\"\nsize = 5\nmore = \"/more\"\n", |server, request| {
            let from = number(&asked(request), "offset", 0);
            let rows = server.rows(from, 5);
            said(&json!({ "more": server.next(from, &rows).is_some(), "r": rows }))
        }),
        ("cursor", "[http.pages]\nby = \"cursor\"\nparam = \"after\"\nnext = \"/next\"\n", |server, request| {
            let from = number(&asked(request), "after", 0);
            let rows = server.rows(from, 5);
            said(&json!({ "next": server.next(from, &rows).map(|next| next.to_string()), "r": rows }))
        }),
        (
            "cursor, the last row's id until a flag",
            "[http.pages]\nby = \"cursor\"\nparam = \"after\"\nnext = \"$.r[-1].id\"\nmore = \"/has_more\"\n",
            |server, request| {
                let from = asked(request).get("after").map_or(0, |id| id.parse::<u64>().unwrap() + 1);
                let rows = server.rows(from, 5);
                said(&json!({ "has_more": server.next(from, &rows).is_some(), "r": rows }))
            },
        ),
        ("next-link", "[http.pages]\nby = \"next-link\"\nnext = \"/l/next\"\n", |server, request| {
            let from = number(&asked(request), "from", 0);
            let rows = server.rows(from, 5);
            let next = server.next(from, &rows).map(|next| format!("https://a.example/s?from={next}"));
            said(&json!({ "l": { "next": next }, "r": rows }))
        }),
        ("link-header", "[http.pages]\nby = \"link-header\"\nsize = 5\nsize_param = \"n\"\n", |server, request| {
            let from = number(&asked(request), "from", 0);
            let rows = server.rows(from, 5);
            let mut headers = vec![("link".into(), "</s>; rel=\"first start\"; title=\"a, <b>\"".into())];
            let next = server.next(from, &rows).map(|next| format!("<?from={next}>; rel=\"last next\", </x>; rel=up"));
            headers.extend(next.map(|next| ("link".to_owned(), next)));
            (200, headers, json!({ "r": rows }).to_string())
        }),
    ]
}

/// Kinds of paging whose position is in a JSON body.
fn posts() -> Vec<Way> {
    vec![
        (
            "page in a body",
            "body = '{\"page\": {page}, \"n\": \"{size}\"}'\n[http.pages]\nby = \"page\"\nsize = 5\ntotal = \"/n\"\n",
            |server, request| {
                let page = number(&asked(request), "page", 99) - 1;
                assert_eq!(number(&asked(request), "n", 0), 5);
                said(&json!({ "r": server.rows(page * server.page_max.min(5), 5), "n": server.rows }))
            },
        ),
        (
            "offset in a body",
            "body = '{\"offset\": {offset}, \"q\": {\"a\": {}}}'\n[http.pages]\nby = \"offset\"\nsize = 5\ntotal = \"/n\"\n",
            |server, request| {
                said(&json!({ "r": server.rows(number(&asked(request), "offset", 99), 5), "n": server.rows }))
            },
        ),
        (
            "cursor in a body, as a text",
            "body = '{\"after\": \"{cursor}\"}'\n[http.pages]\nby = \"cursor\"\nnext = \"/next\"\n",
            |server, request| {
                let from =
                    asked(request).get("after").filter(|text| !text.is_empty()).map_or(0, |text| text.parse().unwrap());
                let rows = server.rows(from, 5);
                said(&json!({ "next": server.next(from, &rows).map(|next| next.to_string()), "r": rows }))
            },
        ),
        (
            "cursor in a body, as JSON",
            "body = '{\"after\": {cursor}}'\n[http.pages]\nby = \"cursor\"\nnext = \"/next\"\n",
            |server, request| {
                let body: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
                let from =
                    if body["after"].is_null() { 0 } else { body["after"].as_u64().expect("a number stays a number") };
                let rows = server.rows(from, 5);
                said(&json!({ "next": server.next(from, &rows), "r": rows }))
            },
        ),
    ]
}

fn every_row_comes_once(rows: u64, page_max: u64) {
    let server = Server { rows, page_max };
    for (name, pages, serve) in ways() {
        // Without other information, a page that the server made smaller looks like the last.
        if page_max < 5 && matches!(name, "page, until a short one" | "page, in the path") {
            continue;
        }
        let in_path = name == "page, in the path";
        let url = if in_path { URL.replace("/s\"", "/s/{size}/{page}\"") } else { URL.to_owned() };
        let (ids, requests) = scan(&format!("{url}{pages}"), |request| {
            assert_eq!((request.method, request.body.is_some()), (Method::Get, false));
            serve(&server, request)
        });
        assert_eq!(ids, (0..rows).collect::<Vec<_>>(), "{name}");
        let pages = rows.div_ceil(page_max.min(5));
        assert!(requests as u64 <= pages + 1, "{name}: {requests} requests for {pages} pages");
    }
    for (name, pages, serve) in posts() {
        let (ids, _) = scan(&format!("{URL}method = \"POST\"\n{pages}"), |request| {
            assert_eq!((request.method, request.url.as_str()), (Method::Post, "https://a.example/s"));
            assert!(request.headers.contains(&("Content-Type".into(), "application/json".into())));
            serve(&server, request)
        });
        assert_eq!(ids, (0..rows).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn every_kind_of_paging_shows_every_row_once_and_ends() {
    for rows in [0, 1, 4, 5, 6, 10, 23] {
        for page_max in [2, 5, 100] {
            every_row_comes_once(rows, page_max);
        }
    }
}

/// Whatever a server returns, a scan terminates with an end, a cap or an error, and never repeats a page.
#[test]
fn no_server_leads_a_scan_in_a_loop() {
    let bodies = [
        json!({ "r": [{ "id": 1 }], "next": "same", "more": true, "n": 1_000_000, "p": 1_000_000, "l": { "next": "?x" } }),
        json!({ "r": [], "next": 7, "more": true, "n": u64::MAX, "p": u64::MAX, "l": { "next": "/s" } }),
        json!({ "r": [{ "id": 1 }], "next": "", "more": "yes", "n": -1, "p": {}, "l": [] }),
    ];
    for (name, pages, _) in ways().into_iter().chain(posts()) {
        for body in &bodies {
            let post = if pages.starts_with("body") { "method = \"POST\"\n" } else { "" };
            let pages = pages.replace("by = \"page\"\n", "by = \"page\"\nfirst = 18446744073709551615\n");
            let map = Map::parse(&format!("{HEAD}{URL}{post}{pages}"), "t.toml").unwrap();
            let source = HttpSource::new(&map, &Params::new()).unwrap();
            let (mut cursor, mut visited) = (source.begin(None), HashSet::new());
            let headers = [("link".to_owned(), "<?again>; rel=next".to_owned())];
            let body = body.to_string();
            for turn in 0.. {
                assert!(turn <= 1_000, "{name} does not end");
                assert!(visited.insert(cursor.position.clone()), "{name}: {cursor:?}");
                let answer = SourceAnswer { status: 200, headers: &headers, body: body.as_bytes() };
                match source.read(&cursor, &answer, Time::from_ms(0)).map(|page| page.next) {
                    Ok(Next::Page(next)) => cursor = next,
                    Ok(Next::End | Next::Capped) | Err(_) => break,
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_sizes_every_row_comes_once(rows in 0_u64..60, page_max in 1_u64..12) {
        every_row_comes_once(rows, page_max);
    }

    /// Any body bytes and header text give a page or an error, without a panic.
    #[test]
    fn any_answer_is_read(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            "\\{(\"(r|next|n|p|more|l)\":(\\[(\\{\"id\":[0-9]{1,3},\"t\":[0-9\"]{0,4}\\},?){0,3}\\]|\"[a-z/?]{0,4}\"|[0-9-]{1,20}|true|null),?){0,5}\\}?".prop_map(String::into_bytes),
        ],
        link in ".{0,40}",
        status in prop::sample::select(vec![200_u16, 404]),
        position in "[0-9:a-z/]{0,12}",
    ) {
        let rows = ["rows = \"/r\"", "rows = \"$.r\"", "rows = \"$.r[?@.id > 1]\"", ""];
        for (name, pages, _) in ways().into_iter().chain(posts()) {
            for rows in rows {
                let post = if pages.starts_with("body") { "method = \"POST\"\n" } else { "" };
                let watermark = "[http.watermark]\nfrom = \"$.t\"\ndate = \"epoch_s\"\nparam = \"since\"\n";
                let http = URL.replace("rows = \"/r\"", rows);
                let map = Map::parse(&format!("{HEAD}{http}{post}{pages}{watermark}"), name).unwrap();
                let source = HttpSource::new(&map, &Params::new()).unwrap();
                let mut cursor = source.begin(Some("2026-01-01T00:00:00Z"));
                let headers = [("link".to_owned(), link.clone())];
                for position in [cursor.position.clone(), position.clone()] {
                    cursor.position = position;
                    source.request(&cursor);
                    let answer = SourceAnswer { status, headers: &headers, body: &body };
                    if let Ok(page) = source.read(&cursor, &answer, Time::from_ms(0))
                        && let Next::Page(next) = page.next
                    {
                        prop_assert_ne!(&next.position, &cursor.position);
                        source.request(&next);
                    }
                }
            }
        }
    }
}

#[test]
fn a_total_that_is_as_large_as_what_can_be_shown_is_a_bound() {
    let map = |pages: &str| {
        let http = "[read]\nrows = \"/r\"\n[http]\nurl = \"https://a.example/s\"\npages_max = 3\n[http.pages]\n";
        let toml = format!("{HEAD}{http}{pages}");
        HttpSource::new(&Map::parse(&toml, "t.toml").unwrap(), &Params::new()).unwrap()
    };
    let last = |source: &HttpSource, body: Value| {
        let cursor = stoop_sources::Cursor { position: "3:4".into(), pages_before: 2, ..source.begin(None) };
        source.read(&cursor, &SourceAnswer::of(body.to_string().as_bytes()), Time::from_ms(0)).unwrap().next
    };
    let rows = json!([{ "id": 5 }, { "id": 6 }]);
    let by_total = map("by = \"page\"\nsize = 2\ntotal = \"/n\"\n");
    for (total, next) in [(6, Next::Capped), (5, Next::End)] {
        assert_eq!(last(&by_total, json!({ "r": rows, "n": total })), next, "{total} of 3 pages of 2");
    }
    let by_pages = map("by = \"page\"\ntotal_pages = \"/n\"\n");
    assert_eq!(last(&by_pages, json!({ "r": rows, "n": 3 })), Next::Capped);
    assert_eq!(last(&by_pages, json!({ "r": rows, "n": 2 })), Next::End);
    // What a search engine says if it has more.
    let all = map("by = \"none\"\ntotal = \"/n\"\n");
    assert_eq!(last(&all, json!({ "r": rows, "n": 10_000 })), Next::Capped);
    assert_eq!(last(&all, json!({ "r": rows, "n": 9_999 })), Next::End);
}
