//! Reading a TOML file that a person wrote, with the line of every value at hand, so that mistakes can be
//! told all at once and each in its place. Maps and `stoop.toml` are read with it.

mod mistakes;
mod walk;

pub use mistakes::{MapErrors, Mistake, accepted};
pub use walk::{Mistakes, Section, Value, parse};
