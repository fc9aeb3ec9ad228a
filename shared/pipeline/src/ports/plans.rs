use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stoop_domain::Time;

use super::PortError;
use crate::LastPoll;

/// One search that is to be polled now. As JSON `{"search":"austin","due_at":1768392000000}`, in milliseconds; with
/// `"continuation":{"number":1,"began_at":1768392000000}`, where a scan that was begun before goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PollTask {
    /// The search's name.
    pub search: String,
    /// When it was due. With the name it tells one task of the planner from another.
    pub due_at: Time,
    /// Which part of a scan it is, where that is not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Continuation>,
}

/// A further part of a scan that takes longer than one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Continuation {
    /// Which: 1 for the first after the task that the planner sent.
    pub number: u32,
    /// When the scan was first continued.
    pub began_at: Time,
}

/// When each search was last sent to be polled, and what became of its last poll.
///
/// Contract: what [`PlanLedger::sent`] returned from is known to every [`PlanLedger::last_sent`] a second or so later, until
/// the same search is sent again: what was told last holds, even if it is an earlier time. When it fails, some of the
/// searches may be recorded. Lists of names may have any length; the names of one call are distinct.
///
/// Likewise every later [`PlanLedger::last_poll`] knows what [`PlanLedger::keep_last_poll`] was told last, and
/// [`PlanLedger::last_polls`] a second or so later: the planner, who looks once a minute at all searches, need not pay for more. The planner
/// tells of the one and pollers of the other, at any time, and neither loses what the other told. Of a search that it
/// sends for the first time the planner tells the other too, before it sends it.
#[async_trait]
pub trait PlanLedger: Send + Sync {
    /// The time that each search was last sent for, one for each name and in their order; `None` for never.
    async fn last_sent(&self, searches: &[String]) -> Result<Vec<Option<Time>>, PortError>;

    /// Records that searches were sent for the time `at`.
    async fn sent(&self, searches: &[String], at: Time) -> Result<(), PortError>;

    /// What became of the last poll of a search; `None` where nothing is known, or what this program cannot read.
    async fn last_poll(&self, search: &str) -> Result<Option<LastPoll>, PortError>;

    /// The same of each search, one for each name and in their order.
    async fn last_polls(&self, searches: &[String]) -> Result<Vec<Option<LastPoll>>, PortError>;

    /// Keeps what became of the last poll of a search, in place of what was known before.
    async fn keep_last_poll(&self, search: &str, last: &LastPoll) -> Result<(), PortError>;
}

/// The queue between planner and poller.
///
/// Contract: a task that was accepted is delivered at least once. Those of one search are delivered in the order in
/// which they were accepted, and never two of them at once: the next when the one before is done. A task that is
/// sent again within five minutes of its acceptance is accepted, and delivered no second time for that.
/// When it fails, some of the tasks may have been accepted. Any number is taken; cutting it into batches is up to
/// the queue.
#[async_trait]
pub trait TaskQueue: Send + Sync {
    /// Sends tasks. The answer holds the places of those that were refused and may be sent again, each once; an
    /// empty one means that all were accepted.
    async fn send(&self, tasks: &[PollTask]) -> Result<Vec<usize>, PortError>;
}
