use std::collections::BTreeSet;
use std::fmt;

use stoop_domain::{Reject, Time};

use super::envelope::OpenEnvelope;
use super::filling::{Blank, Filling, json_text, with_query};
use super::http_next::{AnsweredRequest, numbered};
use super::http_plan::HttpPlan;
use super::map::Map;
use super::pages_plan::By;
use super::plan::Format;
use super::reader::{self, RowReader};
use super::row::RowContent;
use super::watermark::Watermark;
use crate::fields::shown;
use crate::grant::ClientCredentials;
use crate::link::{VALUE, encode, origin};
use crate::port::{
    CrawlPolicy, Cursor, Next, Page, Params, ReadError, Request, Row, SearchError, SeenListing, Source, SourceAnswer,
};
use crate::text::{PageListings, page_listings};

/// A plain JSON-over-HTTP API, declared by a map with an `[http]` table.
pub struct HttpSource {
    map: Map,
    url: Filling,
    headers: Vec<(String, Filling)>,
    body: Option<Filling>,
    credentials: Option<ClientCredentials>,
    /// Origin of the API's URL. Links must not leave it.
    home: String,
    /// Values of secret parameters, plain and percent-encoded. Messages must not contain them.
    hidden: Vec<String>,
    /// Values that distinguish this search's key from others.
    keys: Vec<String>,
}

impl HttpSource {
    /// Creates a search of the API that `map` declares. `params` fill the `{param}`s in URL, headers and body; in the
    /// URL they are percent-encoded.
    ///
    /// # Errors
    /// Names every missing or unknown parameter, and where the filled-in texts do not form a valid request.
    pub fn new(map: &Map, params: &Params) -> Result<Self, SearchError> {
        let Some(http) = &map.plan.http else {
            return Err(SearchError(vec![format!("the map {} has no [http]: it reads files only", map.plan.file)]));
        };
        let asked: BTreeSet<&str> = http.fillings().flat_map(Filling::params).collect();
        let accepted = asked.iter().copied().collect::<Vec<_>>().join(", ");
        let missing = asked.iter().filter(|name| !params.contains_key(**name));
        let mut mistakes: Vec<String> = missing.map(|name| format!("parameter {name:?} is missing")).collect();
        for name in params.keys().filter(|name| !asked.contains(name.as_str())) {
            mistakes.push(format!("there is no parameter {name:?}; accepted: {accepted}"));
        }
        if !mistakes.is_empty() {
            return Err(SearchError(mistakes));
        }
        let text = |filling: &Filling| filling.with(params).render(|_, _| String::new());
        let credentials = http.oauth2.as_ref().map(|oauth2| ClientCredentials {
            token_url: text(&oauth2.token_url),
            client_id: text(&oauth2.client_id),
            client_secret: text(&oauth2.client_secret),
            scope: oauth2.scope.as_ref().map(text).filter(|scope| !scope.trim().is_empty()),
        });
        let secret = |name: &&str| http.secrets.contains(*name);
        let keys = asked.iter().filter(|name| secret(name)).filter_map(|name| params.get(*name)).cloned().collect();
        let mut source = Self {
            map: map.clone(),
            url: http.url.with(params),
            headers: http.headers.iter().map(|(name, value)| (name.clone(), value.with(params))).collect(),
            body: http.body.as_ref().map(|body| body.with(params)),
            credentials,
            home: String::new(),
            hidden: Vec::new(),
            keys,
        };
        source.hidden = hidden(&source.keys);
        source.settle()?;
        Ok(source)
    }

    /// Checks that need the filled-in texts. Messages do not contain the URL: it may contain a key.
    fn settle(&mut self) -> Result<(), SearchError> {
        let first = self.request(&self.begin(None));
        let mut mistakes = Vec::new();
        let no_host = |what: &str| format!("with these parameters {what} names no host; accepted: a name or number");
        match origin(&first.url) {
            Some(home) => self.home = home,
            None => mistakes.push(no_host("url")),
        }
        if self.credentials.as_ref().is_some_and(|credentials| origin(&credentials.token_url).is_none()) {
            mistakes.push(no_host("oauth2.token_url"));
        }
        let json = first.body.as_deref().filter(|body| matches!(body.trim_ascii_start(), [b'{' | b'[', ..]));
        if json.is_some_and(|body| serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err()) {
            mistakes
                .push("with these parameters body is no JSON; one that stands outside of quotes is a number".into());
        }
        let spoilt = |value: &str| value.contains(['\r', '\n', '\0']);
        for (name, _) in first.headers.iter().filter(|(_, value)| spoilt(value)) {
            mistakes.push(format!("with these parameters the header {name} has several lines; accepted: one"));
        }
        if mistakes.is_empty() { Ok(()) } else { Err(SearchError(mistakes)) }
    }

    fn http(&self) -> &HttpPlan {
        self.map.plan.http.as_ref().expect("HttpSource::new looked that it is there")
    }

    /// The value in the request for one of the scan's blanks.
    fn blank(&self, cursor: &Cursor, blank: Blank, bare: bool) -> String {
        let pages = &self.http().pages;
        match blank {
            Blank::Size => pages.size.unwrap_or_default().to_string(),
            Blank::Position if pages.by != By::Cursor => numbered(&cursor.position, pages.first).0.to_string(),
            Blank::Position if !bare => cursor.position.clone(),
            Blank::Position if self.http().has_bare_cursor() && !cursor.position.is_empty() => cursor.position.clone(),
            Blank::Position if cursor.position.is_empty() => "null".to_owned(),
            Blank::Position => json_text(&cursor.position),
            Blank::Since => {
                let full = self.http().watermark.as_ref().and_then(|watermark| watermark.full.clone());
                match self.since(cursor).or(full) {
                    Some(text) if bare && text.parse::<i64>().is_err() => json_text(&text),
                    Some(text) => text,
                    None if bare => "null".to_owned(),
                    None => String::new(),
                }
            }
        }
    }

    /// The watermark that the scan began with, in the request's format.
    fn since(&self, cursor: &Cursor) -> Option<String> {
        self.http().watermark.as_ref()?.sent(cursor.since.as_deref()?, &self.map.plan.zone)
    }

    fn address(&self, cursor: &Cursor) -> String {
        let http = self.http();
        let pages = &http.pages;
        if matches!(pages.by, By::NextLink | By::LinkHeader) && !cursor.position.is_empty() {
            return cursor.position.clone();
        }
        let mut url = self.url.render(|blank, bare| self.blank(cursor, blank, bare));
        if let (Some(name), Some(size)) = (&pages.size_param, pages.size) {
            url = with_query(&url, name, &size.to_string());
        }
        if let Some(name) = http.watermark.as_ref().and_then(|watermark| watermark.param.as_deref())
            && let Some(since) = self.since(cursor)
        {
            url = with_query(&url, name, &since);
        }
        let at = self.blank(cursor, Blank::Position, false);
        if pages.by.position().is_some() && http.placed(Blank::Position).is_none() && !at.is_empty() {
            url = with_query(&url, &pages.param, &at);
        }
        url
    }

    /// Returns the rows, the number of skipped ones, and the latest watermark.
    fn rows(&self, opened: &OpenEnvelope<'_>, now: Time) -> (Vec<Row>, u64, Option<Time>) {
        let watermark = self.http().watermark.as_ref();
        let mut reader: RowReader = self.map.bind_json();
        let mut latest = None;
        let mut left_out = 0;
        let mut read = Vec::with_capacity(opened.rows.len());
        for raw in &opened.rows {
            match reader.parts(reader::RowBytes::Json(raw.as_bytes()), "", now) {
                Ok(Some(parts)) => {
                    // A map does not guarantee that the row's time changes with every modification.
                    let RowContent { native_id, at, listing, refused } = parts;
                    let found = SeenListing { native_id, at, versioned: false, listing, refused };
                    read.push(Row::Found(Box::new(found)));
                }
                Ok(None) => left_out += 1,
                Err(error) => {
                    let raw = raw.get(..raw.floor_char_boundary(Reject::RAW_MAX)).unwrap_or(raw).to_owned();
                    read.push(Row::Refused { native_id: None, reason: error.reason, detail: error.detail, raw });
                }
            }
            if let Some(watermark) = watermark
                && let Some(text) = reader.text_of(raw, watermark.slot)
            {
                latest = latest.max(watermark.read(&text, &self.map.plan.zone, now));
            }
        }
        (read, left_out, latest)
    }
}

impl Source for HttpSource {
    fn name(&self) -> &str {
        self.map.name()
    }

    fn hide(&self, text: &str) -> String {
        self.hidden.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        self.http().crawl_policy.clone()
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        let pages = &self.http().pages;
        let position = match pages.by {
            By::Page | By::Offset => pages.first.to_string(),
            By::None | By::Cursor | By::NextLink | By::LinkHeader => String::new(),
        };
        // A scan that cannot filter by time requests everything and has no `since`.
        let since = since.filter(|since| self.http().watermark.is_some() && Time::parse(since).is_ok());
        Cursor { position, since: since.map(str::to_owned), pages_before: 0 }
    }

    fn request(&self, cursor: &Cursor) -> Request {
        let http = self.http();
        let url = self.address(cursor);
        // A modified checkpoint must not send a key or token to another host.
        let at_home = self.home.is_empty() || origin(&url).as_ref() == Some(&self.home);
        let fill = |filling: &Filling| filling.render(|blank, bare| self.blank(cursor, blank, bare));
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), fill(value)));
        Request {
            method: http.method,
            url,
            headers: headers.filter(|_| at_home).collect(),
            body: self.body.as_ref().filter(|_| at_home).map(|body| fill(body).into_bytes()),
            granted: self.credentials.is_some() && at_home,
        }
    }

    fn grant(&self) -> Option<Request> {
        self.credentials.as_ref().map(ClientCredentials::request)
    }

    fn reads(&self, status: u16) -> bool {
        status == 200 || self.http().empty_status.contains(&status)
    }

    fn account(&self) -> String {
        let first = self.request(&self.begin(None));
        let mut hasher = blake3::Hasher::new();
        let mut put = |part: &[u8]| {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        };
        for (name, value) in &first.headers {
            put(name.to_ascii_lowercase().as_bytes());
            put(value.as_bytes());
        }
        put(&self.grant().and_then(|grant| grant.body).unwrap_or_default());
        self.keys.iter().for_each(|key| put(key.as_bytes()));
        let host = self.home.split_once("://").map_or("", |(_, host)| host);
        format!("{host}#{}", &hasher.finalize().to_hex()[..12])
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        let http = self.http();
        if http.empty_status.contains(&answer.status) {
            // No total: a URL that no longer exists must not mark homes as gone.
            return Ok(Page { next: Next::End, ..Page::default() });
        }
        let hide = |text: &str| self.hide(text);
        let listings;
        let document = if self.map.plan.hints.format == Some(Format::Html) {
            let html = String::from_utf8_lossy(answer.body);
            let PageListings { listings: found, faults } = page_listings(&html);
            if let (true, Some(fault)) = (found.is_empty(), faults.first()) {
                return Err(ReadError::Unreadable(hide(fault)));
            }
            listings = serde_json::Value::Array(found).to_string();
            &listings
        } else {
            text(answer, hide)?
        };
        let opened = http.envelope.open(document, hide)?;
        let turned = AnsweredRequest {
            plan: http,
            cursor,
            asked: &self.address(cursor),
            first: &self.address(&self.begin(cursor.since.as_deref())),
            home: &self.home,
            answer,
            opened: &opened,
        };
        let (rows, left_out, latest) = self.rows(&opened, now);
        // A server clock ahead of ours may be corrected; later changes would then have times before that watermark.
        let latest = latest.map(|latest| latest.min(now));
        let since = cursor.since.as_deref().and_then(|since| Time::parse(since).ok());
        Ok(Page {
            next: turned.next()?,
            total: turned.total(),
            left_out,
            watermark: latest.max(since.filter(|_| latest.is_some())).map(Watermark::kept),
            rows,
            overlaps: false,
            cut: opened.cut.clone(),
        })
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSource").field("name", &self.name()).field("home", &self.home).finish_non_exhaustive()
    }
}

/// All spellings of secrets that could appear in a message. Values of one or two characters are skipped: they are not
/// secrets, and removing them would make the message unreadable.
fn hidden(secrets: &[String]) -> Vec<String> {
    let long = secrets.iter().map(|secret| secret.trim()).filter(|secret| secret.len() > 2);
    let mut hidden: Vec<String> = long
        .flat_map(|secret| {
            let json = json_text(secret);
            [secret.to_owned(), encode(secret, VALUE), json[1..json.len() - 1].to_owned()]
        })
        .collect();
    // Longest first: one secret may contain another.
    hidden.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    hidden.dedup();
    hidden
}

fn text<'a>(answer: &SourceAnswer<'a>, hide: impl Fn(&str) -> String) -> Result<&'a str, ReadError> {
    let body = std::str::from_utf8(answer.body)
        .map_err(|error| ReadError::Unreadable(format!("no UTF-8 at byte {}", error.valid_up_to())))?;
    let body = body.strip_prefix('\u{feff}').unwrap_or(body).trim();
    match body.bytes().next() {
        Some(b'{' | b'[') => Ok(body),
        _ => {
            let kind = hide(answer.header("content-type").unwrap_or("content of no type"));
            let got = format!("{kind:.80} that begins with {:?}", shown(&hide(body)));
            Err(ReadError::NotOurs { expected: "JSON", got })
        }
    }
}
