//! From a search to observations on the stream: what is due, one poll, and a task that says which; and a report on rows for
//! people.

pub(crate) mod address_report;
pub(crate) mod ordinals;
pub(crate) mod parse_report;
pub(crate) mod plan;
pub(crate) mod poll;
pub(crate) mod take_task;

pub use address_report::{AddressContradiction, AddressReport, LevelCount};
pub use ordinals::{OneRowPerListing, Ordinals};
pub use parse_report::{FieldCount, ParseReport, RefusedCount, RefusedValues};
pub use plan::{Planned, PlannedSearch, plan};
pub use poll::{
    DisplayTerms, FileSet, LEFT_BY_SERVER, LEFT_OF, OnDrift, Origin, Peeked, PollError, PollPorts, Polled, Search,
    Tokens, USER_AGENT, clock_jump, peek, poll, release,
};
pub use take_task::{NotPolled, PreparedSearch, Searches, TaskPorts, TaskReport, retry_after_seconds, take_task};
