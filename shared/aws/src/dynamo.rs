//! The state, the ledgers and the views on DynamoDB; the sums of wide areas are on S3.
//!
//! | table | keys | items |
//! | --- | --- | --- |
//! | homes | `id` | one per home; its stream is the change feed |
//! | markets | `market`, `part` | per market a `head`, the chunks of its base, of its archive and of its merged homes; per county whose listings are merged, what is known of it |
//! | alerts | `id` | one per alert, sent or held back |
//! | runs | `subject`, `id` | one per run, per search when it was last sent (`plan`), per account its requests (`budget`) |
//!
//! A market's state is a base and a tail: see `docs/adr/0008-market-state-is-base-and-tail.md`. Its archive is a chain
//! of pieces: see `docs/adr/0029-archives-instead-of-closes.md`. Its merged homes are a block: see
//! `docs/adr/0080-merged-homes-on-aws.md`.

mod archive;
mod areas;
mod attributes;
mod batch;
mod block;
mod browse;
mod budgets;
mod commit;
mod controls;
mod head;
mod ledger;
mod market;
mod merged;
mod merging;
mod runs;
mod states;
mod store;
mod tables;
mod views;

pub use areas::StackAreas;
pub use browse::DynamoBrowse;
pub use budgets::DynamoBudgets;
pub use controls::DynamoControls;
pub use ledger::DynamoLedger;
pub use runs::DynamoRuns;
pub use store::DynamoStore;
pub use tables::{DynamoTables, TableItem, TableMarket};
pub use views::DynamoViews;
