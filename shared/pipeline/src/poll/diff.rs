//! What the stream does not have so: listings that a page or file shows, compared with the index.

mod pages;
mod rows;

pub(super) use pages::pages;
pub(super) use rows::rows;

#[cfg(test)]
mod tests;
