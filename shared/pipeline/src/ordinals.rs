use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};
use stoop_domain::{Observation, Reason, Sighting, Time};

/// Numbers the rows of one file among those of one listing and time ([`stoop_domain::Sighting::seq`]): rows with only a
/// date, for example, have the order of the file. Equal rows share the number of the first: they are one fact repeated.
///
/// It stores the last time of each listing: some forty bytes per listing.
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
/// let seqs = [500, 500, 400, 500].map(|price| {
///     let mut row = row(price);
///     ordinals.give(&mut row);
///     row.seq
/// });
/// assert_eq!(seqs, [0, 0, 1, 0]);
/// ```
#[derive(Debug)]
pub struct Ordinals {
    last: FxHashMap<u64, Last>,
    /// The other rows of a listing at its last time, each once: few listings have more than one row there.
    more: FxHashMap<u64, Vec<u64>>,
    newest_first: bool,
}

/// The last time of a listing.
#[derive(Debug)]
struct Last {
    at: Time,
    seen: Time,
    /// The ordinal of its first row: 0 unless the file is read from its middle.
    from: u32,
    /// A hash of its first row.
    first: u64,
}

/// Which listings a snapshot had already: it has each listing once, as of its own time. If several rows of a listing
/// differ, it is unknown which one is right, and repeated in each snapshot they would make a price alternate.
///
/// It takes 16 bytes per listing.
#[derive(Debug, Default)]
pub struct OneRowPerListing {
    rows: FxHashMap<u64, u64>,
}

impl OneRowPerListing {
    /// What is wrong with a row whose listing had a different one before; an equal row is not a mistake.
    #[must_use]
    pub fn refuse(&mut self, row: &Observation) -> Option<(Reason, String)> {
        let content = FxBuildHasher.hash_one(&row.listing);
        let first = *self.rows.entry(FxBuildHasher.hash_one(&row.native_id)).or_insert(content);
        (first != content).then(Self::repeated)
    }

    pub(crate) fn repeated() -> (Reason, String) {
        let detail = "a snapshot has a listing once, and this is another row of it; if files hold the history of \
                      their listings, the map needs `history = true`";
        (Reason::Repeated, detail.to_owned())
    }
}

/// In a file with the newest row first, ordinals count down from this one, because the number of rows is unknown.
const NEWEST: u32 = 65_535;

impl Ordinals {
    /// For one file. If it has the newest row first, the first of the rows of one listing and time is the latest.
    #[must_use]
    pub fn new(newest_first: bool) -> Self {
        Self { last: FxHashMap::default(), more: FxHashMap::default(), newest_first }
    }

    /// Sets the ordinal of the next row.
    pub fn give(&mut self, row: &mut Observation) {
        self.give_after(row, None);
    }

    /// Like [`Ordinals::give`], in a file that is read from its middle: if no row of the listing has an ordinal yet,
    /// its last earlier row may have this one, and may be equal.
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
