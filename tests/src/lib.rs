//! Shared by the tests of all crates: a conformance suite per port, for each of its implementations; wrappers that make
//! a real store fail or real sums of areas lag; homes with and without other listings ([`OneHome`], [`NoOthers`]); a clock ([`StandingClock`]); a host for the binaries of Lambda functions
//! ([`host`]) and the services that a function calls ([`service`]); Lambda's event source mapping for streams on
//! simulated time ([`mapping`]); AWS on this machine ([`local`]), the stack deployed to it ([`stack`]), and the size
//! limits of its functions ([`weight`]).
//!
//! A suite is a function that takes a way to make a new, empty implementation and panics if it breaks the port's
//! contract. For write-only ports the suite also takes a witness: a way to see what was written.

mod altered_areas;
mod clock;
pub mod conformance;
mod faulty;
pub mod host;
mod listings;
pub mod local;
pub mod made;
pub mod mapping;
pub mod service;
pub mod stack;
pub mod weight;

pub use altered_areas::AlteredAreas;
pub use clock::StandingClock;
pub use faulty::Faulty;
pub use listings::{NoOthers, OneHome};
