//! Everything that lies in the data bucket.

mod index;
mod object;
mod pages;
mod quarantine;

pub use index::S3Index;
pub(crate) use object::Objects;
pub use pages::S3Pages;
pub use quarantine::S3Quarantine;
