//! Tests of drafts through their public interface.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod beside;
mod contested;
mod corpus;
mod draft;
mod draft_sales;
mod features;
mod lists;
mod meanings;
mod measures;
mod owners;
mod places;
mod unit_of_account;
