//! The domain model of Stoop and its invariants.
//!
//! An [`Observation`] records that a source showed a [`Listing`] at a [`Time`]. A [`History`] is a pure function of the
//! *set* of a home's observations. [`History::events`] derives events from it (new, cut, pending, ...). Market figures
//! and alerts are functions of histories.
//!
//! This crate has no I/O, no clock, no arithmetic over many homes (see `stoop-market`) and no wire formats (see
//! `stoop-wire`).

mod address;
mod alert;
mod area;
mod country;
mod day_sightings;
mod doubt;
mod events;
mod facts;
mod fields;
mod history;
mod home;
mod home_field;
mod impossible;
mod interval;
mod listing;
mod locate;
mod market;
mod money;
mod observation;
mod price_bounds;
mod price_change;
mod property_type;
mod reference;
mod reject;
mod reported;
mod resolve;
mod sighting;
mod status;
mod steps;
mod time;
pub mod varint;
mod watch;

pub use address::{Address, AreaPath, lies_in};
pub use alert::{Alert, AlertId, AlertListing, Verdict};
pub use area::{Area, AreaUnit};
pub use country::{Country, country, currency_of};
pub use day_sightings::DaySightings;
pub use doubt::{Doubt, SLIP_BP};
pub use events::{Event, EventKind, events_of};
pub use facts::{FACTS_VERSION, Facts};
pub use fields::{Value, fields};
pub use history::{Applied, FACTS_MAX, FACTS_PER_DAY_MAX, History};
pub use home::{Attributes, Home, Last};
pub use home_field::{FieldPlace, HOME_FIELDS, HomeField, HomeKind, HomeValue, parse_flag};
pub use interval::{Interval, UnconfirmedInterval};
pub use listing::{Details, LISTED_SINCE, Listing, Purpose};
pub use locate::{AREAS_VERSION, LocatedArea, locate};
pub use market::{Market, ParseMarketError, market_of};
pub use money::{Currency, Minor, MoneyError, parse_decimal};
pub use observation::{HomeId, Observation, home_id, write_home_id};
pub use price_bounds::price_bounds;
pub use price_change::PriceChange;
pub use property_type::PropertyType;
pub use reference::{AreaValues, ReferenceAround, ReferenceSeries, ReferenceUnit};
pub use reject::{Reason, RefusedValue, Reject};
pub use reported::{REPORTED_MAX, ReportedChange, ReportedChanges};
pub use resolve::{resolved_steps, speaks_at};
pub use sighting::Sighting;
pub use status::{Phase, Status};
pub use steps::{Entry, Exit, Sold, Spell, Step};
pub use time::{Day, Hour, Time, TimeError};
pub use watch::{WATCH_VERSION, Watch};
