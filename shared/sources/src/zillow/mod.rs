//! Zillow through RapidAPI: `zillow-com1` (`GET /propertyExtendedSearch`) and `zillow56` (`GET /search`).
//!
//! Both return the same homes with the same IDs, so both are the source `zillow`. A [`ZillowApi`] contains their URLs and
//! names.
//!
//! Pages count from 1 and stop at 20, even if `totalResultCount` is larger. Such a search is split by price until every
//! part fits, within one scan: the cursor's position, a [`ZillowPosition`], contains the remaining work. Rows that led to a
//! split are kept; they harmlessly appear again in their part. A part that cannot be split is read as far as possible,
//! and the scan ends [`Next::Capped`]. An answer may also be the bare array of rows.
//!
//! Decisions:
//! - [`Page::total`] is the total of the whole search. A listing without a price is in no part of a split, so that a
//!   split scan sees fewer than the total: it is partial and reports nothing gone. That is intended, because what was
//!   not shown is unknown.
//! - An API that ignores the price bounds returns prices outside of them. If most are outside, the split is given up
//!   instead of reading the same pages for every part.
//! - A building is not a home: each kind of unit in it is, with the ID `zpid/bedrooms` and its "from" price. Whether
//!   `totalResultCount` counts a building once is unknown, so a search for rentals proves nothing gone unless
//!   `home_type` excludes buildings. In other searches, units beyond the first are added to the total.
//! - `daysOnZillow` is subtracted from the day of reading, giving midnight UTC with an error of up to a day. If it is
//!   -1, `timeOnZillow` (milliseconds) is subtracted.
//! - Price changes reported by the source may be years old: stored as reported, never as an observation.

mod address;
mod api;
mod building;
mod plan;
mod row;

use stoop_domain::{Purpose, Time};

use crate::body::{Body, refused};
use crate::capabilities::Capabilities;
use crate::fields::{FieldRefusal, Fields, shown};
use crate::limit::Limit;
use crate::link;
use crate::params::{Param, ParamReader};
use crate::port::{
    Coverage, CrawlPolicy, Cursor, Method, Next, Page, Params, ReadError, Request, Row, SearchError, SeenListing,
    Source, SourceAnswer,
};
use crate::raws::Raws;
use api::{APIS, ZillowApi};
use plan::{Range, ZillowPosition};

/// See the [module](self).
pub(crate) struct Zillow {
    api: &'static ZillowApi,
    base: String,
    host: String,
    key: String,
    purpose: Purpose,
    /// All query parameters except prices and page, encoded.
    query: String,
    prices: Range,
    pages_max: u32,
    buildings: bool,
}

const ROWS_PER_PAGE: u64 = 41;
/// Maximum number of pages that the API shows of a search.
const PAGES_SHOWN: u64 = 20;
/// A typical price, at which splitting starts.
const MIDDLE_PRICE: u32 = 300_000;
const MIDDLE_RENT: u32 = 2_000;

impl Zillow {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "the last change and its day, often years old",
        status: "active, under contract, pending",
        gone: "two complete scans that miss it; never of rentals in buildings",
        limits: "1 request a second",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::required("location", "a city, neighbourhood or zip: Chicago, IL"),
        Param::required("key", "the RapidAPI key").secret(),
        Param::optional("api", "zillow-com1 or zillow56 (default zillow-com1)"),
        Param::optional("status_type", "ForSale or ForRent (default ForSale)"),
        Param::optional("home_type", "Houses, Townhomes, Apartments, Condos, ... parted by commas (default all)"),
        Param::optional("sort", "the API's order of results"),
        Param::optional("listing_type", "zillow56 only: by_agent or by_owner_other (default the API's, by_agent)"),
        Param::optional("minPrice", "least sale price, in whole dollars"),
        Param::optional("maxPrice", "greatest sale price, in whole dollars"),
        Param::optional("rentMinPrice", "least rent, in whole dollars"),
        Param::optional("rentMaxPrice", "greatest rent, in whole dollars"),
        Param::optional("bathsMin", "least number of bathrooms"),
        Param::optional("bathsMax", "greatest number of bathrooms"),
        Param::optional("bedsMin", "least number of bedrooms"),
        Param::optional("bedsMax", "greatest number of bedrooms"),
        Param::optional("sqftMin", "least living area in square feet"),
        Param::optional("sqftMax", "greatest living area in square feet"),
        Param::optional("daysOn", "listed within so many days"),
        Param::optional("soldInLast", "zillow-com1 only: sold within so many days"),
        Param::optional("keywords", "words in the listing"),
        Param::optional("pages", "the most pages, which are requests, of one scan, 1 to 10000 (default 1000)"),
        Param::optional("host", "the x-rapidapi-host header (default the API's own)"),
        Param::optional("url", "the API's base address (default https:// and the host)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = ParamReader::new("zillow", Self::PARAMS, params);
        let name = reader.one_of("api", &APIS.map(|api| api.name));
        let api = APIS.into_iter().find(|api| api.name == name).unwrap_or(APIS[0]);
        let rent = reader.one_of("status_type", &["ForSale", "ForRent"]) == "ForRent";
        let purpose = if rent { Purpose::Rent } else { Purpose::Sale };
        let host = reader.text("host", api.host);
        if !link::is_host(&host) {
            reader.mistake("host", &host, &format!("a host name like {}", api.host));
        }
        let base = reader.address("url", &format!("https://{host}"));
        let query = api.query(&mut reader, purpose);
        let prices = api.prices(&mut reader, purpose);
        let pages_max = reader.number("pages", 1..=10_000, 1_000);
        let key = reader.text("key", "");
        let houses_only = reader
            .get("home_type")
            .is_some_and(|types| types.split(',').all(|name| matches!(name.trim(), "Houses" | "Townhomes")));
        reader.finish()?;
        let buildings = rent && !houses_only;
        Ok(Self { api, base, host, key, purpose, query, prices, pages_max, buildings })
    }
}

impl Source for Zillow {
    fn name(&self) -> &str {
        "zillow"
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        let coverage = if self.buildings { Coverage::Changes } else { Coverage::Snapshot };
        CrawlPolicy {
            coverage,
            limits: vec![Limit::pause(1_000)],
            robots: false,
            off_by_default: false,
            pages_max: self.pages_max,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        let position = ZillowPosition::start(self.prices).to_string();
        Cursor { position, since: since.map(str::to_owned), pages_before: 0 }
    }

    /// A position that this search cannot have made requests the first page; [`Source::read`] then refuses the answer.
    fn request(&self, cursor: &Cursor) -> Request {
        let position =
            ZillowPosition::parse(&cursor.position, self.prices).unwrap_or_else(|| ZillowPosition::start(self.prices));
        let asked = self.api.page_query(self.purpose, position.range(), position.page);
        Request {
            method: Method::Get,
            url: format!("{}{}?{}{asked}", self.base, self.api.path, self.query),
            headers: vec![
                ("x-rapidapi-key".into(), self.key.clone()),
                ("x-rapidapi-host".into(), self.host.clone()),
                ("Accept".into(), "application/json".into()),
            ],
            body: None,
            granted: false,
        }
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        let position = ZillowPosition::parse(&cursor.position, self.prices).ok_or_else(|| {
            ReadError::BadLink(format!("is no position in this search: {:?}", shown(&cursor.position)))
        })?;
        let body = Body::of(answer.body, self.api.expected)?;
        if body.text().starts_with('[') {
            let raws = body.rows(body.text())?;
            let rows = self.rows(&body, &raws, now, position.range());
            return Ok(Page { cut: raws.cut(), ..self.page(cursor, position, &PagingInfo::default(), rows) });
        }
        let envelope: Fields<'_> = body.json()?;
        let count = |name: &str| envelope.number::<u64>(name, 0).ok().flatten();
        let total = count("totalResultCount");
        let raws = match envelope.get(self.api.rows) {
            Some(rows) => body.rows(rows.get())?,
            // A search without results may contain null instead of an array.
            None if total == Some(0) => Raws::default(),
            None => return Err(body.without(self.api.rows, &envelope)),
        };
        let rows_per_page = count("resultsPerPage").unwrap_or(ROWS_PER_PAGE).max(1);
        let said = PagingInfo {
            page: count("currentPage"),
            pages: count("totalPages").unwrap_or_else(|| total.unwrap_or(0).div_ceil(rows_per_page).min(PAGES_SHOWN)),
            rows_per_page,
            total,
            empty: raws.is_empty(),
        };
        let rows = self.rows(&body, &raws, now, position.range());
        Ok(Page { cut: raws.cut(), ..self.page(cursor, position, &said, rows) })
    }
}

/// Paging information of an envelope.
#[derive(Default)]
struct PagingInfo {
    page: Option<u64>,
    pages: u64,
    rows_per_page: u64,
    total: Option<u64>,
    empty: bool,
}

/// The rows of an answer in page order.
#[derive(Default)]
struct ZillowRows {
    rows: Vec<Row>,
    /// Number of units beyond one per building.
    extra: u64,
    /// Number of homes and buildings with a price inside the requested range, and of those that cannot be.
    inside: u32,
    outside: u32,
}

impl Zillow {
    fn rows(&self, body: &Body<'_>, raws: &Raws<'_>, now: Time, asked: Range) -> ZillowRows {
        let mut rows = ZillowRows::default();
        for &raw in &raws.rows {
            let fields = match body.fields(raw) {
                Ok(fields) => fields,
                Err(refusal) => {
                    rows.rows.push(refused(refusal, None, raw));
                    continue;
                }
            };
            // A building's ID is not a home's.
            let home_id = row::native_id(&fields).ok().filter(|_| !row::is_building(&fields));
            let listings = match row::read(&fields, self.api, self.purpose, now) {
                Ok(listings) => listings,
                Err(refusal) => {
                    rows.rows.push(refused(refusal, home_id, raw));
                    continue;
                }
            };
            match is_outside(&listings, asked) {
                Some(true) => rows.outside += 1,
                Some(false) => rows.inside += 1,
                None => {}
            }
            rows.extra += (listings.iter().flatten().count() as u64).saturating_sub(1);
            rows.rows.extend(listings.into_iter().map(|listing| match listing {
                Ok(found) => Row::Found(Box::new(found)),
                Err(refusal) => refused(refusal, home_id.clone(), raw),
            }));
        }
        rows
    }

    fn page(&self, cursor: &Cursor, mut position: ZillowPosition, said: &PagingInfo, rows: ZillowRows) -> Page {
        position.total = position.total.max(said.total);
        let in_part = !position.is_whole();
        let goes_on = self.go_on(&mut position, said, &rows);
        let next = match goes_on {
            true => Next::Page(Cursor {
                position: position.to_string(),
                since: cursor.since.clone(),
                pages_before: cursor.pages_before.saturating_add(1),
            }),
            false if position.lost => Next::Capped,
            false => Next::End,
        };
        let total = position.total.map(|total| total.saturating_add(position.extra));
        // Rows that led to a split appear again, and rows at a bound appear in both parts.
        Page { rows: rows.rows, next, total, overlaps: in_part, ..Page::default() }
    }

    /// Advances to the next page or range; `false` if there is none.
    fn go_on(&self, position: &mut ZillowPosition, said: &PagingInfo, rows: &ZillowRows) -> bool {
        let here = u64::from(position.page);
        let more = here < said.pages;
        // The answer promises more rows but contains none, or is another page: the scan is incomplete.
        let astray = said.page.is_some_and(|page| page != here) || (more && said.empty);
        let too_many = said.total.unwrap_or(0) > said.pages.saturating_mul(said.rows_per_page);
        if astray {
            position.lost = true;
        } else if too_many {
            let middle = if self.purpose == Purpose::Rent { MIDDLE_RENT } else { MIDDLE_PRICE };
            if !position.is_whole() && rows.outside > rows.inside {
                position.unsplit();
            } else if position.split(middle) {
                // Its rows appear again in their parts.
                return true;
            } else {
                position.lost = true;
            }
        }
        position.extra = position.extra.saturating_add(rows.extra);
        if more && !astray {
            position.page = position.page.saturating_add(1);
            return true;
        }
        position.next_range()
    }
}

/// Whether a row cannot be in the requested price range; `None` if it has no price. A building has "from" prices: it
/// may have more expensive units, but no cheaper ones.
fn is_outside(listings: &[Result<SeenListing, FieldRefusal>], asked: Range) -> Option<bool> {
    let (mut priced, mut inside) = (false, false);
    for found in listings.iter().flatten() {
        let Some(price) = found.listing.list_price.or(found.listing.close_price) else { continue };
        let minor = |bound: u32| i64::from(bound) * 10_i64.pow(found.listing.currency.minor_digits());
        let dear_enough = found.native_id.contains('/') || asked.least.is_none_or(|least| price.0 >= minor(least));
        priced = true;
        inside |= dear_enough && asked.most.is_none_or(|most| price.0 <= minor(most));
    }
    priced.then_some(!inside)
}

#[cfg(test)]
mod tests;
