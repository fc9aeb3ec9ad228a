//! Compiled `[http]`: the requests to make, and where the answers contain what.

use std::collections::BTreeSet;

use super::envelope::Envelope;
use super::filling::{Blank, Filling};
use super::pages_plan::{By, PagesPlan};
use super::watermark::Watermark;
use crate::port::{CrawlPolicy, Method};

#[derive(Debug)]
pub(super) struct HttpPlan {
    pub(super) url: Filling,
    pub(super) method: Method,
    pub(super) headers: Vec<(String, Filling)>,
    pub(super) body: Option<Filling>,
    pub(super) oauth2: Option<Oauth2>,
    pub(super) pages: PagesPlan,
    pub(super) crawl_policy: CrawlPolicy,
    pub(super) envelope: Envelope,
    /// Statuses that mean that there are no rows.
    pub(super) empty_status: Vec<u16>,
    pub(super) watermark: Option<Watermark>,
    /// Parameters that are never shown.
    pub(super) secrets: BTreeSet<String>,
}

/// OAuth 2.0 client credentials.
#[derive(Debug)]
pub(super) struct Oauth2 {
    pub(super) token_url: Filling,
    pub(super) client_id: Filling,
    pub(super) client_secret: Filling,
    pub(super) scope: Option<Filling>,
}

impl HttpPlan {
    /// All texts that contain parameters.
    pub(super) fn fillings(&self) -> impl Iterator<Item = &Filling> {
        let oauth2 = self.oauth2.iter().flat_map(Oauth2::fillings);
        self.requested().chain(oauth2)
    }

    /// The texts that are part of page requests.
    pub(super) fn requested(&self) -> impl Iterator<Item = &Filling> {
        [&self.url].into_iter().chain(&self.body).chain(self.headers.iter().map(|(_, value)| value))
    }

    /// Whether a request contains `blank`: `Some(true)` if only outside of strings of a JSON body.
    pub(super) fn placed(&self, blank: Blank) -> Option<bool> {
        let mut places = self.requested().filter_map(|filling| filling.has(blank));
        let first = places.next()?;
        Some(first && places.all(|bare| bare))
    }
}

impl Oauth2 {
    pub(super) fn fillings(&self) -> impl Iterator<Item = &Filling> {
        [&self.token_url, &self.client_id, &self.client_secret].into_iter().chain(&self.scope)
    }
}

impl HttpPlan {
    /// Whether the cursor is written into a JSON body as a JSON value.
    pub(super) fn has_bare_cursor(&self) -> bool {
        self.pages.by == By::Cursor && self.placed(Blank::Position) == Some(true)
    }
}
