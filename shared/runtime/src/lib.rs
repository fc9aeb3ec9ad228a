//! Stoop runtime.
