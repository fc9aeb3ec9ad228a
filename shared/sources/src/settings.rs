//! Reads a TOML file that a person wrote. Every value keeps its line, so that all mistakes are reported at once with
//! their lines. Used for maps and `stoop.toml`.

mod mistakes;
mod walk;

pub use mistakes::{MapErrors, Mistake, accepted};
pub use walk::{Mistakes, Section, Value, parse};
