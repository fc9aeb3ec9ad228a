//! Everything that a server answers: web pages, the API, and the login of browsers.

use stoop_domain::{HomeId, Time};
use stoop_identity::PairRuling;
use stoop_pipeline::ports::{Browse, FailureKind, PairRulingLedger, SearchControls, Store, Views, WideAreas};
use stoop_pipeline::{ControlAction, with_causes};
use stoop_serve::api::{Api, ApiRequest, ApiResponse, Grant};

use crate::access::{SESSION_MS, Tokens};
use crate::login::{self, Notice};
use crate::query::Query;
use crate::request::{Visitor, WebRequest};
use crate::ruling::rules_on_pair;
use crate::site::{Site, page_of};
use crate::text::home_href;

/// Web pages and API over one state.
pub struct Web<'a> {
    site: Site<'a>,
    api: Api<'a>,
    rulings: Option<&'a dyn PairRulingLedger>,
}

/// Who is answered.
#[derive(Clone, Copy, Debug)]
pub enum Access<'t> {
    /// Everyone: for a server that only this computer can reach.
    Everyone,
    /// Who has one of these tokens; nobody without them.
    WithToken(Option<&'t Tokens>),
}

/// The name under which a visitor of a server for everyone controls searches.
const LOCAL: &str = "local";
/// The longest path to which a login leads.
const TO_BYTES_MAX: usize = 2_048;

impl<'a> Web<'a> {
    /// Pages and API of this state. Made once per process: the API remembers the names of the markets for a minute.
    #[must_use]
    pub fn new(store: &'a dyn Store, views: &'a dyn Views, areas: &'a dyn WideAreas, browse: &'a dyn Browse) -> Self {
        let (site, api) = (Site::new(store, views, areas, browse), Api::new(store, views, areas, browse));
        Self { site, api, rulings: None }
    }

    /// The same, with what people ask of searches, which who may write can change.
    #[must_use]
    pub fn with_controls(self, controls: &'a dyn SearchControls) -> Self {
        let Self { site, api, rulings } = self;
        Self { site: site.with_controls(controls), api: api.with_controls(controls), rulings }
    }

    /// The same, with rulings on pairs of listings, which who may write can make on the page of a home.
    #[must_use]
    pub fn with_rulings(self, rulings: &'a dyn PairRulingLedger) -> Self {
        Self { rulings: Some(rulings), ..self }
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
        let WebRequest { method, path, query, authorization, accept, if_none_match, .. } = request;
        let grant = match access {
            Access::Everyone => Grant::Write(LOCAL),
            Access::WithToken(None) => Grant::NoToken,
            Access::WithToken(Some(tokens)) => request.grant(tokens, clock),
        };
        if request.is_of_api() {
            if !request.is_read() && request.is_from_elsewhere() {
                return cross_origin();
            }
            let asked = ApiRequest { method, path, query, authorization, accept, if_none_match };
            return self.api.answer(asked, grant, clock, now.unwrap_or_default()).await;
        }
        if let Access::WithToken(tokens) = access {
            match path {
                "/login" => return login(&request, tokens, clock),
                "/logout" => return logout(&request, tokens, clock),
                _ if matches!(grant, Grant::Read | Grant::Write(_)) || request.is_open() => {}
                _ => return to_login(&request),
            }
        }
        let form_token = match access {
            Access::WithToken(Some(tokens)) => request.session().map(|session| tokens.form_token(session)),
            _ => None,
        };
        if let Some(path) = controls_search(path).filter(|_| !request.is_read()) {
            return self.control(&request, &path, grant, form_token.as_deref(), clock).await;
        }
        if let (Some((home, ruling)), Some(rulings)) = (rules_on_pair(path), self.rulings)
            && !request.is_read()
        {
            return match ruled_by(&request, grant, form_token.as_deref()) {
                Ok(by) => rule_on_pair(rulings, &request, &home, ruling, by, clock).await,
                Err(refusal) => refusal,
            };
        }
        let may_write = matches!(grant, Grant::Write(_));
        let may_rule = may_write && self.rulings.is_some();
        let visitor = Visitor { may_write, may_rule, form_token: form_token.as_deref() };
        self.site.answer(&request, visitor, now).await
    }

    /// Does what a form of the page of runs asks, and leads back to it. `path` is that of the API.
    async fn control(
        &self,
        request: &WebRequest<'_>,
        path: &str,
        grant: Grant<'_>,
        form_token: Option<&str>,
        clock: Time,
    ) -> ApiResponse {
        if let Some(refusal) = not_a_form(request) {
            return refusal;
        }
        let sent = request.form().get("form").map(str::to_owned);
        if form_token.is_some_and(|expected| !is_form_token(expected, sent.as_deref())) {
            return ApiResponse::error(403, "bad_form", "the form is not of this session; accepted: the one on /runs");
        }
        let asked = ApiRequest { method: "POST", path, ..ApiRequest::default() };
        let answer = self.api.answer(asked, grant, clock, clock).await;
        if answer.status < 400 { see_other("/runs", None) } else { answer }
    }
}

/// The path of the API for that of a form: `/searches/NAME/ACTION`.
fn controls_search(path: &str) -> Option<String> {
    let (_, action) = path.strip_prefix("/searches/")?.rsplit_once('/')?;
    ControlAction::parse(action)?;
    Some(format!("/api/v1{path}"))
}

/// Who rules, if the request is a form of a page of this session and who sent it may write.
fn ruled_by<'g>(request: &WebRequest<'_>, grant: Grant<'g>, form_token: Option<&str>) -> Result<&'g str, ApiResponse> {
    if let Some(refusal) = not_a_form(request) {
        return Err(refusal);
    }
    if form_token.is_some_and(|expected| !is_form_token(expected, request.form().get("form"))) {
        return Err(ApiResponse::error(
            403,
            "bad_form",
            "the form is not of this session; accepted: the one on the page of the home",
        ));
    }
    match grant {
        Grant::Write(by) => Ok(by),
        _ => Err(ApiResponse::error(
            403,
            "only_reads",
            "this token may only read; accepted: a token with the scope `write`",
        )),
    }
}

/// Stores what a form of the page of a home says of another listing, and leads back to the page.
async fn rule_on_pair(
    rulings: &dyn PairRulingLedger,
    request: &WebRequest<'_>,
    home: &HomeId,
    ruling: PairRuling,
    by: &str,
    clock: Time,
) -> ApiResponse {
    let form = request.form();
    let Some(other) = form.get("other").map(|other| HomeId(other.into())) else {
        return ApiResponse::error(400, "no_listing", "the form names no other listing; accepted: other=SOURCE/ID");
    };
    match rulings.rule_pair((home, &other), Some(ruling), by, clock).await {
        Ok(_) => see_other(&home_href(home), None),
        Err(error) if error.kind() == FailureKind::Refused => ApiResponse::error(400, "refused", &with_causes(&error)),
        Err(error) => {
            tracing::error!(error = with_causes(&error), "a ruling is not stored");
            ApiResponse::error(503, "unavailable", "the ruling is not stored; try again in a moment")
        }
    }
}

/// Compared as hashes, which takes the same time for every text.
fn is_form_token(expected: &str, sent: Option<&str>) -> bool {
    sent.is_some_and(|sent| blake3::hash(sent.as_bytes()) == blake3::hash(expected.as_bytes()))
}

/// The login page, or a session for a token.
fn login(request: &WebRequest<'_>, tokens: Option<&Tokens>, now: Time) -> ApiResponse {
    let Some(tokens) = tokens else { return without_token() };
    if request.is_read() {
        let session = request.session().filter(|session| tokens.by_session(session, now).is_some());
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
        Some(session) => see_other(to, Some(request.cookie(&session, SESSION_MS / Time::SECOND_MS))),
        None => unstored(page_of(401, login::form(to, Notice::Refused)), request),
    }
}

/// Ends the session of the browser.
fn logout(request: &WebRequest<'_>, tokens: Option<&Tokens>, now: Time) -> ApiResponse {
    let Some(tokens) = tokens else { return without_token() };
    if let Some(refusal) = not_a_form(request) {
        return refusal;
    }
    match request.session().filter(|session| tokens.by_session(session, now).is_some()) {
        Some(session) if !is_form_token(&tokens.form_token(session), request.form().get("form")) => {
            ApiResponse::error(403, "bad_form", "the form is not of this session; accepted: the one on /login")
        }
        _ => see_other("/login", Some(request.cookie("", 0))),
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
    (!request.is_from_here()).then(cross_origin)
}

fn cross_origin() -> ApiResponse {
    ApiResponse::error(403, "cross_origin", "accepted: a form that a page of this server sent, or a program")
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
}
