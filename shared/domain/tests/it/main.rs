//! Properties of histories, for any observations in any order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod beginnings;
mod doubt;
mod expiry;
mod homes;
mod model;
mod numbers;
mod other_homes;
mod overfull;
mod reported;
mod resolve;
mod sales;
mod set;
mod steps;
mod support;
mod zones;
