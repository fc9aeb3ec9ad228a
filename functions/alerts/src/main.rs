//! Wires the alerts function.
fn main() {}
