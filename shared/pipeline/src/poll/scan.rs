//! Constants of one scan or file.

use stoop_domain::{Time, Watch};
use stoop_sources::Cursor;

use super::context::PollPorts;
use super::search::Search;
use crate::ports::ScanCheckpoint;

#[derive(Clone, Copy)]
pub(super) struct Scan<'a> {
    pub(super) search: &'a Search,
    pub(super) ports: PollPorts<'a>,
    /// The run that reads it. An earlier run may have started it.
    pub(super) run: &'a str,
    /// When it began. Identifies the scan in the index, so it is unique within a search: the clock's time, unless the
    /// clock was set back. For a file, its time.
    pub(super) began_at: Time,
    /// Whether it is the search's first: its listings already existed when the search began.
    pub(super) initial: bool,
    /// Whether it requests only changes.
    pub(super) incremental: bool,
    /// Whether an earlier run read its beginning, whose content this run does not know.
    pub(super) resumed: bool,
}

impl<'a> Scan<'a> {
    /// The source's name.
    pub(super) fn source(&self) -> &'a str {
        self.search.source.name()
    }

    /// How sightings of now will be repeated. A source of pages with snapshot coverage proves absence only if it
    /// reports a `total` and shows that many listings (`proves_absence`).
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
