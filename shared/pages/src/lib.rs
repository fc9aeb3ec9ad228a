//! The pages of Stoop: HTML made on the server, the same bytes for the same state on a laptop and on Lambda.
//!
//! [`Site`] answers a request from its ports. A page needs no script and no other host; `docs/PAGES.md` has the design.

mod alerts;
mod area;
mod assets;
mod chart;
mod compare;
mod definitions;
mod drops;
mod home;
mod layout;
mod map;
mod overview;
mod problem;
mod query;
mod read;
mod runs;
mod site;
mod text;

pub use site::{Site, SiteRequest};
