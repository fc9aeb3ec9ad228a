//! A deterministic property market, and a listing portal that serves it over HTTP.
//!
//! A [`Simulation`] is a fictional country of homes that are listed, get price cuts, go under contract, close and come
//! back, on a simulated clock. Equal [`SimulationConfig`]s give equal markets, byte for byte, on every machine. A
//! [`Site`] shows the market in the [`Dialect`] of any source that Stoop reads, with keys, quotas and faults, as a
//! function of requests and times; a [`Portal`] serves a site on loopback. [`SimulatedRows`] writes the market as JSON
//! Lines. [`KnownFigures`] are what must come out.
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_simulation::{KnownFigures, Simulation, SimulationConfig, Watched};
//! let start = Time::parse("2026-01-05T00:00:00Z").unwrap();
//! let mut simulation = Simulation::new(SimulationConfig::new(7, start, 200, 4));
//! simulation.advance(start.plus_ms(3 * Time::DAY_MS));
//! let answer = KnownFigures::of(&simulation, simulation.now(), Watched::Always);
//! assert!(answer.total(Some("us/il")).active() > 0);
//! ```
//!
//! This crate uses none of Stoop's arithmetic (no `History`, no `stoop-market`), so that a mistake there cannot hide
//! here. It reads no clock, and its only randomness is the seed.

pub mod adverts;
mod answer;
mod asking;
mod config;
pub mod country;
mod dialect;
mod engine;
mod exchange;
mod faults;
mod home;
mod life;
mod places;
mod portal;
mod random;
mod rates;
mod render;
mod rows;
mod season;
mod simulation;
mod site;
mod words;

pub use answer::{EventCounts, Figures, KnownFigures, Watched, Window};
pub use config::{Noise, SimulationConfig};
pub use dialect::{Dialect, JsonSite, Pages, Paging, ResoSite, Vendor};
pub use exchange::{Answered, PortalRequest, Reaction, ShownListing};
pub use faults::{Chaos, Fault, Faults, Outage};
pub use home::{Closing, Home, Offer};
pub use life::{LifeEvent, What};
pub use places::PostalArea;
pub use portal::{Portal, PortalConfig, PortalError};
pub use render::write_row;
pub use rows::SimulatedRows;
pub use simulation::Simulation;
pub use site::{
    Access, Client, Counted, Limits, Quota, QuotaHeaders, QuotaWindow, ServedAnswers, Site, SiteConfig, Suspension,
};
