//! RESO Web API: the `Property` resource of an MLS over OData v4, as the standard defines it and in the dialects of
//! Trestle, MLS Grid, Bridge and Spark.
//!
//! A scan requests rows in order of time and follows `@odata.nextLink` unchanged, within the host of `url`; the
//! `dialect` module contains the differences between vendors. A page's watermark is its latest modification time, in
//! UTC with three decimals, so that watermarks sort as text. It is never before `since`. A page without times has no
//! watermark and keeps that of earlier pages. The next scan requests later rows.
//!
//! Decisions:
//! - A link that counts rows (`$skip`) is not followed if the page's times allow to continue without it: rows that
//!   change during the scan would shift others between pages, and vendors limit `$skip`. The scan instead requests rows
//!   from the time of the last row on. This is how 300,000 rows are read after an outage.
//! - If the server has its own order (Spark, replication), a page's latest time proves nothing about earlier pages: the
//!   watermark is then no later than the start of the scan.
//! - [`Coverage::Snapshot`] applies to a scan without `since`; the poller treats a scan with `since` as
//!   [`Coverage::Changes`].
//! - `MlgCanView: false` means that MLS Grid withdrew the row: [`Status::Delete`](stoop_domain::Status), whatever its
//!   `StandardStatus` is. A full scan requests only viewable rows, an incremental scan all rows.
//! - A row without `PropertyType` is refused: rents and sale prices share `ListPrice`, and counting one as the other
//!   would be worse than waiting for the field.
//! - The `ListPrice` of a closed row is still the asking price. `ClosePrice` and `CloseDate` are read only from closed
//!   rows: in other rows they belong to an earlier sale or are expected values.
//! - `ModificationTimestamp` is a version ([`SeenListing::versioned`](crate::SeenListing)): the Data Dictionary requires it to move
//!   with every change of the row. Bridge forwards that of the MLS, also in order, but filters by another field.
//! - A timestamp ahead of the clock never becomes the watermark, because it would hide all changes until then. If it is
//!   only slightly ahead, the current time is used instead.
//! - If a server refuses to count, the request is repeated without a count. The scan then proves nothing gone.
//! - Media links of MLS Grid are for download and expire within hours. They cannot be shown, and would change the
//!   listing with every poll.

mod config;
mod dialect;
mod filter;
mod kind;
mod onward;
mod position;
mod row;

use std::collections::HashMap;
use std::fmt;

use percent_encoding::AsciiSet;
use stoop_domain::{AreaUnit, Currency, Time};

use self::dialect::Dialect;
use self::position::{ResoPosition, ScanMemory};
use crate::body::Body;
use crate::capabilities::Capabilities;
use crate::fields::Fields;
use crate::grant::ClientCredentials;
use crate::link;
use crate::port::{Coverage, CrawlPolicy, Cursor, Method, Next, Page, ReadError, Request, Row, Source, SourceAnswer};
use crate::raws::Raws;

/// See the [module](self).
pub(crate) struct Reso {
    name: String,
    base: String,
    dialect: Dialect,
    access: ResoAccess,
    filter: Option<String>,
    select: Option<String>,
    expand: Option<String>,
    top: u32,
    pages_max: u32,
    count: bool,
    replication: bool,
    terms: Terms,
}

/// Characters encoded in `$select` and `$expand`: servers expect their punctuation unencoded.
const SELECT: &AsciiSet = &link::VALUE.remove(b',');
const EXPAND: &AsciiSet = &SELECT.remove(b'(').remove(b')').remove(b'$').remove(b'=').remove(b';');

/// How to authenticate.
enum ResoAccess {
    Open,
    Token(String),
    Client(ClientCredentials),
}

/// Context that rows do not contain.
pub(crate) struct Terms {
    pub(crate) country: String,
    pub(crate) currency: Currency,
    pub(crate) living_area_unit: AreaUnit,
    /// Whether links to pictures can be shown and are stable.
    pub(crate) images: bool,
    /// One of the uses in `MlgCanUse`: listings that may not be used for it are not shown.
    pub(crate) used_for: Option<String>,
}

/// The order of a scan's pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Order of the dialect's [clock](Dialect::clock).
    Time,
    /// The server's own order.
    Own,
}

/// Parsed rows of a page.
struct ResoRows {
    rows: Vec<Row>,
    /// Modification time of each row, in page order; `None` if the row has none.
    times: Vec<Option<Time>>,
    /// The latest plausible time.
    latest: Option<Time>,
}

const EXPECTED: &str = "JSON of an OData collection";

/// Maximum time that a server's clock may run ahead of ours for its times to become a watermark.
const CLOCK_SKEW_MS: i64 = 15 * 60 * Time::SECOND_MS;

/// The query option for the number of rows, as part of a URL.
const COUNT: &str = "&$count=true";

impl Reso {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "the previous price and when it changed, where the MLS fills them",
        status: "every StandardStatus",
        gone: "two full scans that miss it, if the server counts; MLS Grid says so itself",
        limits: "2 requests a second, or those of the dialect",
    };

    fn order(&self, full: bool) -> Order {
        match self.dialect {
            Dialect::Spark => Order::Own,
            Dialect::Bridge if self.replication => Order::Own,
            Dialect::Trestle if self.replication && full => Order::Own,
            _ => Order::Time,
        }
    }

    /// URL of the rows that changed at or after `from`, or of all rows.
    fn url(&self, full: bool, from: Option<&str>, count: bool) -> String {
        let clock = self.dialect.clock();
        let later = from.map(|from| format!("{clock} ge {from}"));
        let filter = match (later, &self.filter) {
            // The filter has been checked to be a chain of `and`.
            (later, Some(filter)) if self.dialect == Dialect::MlsGrid => {
                let viewable = full.then(|| "MlgCanView eq true".to_owned());
                let parts: Vec<String> = [Some(filter.clone()), viewable, later].into_iter().flatten().collect();
                Some(parts.join(" and "))
            }
            (Some(later), Some(filter)) => Some(format!("{later} and ({filter})")),
            (Some(later), None) => Some(later),
            (None, filter) => filter.clone(),
        };
        let bridge_replication = self.dialect == Dialect::Bridge && self.replication;
        let trestle_replication = self.dialect == Dialect::Trestle && self.replication && full;
        let order = match self.order(full) {
            // Already sorted by time.
            Order::Time if self.dialect == Dialect::MlsGrid => None,
            Order::Time => Some(clock),
            Order::Own => trestle_replication.then_some("ListingKey"),
        };
        let mut parts = Vec::new();
        parts.extend(filter.map(|filter| format!("$filter={}", link::encode(&filter, link::VALUE))));
        parts.extend(self.select.as_ref().map(|select| format!("$select={}", link::encode(select, SELECT))));
        parts.extend(self.expand.as_ref().map(|expand| format!("$expand={}", link::encode(expand, EXPAND))));
        parts.extend(order.map(|field| format!("$orderby={field}")));
        parts.push(format!("$top={}", self.top));
        if trestle_replication {
            parts.push("replication=true".to_owned());
        }
        let path = if bridge_replication { "/Property/replication" } else { "/Property" };
        format!("{}{path}?{}{}", self.base, parts.join("&"), if count { COUNT } else { "" })
    }

    fn rows(&self, body: &Body<'_>, raws: &Raws<'_>, now: Time) -> ResoRows {
        let mut page =
            ResoRows { rows: Vec::with_capacity(raws.len()), times: Vec::with_capacity(raws.len()), latest: None };
        let mut places: HashMap<String, usize> = HashMap::new();
        for &raw in &raws.rows {
            let row = body.row(raw, row::native_id, |fields| {
                let changed = fields.time(self.dialect.clock()).ok().flatten();
                page.times.push(changed);
                page.latest = page.latest.max(changed.filter(|at| *at <= now.plus_ms(CLOCK_SKEW_MS)));
                row::read(fields, &self.terms)
            });
            if let Row::Found(found) = &row {
                // Some servers repeat a row within a page.
                if places.get(&found.native_id).is_some_and(|position| page.rows.get(*position) == Some(&row)) {
                    continue;
                }
                places.insert(found.native_id.clone(), page.rows.len());
            }
            page.rows.push(row);
        }
        page
    }

    /// The next position after a page in the server's own order.
    fn after_own(
        &self,
        position: &ResoPosition,
        mut memory: ScanMemory,
        (rows, body): (usize, &[u8]),
        link: Option<&str>,
    ) -> Result<Option<ResoPosition>, ReadError> {
        let stateful = |url: &str| self.dialect == Dialect::Trestle && is_replication(url);
        if self.replication && rows == 0 {
            // Bridge always returns a link, to later changes.
            return if stateful(&position.url) { memory.whole(self.top).map(|()| None) } else { Ok(None) };
        }
        // Trestle uses one URL for all pages and keeps the position itself until there are no more rows.
        let again = stateful(&position.url) && link.is_none_or(|link| link == position.url);
        let url = match link {
            _ if again => {
                let page = blake3::hash(body).to_hex()[..16].to_owned();
                if page == position.memory.page {
                    return Err(ReadError::BadLink("gives the same page again".into()));
                }
                memory.page = page;
                position.url.clone()
            }
            Some(link) => onward::follow(&self.base, &position.url, link)?,
            None => return Ok(None),
        };
        Ok(Some(ResoPosition { url, memory }))
    }

    /// The next position after a page in order of time.
    fn after_time(
        &self,
        position: &ResoPosition,
        full: bool,
        times: &[Option<Time>],
        link: Option<&str>,
    ) -> Result<Option<ResoPosition>, ReadError> {
        let Some(link) = link else { return Ok(None) };
        let from = onward::from_time(times).filter(|_| onward::counts_rows(link));
        let onward = from.map(|from| self.url(full, Some(&from.to_string()), false)).filter(|url| *url != position.url);
        let url = match onward {
            Some(url) => url,
            None => onward::follow(&self.base, &position.url, link)?,
        };
        Ok(Some(ResoPosition { url, memory: ScanMemory::default() }))
    }

    /// A request that the server refused: it may accept it without the count.
    fn turned_down(&self, cursor: &Cursor, answer: &SourceAnswer<'_>) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED);
        let counting = body.as_ref().is_ok_and(|body| {
            let mut words = body.text().split(|c: char| !c.is_ascii_alphanumeric());
            words.any(|word| word.eq_ignore_ascii_case("count"))
        });
        if let Some(url) = cursor.position.strip_suffix(COUNT).filter(|_| counting) {
            let next = onto(cursor, url.to_owned());
            return Ok(Page { next: Next::Page(next), ..Page::default() });
        }
        let reported = |error| if let ReadError::NotOurs { got, .. } = error { got } else { error.to_string() };
        let why = match &body {
            Ok(body) => {
                reported(body.json::<Fields<'_>>().map_or_else(|error| error, |fields| body.without("value", &fields)))
            }
            Err(error) => error.to_string(),
        };
        Err(ReadError::NotOurs { expected: EXPECTED, got: format!("status {}: {why}", answer.status) })
    }
}

impl Source for Reso {
    fn name(&self) -> &str {
        &self.name
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        CrawlPolicy {
            coverage: Coverage::Snapshot,
            limits: self.dialect.limits(),
            robots: false,
            off_by_default: false,
            pages_max: self.pages_max,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        let from = since.map(|since| match Time::parse(since) {
            Ok(time) => time.plus_ms(-self.dialect.look_back_ms()).to_string(),
            Err(_) => since.to_owned(),
        });
        let position = self.url(since.is_none(), from.as_deref(), self.count);
        Cursor { position, since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let url = ResoPosition::of(cursor).url;
        // A modified checkpoint must not send the token to another host.
        let at_home = link::origin(&url) == link::origin(&self.base);
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if let ResoAccess::Token(token) = &self.access
            && at_home
        {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        let granted = at_home && matches!(self.access, ResoAccess::Client(_));
        Request { method: Method::Get, url, headers, body: None, granted }
    }

    fn grant(&self) -> Option<Request> {
        match &self.access {
            ResoAccess::Client(credentials) => Some(credentials.request()),
            _ => None,
        }
    }

    /// 400 and 501 contain a reason, which may be the count alone.
    fn reads(&self, status: u16) -> bool {
        matches!(status, 200 | 400 | 501)
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        if answer.status != 200 {
            return self.turned_down(cursor, answer);
        }
        let body = Body::of(answer.body, EXPECTED)?;
        let envelope: Fields<'_> = body.json()?;
        let Some(value) = envelope.get("value") else { return Err(body.without("value", &envelope)) };
        let raws = body.rows(value.get())?;
        let ResoRows { rows, times, latest } = self.rows(&body, &raws, now);

        let link = envelope.parsed("@odata.nextLink", |link| Ok::<_, ()>(link.to_owned()));
        let link = link.map_err(|refusal| ReadError::BadLink(format!("is none: {}", refusal.detail)))?;
        let in_header =
            || Some(answer.headers).filter(|_| self.dialect == Dialect::Bridge).and_then(link::header::next);
        let link = link.as_deref().or_else(in_header);
        let total = envelope.number("@odata.count", 0).ok().flatten();
        let (position, full) = (ResoPosition::of(cursor), cursor.since.is_none());

        let (next, read_until) = match self.order(full) {
            Order::Time => (self.after_time(&position, full, &times, link)?, latest),
            Order::Own => {
                let memory = position.memory.clone().after(raws.len(), total, latest, served_at(answer, now));
                let read_until = memory.read_until();
                (self.after_own(&position, memory, (raws.len(), answer.body), link)?, read_until)
            }
        };
        // A server clock ahead of ours may be corrected; later changes would then have times before that watermark.
        let read_until = read_until.map(|time| time.min(now));
        let since = cursor.since.as_deref().and_then(|since| Time::parse(since).ok());
        let watermark = read_until.max(since.filter(|_| read_until.is_some()));
        Ok(Page {
            rows,
            next: next.map_or(Next::End, |position| Next::Page(onto(cursor, position.position()))),
            total,
            left_out: 0,
            watermark: watermark.map(|at| format!("{:.3}", at.timestamp())),
            // The page starts with rows that have the same time as the last row before.
            overlaps: cursor.pages_before > 0
                && self.order(full) == Order::Time
                && !onward::names_a_place(&position.url),
            cut: raws.cut(),
        })
    }
}

/// The cursor of the page after `cursor`.
fn onto(cursor: &Cursor, position: String) -> Cursor {
    Cursor { position, since: cursor.since.clone(), pages_before: cursor.pages_before.saturating_add(1) }
}

/// Whether the URL is a Trestle replication in progress: `.../Property/replication?id=...`.
fn is_replication(url: &str) -> bool {
    url.split_once('?').is_some_and(|(path, query)| path.ends_with("/replication") && query.contains("id="))
}

/// When the answer was made: the server's time if it is earlier than ours.
fn served_at(answer: &SourceAnswer<'_>, now: Time) -> Time {
    let date = answer
        .header("date")
        .and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date.trim()).ok());
    date.map_or(now, |date| now.min(Time::from_ms(date.as_millisecond())))
}

impl fmt::Debug for Reso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Reso");
        debug.field("name", &self.name).field("base", &self.base).field("dialect", &self.dialect);
        debug.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod dialect_tests;

#[cfg(test)]
mod sale_tests;
