//! The data bucket.

mod files;
mod index;
mod lake;
mod object;
mod pages;
mod quarantine;
mod ranges;

pub use files::S3Files;
pub use index::S3Index;
pub use lake::{LakeEntry, S3Lake};
pub(crate) use object::{Got, Objects, Put, PutOutcome, When, key_part};
pub use pages::S3Pages;
pub use quarantine::S3Quarantine;
