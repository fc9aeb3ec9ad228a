//! The ports of the pipeline on SQLite and folders: stream, state, change feed, ledger and lake of a laptop.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let (path, data) = (&folder.path().join("stoop.db"), &folder.path().join("stoop-data"));
//! use stoop_embedded::Database;
//! let database = Database::open(path, data)?;
//! assert_eq!(database.counts()?.homes, 0);
//! // A second handle, in this process or another, sees what the first commits.
//! let reader = Database::open_read(path, data)?;
//! assert_eq!(reader.market_ids()?, []);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Database`] implements all ports but two: raw pages ([`PageFolder`]) and input files ([`FolderFiles`]) are plain
//! files. [`AlertFile`] writes the alerts of the ledger to a file. The database may be queried with the `sqlite3` shell
//! at any time.
//!
//! This crate makes no decisions, reads no clock and does not use the network. It deletes only its own incomplete files
//! and what [`Keep`] does not keep.

mod alert_file;
mod as_known;
mod backup;
mod budgets;
mod check_rollups;
mod checkpoints;
mod controls;
mod database;
mod difference;
mod error;
mod failure;
mod feed;
mod files;
mod folder_files;
mod followers;
mod frames;
mod from_lake;
mod generation;
mod home_lists;
mod import;
mod lake;
mod ledgers;
mod market_list;
mod merged_homes;
mod merging;
mod meters;
mod open;
mod outlines;
mod page_folder;
mod pair_rulings;
mod partitions;
mod presence;
mod processes;
mod prune;
mod reader;
mod rebuild;
mod recent_sums;
mod reference;
mod repeats;
mod rollups;
mod run_totals;
mod schema;
mod search_index;
mod spill;
mod store;
mod stored_sums;
mod unmerged;
mod verify;
mod views;
mod wide_areas;

pub use alert_file::AlertFile;
pub use backup::{BackedUp, Restored};
pub use database::Database;
pub use difference::{Difference, Found};
pub use error::{CopyError, OpenError, failure_kind};
pub use feed::Record;
pub use files::make_folder;
pub use folder_files::FolderFiles;
pub use frames::HeldObservations;
pub use from_lake::{FromLake, LakeRebuild};
pub use import::{Import, ImportedObject};
pub use lake::{LakeFile, LakeObject};
pub use merging::MergePass;
pub use meters::Meters;
pub use page_folder::PageFolder;
pub use partitions::{HomesOfPart, LakeByHome};
pub use processes::Process;
pub use prune::{Keep, Pruned, Pruning};
pub use reference::StoredReference;
pub use run_totals::{KindTotals, RunTotals};
pub use search_index::Findings;
pub use unmerged::Merging;
pub use verify::Verified;
pub use views::{AlertFilter, Counts, RejectCount};
