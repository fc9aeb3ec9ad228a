//! What the tests of every crate share: one conformance suite per port, to be run on each of its
//! implementations, wrappers that make a real store fail and real sums of areas lag on demand, a host for the binaries of Lambda
//! functions ([`host`]) and the services that one of them calls ([`service`]), AWS on this machine ([`local`]), the
//! stack deployed to it ([`stack`]) and what its functions may weigh ([`weight`]).
//!
//! A suite is a function that takes a way to make a fresh, empty implementation and panics where it
//! breaks the port's contract. Where a port only takes things in, the suite also asks for a witness: a
//! way to see what came out at the other end.

mod altered_areas;
pub mod conformance;
mod faulty;
pub mod host;
pub mod local;
pub mod made;
pub mod service;
pub mod stack;
pub mod weight;

pub use altered_areas::AlteredAreas;
pub use faulty::Faulty;
