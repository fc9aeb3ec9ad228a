//! RentCast: `GET /listings/sale` or `/listings/rental/long-term`. Both return a bare array of listings.
//!
//! A cursor's position is the offset of its first row. A page with fewer rows than its limit is the last. The array
//! does not contain a total; `includeTotalCount=true` adds it as the header `X-Total-Count`. Because that is slow, only
//! the first page requests it.
//!
//! Decisions:
//! - `id` is an address in words, including commas. It names the property, so a rental's ID gets the suffix `:rent`:
//!   one home can be for sale and for rent at the same time. A home's ID is opaque text, never a path, and is stored
//!   unchanged.
//! - `Inactive` is [`Status::Gone`](stoop_domain::Status): RentCast no longer sees it on offer and does not say whether
//!   it was sold, withdrawn or expired.
//! - A row describes the listing at the time of reading. `lastSeenDate` changes every day without a change of the
//!   listing, and would put the times of separate searches for active and inactive listings out of order.
//! - `history` contains the last price of each earlier spell under the day it began. A price from years ago is not the
//!   price before the last change, so it is ignored. Price cuts within a spell are not in `history`.
//! - A `propertyType` that RentCast does not document ("Apartament") is unknown: no guesses.
//! - A 404 is an answer without rows. It proves nothing, because a wrong address also returns one: the total stays
//!   unknown, and nothing is reported gone. A search without results may also return `[]` with a total of 0, which does
//!   prove it.

mod ask;
mod row;

use std::fmt;

use stoop_domain::{Purpose, Time};

use crate::body::{Body, html_in_words};
use crate::capabilities::Capabilities;
use crate::fields::Fields;
use crate::limit::Limit;
use crate::params::Param;
use crate::port::{
    Coverage, CrawlPolicy, Cursor, Method, Next, Page, Params, ReadError, Request, SearchError, Source, SourceAnswer,
};

/// See the [module](self).
pub(crate) struct RentCast {
    base: String,
    key: String,
    purpose: Purpose,
    limit: u64,
    /// All query parameters except the offset, encoded.
    query: String,
    coverage: Coverage,
    pages_max: u32,
}

const EXPECTED: &str = "a JSON array of listings";
const LIMIT_MAX: u32 = 500;

/// Errors that RentCast documents for a refused key.
const DENIALS: [(&str, &str); 2] = [
    ("auth/api-key-invalid", "RentCast does not know the key (auth/api-key-invalid)"),
    (
        "billing/subscription-inactive",
        "the key's RentCast plan is not active or not paid (billing/subscription-inactive)",
    ),
];

impl RentCast {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "nothing: a cut inside a spell is not recorded",
        status: "on offer or not",
        gone: "complete scans that miss it for ten minutes or more",
        limits: "20 requests a second, 50 in 31 days",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::required("key", "the RentCast API key").secret(),
        Param::optional("purpose", "sale or rent (default sale)"),
        Param::optional("zipCode", "a zip of five digits: 78723"),
        Param::optional("city", "a city, with state; its letters' case counts: Austin"),
        Param::optional("state", "a state by its two letters: TX"),
        Param::optional("latitude", "the middle of a circle, with longitude and radius"),
        Param::optional("longitude", "the middle of a circle, with latitude and radius"),
        Param::optional("radius", "the circle's radius in miles, at most 100"),
        Param::optional("propertyType", "Single Family, Condo, Apartment, ...; several are parted by | (default all)"),
        Param::optional("bedrooms", "number of bedrooms; 0 is a studio"),
        Param::optional("bathrooms", "number of bathrooms"),
        Param::optional("status", "Active or Inactive (default Active)"),
        Param::optional("daysOld", "listed within so many days; then nothing is said to be gone"),
        Param::optional("limit", "rows a page, 1 to 500 (default 500)"),
        Param::optional("pages", "the most pages, which are requests, of one scan, 1 to 10000 (default 50)"),
        Param::optional("url", "the API's base address (default https://api.rentcast.io/v1)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        ask::read(params)
    }

    fn next(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, rows: u64) -> Next {
        // The server reports the limit that it applied, which may be lower than requested.
        let reported = answer.header("x-limit").and_then(|limit| limit.trim().parse().ok());
        let limit = reported.filter(|limit| (1..=self.limit).contains(limit)).unwrap_or(self.limit);
        if rows < limit {
            return Next::End;
        }
        let position = offset(cursor).saturating_add(limit).to_string();
        if position == cursor.position {
            return Next::Capped;
        }
        let pages_before = cursor.pages_before.saturating_add(1);
        Next::Page(Cursor { position, since: cursor.since.clone(), pages_before })
    }

    /// RentCast's message, without a key that it might repeat.
    fn reported(&self, body: &Body<'_>) -> ReadError {
        if body.text().contains(&self.key) {
            return body.not_ours("an error that quotes the key".to_owned());
        }
        match body.json::<Fields<'_>>() {
            Ok(fields) => body.without("listings", &fields),
            Err(error) => error,
        }
    }
}

impl Source for RentCast {
    fn name(&self) -> &str {
        "rentcast"
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        CrawlPolicy {
            coverage: self.coverage,
            // RentCast does not block requests beyond the plan: it charges for them.
            limits: vec![Limit::per_second(20), Limit::per_month(50)],
            robots: false,
            off_by_default: false,
            pages_max: self.pages_max,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "0".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let path = match self.purpose {
            Purpose::Sale => "/listings/sale",
            Purpose::Rent => "/listings/rental/long-term",
        };
        let (offset, count) = match offset(cursor) {
            0 => (0, "&includeTotalCount=true"),
            offset => (offset, ""),
        };
        Request {
            method: Method::Get,
            url: format!("{}{path}?{}&limit={}&offset={offset}{count}", self.base, self.query, self.limit),
            headers: vec![("X-Api-Key".into(), self.key.clone()), ("Accept".into(), "application/json".into())],
            body: None,
            granted: false,
        }
    }

    fn reads(&self, status: u16) -> bool {
        matches!(status, 200 | 400 | 401 | 403 | 404)
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, _now: Time) -> Result<Page, ReadError> {
        if matches!(answer.status, 401 | 403) {
            return Err(denied(answer));
        }
        if answer.status == 404 {
            return nothing(answer);
        }
        let body = Body::of(answer.body, EXPECTED)?;
        if answer.status != 200 || body.text().starts_with('{') {
            return Err(self.reported(&body));
        }
        let raws = body.rows(body.text())?;
        let mut rows = Vec::with_capacity(raws.len());
        for raw in &raws.rows {
            let native_id = |fields: &Fields<'_>| row::native_id(fields, self.purpose);
            rows.push(body.row(raw, native_id, |fields| row::read(fields, self.purpose)));
        }
        let total = answer.header("x-total-count").and_then(|total| total.trim().parse().ok());
        Ok(Page { rows, next: self.next(cursor, answer, raws.len() as u64), total, cut: raws.cut(), ..Page::default() })
    }
}

/// Describes which denial it is in our own words: the answer might repeat the key.
fn denied(answer: &SourceAnswer<'_>) -> ReadError {
    let body = Body::of(answer.body, EXPECTED).ok();
    let code = body.and_then(|body| body.json::<Fields<'_>>().ok()?.text("error").ok().flatten());
    let known = DENIALS.iter().find(|(name, _)| code.as_deref() == Some(*name));
    ReadError::Denied(match known {
        Some((_, words)) => (*words).to_owned(),
        None => format!("status {}: RentCast turns the key away, for itself or for its bill", answer.status),
    })
}

/// "No results" is a 404 if it comes from RentCast itself.
fn nothing(answer: &SourceAnswer<'_>) -> Result<Page, ReadError> {
    match Body::of(answer.body, EXPECTED) {
        Ok(body) if body.text().starts_with('<') => Err(body.not_ours(html_in_words(body.text()))),
        _ => Ok(Page { next: Next::End, ..Page::default() }),
    }
}

fn offset(cursor: &Cursor) -> u64 {
    cursor.position.parse().unwrap_or(0)
}

impl fmt::Debug for RentCast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RentCast").field("base", &self.base).field("query", &self.query).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
