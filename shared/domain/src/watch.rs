use serde::{Deserialize, Serialize};

use crate::listing::Phase;
use crate::time::Time;

/// The version of the table of ages in [`Watch`]. A change of its numbers is a change of what figures mean.
pub const WATCH_VERSION: u32 = 1;

/// How the origin of an observation will look at the listing again: what follows when it shows it no more.
///
/// Given once, by the origin, like the [`Sighting`](crate::Sighting). A home is watched as its last sighting says. What follows from it
/// is a fixed table, and nothing that is learnt of a source. All of it is in whole UTC days after the day of the last sighting:
///
/// | | is sighted again every | unconfirmed after | expired after |
/// | --- | --- | --- | --- |
/// | `Once` | never | never | never |
/// | `Repeated` | 3 days | 7 days | 30 days |
/// | `Complete` | 11 days | 23 days | never: that it is gone is told |
///
/// An eighth of the 30 days, so that several polls in a row may fail; *unconfirmed* when two turns in a row were missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// A file of events, or a replay: nobody looks again.
    #[default]
    Once,
    /// A source that is asked again and again, and never proves that a listing is not there any more.
    Repeated,
    /// A source that shows all it has, so that what is missing is told to be gone.
    Complete,
}

impl Watch {
    /// The interval, in whole UTC days, in which an unchanged listing on the market is sent once more; `None` where nobody looks.
    #[must_use]
    pub const fn confirmed_every(self) -> Option<i64> {
        match self {
            Self::Once => None,
            Self::Repeated => Some(3),
            Self::Complete => Some(11),
        }
    }

    /// For how many UTC days after that of its last sighting an active home counts as confirmed.
    #[must_use]
    pub const fn unconfirmed_after(self) -> Option<i64> {
        match self {
            Self::Once => None,
            Self::Repeated => Some(7),
            Self::Complete => Some(23),
        }
    }

    /// For how many UTC days after that of its last sighting a home on the market counts as being there.
    #[must_use]
    pub const fn expires_after(self) -> Option<i64> {
        match self {
            Self::Once | Self::Complete => None,
            Self::Repeated => Some(30),
        }
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Repeated => "repeated",
            Self::Complete => "complete",
        }
    }

    /// When a home in this phase that was seen last at `seen` becomes unconfirmed, if it is not seen again.
    pub(crate) fn unconfirmed_at(self, phase: Phase, seen: Time) -> Option<Time> {
        let days = self.unconfirmed_after().filter(|_| phase == Phase::Active)?;
        Some(after(seen, days))
    }

    /// When it expires.
    pub(crate) fn expires_at(self, phase: Phase, seen: Time) -> Option<Time> {
        let days = self.expires_after().filter(|_| matches!(phase, Phase::Active | Phase::Pending))?;
        Some(after(seen, days))
    }
}

/// The midnight of UTC with which so many days after that of `seen` are over.
fn after(seen: Time, days: i64) -> Time {
    let midnight = seen.plus_ms(-seen.ms().rem_euclid(Time::DAY_MS));
    midnight.plus_ms((days + 1) * Time::DAY_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_whole_days_of_utc_behind_the_day_of_the_sighting() {
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

    /// Several polls in a row may fail before anything is unconfirmed, and two turns of confirmations before anything expires.
    #[test]
    fn ages_leave_room_for_the_confirmations() {
        for watch in [Watch::Repeated, Watch::Complete] {
            let (every, unconfirmed) = (watch.confirmed_every().unwrap(), watch.unconfirmed_after().unwrap());
            assert!(unconfirmed > 2 * every);
            assert!(watch.expires_after().is_none_or(|expires| expires >= 8 * every && expires > unconfirmed));
        }
    }
}
