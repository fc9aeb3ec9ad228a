//! A generic JSON API: `{"total": n, "data": [...], "next": ..., "cursor": ...}` with RESO field names, and every way
//! of paging that declared sources support.

use stoop_domain::Currency;

use super::{DialectPage, GARBAGE, OfferRow, Turn};
use crate::exchange::Answered;
use crate::render::write_row;

/// `GET /homes` of a generic JSON API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonSite {
    /// How one page leads to the next.
    pub pages: Pages,
    /// Rows per page, unless `limit` requests fewer.
    pub page_size: usize,
    /// Whether it also shows what is off the market.
    pub shows_all: bool,
}

/// How one page leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// `page=2`, from 1. Newest first, so that pages shift while they are read.
    Number,
    /// `offset=40`, in the same order.
    Offset,
    /// `cursor=` with the value in the page before. Ordered by key, so pages do not shift.
    Cursor,
    /// The URL of the next page in the body, ordered by key.
    NextLink,
    /// The URL of the next page in a `Link` header (RFC 8288), ordered by key.
    LinkHeader,
}

impl JsonSite {
    /// Twenty rows per page of what is on the market.
    #[must_use]
    pub const fn new(pages: Pages) -> Self {
        Self { pages, page_size: 20, shows_all: false }
    }

    pub(super) fn answer(&self, turn: &Turn<'_>) -> Result<DialectPage, String> {
        let asked = turn.asked;
        let number = |name: &str| asked.number(name).and_then(|number| usize::try_from(number).ok());
        let size = number("limit").unwrap_or(self.page_size).clamp(1, self.page_size);
        let list = self.list(turn);
        let after = match asked.param("cursor").as_deref() {
            None | Some("" | "null") => 0,
            Some(text) => {
                let key = text.strip_prefix("after-").and_then(|index| index.parse::<u32>().ok());
                let key = key.ok_or_else(|| format!("cursor={text}: not a cursor of this site"))?;
                list.partition_point(|(home, _)| home.index <= key)
            }
        };
        let from = match self.pages {
            Pages::Number => (number("page").unwrap_or(1).max(1) - 1).saturating_mul(size),
            Pages::Offset => number("offset").unwrap_or(0),
            Pages::Cursor | Pages::NextLink | Pages::LinkHeader => after,
        };
        let cut = turn.cut(&list, from, size);
        // The next link is that of the requested page, even if a fault replaces the rows.
        let end = from.saturating_add(size).min(list.len());
        let cursor = (end < list.len() && end > 0).then(|| format!("after-{}", list[end - 1].0.index));
        let link = cursor.as_ref().map(|cursor| format!("{}/homes?limit={size}&cursor={cursor}", asked.origin));
        let mut body = format!("{{\"total\":{},\"data\":[", cut.total).into_bytes();
        for (position, (home, offer)) in cut.rows.iter().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            let start = body.len();
            write_row(&mut body, home, offer);
            if turn.is_garbage(position) {
                spoil_price(&mut body, start);
            }
        }
        body.extend_from_slice(b"]");
        let mut tell = |name: &str, value: &str| body.extend_from_slice(format!(",\"{name}\":\"{value}\"").as_bytes());
        match (self.pages, &cursor, &link) {
            (Pages::Cursor, Some(cursor), _) => tell("cursor", cursor),
            (Pages::NextLink, _, Some(link)) => tell("next", link),
            _ => {}
        }
        body.push(b'}');
        let answer = Answered::of(200, "application/json", body);
        let answer = match link.filter(|_| self.pages == Pages::LinkHeader) {
            Some(link) => answer.with("link", format!("<{link}>; rel=\"next\"")),
            None => answer,
        };
        Ok(DialectPage { answer, shown: turn.shown(cut.rows) })
    }

    fn list<'a>(&self, turn: &Turn<'a>) -> Vec<OfferRow<'a>> {
        let mut list = match self.shows_all {
            true => turn.remembered().collect(),
            false => turn.on_market(),
        };
        list.retain(|(home, _)| home.currency() == Currency::USD);
        match self.pages {
            Pages::Number | Pages::Offset => {
                list.sort_by_key(|(home, offer)| (std::cmp::Reverse(offer.on_market_at), home.index));
            }
            _ => list.sort_unstable_by_key(|(home, _)| home.index),
        }
        list
    }
}

/// Replaces the price of the row at `start` by text.
pub(super) fn spoil_price(body: &mut Vec<u8>, start: usize) {
    const NAME: &[u8] = b"\"ListPrice\":";
    let row = &body[start..];
    let Some(name) = row.windows(NAME.len()).position(|bytes| bytes == NAME) else { return };
    let from = start + name + NAME.len();
    let digits = body[from..].iter().take_while(|byte| **byte != b',').count();
    body.splice(from..from + digits, format!("\"{GARBAGE}\"").into_bytes());
}
