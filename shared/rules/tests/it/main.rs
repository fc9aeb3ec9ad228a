//! What holds of the rules, whatever is seen in whatever order.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod laws;
