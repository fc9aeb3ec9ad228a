//! RESO Web API: an MLS's `Property` resource over OData v4.
//!
//! A scan asks for rows in the order of `ModificationTimestamp` and follows `@odata.nextLink` letter by
//! letter, within the host of `url`. The watermark of a page is its greatest `ModificationTimestamp`, in
//! UTC with three decimals, so that watermarks order as text; it never lies before `since`, and a page
//! without any has none, which leaves that of the pages before it. The next scan asks for what is later.
//!
//! Decisions:
//! - [`Coverage::Snapshot`] is said of a scan begun without a `since`; the poller takes a scan with one
//!   as [`Coverage::Changes`].
//! - `MlgCanView: false` means that MLS Grid took the row back: [`Status::Delete`](stoop_domain::Status),
//!   whatever its `StandardStatus` says.
//! - A row without `PropertyType` is refused: rents and sale prices share `ListPrice`, and counting one
//!   as the other would be worse than waiting for the field.
//! - The `ListPrice` of a closed row stays what was asked; `ClosePrice` is not read.
//! - A timestamp ahead of the clock never becomes the watermark: it would hide everything until then.

mod kind;
mod row;

use std::fmt;

use serde_json::value::RawValue;
use stoop_domain::{AreaUnit, Currency, Time, country};

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
pub(crate) struct Reso {
    name: String,
    base: String,
    token: Option<String>,
    filter: Option<String>,
    select: Option<String>,
    top: u32,
    terms: Terms,
}

/// What rows leave unsaid.
pub(crate) struct Terms {
    pub(crate) country: String,
    pub(crate) currency: Currency,
    pub(crate) living_area_unit: AreaUnit,
}

const EXPECTED: &str = "JSON of an OData collection";

/// How far a server's clock may run ahead of ours before its time is no watermark.
const CLOCK_SKEW_MS: i64 = 15 * 60 * Time::SECOND_MS;

/// What no row can be read without.
const SELECT_NEEDED: [&str; 4] = ["ListingKey", "ModificationTimestamp", "PropertyType", "StandardStatus"];

impl Reso {
    pub(crate) const TELLS: Tells = Tells {
        price_changes: "the previous price and when it changed",
        status: "every StandardStatus",
        gone: "a full scan that misses it twice; MLS Grid says so itself",
        limits: "2 requests a second",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::required("url", "the service's base address, the part before /Property"),
        Param::optional("name", "the source's name in every home's id (default reso)"),
        Param::optional("token", "the bearer token").secret(),
        Param::optional("filter", "an OData filter that every row must pass: OriginatingSystemName eq 'actris'"),
        Param::optional("select", "the fields to ask for, parted by commas (default all)"),
        Param::optional("top", "rows a page, 1 to 5000 (default 1000)"),
        Param::optional("country", "the country of rows that name none, ISO 3166-1 alpha-2 (default US)"),
        Param::optional("currency", "the currency of prices, ISO 4217 (default that of the country)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = Reader::new("reso", Self::PARAMS, params);
        let base = reader.address("url", "");
        let base = base.strip_suffix("/Property").unwrap_or(&base).to_owned();
        let name = reader.text("name", "reso");
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            reader.mistake("name", &name, "letters, digits, - and _");
        }
        let select = reader.get("select").map(|select| select.split_whitespace().collect::<String>());
        if let Some(select) = &select {
            let named: Vec<&str> = select.split(',').collect();
            for field in SELECT_NEEDED.into_iter().filter(|field| !named.contains(field)) {
                reader.mistake("select", select, &format!("a list that names {field} too"));
            }
        }
        let top = reader.number("top", 1..=5_000, 1_000);
        let code = reader.text("country", "US").to_uppercase();
        if code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()) {
            reader.mistake("country", &code, "a code of two letters like US (ISO 3166-1)");
        }
        let usual = country(&code.to_lowercase(), "");
        let currency = match reader.get("currency") {
            Some(text) => Currency::parse(text).ok(),
            None => usual.currency,
        };
        if currency.is_none() {
            let value = reader.text("currency", "");
            reader.mistake("currency", &value, "a code of three letters like USD (ISO 4217)");
        }
        let (token, filter) = (reader.get("token").map(str::to_owned), reader.get("filter").map(str::to_owned));
        reader.finish()?;
        let currency = currency.unwrap_or(Currency::USD);
        let terms = Terms { country: code, currency, living_area_unit: usual.area_unit };
        Ok(Self { name, base, token, filter, select, top, terms })
    }

    fn next(&self, cursor: &Cursor, link: Option<String>) -> Result<Next, ReadError> {
        let Some(link) = link else { return Ok(Next::End) };
        Ok(Next::Page(Cursor {
            position: link::follow(&self.base, &cursor.position, &link)?,
            since: cursor.since.clone(),
            pages_before: cursor.pages_before.saturating_add(1),
        }))
    }
}

impl Source for Reso {
    fn name(&self) -> &str {
        &self.name
    }

    fn manners(&self) -> Manners {
        // MLS Grid suspends tokens that ask more than twice a second.
        let limits = vec![Limit::pause(500)];
        Manners { coverage: Coverage::Snapshot, limits, robots: false, off_by_default: false, pages_max: 5_000 }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        let later = since.map(|since| format!("ModificationTimestamp ge {}", earlier(since)));
        let filter = match (later, &self.filter) {
            (Some(later), Some(filter)) => Some(format!("{later} and ({filter})")),
            (Some(later), None) => Some(later),
            (None, filter) => filter.clone(),
        };
        let mut url = format!("{}/Property?", self.base);
        if let Some(filter) = filter {
            url.push_str(&format!("$filter={}&", link::encode(&filter, "")));
        }
        if let Some(select) = &self.select {
            url.push_str(&format!("$select={}&", link::encode(select, ",")));
        }
        url.push_str(&format!("$orderby=ModificationTimestamp&$top={}&$count=true", self.top));
        Cursor { position: url, since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        // A checkpoint that was tampered with must not carry the token to another host.
        let at_home = link::origin(&cursor.position) == link::origin(&self.base);
        if let Some(token) = self.token.as_ref().filter(|_| at_home) {
            headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
        }
        Request { method: Method::Get, url: cursor.position.clone(), headers, body: None, granted: false }
    }

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED)?;
        let envelope: Fields<'_> = body.json()?;
        let Some(value) = envelope.get("value") else { return Err(body.without("value", &envelope)) };
        let raws: Vec<&RawValue> = body.json_part(value.get())?;
        let mut latest: Option<Time> = None;
        let mut rows = Vec::with_capacity(raws.len());
        for raw in raws {
            let fields = match body.fields(raw) {
                Ok(fields) => fields,
                Err(refusal) => {
                    rows.push(refused(refusal, raw));
                    continue;
                }
            };
            let modified = fields.time("ModificationTimestamp").ok().flatten();
            latest = latest.max(modified.filter(|at| *at <= now.plus_ms(CLOCK_SKEW_MS)));
            rows.push(match row::read(&fields, &self.terms) {
                Ok(found) => Row::Found(Box::new(found)),
                Err(refusal) => refused(refusal, raw),
            });
        }
        let link = envelope.parsed("@odata.nextLink", |link| Ok::<_, ()>(link.to_owned()));
        let link = link.map_err(|refusal| ReadError::BadLink(format!("is none: {}", refusal.detail)))?;
        let since = cursor.since.as_deref().and_then(|since| Time::parse(since).ok());
        Ok(Page {
            rows,
            next: self.next(cursor, link)?,
            total: envelope.number("@odata.count", 0).ok().flatten(),
            watermark: latest.max(since.filter(|_| latest.is_some())).map(|at| format!("{:.3}", at.timestamp())),
        })
    }
}

impl fmt::Debug for Reso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reso").field("name", &self.name).field("base", &self.base).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

/// Rows may appear under a time at or before one that was read already: a clock of whole seconds, a
/// transaction that was slow to commit. So an incremental scan looks back a little; what it reads again is
/// known by its content and costs nothing.
const LOOK_BACK_MS: i64 = 5 * 60 * Time::SECOND_MS;

fn earlier(since: &str) -> String {
    match Time::parse(since) {
        Ok(time) => time.plus_ms(-LOOK_BACK_MS).to_string(),
        Err(_) => since.to_owned(),
    }
}
