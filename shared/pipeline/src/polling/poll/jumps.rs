//! The clock, which may be set during a poll or between two polls.

use stoop_domain::Time;

use super::index::Index;
use super::polled::Polled;
use crate::error_code::ErrorCode;
use crate::ports::Clock;

/// A clock that jumps by more than this was set.
const JUMP_MS: i64 = 60 * Time::SECOND_MS;

/// When a scan of pages began: by its name, and by the clock.
#[derive(Clone, Copy)]
pub(super) struct ScanClock {
    /// As [`Scan::began_at`](super::scan::Scan::began_at).
    began_at: Time,
    /// When this run began, by the clock as it is now set.
    run_at: Time,
}

impl ScanClock {
    /// Begins a run.
    pub(super) fn begin(began_at: Time, clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> Self {
        let (run_at, _) = look(clock, index, polled);
        Self { began_at, run_at }
    }

    /// Now, by the clock. Reports whether the clock was set since the last look.
    pub(super) fn look(&mut self, clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> Time {
        let (now, jumped_ms) = look(clock, index, polled);
        self.run_at = self.run_at.plus_ms(jumped_ms);
        now
    }

    /// When the scan began, by the clock as it is now set. Never in the future.
    pub(super) fn began_at(&self) -> Time {
        self.began_at.min(self.run_at)
    }

    /// The sighting time of a page that was received `now`. Never before an earlier sighting of the search.
    pub(super) fn seen_at(&self, now: Time, index: &mut Index<'_>) -> Time {
        let seen = index.state.seen.map_or(now, |seen| seen.max(now)).max(self.began_at);
        index.state.seen = Some(seen);
        seen
    }
}

/// Now, and by how much the clock was set.
///
/// The clock measures how long a listing has been missing, so absences move with it. The time in which a computer slept
/// does not count: there were no polls.
fn look(clock: &dyn Clock, index: &mut Index<'_>, polled: &mut Polled) -> (Time, i64) {
    let now = clock.now();
    let before = index.state.clock.replace(now);
    let back_ms = before.map_or(0, |before| now.ms() - before.ms()).min(0);
    let search = index.search();
    let jumped_ms =
        [clock.jumped_ms(search), back_ms].into_iter().find(|jumped_ms| report_jump(search, *jumped_ms, polled));
    let jumped_ms = jumped_ms.unwrap_or(0);
    index.shift_absences(jumped_ms);
    (now, jumped_ms)
}

/// Reports a jump of the clock if it is large. Returns whether it is.
pub(super) fn report_jump(search: &str, jumped_ms: i64, polled: &mut Polled) -> bool {
    let Some(jump) = clock_jump(jumped_ms) else { return false };
    tracing::warn!(search, jumped_ms, code = %ErrorCode::ClockJumped, "{jump}");
    polled.clock_jumps.push(jump);
    true
}

/// The report on a clock that jumped by so much; `None` if it was only adjusted.
#[must_use]
pub fn clock_jump(jumped_ms: i64) -> Option<String> {
    let by_ms = jumped_ms.saturating_abs();
    let minutes = by_ms / (60 * Time::SECOND_MS);
    (by_ms > JUMP_MS).then(|| match jumped_ms {
        ..0 => format!("the clock was set back by {minutes} minutes"),
        _ => format!("the clock was set ahead by {minutes} minutes, or this computer slept"),
    })
}
