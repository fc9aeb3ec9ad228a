//! The file that rows come from.

use stoop_domain::{Observation, Sighting, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use crate::{OneRowPerListing, Ordinals};

pub(super) struct SourceFile<'a> {
    pub(super) name: &'a str,
    /// Files of a later time were read before it.
    pub(super) late: bool,
    pub(super) order: Order,
    /// It is a snapshot as of this time and tells no past: all of its rows were seen then, each of another listing.
    /// Others were each seen at their own.
    pub(super) as_of: Option<Time>,
    /// What it proves of listings that are not in it.
    pub(super) coverage: Coverage,
    /// It is the first of a series of snapshots.
    pub(super) initial: bool,
    /// An earlier run has read its beginning.
    pub(super) resumed: bool,
    pub(super) ordinals: Ordinals,
    pub(super) once: OneRowPerListing,
}

impl SourceFile<'_> {
    /// Gives a row its position in the order of all that was seen of its listing. `newest` is the latest that is known of the
    /// listing, and whether it says the same.
    pub(super) fn order(&mut self, row: &mut Observation, newest: Option<(Sighting, bool)>) {
        row.seen = self.as_of.unwrap_or(row.at);
        row.at = row.at.min(row.seen);
        row.initial = self.initial;
        self.ordinals.give_after(row, newest.filter(|_| self.resumed));
    }
}
