use std::sync::Arc;

use stoop_domain::Time;
use stoop_sources::{CrawlPolicy, Cursor, Page, ReadError, Request, Source, SourceAnswer};

use super::network::Line;

/// A source under the name of its site: home IDs of a vendor's API have the vendor's name, and here each site has its
/// own market. It notifies its line of unreadable answers.
#[derive(Clone)]
pub(crate) struct Named {
    name: String,
    source: Arc<dyn Source>,
    line: Arc<Line>,
}

impl Named {
    pub(crate) fn new(name: &str, source: Box<dyn Source>, line: &Arc<Line>) -> Self {
        Self { name: name.to_owned(), source: source.into(), line: Arc::clone(line) }
    }
}

impl Source for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn crawl_policy(&self) -> CrawlPolicy {
        self.source.crawl_policy()
    }

    fn begin(&self, since: Option<&str>) -> Cursor {
        self.source.begin(since)
    }

    fn request(&self, cursor: &Cursor) -> Request {
        self.source.request(cursor)
    }

    fn grant(&self) -> Option<Request> {
        self.source.grant()
    }

    fn reads(&self, status: u16) -> bool {
        self.source.reads(status)
    }

    fn account(&self) -> String {
        self.source.account()
    }

    fn read(&self, cursor: &Cursor, answer: &SourceAnswer<'_>, now: Time) -> Result<Page, ReadError> {
        // No other poll runs between the arrival of an answer and its reading.
        self.source.read(cursor, answer, now).inspect_err(|_| self.line.unread())
    }
}
