//! Declared sources: a TOML map assigns columns or JSON values to fields of a listing.
//!
//! ```
//! use stoop_domain::Time;
//! use stoop_sources::declared::{Map, RowBytes, RowOutcome};
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
//! let RowOutcome::Observation(seen, _) = map.bind_json().read(RowBytes::Json(row), "a.jsonl", now)? else { panic!() };
//! assert_eq!(seen.listing.list_price.map(|price| price.0), Some(139_285));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `docs/GUIDE.md` explains every key for authors of maps, with tested examples. In short: a map has a `name`, defaults
//! (`country`, `currency`, `purpose`, `time_zone`, `order`), an optional `[read]` (how to open files), any number of
//! `[[skip]]` rules (rows that are not listings), one `[fields.NAME]` per field, and an optional `[http]`. A field's
//! text comes from one of `from`, `template`, `constant` and `file_name`, in rows where `only` holds; passes through
//! `null`, `replace`, `regex`, `default` and `lookup`; and is parsed as the field's type. A value that cannot be parsed
//! refuses the row if the field says which home it is, where, when and on which terms; another is left out and reported,
//! unless the field is `lenient`.
//!
//! # JSONPath
//!
//! A JSONPath (RFC 9535, without the functions `match` and `search`: use the map's own `regex`) finds values that no
//! JSON Pointer addresses: `$.prices[?@.kind == 'ask'].amount`. A field with one value takes the first selected value
//! that is not null or ""; `images` and `amenities` take all. Values are read as written, digit by digit. JSONPath
//! needs the whole row in memory: a map with a JSONPath reads several times slower than one with pointers alone. A path
//! may have 500 bytes, one `..`, one `$`, four commas and six levels of brackets. This bounds its cost by a fixed
//! multiple of the row's size times its depth.
//!
//! # `[http]`
//!
//! | key | what it says |
//! | --- | --- |
//! | `url`, `method`, `[http.headers]`, `body` | the request, with `{name}`s that the search's parameters fill: percent-encoded in the address and in a form, escaped in a body of JSON (outside of quotes as they are) |
//! | `secret_params` | parameters that are secrets though their name has no `key`, `token`, `secret`, `password` or `auth` in it |
//! | `[http.oauth2]` | `token_url`, `client_id`, `client_secret`, `scope`: client credentials; the token goes to the origin of `url` alone |
//! | `[http.pages]` | `by` one of `none`, `page`, `offset`, `cursor`, `next-link`, `link-header`; see below |
//! | `[http.watermark]` | `from` with `date`: the value of a row whose greatest the next scan asks from, by the query parameter `param` or as `{since}` (`full` in a scan that asks for everything), written like the first `date` or `sent_as`, `look_back_s` (300) earlier |
//! | `coverage` | `snapshot` where a scan shows every listing, else `changes` |
//! | `limits`, `pause_ms` | how much may be asked: `["2/s", "7200/h", "4GB/h"]`; milliseconds between requests (1000 where there are no limits) |
//! | `pages_max` | the longest scan (100) |
//! | `empty_status` | statuses that mean a page without rows: `[404]` |
//! | `robots`, `off_by_default` | for scraped sites |
//!
//! `[read] rows` is the path to the array of rows in an answer: a pointer, or a JSONPath that selects at most one
//! value. A JSONPath that can select several values selects the rows themselves. If it selects none, its prefix must
//! still lead to an array, so that an error message is not read as an empty page. Without `rows` the answer is the
//! array.
//!
//! `page` and `offset` count from `first`; `cursor` and `next-link` follow the value at `next`; `link-header` follows
//! `Link: <...>; rel="next"` (RFC 8288). The number or cursor goes into the query parameter `param`, or replaces
//! `{page}`, `{offset}` or `{cursor}` in URL, headers or body; `size` goes into `size_param` or `{size}`. In a JSON
//! body, `{cursor}` outside of quotes is first `null`, then the value as JSON. The last page is detected by `more` (a
//! flag), else `total_pages`, else `total` or `total_header` (listings of the whole search), else because it is empty
//! or shorter than `size`. Links are resolved against their page and must not leave the origin of `url`.
//!
//! Deliberately not supported: arithmetic, other conditions, other rows, a second request per listing, signed requests.
//! A source that needs them is a module of its own.
//!

mod amounts;
mod cells;
mod columns;
mod envelope;
mod filling;
mod follow;
mod http;
mod http_next;
mod http_plan;
mod json_path;
mod listing;
mod map;
mod pages_plan;
mod parse;
mod parse_conversion;
mod parse_field;
mod parse_http;
mod parse_read;
mod plan;
mod reader;
mod row;
mod target;
mod trie;
mod values;
mod watermark;

pub use crate::settings::{MapErrors, Mistake};
pub use http::HttpSource;
pub use map::Map;
pub use plan::{Format, Order, ReadHints};
pub use reader::{RowBytes, RowOutcome, RowReader};
pub use row::RowError;
