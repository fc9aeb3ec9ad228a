use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use stoop_pages::WebRequest;

use super::rate;

/// A request as it came, for a thread that answers it.
#[derive(Debug)]
pub(super) struct ReceivedRequest {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl ReceivedRequest {
    pub(super) fn request(&self) -> WebRequest<'_> {
        request(&self.method, &self.uri, &self.headers, &self.body)
    }

    /// The same as one for the whole answer, whatever the client has of it.
    pub(super) fn whole(&self) -> WebRequest<'_> {
        WebRequest { method: "GET", if_none_match: None, ..self.request() }
    }

    pub(super) fn is_read(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

pub(super) fn request<'r>(method: &'r Method, uri: &'r Uri, headers: &'r HeaderMap, body: &'r [u8]) -> WebRequest<'r> {
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

/// What of the headers a [`WebRequest`] may be admitted by, in memory of its own: the values of a request share its whole head.
pub(super) fn presented(headers: &HeaderMap) -> HeaderMap {
    let names = [header::HOST, header::AUTHORIZATION, header::COOKIE, header::ORIGIN];
    let names =
        names.into_iter().chain(["sec-fetch-site", "sec-fetch-mode", "x-forwarded-proto"].map(HeaderName::from_static));
    let values = |name: HeaderName| {
        headers
            .get_all(&name)
            .iter()
            .filter_map(move |value| Some((name.clone(), HeaderValue::from_bytes(value.as_bytes()).ok()?)))
            .collect::<Vec<_>>()
    };
    names.flat_map(values).collect()
}

/// The client, by its address or the one that a proxy says.
pub(super) fn client(peer: SocketAddr, headers: &HeaderMap) -> String {
    let said = headers.get_all("x-forwarded-for").iter().next_back().and_then(|said| said.to_str().ok());
    rate::client(peer.ip(), said)
}
