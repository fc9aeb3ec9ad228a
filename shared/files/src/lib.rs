//! Opens any file of listings as rows: CSV, JSON, JSON Lines or Parquet, also compressed with gzip or
//! Zstandard, or several of them in a zip archive, with memory bounded by the longest row that is allowed and not by
//! the file.
//!
//! ```no_run
//! use stoop_files::{Content, ReadOptions, open};
//!
//! let mut rows = open("listings.jsonl.gz".as_ref(), &ReadOptions::default())?;
//! while let Some(row) = rows.next_row() {
//!     match row {
//!         Ok(row) => match row.content {
//!             Content::Json(bytes) => println!("{}: {} bytes", row.location, bytes.len()),
//!             Content::Csv(record) => println!("{}: {} columns", row.location, record.len()),
//!             Content::Comment(_) => {}
//!         },
//!         Err(fault) => eprintln!("{fault}"),
//!     }
//! }
//! # Ok::<(), stoop_files::OpenError>(())
//! ```
//!
//! A row that cannot be had (too long, broken off, with another number of columns than the header) is
//! a [`RowFault`] that says where; the rows before and after it are given. [`Parts`] gives the files in an archive one
//! after the other, and [`MappedFile`] reads a file, archive or not, through a map.
//!
//! A file is anything that gives its bytes from any place ([`ReadAt`]): one on the disk, or an object in a store that is
//! asked for ranges. What this crate deliberately does not do: it does not look inside a row. Whether its bytes are
//! UTF-8, JSON and a listing is for the reader that a map makes (`stoop_sources::declared`).

mod bytes;
mod csv_rows;
mod format;
mod input;
mod json_rows;
mod letters;
mod line_rows;
mod mapped;
mod open;
mod parquet_json;
mod parquet_rows;
mod parts;
mod row;
mod zip;

pub use bytes::{LocalBytes, ReadAt, Stopping};
pub use format::NAMELESS;
pub use mapped::{Mapped, MappedFile, MappedPage, Refusal};
pub use open::{Beginning, OpenError, Rows, beginning, open, open_bytes};
pub use parts::{Part, Parts};
pub use row::{Content, Format, Location, RawRow, ReadOptions, RowFault};
