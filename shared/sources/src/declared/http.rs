use std::collections::BTreeSet;

use serde_json::value::RawValue;
use stoop_domain::{Reject, Time};

use super::cells::unescape;
use super::http_plan::{By, Filling, HttpPlan, NEXT, Part, ROWS, TOTAL};
use super::map::Map;
use super::reader::{self, Reader};
use super::trie::Span;
use crate::port::{Answer, Cursor, Found, Manners, Next, Page, Params, ReadError, Request, Row, SearchError, Source};

/// A plain JSON-over-HTTP API, declared by a map with an `[http]` table.
#[derive(Debug)]
pub struct HttpSource {
    map: Map,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    manners: Manners,
}

impl HttpSource {
    /// A search of the API that `map` declares, with the `{param}`s of its address, headers and body
    /// filled from `params`; in the address their signs are percent-encoded.
    ///
    /// # Errors
    /// Names every parameter that is missing or that nothing asks for.
    pub fn new(map: &Map, params: &Params) -> Result<Self, SearchError> {
        let Some(http) = &map.plan.http else {
            return Err(SearchError(vec![format!("the map {} has no [http]: it reads files only", map.plan.file)]));
        };
        let fillings = || [Some(&http.url), http.body.as_ref()].into_iter().flatten();
        let all = fillings().chain(http.headers.iter().map(|(_, value)| value));
        let asked: BTreeSet<&str> = all.flat_map(Filling::params).collect();
        let accepted = asked.iter().copied().collect::<Vec<_>>().join(", ");
        let missing = asked.iter().filter(|name| !params.contains_key(**name));
        let mut mistakes: Vec<String> = missing.map(|name| format!("parameter {name:?} is missing")).collect();
        for name in params.keys().filter(|name| !asked.contains(name.as_str())) {
            mistakes.push(format!("there is no parameter {name:?}; accepted: {accepted}"));
        }
        if !mistakes.is_empty() {
            return Err(SearchError(mistakes));
        }
        let mut url = http.url.fill(params, percent_encode);
        if let (Some(name), Some(size)) = (&http.pages.size_param, http.pages.size) {
            url = with_query(&url, name, &size.to_string());
        }
        Ok(Self {
            map: map.clone(),
            url,
            headers: http
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), value.fill(params, str::to_owned)))
                .collect(),
            body: http.body.as_ref().map(|body| body.fill(params, json_escape)),
            manners: http.manners.clone(),
        })
    }

    fn http(&self) -> &HttpPlan {
        self.map.plan.http.as_ref().expect("HttpSource::new looked that it is there")
    }

    fn rows(&self, reader: &mut Reader, rows: &[&RawValue], now: Time) -> Vec<Row> {
        let mut read = Vec::with_capacity(rows.len());
        for raw in rows.iter().map(|raw| raw.get()) {
            match reader.parts(reader::Row::Json(raw.as_bytes()), "", now) {
                Ok(Some(parts)) => {
                    let found = Found { native_id: parts.native_id, at: parts.at, listing: parts.listing };
                    read.push(Row::Found(Box::new(found)));
                }
                Ok(None) => {}
                Err(error) => {
                    let raw = raw.get(..raw.floor_char_boundary(Reject::RAW_MAX)).unwrap_or(raw).to_owned();
                    read.push(Row::Refused { reason: error.reason, detail: error.detail, raw });
                }
            }
        }
        read
    }

    /// Where the next page is, if there is one.
    fn next(&self, cursor: &Cursor, on_page: u64, total: Option<u64>, link: Option<String>) -> Result<Next, ReadError> {
        let pages = &self.http().pages;
        let short = on_page == 0 || pages.size.is_some_and(|size| on_page < size);
        let number = cursor.position.parse::<u64>().unwrap_or(pages.first);
        let position = match pages.by {
            By::None => None,
            By::Page => {
                let seen = pages.size.map(|size| (number - pages.first.min(number) + 1).saturating_mul(size));
                let all = matches!((total, seen), (Some(total), Some(seen)) if seen >= total);
                (!short && !all).then(|| (number + 1).to_string())
            }
            By::Offset => {
                let seen = number.saturating_add(on_page);
                (!short && total.is_none_or(|total| seen < total)).then(|| seen.to_string())
            }
            By::Cursor => link,
            By::NextLink => link.map(|link| self.same_host(link)).transpose()?,
        };
        let Some(position) = position else { return Ok(Next::End) };
        if position == cursor.position || position == self.url {
            return Err(ReadError::BadLink(format!("leads back: {position:.200}")));
        }
        if cursor.pages_before.saturating_add(1) >= self.manners.pages_max {
            return Ok(Next::Capped);
        }
        Ok(Next::Page(Cursor { position, since: cursor.since.clone(), pages_before: cursor.pages_before + 1 }))
    }

    /// A link is followed only where the address of the search leads, so that no answer can send the
    /// headers' secrets elsewhere.
    fn same_host(&self, link: String) -> Result<String, ReadError> {
        let origin = origin(&self.url);
        if link.starts_with('/') && !link.starts_with("//") {
            return Ok(format!("{origin}{link}"));
        }
        if self::origin(&link) == origin {
            return Ok(link);
        }
        Err(ReadError::BadLink(format!("leads away from {origin}: {link:.200}")))
    }
}

impl Source for HttpSource {
    fn name(&self) -> &str {
        self.map.name()
    }

    fn manners(&self) -> Manners {
        self.manners.clone()
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        let pages = &self.http().pages;
        let position = match pages.by {
            By::Page | By::Offset => pages.first.to_string(),
            By::None | By::Cursor | By::NextLink => String::new(),
        };
        Cursor { position, since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let http = self.http();
        let at = &cursor.position;
        let url = match http.pages.by {
            By::None => self.url.clone(),
            By::Page | By::Offset => with_query(&self.url, &http.pages.param, at),
            By::Cursor | By::NextLink if at.is_empty() => self.url.clone(),
            By::Cursor => with_query(&self.url, &http.pages.param, at),
            By::NextLink => at.clone(),
        };
        let body = self.body.clone().map(String::into_bytes);
        Request { method: http.method, url, headers: self.headers.clone(), body, granted: false }
    }

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> Result<Page, ReadError> {
        let http = self.http();
        let body = text(answer)?;
        let unreadable = |error: serde_json::Error| ReadError::Unreadable(error.to_string());
        let mut spans = [Span::default(); 3];
        if !body.trim_start().starts_with('[') || !http.bare {
            http.envelope.find(body, &mut spans).map_err(unreadable)?;
        }
        let at = |slot: usize| body.get(spans[slot].start as usize..spans[slot].end as usize).unwrap_or_default();
        let rows = if http.bare { body.trim() } else { at(ROWS) };
        if !rows.starts_with('[') {
            let place = self.map.hints().rows.as_deref().unwrap_or("the top");
            let got = if rows.is_empty() { "nothing" } else { rows };
            return Err(ReadError::NotOurs {
                expected: "an array of rows",
                got: format!("{got:.80} at {place}, in {:.200}", body.trim()),
            });
        }
        let rows: Vec<&RawValue> = serde_json::from_str(rows).map_err(unreadable)?;
        let total = at(TOTAL).trim_matches('"').parse().ok();
        let link = scalar(at(NEXT));
        let mut reader = self.map.bind_json();
        Ok(Page {
            next: self.next(cursor, rows.len() as u64, total, link)?,
            rows: self.rows(&mut reader, &rows, now),
            total,
            watermark: None,
        })
    }
}

fn text<'a>(answer: &Answer<'a>) -> Result<&'a str, ReadError> {
    let body = std::str::from_utf8(answer.body)
        .map_err(|error| ReadError::Unreadable(format!("no UTF-8 at byte {}", error.valid_up_to())))?;
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    match body.trim_start().bytes().next() {
        Some(b'{' | b'[') => Ok(body),
        _ => {
            let got = format!(
                "{} that begins with {:.80?}",
                answer.header("content-type").unwrap_or("content of no type"),
                body.trim_start()
            );
            Err(ReadError::NotOurs { expected: "JSON", got })
        }
    }
}

/// A text or a number that leads on; `None` for null, false, "" and what has an inside.
fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes() {
        [b'"', ..] => unescape(raw).ok().map(|text| text.into_owned()).filter(|text| !text.is_empty()),
        [b'0'..=b'9', ..] => Some(raw.to_owned()),
        _ => None,
    }
}

impl Filling {
    fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Param(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    fn fill(&self, params: &Params, encode: impl Fn(&str) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Param(name) => params.get(name).map(|value| encode(value)).unwrap_or_default(),
        });
        parts.collect()
    }
}

fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

fn with_query(url: &str, name: &str, value: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{}={}", percent_encode(name), percent_encode(value))
}

/// Encodes everything but the unreserved signs of RFC 3986.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The inside of a JSON string.
fn json_escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
