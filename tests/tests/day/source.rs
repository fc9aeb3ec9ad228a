use std::sync::Arc;

use stoop_domain::Time;
use stoop_sources::{Answer, Cursor, Manners, Page, ReadError, Request, Source};

/// A source under another name: what a vendor's API shows has the vendor's name in every home's id, and here each site
/// has a market of its own.
#[derive(Clone)]
pub(crate) struct Named {
    name: String,
    source: Arc<dyn Source>,
}

impl Named {
    pub(crate) fn new(name: &str, source: Box<dyn Source>) -> Self {
        Self { name: name.to_owned(), source: source.into() }
    }
}

impl Source for Named {
    fn name(&self) -> &str {
        &self.name
    }

    fn manners(&self) -> Manners {
        self.source.manners()
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

    fn read(&self, cursor: &Cursor, answer: &Answer<'_>, now: Time) -> Result<Page, ReadError> {
        self.source.read(cursor, answer, now)
    }
}
