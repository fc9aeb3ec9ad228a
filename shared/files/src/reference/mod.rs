//! Reads a reference series from a CSV file: values of areas by date.

mod map;
mod place;
mod read;

pub use map::ReferenceMap;
pub use read::{ReadReference, ReferenceError, Unmatched};
