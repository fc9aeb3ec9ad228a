//! Stoop sources.
