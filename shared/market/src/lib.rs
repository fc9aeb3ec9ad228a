//! The algebra of markets: contributions, market state, snapshots. No I/O, no clock.
//!
//! The state of a market ([`Cells`]) is a sparse vector of integers. Each home adds its [`contribution`], a pure
//! function of its history; an update is `state - contribution(old) + contribution(new)`. Integer vectors are a
//! commutative group, so order, batch size and repetition do not matter, and merging two markets is addition.
//!
//! A coordinate of the vector has a cell (property type and number of bedrooms), a quantity (homes, prices by bucket,
//! their sum, ...), a kind of event (new, pending, cut, ...), a day and a bucket. A home that enters the stock adds to
//! its cell; one that leaves subtracts from it. The stock of a day is therefore the sum over all days up to it, and
//! equals entries less exits by construction. A [`Snapshot`] has the figures of one moment, a series those of many
//! days, for a cell or a sum of cells ([`Segment`]). For a wide area less is stored ([`Wide`]): enough for the figures
//! of some days and one series.
//!
//! This crate does not select alerts, store anything, or know the sources of observations.

mod asking;
mod catalogue;
mod cells;
mod codec;
mod contribution;
mod coordinates;
mod counts;
mod figures;
mod flows;
mod histogram;
mod interval;
mod key;
mod kind;
mod kinds;
mod measures;
mod mix;
mod month;
mod moving;
mod opened;
mod outlying;
mod pooling;
mod repeat;
mod segment;
mod series;
mod snapshot;
mod speed;
mod stock;
mod wide;

pub use asking::{PriceRange, asking_prices};
pub use catalogue::{CATALOGUE, Definition, Group, Unit};
pub use cells::{Cells, HORIZON_DAYS, HORIZON_HOURS_DAYS, Horizon};
pub use codec::CodecError;
pub use contribution::{Contribution, Delta, DeltaSum, Zones, contribution, contribution_of, correction, update};
pub use figures::{Figures, THIN_SAMPLE, Values};
pub use flows::{Flows, Window};
pub use histogram::{Bucket, Histogram, RELATIVE_ERROR};
pub use interval::{Z95, change_interval};
pub use kinds::{KindMedian, KindPrices};
pub use mix::{INDEX_DAYS, LogPrices, PriceIndex, log_prices};
pub use month::Month;
pub use moving::{AVERAGE_DAYS, PooledMedians, pooled_medians};
pub use opened::opened_by;
pub use outlying::OUTLYING_TIMES;
pub use pooling::{LogEstimate, between_variance};
pub use repeat::{REPEAT_PAIRS_MIN, RepeatMonth, RepeatPairs, repeat_pairs};
pub use segment::{Cell, Segment};
pub use series::{Close, closes, first_day};
pub use snapshot::{CATALOGUE_VERSION, Snapshot, WARM_UP_DAYS, snapshot, tells_hours};
pub use wide::{Projection, WIDE_DAYS, WIDE_SERIES_DAYS, Wide};
