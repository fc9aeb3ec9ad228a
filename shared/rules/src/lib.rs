//! What deserves an alert. No I/O, no clock.
//!
//! A price is compared with a *reference*: the highest that was asked within the last 90 days of the same spell on the
//! market; after an alert the price that was told, until a higher one has held for 14 days.
//!
//! [`Rules::standing`] gives an [`stoop_domain::Alert`] for every price in a home's history that is low enough below its
//! reference: told, or held back as suspect. It is a function of the history alone. [`Rules::judge`] gives those
//! of a home's new image that its old one had not. [`may_raise`] says of most homes at once that there is none.
//!
//! What this crate deliberately does not do: know whom to tell, or whether it was told before (the
//! pipeline's ledger knows).

mod judge;
mod offer;
mod plausible;

pub use judge::{DropRule, Rules, may_raise};
