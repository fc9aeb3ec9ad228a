//! When a search is polled next. The planner and a process that keeps polling both decide here.

use stoop_domain::Time;

use crate::NextPoll;
use crate::search::pace::{Cadence, Distance, Pace};

/// Searches that are polled less often than this are spread over an hour, not over their whole interval.
const SPREAD_MAX_MS: i64 = Time::HOUR_MS;

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

/// When a search is polled next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The interval, and what makes it long.
    pub distance: Distance,
    /// The beginning of the next slot in milliseconds, which may be later than any [`Time`]; `None` for at once.
    next_ms: Option<i64>,
}

impl Due {
    /// After a poll that began at `began_at`: a whole interval later.
    #[must_use]
    pub fn after(cadence: &Cadence, pace: Option<&Pace>, began_at: Time) -> Self {
        let distance = cadence.distance(pace);
        let next_ms = Some(began_at.ms().saturating_add(signed(distance.ms)));
        Self { distance, next_ms }
    }

    /// In slots of the search's own, which begin at a minute that its name says, so that searches are spread over time;
    /// at once, if it was never sent.
    #[must_use]
    pub(crate) fn spread(name: &str, cadence: &Cadence, pace: Option<&Pace>, sent_at: Option<Time>) -> Self {
        let distance = cadence.distance(pace);
        let every_ms = signed(cadence.every_ms).max(1);
        let unit_ms = if every_ms <= SPREAD_MAX_MS { every_ms } else { gcd(every_ms, SPREAD_MAX_MS) };
        let phase_ms = phase_ms(name, unit_ms);
        // If one slot begins at the search's own minute, all do, because the unit divides the interval, and the interval
        // the distance.
        let next_ms = sent_at.map(|sent_at| {
            let earliest = sent_at.ms().saturating_add(signed(distance.ms));
            earliest.saturating_add((phase_ms - earliest).rem_euclid(unit_ms))
        });
        Self { distance, next_ms }
    }

    /// The beginning of the slot that makes the search due at `now`, if any.
    #[must_use]
    pub(crate) fn slot(&self, now: Time) -> Option<Time> {
        let Some(next_ms) = self.next_ms else { return Some(now) };
        let over_ms = now.ms().checked_sub(next_ms).filter(|over_ms| *over_ms >= 0)?;
        let distance_ms = signed(self.distance.ms).max(1);
        Some(Time::from_ms(next_ms + over_ms / distance_ms * distance_ms))
    }

    /// What is recorded of it: the search was sent at `sent_at`, which answers the poll that was asked for at `answered`.
    #[must_use]
    pub fn next_poll(&self, search: &str, sent_at: Time, answered: Option<Time>) -> NextPoll {
        NextPoll {
            search: search.to_owned(),
            sent_at,
            next_at: self.next_ms.map_or(sent_at, Time::from_ms),
            every_ms: self.distance.ms,
            slowed_by: self.distance.slowed_by.as_ref().map(ToString::to_string),
            answered,
        }
    }

    /// The wait until it is due, in milliseconds. Never longer than the interval: a clock that was set back delays no
    /// poll.
    #[must_use]
    pub fn wait_ms(&self, now: Time) -> u64 {
        let left_ms = self.next_ms.map_or(0, |next_ms| next_ms.saturating_sub(now.ms()));
        u64::try_from(left_ms).unwrap_or(0).min(self.distance.ms)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// The search's own offset in each unit of time: a whole minute, the same on every machine and for ever.
fn phase_ms(name: &str, unit_ms: i64) -> i64 {
    let minutes = u64::try_from(unit_ms / MINUTE_MS).unwrap_or(0).max(1);
    let [a, b, c, d, ..] = *blake3::hash(name.as_bytes()).as_bytes();
    i64::try_from(u64::from(u32::from_le_bytes([a, b, c, d])) % minutes).unwrap_or(0) * MINUTE_MS
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::PollCost;

    const BEGIN: i64 = 1_768_392_000_000;

    fn search(name: &'static str, every_minutes: u64) -> (&'static str, Cadence) {
        (name, Cadence::steady(every_minutes * 60_000))
    }

    fn minute(minutes: i64) -> Time {
        Time::from_ms(BEGIN + minutes * MINUTE_MS)
    }

    fn slot((name, cadence): &(&str, Cadence), last: Option<Time>, now: Time) -> Option<Time> {
        Due::spread(name, cadence, None, last).slot(now)
    }

    /// The minutes, of the first `minutes`, at which ticks make the search due.
    fn due_minutes(search: &(&str, Cadence), ticks: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let mut last = None;
        let mut due = Vec::new();
        for tick in ticks {
            if let Some(at) = slot(search, last, minute(tick)) {
                last = Some(at);
                due.push(tick);
            }
        }
        due
    }

    fn gaps(minutes: &[i64]) -> Vec<i64> {
        minutes.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    #[test]
    fn a_search_every_quarter_of_an_hour_is_due_every_quarter_of_an_hour() {
        for name in ["austin", "graz", "lincoln-park"] {
            let due = due_minutes(&search(name, 15), 0..300);
            assert_eq!(due[0], 0, "at once");
            let gaps = gaps(&due);
            assert!((15..30).contains(&gaps[0]), "{name} finds its minute: {gaps:?}");
            assert!(gaps[1..].iter().all(|gap| *gap == 15), "{name}: {gaps:?}");
        }
    }

    #[test]
    fn a_daily_search_is_never_later_than_an_hour() {
        let due = due_minutes(&search("vienna", 24 * 60), 0..4 * 24 * 60);
        let gaps = gaps(&due);
        assert!((0..60).contains(&(gaps[0] - 24 * 60)), "{gaps:?}");
        assert_eq!(gaps[1..], [24 * 60; 2][..gaps.len() - 1], "{gaps:?}");
    }

    #[test]
    fn an_interval_that_does_not_divide_an_hour_is_kept_too() {
        for every in [1, 7, 45, 90, 61, 1_000] {
            let gaps = gaps(&due_minutes(&search("odd", every), 0..10_000));
            assert!(gaps[1..].iter().all(|gap| *gap == every as i64), "{every}: {gaps:?}");
        }
    }

    #[test]
    fn late_ticks_do_not_move_the_slots() {
        let on_time = due_minutes(&search("austin", 15), 0..120);
        let third = on_time[3];
        let late: Vec<i64> = (0..120).filter(|tick| !(third..third + 9).contains(tick)).collect();
        let due = due_minutes(&search("austin", 15), late);
        assert_eq!(due[3], third + 9);
        assert_eq!(due[4..], on_time[4..], "the one after is where it would have been");
    }

    #[test]
    fn a_long_pause_is_made_up_for_once() {
        let due = due_minutes(&search("austin", 15), (0..60).chain(1_000..1_030));
        let after: Vec<i64> = due.into_iter().filter(|tick| *tick >= 1_000).collect();
        assert_eq!(after[0], 1_000);
        assert!(after.len() <= 3, "{after:?}");
    }

    #[test]
    fn searches_of_one_interval_are_spread() {
        let phases: HashSet<i64> = (0..200).map(|i| phase_ms(&format!("zip-{i}"), Time::HOUR_MS)).collect();
        assert!(phases.len() > 50, "200 searches share {} minutes of the hour", phases.len());
        assert!(phases.iter().all(|ms| ms % MINUTE_MS == 0 && (0..Time::HOUR_MS).contains(ms)));
    }

    #[test]
    fn no_interval_and_no_time_is_too_large() {
        let endless = ("x", Cadence::steady(u64::MAX));
        let far = Time::from_ms(i64::MAX);
        assert_eq!(slot(&endless, Some(minute(0)), far), None);
        let always = ("x", Cadence::steady(0));
        assert_eq!(slot(&always, Some(minute(0)), far), Some(far));
        assert_eq!(slot(&always, Some(far), minute(0)), None, "a clock that went back");
        assert_eq!(slot(&always, Some(Time::from_ms(i64::MIN)), minute(0)), Some(minute(0)));
    }

    #[test]
    fn a_process_that_keeps_polling_waits_for_the_rest_of_the_interval() {
        let cadence = Cadence::steady(15 * 60_000);
        let wait = |now_minutes: i64| Due::after(&cadence, None, minute(0)).wait_ms(minute(now_minutes)) / 60_000;
        assert_eq!([0, 4, 15, 99].map(wait), [15, 11, 0, 0], "from the start of the poll");
        assert_eq!(wait(-600), 15, "a clock that was set back delays no poll");
        assert_eq!(Due::after(&cadence, None, minute(0)).slot(minute(15)), Some(minute(15)), "at its own times");
    }

    #[test]
    fn both_keep_the_distance_that_the_pace_says() {
        let cadence = Cadence { every_max_ms: Some(3 * 3_600_000), ..Cadence::steady(900_000) };
        let mut pace = Pace::default();
        let mut at = minute(0);
        for _ in 0..8 {
            pace.learn(at, true, PollCost { pages: 1, requests: 1, ..PollCost::default() });
            at = at.plus_ms(3_600_000);
        }
        let distance = cadence.distance(Some(&pace));
        assert!(distance.ms > 900_000, "it has become quiet");
        let (spread, after) = (
            Due::spread("austin", &cadence, Some(&pace), Some(minute(0))),
            Due::after(&cadence, Some(&pace), minute(0)),
        );
        assert_eq!((spread.distance.ms, after.distance.ms), (distance.ms, distance.ms));
        assert_eq!(after.wait_ms(minute(0)), distance.ms);
        assert_eq!(spread.slot(minute(0).plus_ms(distance.ms.cast_signed() - 1)), None);
    }
}
