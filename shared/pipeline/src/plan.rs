//! Sends a task for each due search on a tick of the schedule.

use std::collections::{BTreeMap, HashSet};

use stoop_domain::Time;

use crate::ports::{PlanLedger, PollTask, PortError, TaskQueue};
use crate::{Cadence, Clock, LastPoll, Overdue, TightLimit};

/// Attempts at sending, including the first. The waits between them are 0.2, 0.4, 0.8, 1.6 and 3.2 s.
const SEND_ATTEMPTS_MAX: u32 = 6;

/// An older tick counts as one of now. The queue recognises duplicates for this time: an older tick has none to avoid.
const LATE_MAX_MS: i64 = 5 * MINUTE_MS;

/// How far the schedule's clock may be ahead of ours. Later times come from a wrong clock.
const AHEAD_MAX_MS: i64 = MINUTE_MS;

/// Searches that are polled less often than this are spread over an hour, not over their whole interval.
const SPREAD_MAX_MS: i64 = Time::HOUR_MS;

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

/// A search as the planner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedSearch {
    /// Its name.
    pub name: String,
    /// How often it may be polled.
    pub cadence: Cadence,
}

/// The outcome of a tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planned {
    /// Tasks that the queue accepted.
    pub sent: Vec<PollTask>,
    /// Tasks that the queue refused repeatedly. They stay due: the next tick sends them.
    pub refused: Vec<PollTask>,
    /// How many searches were not due.
    pub waiting: usize,
    /// The searches that their limits slow down, and why.
    pub slowed_by: Vec<(String, TightLimit)>,
    /// The searches that were overdue before this tick, and why.
    pub overdue: Vec<(String, Overdue)>,
}

/// Sends a task for every search that is due at `now`, the scheduled time of the tick.
///
/// A search that was never sent is due at once. After that it is due once in each slot of its interval, and slots do
/// not move with the ticks: a search every 15 minutes is due every 15 minutes, however late some ticks come. Slots
/// missed because of missing ticks are made up for by one task, not by many. A task's `due_at` is the beginning of its
/// slot (for the very first: `now`).
///
/// A search that may adapt is due in every second, third, ... of its slots, according to its pace: a changed pace
/// counts from the task before.
///
/// Searches are spread: each keeps to its own minute within its interval, or within the hour if the interval is longer.
/// The second task of a search is later by up to that much, and never earlier than its interval allows.
///
/// A task is recorded after the queue has accepted it. After a crash between the two the same `due_at` is sent again,
/// which the queue recognises as the same task.
///
/// A `now` more than five minutes behind the clock or a minute ahead of it is replaced by the clock's time. A tick
/// older than an earlier one makes nothing due. A record more than a minute ahead of the clock comes from a wrong clock
/// and is ignored, so that no search waits for that time.
///
/// # Errors
///
/// The ledger or the queue fails. What the queue accepted before is recorded. Planning again is safe.
pub async fn plan(
    searches: &[PlannedSearch],
    now: Time,
    ledger: &dyn PlanLedger,
    queue: &dyn TaskQueue,
    clock: &dyn Clock,
) -> Result<Planned, PortError> {
    if searches.is_empty() {
        return Ok(Planned::default());
    }
    let clock_now = clock.now();
    let now = trusted(now, clock_now);
    let names: Vec<String> = searches.iter().map(|search| search.name.clone()).collect();
    let last_sent = ledger.last_sent(&names).await?;
    if last_sent.len() != names.len() {
        let why = format!("the ledger gave {} answers", last_sent.len());
        return Err(PortError::new(format!("look up when {} searches were sent", names.len()), why));
    }
    let mut planned = Planned::default();
    for ((search, sent_at), last_poll) in searches.iter().zip(last_sent).zip(last_polls(&names, ledger).await?) {
        let last = last_poll.unwrap_or_default();
        let distance = search.cadence.distance(last.pace.as_ref());
        let sent_at = sent_at.filter(|sent_at| *sent_at <= clock_now.plus_ms(AHEAD_MAX_MS));
        planned.overdue.extend(last.overdue(sent_at, distance.ms, clock_now).map(|why| (search.name.clone(), why)));
        match due_at(search, distance.ms, sent_at, now) {
            Some(due_at) => {
                if last.first_sent_at.is_none() {
                    // Before it is sent: later it would overwrite the poller's record.
                    let last = LastPoll { first_sent_at: Some(clock_now), ..last };
                    ledger.keep_last_poll(&search.name, &last).await?;
                }
                let search = search.name.clone();
                planned.refused.push(PollTask { search, due_at, continuation: None });
            }
            None => planned.waiting += 1,
        }
        planned.slowed_by.extend(distance.slowed_by.map(|limit| (search.name.clone(), limit)));
    }
    for attempt in 0..SEND_ATTEMPTS_MAX {
        if planned.refused.is_empty() {
            break;
        }
        if attempt > 0 {
            clock.sleep(100 << attempt).await;
        }
        let refused: HashSet<usize> = queue.send(&planned.refused).await?.into_iter().collect();
        let tasks = std::mem::take(&mut planned.refused).into_iter().enumerate();
        let (refused, accepted): (Vec<_>, Vec<_>) = tasks.partition(|(index, _)| refused.contains(index));
        let accepted: Vec<PollTask> = accepted.into_iter().map(|(_, task)| task).collect();
        planned.refused = refused.into_iter().map(|(_, task)| task).collect();
        // At once, not at the end: what is recorded survives whatever happens to the rest.
        record(ledger, &accepted).await?;
        planned.sent.extend(accepted);
    }
    Ok(planned)
}

async fn last_polls(names: &[String], ledger: &dyn PlanLedger) -> Result<Vec<Option<LastPoll>>, PortError> {
    let last_polls = ledger.last_polls(names).await?;
    if last_polls.len() != names.len() {
        let why = format!("the ledger gave {} answers", last_polls.len());
        return Err(PortError::new(format!("look up the last polls of {} searches", names.len()), why));
    }
    Ok(last_polls)
}

/// The time of the tick, or of the clock if the tick's cannot be right.
fn trusted(tick: Time, clock: Time) -> Time {
    let ahead_ms = tick.ms().saturating_sub(clock.ms());
    if (-LATE_MAX_MS..=AHEAD_MAX_MS).contains(&ahead_ms) {
        return tick;
    }
    tracing::warn!(%tick, %clock, "the tick's time is too far from the clock's, which is used instead");
    clock
}

/// Records accepted tasks: one call per time; there are few times, because slots begin on whole minutes.
async fn record(ledger: &dyn PlanLedger, accepted: &[PollTask]) -> Result<(), PortError> {
    let mut by_time: BTreeMap<Time, Vec<String>> = BTreeMap::new();
    for task in accepted {
        by_time.entry(task.due_at).or_default().push(task.search.clone());
    }
    for (at, searches) in by_time {
        ledger.sent(&searches, at).await?;
    }
    Ok(())
}

/// The beginning of the slot that makes the search due at `now`, if any. `distance_ms` is a multiple of the shortest
/// interval.
fn due_at(search: &PlannedSearch, distance_ms: u64, last: Option<Time>, now: Time) -> Option<Time> {
    let Some(last) = last else { return Some(now) };
    let every_ms = i64::try_from(search.cadence.every_ms).unwrap_or(i64::MAX).max(1);
    let distance_ms = i64::try_from(distance_ms).unwrap_or(i64::MAX).max(every_ms);
    let unit_ms = if every_ms <= SPREAD_MAX_MS { every_ms } else { gcd(every_ms, SPREAD_MAX_MS) };
    let phase_ms = phase_ms(&search.name, unit_ms);
    // If one slot begins at the search's own minute, all do, because the unit divides the interval.
    let earliest = last.ms().saturating_add(distance_ms);
    let next = earliest.saturating_add((phase_ms - earliest).rem_euclid(unit_ms));
    let over_ms = now.ms().checked_sub(next).filter(|over_ms| *over_ms >= 0)?;
    Some(Time::from_ms(next + over_ms / distance_ms * distance_ms))
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
    use super::*;

    const BEGIN: i64 = 1_768_392_000_000;

    fn search(name: &str, every_minutes: u64) -> PlannedSearch {
        PlannedSearch { name: name.into(), cadence: Cadence::steady(every_minutes * 60_000) }
    }

    fn minute(minutes: i64) -> Time {
        Time::from_ms(BEGIN + minutes * MINUTE_MS)
    }

    fn slot(search: &PlannedSearch, last: Option<Time>, now: Time) -> Option<Time> {
        due_at(search, search.cadence.distance(None).ms, last, now)
    }

    /// The minutes, of the first `minutes`, at which ticks make the search due.
    fn due_minutes(search: &PlannedSearch, ticks: impl IntoIterator<Item = i64>) -> Vec<i64> {
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
        let endless = PlannedSearch { name: "x".into(), cadence: Cadence::steady(u64::MAX) };
        let far = Time::from_ms(i64::MAX);
        assert_eq!(slot(&endless, Some(minute(0)), far), None);
        let always = PlannedSearch { name: "x".into(), cadence: Cadence::steady(0) };
        assert_eq!(slot(&always, Some(minute(0)), far), Some(far));
        assert_eq!(slot(&always, Some(far), minute(0)), None, "a clock that went back");
        assert_eq!(slot(&always, Some(Time::from_ms(i64::MIN)), minute(0)), Some(minute(0)));
    }
}
