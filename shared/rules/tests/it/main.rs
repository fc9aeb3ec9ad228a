//! Properties of the rules, for any observations in any order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
