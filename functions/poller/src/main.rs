//! Wires the poller function.
fn main() {}
