//! `stoop`, run as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
#![allow(clippy::disallowed_macros, reason = "a test prints for itself")]

mod acceptance;
mod backup;
mod bad_input;
mod bounds;
mod cases;
mod causes;
mod control;
mod crash;
mod days_read;
mod demo;
mod draft_page;
mod duplicates;
mod files;
mod first_steps;
mod judge;
mod kinds;
mod live;
mod pages;
mod read_only;
mod rebuild;
mod reference;
mod replay;
mod sources;
mod stop;
mod support;
mod surfaces;
mod terminal;
mod webhook;
mod wide;
mod zillow;
