//! The alerts function.
