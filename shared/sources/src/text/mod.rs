//! Pure parsers for texts of portals: amounts, areas, dates, "il y a 5 heures".
//!
//! Also decodes other encodings to UTF-8.
//!
//! Each parser takes a text and returns a domain value, or an error that contains the text. They never guess: text that
//! matches no rule is an error, and the caller decides what to do with the row.

mod area;
mod date;
mod encoding;
mod folded;
mod json_ld;
mod missing;
mod money;
mod money_words;
mod number;
mod period;
mod relative;
mod status_words;
mod statuses;

pub use area::{AreaMeasure, AreaTextError, parse_area, parse_area_measure, parse_area_unit};
pub use date::{DateFormat, DateTextError, parse_iso};
pub use encoding::{Decoder, Encoding};
pub use folded::{fold, folded, is_mark};
pub use json_ld::{PageListings, page_listings};
pub use missing::{is_missing, without_bare_nan};
pub use money::{MoneyText, MoneyTextError, is_monthly, parse_floor, parse_money};
pub use number::{NumberStyle, NumberText, NumberTextError, split_number};
pub(crate) use period::scaled;
pub use period::{Period, parse_period};
pub use relative::{Language, parse_relative};
pub use statuses::{purpose_named, status_named};
