use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value;
use stoop_aws::Clients;
use stoop_domain::Time;
use stoop_pipeline::Clock;

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) method: Method,
    /// The path and the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl ReceivedRequest {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A response.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl ToString) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string().into() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// An error of the JSON protocols.
    pub(crate) fn json_error(status: u16, code: &str, message: &str) -> Self {
        Self::new(status, serde_json::json!({"__type": code, "message": message}))
    }

    /// An error of S3.
    pub(crate) fn s3_error(status: u16, code: &str) -> Self {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as documented</Message></Error>");
        Self::new(status, body)
    }
}

type Script = Mutex<Box<dyn FnMut(usize, &ReceivedRequest) -> Answer + Send>>;

/// A service that answers by its script.
pub(crate) struct Service {
    pub(crate) clients: Clients,
    asked: Arc<Mutex<Vec<ReceivedRequest>>>,
}

impl Service {
    /// Answers each request, by its index from 0. Lives as long as the test's runtime.
    pub(crate) async fn start(script: impl FnMut(usize, &ReceivedRequest) -> Answer + Send + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(Mutex::new(Box::new(script)));
        let app = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let app = app.with_state((asked.clone(), script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let clients = Clients::from_variables(|name| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
            "AWS_REGION" => Some("us-east-1".into()),
            "AWS_SESSION_TOKEN" => None,
            _ => Some("test".into()),
        });
        Self { clients: clients.unwrap(), asked }
    }

    pub(crate) fn asked(&self) -> Vec<ReceivedRequest> {
        self.asked.lock().unwrap().clone()
    }
}

type Shared = (Arc<Mutex<Vec<ReceivedRequest>>>, Arc<Script>);

async fn answer(
    State((all, script)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let asked = ReceivedRequest { method, path: uri.to_string(), headers, body };
    let index = {
        let mut all = all.lock().unwrap();
        all.push(asked.clone());
        all.len() - 1
    };
    let answer = (script.lock().unwrap())(index, &asked);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}

/// A clock that only moves for its sleepers and when a test moves it.
#[derive(Debug, Default)]
pub(crate) struct Still {
    now_ms: AtomicI64,
    sleeps: Mutex<Vec<u64>>,
}

impl Still {
    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn sleeps(&self) -> Vec<u64> {
        self.sleeps.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Time {
        Time::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    async fn sleep(&self, ms: u64) {
        self.sleeps.lock().unwrap().push(ms);
        self.pass(ms.cast_signed());
    }
}
