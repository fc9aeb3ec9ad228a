use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::FutureExt;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pages::{Site, SiteRequest};
use stoop_pipeline::Clock;
use stoop_pipeline::serve::api::{Api, ApiRequest, ApiResponse};
use stoop_runtime::SystemClock;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use super::events;
use super::metrics::{self, ServerMeter};
use crate::views::newest_moment;

/// The bytes of remembered answers.
const REMEMBERED_BYTES_MAX: usize = 64 << 20;

/// What every request needs.
pub(super) struct App {
    database: Arc<Database>,
    versions: watch::Receiver<u64>,
    /// The values of `Host` that this server has. Others come from pages elsewhere whose names were made to lead here
    /// (DNS rebinding).
    hosts: [String; 2],
    remembered: Mutex<Remembered>,
    meter: Arc<ServerMeter>,
}

/// The answers for one version of the database.
#[derive(Default)]
struct Remembered {
    version: u64,
    bytes: usize,
    answers: HashMap<String, Arc<ApiResponse>>,
}

impl App {
    pub(super) fn new(database: Arc<Database>, versions: watch::Receiver<u64>, address: SocketAddr) -> Arc<Self> {
        let hosts = [address.to_string(), format!("localhost:{}", address.port())];
        Arc::new(Self { database, versions, hosts, remembered: Mutex::default(), meter: Arc::default() })
    }

    /// The answer to a `GET` or `HEAD`, remembered until the database changes.
    fn answer(&self, method: &str, uri: &Uri, if_none_match: Option<&str>) -> Arc<ApiResponse> {
        let version = *self.versions.borrow();
        let key = format!("{method} {uri} {}", if_none_match.unwrap_or_default());
        if let Some(known) = self.lock().get(version, &key) {
            return known;
        }
        let answer = Arc::new(self.read(method, uri, if_none_match));
        if answer.status < 400 {
            self.lock().keep(version, key, &answer);
        }
        answer
    }

    /// Reads everything of an answer as of one moment.
    fn read(&self, method: &str, uri: &Uri, if_none_match: Option<&str>) -> ApiResponse {
        let read = self.database.reading(|| {
            let now = newest_moment(&self.database)?;
            // Calls to SQLite end before they return.
            let answer = self.answer_at(method, uri, if_none_match, now).now_or_never();
            answer.context("a read of the database waits for something")
        });
        read.unwrap_or_else(|error| unreadable(&error))
    }

    async fn answer_at(&self, method: &str, uri: &Uri, if_none_match: Option<&str>, now: Option<Time>) -> ApiResponse {
        let database = &*self.database;
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        if Site::is_of_api(path) {
            let request = ApiRequest { method, path, query, authorization: None };
            return Api::new(database, database, database).answer_all(request, now.unwrap_or_default()).await;
        }
        let request = SiteRequest { method, path, query, if_none_match };
        Site::new(database, database, database, database).answer(request, now).await
    }

    /// A panic elsewhere leaves whole answers.
    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn get(&self, version: u64, key: &str) -> Option<Arc<ApiResponse>> {
        self.answers.get(key).filter(|_| self.version == version).cloned()
    }

    fn keep(&mut self, version: u64, key: String, answer: &Arc<ApiResponse>) {
        let bytes = key.len() + answer.body.len();
        if self.version != version || self.bytes + bytes > REMEMBERED_BYTES_MAX {
            *self = Self { version, ..Self::default() };
        }
        self.bytes += bytes;
        self.answers.insert(key, Arc::clone(answer));
    }
}

/// The pages, the API, the metrics, and the events of open pages.
pub(super) fn router(app: Arc<App>) -> Router {
    let routes = Router::new().route("/events", get(listen)).route("/metrics", get(metrics));
    routes.fallback(answer).layer(CompressionLayer::new()).with_state(app)
}

async fn listen(State(app): State<Arc<App>>, headers: HeaderMap) -> Response<Body> {
    match refusal(&app, &headers) {
        Some(refusal) => refusal,
        None => events::stream(app.versions.clone(), app.meter.view()).into_response(),
    }
}

/// Read anew for each request: the lag grows while the database stays the same.
async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = refusal(&app, &headers) {
        return refusal;
    }
    let began = Instant::now();
    let now = SystemClock.now();
    let read = app.database.reading(|| {
        let text = metrics::text(&app.database, &app.meter, now).now_or_never();
        Ok(text.context("a read of the database waits for something")??)
    });
    let answer = match read {
        Ok(text) => ApiResponse {
            status: 200,
            headers: vec![("content-type", metrics::MEDIA_TYPE.to_owned()), ("cache-control", "no-store".to_owned())],
            body: text.into_bytes(),
        },
        Err(error) => unreadable(&error),
    };
    app.meter.answered(answer.status, began.elapsed(), answer.body.len());
    converted(&answer)
}

async fn answer(State(app): State<Arc<App>>, method: Method, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = refusal(&app, &headers) {
        return refusal;
    }
    let if_none_match = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let began = Instant::now();
    let answer = app.answer(method.as_str(), &uri, if_none_match);
    app.meter.answered(answer.status, began.elapsed(), answer.body.len());
    converted(&answer)
}

fn unreadable(error: &anyhow::Error) -> ApiResponse {
    tracing::error!(error = format!("{error:#}"), "the database cannot be read");
    ApiResponse::error(503, "unavailable", "the database cannot be read; try again in a moment")
}

/// The answer to a request for another host.
fn refusal(app: &App, headers: &HeaderMap) -> Option<Response<Body>> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if app.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return None;
    }
    let message = format!("this server is {}; accepted: a request whose Host says so", app.hosts.join(" or "));
    Some(converted(&ApiResponse::error(421, "misdirected", &message)))
}

fn converted(answer: &ApiResponse) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(response.headers_mut().insert(HeaderName::from_static(name), value)),
            Err(_) => tracing::error!(name, value, "a header that HTTP does not allow was left out"),
        }
    }
    response
}
