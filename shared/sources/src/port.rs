use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, Reason, RefusedValue, Time};

use crate::limit::Limit;
use crate::link::BadLink;

/// A listing API, or one dialect of it. Made from a search's parameters (see each source's `from_params`).
///
/// Contract: pure. The same calls give the same values; no call reads a clock or does I/O.
/// [`Source::read`] never panics and never takes more than linear time, whatever the bytes.
pub trait Source: Send + Sync {
    /// The source's name, the first half of every home's id: `zillow`, `avito`, `reso-actris`.
    fn name(&self) -> &str;

    /// A text for a message, such as the words of a server, without the secrets of the search.
    fn hide(&self, text: &str) -> String {
        text.to_owned()
    }

    /// How to behave towards this source.
    fn crawl_policy(&self) -> CrawlPolicy;

    /// Where a scan starts. `since` is what the last complete scan of this search left
    /// ([`Page::watermark`]): an incremental source asks only for what came after it.
    fn begin(&self, since: Option<&str>) -> Cursor;

    /// The request that fetches the page at `cursor`.
    fn request(&self, cursor: &Cursor) -> Request;

    /// The request that gets a bearer token for those that are [`Request::granted`]: OAuth 2.0 client credentials
    /// (RFC 6749, 4.4). `None` where keys are enough.
    fn grant(&self) -> Option<Request> {
        None
    }

    /// Whether an answer with this status is for [`Source::read`], and no failure of the server.
    fn reads(&self, status: u16) -> bool {
        status == 200
    }

    /// Whose requests [`CrawlPolicy::limits`] count together: the server and, without telling it, the key. Searches with
    /// the same account share its limits.
    fn account(&self) -> String {
        let first = self.request(&self.begin(None));
        let grant = self.grant();
        account(&first, grant.as_ref())
    }

    /// Reads the answer to the request made for `cursor`. `now` is when it was received: relative
    /// times count from it.
    ///
    /// # Errors
    /// When the answer as a whole is not what this API says; single bad rows are in [`Page::rows`].
    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError>;
}

/// A place inside a scan, opaque to the poller, which stores it as a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What the source needs to make the request: a page number, a link to follow verbatim.
    pub position: String,
    /// The `since` that the scan began with, carried along.
    pub since: Option<String>,
    /// How many pages came before this one.
    pub pages_before: u32,
}

/// An HTTP request to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// The absolute address, to be sent as it is.
    pub url: String,
    /// Header names and values. Values may be secrets: never logged.
    pub headers: Vec<(String, String)>,
    /// The body of a POST.
    pub body: Option<Vec<u8>>,
    /// Whether it is to be sent with the bearer token that [`Source::grant`] gets.
    pub granted: bool,
}

impl Request {
    /// Of a page of a site for people.
    pub(crate) fn html(url: String) -> Self {
        let headers = vec![("Accept".into(), "text/html".into())];
        Self { method: Method::Get, url, headers, body: None, granted: false }
    }
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// An HTTP answer with a status that the source [reads](Source::reads), already decompressed.
#[derive(Clone, Copy, Debug)]
pub struct SourceAnswer<'a> {
    /// The status code.
    pub status: u16,
    /// Header names in lower case and values.
    pub headers: &'a [(String, String)],
    /// The body.
    pub body: &'a [u8],
}

impl<'a> SourceAnswer<'a> {
    /// An answer with status 200 and no headers.
    #[must_use]
    pub const fn of(body: &'a [u8]) -> Self {
        Self { status: 200, headers: &[], body }
    }

    /// The value of a header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What one answer held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the order of the page: understood or refused.
    pub rows: Vec<Row>,
    /// What comes after this page.
    pub next: Next,
    /// How many listings the source says the whole search has, where it says so.
    pub total: Option<u64>,
    /// How many rows were left out because they are none that the search is about. The total counts them too.
    pub left_out: u64,
    /// Where the next incremental scan should start, if this scan completes.
    pub watermark: Option<String>,
    /// Its rows may all have been shown before, as where a search is split into parts that overlap. Of other pages one
    /// that shows nothing new says that the server leads on without an end.
    pub overlaps: bool,
    /// Why the rest of the answer was not read: it has more rows than any page. The scan ends with it.
    pub cut: Option<String>,
}

/// One row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Understood.
    Found(Box<SeenListing>),
    /// Not understood, or not a home.
    Refused {
        /// The listing's native id, where that much was understood: then it is known to be there, whatever is wrong with
        /// the rest. Without it, any listing may be behind this row.
        native_id: Option<String>,
        /// Why.
        reason: Reason,
        /// The offending part, in words.
        detail: String,
        /// The row as it was read, for the quarantine.
        raw: String,
    },
}

impl Row {
    /// The listing's native id, as far as it is known.
    #[must_use]
    pub fn native_id(&self) -> Option<&str> {
        match self {
            Self::Found(found) => Some(&found.native_id),
            Self::Refused { native_id, .. } => native_id.as_deref(),
        }
    }
}

#[cfg(test)]
impl Row {
    pub(crate) fn found(self) -> SeenListing {
        match self {
            Self::Found(found) => *found,
            Self::Refused { reason, detail, .. } => panic!("refused: {reason} {detail}"),
        }
    }

    /// The only value that was left out.
    pub(crate) fn left_out(self) -> (Reason, String) {
        let mut refused = self.found().refused;
        assert_eq!(refused.len(), 1, "{refused:?}");
        let RefusedValue { reason, detail } = refused.remove(0);
        (reason, detail)
    }

    pub(crate) fn refused(self) -> (Reason, String) {
        match self {
            Self::Refused { reason, detail, .. } => (reason, detail),
            Self::Found(found) => panic!("{found:?}"),
        }
    }
}

/// A listing that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenListing {
    /// The source's own id of the listing.
    pub native_id: String,
    /// When the source says this state began to hold (RESO `ModificationTimestamp`); `None` where the
    /// source tells only what is so now, and then the time of reading counts.
    pub at: Option<Time>,
    /// `at` is a version of the listing: it moves with each change of it, so that of two states the one with the later
    /// `at` is the later one, whenever each was read. Said only where the API promises that.
    pub versioned: bool,
    /// The listing.
    pub listing: Listing,
    /// The values of optional fields that could not be read.
    pub refused: Vec<RefusedValue>,
}

impl SeenListing {
    /// A listing of a source that tells only what is so now.
    #[must_use]
    pub fn now(native_id: String, listing: Listing) -> Self {
        Self { native_id, at: None, versioned: false, listing, refused: Vec::new() }
    }
}

/// What comes after a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Ask for this next.
    Page(Cursor),
    /// That was all.
    #[default]
    End,
    /// The source has more but will not show it (a cap on pages): the scan is partial.
    Capped,
}

/// Whether a scan that reached [`Next::End`] has seen every listing of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Yes, if as many distinct listings were seen as [`Page::total`] said: what is missing may be gone.
    Snapshot,
    /// No: it showed only what changed, or an open-ended list. Absence says nothing.
    Changes,
}

/// How to behave towards a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrawlPolicy {
    /// What a completed scan proves.
    pub coverage: Coverage,
    /// How much may be asked of the server, by this source's [account](Source::account) as a whole.
    pub limits: Vec<Limit>,
    /// Ask `robots.txt` first and obey it (a scraped site, not an API).
    pub robots: bool,
    /// Off until the user switches it on (`enabled = true`).
    pub off_by_default: bool,
    /// A scan longer than this is broken off and called partial.
    pub pages_max: u32,
}

impl CrawlPolicy {
    /// Those of a site for people: `robots.txt` first, a request in three seconds, off until it is switched on. Pages of it
    /// shift while they are read, so that they prove nothing.
    #[must_use]
    pub(crate) fn scraped(pages_max: u32) -> Self {
        let limits = vec![Limit::pause(3_000)];
        Self { coverage: Coverage::Changes, limits, robots: true, off_by_default: true, pages_max }
    }
}

/// Why an answer as a whole could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Another kind of document than this API gives: an HTML page with status 200, say.
    #[error("expected {expected}, got {got}")]
    NotOurs {
        /// What this source answers with.
        expected: &'static str,
        /// What came, in words.
        got: String,
    },
    /// Broken off, or not well formed.
    #[error("unreadable answer: {0}")]
    Unreadable(String),
    /// The source does not accept the key or token, or its bill was not paid.
    #[error("{0}")]
    Denied(String),
    /// The answer leads back to a page of this scan, or away from the source's host.
    #[error("the link to the next page {0}")]
    BadLink(String),
}

impl From<BadLink> for ReadError {
    fn from(BadLink(why): BadLink) -> Self {
        Self::BadLink(why)
    }
}

/// What is wrong with a search's parameters: every mistake, not the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SearchError(pub Vec<String>);

/// A search's parameters as configured: key to value.
pub type Params = BTreeMap<String, String>;

fn account(first: &Request, grant: Option<&Request>) -> String {
    let origin = crate::link::origin(&first.url).unwrap_or_default();
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let mut hasher = blake3::Hasher::new();
    for request in [Some(first), grant].into_iter().flatten() {
        for (name, value) in &request.headers {
            hasher.update(name.to_ascii_lowercase().as_bytes()).update(b":").update(value.as_bytes()).update(b"\n");
        }
    }
    if let Some(body) = grant.and_then(|grant| grant.body.as_deref()) {
        hasher.update(body);
    }
    format!("{host}#{}", &hasher.finalize().to_hex()[..12])
}
