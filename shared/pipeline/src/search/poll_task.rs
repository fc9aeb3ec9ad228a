//! One search to poll, as the planner sends it.

use serde::{Deserialize, Serialize};
use stoop_domain::Time;

/// One search to poll now. As JSON `{"search":"austin","due_at":1768392000000}`, in milliseconds; with
/// `"continuation":{"number":1,"began_at":1768392000000}` if it continues a scan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PollTask {
    /// The search's name.
    pub search: String,
    /// When it was due. With the name it identifies a task of the planner.
    pub due_at: Time,
    /// Which part of a scan it is, if not the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuation: Option<Continuation>,
}

/// A further part of a scan that takes longer than one invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Continuation {
    /// 1 for the first after the planner's task.
    pub number: u32,
    /// When the scan was first continued.
    pub began_at: Time,
}
