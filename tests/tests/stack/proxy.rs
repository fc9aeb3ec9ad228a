//! A proxy on loopback between a function and the endpoint, which fails on request.
//!
//! A request is forwarded unchanged except for its `Host`, which names the endpoint: emulators do not check signatures.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};
use stoop_waits::{PATIENCE, within};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The fate of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is forwarded.
    Forward,
    /// It is not forwarded, and gets this response: a status and JSON, or XML if the text begins like that.
    Answer(u16, String),
    /// Each of its records is refused, like Firehose does: status 200, and an error for each entry.
    RefuseRecords,
    /// It hangs.
    Hang,
    /// It is forwarded, and gets no response.
    ForwardAndHang,
    /// It is forwarded, and its response is replaced by an error.
    ForwardAndFail,
}

/// Decides the fate of a request by its operation (`TransactWriteItems`, `PublishBatch`, `PUT /bucket/key`) and its
/// body.
type Rule = Box<dyn FnMut(&str, &str) -> Fate + Send>;

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    upstream: String,
    http: reqwest::Client,
    rule: Mutex<Rule>,
    /// The operations that were not simply forwarded.
    struck: Mutex<Vec<String>>,
    /// Notified of each of those.
    strike: Notify,
}

impl Proxy {
    /// A proxy that forwards everything.
    pub(crate) async fn start(upstream: &str) -> Self {
        let subscriber = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}", subscriber.local_addr().unwrap());
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            http: reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap(),
            rule: Mutex::new(Box::new(|_, _| Fate::Forward)),
            struck: Mutex::default(),
            strike: Notify::new(),
        });
        let routes = Router::new().fallback(pass).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move { drop(axum::serve(subscriber, routes).await) });
        Self { url, shared, server }
    }

    /// From now on this rule decides.
    pub(crate) fn fail(&self, rule: impl FnMut(&str, &str) -> Fate + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// From now on everything is forwarded.
    pub(crate) fn heal(&self) {
        self.fail(|_, _| Fate::Forward);
        self.shared.struck.lock().unwrap().clear();
    }

    /// The operations that were not simply forwarded since the last [`Proxy::heal`].
    pub(crate) fn struck(&self) -> Vec<String> {
        self.shared.struck.lock().unwrap().clone()
    }

    /// Returns once a request was not simply forwarded.
    pub(crate) async fn strikes(&self) {
        within("a fault of the proxy", async {
            while self.struck().is_empty() {
                self.shared.strike.notified().await;
            }
        })
        .await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn pass(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = String::from_utf8_lossy(&body).into_owned();
    let operation = operation(&method, &uri, &headers, &text);
    let fate = (shared.rule.lock().unwrap())(&operation, &text);
    if !matches!(fate, Fate::Forward) {
        // Waiters are notified only after the endpoint has it.
        if matches!(fate, Fate::ForwardAndHang | Fate::ForwardAndFail) {
            drop(shared.forward(&method, &uri, &headers, body.clone()).await);
        }
        shared.struck.lock().unwrap().push(operation);
        shared.strike.notify_one();
    }
    match fate {
        Fate::Forward => shared.forward(&method, &uri, &headers, body).await,
        Fate::Answer(status, text) => answer(status, text),
        Fate::RefuseRecords => answer(200, refusal(&text)),
        Fate::ForwardAndFail => {
            answer(500, "<Error><Code>InternalFailure</Code><Message>made up</Message></Error>".into())
        }
        Fate::Hang | Fate::ForwardAndHang => std::future::pending().await,
    }
}

impl Shared {
    async fn forward(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Response {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.upstream));
        for (name, value) in headers.iter().filter(|(name, _)| **name != header::HOST) {
            request = request.header(name, value);
        }
        match request.body(body).send().await {
            Ok(answer) => {
                let mut response = Response::builder().status(answer.status());
                for (name, value) in answer.headers() {
                    // The length is that of the forwarded body, whatever its encoding was.
                    if ![header::TRANSFER_ENCODING, header::CONNECTION, header::CONTENT_LENGTH].contains(name) {
                        response = response.header(name, value);
                    }
                }
                let length = answer.headers().get(header::CONTENT_LENGTH).cloned();
                let body = answer.bytes().await.unwrap_or_default();
                // A HEAD response has a length and no body.
                if let Some(length) = length.filter(|_| *method == Method::HEAD) {
                    response = response.header(header::CONTENT_LENGTH, length);
                }
                response.body(Body::from(body)).unwrap()
            }
            Err(error) => answer(502, json!({"message": format!("the endpoint does not answer: {error}")}).to_string()),
        }
    }
}

fn operation(method: &Method, uri: &Uri, headers: &HeaderMap, body: &str) -> String {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if let Some((_, operation)) = target.and_then(|target| target.rsplit_once('.')) {
        return operation.to_owned();
    }
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    action.map_or_else(|| format!("{method} {}", uri.path()), str::to_owned)
}

fn answer(status: u16, text: String) -> Response {
    let kind = if text.starts_with('<') { "text/xml" } else { "application/x-amz-json-1.0" };
    Response::builder().status(status).header(header::CONTENT_TYPE, kind).body(Body::from(text)).unwrap()
}

fn refusal(request: &str) -> String {
    let request: Value = serde_json::from_str(request).unwrap();
    let count = request["Records"].as_array().map_or(0, Vec::len);
    let entry = json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."});
    json!({"FailedPutCount": count, "Encrypted": false, "RequestResponses": vec![entry; count]}).to_string()
}

/// DynamoDB's response when a table is throttled.
pub(crate) fn throttled() -> Fate {
    let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    Fate::Answer(
        400,
        json!({"__type": kind, "message": "The level of configured provisioned throughput ..."}).to_string(),
    )
}

/// An internal error of SNS.
pub(crate) fn internal_failure() -> Fate {
    let text = "<ErrorResponse><Error><Type>Receiver</Type><Code>InternalFailure</Code><Message>made up</Message></Error></ErrorResponse>";
    Fate::Answer(500, text.into())
}
