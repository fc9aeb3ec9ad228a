//! Wires the planner function.
fn main() {}
