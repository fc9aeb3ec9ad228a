use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};
use stoop_domain::{Observation, Reason, Sighting, Time};

/// Gives rows of one file their place among those of one listing and moment ([`stoop_domain::Sighting::seq`]): rows that carry
/// only a date, say, stand in the order of the file. Equal rows have one place, the first's: they are one thing told twice.
///
/// It remembers the last moment of each listing: some forty bytes a listing.
///
/// ```
/// use stoop_domain::{Currency, Listing, Minor, Observation, Address, Purpose, Time};
/// use stoop_pipeline::Ordinals;
///
/// let row = |price| {
///     let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
///     listing.list_price = Some(Minor(price));
///     Observation::new("mls", "1", Time::from_ms(0), listing)
/// };
/// let mut ordinals = Ordinals::new(false);
/// let places = [500, 500, 400, 500].map(|price| {
///     let mut row = row(price);
///     ordinals.give(&mut row);
///     row.seq
/// });
/// assert_eq!(places, [0, 0, 1, 0]);
/// ```
#[derive(Debug)]
pub struct Ordinals {
    last: FxHashMap<u64, Last>,
    /// What else was said of a listing at its last moment, each once: few listings have more than one row there.
    more: FxHashMap<u64, Vec<u64>>,
    newest_first: bool,
}

/// The last moment of a listing.
#[derive(Debug)]
struct Last {
    at: Time,
    seen: Time,
    /// The ordinal of its first row: 0 but where the file is read on from its middle.
    from: u32,
    /// What its rows said first.
    first: u64,
}

/// Which listings a snapshot had already: it says once how each was, as of its own time. Of several rows of a listing that
/// differ nobody knows which one holds, and told anew with each snapshot they would make a price go to and fro.
///
/// It takes 16 bytes a listing.
#[derive(Debug, Default)]
pub struct OneRowPerListing {
    rows: FxHashMap<u64, u64>,
}

impl OneRowPerListing {
    /// What is wrong with a row whose listing had another one before; one that says the same is no mistake.
    #[must_use]
    pub fn refuse(&mut self, row: &Observation) -> Option<(Reason, String)> {
        let content = FxBuildHasher.hash_one(&row.listing);
        let first = *self.rows.entry(FxBuildHasher.hash_one(&row.native_id)).or_insert(content);
        (first != content).then(Self::repeated)
    }

    pub(crate) fn repeated() -> (Reason, String) {
        let detail = "a snapshot has a listing once, and this is another row of it; where files tell the past of \
                      their listings, the map says `history = true`";
        (Reason::Repeated, detail.to_owned())
    }
}

/// In a file that has the newest row first, places are counted down from this one, since nobody knows how many come.
const NEWEST: u32 = 65_535;

impl Ordinals {
    /// For one file. Of rows of one listing and moment the first is the latest in a file that has the newest first.
    #[must_use]
    pub fn new(newest_first: bool) -> Self {
        Self { last: FxHashMap::default(), more: FxHashMap::default(), newest_first }
    }

    /// Gives the next row of the file its place.
    pub fn give(&mut self, row: &mut Observation) {
        self.give_after(row, None);
    }

    /// The same in a file that is read on from its middle: where none of the listing's rows was given a place yet, its last
    /// row of before may be the one that has this place, and may say the same.
    pub(crate) fn give_after(&mut self, row: &mut Observation, before: Option<(Sighting, bool)>) {
        let content = FxBuildHasher.hash_one(&row.listing);
        let id = FxBuildHasher.hash_one(&row.native_id);
        let moment = (row.at, row.seen);
        let newest_first = self.newest_first;
        let address = |ordinal: u32| if newest_first { NEWEST.saturating_sub(ordinal) } else { ordinal };
        let last = self.last.entry(id).or_insert_with(|| {
            let before = before.filter(|(sighting, _)| (sighting.at, sighting.seen) == moment);
            let from =
                before.map_or(0, |(sighting, is_same)| address(sighting.seq).saturating_add(u32::from(!is_same)));
            Last::of(row, content, from)
        });
        if (last.at, last.seen) != moment {
            *last = Last::of(row, content, 0);
            self.more.remove(&id);
        }
        row.seq = address(if content == last.first {
            last.from
        } else {
            let more = self.more.entry(id).or_default();
            let known = more.iter().position(|known| *known == content);
            let among = known.unwrap_or_else(|| {
                more.push(content);
                more.len() - 1
            });
            last.from.saturating_add(u32::try_from(among + 1).unwrap_or(u32::MAX))
        });
    }
}

impl Last {
    fn of(row: &Observation, content: u64, from: u32) -> Self {
        Self { at: row.at, seen: row.seen, from, first: content }
    }
}
