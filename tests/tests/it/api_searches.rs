//! Searches in the API and on the page of runs: when each is polled next, and who may pause it or poll it.

use serde_json::Value;
use stoop_domain::Time;
use stoop_pages::{Access, Tokens, Web, WebRequest};
use stoop_pipeline::NextPoll;
use stoop_serve::api::ApiResponse;

use crate::api_documents::{unreported, unreported_control};
use crate::small_town::{Town, block_on, header, json, now};

const READER: &str = "reader-0123456789-abc";
const WRITER: &str = "writer-0123456789-abc";
const HOST: &str = "stoop.example";

fn tokens() -> Tokens {
    Tokens::of(&format!("ann read {READER}\nbob write {WRITER}")).unwrap()
}

/// A town with two searches; the second was last sent weeks before the first.
fn town() -> Town {
    let town = Town::new();
    for (search, sent_at) in [("agadir", now()), ("old", now().plus_ms(-30 * Time::DAY_MS))] {
        let next = NextPoll {
            search: search.into(),
            sent_at,
            next_at: sent_at.plus_ms(900_000),
            every_ms: 900_000,
            slowed_by: Some("100 requests a day".into()),
            answered: None,
        };
        town.database.keep_next_poll(&next).unwrap();
    }
    town
}

struct Client<'t> {
    town: &'t Town,
    tokens: Option<Tokens>,
}

impl Client<'_> {
    fn send(&self, request: WebRequest<'_>) -> ApiResponse {
        let web: Web<'_> = self.town.web().with_controls(&*self.town.database);
        let access = match &self.tokens {
            Some(tokens) => Access::WithToken(Some(tokens)),
            None => Access::Everyone,
        };
        block_on(web.answer(WebRequest { host: Some(HOST), ..request }, access, now(), Some(now())))
    }

    fn with(&self, token: &str, method: &str, path: &str) -> ApiResponse {
        let authorization = format!("Bearer {token}");
        self.send(WebRequest { method, path, authorization: Some(&authorization), ..WebRequest::default() })
    }

    /// The searches, by the API.
    fn searches(&self) -> Value {
        let answer = self.send(WebRequest {
            method: "GET",
            path: "/api/v1/searches",
            authorization: Some(&format!("Bearer {READER}")),
            ..WebRequest::default()
        });
        json(&answer)["searches"].clone()
    }
}

#[test]
fn a_writer_pauses_resumes_and_polls_a_search_and_a_reader_does_not() {
    let town = town();
    let client = Client { town: &town, tokens: Some(tokens()) };
    assert_eq!(client.searches().as_array().unwrap().len(), 1, "the old one was removed from the configuration");
    assert_eq!(client.searches()[0]["next_at"], "2026-01-14T12:15:00Z");
    let refused = client.with(READER, "POST", "/api/v1/searches/agadir/pause");
    assert_eq!((refused.status, &json(&refused)["code"]), (403, &"only_reads".into()));
    assert!(header(&refused, "www-authenticate").unwrap().contains("insufficient_scope"));
    assert_eq!(client.searches()[0]["paused_at"], Value::Null);

    let paused = client.with(WRITER, "POST", "/api/v1/searches/agadir/pause");
    assert_eq!((paused.status, &json(&paused)["asked_by"]), (202, &"bob".into()));
    assert_eq!(unreported_control(&json(&paused)), None);
    assert_eq!(unreported("/api/v1/searches", &serde_json::json!({ "searches": client.searches() })), None);
    let search = &client.searches()[0];
    assert_eq!((&search["paused_at"], &search["next_at"]), (&"2026-01-14T12:00:00Z".into(), &Value::Null));
    client.with(WRITER, "POST", "/api/v1/searches/agadir/poll");
    assert_eq!(client.searches()[0]["poll_asked_at"], "2026-01-14T12:00:00Z");
    client.with(WRITER, "POST", "/api/v1/searches/agadir/resume");
    let search = &client.searches()[0];
    assert_eq!((&search["paused_at"], &search["poll_asked_at"]), (&Value::Null, &"2026-01-14T12:00:00Z".into()));
}

#[test]
fn what_is_no_control_is_refused() {
    let town = town();
    let client = Client { town: &town, tokens: Some(tokens()) };
    for (method, path, status, code) in [
        ("POST", "/api/v1/searches/agadri/pause", 404, "no_such_search"),
        ("POST", "/api/v1/searches/agadir/stop", 404, "no_such_route"),
        ("POST", "/api/v1/searches/agadir", 404, "no_such_route"),
        ("GET", "/api/v1/searches/agadir/pause", 405, "method_not_allowed"),
        ("POST", "/api/v1/searches", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/markets", 405, "method_not_allowed"),
    ] {
        let refused = client.with(WRITER, method, path);
        assert_eq!((refused.status, json(&refused)["code"].as_str()), (status, Some(code)), "{method} {path}");
    }
    let refused = client.with(WRITER, "POST", "/api/v1/searches/agadri/pause");
    assert_eq!(json(&refused)["details"][0], "agadir", "the nearest name");
    let refused = client.with("nobody-0123456789-abc", "POST", "/api/v1/searches/agadir/pause");
    assert_eq!(refused.status, 401);
    let no_controls = block_on(town.web().answer(
        WebRequest { method: "POST", path: "/api/v1/searches/agadir/pause", ..WebRequest::default() },
        Access::Everyone,
        now(),
        Some(now()),
    ));
    assert_eq!(no_controls.status, 405, "a server that only reads");
}

#[test]
fn no_other_page_can_control_a_search() {
    let town = town();
    let client = Client { town: &town, tokens: None };
    let post = |path: &'static str, origin: Option<&'static str>, fetch_site: Option<&'static str>| {
        client.send(WebRequest { method: "POST", path, origin, fetch_site, ..WebRequest::default() }).status
    };
    let (api, form) = ("/api/v1/searches/agadir/pause", "/searches/agadir/pause");
    for path in [api, form] {
        assert_eq!(post(path, Some("https://evil.example"), None), 403, "{path}");
        assert_eq!(post(path, Some("null"), None), 403, "{path}");
        assert_eq!(post(path, None, Some("cross-site")), 403, "{path}");
    }
    assert_eq!(post(form, None, None), 403, "every browser says where a form comes from");
    assert_eq!(client.searches()[0]["paused_at"], Value::Null);
    assert_eq!(post(api, None, None), 202, "a program on this computer");
    assert_eq!(post("/searches/agadir/resume", Some("http://stoop.example"), None), 303);
    assert_eq!(client.searches()[0]["paused_at"], Value::Null);
    assert_eq!(client.searches()[0]["asked_by"], "local");
}

#[test]
fn a_form_of_a_session_works_in_that_session_only() {
    let town = town();
    let client = Client { town: &town, tokens: Some(tokens()) };
    let session = |token: &str| {
        let body = format!("token={token}&to=/runs");
        let answer = client.send(WebRequest {
            method: "POST",
            path: "/login",
            fetch_site: Some("same-origin"),
            body: body.as_bytes(),
            ..WebRequest::default()
        });
        header(&answer, "set-cookie").unwrap().split(';').next().unwrap().to_owned()
    };
    let runs = |cookie: &str| {
        let page =
            client.send(WebRequest { method: "GET", path: "/runs", cookie: Some(cookie), ..WebRequest::default() });
        String::from_utf8(page.body).unwrap()
    };
    let (reader, writer) = (session(READER), session(WRITER));
    assert!(!runs(&writer).contains("Poll now"), "nothing would poll");
    town.poll();
    assert!(runs(&reader).contains("agadir") && !runs(&reader).contains("Pause"), "a reader has no buttons");
    let page = runs(&writer);
    assert!(page.contains("action=\"/searches/agadir/pause\"") && page.contains("Poll now"), "{page}");
    let form = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let pause = |cookie: &str, form: &str| {
        let body = format!("form={form}");
        let answer = client.send(WebRequest {
            method: "POST",
            path: "/searches/agadir/pause",
            cookie: Some(cookie),
            fetch_site: Some("same-origin"),
            body: body.as_bytes(),
            ..WebRequest::default()
        });
        answer.status
    };
    assert_eq!(pause(&reader, &form), 403, "the form of another session");
    assert_eq!(pause(&writer, ""), 403);
    assert_eq!(pause(&writer, &"0".repeat(form.len())), 403);
    assert_eq!(client.searches()[0]["paused_at"], Value::Null);
    assert_eq!(pause(&writer, &form), 303);
    assert_eq!(client.searches()[0]["asked_by"], "bob");
    assert!(runs(&writer).contains("Resume") && runs(&writer).contains("paused since"));
}
