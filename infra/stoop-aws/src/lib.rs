//! A deployed stack on the workbench: what `stoop-aws` does.
//!
//! [`pull`] makes a folder of the laptop's `stoop` out of a stack: its lake is the lake, and the homes, markets, archives and
//! alerts of its tables are the live state, as they are stored. So `stoop verify` verifies the stack, and all views of the
//! laptop show it. The sums of its counties, regions and countries are checked on the way, and not kept. [`compare`] says how another pair of tables differs from what was pulled. [`load`] goes the other way: it
//! computes the state of a folder's lake into tables.
//!
//! ```no_run
//! # async fn doc() -> anyhow::Result<()> {
//! use stoop_aws_cli::{Pair, Stack, pull};
//! let tables = Pair { homes: "stoop-homes".into(), markets: "stoop-markets".into() };
//! let stack = Stack { bucket: "stoop-data".into(), tables, alerts: None };
//! let pulled = pull(&stoop_aws::Clients::from_env()?, "pulled".as_ref(), &stack, &|_| {}).await?;
//! assert_eq!(pulled.wrong, 0);
//! # Ok(()) }
//! ```
//!
//! Not here: which tables a stack has, and when its functions are to stand still (`infra/state` knows), and any computing: the
//! measuring is the pipeline's, the comparing the laptop's.

mod compare;
mod folder;
mod load;
mod pull;
mod sums;
mod wrongs;

pub use compare::{Compared, compare};
pub use load::{Loaded, load};
pub use pull::{Pair, Pulled, Stack, pull};
