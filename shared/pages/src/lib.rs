//! The pages of Stoop: HTML made on the server, the same bytes for the same state on a laptop and on Lambda.
//!
//! [`Web`] answers a request from its ports: with a page, or by the API. A page needs no script and no other host;
//! `docs/PAGES.md` has the design.

mod access;
mod alerts;
mod api;
mod area;
mod assets;
mod chart;
mod compare;
mod definitions;
mod drafted;
mod drops;
mod home;
mod layout;
mod login;
mod map;
mod overview;
mod problem;
mod quality;
mod query;
mod read;
mod request;
mod route;
mod ruling;
mod runs;
mod site;
mod text;
mod web;

pub use access::{NamedToken, SESSION_MS, Scope, Tokens, TokensError, is_token_name};
pub use drafted::{DraftedPage, DraftedRow, UnreadColumn};
pub use request::{FORM_BYTES_MAX, WebRequest};
pub use web::{Access, Web};
