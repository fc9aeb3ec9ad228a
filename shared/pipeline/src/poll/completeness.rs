//! Tracks what a scan of pages has shown, and whether it is complete.

use std::collections::HashSet;

use stoop_sources::{Page, Row};

use super::check::Checked;
use super::progress::Shown;

#[derive(Default)]
pub(super) struct Completeness {
    /// Distinct listings that this run has seen.
    seen: HashSet<String>,
    /// Rows with an unreadable ID: they may be any listing.
    pub(super) unread_rows: u64,
    /// Skipped rows that the total counts.
    left_out: u64,
    /// The largest total of any page: a listing may leave during the scan.
    pub(super) total: Option<u64>,
}

impl Completeness {
    /// Counts a page that was read.
    pub(super) fn read(&mut self, page: &Page) {
        self.total = page.total.max(self.total);
        self.left_out += page.left_out;
    }

    /// Summarizes a page, before its listings are noted.
    pub(super) fn shown(&self, page: &Page) -> Shown {
        let mut ids = page.rows.iter().filter_map(Row::native_id).peekable();
        Shown {
            empty: page.rows.is_empty() && page.left_out == 0,
            nothing_new: ids.peek().is_some() && ids.all(|id| self.seen.contains(id)),
            overlaps: page.overlaps,
        }
    }

    /// Notes the listings of a page, including refused ones.
    pub(super) fn note(&mut self, checked: &Checked) {
        let listings = checked.listings.iter().map(|shown| &shown.observation.native_id);
        self.seen.extend(listings.chain(&checked.refused_ids).cloned());
        self.unread_rows += checked.unread_rows;
    }

    /// Number of listings seen and the total, if some are missing.
    pub(super) fn lacks(&self) -> Option<(u64, u64)> {
        let seen = self.seen.len() as u64;
        let total = self.total.filter(|total| seen + self.unread_rows + self.left_out < *total)?;
        Some((seen, total))
    }
}
