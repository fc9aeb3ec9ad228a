//! Stoop market.
