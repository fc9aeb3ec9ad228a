//! The use cases: plan, poll, measure, alert, verify. All policy is here, over ports.
//!
//! Each port ([`ports`]) has one implementation on AWS and one on SQLite and folders; both pass the same conformance
//! suite. The use cases are the same code on both, except for the last step of an alert: a topic is published to before
//! the alert is recorded ([`alert()`]); a laptop's file and webhook follow the recorded alerts ([`record_alerts`],
//! [`deliver()`]).

mod alerting;
mod areas;
mod causes;
mod error_code;
mod measuring;
mod merging;
mod polling;
pub mod ports;
mod rollup;
mod search;

pub use alerting::{
    AlertError, Alerted, Delivery, ResendError, Trouble, alert, begin_delivery, deliver, marks_due, new_alerts,
    record_alerts, resend,
};
pub use areas::{AreaPart, AreaSum, DaysCovered, MergedId, SumError, Total, WideArea, WideLevel};
pub use causes::with_causes;
pub use error_code::ErrorCode;
pub use measuring::{
    CacheLimits, DrainPorts, Gatherer, Inbox, InboxDone, InboxError, MeasureError, Measured, Measurer, NewerRecord,
    Recomputation, RecomputedMarkets, StoredAlert, StoredHome, StoredMarket, check_alert, check_changes, check_home,
    check_market, drain, horizons, measure_inbox,
};
pub use merging::{
    MergeRequest, MergedCounties, MergedHome, MergedListings, mark_counties, merge_counties, merged_by_market,
    merging_area,
};
pub use polling::{
    AddressContradiction, AddressReport, DisplayTerms, FieldCount, FileSet, LEFT_BY_SERVER, LEFT_OF, LevelCount,
    NotPolled, OnDrift, OneRowPerListing, Ordinals, Origin, ParseReport, Peeked, Planned, PlannedSearch, PollError,
    PollPorts, Polled, PreparedSearch, RefusedCount, RefusedValues, Search, Searches, TaskPorts, TaskReport, Tokens,
    USER_AGENT, clock_jump, peek, plan, poll, release, retry_after_seconds, take_task,
};
pub use ports::Clock;
pub use rollup::{RolledUp, roll_up, roll_up_all};
pub use search::{
    Cadence, ControlAction, Distance, Due, FieldShare, FieldShares, HeldBack, HeldMove, LastPoll, NextPoll, Overdue,
    Pace, PollCost, PollEnd, Profiles, ProvesNothing, Refusals, Ruling, RulingError, RulingVerdict, SearchControl,
    SnapshotResult, Snapshots, Stale, TightLimit,
};
