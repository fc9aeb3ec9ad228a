//! Everything that a server answers: web pages, the API, and the login of browsers.

use stoop_domain::Time;
use stoop_pipeline::ports::{Browse, Store, Views, WideAreas};
use stoop_pipeline::serve::api::{Api, ApiRequest, ApiResponse};

use crate::access::{SESSION_MS, Tokens};
use crate::assets::Asset;
use crate::login::{self, Notice};
use crate::query::Query;
use crate::site::{Site, page_of};

/// Web pages and API over one state.
pub struct Web<'a> {
    site: Site<'a>,
    api: Api<'a>,
}

/// The parts of an HTTP request that an answer depends on. Header values are as received.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebRequest<'r> {
    /// In capitals.
    pub method: &'r str,
    /// The path, percent-encoded as received.
    pub path: &'r str,
    /// The text after the `?`, as received; empty without one.
    pub query: &'r str,
    pub host: Option<&'r str>,
    pub authorization: Option<&'r str>,
    /// `name=value; name=value`.
    pub cookie: Option<&'r str>,
    pub origin: Option<&'r str>,
    /// The `Sec-Fetch-Site` header.
    pub fetch_site: Option<&'r str>,
    pub if_none_match: Option<&'r str>,
    /// At most [`FORM_BYTES_MAX`] bytes of it are read.
    pub body: &'r [u8],
    /// Whether the browser uses HTTPS. Then its cookie is never sent without.
    pub is_https: bool,
}

/// Who is answered.
#[derive(Clone, Copy, Debug)]
pub enum Access<'t> {
    /// Everyone: for a server that only this computer can reach.
    Everyone,
    /// Who has one of these tokens; nobody without them.
    WithToken(Option<&'t Tokens>),
}

/// The longest form that is read.
pub const FORM_BYTES_MAX: usize = 8_192;
/// The longest path to which a login leads.
const TO_BYTES_MAX: usize = 2_048;

/// A cookie with this prefix is set and sent over HTTPS only, and by this host only ("Cookies: HTTP State Management
/// Mechanism", RFC 6265bis, section 4.1.3.2).
const SECURE_COOKIE: &str = "__Host-stoop";
const PLAIN_COOKIE: &str = "stoop";

impl WebRequest<'_> {
    /// Whether it is answered without a token: the health check, and what a login page is made from.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.path == "/health" || Asset::at(self.path).is_some()
    }

    /// Whether it presents something that could be a token or a session.
    #[must_use]
    pub fn presents_something(&self) -> bool {
        self.authorization.is_some() || self.session().is_some() || self.is_login()
    }

    /// Whether what it presents is valid.
    #[must_use]
    pub fn is_admitted(&self, tokens: &Tokens, now: Time) -> bool {
        self.authorization.is_some_and(|authorization| tokens.accept_header(authorization))
            || self.session().is_some_and(|session| tokens.accept_session(session, now))
            || (self.is_login()
                && self.form().get("token").is_some_and(|token| tokens.new_session(token, now).is_some()))
    }

    /// Whether it is for the API, not for a page.
    #[must_use]
    pub fn is_of_api(&self) -> bool {
        self.path == "/health" || self.path.starts_with("/api/")
    }

    /// Whether it is for a page that begins or ends a session.
    #[must_use]
    pub fn is_of_login(&self) -> bool {
        matches!(self.path, "/login" | "/logout")
    }

    fn is_login(&self) -> bool {
        self.path == "/login" && self.method == "POST"
    }

    fn is_read(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }

    fn session(&self) -> Option<&str> {
        let name = if self.is_https { SECURE_COOKIE } else { PLAIN_COOKIE };
        let cookies = self.cookie?.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        cookies.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The fields of a form; none of one that is too long.
    fn form(&self) -> Query {
        let body = if self.body.len() > FORM_BYTES_MAX { &[] } else { self.body };
        Query::of_bytes(body)
    }

    /// Whether a browser sent it from a page of this server. Every browser sends `Origin` with a form; `Sec-Fetch-Site`
    /// also behind a proxy that has another host name.
    fn is_from_here(&self) -> bool {
        let is_own = |origin: &str| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some() && host == self.host
        };
        self.fetch_site == Some("same-origin") || self.origin.is_some_and(is_own)
    }
}

impl<'a> Web<'a> {
    /// Pages and API of this state. Made once per process: the API remembers the names of the markets for a minute.
    #[must_use]
    pub fn new(store: &'a dyn Store, views: &'a dyn Views, areas: &'a dyn WideAreas, browse: &'a dyn Browse) -> Self {
        Self { site: Site::new(store, views, areas, browse), api: Api::new(store, views, areas, browse) }
    }

    /// Answers a request. `clock` is the time by which sessions expire, `now` the time that is shown; `None` if nothing
    /// was observed yet. Never fails: an answer says what is wrong.
    pub async fn answer(
        &self,
        request: WebRequest<'_>,
        access: Access<'_>,
        clock: Time,
        now: Option<Time>,
    ) -> ApiResponse {
        let WebRequest { method, path, query, authorization, if_none_match, .. } = request;
        let tokens = match access {
            Access::Everyone => None,
            Access::WithToken(tokens) => Some(tokens),
        };
        let is_admitted = match tokens {
            None => true,
            Some(tokens) => tokens.is_some_and(|tokens| !request.is_login() && request.is_admitted(tokens, clock)),
        };
        if request.is_of_api() {
            let asked = ApiRequest { method, path, query, authorization, if_none_match };
            let now = now.unwrap_or_default();
            return match tokens {
                Some(tokens) if !is_admitted => self.api.answer(asked, tokens.and_then(Tokens::first), now).await,
                _ => self.api.answer_all(asked, now).await,
            };
        }
        if let Some(tokens) = tokens {
            match path {
                "/login" => return login(&request, tokens, clock),
                "/logout" => return logout(&request, tokens, clock),
                _ if is_admitted || request.is_open() => {}
                _ => return to_login(&request),
            }
        }
        self.site.answer(&request, now).await
    }
}

/// The login page, or a session for a token.
fn login(request: &WebRequest<'_>, tokens: Option<&Tokens>, now: Time) -> ApiResponse {
    let Some(tokens) = tokens else { return without_token() };
    if request.is_read() {
        let session = request.session().filter(|session| tokens.accept_session(session, now));
        let page = match session {
            Some(session) => login::logged_in(&tokens.form_token(session)),
            None => login::form(local_path(Query::parse(request.query).get("to")), Notice::None),
        };
        return unstored(page_of(200, page), request);
    }
    if let Some(refusal) = not_a_form(request) {
        return refusal;
    }
    let form = request.form();
    let to = local_path(form.get("to"));
    match form.get("token").and_then(|token| tokens.new_session(token, now)) {
        Some(session) => see_other(to, Some(cookie(request, &session, SESSION_MS / Time::SECOND_MS))),
        None => unstored(page_of(401, login::form(to, Notice::Refused)), request),
    }
}

/// Ends the session of the browser.
fn logout(request: &WebRequest<'_>, tokens: Option<&Tokens>, now: Time) -> ApiResponse {
    let Some(tokens) = tokens else { return without_token() };
    if let Some(refusal) = not_a_form(request) {
        return refusal;
    }
    match request.session().filter(|session| tokens.accept_session(session, now)) {
        Some(session) if !request.form().get("form").is_some_and(|sent| tokens.is_form_token(session, sent)) => {
            ApiResponse::error(403, "bad_form", "the form is not of this session; accepted: the one on /login")
        }
        _ => see_other("/login", Some(cookie(request, "", 0))),
    }
}

fn without_token() -> ApiResponse {
    ApiResponse::error(503, "no_token", "this server has no token and answers only /health until it has one")
}

/// The answer to what is not a form that a page of this server sent.
fn not_a_form(request: &WebRequest<'_>) -> Option<ApiResponse> {
    if request.method != "POST" {
        let mut response = ApiResponse::error(405, "method_not_allowed", "accepted: GET, HEAD, POST");
        response.headers.push(("allow", "GET, HEAD, POST".to_owned()));
        return Some(response);
    }
    let message = "accepted: a form that a page of this server sent";
    (!request.is_from_here()).then(|| ApiResponse::error(403, "cross_origin", message))
}

fn to_login(request: &WebRequest<'_>) -> ApiResponse {
    if !request.is_read() {
        return ApiResponse::error(401, "unauthorized", "accepted: a session of /login");
    }
    let asked =
        if request.query.is_empty() { request.path.to_owned() } else { format!("{}?{}", request.path, request.query) };
    let to = percent_encoding::utf8_percent_encode(local_path(Some(&asked)), percent_encoding::NON_ALPHANUMERIC);
    see_other(&format!("/login?to={to}"), None)
}

/// A path of this server; the first page instead of anything else. A browser takes `//host` and `/\host` for another
/// server.
fn local_path(to: Option<&str>) -> &str {
    let is_path = |to: &&str| {
        let rest = to.strip_prefix('/');
        rest.is_some_and(|rest| !rest.starts_with(['/', '\\']))
            && to.len() <= TO_BYTES_MAX
            && to.bytes().all(|byte| byte.is_ascii_graphic())
    };
    to.filter(is_path).unwrap_or("/")
}

fn cookie(request: &WebRequest<'_>, session: &str, seconds: i64) -> String {
    let (name, secure) = if request.is_https { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
    format!("{name}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn see_other(location: &str, cookie: Option<String>) -> ApiResponse {
    let mut response = page_of(303, String::new());
    response.headers.push(("location", location.to_owned()));
    response.headers.extend(cookie.map(|cookie| ("set-cookie", cookie)));
    response
}

/// A page that no cache may keep.
fn unstored(mut response: ApiResponse, request: &WebRequest<'_>) -> ApiResponse {
    for (name, value) in &mut response.headers {
        if *name == "cache-control" {
            "no-store".clone_into(value);
        }
    }
    if request.method == "HEAD" {
        response.body.clear();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_a_path_of_this_server_only() {
        for to in ["/", "/areas/us/wa?for=sale&days=28", "/homes/a%2Fb"] {
            assert_eq!(local_path(Some(to)), to);
        }
        let elsewhere = ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb: c", "/ä"];
        for to in elsewhere {
            assert_eq!(local_path(Some(to)), "/", "{to}");
        }
        assert_eq!(local_path(Some(&format!("/{}", "x".repeat(3_000)))), "/");
        assert_eq!(local_path(None), "/");
    }

    #[test]
    fn a_form_comes_from_a_page_of_this_server() {
        let request = WebRequest { host: Some("stoop.example"), ..WebRequest::default() };
        let from = |origin| WebRequest { origin: Some(origin), ..request }.is_from_here();
        assert!(from("https://stoop.example") && from("http://stoop.example"));
        for other in ["https://evil.example", "https://stoop.example.evil.example", "null", "", "stoop.example"] {
            assert!(!from(other), "{other}");
        }
        let fetched = |site| WebRequest { fetch_site: Some(site), ..request }.is_from_here();
        assert!(fetched("same-origin") && !fetched("same-site") && !fetched("cross-site") && !fetched("none"));
        assert!(!request.is_from_here(), "neither is sent");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let session = |cookie, is_https| {
            WebRequest { cookie: Some(cookie), is_https, ..WebRequest::default() }.session().map(str::to_owned)
        };
        assert_eq!(session("a=1; __Host-stoop=x.y; b=2", true), Some("x.y".to_owned()));
        assert_eq!(session("a=1; __Host-stoop=x.y; b=2", false), None, "without HTTPS it has another name");
        assert_eq!(session("stoop=x", false), Some("x".to_owned()));
        assert_eq!(session("xstoop=x; stoopx=y", false), None);
    }
}
