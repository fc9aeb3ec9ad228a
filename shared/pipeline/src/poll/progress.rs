/// After so many pages in a row without a row the rest is not read: the server leads on without an end.
const EMPTY_PAGES_MAX: u32 = 100;

/// Where pages may show again what was shown before, so many in a row may show nothing else: what Zillow shows of one
/// price, behind all the splits that lead to it.
const OVERLAPS_MAX: u32 = 60;

/// Whether the pages of a scan get anywhere. A server that takes no notice of where it is asked to go on shows the same
/// page again and again, and each may be one of the few requests that a month has.
#[derive(Default)]
pub(super) struct Progress {
    empty: u32,
    overlapping: u32,
}

/// What a page that leads on has shown.
pub(super) struct Shown {
    /// It has no rows at all, also none that were left out.
    pub(super) empty: bool,
    /// It names listings, and each was on a page of this scan before.
    pub(super) nothing_new: bool,
    /// The source may show again what it has shown.
    pub(super) overlaps: bool,
}

impl Progress {
    /// Takes note of a page that leads on. `Some` says why the pages behind it are not read.
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
