//! What does not change while one scan, or one file, is read.

use stoop_domain::{Time, Watch};
use stoop_sources::Cursor;

use super::context::PollPorts;
use super::search::Search;
use crate::ports::ScanCheckpoint;

#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) search: &'a Search,
    pub(super) ports: PollPorts<'a>,
    /// The current run. An earlier run may have begun the scan.
    pub(super) run: &'a str,
    /// When it began. This names the scan in the index, so no two scans of a search have the same. It is the clock's
    /// time, unless the clock was set back. For a file, it is the file's time.
    pub(super) began_at: Time,
    /// It is the first scan of the search: its listings were there when the search began.
    pub(super) initial: bool,
    /// It asks only for what changed.
    pub(super) incremental: bool,
    /// An earlier run read its beginning. This run does not know which listings that run saw.
    pub(super) resumed: bool,
}

impl<'a> Scan<'a> {
    /// The source's name.
    pub(super) fn source(&self) -> &'a str {
        self.search.source.name()
    }

    /// How the source is watched. A source of pages proves that it shows everything only if it reports a `total` and
    /// shows that many listings (`proves_absence`).
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

    /// The checkpoint from which the next run continues.
    pub(super) fn checkpoint(&self, cursor: Cursor) -> ScanCheckpoint {
        ScanCheckpoint { cursor, run: self.run.to_owned(), began_at: self.began_at, tries: 0 }
    }
}
