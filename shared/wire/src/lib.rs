//! The stream's bytes: an observation as one line of versioned JSON, many lines as one record, on Kinesis
//! in the KPL's format ([`kpl`]); and the stored bytes of a home. Total on any input: what cannot be decoded is an error, never a panic.
//!
//! ```
//! use stoop_domain::{Currency, Listing, Observation, Address, Purpose, Time};
//! let place = Address { city: Some("Agadir".into()), ..Address::default() };
//! let listing = Listing::new(Purpose::Sale, Currency::MAD, place);
//! let observation = Observation::new("avito", "1", Time::from_ms(0), listing);
//! let mut line = Vec::new();
//! stoop_wire::encode(&observation, &mut line);
//! assert_eq!(stoop_wire::decode(&line).unwrap(), observation);
//! ```

mod home;
mod json;
pub mod kpl;
mod line;

pub use home::{HomeError, home_from_bytes, home_to_bytes};
pub use line::{EncodedListing, LineError, VERSION, decode, encode, encode_with, encoded_len, lines};
