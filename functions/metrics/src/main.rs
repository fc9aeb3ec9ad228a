//! Wires the metrics function.
fn main() {}
