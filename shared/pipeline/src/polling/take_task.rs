//! Takes a poll task: polls its search until the deadline is near, and lets another task continue the scan.

mod deadline;
mod searches;

use stoop_domain::Time;

use crate::polling::poll::{PollError, PollPorts, Polled, Search, poll};
use crate::ports::{PlanLedger, PortError, RunOutcome, TaskQueue};
use crate::search::last_poll::{LastPoll, PollEnd, Stale};
use crate::search::poll_task::PollTask;
use deadline::DeadlineClock;
pub use searches::{NotPolled, PreparedSearch, Searches};

/// If an account's limits ask for a wait longer than the time left, a continuation waits up to this long.
const WAIT_MAX_MS: i64 = 120_000;

/// Seconds until a failed task is delivered again, for each time that it was delivered.
const RETRY_STEP_SECONDS: u32 = 30;

/// More deliveries than this make the wait no longer.
const RETRY_STEPS_MAX: u32 = 10;

/// What a poll task needs of the world.
#[derive(Clone, Copy)]
pub struct TaskPorts<'a> {
    /// What its poll needs. The deadline is replaced by that of the task.
    pub poll: PollPorts<'a>,
    /// The configured searches.
    pub searches: &'a dyn Searches,
    /// Shares the outcome of each search's last poll with the planner.
    pub plans: &'a dyn PlanLedger,
    /// Takes continuations.
    pub queue: &'a dyn TaskQueue,
    /// Receives what happens.
    pub report: &'a (dyn Fn(&TaskReport<'_>) + Send + Sync),
}

/// What happened to a task.
#[derive(Debug)]
pub enum TaskReport<'a> {
    /// It was dropped.
    Stale(Stale),
    /// There is nothing to poll.
    NotPolled(&'a NotPolled),
    /// The source refused a secret, which was renewed: the search is polled once more.
    Renewed,
    /// The search was polled.
    Polled(&'a Polled),
    /// The source could not be polled. It will not recover within a minute: the schedule asks it again.
    SourceFailed(&'a PollError),
    /// The scan was continued too often or for too long: it continues when the search is due again.
    ScanEnded,
    /// The outcome is not stored for the planner, which uses the previous one. That is no reason to poll again.
    NotKept(&'a PortError),
}

/// How the poll of a task ended.
#[derive(Debug, PartialEq, Eq)]
struct TaskEnd {
    end: PollEnd,
    /// The deadline was near: another task continues.
    continues: bool,
}

/// Takes a task of the queue, which came with the delivery of this ID. A stale task is dropped. Otherwise its search is
/// polled until the deadline is near; then another task continues the scan, up to a limit. If the source refuses a
/// secret and a newer one is there, the search is polled once more, as a run of its own.
///
/// # Errors
///
/// A port failed, or the stream refused records: the task must be delivered again, and is not stale then. A failure of
/// the source is none of these: the schedule asks again.
pub async fn take_task(
    task: &PollTask,
    delivery: &str,
    run: &str,
    deadline: Time,
    ports: TaskPorts<'_>,
) -> Result<(), PollError> {
    let began_at = ports.poll.clock.now();
    let last = ports.plans.last_poll(&task.search).await?.unwrap_or_default();
    if let Some(why) = last.stale(task, began_at) {
        (ports.report)(&TaskReport::Stale(why));
        return Ok(());
    }
    let ended = match poll_in_time(&task.search, run, deadline, ports).await {
        Ok(Some(ended)) => ended,
        // There is no such search, so nothing to report.
        Ok(None) => return Ok(()),
        Err(error) => {
            keep_or_report(&task.search, &LastPoll { failed: true, ..last }, ports).await;
            return Err(error);
        }
    };
    let next = if ended.continues { task.next(ports.poll.clock.now()) } else { None };
    if ended.continues && next.is_none() {
        (ports.report)(&TaskReport::ScanEnded);
    }
    let last = last.after(began_at, ended.end, next.as_ref());
    let Some(next) = next else {
        keep_or_report(&task.search, &last, ports).await;
        return Ok(());
    };
    // In this order: a continuation without its record would be stale.
    ports.plans.keep_last_poll(&task.search, &last).await?;
    Ok(ports.queue.continue_later(&next, delivery).await?)
}

/// Polls a search; `None` if there is no such search.
async fn poll_in_time(
    search: &str,
    run: &str,
    deadline: Time,
    ports: TaskPorts<'_>,
) -> Result<Option<TaskEnd>, PollError> {
    let prepared = match ports.searches.prepare(search).await? {
        Ok(prepared) => prepared,
        Err(why) => {
            (ports.report)(&TaskReport::NotPolled(&why));
            return Ok(not_polled(&why));
        }
    };
    let clock = DeadlineClock::new(ports.poll.clock, deadline);
    let mut polled = poll_until(prepared.search(), run, &clock, ports).await;
    if let Err(PollError::Denied(_)) = polled
        && let Some(renewed) = prepared.renew().await?
    {
        (ports.report)(&TaskReport::Renewed);
        // A run of its own, because the first one is closed in the ledger.
        polled = poll_until(renewed.search(), &format!("{run}-renewed"), &clock, ports).await;
    }
    match polled {
        Ok(polled) => {
            (ports.report)(&TaskReport::Polled(&polled));
            let continues = continues(&polled, ports.poll.clock.now(), clock.end());
            Ok(Some(TaskEnd { end: polled.end(), continues }))
        }
        Err(error) if error.is_of_source() => {
            (ports.report)(&TaskReport::SourceFailed(&error));
            Ok(Some(TaskEnd { end: PollEnd::FAILED, continues: false }))
        }
        Err(error) => Err(error),
    }
}

async fn poll_until(
    search: &Search,
    run: &str,
    clock: &DeadlineClock<'_>,
    ports: TaskPorts<'_>,
) -> Result<Polled, PollError> {
    let stop = || (ports.poll.stop)() || clock.is_over();
    poll(search, run, PollPorts { clock, deadline: Some(clock.end()), stop: &stop, ..ports.poll }).await
}

/// How a poll that did not begin ended; `None` if there is no such search.
fn not_polled(why: &NotPolled) -> Option<TaskEnd> {
    match why {
        NotPolled::Mistakes(_) => Some(TaskEnd { end: PollEnd::FAILED, continues: false }),
        NotPolled::NoConfiguration | NotPolled::NoSuchSearch => None,
    }
}

/// Whether another task continues a poll that had to stop at `end`: time was over, or would have been before the
/// account's limits allowed the next request. Longer waits are left to the schedule.
fn continues(polled: &Polled, now: Time, end: Time) -> bool {
    let soon = now.plus_ms(WAIT_MAX_MS);
    let held_briefly = polled.held_until.is_some_and(|until| until > end && until <= soon);
    match polled.outcome {
        Some(RunOutcome::Partial) => now >= end || held_briefly,
        // The server refused everything so far.
        Some(RunOutcome::Failed) => held_briefly,
        _ => false,
    }
}

async fn keep_or_report(search: &str, last: &LastPoll, ports: TaskPorts<'_>) {
    if let Err(error) = ports.plans.keep_last_poll(search, last).await {
        (ports.report)(&TaskReport::NotKept(&error));
    }
}

/// After how many seconds a task that failed is to be delivered again, if it was delivered this many times. Otherwise it
/// would stay hidden for as long as a poll may take.
#[must_use]
pub fn retry_after_seconds(deliveries: u32) -> u32 {
    RETRY_STEP_SECONDS * deliveries.clamp(1, RETRY_STEPS_MAX)
}

#[cfg(test)]
mod tests;
