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
}

impl HeldMove {
    /// Whether the scan that begins at `scan`, which sees it as well, confirms it.
    pub(crate) fn is_confirmed_by(&self, scan: Time) -> bool {
        let is_late = scan.ms() - self.since.ms() >= CONFIRMED_AFTER_MS;
        scan > self.scan && (is_late || self.seen_again + 1 >= CONFIRMED_BY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_later_scans_confirm_a_move_or_one_half_a_day_later() {
        let at = |minutes: i64| Time::from_ms(1_768_392_000_000 + minutes * 60_000);
        let held = HeldMove { permille: -200, since: at(0), seen_again: 0, scan: at(0) };
        assert!(!held.is_confirmed_by(at(0)), "another page of the same scan");
        assert!(!held.is_confirmed_by(at(15)));
        assert!(held.is_confirmed_by(at(12 * 60)));
        let again = HeldMove { seen_again: 1, scan: at(15), ..held };
        assert!(!again.is_confirmed_by(at(15)) && again.is_confirmed_by(at(30)));
    }
}
