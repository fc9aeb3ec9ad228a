//! realtor.com through RapidAPI: `realty-in-us` (`POST /properties/v3/list`) or `us-real-estate` (`GET /v3/for-sale`
//! and `/v3/for-rent`). Both return realtor.com's `home_search`: as `data.home_search`, as `home_search`, or as the
//! bare array of its results.
//!
//! A cursor's position is the offset of its first row. The next offset is advanced by the rows received, whatever limit
//! the server applied, until it reaches `total`. Offsets stop before row 10,000: a search with more results ends
//! [`Next::Capped`].
//!
//! Decisions:
//! - A home's ID is `property_id`, which stays when a home is relisted; `listing_id` differs for each spell and would
//!   make a new home of every relisting. A rental has the suffix `:rent`: one home can be for sale and for rent at the
//!   same time, and its rent is not a cut of its price. A row without `property_id` gets `listing-` and its
//!   `listing_id`, because both are ten-digit numbers.
//! - A price cut is given as its amount, without a date: it yields the previous price but no time.
//! - `last_update_date` is local time with a wrong `Z`, hours before the `list_date` of a new listing, so it is
//!   ignored: a row describes the listing at the time of reading.
//! - A community (a price range instead of a price, or several kinds of units) is not a home and is refused. A plan
//!   that can be built (`ready_to_build`) for one price is on offer: active.
//! - `baths` counts a half bath as a whole one, and is 0 for land. `baths_consolidated` takes precedence; `2.5+` counts
//!   as 2.5.
//! - `description.sold_price` belongs to the last sale, however long ago, and is ignored.

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
    Coverage, CrawlPolicy, Cursor, Method, Next, Page, Params, ReadError, Request, SearchError, Source, SourceAnswer,
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

/// Maximum offset, as users of realty-in-us report it.
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
            // The answer promises more rows but contains none: the scan is incomplete.
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
        // Stays within the window, whether it limits the offset or the last row.
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

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, _now: Time) -> Result<Page, ReadError> {
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

/// Returns the rows, and the total if the answer contains it.
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
        // A search without results may contain null instead of an array.
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
