//! HTML result pages, read with selectors that are data, not code.
//!
//! A site's class names change without notice, and the page still has status 200. So the selectors are in a TOML file
//! ([`CardRules`]): one is built in for each site, and a search can override it, so that a changed class name needs a
//! change of configuration and no release. Missing elements are never silently ignored: a page that links to ads
//! without a matching card is an error that names the selector ([`CardRules::read`]).
//!
//! Decisions:
//! - `html5gum` tokenizes the page as the WHATWG standard defines, including entities; the tree is built here. The
//!   standard's tree construction copies unclosed `<font>`s into every later paragraph, so that some hundred kilobytes
//!   can grow into gigabytes. Here every tag creates at most one element, and a page with too many or too deeply nested
//!   elements is refused.
//! - Selectors are a subset of CSS: names, classes, IDs, attributes, `:not()`, descendants, children, lists. Each
//!   selector needs one pass over the page, whatever the page contains.
//! - If no class distinguishes an element, as on pages with generated classes, a pattern on its text or attributes
//!   does.

mod document;
mod pager;
mod reader;
mod rules;
mod selector;
pub(crate) mod words;

use document::Document;
pub(crate) use pager::PagerPosition;
pub(crate) use reader::{Card, CardPage};
pub(crate) use rules::CardRules;

use crate::body::html_in_words;
use crate::port::ReadError;

/// Reads a page of cards from an answer.
///
/// # Errors
/// Fails if the page is truncated, too large, not a result page of this site, or if its ads are not found. A page
/// without ads must say so, or be the last of the pages that it links to.
pub(crate) fn read_cards(
    body: &[u8],
    expected: &'static str,
    rules: &CardRules,
    position: &PagerPosition,
) -> Result<CardPage, ReadError> {
    let html = String::from_utf8_lossy(body);
    let html = html.trim_start_matches('\u{feff}').trim();
    let not_ours = |got: String| ReadError::NotOurs { expected, got };
    if html.is_empty() {
        return Err(ReadError::Unreadable("it is empty".into()));
    }
    if !html.starts_with('<') {
        return Err(not_ours("no HTML page".into()));
    }
    // A truncated page contains fewer ads than there are and would otherwise look complete.
    let tail = html.char_indices().rev().take(TAIL_CHARS).last().map_or(html, |(at, _)| &html[at..]);
    if !tail.to_ascii_lowercase().contains("</html") {
        return Err(ReadError::Unreadable(format!("broken off: {} does not end with </html>", html_in_words(html))));
    }
    let page = Document::parse(html).and_then(|document| rules.read(&document)).map_err(not_ours)?;
    let at_the_end = position.page > 1 && page.last_page_linked.is_some_and(|last| last <= position.page);
    if page.cards.is_empty() && page.skipped == 0 && !page.empty && !at_the_end {
        return Err(not_ours(format!("{}, without ads", html_in_words(html))));
    }
    Ok(page)
}

/// Maximum distance of the end tag from the page's end: some sites append tracking code.
const TAIL_CHARS: usize = 10_000;
