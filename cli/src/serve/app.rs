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
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pages::{Access, FORM_BYTES_MAX, Tokens, Web, WebRequest};
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;
use stoop_serve::api::ApiResponse;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;

use super::access::ServerAccess;
use super::alerts;
use super::asked::{ReceivedRequest, client, presented, request};
use super::controls::{ServedControls, ServedRulings};
use super::events;
use super::listeners::Listeners;
use super::metrics::{self, ServerMeter};
use super::rate::Rates;
use super::readers::{NotRead, Readers};
use super::remembered::{Look, Remembered};
use super::sending::{Sending, TooMuch};
use crate::views::newest_moment;

/// The address of the client, or of its proxy.
type Peer = ConnectInfo<SocketAddr>;

/// The handles of the database.
pub(super) struct Handles {
    /// Of pages and the API.
    pub(super) answers: Arc<Readers>,
    /// Of `/metrics`, which is answered while others wait.
    pub(super) metrics: Arc<Readers>,
    /// Of events, and of requests that write.
    pub(super) events: Arc<Database>,
}

/// What every request needs.
pub(super) struct App {
    handles: Handles,
    versions: watch::Receiver<Look>,
    access: ServerAccess,
    /// The values of `Host` that are answered; `None` for all.
    hosts: Option<[String; 2]>,
    remembered: Mutex<Remembered>,
    meter: Arc<ServerMeter>,
    requests: Rates,
    wrong_tokens: Rates,
    sending: Sending,
    listeners: Listeners,
}

impl App {
    pub(super) fn new(
        handles: Handles,
        versions: watch::Receiver<Look>,
        address: SocketAddr,
        access: ServerAccess,
        meter: Arc<ServerMeter>,
    ) -> Arc<Self> {
        let hosts = access.hosts(address);
        Arc::new(Self {
            handles,
            versions,
            access,
            hosts,
            remembered: Mutex::default(),
            meter,
            requests: Rates::of_requests(),
            wrong_tokens: Rates::of_wrong_tokens(),
            sending: Sending::default(),
            listeners: Listeners::default(),
        })
    }

    async fn answer(self: &Arc<Self>, asked: ReceivedRequest, client: &str) -> Arc<ApiResponse> {
        let request = asked.request();
        let overdue = self.meter.searches_overdue();
        if request.path == "/health" && asked.is_read() && overdue > 0 {
            let message = format!("{overdue} searches should have been polled more than 5 minutes ago");
            return Arc::new(ApiResponse::error(503, "searches_overdue", &message));
        }
        let tokens = self.access.tokens();
        if let Some(wait) = tokens.as_ref().and_then(|tokens| self.too_many(&request, tokens, client).err()) {
            return Arc::new(too_many(wait));
        }
        if request.is_open() {
            // Reads nothing, so it need not wait for a reader.
            return Arc::new(
                answered(&self.handles.events, &request, tokens.as_ref(), None).unwrap_or_else(unreadable),
            );
        }
        let is_for_all = match &tokens {
            None => asked.is_read(),
            Some(tokens) => request.is_for_all() && request.is_valid(tokens, SystemClock.now()),
        };
        if is_for_all {
            return self.remembered(asked).await;
        }
        let answer = if asked.is_read() {
            let read = move |database: &Database| read(database, &asked.request(), tokens.as_ref());
            self.handles.answers.read(read).await
        } else {
            // Other requests are answered while a write waits.
            let database = Arc::clone(&self.handles.events);
            let write = move || {
                let now = newest_moment(&database)?;
                answered(&database, &asked.request(), tokens.as_ref(), now)
            };
            let written = tokio::task::spawn_blocking(move || write().unwrap_or_else(unreadable)).await;
            self.lock().forget(Instant::now());
            written.map_err(|error| NotRead::Failed(error.into()))
        };
        Arc::new(answer.unwrap_or_else(|error| self.not_read(error)))
    }

    /// An error with the wait for a token that makes too many requests, also by its sessions, and for a client that presents
    /// too many wrong tokens. That client's are not looked at any more.
    fn too_many(&self, request: &WebRequest<'_>, tokens: &Tokens, client: &str) -> Result<(), Duration> {
        let now = Instant::now();
        if request.presents_token() {
            self.wrong_tokens.check(client, now)?;
        }
        match request.token(tokens, SystemClock.now()) {
            Some(token) => self.requests.admit(&token.name, now),
            None if !request.presents_token() || request.is_valid(tokens, SystemClock.now()) => Ok(()),
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

    /// The answer to a visitor who is admitted, remembered as long as [`Remembered`] says.
    async fn remembered(self: &Arc<Self>, asked: ReceivedRequest) -> Arc<ApiResponse> {
        let (key, asked) = (asked.whole().key(), Arc::new(asked));
        let answer = match self.known(&key) {
            Some(answer) => answer,
            None => {
                let (app, asked) = (Arc::clone(self), Arc::clone(&asked));
                let read = self.handles.answers.read(move |database| app.read_and_keep(database, &asked, key)).await;
                read.unwrap_or_else(|error| Arc::new(self.not_read(error)))
            }
        };
        let request = asked.request();
        if request.method == "HEAD" || answer.is_known(request.if_none_match) {
            return Arc::new(answer.without_body(request.if_none_match));
        }
        answer
    }

    fn known(&self, key: &str) -> Option<Arc<ApiResponse>> {
        self.lock().get(key, *self.versions.borrow(), Instant::now())
    }

    fn read_and_keep(&self, database: &Database, asked: &ReceivedRequest, key: String) -> Arc<ApiResponse> {
        // Somebody else may have read it while this one waited.
        if let Some(known) = self.known(&key) {
            return known;
        }
        let (look, began) = (*self.versions.borrow(), Instant::now());
        let mut answer = read(database, &asked.whole(), None);
        answer.body.shrink_to_fit();
        let answer = Arc::new(answer);
        if answer.status < 400 {
            self.lock().keep(key, &answer, look, began);
        }
        answer
    }

    fn not_read(&self, error: NotRead) -> ApiResponse {
        match error {
            NotRead::Failed(error) => unreadable(error),
            NotRead::Busy => {
                self.meter.refused();
                let message = "too many requests wait already; accepted: the same after Retry-After seconds";
                let mut response = ApiResponse::error(503, "busy", message);
                response.headers.push(("retry-after", "1".to_owned()));
                response
            }
        }
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
    let Some(place) = app.listeners.place() else { return converted(&app.not_read(NotRead::Busy)) };
    let (versions, viewer) = (app.versions.clone(), app.meter.view());
    events::stream(versions, (viewer, place), still_admitted(app, uri, &headers)).into_response()
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
    let Some(place) = app.listeners.place() else { return converted(&app.not_read(NotRead::Busy)) };
    let (database, versions) = (Arc::clone(&app.handles.events), app.versions.clone());
    let reads = Arc::clone(&app.listeners.reads);
    let ledger = alerts::Ledger { database, reads };
    match alerts::stream(ledger, versions, last, place, still_admitted(app, uri, &headers)).await {
        Ok(stream) => stream.into_response(),
        Err(error) => converted(&unreadable(error)),
    }
}

/// Whether a client that listens may go on: its token may be revoked meanwhile, or its session end.
fn still_admitted(app: Arc<App>, uri: Uri, headers: &HeaderMap) -> impl Fn() -> bool + Send + 'static {
    let headers = presented(headers);
    move || not_admitted(&app, &uri, &headers).is_none()
}

/// Read anew for each request: the lag grows while the database stays the same.
async fn metrics(State(app): State<Arc<App>>, ConnectInfo(peer): Peer, uri: Uri, headers: HeaderMap) -> Response<Body> {
    if let Some(refusal) = app.kept_out(peer, &uri, &headers) {
        return refusal;
    }
    let began = Instant::now();
    let now = SystemClock.now();
    let meter = Arc::clone(&app.meter);
    let read = app.handles.metrics.read(move |database| {
        database.reading(|| {
            let text = metrics::text(database, &meter, now).now_or_never();
            text.context("a read of the database waits for something")?.map_err(anyhow::Error::from)
        })
    });
    let answer = match read.await {
        Ok(Ok(text)) => ApiResponse {
            status: 200,
            headers: vec![("content-type", metrics::MEDIA_TYPE.to_owned()), ("cache-control", "no-store".to_owned())],
            body: text.into_bytes(),
        },
        Ok(Err(error)) => unreadable(error),
        Err(error) => app.not_read(error),
    };
    app.meter.answered(answer.status, began.elapsed(), answer.body.len());
    converted(&answer)
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
    let client = client(peer, &headers);
    let answer = app.answer(ReceivedRequest { method, uri, headers, body }, &client).await;
    let (answer, body) = match app.sending.body(&answer) {
        Ok(body) => (answer, body),
        Err(TooMuch) => {
            let busy = app.not_read(NotRead::Busy);
            let body = Body::from(busy.body.clone());
            (Arc::new(busy), body)
        }
    };
    app.meter.answered(answer.status, began.elapsed(), answer.body.len());
    with_headers(&answer, body)
}

/// Reads everything of an answer as of one moment.
fn read(database: &Database, request: &WebRequest<'_>, tokens: Option<&Tokens>) -> ApiResponse {
    let read = database.reading(|| answered(database, request, tokens, newest_moment(database)?));
    read.unwrap_or_else(unreadable)
}

/// The answer at `now`, the moment that is shown. What writes waits for other writers.
fn answered(
    database: &Database,
    request: &WebRequest<'_>,
    tokens: Option<&Tokens>,
    now: Option<Time>,
) -> anyhow::Result<ApiResponse> {
    let access = tokens.map_or(Access::Everyone, |tokens| Access::WithToken(Some(tokens)));
    let controls = ServedControls(database);
    let rulings = ServedRulings(database);
    let web = Web::new(database, database, database, database).with_controls(&controls).with_rulings(&rulings);
    // Calls to SQLite end before they return.
    let answer = web.answer(*request, access, SystemClock.now(), now).now_or_never();
    answer.context("a read of the database waits for something")
}

fn too_many(wait: Duration) -> ApiResponse {
    let message = "too many requests of this token, or wrong tokens; accepted: the same after Retry-After seconds";
    let mut response = ApiResponse::error(429, "too_many_requests", message);
    response.headers.push(("retry-after", wait.as_secs().saturating_add(1).to_string()));
    response
}

fn unreadable(error: anyhow::Error) -> ApiResponse {
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
    with_headers(answer, Body::from(answer.body.clone()))
}

fn with_headers(answer: &ApiResponse, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        match HeaderValue::from_str(value) {
            Ok(value) => drop(response.headers_mut().insert(HeaderName::from_static(name), value)),
            Err(_) => tracing::error!(name, value, "a header that HTTP does not allow was left out"),
        }
    }
    response
}

#[cfg(test)]
mod tests;
