//! What is fixed while one scan, or one file, is read.

use stoop_domain::{Time, Watch};
use stoop_sources::Cursor;

use super::context::PollPorts;
use super::search::Search;
use crate::ports::ScanCheckpoint;

#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) search: &'a Search,
    pub(super) ports: PollPorts<'a>,
    /// The run that reads it. An earlier run may have begun it.
    pub(super) run: &'a str,
    /// When it began: the scan's name in the index, so that no two scans of a search have the same. By the clock, unless
    /// that was set back. Of a file, its time.
    pub(super) began_at: Time,
    /// It is the search's first: what it finds was there when the search began.
    pub(super) initial: bool,
    /// It asks only for what changed.
    pub(super) incremental: bool,
    /// An earlier run has read its beginning, and this run does not know what was there.
    pub(super) resumed: bool,
}

impl<'a> Scan<'a> {
    /// The source's name.
    pub(super) fn source(&self) -> &'a str {
        self.search.source.name()
    }

    /// How what is seen now will be looked at again. A source of pages that is to show all it has proves that only where it
    /// says how many listings that are (`total`), and shows so many (`proves_absence`).
    pub(super) fn watched(&self, total: Option<u64>, proves_absence: Option<bool>) -> Watch {
        let source = &self.search.source;
        match source.watch() {
            Watch::Complete if source.http().is_some() => {
                let proves = (self.incremental || total.is_some()) && proves_absence != Some(false);
                if proves { Watch::Complete } else { Watch::Repeated }
            }
            watch => watch,
        }
    }

    /// Where the next run goes on.
    pub(super) fn checkpoint(&self, cursor: Cursor) -> ScanCheckpoint {
        ScanCheckpoint { cursor, run: self.run.to_owned(), began_at: self.began_at, tries: 0 }
    }
}
