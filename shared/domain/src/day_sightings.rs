//! What a history keeps of the sightings of one day.

use crate::sighting::Sighting;
use crate::time::Time;

/// The first and last sighting of one listing with the same facts on one UTC day, and the listing date that they gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySightings {
    /// An index into [`crate::History::facts`].
    pub facts: u16,
    /// The first sighting of the day.
    pub first: Sighting,
    /// The last sighting of the day.
    pub last: Sighting,
    /// The listing date of the latest sighting that gave one, with that sighting.
    pub listed: Option<(Sighting, Time)>,
}

impl DaySightings {
    pub(crate) fn add(&mut self, sighting: Sighting, listed: Option<(Sighting, Time)>) {
        self.first = self.first.min(sighting);
        self.last = self.last.max(sighting);
        self.listed = self.listed.max(listed);
    }

    pub(crate) fn would_move(&self, sighting: Sighting, listed: Option<(Sighting, Time)>) -> bool {
        sighting < self.first || sighting > self.last || listed > self.listed
    }
}
