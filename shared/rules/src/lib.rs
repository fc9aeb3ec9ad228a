//! Selects price drops for alerts. No I/O, no clock.
//!
//! A price is compared with a *reference*: the highest price of the last 90 days in the same spell. After an alert the
//! reference is the price of that alert, until a higher price has held for 14 days.
//!
//! [`Rules::standing`] returns an [`stoop_domain::Alert`] for every price in a home's history that is far enough below
//! its reference, whether it is sent or suspect. It depends on the history only. [`Rules::judge`] returns those of the
//! new version of a home that its old version did not have, and those that it has no more. [`may_raise`] quickly excludes most homes.
//!
//! This crate knows neither subscribers nor whether an alert was sent before (see the ledger of the pipeline).

mod judge;
mod offer;
mod plausible;

pub use judge::{DropRule, Judgement, Rules, may_raise};
