//! A file while its rows are read.

use stoop_domain::{Observation, Sighting, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use crate::{OneRowPerListing, Ordinals};

pub(super) struct SourceFile<'a> {
    pub(super) name: &'a str,
    /// A newer file was read before it.
    pub(super) late: bool,
    pub(super) order: Order,
    /// For a snapshot without a history, its time. All of its rows are seen at that time, and each is of another
    /// listing. Rows of other files are each seen at their own time.
    pub(super) as_of: Option<Time>,
    /// Whether it proves that other listings are absent.
    pub(super) coverage: Coverage,
    /// It is the first of a series of snapshots.
    pub(super) initial: bool,
    /// An earlier run read its beginning.
    pub(super) resumed: bool,
    pub(super) ordinals: Ordinals,
    pub(super) once: OneRowPerListing,
}

impl SourceFile<'_> {
    /// Sets the sighting of a row. `newest` is the latest known sighting of its listing, and whether it had the same
    /// content.
    pub(super) fn order(&mut self, row: &mut Observation, newest: Option<(Sighting, bool)>) {
        row.seen = self.as_of.unwrap_or(row.at);
        row.at = row.at.min(row.seen);
        row.initial = self.initial;
        // A snapshot has each listing once.
        if self.as_of.is_none() {
            self.ordinals.give_after(row, newest.filter(|_| self.resumed));
        }
    }
}
