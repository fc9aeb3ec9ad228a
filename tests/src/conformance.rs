//! One suite per port.
// A broken contract panics at the assertion; there is no caller for an error.
#![expect(clippy::unwrap_used, reason = "a suite of tests")]

mod browse;
mod budgets;
mod configuration;
mod failures;
mod files;
mod followers;
mod index;
mod keepers;
mod plans;
mod store;
mod stream;
mod wide;

pub use browse::browse_conformance;
pub use budgets::budgets_conformance;
pub use configuration::configuration_conformance;
pub use failures::store_failures_conformance;
pub use files::{files_conformance, files_map};
pub use followers::followers_conformance;
pub use index::search_index_conformance;
pub use keepers::{
    ledger_conformance, pages_conformance, publisher_conformance, quarantine_conformance, run_ledger_conformance,
};
pub use plans::{plan_ledger_conformance, search_controls_conformance, task_queue_conformance};
pub use store::{StoreWitness, store_conformance};
pub use stream::{stream_conformance, stream_reader_conformance};
pub use wide::{roll_ups_conformance, wide_areas_conformance};
