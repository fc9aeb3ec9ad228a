//! The use cases: poll, measure, alert, verify. All policy lives here, over ports.
//!
//! A port ([`ports`]) has one implementation on AWS and one on SQLite and folders; both pass one
//! conformance suite. The use cases are the same code on both.

mod measure;
pub mod ports;

pub use measure::{MeasureError, Measured, Measurer};
