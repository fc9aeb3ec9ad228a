//! The poller function.
