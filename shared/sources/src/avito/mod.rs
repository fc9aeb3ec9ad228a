//! Avito.ma: HTML result pages. Reads the JSON in `__NEXT_DATA__`; if that is missing or has changed its shape, reads
//! the ad cards with CSS selectors.
//!
//! A scraped site: disabled by default, follows `robots.txt`, and polls slowly. Results are sorted by date and shift
//! between pages, so a scan can repeat or miss ads, and a missing ad does not prove that it is gone:
//! [`Coverage::Changes`].
//!
//! Decisions:
//! - Promotions of new buildings (`isNc`) are skipped without a reject: they do not match the search, and
//!   `aggregations.all` ([`Page::total`]) does not count them.
//! - "Autre secteur" and "Toute la ville" do not name a quarter: the neighbourhood is unknown.
//! - A living area below 5 m² is unknown.
//! - The price is taken as is. The rules for suspect prices handle a monthly rent among sales.
//! - Cards contain less than the JSON: no previous price and no description. The fields that both contain agree.
//! - Cards do not say whether an ad is for sale or rent. If the path does not say it either, the cards are rejected. A
//!   path for holiday lets is a configuration error: a price per night is not a rent.
//! - A page whose `pageNumber` differs from the requested one means that the requested page does not exist.

mod ad;
mod card;
mod date;

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::value::RawValue;
use stoop_domain::{Purpose, Time};

use crate::body::{Body, html_in_words, refused};
use crate::capabilities::Capabilities;
use crate::fields::FieldRefusal;
use crate::html::{CardRules, PagerPosition};
use crate::link;
use crate::params::{Param, ParamReader};
use crate::port::{
    CrawlPolicy, Cursor, Next, Page, Params, ReadError, Request, Row, SearchError, Source, SourceAnswer,
};
use crate::settings::MapErrors;

/// See the [module](self).
pub(crate) struct Avito {
    base: String,
    path: String,
    /// Purpose of all ads under the search's path; `None` if the path names neither sale nor rent.
    purpose: Option<Purpose>,
    rules: CardRules,
    pages_max: u32,
}

/// The built-in rules, compiled once: compiling their patterns takes longer than reading a page.
static RULES: LazyLock<Result<CardRules, MapErrors>> =
    LazyLock::new(|| CardRules::built_in(include_str!("cards.toml")));

const EXPECTED: &str = "an Avito page of search results";
const ADS_PER_PAGE: u64 = 35;

impl Avito {
    pub(crate) const CAPABILITIES: Capabilities = Capabilities {
        price_changes: "the price before the last change; nothing where only the cards can be read",
        status: "shown or not",
        gone: "never: pages shift while they are read",
        limits: "1 request in 3 s",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::optional("path", "the result pages' path (default fr/maroc/appartements-à_vendre)"),
        Param::optional("pages", "how many pages of the newest ads to read, 1 to 2000 (default 100)"),
        Param::optional("selectors", "where the parts of an ad's card stand, in TOML, put over what is built in"),
        Param::optional("url", "the site's base address (default https://www.avito.ma)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = ParamReader::new("avito", Self::PARAMS, params);
        let base = reader.address("url", "https://www.avito.ma");
        let path = reader.text("path", "fr/maroc/appartements-à_vendre");
        if path.contains(['?', '#']) {
            reader.mistake("path", &path, "a path without a query, like fr/maroc/appartements-à_vendre");
        }
        if path.contains("vacances") {
            reader.mistake("path", &path, "a path of ads for sale or to rent by the month");
        }
        let pages_max = reader.number("pages", 1..=2_000, 100);
        let rules = reader.card_rules("selectors", &RULES);
        reader.finish()?;
        // `finish` has already reported what is missing.
        let Some(rules) = rules else { return Err(SearchError(Vec::new())) };
        let purpose = match (path.contains("vendre"), path.contains("louer") || path.contains("location")) {
            (_, true) => Some(Purpose::Rent),
            (true, false) => Some(Purpose::Sale),
            (false, false) => None,
        };
        // A path copied from a browser is already percent-encoded.
        let path =
            link::encode(path.trim_matches('/'), if path.contains('%') { link::ENCODED_PATH } else { link::PATH });
        Ok(Self { base, path, purpose, rules, pages_max })
    }
}

impl Source for Avito {
    fn name(&self) -> &str {
        "avito"
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        CrawlPolicy::scraped(self.pages_max)
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "1".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        Request::html(format!("{}/{}?o={}", self.base, self.path, PagerPosition::of(cursor).page))
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED)?;
        let from_data = match next_data(&body) {
            // A truncated page does not contain all of its cards.
            Err(broken_off @ ReadError::Unreadable(_)) => return Err(broken_off),
            data => data.and_then(|data| self.read_data(&body, data, cursor, now)),
        };
        match from_data {
            Ok(page) if !page.rows.is_empty() => Ok(page),
            // An empty result in the JSON is accepted only if the page shows no cards either.
            Ok(page) => Ok(self.read_cards(cursor, answer, now).unwrap_or(page)),
            Err(error) => self.read_cards(cursor, answer, now).map_err(|cards| both(error, cards)),
        }
    }
}

impl Avito {
    fn read_data(&self, body: &Body<'_>, data: &str, cursor: &Cursor, now: Time) -> Result<Page, ReadError> {
        let data: NextData<'_> = body.json_part(data)?;
        let search = data.props.page_props.initial_redux_state.ad.search;
        let ads = body.rows(search.ads.get())?;
        let mut rows = Vec::with_capacity(ads.len());
        for &raw in &ads.rows {
            let fields = match body.fields(raw) {
                Ok(fields) if ad::is_promotion(&fields) => continue,
                Ok(fields) => fields,
                Err(refusal) => {
                    rows.push(refused(refusal, None, raw));
                    continue;
                }
            };
            rows.push(match ad::read(&fields, self.purpose, now) {
                Ok(found) => Row::Found(Box::new(found)),
                Err(refusal) => refused(refusal, ad::native_id(&fields).ok(), raw),
            });
        }
        let position = PagerPosition::of(cursor);
        let page = position.page;
        let total = search.aggregations.and_then(|aggregations| aggregations.all);
        let another_page = search.filters.and_then(|filters| filters.page_number).is_some_and(|given| given != page);
        let last = total.is_some_and(|total| page >= total.div_ceil(ADS_PER_PAGE));
        let next = if rows.is_empty() || another_page || last { Next::End } else { position.next_by_number(cursor) };
        if let Some(total) = total.filter(|total| *total > 0 && page == 1 && rows.is_empty()) {
            return Err(body.not_ours(format!("data without ads, though it counts {total}")));
        }
        Ok(Page { rows, next, total, cut: ads.cut(), ..Page::default() })
    }

    fn read_cards(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        let position = PagerPosition::of(cursor);
        let page = crate::html::read_cards(answer.body, EXPECTED, &self.rules, &position)?;
        let read = |card| match card::read(card, self, now) {
            Ok(found) => Row::Found(Box::new(found)),
            Err(FieldRefusal { reason, detail }) => {
                Row::Refused { native_id: card.id.clone(), reason, detail, raw: card.raw() }
            }
        };
        let rows = page.cards.iter().map(read).collect();
        Ok(Page { rows, next: position.after(cursor, &page, &self.rules), ..Page::default() })
    }
}

/// The error for a page whose JSON and cards are both unreadable.
fn both(data: ReadError, cards: ReadError) -> ReadError {
    match (data, cards) {
        (ReadError::NotOurs { expected, got }, ReadError::NotOurs { got: cards, .. }) if !cards.starts_with(&got) => {
            ReadError::NotOurs { expected, got: format!("{got}; and by its cards {cards}") }
        }
        (data, _) => data,
    }
}

/// Returns the content of `<script id="__NEXT_DATA__" ...>`.
fn next_data<'b>(body: &'b Body<'_>) -> Result<&'b str, ReadError> {
    let html = body.text();
    let Some(at) = html.find("id=\"__NEXT_DATA__\"") else {
        let got = if html.starts_with('<') { html_in_words(html) } else { "no HTML page".to_owned() };
        return Err(body.not_ours(got));
    };
    let rest = &html[at..];
    let script = rest.find('>').map(|end| &rest[end + 1..]);
    script
        .and_then(|script| script.find("</script>").map(|end| &script[..end]))
        .ok_or_else(|| ReadError::Unreadable("broken off in __NEXT_DATA__".into()))
}

#[derive(Deserialize)]
struct NextData<'a> {
    #[serde(borrow)]
    props: Props<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Props<'a> {
    #[serde(borrow)]
    page_props: PageProps<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageProps<'a> {
    #[serde(borrow)]
    initial_redux_state: PageState<'a>,
}

#[derive(Deserialize)]
struct PageState<'a> {
    #[serde(borrow)]
    ad: AdState<'a>,
}

#[derive(Deserialize)]
struct AdState<'a> {
    #[serde(borrow)]
    search: AvitoSearch<'a>,
}

#[derive(Deserialize)]
struct AvitoSearch<'a> {
    #[serde(borrow)]
    ads: &'a RawValue,
    aggregations: Option<Aggregations>,
    filters: Option<Filters>,
}

#[derive(Deserialize)]
struct Aggregations {
    all: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filters {
    page_number: Option<u64>,
}

#[cfg(test)]
mod tests;
