//! Stoop wire.
