use serde::{Deserialize, Serialize};

use crate::status::Phase;
use crate::time::Time;

/// The version of the table in [`Watch`]. It changes with the numbers, because figures depend on them.
pub const WATCH_VERSION: u32 = 1;

/// How the origin of an observation will check the listing again, and therefore what its absence means.
///
/// The origin sets it once, like the [`Sighting`](crate::Sighting). The last sighting of a home decides. The
/// consequences are fixed and do not depend on the source. All periods are whole UTC days after the day of the last
/// sighting:
///
/// | | sighted again every | unconfirmed after | expired after |
/// | --- | --- | --- | --- |
/// | `Once` | never | never | never |
/// | `Repeated` | 3 days | 7 days | 30 days |
/// | `Complete` | 11 days | 23 days | never: the source reports `Gone` |
///
/// Confirmations every eighth of the 30 days leave room for several failed polls. A home is *unconfirmed* after two
/// missing confirmations in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// A file of events, or a replay: it is never checked again.
    #[default]
    Once,
    /// A source that is polled repeatedly but never proves that a listing is gone.
    Repeated,
    /// A source with complete scans, so that a missing listing is `Gone`.
    Complete,
}

impl Watch {
    /// How often an unchanged listing on the market is sent again, in whole UTC days. `None` if it is not checked
    /// again.
    #[must_use]
    pub const fn confirmed_every(self) -> Option<i64> {
        match self {
            Self::Once => None,
            Self::Repeated => Some(3),
            Self::Complete => Some(11),
        }
    }

    /// For how many UTC days after its last sighting an active home counts as confirmed.
    #[must_use]
    pub const fn unconfirmed_after(self) -> Option<i64> {
        match self {
            Self::Once => None,
            Self::Repeated => Some(7),
            Self::Complete => Some(23),
        }
    }

    /// For how many UTC days after its last sighting a home counts as on the market.
    #[must_use]
    pub const fn expires_after(self) -> Option<i64> {
        match self {
            Self::Once | Self::Complete => None,
            Self::Repeated => Some(30),
        }
    }

    /// The serialized name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Repeated => "repeated",
            Self::Complete => "complete",
        }
    }

    /// When a home in this phase with its last sighting at `seen` becomes unconfirmed.
    pub(crate) fn unconfirmed_at(self, phase: Phase, seen: Time) -> Option<Time> {
        let days = self.unconfirmed_after().filter(|_| phase == Phase::Active)?;
        Some(after(seen, days))
    }

    /// When a home in this phase with its last sighting at `seen` expires.
    pub(crate) fn expires_at(self, phase: Phase, seen: Time) -> Option<Time> {
        let days = self.expires_after().filter(|_| matches!(phase, Phase::Active | Phase::Pending))?;
        Some(after(seen, days))
    }
}

/// The UTC midnight that ends the last of `days` days after the day of `seen`.
fn after(seen: Time, days: i64) -> Time {
    let midnight = seen.plus_ms(-seen.ms().rem_euclid(Time::DAY_MS));
    midnight.plus_ms((days + 1) * Time::DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_whole_utc_days_after_the_sighting() {
        let at = |text: &str| Time::parse(text).unwrap();
        for seen in ["2026-01-01T00:00:00Z", "2026-01-01T23:59:59.999Z"] {
            let seen = at(seen);
            assert_eq!(Watch::Repeated.expires_at(Phase::Active, seen), Some(at("2026-02-01T00:00:00Z")));
            assert_eq!(Watch::Repeated.expires_at(Phase::Pending, seen), Some(at("2026-02-01T00:00:00Z")));
            assert_eq!(Watch::Repeated.unconfirmed_at(Phase::Active, seen), Some(at("2026-01-09T00:00:00Z")));
            assert_eq!(Watch::Complete.unconfirmed_at(Phase::Active, seen), Some(at("2026-01-25T00:00:00Z")));
        }
        assert_eq!(Watch::Repeated.unconfirmed_at(Phase::Pending, at("2026-01-01T00:00:00Z")), None);
        assert_eq!(Watch::Repeated.expires_at(Phase::Off, at("2026-01-01T00:00:00Z")), None);
        assert_eq!(Watch::Complete.expires_at(Phase::Active, at("2026-01-01T00:00:00Z")), None);
        assert_eq!(Watch::Once.unconfirmed_at(Phase::Active, at("2026-01-01T00:00:00Z")), None);
    }

    /// Several polls in a row may fail before a home is unconfirmed, and two confirmations before it expires.
    #[test]
    fn periods_leave_room_for_confirmations() {
        for watch in [Watch::Repeated, Watch::Complete] {
            let (every, unconfirmed) = (watch.confirmed_every().unwrap(), watch.unconfirmed_after().unwrap());
            assert!(unconfirmed > 2 * every);
            assert!(watch.expires_after().is_none_or(|expires| expires >= 8 * every && expires > unconfirmed));
        }
    }
}
