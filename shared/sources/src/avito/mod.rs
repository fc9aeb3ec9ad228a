//! Avito.ma: result pages in HTML, read from the JSON that they carry in `__NEXT_DATA__`.
//!
//! A scraped site: off until switched on, `robots.txt` is asked, and it is read slowly. Results are
//! sorted by date and shift while they are paged through, so ads repeat or are missed, and absence
//! proves nothing: [`Coverage::Changes`].
//!
//! Decisions:
//! - Promotions of new buildings (`isNc`) are left out without a reject: they are not results of the
//!   search, and `aggregations.all`, which is [`Page::total`], does not count them.
//! - "Autre secteur" and "Toute la ville" name no quarter: the neighbourhood is unknown.
//! - A living area below 5 m² is unknown.
//! - The price is taken as it stands: a monthly rent among sales is for the rules to suspect.
//! - A page whose `pageNumber` is not the one asked for is the site's way to say there is no such page.

mod ad;
mod date;

use serde::Deserialize;
use serde_json::value::RawValue;
use stoop_domain::{Purpose, Time};

use crate::body::{Body, html_in_words, refused};
use crate::limit::Limit;
use crate::link;
use crate::params::{Param, Reader};
use crate::port::{
    Answer, Coverage, Cursor, Manners, Method, Next, Page, Params, ReadError, Request, Row, SearchError, Source,
};
use crate::registry::Tells;

/// See the [module](self).
pub(crate) struct Avito {
    base: String,
    path: String,
    purpose: Purpose,
    pages_max: u32,
}

const EXPECTED: &str = "an Avito page of search results";
const ADS_PER_PAGE: u64 = 35;

impl Avito {
    pub(crate) const TELLS: Tells = Tells {
        price_changes: "the price before the last change",
        status: "shown or not",
        gone: "never: pages shift while they are read",
        limits: "1 request in 3 s",
    };

    pub(crate) const PARAMS: &[Param] = &[
        Param::optional("path", "the result pages' path (default fr/maroc/appartements-à_vendre)"),
        Param::optional("pages", "how many pages of the newest ads to read, 1 to 2000 (default 100)"),
        Param::optional("url", "the site's base address (default https://www.avito.ma)"),
    ];

    pub(crate) fn from_params(params: &Params) -> Result<Self, SearchError> {
        let mut reader = Reader::new("avito", Self::PARAMS, params);
        let base = reader.address("url", "https://www.avito.ma");
        let path = reader.text("path", "fr/maroc/appartements-à_vendre");
        if path.contains(['?', '#']) {
            reader.mistake("path", &path, "a path without a query, like fr/maroc/appartements-à_vendre");
        }
        let pages_max = reader.number("pages", 1..=2_000, 100);
        reader.finish()?;
        let purpose = if path.contains("louer") || path.contains("location") { Purpose::Rent } else { Purpose::Sale };
        // A path copied from a browser is encoded already.
        let path = link::encode(path.trim_matches('/'), if path.contains('%') { "/%" } else { "/" });
        Ok(Self { base, path, purpose, pages_max })
    }
}

impl Source for Avito {
    fn name(&self) -> &str {
        "avito"
    }

    fn manners(&self) -> Manners {
        Manners {
            coverage: Coverage::Changes,
            limits: vec![Limit::pause(3_000)],
            robots: true,
            off_by_default: true,
            pages_max: self.pages_max,
        }
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        Cursor { position: "1".into(), since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        Request {
            method: Method::Get,
            url: format!("{}/{}?o={}", self.base, self.path, page_number(cursor)),
            headers: vec![("Accept".into(), "text/html".into())],
            body: None,
            granted: false,
        }
    }

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> Result<Page, ReadError> {
        let body = Body::of(answer.body, EXPECTED)?;
        let data: NextData<'_> = body.json_part(next_data(&body)?)?;
        let search = data.props.page_props.initial_redux_state.ad.search;
        let mut rows = Vec::with_capacity(search.ads.len());
        for raw in search.ads {
            let fields = match body.fields(raw) {
                Ok(fields) if ad::is_promotion(&fields) => continue,
                Ok(fields) => fields,
                Err(refusal) => {
                    rows.push(refused(refusal, raw));
                    continue;
                }
            };
            rows.push(match ad::read(&fields, self.purpose, now) {
                Ok(found) => Row::Found(Box::new(found)),
                Err(refusal) => refused(refusal, raw),
            });
        }
        let page = page_number(cursor);
        let total = search.aggregations.and_then(|aggregations| aggregations.all);
        let another_page = search.filters.and_then(|filters| filters.page_number).is_some_and(|given| given != page);
        let last = total.is_some_and(|total| page >= total.div_ceil(ADS_PER_PAGE));
        let next = if rows.is_empty() || another_page || last {
            Next::End
        } else {
            Next::Page(Cursor {
                position: page.saturating_add(1).to_string(),
                since: cursor.since.clone(),
                pages_before: cursor.pages_before.saturating_add(1),
            })
        };
        Ok(Page { rows, next, total, watermark: None })
    }
}

/// The content of `<script id="__NEXT_DATA__" ...>`.
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

fn page_number(cursor: &Cursor) -> u64 {
    cursor.position.parse().unwrap_or(1)
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
    initial_redux_state: State<'a>,
}

#[derive(Deserialize)]
struct State<'a> {
    #[serde(borrow)]
    ad: AdState<'a>,
}

#[derive(Deserialize)]
struct AdState<'a> {
    #[serde(borrow)]
    search: Search<'a>,
}

#[derive(Deserialize)]
struct Search<'a> {
    #[serde(borrow)]
    ads: Vec<&'a RawValue>,
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
