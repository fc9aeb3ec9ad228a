//! The JSON API under `/api/v1/`, without an HTTP framework: from the parts of a request to the parts of a response.
//! `docs/API.md` documents each route for its users.
//!
//! Every response has a JSON body, or CSV if the client prefers that and the answer has rows. Only `/health` answers everyone; who may do more is the caller's to say ([`Grant`]).
//!
//! It deliberately has no sessions and no streaming, and writes only what people ask of searches.

mod alerts;
mod answer;
mod areas;
mod catalogue;
mod compare;
mod error;
mod homes;
mod known;
mod market;
mod markets;
mod params;
mod quality;
mod quarantine;
mod runs;
mod searches;
mod token;

use serde::Serialize;
use stoop_domain::Time;

use crate::Reader;
use answer::sent;
use error::ApiError;
use known::KnownMarkets;
use params::percent_decoded;
use stoop_pipeline::ControlAction;
use stoop_pipeline::ports::{Browse, SearchControls, Store, Views, WideAreas};

pub use token::{Token, TokenError};

/// The parts of an HTTP request that a response depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApiRequest<'r> {
    /// `GET`, `HEAD` or `POST`, in capitals.
    pub method: &'r str,
    /// The path, percent-encoded as received.
    pub path: &'r str,
    /// The text after the `?`, as received; empty without one.
    pub query: &'r str,
    /// The `Authorization` header.
    pub authorization: Option<&'r str>,
    /// The `Accept` header.
    pub accept: Option<&'r str>,
    /// The `If-None-Match` header.
    pub if_none_match: Option<&'r str>,
}

impl ApiRequest<'_> {
    /// Whether it is answered without a token and without reading anything: `/health` is.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.path == "/health"
    }
}

/// The parts of an HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiResponse {
    /// The status code.
    pub status: u16,
    /// Lower-case names, and values.
    pub headers: Vec<(&'static str, String)>,
    /// At most [`BODY_BYTES_MAX`] bytes of UTF-8; empty in the response to `HEAD`.
    pub body: Vec<u8>,
}

/// The OpenAPI 3.1 document of the API.
pub const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// The longest body. Lambda takes 6 MB of response, in which this body is a JSON string: its quotes and backslashes
/// take two bytes there, so half of the 6 MB is safe.
pub const BODY_BYTES_MAX: usize = 3_000_000;

const PATH_BYTES_MAX: usize = 2_048;
const QUERY_BYTES_MAX: usize = 4_096;
const METHODS: &str = "GET, HEAD";
const CONTROLS: &str = "POST";
const ROUTES: &str = "/health, /api/v1/areas, /api/v1/markets, /api/v1/markets/AREA, /api/v1/compare, /api/v1/homes, /api/v1/homes/ID, /api/v1/alerts, /api/v1/alerts/ID, \
     /api/v1/quality, /api/v1/quarantine, /api/v1/runs, /api/v1/searches, /api/v1/searches/NAME/{poll,pause,resume}, /api/v1/catalogue, /api/v1/openapi.json";

/// The API on its ports, made once per process: it caches the names of the markets for a minute.
pub struct Api<'a> {
    reader: Reader<'a>,
    known: KnownMarkets,
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
    version: &'static str,
}

/// What a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant<'t> {
    /// Nothing: the server has no usable token.
    NoToken,
    /// Nothing: it did not present a valid token.
    Refused,
    /// Read everything.
    Read,
    /// Read everything, and control searches under this name.
    Write(&'t str),
}

/// The decoded route of a path.
enum Route {
    Areas,
    Markets,
    Market(String),
    Compare,
    Homes,
    Home(String),
    Alerts,
    Alert(String),
    Runs,
    Quality,
    Quarantine,
    Searches,
    OpenApi,
    Control(String, ControlAction),
    Catalogue,
}

impl<'a> Api<'a> {
    /// An API that answers from this state.
    #[must_use]
    pub fn new(store: &'a dyn Store, views: &'a dyn Views, areas: &'a dyn WideAreas, browse: &'a dyn Browse) -> Self {
        Self { reader: Reader { store, views, areas, browse, controls: None }, known: KnownMarkets::default() }
    }

    /// The same, with what people ask of searches. Without it searches are only listed.
    #[must_use]
    pub fn with_controls(self, controls: &'a dyn SearchControls) -> Self {
        Self { reader: Reader { controls: Some(controls), ..self.reader }, ..self }
    }

    /// Answers a request of a client that may do this. `now` is the time that is shown, `clock` the one at which
    /// somebody asks something of a search. Never fails: an error is a response, too.
    pub async fn answer(&self, request: ApiRequest<'_>, grant: Grant<'_>, clock: Time, now: Time) -> ApiResponse {
        let answered = self.answered(request, grant, clock, now).await;
        let mut response = answered.unwrap_or_else(|error| error.response());
        response.add_tag(request.if_none_match);
        if request.method == "HEAD" {
            response.body.clear();
        }
        response
    }

    async fn answered(
        &self,
        request: ApiRequest<'_>,
        grant: Grant<'_>,
        clock: Time,
        now: Time,
    ) -> Result<ApiResponse, ApiError> {
        let readable = matches!(request.method, "GET" | "HEAD");
        let only = |methods: &'static str| {
            ApiError::new(405, "method_not_allowed", format!("accepted: {methods}")).with("allow", methods)
        };
        if request.is_open() {
            let health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };
            return if readable { answer::json(&health) } else { Err(only(METHODS)) };
        }
        admit(request.authorization, grant)?;
        for (part, bytes, bytes_max) in
            [("path", request.path.len(), PATH_BYTES_MAX), ("query", request.query.len(), QUERY_BYTES_MAX)]
        {
            if bytes > bytes_max {
                let message = format!("the {part} has {bytes} bytes; accepted: at most {bytes_max}");
                return Err(ApiError::new(414, "uri_too_long", message));
            }
        }
        let route = Route::of(request.path)?;
        if let Route::Control(search, action) = &route {
            if request.method != "POST" {
                return Err(only(CONTROLS));
            }
            let Grant::Write(by) = grant else { return Err(only_reads()) };
            let view = self.control(search, *action, by, clock).await?;
            return Ok(ApiResponse { status: 202, ..answer::json(&view)? });
        }
        if !readable {
            return Err(only(METHODS));
        }
        match route {
            Route::OpenApi => Ok(ApiResponse::of(200, "application/json", OPENAPI.into())),
            Route::Areas => sent(&self.list_areas(request.query, now).await?, request),
            Route::Quarantine => sent(&self.list_quarantine(request.query).await?, request),
            Route::Quality => sent(&self.quality(request.query, now).await?, request),
            Route::Markets => sent(&self.list_markets(request.query, now).await?, request),
            Route::Market(area) => sent(&self.market(&area, request.query, now).await?, request),
            Route::Compare => sent(&self.compare(request.query, now).await?, request),
            Route::Homes => sent(&self.list_homes(request.query, now).await?, request),
            Route::Home(id) => sent(&self.home(&id, request.query, now).await?, request),
            Route::Alerts => sent(&self.list_alerts(request.query, now).await?, request),
            Route::Alert(id) => sent(&self.alert(id, request.query, now).await?, request),
            Route::Runs => sent(&self.list_runs(request.query).await?, request),
            Route::Searches => sent(&self.list_searches(request.query).await?, request),
            Route::Control(..) => Err(only(CONTROLS)),
            Route::Catalogue => sent(&catalogue::catalogue(request.query)?, request),
        }
    }
}

/// Refuses clients that may do nothing.
fn admit(authorization: Option<&str>, grant: Grant<'_>) -> Result<(), ApiError> {
    match grant {
        Grant::Read | Grant::Write(_) => Ok(()),
        Grant::NoToken => {
            let message = "this API has no token and answers only /health until it has one";
            Err(ApiError::new(503, "no_token", message))
        }
        Grant::Refused => {
            // As in RFC 6750: a client without a token does not get `invalid_token`.
            let challenge = match authorization {
                Some(_) => r#"Bearer realm="stoop", error="invalid_token""#,
                None => r#"Bearer realm="stoop""#,
            };
            let message = "accepted: the header `Authorization: Bearer TOKEN` with a token of this API";
            Err(ApiError::new(401, "unauthorized", message).with("www-authenticate", challenge))
        }
    }
}

/// The scope is not enough (RFC 6750, section 3.1).
fn only_reads() -> ApiError {
    let challenge = r#"Bearer realm="stoop", error="insufficient_scope", scope="write""#;
    ApiError::new(403, "only_reads", "this token may only read; accepted: a token with the scope `write`")
        .with("www-authenticate", challenge)
}

impl Route {
    fn of(path: &str) -> Result<Self, ApiError> {
        let unknown = || ApiError::new(404, "no_such_route", format!("accepted: {ROUTES}"));
        let route = path.strip_prefix("/api/v1/").ok_or_else(unknown)?;
        let (kind, rest) = route.split_once('/').unwrap_or((route, ""));
        let rest = percent_decoded(rest)
            .ok_or_else(|| ApiError::new(400, "bad_path", "the percent-encoded path is not UTF-8; accepted: UTF-8"))?;
        match (kind, rest.trim().is_empty()) {
            ("areas", true) => Ok(Self::Areas),
            ("markets", true) => Ok(Self::Markets),
            ("markets", false) => Ok(Self::Market(rest.into_owned())),
            ("compare", true) => Ok(Self::Compare),
            ("homes", true) => Ok(Self::Homes),
            ("homes", false) => Ok(Self::Home(rest.into_owned())),
            ("alerts", true) => Ok(Self::Alerts),
            ("alerts", false) => Ok(Self::Alert(rest.into_owned())),
            ("openapi.json", true) => Ok(Self::OpenApi),
            ("quality", true) => Ok(Self::Quality),
            ("quarantine", true) => Ok(Self::Quarantine),
            ("runs", true) => Ok(Self::Runs),
            ("searches", true) => Ok(Self::Searches),
            ("searches", false) => {
                let control = rest
                    .rsplit_once('/')
                    .and_then(|(search, action)| Some(Self::Control(search.to_owned(), ControlAction::parse(action)?)));
                control.ok_or_else(unknown)
            }
            ("catalogue", true) => Ok(Self::Catalogue),
            _ => Err(unknown()),
        }
    }
}

impl ApiResponse {
    /// A response that says what went wrong and what would be accepted. Programs use the `code`.
    #[must_use]
    pub fn error(status: u16, code: &'static str, message: &str) -> Self {
        ApiError::new(status, code, message).response()
    }

    /// Adds the tag of a body to a response of status 200. The response is 304, without a body, if the client has it.
    pub fn add_tag(&mut self, if_none_match: Option<&str>) {
        if self.status != 200 {
            return;
        }
        self.headers.push(("etag", format!("\"{}\"", &blake3::hash(&self.body).to_hex()[..20])));
        if self.is_known(if_none_match) {
            self.status = 304;
            self.body = Vec::new();
        }
    }

    /// This response to a `GET` as one to a client that wants no body, or has it.
    #[must_use]
    pub fn without_body(&self, if_none_match: Option<&str>) -> Self {
        let status = if self.is_known(if_none_match) { 304 } else { self.status };
        Self { status, headers: self.headers.clone(), body: Vec::new() }
    }

    /// Whether one of a client's tags is that of the body.
    #[must_use]
    pub fn is_known(&self, if_none_match: Option<&str>) -> bool {
        let Some((_, tag)) = self.headers.iter().find(|(name, _)| *name == "etag") else { return false };
        // A proxy that compresses makes the tag weak: the content is the same.
        let is_this = |known: &str| known.trim().trim_start_matches("W/") == tag;
        if_none_match.is_some_and(|tags| tags.split(',').any(is_this))
    }

    fn of(status: u16, media_type: &str, body: Vec<u8>) -> Self {
        let headers = [
            ("content-type", media_type),
            // Only the client itself may keep it, and asks each time whether it has changed: figures change within seconds.
            ("cache-control", "private, no-cache"),
            ("x-content-type-options", "nosniff"),
        ];
        Self { status, headers: headers.map(|(name, value)| (name, value.to_owned())).to_vec(), body }
    }
}
