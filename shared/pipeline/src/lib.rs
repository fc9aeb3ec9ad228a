//! Stoop pipeline.
