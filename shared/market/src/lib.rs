//! The market algebra: contributions, market state, snapshots. No I/O, no clock.
//!
//! A market's state ([`Cells`]) is a sparse vector of whole numbers. A home adds to it its
//! [`contribution`], a pure function of its history; an update is
//! `state - contribution(old) + contribution(new)`. Vectors over the integers are a commutative group,
//! so the order of homes, the cut of batches and repetition cannot matter, and merging two markets is
//! adding them.
//!
//! Everything is a coordinate of that vector: which segment of the market (all homes, one property
//! type, one bedroom count), which measure, which day or hour, which bucket. Stock is kept as changes
//! by day, so the stock of any day is a sum over the days up to it; flows are counts on their day and
//! their hour. A [`Snapshot`] reads the figures of one moment, a series those of many days.
//!
//! What this crate deliberately does not do: decide what deserves an alert, store anything, or know
//! where observations come from.

mod cells;
mod codec;
mod contribution;
mod histogram;
mod key;
mod series;
mod snapshot;

pub use cells::{Cells, HORIZON_DAYS};
pub use codec::CodecError;
pub use contribution::{Contribution, Delta, Zones, contribution, update};
pub use histogram::{Bucket, Histogram, RELATIVE_ERROR};
pub use key::Segment;
pub use series::{Close, closes, closes_before, fold_day};
pub use snapshot::{CATALOGUE_VERSION, Figures, Flows, Snapshot, Window, snapshot};
