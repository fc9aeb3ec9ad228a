use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// When an origin saw a listing, and where that stands in the order of all that was seen of it.
///
/// Given once, by the origin (the poll that fetched a page, the file that was read), and never by whoever reads it again:
/// so the same observation has the same place whenever and however often it arrives.
///
/// Sightings are totally ordered. Where the source's time is a version ([`Sighting::versioned`]) the order is `at`, `seen`, `seq`;
/// elsewhere `seen`, `at`, `seq`, since a source's clock may run ahead, stand still or go back, and ours is told when it does.
///
/// ```
/// use stoop_domain::{Sighting, Time};
/// let seen_at = |seen, at| Sighting { seen: Time::from_ms(seen), ..Sighting::at(Time::from_ms(at)) };
/// assert!(seen_at(20, 5) > seen_at(10, 10));
/// let version = |seen, at| Sighting { versioned: true, ..seen_at(seen, at) };
/// assert!(version(20, 5) < version(10, 10));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// Since when it was so, by the source's own time. Not after `seen`.
    pub at: Time,
    /// When the origin saw it: when the page was fetched, or as of when a file tells.
    pub seen: Time,
    /// The place among the *differing* rows of one listing with equal `at` and `seen` in one page or file, from 0.
    pub seq: u32,
    /// `at` is a version of the listing: it moves with each change and tells which of two states is the later one, as
    /// RESO's `ModificationTimestamp` does.
    pub versioned: bool,
    /// It was in the first complete scan of a search, or in the first file of a series of snapshots: that it was not seen
    /// before says nothing of when it came on the market.
    pub initial: bool,
}

impl Sighting {
    /// Something that tells of one moment only: seen at the time that it tells of.
    #[must_use]
    pub fn at(at: Time) -> Self {
        Self { at, seen: at, ..Self::default() }
    }

    /// The time that decides the order first: `at` of a version, else `seen`.
    #[must_use]
    pub fn ranked_at(&self) -> Time {
        if self.versioned { self.at } else { self.seen }
    }

    /// The UTC day of [`Sighting::ranked_at`], counted from 1970-01-01.
    pub(crate) fn day(&self) -> i64 {
        self.ranked_at().ms().div_euclid(Time::DAY_MS)
    }

    /// The UTC day on which it was seen, counted from 1970-01-01.
    pub(crate) fn seen_day(&self) -> i64 {
        self.seen.ms().div_euclid(Time::DAY_MS)
    }

    /// This sighting, or one just behind `last` where it is not later than that: what is sent of a listing never sorts before
    /// what was sent of it, whatever a clock says. A time that had to be moved tells of the sighting only.
    #[must_use]
    pub fn after(self, last: &Self) -> Self {
        if self > *last {
            return self;
        }
        let moment = self.seen.max(last.seen).max(last.at);
        let next = Self { at: moment, seen: moment, seq: 0, ..self };
        match last.seq.checked_add(1) {
            _ if next > *last => next,
            Some(seq) => Self { seq, ..next },
            None => Self { at: moment.plus_ms(1), seen: moment.plus_ms(1), ..next },
        }
    }

    fn key(&self) -> (Time, Time, u32, bool, bool) {
        let (first, second) = if self.versioned { (self.at, self.seen) } else { (self.seen, self.at) };
        (first, second, self.seq, self.versioned, self.initial)
    }
}

impl Ord for Sighting {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Sighting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sighting() -> impl Strategy<Value = Sighting> {
        (0_i64..6, 0_i64..6, 0_u32..3, any::<bool>(), any::<bool>()).prop_map(|(at, seen, seq, versioned, initial)| {
            Sighting { at: Time::from_ms(at.min(seen)), seen: Time::from_ms(seen), seq, versioned, initial }
        })
    }

    proptest! {
        #[test]
        fn what_comes_after_is_later(next in sighting(), last in sighting()) {
            let moved = next.after(&last);
            prop_assert!(moved > last);
            prop_assert!(moved.at <= moved.seen);
            prop_assert_eq!(moved == next, next > last);
            prop_assert_eq!(moved.initial, next.initial);
        }

        #[test]
        fn the_order_agrees_with_equality(a in sighting(), b in sighting()) {
            prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
        }
    }
}
