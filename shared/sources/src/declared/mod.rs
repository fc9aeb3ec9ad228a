//! Declared sources: a TOML map says which column or JSON value is which field of a listing.
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_sources::declared::{Map, Outcome, Row};
//!
//! let map = Map::parse(
//!     r#"
//!     name = "example"
//!     country = "AT"
//!     currency = "EUR"
//!     purpose = "rent"
//!     [fields]
//!     native_id = { from = "id" }
//!     list_price = { from = "/price/text", money = "de" }
//!     city = { constant = "Wien" }
//!     "#,
//!     "example.toml",
//! )?;
//! let row = r#"{"id": 7, "price": {"text": "€ 1.392,85"}}"#.as_bytes();
//! let now = Time::from_ms(0);
//! let Outcome::Observation(seen) = map.bind_json().read(Row::Json(row), "a.jsonl", now)? else { panic!() };
//! assert_eq!(seen.listing.list_price.map(|price| price.0), Some(139_285));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A map has a `name`, defaults (`country`, `currency`, `purpose`, `time_zone`, `order`), an optional
//! `[read]` (`format`, `delimiter`, `rows`), any number of `[[skip]]` rules (`from` with `is`, `not` or
//! `absent`), one `[fields.NAME]` for each field it can fill, and an optional `[http]`. A field says
//! where its text comes from, in exactly one of `from` (a column, a top-level key, a JSON Pointer, or a
//! list of them of which the first that has something counts), `template`, `constant` or `file_name`.
//! `only` (a table like a `[[skip]]` rule) leaves the field unknown in rows where it does not hold. The
//! text then goes through `null` (texts that mean unknown), `replace` (pairs of regex and
//! replacement), `regex` (the first group that took part, or the whole match; no match is as if
//! absent), `default` (where nothing was found) and `lookup` (text to text, `otherwise` for the rest),
//! and is read as the field's type wants it: `money` or `number` name a [`NumberStyle`], `unit` an area's
//! unit, `date` one or more formats, `relative` a language, `split` what stands between list elements.
//!
//! What it deliberately does not do: no arithmetic, no conditions beyond these, no second row looked at.
//! A source that needs more is a module of its own.
//!
//! [`NumberStyle`]: crate::text::NumberStyle

mod cells;
mod envelope;
mod filling;
mod follow;
mod http;
mod http_next;
mod http_plan;
mod json_path;
mod link_header;
mod listing;
mod map;
mod pages_plan;
mod parse;
mod parse_field;
mod plan;
mod reader;
mod scan;
mod target;
mod trie;
mod values;
mod watermark;

pub use crate::settings::{MapErrors, Mistake};
pub use http::HttpSource;
pub use map::Map;
pub use plan::{Format, Order, ReadHints};
pub use reader::{Outcome, Reader, Row, RowError};
