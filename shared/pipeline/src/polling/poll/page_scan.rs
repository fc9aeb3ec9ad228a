//! The state of a poll of pages.

use std::collections::HashSet;

use stoop_sources::{CrawlPolicy, Cursor, Source};

use super::believe::Believer;
use super::common_move::CommonMoves;
use super::completeness::Completeness;
use super::index::Index;
use super::jumps::ScanClock;
use super::progress::Progress;
use super::scan::Scan;
use crate::Refusals;
use crate::search::drift::DriftCheck;

/// The states of all steps. The walk passes each step only its own.
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
    pub(super) moves: CommonMoves,
}

/// Where the pages lead.
#[derive(Default)]
pub(super) struct Course {
    /// The current page, or the next to fetch.
    pub(super) cursor: Cursor,
    pub(super) visited: HashSet<String>,
    pub(super) progress: Progress,
    /// The latest watermark that a page reports.
    pub(super) watermark: Option<String>,
    /// The pages lead in a circle: the next poll begins a new scan.
    pub(super) is_astray: bool,
}
