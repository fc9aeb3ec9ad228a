//! What a poll of pages has in hand.

use std::collections::HashSet;

use stoop_sources::{CrawlPolicy, Cursor, Source};

use super::believe::Believer;
use super::completeness::Completeness;
use super::index::Index;
use super::jumps::ScanClock;
use super::progress::Progress;
use super::scan::Scan;
use crate::Refusals;
use crate::drift::DriftCheck;

/// The state of each step, side by side: each step gets its own.
pub(super) struct PageScan<'a> {
    pub(super) scan: Scan<'a>,
    pub(super) source: &'a dyn Source,
    pub(super) policy: CrawlPolicy,
    pub(super) clock: ScanClock,
    pub(super) course: Course,
    pub(super) drift: DriftCheck,
    pub(super) refusals: Refusals,
    pub(super) completeness: Completeness,
    pub(super) index: Index<'a>,
    pub(super) believer: Believer,
}

/// Where the pages lead.
#[derive(Default)]
pub(super) struct Course {
    /// The page to fetch next, or the one in hand.
    pub(super) cursor: Cursor,
    pub(super) visited: HashSet<String>,
    pub(super) progress: Progress,
    /// Where the next incremental scan starts, as far as the pages say.
    pub(super) watermark: Option<String>,
    /// The pages lead nowhere: the next scan begins anew instead of going on.
    pub(super) is_astray: bool,
}
