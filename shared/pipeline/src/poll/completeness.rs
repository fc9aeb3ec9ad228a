//! What a scan of pages has shown so far, and whether that is all there is.

use std::collections::HashSet;

use stoop_sources::{Page, Row};

use super::check::Checked;
use super::progress::Shown;

#[derive(Default)]
pub(super) struct Completeness {
    /// Distinct listings that this run has seen.
    seen: HashSet<String>,
    /// Rows of which not even the ID was understood: any listing may be behind them.
    pub(super) unread_rows: u64,
    /// Rows that are none of the search's listings, though the total counts them.
    left_out: u64,
    /// The most listings that any page said there are: a listing may leave while the scan goes on.
    pub(super) total: Option<u64>,
}

impl Completeness {
    /// A page was read.
    pub(super) fn read(&mut self, page: &Page) {
        self.total = page.total.max(self.total);
        self.left_out += page.left_out;
    }

    /// What a page shows, before its listings are noted.
    pub(super) fn shown(&self, page: &Page) -> Shown {
        let mut ids = page.rows.iter().filter_map(Row::native_id).peekable();
        Shown {
            empty: page.rows.is_empty() && page.left_out == 0,
            nothing_new: ids.peek().is_some() && ids.all(|id| self.seen.contains(id)),
            overlaps: page.overlaps,
        }
    }

    /// Notes the listings of a page, refused ones included.
    pub(super) fn note(&mut self, checked: &Checked) {
        let listings = checked.listings.iter().map(|shown| &shown.observation.native_id);
        self.seen.extend(listings.chain(&checked.refused_ids).cloned());
        self.unread_rows += checked.unread_rows;
    }

    /// How many listings were seen, of how many that there are, where some were not shown.
    pub(super) fn lacks(&self) -> Option<(u64, u64)> {
        let seen = self.seen.len() as u64;
        let total = self.total.filter(|total| seen + self.unread_rows + self.left_out < *total)?;
        Some((seen, total))
    }
}
