//! Pure parsers for what portals write in words: amounts, areas, dates, "il y a 5 heures".
//!
//! Bytes of other encodings as UTF-8 are here too.
//!
//! Each takes a text and gives a value of the domain or an error that names what was read. None
//! guesses: what fits no rule is an error, and the caller decides what becomes of the row.

mod area;
mod date;
mod encoding;
mod money;
mod number;
mod relative;

pub use area::{AreaTextError, parse_area, parse_area_unit};
pub use date::{DateFormat, DateTextError, parse_iso};
pub use encoding::{Decoder, Encoding};
pub use money::{MoneyText, MoneyTextError, is_monthly, parse_money};
pub use number::{NumberStyle, NumberText, NumberTextError, split_number};
pub use relative::{Language, parse_relative};
