use std::hash::{BuildHasher, Hash};

use rustc_hash::{FxBuildHasher, FxHashMap};
use stoop_domain::{FACTS_MAX, Observation, Reason, Sighting};

/// Numbers the rows of one file among those of one listing and time ([`stoop_domain::Sighting::seq`]): rows with only a
/// date, for example, have the order of the file, even if rows of other times stand between them. Equal rows share the
/// number of the first: they are one fact repeated.
///
/// It remembers each listing and time: 13 to 30 bytes a row.
///
/// ```
/// use stoop_domain::{Currency, Listing, Minor, Observation, Address, Purpose, Time};
/// use stoop_pipeline::Ordinals;
///
/// let row = |(hour, price): (i64, i64)| {
///     let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
///     listing.list_price = Some(Minor(price));
///     Observation::new("mls", "1", Time::from_ms(hour * 3_600_000), listing)
/// };
/// let mut ordinals = Ordinals::new(false);
/// let seqs = [(9, 500), (9, 500), (9, 400), (7, 480), (9, 500), (9, 450)].map(|it| {
///     let mut row = row(it);
///     ordinals.give(&mut row);
///     row.seq
/// });
/// assert_eq!(seqs, [0, 0, 1, 0, 0, 2]);
/// ```
#[derive(Debug)]
pub struct Ordinals {
    /// The first row of each listing and time, as a hash.
    first: FxHashMap<Key, u32>,
    /// All differing rows of a listing and time, if there are several.
    several: FxHashMap<Key, Several>,
    newest_first: bool,
}

/// A hash of a listing and time, in halves: an entry of `first` then takes 12 bytes.
type Key = [u32; 2];

/// The differing rows of a listing and time, in the order of the file.
#[derive(Debug)]
struct Several {
    /// The ordinal of the first: 0 unless the file is read from its middle.
    from: u32,
    /// Their hashes.
    rows: Vec<u32>,
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
        Self { first: FxHashMap::default(), several: FxHashMap::default(), newest_first }
    }

    /// Sets the ordinal of the next row.
    pub fn give(&mut self, row: &mut Observation) {
        self.give_after(row, None);
    }

    /// Like [`Ordinals::give`], in a file that is read from its middle: the last earlier row of the listing may have this
    /// sighting, and may be equal.
    pub(crate) fn give_after(&mut self, row: &mut Observation, before: Option<(Sighting, bool)>) {
        let [content, _] = halves(&row.listing);
        let key = halves(&(&row.native_id, row.at, row.seen));
        let before = before.filter(|(sighting, _)| (sighting.at, sighting.seen) == (row.at, row.seen));
        let ordinal = match (self.several.get_mut(&key), self.first.get(&key), before) {
            (Some(several), ..) => several.take(content),
            (None, Some(first), _) if *first == content => 0,
            (None, Some(first), _) => {
                let several = Several { from: 0, rows: vec![*first] };
                self.several.entry(key).or_insert(several).take(content)
            }
            (None, None, Some((sighting, is_same))) => {
                let first = if is_same { content } else { !content };
                let several = Several { from: self.counted(sighting.seq), rows: vec![first] };
                self.several.entry(key).or_insert(several).take(content)
            }
            (None, None, None) => {
                self.first.insert(key, content);
                0
            }
        };
        row.seq = self.counted(ordinal);
    }

    /// The `seq` of an ordinal, and the ordinal of a `seq`.
    fn counted(&self, ordinal: u32) -> u32 {
        if self.newest_first { NEWEST.saturating_sub(ordinal) } else { ordinal }
    }
}

impl Several {
    /// The ordinal of a row, which is added if it is new. A listing with more rows than this is overfull, whatever their
    /// order.
    fn take(&mut self, content: u32) -> u32 {
        let known = self.rows.iter().position(|known| *known == content);
        let among = known.unwrap_or(self.rows.len());
        if among == self.rows.len() && among <= FACTS_MAX {
            self.rows.push(content);
        }
        self.from.saturating_add(u32::try_from(among).unwrap_or(u32::MAX))
    }
}

fn halves(of: &impl Hash) -> [u32; 2] {
    let hash = FxBuildHasher.hash_one(of).to_le_bytes();
    let [a, b, c, d, e, f, g, h] = hash;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

#[cfg(test)]
mod tests;
