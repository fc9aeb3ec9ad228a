//! Properties of the simulated market and of the sites that serve it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod dialects;
mod market;
mod portal;
mod published;
mod site;
mod sources;
