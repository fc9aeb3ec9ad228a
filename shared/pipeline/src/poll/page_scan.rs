//! The state of a poll of pages.

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

/// The state of each step; each step gets only its own.
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

/// The position in the pages.
#[derive(Default)]
pub(super) struct Course {
    /// The page to fetch next, or the current one.
    pub(super) cursor: Cursor,
    pub(super) visited: HashSet<String>,
    pub(super) progress: Progress,
    /// Where the next incremental scan starts, according to the pages.
    pub(super) watermark: Option<String>,
    /// Whether the pages lead nowhere: the next scan starts from the beginning.
    pub(super) is_astray: bool,
}
