//! realtor.com through RapidAPI: `realty-in-us` (`POST /properties/v3/list`) or `us-real-estate` (`GET /v3/for-sale` and
//! `/v3/for-rent`). Both hand on realtor.com's own `home_search`, as `data.home_search`, as `home_search` or as the bare
//! array of its results.
//!
//! A cursor's position is the offset of its first row. The next page begins after as many rows as came, which holds
//! whatever limit the server made of the one that was asked for, until `total` is reached. No offset leads to row 10,000
//! and beyond: a search with more ends [`Next::Capped`].
//!
//! Decisions:
//! - A home's id is `property_id`, which stays when a home is listed anew; `listing_id` is another one in each spell, and
//!   would make a new home of every relisting. A rental has `:rent` behind it: one home can be for sale and for rent at a
//!   time, and its rent is no price cut of its price. A row without `property_id` is `listing-` and its `listing_id`:
//!   both are numbers of ten digits.
//! - A cut is told as the amount it was by, without a date: it gives the previous price, and no time is made up for it.
//! - `last_update_date` is local time with a `Z` behind it, hours before the `list_date` of a new listing. It is not read:
//!   what a row says is so when it is read.
//! - A community (a range of prices in place of one, or kinds of units) is not a home and is refused. A plan that can be
//!   built (`ready_to_build`) for one price is on offer: active.
//! - `baths` counts a half bath as a whole one, and is 0 for land. `baths_consolidated` wins, and of `2.5+` the number.
//! - `description.sold_price` is that of the last sale, years ago or not. It is not read.

mod ask;
mod row;

use std::fmt;

use stoop_domain::{Purpose, Time};

use crate::body::Body;
use crate::capabilities::Capabilities;
use crate::fields::Fields;
use crate::limit::Limit;
use crate::params::Param;
use crate::port::{
    Answer, Coverage, CrawlPolicy, Cursor, Method, Next, Page, Params, ReadError, Request, SearchError, Source,
};
use crate::raws::Raws;
use ask::Ask;

/// See the [module](self).
pub(crate) struct Realtor {
    base: String,
    host: String,
    key: String,
    purpose: Purpose,
    limit: u64,
    ask: Ask,
}

const EXPECTED: &str = "JSON with home_search";

/// Where the offset ends, as users of realty-in-us report.
const WINDOW: u64 = 10_000;

impl Realtor {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "the amount of the last cut, undated",
        status: "active, coming soon, under contract, pending, sold",
        gone: "two complete scans that miss it",
        limits: "1 request a second",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::required("key", "the RapidAPI key").secret(),
        Param::optional("api", "realty-in-us or us-real-estate (default realty-in-us)"),
        Param::optional("purpose", "sale or rent (default sale)"),
        Param::optional("postal_code", "a zip of five digits: 60614 (realty-in-us only)"),
        Param::optional("city", "a city, together with state_code: Chicago"),
        Param::optional("state_code", "a state by its two letters: IL"),
        Param::optional(
            "status",
            "for_sale, ready_to_build, sold or for_rent, parted by commas (realty-in-us only; default for_sale, or for_rent)",
        ),
        Param::optional("price_min", "least price or rent, whole dollars"),
        Param::optional("price_max", "greatest price or rent, whole dollars"),
        Param::optional("limit", "rows a page, 1 to 200 (default 200, us-real-estate 42)"),
        Param::optional("host", "the x-rapidapi-host header (default that of the api)"),
        Param::optional("url", "the API's base address (default https:// and the host)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        ask::read(params)
    }

    fn next(&self, cursor: &Cursor, rows: u64, total: Option<u64>) -> Next {
        let seen = offset(cursor).saturating_add(rows);
        if total.map_or(rows < self.limit, |total| seen >= total) {
            return Next::End;
        }
        if rows == 0 || seen >= WINDOW {
            // It promises more and shows none of it: whatever was seen, it was not all.
            return Next::Capped;
        }
        Next::Page(Cursor {
            position: seen.to_string(),
            since: cursor.since.clone(),
            pages_before: cursor.pages_before.saturating_add(1),
        })
    }
}

impl Source for Realtor {
    fn name(&self) -> &str {
        "realtor"
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        CrawlPolicy {
            coverage: Coverage::Snapshot,
            limits: vec![Limit::pause(1_000)],
            robots: false,
            off_by_default: false,
            pages_max: 500,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "0".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let offset = offset(cursor);
        // Whether the window counts the offset alone or all rows up to the last asked for, this stays within it.
        let limit = self.limit.min(WINDOW.saturating_sub(offset)).max(1);
        let mut headers = vec![
            ("x-rapidapi-key".into(), self.key.clone()),
            ("x-rapidapi-host".into(), self.host.clone()),
            ("Accept".into(), "application/json".into()),
        ];
        let body = self.ask.body(offset, limit);
        if body.is_some() {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        let method = if body.is_some() { Method::Post } else { Method::Get };
        let url = format!("{}{}", self.base, self.ask.path(offset, limit));
        Request { method, url, headers, body, granted: false }
    }

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, _now: Time) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED)?;
        let (raws, total) = results(&body)?;
        let mut rows = Vec::with_capacity(raws.len());
        for raw in &raws.rows {
            let native_id = |fields: &Fields<'_>| row::native_id_of(fields, self.purpose);
            rows.push(body.row(raw, native_id, |fields| row::read(fields, self.purpose)));
        }
        Ok(Page { next: self.next(cursor, raws.len() as u64, total), rows, total, cut: raws.cut(), ..Page::default() })
    }
}

/// The rows, and how many there are in all where the answer says so.
fn results<'b>(body: &'b Body<'_>) -> Result<(Raws<'b>, Option<u64>), ReadError> {
    if body.text().starts_with('[') {
        return Ok((body.rows(body.text())?, None));
    }
    let envelope: Fields<'b> = body.json()?;
    let found = match envelope.get("home_search") {
        Some(raw) => Some(raw),
        None => envelope.object("data").ok().flatten().and_then(|data| data.get("home_search")),
    };
    let Some(found) = found else { return Err(body.without("home_search", &envelope)) };
    let search: Fields<'b> = body.json_part(found.get())?;
    let total = search.number("total", 0).ok().flatten();
    match search.get("results") {
        Some(results) => Ok((body.rows(results.get())?, total)),
        // A search that found nothing may say so with a null.
        None if total == Some(0) => Ok((Raws::default(), total)),
        None => Err(body.without("results", &envelope)),
    }
}

fn offset(cursor: &Cursor) -> u64 {
    cursor.position.parse().unwrap_or(0)
}

impl fmt::Debug for Realtor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Realtor").field("base", &self.base).field("ask", &self.ask).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
