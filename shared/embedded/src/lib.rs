//! The pipeline's ports on SQLite and folders: a laptop's stream, state, change feed, ledger and lake.
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
//! [`Database`] is every port but two: raw pages ([`PageFolder`]) are plain files, and so are those that others leave to
//! be read ([`FolderFiles`]). What its ledger tells, [`AlertFile`] writes down for whoever reads files.
//! `SELECT`ing from the database with the `sqlite3` shell is welcome at any time.
//!
//! What this crate deliberately does not do: decide anything, read a clock, delete what it did not
//! itself leave half done or what [`Keep`] says is not kept any longer, or talk to the network.

mod alert_file;
mod as_known;
mod budgets;
mod check_rollups;
mod database;
mod difference;
mod error;
mod feed;
mod files;
mod folder_files;
mod followers;
mod import;
mod lake;
mod ledgers;
mod page_folder;
mod partitions;
mod processes;
mod prune;
mod reader;
mod rebuild;
mod rollups;
mod schema;
mod spill;
mod store;
mod verify;
mod views;

pub use alert_file::AlertFile;
pub use database::Database;
pub use difference::{Difference, Found};
pub use error::OpenError;
pub use feed::Record;
pub use folder_files::FolderFiles;
pub use followers::DeadLetter;
pub use import::{Import, ImportedObject};
pub use lake::{Held, LakeObject};
pub use ledgers::Findings;
pub use page_folder::PageFolder;
pub use partitions::{HomesOfPart, LakeByHome};
pub use processes::Process;
pub use prune::{Keep, Pruned, Pruning};
pub use verify::Verified;
pub use views::{AlertFilter, Counts, RejectCount};
