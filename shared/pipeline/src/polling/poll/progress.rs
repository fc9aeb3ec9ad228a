/// After this many consecutive pages without a row the rest is not read: the server has no last page.
const EMPTY_PAGES_MAX: u32 = 100;

/// If pages may repeat listings, this many consecutive pages may show nothing new: as many as Zillow shows of one price
/// behind all its splits.
const OVERLAPS_MAX: u32 = 60;

/// Whether the pages of a scan lead on. A server that ignores the cursor shows the same page again and again, and each
/// page costs a request, of which a month may have few.
#[derive(Default)]
pub(super) struct Progress {
    empty: u32,
    overlapping: u32,
}

/// What a page shows that another one follows.
pub(super) struct NextPageHint {
    /// It has no rows, not even ones that were left out.
    pub(super) empty: bool,
    /// It has listings, and an earlier page of this scan showed all of them.
    pub(super) nothing_new: bool,
    /// The source may repeat listings.
    pub(super) overlaps: bool,
}

impl Progress {
    /// Notes a page that another one follows. Returns why the following pages are not read, if they are not.
    pub(super) fn note(&mut self, page: &NextPageHint, number: u32) -> Option<String> {
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
