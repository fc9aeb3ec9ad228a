//! Handles a clock that is set during a poll or between two polls.

use stoop_domain::Time;

use super::context::Clock;
use super::index::Index;
use super::polled::Polled;

/// The clock was set if it differs from its expected time by more than this.
const JUMP_MS: i64 = 60 * Time::SECOND_MS;

/// When a scan of pages began, as stored and as corrected for clock changes.
#[derive(Clone, Copy)]
pub(super) struct ScanClock {
    /// As [`Scan::began_at`](super::scan::Scan::began_at).
    began_at: Time,
    /// When this run began, by the current clock.
    run_at: Time,
}

impl ScanClock {
    /// Starts this run now.
    pub(super) fn begin(began_at: Time, clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> Self {
        let (run_at, _) = look(clock, index, polled);
        Self { began_at, run_at }
    }

    /// Returns the current time. Reports a jump of the clock since the last call, or since the last poll of this
    /// search.
    pub(super) fn look(&mut self, clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> Time {
        let (now, jumped_ms) = look(clock, index, polled);
        self.run_at = self.run_at.plus_ms(jumped_ms);
        now
    }

    /// When the scan began, by the current clock: never in its future.
    pub(super) fn began_at(&self) -> Time {
        self.began_at.min(self.run_at)
    }

    /// When a page received `now` counts as seen: never before an earlier sighting of the search.
    pub(super) fn seen_at(&self, now: Time, index: &mut Index<'_>) -> Time {
        let seen = index.state.seen.map_or(now, |seen| seen.max(now)).max(self.began_at);
        index.state.seen = Some(seen);
        seen
    }
}

/// Returns the current time, and by how much the clock was set.
///
/// Absences are measured by the clock, so they shift with it. Time in which a computer slept does not count: it polled
/// nothing.
fn look(clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> (Time, i64) {
    let now = clock.now();
    let before = index.state.clock.replace(now);
    let back_ms = before.map_or(0, |before| now.ms() - before.ms()).min(0);
    let search = index.search();
    let jumped_ms = [clock.jumped_ms(), back_ms].into_iter().find(|jumped_ms| report_jump(search, *jumped_ms, polled));
    let jumped_ms = jumped_ms.unwrap_or(0);
    index.shift_absences(jumped_ms);
    (now, jumped_ms)
}

/// Reports a jump of the clock if it is large; returns whether it is.
pub(super) fn report_jump(search: &str, jumped_ms: i64, polled: &mut Polled) -> bool {
    if jumped_ms.saturating_abs() <= JUMP_MS {
        return false;
    }
    let minutes = jumped_ms.saturating_abs() / (60 * Time::SECOND_MS);
    let jump = if jumped_ms < 0 {
        format!("the clock was set back by {minutes} minutes")
    } else {
        format!("the clock was set ahead by {minutes} minutes, or this computer slept")
    };
    tracing::warn!(search, jumped_ms, "{jump}");
    polled.clock_jumps.push(jump);
    true
}
