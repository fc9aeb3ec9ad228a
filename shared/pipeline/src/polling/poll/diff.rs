//! Compares the listings of a page or file with the index, and finds what the stream does not have.

mod pages;
mod rows;

pub(super) use pages::pages;
pub(super) use rows::rows;

#[cfg(test)]
mod tests;
