//! The market algebra: contributions, market state, snapshots. No I/O, no clock.
//!
//! A market's state ([`Cells`]) is a sparse vector of whole numbers. A home adds to it its
//! [`contribution`], a pure function of its history; an update is
//! `state - contribution(old) + contribution(new)`. Vectors over the integers are a commutative group,
//! so the order of homes, the cut of batches and repetition cannot matter, and merging two markets is
//! adding them.
//!
//! Everything is a coordinate of that vector: which cell (property type and number of bedrooms), which quantity (homes, prices
//! by bucket, their sum, ...), what happened (new, pending, cut, ...), which day, which bucket. A home that enters the stock
//! adds to the cell that it enters; one that leaves takes away from the cell that it leaves; so the stock of any day is a
//! sum over the days up to it, and equals the entries less the exits because it is made of them. A [`Snapshot`] reads the
//! figures of one moment, a series those of many days, of a cell or a sum of cells ([`Segment`]). Of a wide area less is kept
//! ([`Wide`]): what the figures of some days and one series are read from.
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
mod wide;

pub use cells::{Cells, HORIZON_DAYS, HORIZON_HOURS_DAYS, Horizon};
pub use codec::CodecError;
pub use contribution::{Contribution, Delta, DeltaSum, Zones, contribution, update};
pub use histogram::{Bucket, Histogram, RELATIVE_ERROR};
pub use key::{Cell, Segment};
pub use series::{Close, closes, first_day};
pub use snapshot::{
    CATALOGUE_VERSION, Figures, Flows, Snapshot, THIN_SAMPLE, WARM_UP_DAYS, Window, snapshot, tells_hours,
};
pub use wide::{COARSE_ERROR, Grain, Projection, WIDE_DAYS, WIDE_SERIES_DAYS, Wide};
