//! Opens any file of listings as rows: CSV, JSON, JSON Lines, Parquet, Excel workbooks, XML, HTML with JSON-LD or BLM,
//! also compressed with gzip or Zstandard, or several files in a zip archive. The maximum length of a row bounds memory, not the size of the file.
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
//! A row that cannot be read (too long, truncated, or with another number of columns than the header) gives a
//! [`RowFault`] with its position; the rows before and after it are returned. [`Parts`] returns the files in an archive
//! one after the other. [`MappedFile`] reads a file or archive with a map, [`ReferenceMap`] a reference series.
//!
//! A file is any source of bytes with random access ([`ReadAt`]): a file on disk, or an object in a store with range
//! requests. This crate does not inspect the content of a row: whether its bytes are UTF-8, JSON and a listing is
//! checked by the reader of a map (`stoop_sources::declared`).

mod blm_rows;
mod bytes;
mod csv_rows;
mod csv_scan;
mod format;
mod html_rows;
mod input;
mod json_rows;
mod letters;
mod line_rows;
mod made_rows;
mod mapped;
mod open;
mod open_error;
mod parquet_json;
mod parquet_rows;
mod parts;
mod reference;
mod row;
mod xlsx_book;
mod xlsx_rows;
mod xml_rows;
mod xml_text;
mod zip;

pub use bytes::{LocalBytes, ReadAt, Stopping};
pub use format::NAMELESS;
pub use mapped::{Mapped, MappedFile, MappedPage, Refusal};
pub use open::{Beginning, Rows, beginning, open, open_bytes};
pub use open_error::OpenError;
pub use parts::{Part, Parts};
pub use reference::{ReadReference, ReferenceError, ReferenceMap, Unmatched};
pub use row::{Content, Location, RawRow, ReadOptions, RowFault};
pub use stoop_sources::declared::Format;
