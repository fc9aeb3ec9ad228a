//! What deserves an alert. No I/O, no clock.
//!
//! [`Rules::judge`] looks at a home's old and new image and gives an [`stoop_domain::Alert`] for every
//! price drop that is in the new history and was not in the old one: told, or held back as suspect.
//!
//! What this crate deliberately does not do: know whom to tell, or whether it was told before (the
//! pipeline's ledger knows).

mod judge;
mod plausible;

pub use judge::{DropRule, Rules};
