//! The file that rows come from.

use stoop_domain::{Observation, Sighting, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use crate::{OneRowPerListing, Ordinals};

pub(super) struct SourceFile<'a> {
    pub(super) name: &'a str,
    /// Whether files of a later time were read before it.
    pub(super) late: bool,
    pub(super) order: Order,
    /// Its time, if it is a snapshot without history: all of its rows were seen then, one per listing. Otherwise each
    /// row has its own time.
    pub(super) as_of: Option<Time>,
    /// What it proves about listings that are not in it.
    pub(super) coverage: Coverage,
    /// Whether it is the first of a series of snapshots.
    pub(super) initial: bool,
    /// Whether an earlier run read its beginning.
    pub(super) resumed: bool,
    pub(super) ordinals: Ordinals,
    pub(super) once: OneRowPerListing,
}

impl SourceFile<'_> {
    /// Assigns a row its position among all sightings of its listing. `newest` is the latest known sighting of the
    /// listing, and whether its content is the same.
    pub(super) fn order(&mut self, row: &mut Observation, newest: Option<(Sighting, bool)>) {
        row.seen = self.as_of.unwrap_or(row.at);
        row.at = row.at.min(row.seen);
        row.initial = self.initial;
        self.ordinals.give_after(row, newest.filter(|_| self.resumed));
    }
}
