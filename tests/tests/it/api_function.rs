//! The api function: from events to responses, and the token that it reads.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::small_town::{BEARER, TOKEN, Town, block_on, now};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use serde_json::Value;
use serde_json::value::RawValue;
use stoop_api::{ApiHandler, ReadToken, Recency};
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;

/// The api function on this town, with a token from `secret`; counts how often it is read again.
fn function<'a>(town: &'a Town, secret: &'a Secret) -> ApiHandler<'a> {
    let read: ReadToken<'a> = Box::new(move |recency| {
        let afresh = recency == Recency::Afresh;
        secret.afresh.fetch_add(usize::from(afresh), Ordering::SeqCst);
        let text = if afresh { &secret.now } else { &secret.remembered };
        let text = text.clone().ok_or_else(|| PortError::refused("GetSecretValue stoop-token", "AccessDenied"));
        Box::pin(std::future::ready(text))
    });
    ApiHandler::new(town.web(), read)
}

struct Secret {
    remembered: Option<String>,
    now: Option<String>,
    afresh: AtomicUsize,
}

impl Secret {
    fn of(remembered: Option<&str>, now: Option<&str>) -> Self {
        let [remembered, now] = [remembered, now].map(|text| text.map(str::to_owned));
        Self { remembered, now, afresh: AtomicUsize::new(0) }
    }
}

/// The function's response to an event, as Lambda gets it.
fn invoke(app: &ApiHandler<'_>, event: &str) -> Value {
    let event: Box<RawValue> = serde_json::from_str(event).unwrap();
    let deadline = now().plus_ms(10 * Time::SECOND_MS);
    serde_json::to_value(block_on(app.handle(&event, now(), deadline))).unwrap()
}

/// The body as a client gets it.
fn body_of(answered: &Value) -> String {
    let body = answered["body"].as_str().unwrap();
    if answered["isBase64Encoded"] == false {
        assert_eq!(answered["headers"].get("content-encoding"), None);
        return body.to_owned();
    }
    assert_eq!(answered["headers"]["content-encoding"], "gzip");
    let packed = BASE64.decode(body).unwrap();
    let mut unpacked = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
    unpacked
}

fn sample(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../events/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn the_function_answers_a_function_url_and_an_http_api() {
    let town = Town::new();
    let secret = Secret::of(Some(&format!("{TOKEN}\n")), None);
    let app = function(&town, &secret);
    let samples = [
        ("api-function-url.json", "/api/v1/markets/us/wa/king?purpose=sale&days=14&as_of=2026-01-14T12%3A00%3A00Z"),
        ("api-http-api.json", "/api/v1/alerts?limit=10&suspects=true"),
        ("api-health.json", "/health"),
    ];
    for (event, target) in samples {
        let (answered, expected) = (invoke(&app, &sample(event)), town.get(target));
        assert_eq!((answered["statusCode"].as_u64(), expected.status), (Some(200), 200), "{event}");
        assert!(body_of(&answered) == String::from_utf8(expected.body).unwrap(), "{event}");
        assert_eq!(answered["headers"]["content-type"], "application/json");
    }
    let locked = Secret::of(None, None);
    let refused = [("api-health.json", 200), ("api-function-url.json", 503)];
    for (event, status) in refused {
        assert_eq!(invoke(&function(&town, &locked), &sample(event))["statusCode"], status, "{event} without a token");
    }
}

#[test]
fn an_event_that_is_not_a_request_gets_an_error() {
    let town = Town::new();
    let secret = Secret::of(Some(TOKEN), None);
    let app = function(&town, &secret);
    let no_requests = ["null", "[]", "7", "{}", r#"{"Records": []}"#, r#"{"httpMethod": "GET", "path": "/health"}"#];
    let broken = sample("api-health.json").replace(r#""version": "2.0""#, r#""version": 2"#);
    for event in no_requests.into_iter().chain([broken.as_str()]) {
        let answered = invoke(&app, event);
        assert_eq!(answered["statusCode"], 400, "{event}");
        let body: Value = serde_json::from_str(answered["body"].as_str().unwrap()).unwrap();
        assert_eq!(body["code"], "bad_event");
    }
}

#[test]
fn a_rotated_token_works_at_once() {
    let town = Town::new();
    let event = sample("api-function-url.json");
    let cases = [
        // The cached token, the current one, the status, and the number of reads.
        (Some(TOKEN), Some("another-token-987654321"), 200, 0),
        (Some("another-token-987654321"), Some(TOKEN), 200, 1),
        (None, Some(TOKEN), 200, 1),
        (Some("too-short"), Some(TOKEN), 200, 1),
        (Some("another-token-987654321"), Some("a-third-token-0123456789"), 401, 1),
        (Some("another-token-987654321"), None, 503, 1),
    ];
    for (remembered, there, status, looks) in cases {
        let secret = Secret::of(remembered, there);
        assert_eq!(invoke(&function(&town, &secret), &event)["statusCode"], status, "{remembered:?} {there:?}");
        assert_eq!(secret.afresh.load(Ordering::SeqCst), looks, "{remembered:?} {there:?}");
    }
    let secret = Secret::of(Some(TOKEN), Some(TOKEN));
    let nameless = event.replace(BEARER, "").replace("authorization", "x-other");
    assert_eq!(invoke(&function(&town, &secret), &nameless)["statusCode"], 401);
    assert_eq!(secret.afresh.load(Ordering::SeqCst), 0, "a request without a token causes no read");
}

#[test]
fn a_request_that_takes_too_long_is_answered_before_the_function_is_stopped() {
    let town = Town::new();
    let app = ApiHandler::new(town.web(), Box::new(|_| Box::pin(std::future::pending())));
    let event: Box<RawValue> = serde_json::from_str(&sample("api-function-url.json")).unwrap();
    let answered = block_on(app.handle(&event, now(), now().plus_ms(510)));
    assert_eq!(answered.status_code, 504);
}

/// A browser: what it sends to the function, and the cookie that it keeps.
struct Browser<'a> {
    app: ApiHandler<'a>,
    cookie: Option<String>,
}

impl Browser<'_> {
    fn send(&mut self, method: &str, path: &str, query: &str, headers: &[(&str, &str)], form: Option<&str>) -> Value {
        let mut event: Value = serde_json::from_str(&sample("api-health.json")).unwrap();
        event["rawPath"] = path.into();
        event["rawQueryString"] = query.into();
        event["requestContext"]["http"]["method"] = method.into();
        event["requestContext"]["http"]["path"] = path.into();
        event["headers"] = serde_json::json!({ "host": "abc.lambda-url.us-east-1.on.aws" });
        for (name, value) in headers {
            event["headers"][*name] = (*value).into();
        }
        if let Some(form) = form {
            // As Lambda passes a form on.
            event["body"] = BASE64.encode(form).into();
            event["isBase64Encoded"] = true.into();
        }
        event["cookies"] = self.cookie.iter().map(String::as_str).chain(["other=1"]).collect::<Vec<_>>().into();
        let answered = invoke(&self.app, &event.to_string());
        if let Some(cookie) = answered["cookies"].get(0).and_then(Value::as_str) {
            assert!(
                cookie.starts_with("__Host-stoop=")
                    && cookie.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure")
                    || cookie == "__Host-stoop=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict; Secure",
                "{cookie}"
            );
            self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        answered
    }

    fn get(&mut self, path: &str, query: &str) -> Value {
        self.send("GET", path, query, &[], None)
    }

    fn post(&mut self, path: &str, form: &str) -> Value {
        self.send("POST", path, "", &[("origin", "https://abc.lambda-url.us-east-1.on.aws")], Some(form))
    }
}

fn status_and_location(answered: &Value) -> (u64, &str) {
    (answered["statusCode"].as_u64().unwrap(), answered["headers"]["location"].as_str().unwrap_or_default())
}

#[test]
fn a_browser_logs_in_reads_and_logs_out() {
    let town = Town::new();
    let secret = Secret::of(Some(TOKEN), Some(TOKEN));
    let mut browser = Browser { app: function(&town, &secret), cookie: None };
    let asked = browser.get("/areas/us/wa/king", "for=sale&days=28");
    assert_eq!(status_and_location(&asked), (303, "/login?to=%2Fareas%2Fus%2Fwa%2Fking%3Ffor%3Dsale%26days%3D28"));
    let form = browser.get("/login", "to=%2Fareas%2Fus%2Fwa%2Fking%3Ffor%3Dsale%26days%3D28");
    let body = form["body"].as_str().unwrap();
    assert!(body.contains(r#"name="to" value="/areas/us/wa/king?for=sale&amp;days=28""#), "{body}");
    assert_eq!(form["headers"]["cache-control"], "no-store");

    let wrong = browser.post("/login", "token=x7Qm-2kfP_9sLw.0aZt&to=%2Fruns");
    assert_eq!(wrong["statusCode"], 401);
    assert!(wrong["body"].as_str().unwrap().contains("not a token of this server"));
    assert_eq!(browser.cookie, None);
    let encoded = TOKEN.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let elsewhere = browser.post("/login", &format!("token={encoded}&to=%2F%2Fevil.example"));
    assert_eq!(status_and_location(&elsewhere), (303, "/"), "never to another server");
    browser.cookie = None;
    let right = browser.post("/login", &format!("token={encoded}&to=%2Fareas%2Fus%2Fwa%2Fking%3Ffor%3Dsale"));
    assert_eq!(status_and_location(&right), (303, "/areas/us/wa/king?for=sale"));

    for (path, part) in [
        ("/", "Markets for sale"),
        ("/areas/us/wa/king", "<h1>King"),
        ("/homes/kc/1001", "kc/1001"),
        ("/alerts", "Alerts"),
        ("/runs", "Runs"),
        ("/definitions", "Definitions"),
        ("/api/v1/markets", "us/wa/king/seattle/98178"),
    ] {
        let page = browser.get(path, "");
        assert_eq!(page["statusCode"], 200, "{path}");
        assert!(page["body"].as_str().unwrap().contains(part), "{path}: {page}");
    }
    let cookie = browser.cookie.clone();
    assert_eq!(browser.send("POST", "/login", "", &[], Some("token=x"))["statusCode"], 403, "no origin");
    let other = [("origin", "https://evil.example")];
    assert_eq!(browser.send("POST", "/logout", "", &other, Some(""))["statusCode"], 403, "from elsewhere");
    assert_eq!(browser.post("/logout", "form=0a")["statusCode"], 403, "not a form of this session");
    assert_eq!(browser.cookie, cookie);
    let page = browser.get("/login", "");
    let form = page["body"].as_str().unwrap().split(r#"name="form" value=""#).nth(1).unwrap();
    let form = format!("form={}", form.split('"').next().unwrap());
    assert_eq!(status_and_location(&browser.post("/logout", &form)), (303, "/login"));
    assert_eq!(browser.get("/alerts", "")["statusCode"], 303);
    assert_eq!(browser.get("/api/v1/alerts", "")["statusCode"], 401);
}

#[test]
fn what_a_login_page_is_made_from_is_open_and_nothing_else_is() {
    let town = Town::new();
    let secret = Secret::of(Some(TOKEN), Some(TOKEN));
    let mut browser = Browser { app: function(&town, &secret), cookie: None };
    let login = browser.get("/login", "");
    let body = login["body"].as_str().unwrap();
    let assets: Vec<&str> = body.split('"').filter(|text| text.starts_with("/static/")).collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    for asset in assets {
        assert_eq!(browser.get(asset, "")["statusCode"], 200, "{asset}");
    }
    for closed in
        ["/", "/areas/us", "/homes/kc/1001", "/alerts", "/runs", "/compare", "/search", "/definitions", "/nothing"]
    {
        assert_eq!(browser.get(closed, "")["statusCode"], 303, "{closed}");
        assert_eq!(browser.send("DELETE", closed, "", &[], None)["statusCode"], 401, "{closed}");
    }
    for forged in ["__Host-stoop=", "__Host-stoop=api.9999999999.00", "stoop=api.9999999999.00"] {
        browser.cookie = Some(forged.to_owned());
        assert_eq!(browser.get("/", "")["statusCode"], 303, "{forged}");
    }
    let none = Secret::of(None, None);
    let mut browser = Browser { app: function(&town, &none), cookie: None };
    assert_eq!(browser.get("/login", "")["statusCode"], 503, "without a token there is no way in");
    assert_eq!(browser.get("/", "")["statusCode"], 303);
}

#[test]
fn a_page_is_compressed_for_who_takes_it_and_the_same_for_fifteen_seconds() {
    let town = Town::new();
    let secret = Secret::of(Some(TOKEN), Some(TOKEN));
    let mut browser = Browser { app: function(&town, &secret), cookie: None };
    let headers = |more: (&'static str, &'static str)| [("authorization", BEARER), more];
    let plain = browser.send("GET", "/areas/us/wa/king", "", &headers(("accept-encoding", "br, gzip;q=0")), None);
    assert_eq!(plain["isBase64Encoded"], false);
    let packed = browser.send("GET", "/areas/us/wa/king", "", &headers(("accept-encoding", "br, gzip")), None);
    assert_eq!((&packed["isBase64Encoded"], &packed["headers"]["content-encoding"]), (&true.into(), &"gzip".into()));
    assert_eq!(body_of(&packed), body_of(&plain));
    let tag: &'static str = plain["headers"]["etag"].as_str().unwrap().to_owned().leak();
    assert_eq!(packed["headers"]["etag"], tag);
    let known = browser.send("GET", "/areas/us/wa/king", "", &headers(("if-none-match", tag)), None);
    assert_eq!((&known["statusCode"], &known["body"]), (&304.into(), &"".into()));
}
