use super::PortError;
use crate::search::poll_task::PollTask;
use crate::{LastPoll, NextPoll};
use async_trait::async_trait;

/// When each search was last sent, and the outcome of its last poll.
///
/// Contract: what [`PlanLedger::sent`] returned from is known to every [`PlanLedger::last_sent`] a second or so later,
/// until the same search is sent again: the last record wins, even with an earlier time. After an error some of the
/// searches may be recorded. Lists of names may have any length; the names of one call are distinct.
///
/// Likewise every later [`PlanLedger::last_poll`] knows the last record of [`PlanLedger::keep_last_poll`], and
/// [`PlanLedger::last_polls`] does a second or so later: the planner, which reads all searches once a minute, need not
/// pay for more. The planner writes the one and pollers the other, at any time, and neither overwrites the other's. For
/// a search that is sent for the first time the planner writes both, before it sends it.
#[async_trait]
pub trait PlanLedger: Send + Sync {
    /// What was recorded when each search was last sent, one per name and in their order; `None` for never.
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<NextPoll>>, PortError>;

    /// Records that searches were sent, and when they are due again.
    async fn sent(&self, searches: &[NextPoll]) -> Result<(), PortError>;

    /// The outcome of the last poll of a search; `None` if there is none, or it is unreadable.
    async fn last_poll(&self, search: &str) -> Result<Option<LastPoll>, PortError>;

    /// The outcome for each search, one per name and in their order.
    async fn last_polls(&self, searches: &[String]) -> Result<Vec<Option<LastPoll>>, PortError>;

    /// Replaces the outcome of the last poll of a search.
    async fn keep_last_poll(&self, search: &str, last: &LastPoll) -> Result<(), PortError>;
}

/// The queue between planner and poller.
///
/// Contract: an accepted task is delivered at least once. Those of one search are delivered in the order of acceptance,
/// and never two at once: the next when the one before is done. A task that is sent again within five minutes of its
/// acceptance is accepted, and not delivered again because of that; so is one that continues the same delivery again.
/// After an error some of the tasks may have been accepted. Any number may be sent; the queue cuts it into batches.
#[async_trait]
pub trait TaskQueue: Send + Sync {
    /// Sends tasks. Returns the indexes of those that were refused and may be sent again, each once; empty if all were
    /// accepted.
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError>;

    /// Sends the task that continues the scan of another, which came with the delivery of this ID.
    async fn continue_later(&self, next: &PollTask, delivery: &str) -> Result<(), PortError>;
}
