//! The api function: from events to responses, and the token that it reads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::small_town::{BEARER, TOKEN, Town, block_on, now};
use serde_json::Value;
use serde_json::value::RawValue;
use stoop_api::{App, ReadToken, Recency};
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;

/// The api function on this town, with a token from `secret`; counts how often it is read again.
fn function<'a>(town: &'a Town, secret: &'a Secret) -> App<'a> {
    let read: ReadToken<'a> = Box::new(move |recency| {
        let afresh = recency == Recency::Afresh;
        secret.afresh.fetch_add(usize::from(afresh), Ordering::SeqCst);
        let text = if afresh { &secret.now } else { &secret.remembered };
        let text = text.clone().ok_or_else(|| PortError::new("GetSecretValue stoop-token", "AccessDenied"));
        Box::pin(std::future::ready(text))
    });
    App::new(town.api(), read)
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
fn invoke(app: &App<'_>, event: &str) -> Value {
    let event: Box<RawValue> = serde_json::from_str(event).unwrap();
    let deadline = now().plus_ms(10 * Time::SECOND_MS);
    serde_json::to_value(block_on(app.handle(&event, now(), deadline))).unwrap()
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
        assert_eq!(answered["body"].as_str().unwrap().as_bytes(), expected.body, "{event}");
        assert_eq!(answered["headers"]["content-type"], "application/json");
        assert_eq!(answered["isBase64Encoded"], false);
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
        assert_eq!(body["error"]["code"], "bad_event");
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
    let app = App::new(town.api(), Box::new(|_| Box::pin(std::future::pending())));
    let event: Box<RawValue> = serde_json::from_str(&sample("api-function-url.json")).unwrap();
    let answered = block_on(app.handle(&event, now(), now().plus_ms(510)));
    assert_eq!(answered.status_code, 504);
}
