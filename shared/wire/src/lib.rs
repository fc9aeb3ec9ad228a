//! Byte formats: an observation as a line of versioned JSON, many lines as a record, records in the KPL format of
//! Kinesis ([`kpl`]), and stored homes. Decoding is total: any invalid input gives an error, never a panic.
//!
//! ```
//! use stoop_domain::{Address, Currency, Listing, Observation, Purpose, Time};
//! let address = Address { city: Some("Agadir".into()), ..Address::default() };
//! let listing = Listing::new(Purpose::Sale, Currency::MAD, address);
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
