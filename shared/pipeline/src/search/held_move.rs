use serde::{Deserialize, Serialize};
use stoop_domain::Time;

/// So many later scans confirm a move.
const CONFIRMED_BY: u32 = 2;

/// One later scan confirms it after this time.
const CONFIRMED_AFTER_MS: i64 = 12 * Time::HOUR_MS;

/// A move of many prices that is held back: the index keeps the prices before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldMove {
    /// The change of the prices, in thousandths.
    pub permille: i64,
    /// When the first scan that saw it began.
    pub since: Time,
    /// How many scans after that one saw it.
    pub seen_again: u32,
    /// The last scan that saw it.
    pub scan: Time,
    /// That scan confirms it, also when a later run resumes the scan.
    #[serde(default)]
    pub is_confirmed: bool,
}

impl HeldMove {
    pub(crate) fn new(permille: i64, scan: Time) -> Self {
        Self { permille, since: scan, seen_again: 0, scan, is_confirmed: false }
    }

    /// The scan that began at `scan` sees it as well. Whether it is confirmed.
    pub(crate) fn see(&mut self, scan: Time) -> bool {
        if scan > self.scan {
            let is_late = scan.ms() - self.since.ms() >= CONFIRMED_AFTER_MS;
            (self.scan, self.seen_again) = (scan, self.seen_again + 1);
            self.is_confirmed |= is_late || self.seen_again >= CONFIRMED_BY;
        }
        self.is_confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_later_scans_confirm_a_move_or_one_half_a_day_later() {
        let at = |minutes: i64| Time::from_ms(1_768_392_000_000 + minutes * 60_000);
        let mut held = HeldMove::new(-200, at(0));
        assert!(!held.see(at(0)), "another page of the same scan");
        assert!(!held.see(at(15)) && !held.see(at(15)));
        assert!(held.see(at(30)) && held.see(at(30)), "and the rest of that scan");
        assert!(HeldMove::new(-200, at(0)).see(at(12 * 60)));
    }
}
