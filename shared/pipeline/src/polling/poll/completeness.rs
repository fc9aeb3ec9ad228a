//! What a scan of pages has shown so far, and whether it is complete.

use std::collections::HashSet;

use stoop_sources::{Page, Row};

use super::check::CheckedPage;
use super::progress::NextPageHint;

#[derive(Default)]
pub(super) struct Completeness {
    /// The listings that this run has seen.
    seen: HashSet<String>,
    /// Rows without a readable ID. Each may be any listing.
    pub(super) unread_rows: u64,
    /// Rows that are not listings of this search. The total counts them.
    left_out: u64,
    /// The highest total that a page reports. A listing may leave during the scan.
    pub(super) total: Option<u64>,
}

impl Completeness {
    /// Notes the totals of a page.
    pub(super) fn read(&mut self, page: &Page) {
        self.total = page.total.max(self.total);
        self.left_out += page.left_out;
    }

    /// What a page shows. Call it before [`Completeness::note`].
    pub(super) fn shown(&self, page: &Page) -> NextPageHint {
        let mut ids = page.rows.iter().filter_map(Row::native_id).peekable();
        NextPageHint {
            empty: page.rows.is_empty() && page.left_out == 0,
            nothing_new: ids.peek().is_some() && ids.all(|id| self.seen.contains(id)),
            overlaps: page.overlaps,
        }
    }

    /// Notes the listings of a page, also the refused ones.
    pub(super) fn note(&mut self, checked: &CheckedPage) {
        let listings = checked.listings.iter().map(|shown| &shown.observation.native_id);
        self.seen.extend(listings.chain(&checked.refused_ids).cloned());
        self.unread_rows += checked.unread_rows;
    }

    /// If some listings were not shown: how many were seen, and the total.
    pub(super) fn lacks(&self) -> Option<(u64, u64)> {
        let seen = self.seen.len() as u64;
        let total = self.total.filter(|total| seen + self.unread_rows + self.left_out < *total)?;
        Some((seen, total))
    }
}
