//! Finds the page that follows a page of a declared API.

use super::cells::unescape;
use super::envelope::{MORE, NEXT, OpenEnvelope, TOTAL, TOTAL_PAGES};
use super::http_plan::HttpPlan;
use super::pages_plan::{By, PagesPlan};
use crate::link;
use crate::port::{Cursor, Next, ReadError, SourceAnswer};

/// The rows that a search engine shows at most, and the total that it then reports: the usual bound of Elasticsearch and
/// its like.
const WINDOW_ROWS: u64 = 10_000;

/// An answer and the request that led to it.
pub(super) struct AnsweredRequest<'a> {
    pub(super) plan: &'a HttpPlan,
    pub(super) cursor: &'a Cursor,
    /// The requested URL and the URL at which a scan begins.
    pub(super) asked: &'a str,
    pub(super) first: &'a str,
    /// The origin that links must not leave.
    pub(super) home: &'a str,
    pub(super) answer: &'a SourceAnswer<'a>,
    pub(super) opened: &'a OpenEnvelope<'a>,
}

impl AnsweredRequest<'_> {
    /// Number of listings in the whole search.
    pub(super) fn total(&self) -> Option<u64> {
        let header = self.plan.pages.total_header.as_deref().and_then(|name| self.answer.header(name));
        self.opened.number(TOTAL).or_else(|| header?.trim().parse().ok())
    }

    /// Returns the next page, if there is one.
    pub(super) fn next(&self) -> Result<Next, ReadError> {
        let pages = &self.plan.pages;
        let position = match pages.by {
            By::None => None,
            By::Page => self.next_page(pages),
            By::Offset => self.next_offset(pages)?,
            By::Cursor | By::NextLink | By::LinkHeader if self.opened.boolean(MORE) == Some(false) => None,
            By::Cursor if self.plan.has_bare_cursor() => {
                let raw = self.opened.written(NEXT);
                lead(raw).map(|_| raw.to_owned())
            }
            By::Cursor => lead(self.opened.written(NEXT)),
            By::NextLink => lead(self.opened.written(NEXT)).map(|link| self.follow(&link)).transpose()?,
            By::LinkHeader => link::header::next(self.answer.headers).map(|link| self.follow(link)).transpose()?,
        };
        let Some(position) = position else {
            return Ok(if self.total_is_a_bound() { Next::Capped } else { Next::End });
        };
        if position == self.cursor.position || position == self.first {
            return Err(ReadError::BadLink("leads back to a page that was read".into()));
        }
        if self.cursor.pages_before.saturating_add(1) >= self.plan.crawl_policy.pages_max {
            return Ok(Next::Capped);
        }
        let pages_before = self.cursor.pages_before.saturating_add(1);
        Ok(Next::Page(Cursor { position, since: self.cursor.since.clone(), pages_before }))
    }

    /// Whether the total is as large as a scan or the server can show: then there may be more listings, and what the scan
    /// lacks is not gone.
    fn total_is_a_bound(&self) -> bool {
        let pages_max = u64::from(self.plan.crawl_policy.pages_max);
        let shown_max = self.plan.pages.size.map(|size| size.saturating_mul(pages_max));
        self.opened.number(TOTAL_PAGES) == Some(pages_max)
            || self.total().is_some_and(|total| Some(total) == shown_max || total == WINDOW_ROWS)
    }

    /// Number of the next page, with the number of rows before it.
    fn next_page(&self, pages: &PagesPlan) -> Option<String> {
        let (number, before) = numbered(&self.cursor.position, pages.first);
        let turned = number.saturating_sub(pages.first);
        let before = before.or_else(|| pages.size.map(|size| turned.saturating_mul(size)));
        let seen = before.unwrap_or(0).saturating_add(self.opened.counted);
        let is_last = match (self.opened.boolean(MORE), self.opened.number(TOTAL_PAGES), self.total()) {
            (Some(more), ..) => !more,
            (None, Some(all), _) => turned.saturating_add(1) >= all,
            (None, None, Some(total)) => self.opened.counted == 0 || seen >= total,
            (None, None, None) => self.is_short(pages),
        };
        (!is_last).then(|| format!("{}:{seen}", number.saturating_add(1)))
    }

    /// Advances the offset by the rows read: a server may return fewer rows per page than requested.
    fn next_offset(&self, pages: &PagesPlan) -> Result<Option<String>, ReadError> {
        let (number, _) = numbered(&self.cursor.position, pages.first);
        let next = number.saturating_add(self.opened.counted);
        let seen = next.saturating_sub(pages.first);
        let is_last = match (self.opened.boolean(MORE), self.total()) {
            (Some(true), _) if self.opened.counted == 0 => {
                return Err(ReadError::BadLink("has no offset: the page is empty and says that there is more".into()));
            }
            (Some(more), _) => !more,
            (None, Some(total)) => self.opened.counted == 0 || seen >= total,
            (None, None) => self.is_short(pages),
        };
        Ok((!is_last).then(|| next.to_string()))
    }

    fn is_short(&self, pages: &PagesPlan) -> bool {
        self.opened.counted == 0 || pages.size.is_some_and(|size| self.opened.counted < size)
    }

    fn follow(&self, link: &str) -> Result<String, ReadError> {
        Ok(link::follow(self.home, self.asked, link)?)
    }
}

/// Parses a position: a number and, after a colon, how many rows came before.
pub(super) fn numbered(position: &str, first: u64) -> (u64, Option<u64>) {
    let (number, before) = match position.split_once(':') {
        Some((number, before)) => (number, before.parse().ok()),
        None => (position, None),
    };
    (number.parse().unwrap_or(first), before)
}

/// Returns a text or number as a cursor; `None` for null, false, "", objects and arrays.
fn lead(raw: &str) -> Option<String> {
    match raw.as_bytes() {
        [b'"', ..] => unescape(raw).ok().map(|text| text.into_owned()).filter(|text| !text.is_empty()),
        [b'0'..=b'9' | b'-', ..] => Some(raw.to_owned()),
        _ => None,
    }
}
