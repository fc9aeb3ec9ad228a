//! Sends a task for each due search on a tick of the schedule.

use std::collections::{HashMap, HashSet};

use stoop_domain::Time;

use crate::ports::{PlanLedger, PollTask, PortError, TaskQueue};
use crate::search::due::Due;
use crate::{Cadence, Clock, LastPoll, NextPoll, Overdue, SearchControl, TightLimit};

/// Attempts at sending, including the first. The waits between them are 0.2, 0.4, 0.8, 1.6 and 3.2 s.
const SEND_ATTEMPTS_MAX: u32 = 6;

/// An older tick counts as one of now. The queue recognises duplicates for this time: an older tick has none to avoid.
const LATE_MAX_MS: i64 = 5 * MINUTE_MS;

/// How far the schedule's clock may be ahead of ours. Later times come from a wrong clock.
const AHEAD_MAX_MS: i64 = MINUTE_MS;

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
    /// How many are paused and were not sent.
    pub paused: usize,
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
/// A paused search is not sent. One that somebody asked to poll is sent once for that, paused or not, at the next tick; its
/// slots then count from that time.
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
    controls: &[SearchControl],
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
        return Err(PortError::refused(format!("look up when {} searches were sent", names.len()), why));
    }
    let controls: HashMap<&str, &SearchControl> =
        controls.iter().map(|control| (control.search.as_str(), control)).collect();
    let mut planned = Planned::default();
    let mut next_polls = HashMap::with_capacity(searches.len());
    for ((search, sent), last_poll) in searches.iter().zip(last_sent).zip(last_polls(&names, ledger).await?) {
        let last = last_poll.unwrap_or_default();
        let sent = sent.filter(|sent| sent.sent_at <= clock_now.plus_ms(AHEAD_MAX_MS));
        let sent_at = sent.as_ref().map(|sent| sent.sent_at);
        let due = Due::spread(&search.name, &search.cadence, last.pace.as_ref(), sent_at);
        let control = controls.get(search.name.as_str());
        let asked_at = control.and_then(|control| asked_at(control, sent.as_ref()));
        let is_paused = control.is_some_and(|control| control.paused_at.is_some());
        let slot = if is_paused { None } else { due.slot(now) };
        let overdue = if is_paused { None } else { last.overdue(sent_at, due.distance.ms, clock_now) };
        planned.overdue.extend(overdue.map(|why| (search.name.clone(), why)));
        match asked_at.map(|asked_at| asked_at.min(clock_now)).or(slot) {
            Some(due_at) => {
                let answered = control.and_then(|control| control.poll_asked_at);
                let after = Due::spread(&search.name, &search.cadence, last.pace.as_ref(), Some(due_at));
                next_polls.insert(search.name.as_str(), after.next_poll(&search.name, due_at, answered));
                if last.first_sent_at.is_none() {
                    // Before it is sent: later it would overwrite the poller's record.
                    let last = LastPoll { first_sent_at: Some(clock_now), ..last };
                    ledger.keep_last_poll(&search.name, &last).await?;
                }
                let search = search.name.clone();
                planned.refused.push(PollTask { search, due_at, continuation: None });
            }
            None if is_paused => planned.paused += 1,
            None => planned.waiting += 1,
        }
        planned.slowed_by.extend(due.distance.slowed_by.map(|limit| (search.name.clone(), limit)));
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
        let sent: Vec<NextPoll> = accepted.iter().filter_map(|task| next_polls.remove(task.search.as_str())).collect();
        ledger.sent(&sent).await?;
        planned.sent.extend(accepted);
    }
    Ok(planned)
}

/// When a poll was asked for, if no task was sent since then.
fn asked_at(control: &SearchControl, sent: Option<&NextPoll>) -> Option<Time> {
    let is_asked = control.is_asked(sent.and_then(|sent| sent.answered));
    control.poll_asked_at.filter(|at| is_asked && sent.is_none_or(|sent| sent.sent_at < *at))
}

async fn last_polls(names: &[String], ledger: &dyn PlanLedger) -> Result<Vec<Option<LastPoll>>, PortError> {
    let last_polls = ledger.last_polls(names).await?;
    if last_polls.len() != names.len() {
        let why = format!("the ledger gave {} answers", last_polls.len());
        return Err(PortError::refused(format!("look up the last polls of {} searches", names.len()), why));
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
