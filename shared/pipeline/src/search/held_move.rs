use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use super::ruling::{Ruling, RulingVerdict};

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
    /// A person rejected it: no scan confirms it.
    #[serde(default)]
    pub is_rejected: bool,
}

impl HeldMove {
    pub(crate) fn new(permille: i64, scan: Time) -> Self {
        Self { permille, since: scan, seen_again: 0, scan, is_confirmed: false, is_rejected: false }
    }

    /// The scan that began at `scan` sees it as well. Whether it is confirmed.
    pub(crate) fn see(&mut self, scan: Time) -> bool {
        if scan > self.scan {
            let is_late = scan.ms() - self.since.ms() >= CONFIRMED_AFTER_MS;
            (self.scan, self.seen_again) = (scan, self.seen_again + 1);
            self.is_confirmed |= !self.is_rejected && (is_late || self.seen_again >= CONFIRMED_BY);
        }
        self.is_confirmed
    }

    /// Applies a person's ruling. Whether that changes anything.
    pub(crate) fn rule(&mut self, ruling: Ruling) -> bool {
        let before = *self;
        if self.since < ruling.until {
            self.is_confirmed = ruling.verdict == RulingVerdict::Release;
            self.is_rejected = !self.is_confirmed;
        }
        *self != before
    }

    /// How the prices change: `lower by 20.0 %`.
    #[must_use]
    pub fn change(&self) -> String {
        let by = self.permille.unsigned_abs();
        format!("{} by {}.{} %", if self.permille < 0 { "lower" } else { "higher" }, by / 10, by % 10)
    }
}

/// What is held back, and until when.
impl fmt::Display for HeldMove {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (change, since) = (self.change(), self.since);
        write!(f, "many prices are {change} since {since}: held back ")?;
        match (self.is_confirmed, self.is_rejected) {
            (true, _) => f.write_str("until the next poll, which publishes them"),
            (_, true) => f.write_str("as long as the source shows them, because they were rejected"),
            _ => {
                let later = CONFIRMED_BY - self.seen_again.min(CONFIRMED_BY);
                let scans =
                    if later == 1 { "one more scan shows".to_owned() } else { format!("{later} more scans show") };
                write!(f, "until {scans} them, or one at {} or later", since.plus_ms(CONFIRMED_AFTER_MS))
            }
        }
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

    #[test]
    fn a_person_confirms_a_move_or_rejects_it_for_good() {
        let at = |minutes: i64| Time::from_ms(1_768_392_000_000 + minutes * 60_000);
        let ruling = |verdict, minutes| Ruling { verdict, until: at(minutes) };
        let mut held = HeldMove::new(-200, at(0));
        assert!(!held.rule(ruling(RulingVerdict::Release, 0)), "it is about what was seen before");
        assert_eq!(
            held.to_string(),
            "many prices are lower by 20.0 % since 2026-01-14T12:00:00Z: held back until 2 more scans show them, or one at \
             2026-01-15T00:00:00Z or later"
        );
        assert!(held.rule(ruling(RulingVerdict::Reject, 1)) && !held.rule(ruling(RulingVerdict::Reject, 1)));
        assert!((1..9).all(|hours| !held.see(at(hours * 24 * 60))), "{held:?}");
        assert!(held.to_string().ends_with("as long as the source shows them, because they were rejected"), "{held}");
        assert!(held.rule(ruling(RulingVerdict::Release, 2)) && held.see(at(1)), "{held:?}");
        assert!(held.to_string().ends_with("held back until the next poll, which publishes them"), "{held}");
    }
}
