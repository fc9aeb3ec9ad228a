//! Keeping the stored sums of wide areas up to date.

mod pass;

pub use pass::{RolledUp, roll_up, roll_up_all};
