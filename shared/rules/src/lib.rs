//! Stoop rules.
