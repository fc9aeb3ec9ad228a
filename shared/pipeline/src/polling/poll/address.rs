use stoop_sources::{Method, Request};
use url::Url;

/// A longer part of a URL may be a key.
const KEY_CHARS_MIN: usize = 24;

/// Maximum number of path parts in a message.
const PARTS_MAX: usize = 8;

/// Words in the name of a parameter that is a key.
const SECRET_WORDS: [&str; 7] = ["key", "token", "secret", "password", "auth", "sign", "credential"];

/// How much of an answer a message shows.
const WORDS_BYTES_MAX: usize = 4_096;
const WORDS_CHARS_MAX: usize = 120;

/// Returns the host of a URL, with its port if not the default, for messages: never the path or query, which may
/// contain a key.
pub(super) fn host_of(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return String::new() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

/// Splits a URL into its origin, and its path with the query.
pub(super) fn origin_and_path(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url).ok().filter(Url::has_host)?;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    Some((url.origin().ascii_serialization(), path.to_owned()))
}

/// Message for a redirect that is not followed. Omits the parts of the URL that may contain a key: the user, the query,
/// and path parts as long as a key.
pub(super) fn not_followed(request: &Request, location: &str) -> String {
    let here = Url::parse(&request.url);
    let there = match &here {
        Ok(here) => here.join(location),
        Err(_) => Url::parse(location),
    };
    let (to, at_home) = match &there {
        Ok(there) => (shown(there), here.is_ok_and(|here| here.origin() == there.origin())),
        Err(_) => ("no address".to_owned(), false),
    };
    let is_web = there.as_ref().is_ok_and(|there| matches!(there.scheme(), "http" | "https"));
    let why = match request.method {
        _ if there.is_ok() && !is_web => "accepted: an http or https address",
        Method::Post => "a POST is not sent again to another address",
        Method::Get if at_home => "more redirects than are followed lead around on the same server",
        Method::Get => "keys are not sent to another server; if it is the right one, name it in the search's url",
    };
    format!("it leads to {to}, which is not followed: {why}")
}

/// The URL of a request for messages: without user and fragment, long parts, and the values of parameters whose names say
/// that they are keys.
pub(super) fn shown_url(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "an unreadable URL".to_owned() };
    let pairs = url.query_pairs().take(PARTS_MAX).map(|(name, value)| {
        let lower = name.to_ascii_lowercase();
        let is_key = SECRET_WORDS.iter().any(|word| lower.contains(word)) || value.len() > KEY_CHARS_MIN;
        let value = if is_key { "…".to_owned() } else { value.into_owned() };
        format!("{}={value}", name)
    });
    let query: Vec<String> = pairs.collect();
    format!("{}{}{}", shown(&url), if query.is_empty() { "" } else { "?" }, query.join("&"))
}

/// The first words of an answer for messages: without tags of HTML, control characters, and what was sent in headers.
pub(super) fn first_words(request: &Request, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(WORDS_BYTES_MAX)]);
    let mut words = String::new();
    let (mut in_tag, mut hidden) = (false, text.into_owned());
    for (_, value) in &request.headers {
        for secret in value.split_whitespace().filter(|secret| secret.len() > 5) {
            hidden = hidden.replace(secret, "***");
        }
    }
    for word in hidden.chars() {
        match word {
            '<' => in_tag = true,
            '>' if in_tag => (in_tag, words) = (false, words + " "),
            _ if in_tag => {}
            c if c.is_whitespace() || c.is_control() => words.push(' '),
            c => words.push(c),
        }
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let short: String = words.join(" ").chars().take(WORDS_CHARS_MAX).collect();
    (!short.is_empty()).then_some(short)
}

fn shown(url: &Url) -> String {
    let short = |part: &str| if part.len() > KEY_CHARS_MIN { "…".to_owned() } else { part.to_owned() };
    let parts: Vec<String> = url.path().trim_start_matches('/').split('/').take(PARTS_MAX).map(short).collect();
    let server = if url.has_host() { url.origin().ascii_serialization() } else { format!("{}:", url.scheme()) };
    format!("{server}/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_host_and_no_key() {
        for (url, host) in [
            ("https://API.example.com:443/k3y?k=k3y#k3y", "api.example.com"),
            ("https://user:k3y@api.example.com:8443/", "api.example.com:8443"),
            ("https://a.example?x=https://b.example/", "a.example"),
            ("https://a.example\\@b.example/", "a.example"),
            ("https://[::1]:80/", "[::1]:80"),
            ("k3y", ""),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn an_address_is_an_origin_and_a_path() {
        let parts = |url: &str| origin_and_path(url).unwrap();
        let of = |origin: &str, path: &str| (origin.to_owned(), path.to_owned());
        assert_eq!(parts("HTTPS://A.example:443/b?c=/d#e"), of("https://a.example", "/b?c=/d"));
        assert_eq!(parts("https://a.example?x=/y"), of("https://a.example", "/?x=/y"));
        assert_eq!(parts("http://a.example:8080"), of("http://a.example:8080", "/"));
        assert_eq!(parts("https://a.example/../b/./c"), of("https://a.example", "/b/c"));
        assert_eq!(origin_and_path("a.example/b"), None);
    }

    #[test]
    fn a_request_is_shown_without_keys_and_an_answer_by_its_first_words() {
        let long = "k3y".repeat(9);
        let url = format!("https://u:k3y@a.example/v1/{long}/homes?city=Graz&api_key=k3y&x={long}&page=3#k3y");
        assert_eq!(shown_url(&url), "https://a.example/v1/…/homes?city=Graz&api_key=…&x=…&page=3");
        let request = Request {
            method: Method::Get,
            url,
            headers: vec![("authorization".into(), "Bearer k3yk3y".into())],
            body: None,
            granted: false,
        };
        let html = b"<html><title>Not\n found</title>\x1b<p>k3yk3y is no key";
        assert_eq!(first_words(&request, html).as_deref(), Some("Not found *** is no key"));
        assert_eq!(first_words(&request, b" <br> "), None);
        assert_eq!(first_words(&request, &[b'x'; 9_000]).map(|words| words.len()), Some(120));
    }

    #[test]
    fn a_redirect_is_shown_without_what_may_be_a_key() {
        let get = Request {
            method: Method::Get,
            url: "https://a.example/list?key=k3y".into(),
            headers: Vec::new(),
            body: None,
            granted: false,
        };
        let long = "k3y".repeat(9);
        for (location, to) in [
            ("https://user:k3y@b.example/x?k3y#k3y".to_owned(), "https://b.example/x, which"),
            (format!("//b.example/{long}/x"), "https://b.example/…/x, which"),
            (format!("/{long}"), "https://a.example/…, which"),
            ("login".to_owned(), "https://a.example/login, which"),
            ("https://b.example:k3y/".to_owned(), "no address, which"),
            ("file:///etc/passwd".to_owned(), "file:/etc/passwd, which is not followed: accepted: an http or https"),
            ("javascript:alert(1)".to_owned(), "javascript:/alert(1), which"),
            ("/a\nb\u{1b}c".to_owned(), "https://a.example/ab%1Bc, which"),
        ] {
            let message = not_followed(&get, &location);
            assert!(message.contains(to) && !message.contains("k3y"), "{location:?}: {message}");
        }
        let home = not_followed(&get, "https://A.EXAMPLE:443/");
        assert!(home.contains("more redirects"), "{home}");
    }
}
