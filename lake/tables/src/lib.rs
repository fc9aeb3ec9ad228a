//! The tables of the lake: every observation, typed, in Delta tables that any engine reads.
//!
//! Bronze is what Stoop writes anyway: observations as compressed lines of JSON. [`Ingest`] copies them into the table
//! `observations`, each once, whatever is delivered twice, late, or by two writers at a time. [`docs/LAKE_TABLES.md`] describes
//! every table; [`columns`] and [`specs`] define them.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use stoop_lake_tables::{Lake, specs};
//! let lake = Lake::folder(folder.path())?;
//! assert!(lake.url_of(&specs::observations().name).as_str().ends_with("/tables/observations/"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A table is written by committing exactly one version after the one that was read. Two appends do not conflict in
//! Delta; with this rule they do, so that the second one looks again at what is there. This crate reads no clock:
//! times are arguments. Delta's library stamps commits by the computer's clock.
//!
//! [`docs/LAKE_TABLES.md`]: ../../../docs/LAKE_TABLES.md

mod bronze;
mod cells;
mod columns;
mod compact;
#[cfg(feature = "database")]
mod derived;
mod error;
mod files;
mod ids;
mod ingest;
mod insert;
mod maintain;
mod maintained;
mod merge;
mod newer;
mod observation;
mod place;
mod quarantine;
mod read;
mod recorded;
mod replace;
pub mod specs;
mod table;
mod versions;

pub use bronze::{Bronze, BronzePart, Chunk, Waiting};
pub use cells::{RowBuilder, TableCell};
pub use columns::{ColumnType, TableColumn};
#[cfg(feature = "database")]
pub use derived::{Derived, TableCounts};
pub use error::LakeError;
pub use ingest::{Held, Ingest, IngestCounts};
pub use insert::{Inserted, Inserter};
pub use maintain::{RETENTION_DAYS, RETENTION_DAYS_MAX, maintain};
pub use maintained::Maintained;
pub use observation::{ObservationRows, observation_id};
pub use place::Lake;
pub use recorded::record_versions;
pub use replace::{Replaced, Replacement};
pub use specs::Spec;
pub use table::LakeTable;
pub use versions::TableVersion;
