//! One suite per port.
// A broken contract is a panic with the place of the assertion; there is nobody to hand an error to.
#![expect(clippy::unwrap_used, reason = "a suite of tests")]

mod budgets;
mod keepers;
mod plans;
mod store;
mod stream;

pub use budgets::budgets_conformance;
pub use keepers::{
    ledger_conformance, pages_conformance, publisher_conformance, quarantine_conformance, run_ledger_conformance,
    search_index_conformance,
};
pub use plans::{plan_ledger_conformance, task_queue_conformance};
pub use store::{StoreWitness, store_conformance};
pub use stream::stream_conformance;
