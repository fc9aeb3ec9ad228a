//! The clock, which may be set while a search is polled, or between two polls of it.

use stoop_domain::Time;

use super::Polled;
use super::scan::Scan;

/// A clock that moved by more than this against what it said before was set.
const JUMP_MS: i64 = 60 * Time::SECOND_MS;

impl Scan<'_> {
    /// Now, by the clock. That it was set since this process, or this search, looked at it last is told.
    pub(super) fn look_at_clock(&mut self, polled: &mut Polled) -> Time {
        let now = self.ports.clock.now();
        let before = self.state.clock.replace(now);
        let jumped_ms = self.ports.clock.jumped_ms();
        if self.tell_jump(jumped_ms, polled) {
            self.shift_absences(jumped_ms);
        } else {
            let back_ms = before.map_or(0, |before| now.ms() - before.ms()).min(0);
            if self.tell_jump(back_ms, polled) {
                self.shift_absences(back_ms);
            }
        }
        now
    }

    /// For how long a listing was missed is told by a clock, and is what it was when that is set. Time in which a computer slept
    /// does not count either: nobody looked.
    fn shift_absences(&mut self, jumped_ms: i64) {
        self.shift_clock(jumped_ms);
        for since in self.state.listings.values_mut().filter_map(|entry| entry.missing_since.as_mut()) {
            *since = since.plus_ms(jumped_ms);
        }
    }

    /// Tells of a clock that was set by so much, where that is much; whether it is.
    pub(super) fn tell_jump(&self, jumped_ms: i64, polled: &mut Polled) -> bool {
        if jumped_ms.saturating_abs() <= JUMP_MS {
            return false;
        }
        let minutes = jumped_ms.saturating_abs() / (60 * Time::SECOND_MS);
        let jump = if jumped_ms < 0 {
            format!("the clock was set back by {minutes} minutes")
        } else {
            format!("the clock was set ahead by {minutes} minutes, or this computer slept")
        };
        tracing::warn!(search = self.search.name, jumped_ms, "{jump}");
        polled.clock_jumps.push(jump);
        true
    }

    /// When a page was seen that was received `now`, by the clock: never before anything that the search has seen.
    pub(super) fn seen_at(&mut self, now: Time) -> Time {
        let seen = self.state.seen.map_or(now, |seen| seen.max(now)).max(self.began_at);
        self.state.seen = Some(seen);
        seen
    }
}
