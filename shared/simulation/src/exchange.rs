use stoop_domain::Time;

use crate::faults::Fault;
use crate::home::Offer;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct PortalRequest<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// Scheme and authority, without a trailing slash. Links in answers begin with it.
    pub origin: &'a str,
    /// The path, still encoded.
    pub path: &'a str,
    /// The query without its question mark, still encoded.
    pub query: &'a str,
    /// Header names in lower case, with values.
    pub headers: &'a [(String, String)],
    /// The body of a POST.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, with values.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The result of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaction {
    /// `None` if the connection is closed without an answer.
    pub answer: Option<Answered>,
    /// The delay of the answer in milliseconds.
    pub after_ms: u64,
    /// The listings in the answer, in its order.
    pub shown: Vec<ShownListing>,
    /// The fault that affected the request.
    pub fault: Option<Fault>,
}

/// A listing in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownListing {
    /// The number of the home.
    pub home: u32,
    pub offer: Offer,
    /// Whether it is shown only as withdrawn from view (`MlgCanView: false`).
    pub withdrawn: bool,
    /// Whether it has text instead of a price ([`Fault::GarbageRow`]).
    pub unpriced: bool,
}

impl<'a> PortalRequest<'a> {
    /// A GET of an absolute URL, without a body. `None` if the URL has no scheme.
    #[must_use]
    pub fn get(url: &'a str, headers: &'a [(String, String)]) -> Option<Self> {
        let (origin, path, query) = split(url)?;
        Some(Self { method: "GET", origin, path, query, headers, body: b"" })
    }

    /// A POST to an absolute URL. `None` if the URL has no scheme.
    #[must_use]
    pub fn post(url: &'a str, headers: &'a [(String, String)], body: &'a [u8]) -> Option<Self> {
        Some(Self { method: "POST", body, ..Self::get(url, headers)? })
    }

    /// The value of a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The decoded value of a query parameter; the first one if there are several.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        param(self.query, name)
    }

    /// A query parameter as a number. `None` if it is missing or not a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.param(name)?.parse().ok()
    }
}

impl Answered {
    /// The value of a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn of(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::of(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn html(body: String) -> Self {
        Self::of(200, "text/html; charset=utf-8", body)
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Splits an absolute URL into origin, path and query. A fragment is dropped.
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let url = url.split('#').next().unwrap_or(url);
    let authority = url.find("://")? + 3;
    let path_at = url[authority..].find(['/', '?']).map_or(url.len(), |at| authority + at);
    let (origin, rest) = url.split_at(path_at);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some((origin, if path.is_empty() { "/" } else { path }, query))
}

/// The decoded value of a parameter in `name=value&...`: a query or the body of a form.
pub(crate) fn param(pairs: &str, name: &str) -> Option<String> {
    let mut pairs = pairs.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find_map(|(key, value)| (decode(key).ok()? == name).then(|| decode(value).ok())?)
}

/// Decodes percent-encoding; `+` is a space.
///
/// # Errors
/// If the text is not percent-encoded UTF-8.
pub(crate) fn decode(text: &str) -> Result<String, String> {
    let bad = || format!("{text:?} is not percent-encoded UTF-8");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(bad)?, digit().ok_or_else(bad)?);
                u8::try_from(high * 16 + low).map_err(|_| bad())?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

/// A `Date` header: whole seconds.
pub(crate) fn http_date(now: Time) -> String {
    let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
    printer.timestamp_to_rfc9110_string(&now.timestamp()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_its_parts() {
        let parts = |url| PortalRequest::get(url, &[]).map(|asked| (asked.origin, asked.path, asked.query));
        assert_eq!(parts("https://a.test:8/b/c?d=e?f#g"), Some(("https://a.test:8", "/b/c", "d=e?f")));
        assert_eq!(parts("http://a.test"), Some(("http://a.test", "/", "")));
        assert_eq!(parts("http://a.test?x=1"), Some(("http://a.test", "/", "x=1")));
        assert_eq!(parts("/b"), None);
    }

    #[test]
    fn parameters_are_decoded() {
        let asked = PortalRequest::get("https://a.test/?city=Dry%20Creek+Hill&%6e=7&flag", &[]).unwrap();
        assert_eq!(asked.param("city").as_deref(), Some("Dry Creek Hill"));
        assert_eq!((asked.number("n"), asked.number("city"), asked.number("m")), (Some(7), None, None));
        assert_eq!(asked.param("flag").as_deref(), Some(""));
    }

    #[test]
    fn a_date_has_the_format_of_http() {
        assert_eq!(http_date(Time::parse("2026-01-05T07:08:09.999Z").unwrap()), "Mon, 05 Jan 2026 07:08:09 GMT");
    }
}
