//! Stoop embedded.
