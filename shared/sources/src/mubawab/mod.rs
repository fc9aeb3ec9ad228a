//! Mubawab.ma: HTML result pages, read with CSS selectors.
//!
//! A scraped site: disabled by default, follows `robots.txt`, and polls slowly. New ads shift others to the next page
//! during a scan, and pages contain no total, so a missing ad does not prove that it is gone: [`Coverage::Changes`].
//!
//! Decisions:
//! - The ID in the URL identifies the home; the words after it are the current title.
//! - The path contains sale or rent. A path with neither, or for holiday lets, is a configuration error: a price per
//!   night is not a rent.
//! - The path may contain the property type, if it names only one; titles are not searched for it.
//! - `m²` is the living area if the search is for dwellings or the card counts rooms, the lot area if the search is for
//!   land, and otherwise ignored: a mixed search also contains land.
//! - A card without a price text is refused. The site writes "Prix à consulter" for "no price", so a missing text means
//!   a changed card.
//! - Projects of new buildings are skipped without a reject: they are not homes.
//! - A scan ends at a page without links to later pages, at one that repeats the previous page's ads, at one without
//!   ads, or at status 404 after the first page.

mod card;
mod path;

use std::sync::LazyLock;

use percent_encoding::AsciiSet;
use stoop_domain::{PropertyType, Purpose, Reason, Time};

use crate::capabilities::Capabilities;
use crate::fields::FieldRefusal;
use crate::html::{Card, CardPage, CardRules, PagerPosition};
use crate::link;
use crate::params::{Param, ParamReader};
use crate::port::{CrawlPolicy, Cursor, Page, Params, ReadError, Request, Row, SearchError, Source, SourceAnswer};
use crate::settings::MapErrors;

/// See the [module](self).
pub(crate) struct Mubawab {
    base: String,
    path: String,
    purpose: Purpose,
    property_type: Option<PropertyType>,
    rules: CardRules,
    pages_max: u32,
}

/// The built-in rules, compiled once: compiling their patterns takes longer than reading a page.
static RULES: LazyLock<Result<CardRules, MapErrors>> =
    LazyLock::new(|| CardRules::built_in(include_str!("cards.toml")));

const EXPECTED: &str = "a Mubawab page of search results";

/// Characters that this site does not encode in paths.
const UNENCODED: &AsciiSet = &link::PATH.remove(b':').remove(b',');
const ENCODED: &AsciiSet = &UNENCODED.remove(b'%');

const PATH: &str = "fr/sc/appartements-a-vendre";

impl Mubawab {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "nothing",
        status: "shown or not",
        gone: "never: pages shift while they are read",
        limits: "1 request in 3 s",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::optional("path", "the result pages' path (default fr/sc/appartements-a-vendre)"),
        Param::optional("pages", "how many pages to read, 1 to 2000 (default 100)"),
        Param::optional("selectors", "where the parts of an ad stand, in TOML, put over what is built in"),
        Param::optional("url", "the site's base address (default https://www.mubawab.ma)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = ParamReader::new("mubawab", Self::PARAMS, params);
        let base = reader.address("url", "https://www.mubawab.ma");
        let path = reader.text("path", PATH);
        if path.contains(['?', '#']) || path.contains(":p:") {
            reader.mistake(
                "path",
                &path,
                "a path without a query or a page's number, like fr/sc/appartements-a-vendre",
            );
        }
        let purpose = path::purpose(&path);
        if purpose.is_none() {
            reader.mistake("path", &path, "a path of ads for sale or to rent by the month: a-vendre or a-louer");
        }
        let pages_max = reader.number("pages", 1..=2_000, 100);
        let rules = reader.card_rules("selectors", &RULES);
        reader.finish()?;
        // `finish` has already reported what is missing.
        let (Some(purpose), Some(rules)) = (purpose, rules) else { return Err(SearchError(Vec::new())) };
        let property_type = path::property_type(&path);
        // A path copied from a browser is already percent-encoded.
        let path = link::encode(path.trim_matches('/'), if path.contains('%') { ENCODED } else { UNENCODED });
        Ok(Self { base, path, purpose, property_type, rules, pages_max })
    }

    fn rows(&self, page: &CardPage) -> Vec<Row> {
        let read = |card: &Card| match card::read(card, self) {
            Ok(found) => Row::Found(Box::new(found)),
            Err(FieldRefusal { reason, detail }) => {
                Row::Refused { native_id: card.id.clone(), reason, detail, raw: card.raw() }
            }
        };
        page.cards.iter().map(read).collect()
    }
}

impl Source for Mubawab {
    fn name(&self) -> &str {
        "mubawab"
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        CrawlPolicy::scraped(self.pages_max)
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "1".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let page = match PagerPosition::of(cursor).page {
            1 => String::new(),
            page => format!(":p:{page}"),
        };
        Request::html(format!("{}/{}{page}", self.base, self.path))
    }

    /// A page after the last may return 404.
    fn reads(&self, status: u16) -> bool {
        matches!(status, 200 | 404)
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, _now: Time) -> Result<Page, ReadError> {
        let position = PagerPosition::of(cursor);
        if answer.status == 404 {
            return match position.page {
                1 => Err(not_ours(format!("status 404: there is no page at {}", self.path))),
                _ => Ok(Page::default()),
            };
        }
        let page = crate::html::read_cards(answer.body, EXPECTED, &self.rules, &position)?;
        let rows = self.rows(&page);
        let next = position.after(cursor, &page, &self.rules);
        Ok(Page { rows, next, ..Page::default() })
    }
}

fn not_ours(got: String) -> ReadError {
    ReadError::NotOurs { expected: EXPECTED, got }
}

#[cfg(test)]
mod tests;
