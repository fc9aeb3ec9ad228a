//! From observations to the states of homes and markets, and the same anew from the lake.

pub(crate) mod drain;
pub(crate) mod inbox;
pub(crate) mod measure;
pub(crate) mod measure_inbox;
pub(crate) mod stored;
pub(crate) mod verify;

pub use drain::{DrainPorts, drain};
pub use inbox::{Inbox, NewerRecord};
pub use measure::{CacheLimits, Gatherer, MeasureError, Measured, Measurer};
pub use measure_inbox::{InboxDone, InboxError, measure_inbox};
pub use stored::{StoredAlert, StoredHome, StoredMarket};
pub use verify::{Recomputation, RecomputedMarkets, check_alert, check_changes, check_home, check_market, horizons};
