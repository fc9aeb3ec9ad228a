use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};
use stoop_domain::{Observation, Sight, Time};

/// Gives rows of one file their place among those of one listing and moment ([`stoop_domain::Sight::seq`]): rows that carry
/// only a date, say, stand in the order of the file. Equal rows that follow one another have one place.
///
/// It remembers the last moment of each listing: some forty bytes a listing.
///
/// ```
/// use stoop_domain::{Currency, Listing, Minor, Observation, Place, Purpose, Time};
/// use stoop_pipeline::Ordinals;
///
/// let row = |price| {
///     let mut listing = Listing::new(Purpose::Sale, Currency::USD, Place::default());
///     listing.list_price = Some(Minor(price));
///     Observation::new("mls", "1", Time::from_ms(0), listing)
/// };
/// let mut ordinals = Ordinals::default();
/// let places = [500, 500, 400, 500].map(|price| {
///     let mut row = row(price);
///     ordinals.give(&mut row);
///     row.seq
/// });
/// assert_eq!(places, [0, 0, 1, 2]);
/// ```
#[derive(Debug, Default)]
pub struct Ordinals {
    last: FxHashMap<u64, Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    at: Time,
    seen: Time,
    content: u64,
    seq: u32,
}

impl Ordinals {
    /// Gives the next row of the file its place.
    pub fn give(&mut self, row: &mut Observation) {
        self.give_after(row, None);
    }

    /// The same in a file that is read on from its middle: where none of the listing's rows was given a place yet, its last
    /// row of before may be the one that has this place, and may say the same.
    pub(crate) fn give_after(&mut self, row: &mut Observation, before: Option<(Sight, bool)>) {
        let content = FxBuildHasher.hash_one(&row.listing);
        let id = FxBuildHasher.hash_one(&row.native_id);
        let moment = (row.at, row.seen);
        let before = before.filter(|(sight, _)| (sight.at, sight.seen) == moment);
        row.seq = match (self.last.get(&id), before) {
            (Some(last), _) if (last.at, last.seen) != moment => 0,
            (Some(last), _) => last.seq.saturating_add(u32::from(last.content != content)),
            (None, Some((sight, is_same))) => sight.seq.saturating_add(u32::from(!is_same)),
            (None, None) => 0,
        };
        self.last.insert(id, Last { at: row.at, seen: row.seen, content, seq: row.seq });
    }
}
