use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::FutureExt;
use stoop_embedded::Database;
use stoop_pages::{Access, FORM_BYTES_MAX, Tokens, Web, WebRequest};
use stoop_pipeline::Clock;
use stoop_pipeline::serve::api::ApiResponse;
use stoop_runtime::SystemClock;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use super::access::ServerAccess;
use super::alerts;
use super::controls::ServedControls;
use super::events;
use super::metrics::{self, ServerMeter};
use super::rate::{self, Rates};
use super::remembered::Remembered;
use crate::views::newest_moment;

/// The address of the client, or of its proxy.
type Peer = ConnectInfo<SocketAddr>;

/// What every request needs.
pub(super) struct App {
    database: Arc<Database>,
    versions: watch::Receiver<u64>,
    access: ServerAccess,
    /// The values of `Host` that are answered; `None` for all.
    hosts: Option<[String; 2]>,
    remembered: Mutex<Remembered>,
    meter: Arc<ServerMeter>,
    requests: Rates,
    wrong_tokens: Rates,
}

impl App {
    pub(super) fn new(
        database: Arc<Database>,
        versions: watch::Receiver<u64>,
        address: SocketAddr,
        access: ServerAccess,
        meter: Arc<ServerMeter>,
    ) -> Arc<Self> {
        let hosts = access.hosts(address);
        Arc::new(Self {
            database,
            versions,
            access,
            hosts,
            remembered: Mutex::default(),
            meter,
            requests: Rates::of_requests(),
            wrong_tokens: Rates::of_wrong_tokens(),
        })
    }

    fn answer(&self, request: &WebRequest<'_>, client: &str) -> Arc<ApiResponse> {
        let overdue = self.meter.searches_overdue();
        if request.path == "/health" && is_read(request.method) && overdue > 0 {
            let message = format!("{overdue} searches should have been polled more than 5 minutes ago");
            return Arc::new(ApiResponse::error(503, "searches_overdue", &message));
        }
        let tokens = self.access.tokens();
        if let Some(wait) = tokens.as_ref().and_then(|tokens| self.too_many(request, tokens, client).err()) {
            return Arc::new(too_many(wait));
        }
        match tokens {
            None if is_read(request.method) => self.remembered(request),
            None => Arc::new(self.read(request, Access::Everyone)),
            Some(tokens) if request.is_for_all() && request.is_valid(&tokens, SystemClock.now()) => {
                self.remembered(request)
            }
            Some(tokens) => Arc::new(self.read(request, Access::WithToken(Some(&tokens)))),
        }
    }

    /// An error with the wait for a token that makes too many requests, and for a client that presents too many wrong ones.
    /// That client's are not looked at any more.
    fn too_many(&self, request: &WebRequest<'_>, tokens: &Tokens, client: &str) -> Result<(), Duration> {
        let now = Instant::now();
        if !request.presents_something() {
            return Ok(());
        }
        self.wrong_tokens.check(client, now)?;
        match request.token(tokens, SystemClock.now()) {
            Some(token) => self.requests.admit(&token.name, now),
            None if request.is_valid(tokens, SystemClock.now()) => Ok(()),
            None => self.wrong_tokens.admit(client, now),
        }
    }

    /// The answer to who may not see what is neither a page nor the API, or asks too often.
    fn kept_out(&self, peer: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
        let tokens = self.access.tokens();
        let request = request(&Method::GET, uri, headers, &[]);
        let checked = tokens.map_or(Ok(()), |tokens| self.too_many(&request, &tokens, &client(peer, headers)));
        checked.err().map(|wait| converted(&too_many(wait))).or_else(|| not_admitted(self, uri, headers))
    }

    /// The answer to a visitor who is admitted, remembered until the database changes.
    fn remembered(&self, request: &WebRequest<'_>) -> Arc<ApiResponse> {
        let version = *self.versions.borrow();
        let whole = WebRequest { method: "GET", if_none_match: None, ..*request };
        let key = whole.key();
        let known = self.lock().get(version, &key);
        let answer = known.unwrap_or_else(|| {
            let mut answer = self.read(&whole, Access::Everyone);
            answer.body.shrink_to_fit();
            let answer = Arc::new(answer);
            if answer.status < 400 {
                self.lock().keep(version, key, &answer);
            }
            answer
        });
        if request.method == "HEAD" || answer.is_known(request.if_none_match) {
            return Arc::new(answer.without_body(request.if_none_match));
        }
        answer
    }

    /// Reads everything of an answer as of one moment; not of one that writes, which waits for other writers.
    fn read(&self, request: &WebRequest<'_>, access: Access<'_>) -> ApiResponse {
        let database = &*self.database;
        let answered = || {
            let now = newest_moment(database)?;
            let controls = ServedControls(database);
            let web = Web::new(database, database, database, database).with_controls(&controls);
            // Calls to SQLite end before they return.
            let answer = web.answer(*request, access, SystemClock.now(), now).now_or_never();
            answer.context("a read of the database waits for something")
        };
        let read = if is_read(request.method) { database.reading(answered) } else { answered() };
        read.unwrap_or_else(|error| unreadable(&error))
    }

    /// A panic elsewhere leaves whole answers.
    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pages, the API, the metrics, and the events of open pages.
pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/events", get(listen))
        .route("/api/v1/events", get(listen_to_alerts))
        .route("/metrics", get(metrics))
        .fallback(answer)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(CompressionLayer::new())
        .with_state(app)
}

async fn listen(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = app.kept_out(peer, &uri, &headers) {
        return refusal;
    }
    let (versions, viewer) = (app.versions.clone(), app.meter.view());
    events::stream(versions, viewer, still_admitted(app, uri, headers)).into_response()
}

/// The alerts as they are recorded, for programs.
async fn listen_to_alerts(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if let Some(refusal) = app.kept_out(peer, &uri, &headers) {
        return refusal;
    }
    let last = match headers.get("last-event-id").map(|id| id.to_str().ok().and_then(|id| id.parse().ok())) {
        None => None,
        Some(Some(position)) => Some(position),
        Some(None) => {
            let message = "Last-Event-ID is not one of these events; accepted: the id of an event, or none";
            return converted(&ApiResponse::error(400, "bad_event_id", message));
        }
    };
    let (database, versions) = (Arc::clone(&app.database), app.versions.clone());
    match alerts::stream(database, versions, last, still_admitted(app, uri, headers)) {
        Ok(stream) => stream.into_response(),
        Err(error) => converted(&unreadable(&error.into())),
    }
}

/// Whether a client that listens may go on: its token may be revoked meanwhile, or its session end.
fn still_admitted(app: Arc<App>, uri: Uri, headers: HeaderMap) -> impl Fn() -> bool + Send + 'static {
    move || not_admitted(&app, &uri, &headers).is_none()
}

/// Read anew for each request: the lag grows while the database stays the same.
async fn metrics(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = app.kept_out(peer, &uri, &headers) {
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

fn client(peer: SocketAddr, headers: &HeaderMap) -> String {
    let told = headers.get_all("x-forwarded-for").iter().next_back().and_then(|told| told.to_str().ok());
    rate::client(peer.ip(), told)
}

/// The answer to who may not see what is neither a page nor the API.
fn not_admitted(app: &App, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
    if let Some(refusal) = refusal(app, uri, headers) {
        return Some(refusal);
    }
    let tokens: Tokens = app.access.tokens()?;
    let message = "accepted: a token, or a session of /login";
    let is_valid = request(&Method::GET, uri, headers, &[]).is_valid(&tokens, SystemClock.now());
    (!is_valid).then(|| converted(&ApiResponse::error(401, "unauthorized", message)))
}

async fn answer(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): Peer,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    if let Some(refusal) = refusal(&app, &uri, &headers) {
        return refusal;
    }
    let began = Instant::now();
    let (answering, is_read) = (Arc::clone(&app), is_read(method.as_str()));
    let client = client(peer, &headers);
    let answer = move || answering.answer(&request(&method, &uri, &headers, &body), &client);
    let answer = if is_read {
        answer()
    } else {
        // Other requests are answered while a write waits.
        tokio::task::spawn_blocking(answer).await.unwrap_or_else(|error| Arc::new(unreadable(&error.into())))
    };
    app.meter.answered(answer.status, began.elapsed(), answer.body.len());
    converted(&answer)
}

fn request<'r>(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap, body: &'r [u8]) -> WebRequest<'r> {
    // A value that is not ASCII matches nothing.
    let header = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    WebRequest {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        host: header(header::HOST),
        authorization: header(header::AUTHORIZATION),
        cookie: header(header::COOKIE),
        origin: header(header::ORIGIN),
        fetch_site: header(HeaderName::from_static("sec-fetch-site")),
        fetch_mode: header(HeaderName::from_static("sec-fetch-mode")),
        accept: header(header::ACCEPT),
        if_none_match: header(header::IF_NONE_MATCH),
        body,
        // A proxy in front of this server tells. Whoever lies about it gets a cookie that a browser does not send.
        is_https: header(HeaderName::from_static("x-forwarded-proto")) == Some("https"),
    }
}

fn is_read(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

fn too_many(wait: Duration) -> ApiResponse {
    let message = "too many requests of this token, or wrong tokens; accepted: the same after Retry-After seconds";
    let mut response = ApiResponse::error(429, "too_many_requests", message);
    response.headers.push(("retry-after", wait.as_secs().saturating_add(1).to_string()));
    response
}

fn unreadable(error: &anyhow::Error) -> ApiResponse {
    tracing::error!(error = format!("{error:#}"), "the database cannot be read");
    ApiResponse::error(503, "unavailable", "the database cannot be read; try again in a moment")
}

/// The answer to a request for another host, or that a page of another site makes.
fn refusal(app: &App, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
    if request(&Method::GET, uri, headers, &[]).is_fetched_elsewhere() {
        let message = "a page of another site asks; accepted: a link that somebody follows, or a program";
        return Some(converted(&ApiResponse::error(403, "cross_site", message)));
    }
    let hosts = app.hosts.as_ref()?;
    let mut named = headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let host = named.next().unwrap_or_default();
    if named.next().is_none() && hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
        return None;
    }
    let message = format!("this server is {}; accepted: a request whose Host says so", hosts.join(" or "));
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
