//! An HTTP request, and what it presents.

use stoop_domain::Time;
use stoop_serve::api::Grant;

use crate::access::{NamedToken, Scope, Tokens};
use crate::assets::Asset;
use crate::query::Query;

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
    /// The `Sec-Fetch-Mode` header.
    pub fetch_mode: Option<&'r str>,
    pub accept: Option<&'r str>,
    pub if_none_match: Option<&'r str>,
    /// At most [`FORM_BYTES_MAX`] bytes of it are read.
    pub body: &'r [u8],
    /// Whether the browser uses HTTPS. Then its cookie is never sent without.
    pub is_https: bool,
}

/// Who a page is for.
#[derive(Clone, Copy)]
pub(crate) struct Visitor<'v> {
    pub(crate) may_write: bool,
    /// Whether a page may offer to rule on pairs of listings.
    pub(crate) may_rule: bool,
    /// What a form must send back, if the visitor has a session.
    pub(crate) form_token: Option<&'v str>,
}

/// The longest form that is read.
pub const FORM_BYTES_MAX: usize = 8_192;

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

    /// Whether a page of another site makes a browser fetch it, other than by a link that its user follows. Such a page
    /// could not read the answer anyway; it could only make the server work.
    #[must_use]
    pub fn is_fetched_elsewhere(&self) -> bool {
        self.fetch_site == Some("cross-site") && self.fetch_mode != Some("navigate")
    }

    /// What the whole answer to a `GET` depends on, besides what it presents: the same for queries that differ only in the
    /// order of names, or in parameters that no page has. The API refuses unknown ones.
    #[must_use]
    pub fn key(&self) -> String {
        match self.is_of_api() {
            true => format!("{}?{} {}", self.path, self.query, self.accept.unwrap_or_default()),
            false => format!("{}?{}", self.path, Query::parse(self.query).key()),
        }
    }

    /// Whether it presents something that could be a token or a session.
    #[must_use]
    pub fn presents_something(&self) -> bool {
        self.presents_token() || self.session().is_some()
    }

    /// Whether it presents something that could be a token: in a header, or in the form of the login. A session is none: the
    /// sessions of open pages end with the server that gave them. Nor is what a page of another site sends: it is refused
    /// unread.
    #[must_use]
    pub fn presents_token(&self) -> bool {
        self.authorization.is_some() || (self.is_login() && !self.is_from_elsewhere())
    }

    /// The token that it presents, itself or by its session.
    #[must_use]
    pub fn token<'t>(&self, tokens: &'t Tokens, now: Time) -> Option<&'t NamedToken> {
        let by_header = self.authorization.and_then(|authorization| tokens.by_header(authorization));
        by_header.or_else(|| tokens.by_session(self.session()?, now))
    }

    /// What the token or the session that it presents may do.
    #[must_use]
    pub fn grant<'t>(&self, tokens: &'t Tokens, now: Time) -> Grant<'t> {
        match self.token(tokens, now) {
            None => Grant::Refused,
            Some(NamedToken { scope: Scope::Read, .. }) => Grant::Read,
            Some(NamedToken { scope: Scope::Write, name, .. }) => Grant::Write(name),
        }
    }

    /// Whether it presents something valid: a token, a session, or a token to log in with.
    #[must_use]
    pub fn is_valid(&self, tokens: &Tokens, now: Time) -> bool {
        let logs_in = || self.form().get("token").is_some_and(|token| tokens.new_session(token, now).is_some());
        self.grant(tokens, now) != Grant::Refused || (self.is_login() && logs_in())
    }

    /// Whether the answer is the same for everybody who may read.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        self.is_read() && !matches!(self.path, "/login" | "/logout" | "/runs")
    }

    /// Whether it is for the API, not for a page.
    #[must_use]
    pub fn is_of_api(&self) -> bool {
        self.path == "/health" || self.path.starts_with("/api/")
    }

    pub(crate) fn is_login(&self) -> bool {
        self.path == "/login" && self.method == "POST"
    }

    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }

    pub(crate) fn session(&self) -> Option<&str> {
        let name = if self.is_https { SECURE_COOKIE } else { PLAIN_COOKIE };
        let cookies = self.cookie?.split(';').filter_map(|cookie| cookie.trim().split_once('='));
        cookies.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The fields of a form; none of one that is too long.
    pub(crate) fn form(&self) -> Query {
        let body = if self.body.len() > FORM_BYTES_MAX { &[] } else { self.body };
        Query::of_bytes(body)
    }

    /// Whether a browser sent it, from a page of another server.
    pub(crate) fn is_from_elsewhere(&self) -> bool {
        (self.origin.is_some() || self.fetch_site.is_some()) && !self.is_from_here()
    }

    /// Whether a browser sent it from a page of this server. Every browser sends `Origin` with a form; `Sec-Fetch-Site`
    /// also behind a proxy that has another host name.
    pub(crate) fn is_from_here(&self) -> bool {
        let is_own = |origin: &str| {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            host.is_some() && host == self.host
        };
        self.fetch_site == Some("same-origin") || self.origin.is_some_and(is_own)
    }

    /// A `Set-Cookie` value that gives the browser this session for so many seconds.
    pub(crate) fn cookie(&self, session: &str, seconds: i64) -> String {
        let (name, secure) = if self.is_https { (SECURE_COOKIE, "; Secure") } else { (PLAIN_COOKIE, "") };
        format!("{name}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
