//! Wide areas: cities, counties, regions and countries, and the sums of their markets.

pub(crate) mod area_sum;
pub(crate) mod wide_area;

pub use area_sum::{AreaPart, AreaSum, DaysCovered, SumError, Total};
pub use wide_area::{MergedId, WideArea, WideLevel};
