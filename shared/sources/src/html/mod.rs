//! Result pages in HTML, read by selectors that are data and no code.
//!
//! A site's class names change without notice, and the page still comes with status 200. So what finds an ad's
//! price on a page stands in a TOML file ([`CardRules`]): one is built in for each site, and a search can put its
//! own over it, so that a changed name is mended in a text and not in a release. And what the selectors do not
//! find is never taken for nothing: a page that links to ads of which no card is found is an error that names the
//! selector ([`CardRules::read`]).
//!
//! Decisions:
//! - The page is cut into tags by `html5gum`, which follows the WHATWG standard, entities and all, and is made
//!   into a tree here. The standard's own way to make a tree copies unclosed `<font>`s into every paragraph after
//!   them, which lets a few hundred kilobytes grow into gigabytes. Here every tag makes at most one element, and a
//!   page with too many of them, or too deep, is refused.
//! - Selectors are a part of CSS: names, classes, ids, attributes, `:not()`, descendants, children, lists. One
//!   pass over the page finds all that one selector matches, whatever the page is like.
//! - An element's text is told from its attributes by a pattern where no class tells them apart, as on a page
//!   whose classes are generated.

mod document;
mod pager;
mod reader;
mod rules;
mod selector;
pub(crate) mod words;

use document::Document;
pub(crate) use pager::Position;
pub(crate) use reader::{Card, CardPage};
pub(crate) use rules::CardRules;

use crate::body::html_in_words;
use crate::port::ReadError;

/// Reads a page of cards from the bytes of an answer.
///
/// # Errors
/// When it is broken off, too large, no page of this site's results, or one whose ads are not found. A page without
/// ads must say that there are none, or stand at the end of the pages that it links to.
pub(crate) fn read_cards(
    body: &[u8],
    expected: &'static str,
    rules: &CardRules,
    position: &Position,
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
    // A page that ends in its middle shows fewer ads than there are, and looks whole.
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

/// How far from a page's end its end tag may stand: what some sites put after it are counters.
const TAIL_CHARS: usize = 10_000;
