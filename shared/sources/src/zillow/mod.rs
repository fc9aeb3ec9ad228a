//! Zillow through RapidAPI: `zillow-com1`, `GET /propertyExtendedSearch`.
//!
//! Pages count from 1 and stop at 20 even where `totalResultCount` is larger: such a scan ends
//! [`Next::Capped`], and the search should be split. An answer may also be the bare array of `props`.
//!
//! Decisions:
//! - A building is not a home: each kind of unit in it is, with the id `zpid/bedrooms` and the price
//!   that the "from" price names. As that breaks the count against `totalResultCount`, a search for
//!   rentals proves nothing about what it missed unless `home_type` excludes buildings.
//! - `daysOnZillow` is counted back from the day of reading, to midnight UTC: right to a day.
//! - What the source says of price changes may be years old: kept as said, never an observation.

mod address;
mod row;

use serde_json::value::RawValue;
use stoop_domain::{Purpose, Time};

use crate::body::{Body, refused};
use crate::fields::Fields;
use crate::limit::Limit;
use crate::link;
use crate::params::{Param, Reader};
use crate::port::{
    Answer, Coverage, Cursor, Manners, Method, Next, Page, Params, ReadError, Request, Row, SearchError, Source,
};
use crate::registry::Tells;

/// See the [module](self).
pub(crate) struct Zillow {
    base: String,
    host: String,
    key: String,
    purpose: Purpose,
    /// Every parameter of the query but the page, encoded.
    query: String,
    buildings: bool,
}

const EXPECTED: &str = "JSON with props";
const HOST: &str = "zillow-com1.p.rapidapi.com";
const PAGES_MAX: u32 = 20;
const ROWS_PER_PAGE: u64 = 41;

/// Handed on to the API as they are.
const PASSED_ON: [&str; 15] = [
    "home_type",
    "sort",
    "minPrice",
    "maxPrice",
    "rentMinPrice",
    "rentMaxPrice",
    "bathsMin",
    "bathsMax",
    "bedsMin",
    "bedsMax",
    "sqftMin",
    "sqftMax",
    "daysOn",
    "soldInLast",
    "keywords",
];

impl Zillow {
    pub(crate) const TELLS: Tells = Tells {
        price_changes: "the last change, undated or years old",
        status: "for sale or for rent",
        gone: "a complete scan that misses it twice",
        limits: "1 request a second",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::required("location", "a city, neighbourhood or zip: Chicago, IL"),
        Param::required("key", "the RapidAPI key").secret(),
        Param::optional("status_type", "ForSale or ForRent (default ForSale)"),
        Param::optional("home_type", "Houses, Townhomes, Apartments, Condos, ... parted by commas (default all)"),
        Param::optional("sort", "the API's order of results"),
        Param::optional("minPrice", "least sale price"),
        Param::optional("maxPrice", "greatest sale price"),
        Param::optional("rentMinPrice", "least rent"),
        Param::optional("rentMaxPrice", "greatest rent"),
        Param::optional("bathsMin", "least number of bathrooms"),
        Param::optional("bathsMax", "greatest number of bathrooms"),
        Param::optional("bedsMin", "least number of bedrooms"),
        Param::optional("bedsMax", "greatest number of bedrooms"),
        Param::optional("sqftMin", "least living area in square feet"),
        Param::optional("sqftMax", "greatest living area in square feet"),
        Param::optional("daysOn", "listed within so many days"),
        Param::optional("soldInLast", "sold within so many days"),
        Param::optional("keywords", "words in the listing"),
        Param::optional("host", "the x-rapidapi-host header (default zillow-com1.p.rapidapi.com)"),
        Param::optional("url", "the API's base address (default https:// and the host)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = Reader::new("zillow", Self::PARAMS, params);
        let status_type = reader.one_of("status_type", &["ForSale", "ForRent"]);
        let host = reader.text("host", HOST);
        if link::origin(&format!("https://{host}")).is_none() || host.contains(['/', '?', '#']) {
            reader.mistake("host", &host, "a host name like zillow-com1.p.rapidapi.com");
        }
        let base = reader.address("url", &format!("https://{host}"));
        let location = reader.text("location", "");
        let mut query = format!("location={}&status_type={status_type}", link::encode(&location, ""));
        for name in PASSED_ON {
            if let Some(value) = reader.get(name) {
                query.push_str(&format!("&{name}={}", link::encode(value, "")));
            }
        }
        let key = reader.text("key", "");
        let purpose = if status_type == "ForRent" { Purpose::Rent } else { Purpose::Sale };
        let houses_only = reader
            .get("home_type")
            .is_some_and(|types| types.split(',').all(|name| matches!(name.trim(), "Houses" | "Townhomes")));
        reader.finish()?;
        let buildings = purpose == Purpose::Rent && !houses_only;
        Ok(Self { base, host, key, purpose, query, buildings })
    }
}

impl Source for Zillow {
    fn name(&self) -> &str {
        "zillow"
    }

    fn manners(&self) -> Manners {
        let coverage = if self.buildings { Coverage::Changes } else { Coverage::Snapshot };
        Manners {
            coverage,
            limits: vec![Limit::pause(1_000)],
            robots: false,
            off_by_default: false,
            pages_max: PAGES_MAX,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "1".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        Request {
            method: Method::Get,
            url: format!("{}/propertyExtendedSearch?{}&page={}", self.base, self.query, page_number(cursor)),
            headers: vec![
                ("x-rapidapi-key".into(), self.key.clone()),
                ("x-rapidapi-host".into(), self.host.clone()),
                ("Accept".into(), "application/json".into()),
            ],
            body: None,
            granted: false,
        }
    }

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED)?;
        if body.text().starts_with('[') {
            let raws: Vec<&RawValue> = body.json()?;
            return Ok(Page { rows: self.rows(&body, &raws, now).0, ..Page::default() });
        }
        let envelope: Fields<'_> = body.json()?;
        let count = |name: &str| envelope.number::<u64>(name, 0).ok().flatten();
        let total = count("totalResultCount");
        let raws: Vec<&RawValue> = match envelope.get("props") {
            Some(props) => body.json_part(props.get())?,
            // A search that found nothing may say so with a null.
            None if total == Some(0) => Vec::new(),
            None => return Err(body.without("props", &envelope)),
        };
        let (rows, buildings) = self.rows(&body, &raws, now);
        let shown = Shown {
            page: page_number(cursor),
            page_given: count("currentPage"),
            pages: count("totalPages").unwrap_or(1),
            rows_per_page: count("resultsPerPage").unwrap_or(ROWS_PER_PAGE),
            total: total.unwrap_or(0),
            empty: raws.is_empty(),
        };
        Ok(Page { rows, next: shown.next(cursor), total: total.filter(|_| !buildings), watermark: None })
    }
}

impl Zillow {
    /// The rows, and whether buildings were among them.
    fn rows(&self, body: &Body<'_>, raws: &[&RawValue], now: Time) -> (Vec<Row>, bool) {
        let mut rows = Vec::with_capacity(raws.len());
        let mut buildings = false;
        for raw in raws {
            let read = body.fields(raw);
            match read.and_then(|fields| row::read(&fields, self.purpose, now)) {
                Ok(found) => {
                    buildings |= found.iter().any(|found| found.native_id.contains('/'));
                    rows.extend(found.into_iter().map(|found| Row::Found(Box::new(found))));
                }
                Err(refusal) => rows.push(refused(refusal, raw)),
            }
        }
        (rows, buildings)
    }
}

/// What an envelope says of its place among the pages.
struct Shown {
    page: u64,
    page_given: Option<u64>,
    pages: u64,
    rows_per_page: u64,
    total: u64,
    empty: bool,
}

impl Shown {
    fn next(&self, cursor: &Cursor) -> Next {
        let another_page = self.page_given.is_some_and(|given| given != self.page);
        let more_to_come = self.page < self.pages;
        if another_page || (more_to_come && self.empty) {
            // It promises more and shows none of it: whatever was seen, it was not all.
            return Next::Capped;
        }
        if more_to_come {
            return Next::Page(Cursor {
                position: self.page.saturating_add(1).to_string(),
                since: cursor.since.clone(),
                pages_before: cursor.pages_before.saturating_add(1),
            });
        }
        if self.total > self.pages.saturating_mul(self.rows_per_page) { Next::Capped } else { Next::End }
    }
}

fn page_number(cursor: &Cursor) -> u64 {
    cursor.position.parse().unwrap_or(1)
}

#[cfg(test)]
mod tests;
