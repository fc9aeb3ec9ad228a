//! The use cases: plan, poll, measure, alert, verify. All policy is here, over ports.
//!
//! Each port ([`ports`]) has one implementation on AWS and one on SQLite and folders; both pass the same conformance
//! suite. The use cases are the same code on both, except for the last step of an alert: a topic is published to before
//! the alert is recorded ([`alert()`]); a laptop's file and webhook follow the recorded alerts ([`record_alerts`],
//! [`deliver()`]).

mod address_report;
mod alert;
mod area_sum;
mod budget;
mod causes;
mod control;
mod deliver;
mod drain;
mod drift;
mod due;
mod held_move;
mod inbox;
mod last_poll;
mod loss;
mod measure;
mod measure_inbox;
mod ordinals;
mod pace;
mod parse_report;
mod plan;
mod poll;
mod poll_task;
pub mod ports;
mod refusals;
mod resend;
mod rollup;
mod snapshots;
mod stored;
mod take_task;
mod verify;
mod wide_area;

pub use address_report::{AddressContradiction, AddressReport, LevelCount};
pub use alert::{AlertError, Alerted, alert, marks_due, new_alerts, record_alerts};
pub use area_sum::{AreaSum, DaysCovered, Part, SumError, Total};
pub use causes::with_causes;
pub use control::{ControlAction, NextPoll, SearchControl};
pub use deliver::{Delivery, Trouble, begin_delivery, deliver};
pub use drain::{DrainPorts, drain};
pub use drift::{FieldShare, FieldShares, Profiles};
pub use due::Due;
pub use held_move::HeldMove;
pub use inbox::{Inbox, NewerRecord};
pub use last_poll::{LastPoll, Overdue, PollEnd, Stale};
pub use loss::{HeldBack, LossVerdict, Ruling, RulingError};
pub use measure::{Gatherer, MeasureError, Measured, Measurer, Memory};
pub use measure_inbox::{InboxDone, InboxError, measure_inbox};
pub use ordinals::{OneRowPerListing, Ordinals};
pub use pace::{Cadence, Distance, Pace, PollCost, TightLimit};
pub use parse_report::{FieldCount, ParseReport, RefusedCount, RefusedValues};
pub use plan::{Planned, PlannedSearch, plan};
pub use poll::{
    Clock, DisplayTerms, FileSet, LEFT_BY_SERVER, LEFT_OF, OnDrift, Origin, Peeked, PollError, PollPorts, Polled,
    Search, Tokens, USER_AGENT, clock_jump, peek, poll, release,
};
pub use refusals::Refusals;
pub use resend::{ResendError, resend};
pub use rollup::{RolledUp, roll_up, roll_up_all};
pub use snapshots::{ProvesNothing, SnapshotResult, Snapshots};
pub use stored::{StoredAlert, StoredHome, StoredMarket};
pub use take_task::{NotPolled, PreparedSearch, Searches, TaskPorts, TaskReport, retry_after_seconds, take_task};
pub use verify::{Recomputation, RecomputedMarkets, check_alert, check_changes, check_home, check_market, horizons};
pub use wide_area::{MergedId, WideArea, WideLevel};
