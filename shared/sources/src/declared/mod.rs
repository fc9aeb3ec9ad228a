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
//! `docs/GUIDE.md` explains every key for those who write maps, with examples that a test runs. In short: a map has a `name`,
//! defaults (`country`, `currency`, `purpose`, `time_zone`, `order`), an optional `[read]` (how files are opened), any number of
//! `[[skip]]` rules (rows that are no listings), one `[fields.NAME]` for each field it can fill, and an optional `[http]`. A
//! field's text comes from one of `from`, `template`, `constant` and `file_name`, in rows where `only` holds; goes through `null`,
//! `replace`, `regex`, `default` and `lookup`; and is read as the field's type wants it. What cannot be read refuses the row, unless
//! the field is `lenient`.
//!
//! # JSONPath
//!
//! A JSONPath (RFC 9535, without the functions `match` and `search`: `regex` is the map's own) finds what no pointer
//! leads to: `$.prices[?@.kind == 'ask'].amount`. A field of one value takes the first that the path selects, null and
//! "" left out; `images` and `amenities` take all. The value is read as it is written, digit by digit. Rows are built
//! whole for it, so that a map with any is read several times slower than one of pointers alone. A path may be 500 bytes
//! long and have one `..`, one `$`, four commas and brackets six deep: whatever the row, it costs no more than a fixed
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
//! `[read] rows` says where in an answer the array of rows stands: a pointer, or a path that can lead to one value alone.
//! A path that can select several selects the rows themselves; if it selects none, its beginning must lead to an
//! array all the same, so that a message about an error is no empty page. Without `rows` the answer is the array.
//!
//! `page` and `offset` count from `first`, `cursor` and `next-link` are led by the value at `next`, `link-header` by
//! `Link: <...>; rel="next"` (RFC 8288). The number or cursor goes into the query parameter `param`, or wherever
//! `{page}`, `{offset}` or `{cursor}` stands in address, headers or body; so does `size` into `size_param` or `{size}`.
//! `{cursor}` outside of quotes in a body of JSON is `null` first, then the value as JSON. The last page is told by
//! `more` (a flag), else `total_pages`, else `total` or `total_header` (listings of the whole search), else by being
//! shorter than `size` or empty. Links are resolved against the page they stand on and never leave the origin of `url`.
//!
//! What it deliberately does not do: no arithmetic, no conditions beyond these, no second row looked at, no second request
//! for one listing, no signing of requests.
//! A source that needs more is a module of its own.
//!

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
pub use reader::{Outcome, Reader, Row};
pub use row::RowError;
