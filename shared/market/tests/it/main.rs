//! Properties of the market algebra.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archive;
mod balance;
mod cuts;
mod documents;
mod example;
mod figures;
mod home_documents;
mod laws;
mod mix;
mod oracle;
mod outlying;
mod pooled;
mod repeat;
mod resolve;
mod sales;
mod support;
mod values;
mod wide;
