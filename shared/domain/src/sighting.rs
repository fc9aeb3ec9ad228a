use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// When an origin saw a listing, and the order of that among all observations of it.
///
/// The origin (the poll that fetched a page, the file that was read) sets it once. Later readers never change it, so an
/// observation has the same order whenever and however often it arrives.
///
/// Sightings are totally ordered. If the source's time is a version ([`Sighting::versioned`]), the order is `at`,
/// `seen`, `seq`. Otherwise it is `seen`, `at`, `seq`, because a source's clock may run ahead, stand still or go back,
/// while steps back of our own clock are corrected ([`Sighting::after`]).
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
    /// Since when the listing has been in this state, by the source's clock. Not after `seen`.
    pub at: Time,
    /// When the origin saw it: when it fetched the page, or the time that a file describes.
    pub seen: Time,
    /// The position among the *differing* rows of one listing with equal `at` and `seen` in one page or file, from 0.
    pub seq: u32,
    /// Whether `at` is a version of the listing, like RESO `ModificationTimestamp`: it moves with each change and
    /// orders two states.
    pub versioned: bool,
    /// Whether it was in the first complete scan of a search or in the first file of a series of snapshots. Then the
    /// first sighting does not show when the listing came on the market.
    pub initial: bool,
}

impl Sighting {
    /// A sighting at the time that it describes.
    #[must_use]
    pub fn at(at: Time) -> Self {
        Self { at, seen: at, ..Self::default() }
    }

    /// The first key of the order: `at` if versioned, otherwise `seen`.
    #[must_use]
    pub fn ranked_at(&self) -> Time {
        if self.versioned { self.at } else { self.seen }
    }

    /// The UTC day of [`Sighting::ranked_at`], in days since 1970-01-01.
    pub(crate) fn day(&self) -> i64 {
        self.ranked_at().ms().div_euclid(Time::DAY_MS)
    }

    /// The UTC day of `seen`, in days since 1970-01-01.
    pub(crate) fn seen_day(&self) -> i64 {
        self.seen.ms().div_euclid(Time::DAY_MS)
    }

    /// Returns this sighting, moved just behind `last` if it is not later. New observations of a listing thus never
    /// sort before published ones, whatever the clocks say. A moved sighting has `at` equal to `seen`.
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
        fn after_returns_a_later_sighting(next in sighting(), last in sighting()) {
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
