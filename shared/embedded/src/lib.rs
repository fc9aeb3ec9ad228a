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
//! [`Database`] is every port but three: raw pages ([`PageFolder`]) and told alerts ([`FilePublisher`])
//! are plain files, and so are the files that others leave to be read ([`FolderFiles`]). `SELECT`ing from the file with the `sqlite3` shell is welcome at any time.
//!
//! What this crate deliberately does not do: decide anything, read a clock, delete what it did not
//! itself leave half done or what [`Keep`] says is not kept any longer, or talk to the network.

mod budgets;
mod database;
mod error;
mod feed;
mod files;
mod folder_files;
mod folders;
mod lake;
mod ledgers;
mod processes;
mod prune;
mod reader;
mod schema;
mod store;
mod views;

pub use database::Database;
pub use error::OpenError;
pub use feed::Record;
pub use folder_files::FolderFiles;
pub use folders::{FilePublisher, PageFolder};
pub use lake::LakeObject;
pub use processes::Process;
pub use prune::{Keep, Pruned, Pruning};
pub use views::{AlertFilter, Counts, RejectCount};
