//! Stoop simulation.
