//! Stoop files.
