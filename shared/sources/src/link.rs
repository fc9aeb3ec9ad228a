//! Addresses (URLs): their parts, their origin, and where the link of an answer leads.
//!
//! The HTTP client reads addresses with the same library, so what is compared here is what is asked there.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

pub(crate) mod header;

/// What is encoded in a query's value: everything but letters, digits and `-._~`.
pub(crate) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is encoded in a path.
pub(crate) const PATH: &AsciiSet = &VALUE.remove(b'/');

/// What is encoded in a path that is encoded already.
pub(crate) const ENCODED_PATH: &AsciiSet = &PATH.remove(b'%');

/// Why a link can't be followed: what ends the sentence "the link ...".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the link {0}")]
pub(crate) struct BadLink(pub(crate) String);

/// Percent-encodes the signs of a set, and everything that is not ASCII.
pub(crate) fn encode(text: &str, signs: &'static AsciiSet) -> String {
    utf8_percent_encode(text, signs).to_string()
}

/// Reads an absolute http(s) address; see [`origin`] for what is none.
fn read(text: &str) -> Option<Url> {
    let head = &text[..text.find(['?', '#']).unwrap_or(text.len())];
    if head.contains('\\') || text.contains(char::is_control) || text.trim() != text {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = head.get(url.scheme().len()..)?.strip_prefix("://")?;
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    (plain && !host.starts_with('/')).then_some(url)
}

/// Scheme, host and port of an absolute http(s) address, in one spelling. `None` for anything that two readers might
/// understand differently: a user name, a backslash, control signs, blanks around it, or not two slashes before the
/// host.
#[must_use]
pub fn origin(text: &str) -> Option<String> {
    Some(read(text)?.origin().ascii_serialization())
}

/// Whether a text is a host, perhaps with a port, and nothing else.
pub(crate) fn is_host(text: &str) -> bool {
    !text.contains(['/', '?', '#', '@']) && origin(&format!("https://{text}")).is_some()
}

/// Where a link that stands on the page at `current` leads: an absolute one is kept letter by letter, a relative one is
/// resolved (RFC 3986, 5.2), both without their fragment.
///
/// It must stay at the origin of `home`, so that no answer can send a search's secrets elsewhere. Messages name origins
/// alone: the rest of an address may hold a key.
///
/// # Errors
/// When it leads away, or is no address.
pub(crate) fn follow(home: &str, current: &str, link: &str) -> Result<String, BadLink> {
    let home = origin(home).ok_or_else(|| BadLink("stands at no address".into()))?;
    let link = link.trim();
    if link.contains(char::is_control) {
        return Err(BadLink("is no address: it has control signs".into()));
    }
    let link = &link[..link.find('#').unwrap_or(link.len())];
    let next = match Url::parse(link) {
        Ok(_) => Some(link.to_owned()),
        Err(url::ParseError::RelativeUrlWithoutBase) => resolve(current, link),
        Err(_) => None,
    };
    match next.as_deref().and_then(origin) {
        Some(there) if there == home => Ok(next.unwrap_or_default()),
        Some(there) => Err(BadLink(format!("leads away from {home}, to {there}"))),
        None => Err(BadLink(format!("is no address that could be at {home}"))),
    }
}

/// Resolves a relative reference. A backslash before the query counts as a slash for some readers: it is refused.
fn resolve(current: &str, link: &str) -> Option<String> {
    let path = link.split('?').next().unwrap_or(link);
    let mut next = read(current)?.join(link).ok().filter(|_| !path.contains('\\'))?;
    next.set_fragment(None);
    Some(next.into())
}

#[cfg(test)]
mod tests;
