use std::collections::HashMap;

use stoop_domain::{Sight, Time};

/// Tells the rows of one file apart that say different things of one listing at one time: by their order in it.
///
/// So the same rows have the same places whatever the file is called, whenever it is read, and whatever was known before.
///
/// ```
/// use stoop_domain::{Sight, Time};
/// use stoop_pipeline::Sequence;
/// let mut sequence = Sequence::default();
/// let mut place = |id: &str, at, hash| sequence.place(id, Sight::at(Time::from_ms(at)), hash).seq;
/// assert_eq!([place("a", 5, 1), place("b", 5, 1), place("a", 5, 2), place("a", 5, 2)], [0, 0, 1, 1]);
/// assert_eq!(place("a", 6, 3), 0);
/// ```
#[derive(Debug, Default)]
pub struct Sequence {
    rows: HashMap<String, Row>,
}

/// The last row of a listing.
#[derive(Clone, Copy, Debug)]
struct Row {
    at: Time,
    seen: Time,
    seq: u32,
    hash: u64,
}

impl Sequence {
    /// The sight of the next row of a listing, which would be `sight` if it were the only one of its time. `hash` is one of
    /// what it says.
    pub fn place(&mut self, native_id: &str, sight: Sight, hash: u64) -> Sight {
        self.place_after(native_id, sight, hash, None)
    }

    /// The same for a listing of which nothing was placed yet, behind what is known of it from an earlier reading of the
    /// file's beginning: its sight and hash.
    pub(super) fn place_after(
        &mut self,
        native_id: &str,
        sight: Sight,
        hash: u64,
        known: Option<(Sight, u64)>,
    ) -> Sight {
        let before = self.rows.get(native_id).copied();
        let before = before.or_else(|| known.map(|(Sight { at, seen, seq, .. }, hash)| Row { at, seen, seq, hash }));
        let seq = match before {
            Some(row) if (row.at, row.seen) == (sight.at, sight.seen) => {
                row.seq.saturating_add(u32::from(row.hash != hash))
            }
            _ => 0,
        };
        let row = Row { at: sight.at, seen: sight.seen, seq, hash };
        match self.rows.get_mut(native_id) {
            Some(known) => *known = row,
            None => drop(self.rows.insert(native_id.to_owned(), row)),
        }
        Sight { seq, ..sight }
    }
}
