//! Pulls, compares and loads the data of a deployed stack: the library of `stoop-aws`.
//!
//! [`pull`] copies a stack into a folder for the laptop's `stoop`: the lake, and as live state the homes, markets,
//! archives and alerts of the tables, as stored. So `stoop verify` verifies the stack, and all views of the laptop show
//! it. The sums of counties, regions and countries are checked and not kept. [`compare`] reports how another pair of
//! tables differs from what was pulled. [`load`] is the other direction: it computes the state of a folder's lake into
//! tables.
//!
//! ```no_run
//! # async fn doc() -> anyhow::Result<()> {
//! use stoop_aws_cli::{Pair, Stack, pull};
//! let tables = Pair { homes: "stoop-homes".into(), markets: "stoop-markets".into() };
//! let stack = Stack { bucket: "stoop-data".into(), tables, alerts: None, runs: None };
//! let pulled = pull(&stoop_aws::Clients::from_env()?, "pulled".as_ref(), &stack, &|_| {}).await?;
//! assert_eq!(pulled.wrong, 0);
//! # Ok(()) }
//! ```
//!
//! Not here: the names of a stack's tables and pausing its functions (see `infra/state`), and computations: the
//! pipeline measures, and the laptop's store compares.

mod compare;
mod folder;
mod load;
mod merged;
mod pull;
mod sums;
mod wrongs;

pub use compare::{GenerationDifference, compare};
pub use load::{LoadedState, load};
pub use pull::{Pair, Pulled, Stack, pull};
