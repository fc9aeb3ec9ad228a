//! Which listings are of one home.
//!
//! A home is often shown by several sources, and again under a new ID. [`link`] joins such listings: it takes listings
//! that share a [block](block_keys), [compares](Comparison) each pair, adds up what the [findings](Finding) weigh, and
//! joins the surest pairs first, never two with a [veto](Veto). The result is a pure function of the set of listings: neither
//! order nor batches change it.
//!
//! The method is that of Fellegi and Sunter (*A Theory for Record Linkage*, 1969) with fixed weights.

mod blocks;
mod compare;
mod findings;
mod link;
mod rulings;
mod street;
mod traits;
mod words;

pub use blocks::{BLOCK_MAX, BlockKey, block_keys};
pub use compare::{Common, Comparison, Veto};
pub use findings::{DOUBT_WEIGHT, Finding, JOIN_WEIGHT, MODEL_VERSION, Trait};
pub use link::{COMPONENT_MAX, Edge, Linked, LinkedListing, link, link_at, link_one, link_ruled};
pub use rulings::{PairRuling, PairRulings};
pub use street::{StreetAddress, StreetMatch};
pub use traits::ListingTraits;
