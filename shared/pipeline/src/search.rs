//! What is known of a search between its polls: when the next one is due, what its account allows, what it suddenly lacks or
//! holds back, and how its fields drift.

pub(crate) mod budget;
pub(crate) mod control;
pub(crate) mod drift;
pub(crate) mod due;
pub(crate) mod held_move;
pub(crate) mod last_poll;
pub(crate) mod loss;
pub(crate) mod pace;
pub(crate) mod poll_task;
pub(crate) mod refusals;
pub(crate) mod ruling;
pub(crate) mod snapshots;

pub use control::{ControlAction, NextPoll, SearchControl};
pub use drift::{FieldShare, FieldShares, Profiles};
pub use due::Due;
pub use held_move::HeldMove;
pub use last_poll::{LastPoll, Overdue, PollEnd, Stale};
pub use loss::HeldBack;
pub use pace::{Cadence, Distance, Pace, PollCost, TightLimit};
pub use refusals::Refusals;
pub use ruling::{Ruling, RulingError, RulingVerdict};
pub use snapshots::{ProvesNothing, SnapshotResult, Snapshots};
