/// Maximum number of consecutive pages without rows: the server would lead on without end.
const EMPTY_PAGES_MAX: u32 = 100;

/// Maximum number of consecutive pages without new listings if pages may overlap: what Zillow shows for a single price,
/// after all the splits that lead to it.
const OVERLAPS_MAX: u32 = 60;

/// Detects a scan without progress. A server that ignores the position returns the same page again and again, and each
/// request may be one of few per month.
#[derive(Default)]
pub(super) struct Progress {
    empty: u32,
    overlapping: u32,
}

/// Summary of a page that is not the last.
pub(super) struct Shown {
    /// It has no rows, not even skipped ones.
    pub(super) empty: bool,
    /// It contains listings, all of them on earlier pages of this scan.
    pub(super) nothing_new: bool,
    /// The source may repeat listings.
    pub(super) overlaps: bool,
}

impl Progress {
    /// Records a page that is not the last. `Some` is the reason to stop.
    pub(super) fn note(&mut self, page: &Shown, number: u32) -> Option<String> {
        self.empty = if page.empty { self.empty + 1 } else { 0 };
        self.overlapping = if page.nothing_new { self.overlapping + 1 } else { 0 };
        if self.empty >= EMPTY_PAGES_MAX {
            return Some(format!("broken off after {} pages without a listing", self.empty));
        }
        let most = if page.overlaps { OVERLAPS_MAX } else { 1 };
        (self.overlapping >= most).then(|| {
            let number = number + 1;
            format!("broken off after page {number}, which shows no listing that was not on a page before it")
        })
    }
}
