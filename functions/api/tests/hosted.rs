//! The real binary under the tests' Lambda host: its log, and its behaviour after a freeze.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::time::Duration;

use serde_json::{Value, json};
use stoop_tests::host::Host;
use stoop_tests::service::{Cut, Service, lines_with};

const TIMEOUT: Duration = Duration::from_secs(60);
const SECRET: &str = "arn:aws:secretsmanager:us-east-1:000000000000:secret:ApiToken";
/// With characters that a URL escapes.
const TOKEN: &str = "a+T0k3n/for=the%API~0123456789";

async fn api(service: &Service, log: &str) -> Host {
    api_within(service, log, TIMEOUT).await
}

async fn api_within(service: &Service, log: &str, timeout: Duration) -> Host {
    service.keep_secret(SECRET, TOKEN);
    let mut environment = service.environment();
    let own = [
        ("STOOP_BUCKET", "bucket"),
        ("STOOP_HOMES_TABLE", "homes"),
        ("STOOP_MARKETS_TABLE", "markets"),
        ("STOOP_ALERTS_TABLE", "alerts"),
        ("STOOP_RUNS_TABLE", "runs"),
        ("STOOP_API_TOKEN_SECRET", SECRET),
        ("STOOP_LOG", log),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Host::start(env!("CARGO_BIN_EXE_api"), environment, timeout).await.unwrap()
}

/// A request to the function's URL, with one header.
fn request(path: &str, query: &str, header: (&str, &str)) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { header.0: header.1, "host": "abc.lambda-url.us-east-1.on.aws" },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc",
            "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "curl" },
            "requestId": "id",
            "routeKey": "$default",
            "stage": "$default",
            "time": "14/Jan/2026:12:00:00 +0000",
            "timeEpoch": 1_768_392_000_000_i64,
        },
        "isBase64Encoded": false,
    })
}

fn alerts(header: (&str, &str)) -> Value {
    request("/api/v1/alerts", "limit=5", header)
}

#[tokio::test]
async fn the_token_is_in_no_line_of_the_log_whatever_is_logged() {
    let bearer = format!("Bearer {TOKEN}");
    let encoded = "a%2BT0k3n%2Ffor%3Dthe%25API~0123456789";
    let asked = [
        (alerts(("authorization", &bearer)), 200),
        (alerts(("Authorization", &bearer)), 200),
        (alerts(("AUTHORIZATION", &bearer)), 200),
        (alerts(("authorization", TOKEN)), 401),
        (alerts(("x-api-key", TOKEN)), 401),
        // The token in the query: the request is refused, and the log does not show the token.
        (request("/api/v1/alerts", &format!("token={encoded}"), ("authorization", &bearer)), 400),
        (request("/api/v1/alerts", &format!("token={TOKEN}"), ("accept", "*/*")), 401),
        (json!({ "headers": { "authorization": bearer } }), 400),
    ];
    for log in ["trace", "debug", "trace,lambda_runtime=trace,aws_smithy_runtime=trace,aws_sigv4=trace,hyper=trace"] {
        let service = Service::start().await.unwrap();
        let host = api(&service, log).await;
        for (event, status) in &asked {
            assert_eq!(host.invoke(event).await.unwrap()["statusCode"], *status, "{event}\n{}", host.log().join("\n"));
        }
        host.wait_for_log(0, "the event is not a request").await.unwrap();
        host.wait_for_log(0, "\"query\":\"limit=5\"").await.unwrap();
        let lines = host.log();
        assert_eq!(lines_with(&lines, TOKEN), Vec::<&str>::new(), "{log}");
        for secret in ["test-secret-access-key", "test-session-token"] {
            assert_eq!(lines_with(&lines, secret), Vec::<&str>::new(), "{log}");
        }
        assert!(lines.iter().any(|line| line.contains("DEBUG") && line.contains("rpc.method")), "{log} names calls");
    }
}

#[tokio::test]
async fn a_request_after_a_freeze_is_answered_though_every_connection_is_gone() {
    for how in [Cut::Closed, Cut::Reset] {
        let service = Service::start().await.unwrap();
        let host = api(&service, "info").await;
        let (bearer, mut reused) = (format!("Bearer {TOKEN}"), 0);
        for _ in 0..10 {
            let response = host.invoke(&alerts(("authorization", &bearer))).await.unwrap();
            assert_eq!(response["statusCode"], 200, "{how:?}: {}", host.log().join("\n"));
            host.freeze().await;
            reused += service.line().cut(how).await;
        }
        assert!(reused >= 10, "{how:?}: connections were kept for the next invocation, {reused} in all");
        assert_eq!(std::fs::read_dir(host.temporary()).unwrap().count(), 0, "it keeps no temporary files");
    }
}

#[tokio::test]
async fn a_request_whose_connection_swallows_it_is_answered_in_the_time_that_the_function_has() {
    let service = Service::start().await.unwrap();
    // The template's timeout. One attempt of the SDK may take ten seconds of it.
    let host = api_within(&service, "info", Duration::from_secs(15)).await;
    let bearer = format!("Bearer {TOKEN}");
    host.invoke(&alerts(("authorization", &bearer))).await.unwrap();
    host.freeze().await;
    assert!(service.line().cut(Cut::Silent).await > 0);
    let response = host.invoke(&alerts(("authorization", &bearer))).await.unwrap();
    assert_eq!(response["statusCode"], 200, "{response}: {}", host.log().join("\n"));
}
