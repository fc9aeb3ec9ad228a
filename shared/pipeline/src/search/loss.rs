//! Whether the listings that a complete scan lacks are gone: the rule of the poller and of
//! [`Snapshots`](crate::Snapshots) (ADR 0037).
//!
//! A portal that answers *nothing found* looks like a town that was sold out, and so does a truncated export. So
//! listings are gone only when they stay missing for a time that depends on the size of the loss.

use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

/// This many listings may be missing at once, however many there were.
const FEW: u64 = 10;

/// A scan of pages that lacks a listing is confirmed if another one this much later lacks it too. By then a cached
/// answer, a shifted page or a server restart is over, and two manual polls in a row count as one scan.
const PAGES_MS: i64 = 10 * 60 * Time::SECOND_MS;

/// How long a large loss must last if it is less than twice the allowed size.
const LARGE_MS: i64 = 6 * Time::HOUR_MS;

/// The kind of a complete scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompleteScan {
    /// Pages read one after the other, which may shift during the scan.
    Pages,
    /// One file with everything.
    Export,
}

/// The loss of a complete scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Listings that it lacks and that were not reported gone.
    lost: u64,
    /// Listings that were on the market as far as known, including `lost`.
    held: u64,
}

/// The decision about the listings that a complete scan lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LossDecision {
    now: Time,
    wait_ms: i64,
    /// The loss that is held back because it is too large to be believed yet.
    pub(crate) held_back: Option<HeldBack>,
}

/// A loss that is too large to be believed yet: none of it is reported gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    /// The number of listings that are held back.
    pub listings: u64,
    /// The number of listings known to be on the market, including those.
    pub held: u64,
    /// When the first of them was first missing, by the clock or by the times of files.
    pub since: Time,
    /// The loss is confirmed by a complete scan that still lacks that listing at this time or later.
    pub until: Time,
}

impl Loss {
    /// More than a fifth, and more than a few.
    fn is_large(self) -> bool {
        self.lost > FEW && self.lost.saturating_mul(5) > self.held
    }

    /// How long a listing must stay missing. It doubles with each doubling of the share.
    fn wait_ms(self, scan: CompleteScan) -> i64 {
        let fifths = self.lost.saturating_mul(5);
        match scan {
            _ if self.is_large() && fifths >= self.held.saturating_mul(4) => 4 * LARGE_MS,
            _ if self.is_large() && fifths >= self.held.saturating_mul(2) => 2 * LARGE_MS,
            _ if self.is_large() => LARGE_MS,
            CompleteScan::Pages => PAGES_MS,
            CompleteScan::Export => 0,
        }
    }
}

/// Judges a complete scan at the time `now`. `missing_since` has the time at which each missing listing was first
/// missing (`now` for those first missing in this scan), and `present` is the number of listings it has. Both exclude
/// listings that are off the market, reported gone, or held by another search of the source.
pub(crate) fn judge(missing_since: &[Time], present: u64, now: Time, scan: CompleteScan) -> LossDecision {
    let lost = missing_since.len() as u64;
    let loss = Loss { lost, held: present.saturating_add(lost) };
    let wait_ms = loss.wait_ms(scan);
    let mut judgement = LossDecision { now, wait_ms, held_back: None };
    if loss.is_large() {
        let waiting = || missing_since.iter().copied().filter(|since| !judgement.is_gone(*since));
        judgement.held_back = waiting().min().map(|since| HeldBack {
            listings: waiting().count() as u64,
            held: loss.held,
            since,
            until: since.plus_ms(wait_ms),
        });
    }
    judgement
}

impl LossDecision {
    /// Whether a listing that this scan lacks, first missing at `since`, is gone.
    pub(crate) fn is_gone(&self, since: Time) -> bool {
        self.now.ms().saturating_sub(since.ms()) >= self.wait_ms
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { listings, held, since, until } = self;
        write!(
            f,
            "{listings} of {held} listings are missing since {since}: too many at once, so they are reported gone only "
        )?;
        write!(f, "if they are still missing at {until}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(hours: i64) -> Time {
        Time::from_ms(1_768_003_200_000 + hours * Time::HOUR_MS)
    }

    /// The minutes after which a loss of this size is confirmed.
    fn minutes(lost: u64, held: u64, scan: CompleteScan) -> i64 {
        Loss { lost, held }.wait_ms(scan) / 60_000
    }

    #[test]
    fn the_larger_the_loss_the_longer_it_takes() {
        let cases = [
            (1, 1, 10),
            (10, 10, 10),
            (11, 11, 24 * 60),
            (11, 55, 10),
            (11, 54, 6 * 60),
            (200, 1_000, 10),
            (201, 1_000, 6 * 60),
            (399, 1_000, 6 * 60),
            (400, 1_000, 12 * 60),
            (799, 1_000, 12 * 60),
            (800, 1_000, 24 * 60),
            (1_000, 1_000, 24 * 60),
        ];
        for (lost, held, expected) in cases {
            assert_eq!(minutes(lost, held, CompleteScan::Pages), expected, "{lost} of {held}");
            let of_file = if expected == 10 { 0 } else { expected };
            assert_eq!(minutes(lost, held, CompleteScan::Export), of_file, "{lost} of {held} in a file");
        }
    }

    #[test]
    fn listings_missing_long_enough_are_gone_and_the_rest_is_held_back() {
        let mut since = vec![hours(0); 80];
        since.extend([hours(23); 5]);
        let held_back = |listings, first: i64, until: i64| {
            Some(HeldBack { listings, held: 100, since: hours(first), until: hours(until) })
        };
        let at = |hour| judge(&since, 15, hours(hour), CompleteScan::Pages);
        assert_eq!(at(23).held_back, held_back(85, 0, 24));
        assert!(!at(23).is_gone(hours(0)));
        assert_eq!(at(24).held_back, held_back(5, 23, 47));
        assert!(at(24).is_gone(hours(0)) && !at(24).is_gone(hours(23)));
        assert_eq!(at(47).held_back, None);
        assert_eq!(judge(&[], 0, hours(0), CompleteScan::Pages).held_back, None);
    }

    proptest! {
        /// A larger loss never makes a listing gone sooner; this does not use the rule's arithmetic.
        #[test]
        fn a_larger_loss_is_never_confirmed_sooner(lost in 0_u64..5_000, present in 0_u64..5_000, export: bool) {
            let scan = if export { CompleteScan::Export } else { CompleteScan::Pages };
            let loss = Loss { lost, held: lost + present };
            let share = lost as f64 / (lost + present).max(1) as f64;
            prop_assert_eq!(loss.is_large(), lost > 10 && share > 0.2);
            let more = Loss { lost: lost + 1, ..loss };
            let fewer_left = Loss { held: loss.held.saturating_sub(1).max(lost), ..loss };
            prop_assert!(loss.wait_ms(scan) <= more.wait_ms(scan).max(fewer_left.wait_ms(scan)));
            prop_assert!(present == 0 || loss.wait_ms(scan) <= more.wait_ms(scan));
            let doublings = if loss.is_large() { (share / 0.2).log2().floor().min(2.0) } else { 0.0 };
            if loss.is_large() {
                prop_assert_eq!(loss.wait_ms(scan), (6.0 * doublings.exp2()) as i64 * Time::HOUR_MS);
            }
        }

        /// Listings held back and gone listings add up to the loss, if it is large.
        #[test]
        fn each_lost_listing_is_gone_or_waits(ages in prop::collection::vec(0_i64..40, 0..60), present in 0_u64..60) {
            let now = hours(100);
            let since: Vec<Time> = ages.iter().map(|age| hours(100 - age)).collect();
            let judgement = judge(&since, present, now, CompleteScan::Pages);
            let gone = since.iter().filter(|since| judgement.is_gone(**since)).count();
            let waiting = judgement.held_back.map_or(0, |held| held.listings as usize);
            let is_large = since.len() > 10 && since.len() * 5 > since.len() + present as usize;
            prop_assert_eq!(waiting, if is_large { since.len() - gone } else { 0 });
            if let Some(held) = judgement.held_back {
                let first = since.iter().copied().filter(|since| !judgement.is_gone(*since)).min();
                prop_assert!(held.until > now && Some(held.since) == first);
            }
        }
    }
}
