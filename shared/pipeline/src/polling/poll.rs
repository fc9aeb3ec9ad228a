//! A search in, observations on the stream out.
//!
//! A poll walks over the pages of a search ([`pages`]) or over its files, a page of rows at a time ([`files`]). Each
//! page passes the same steps in the same order. Each step has a file or folder, and a state of its own.
//!
//! | Step | Where | In | Out | State |
//! |---|---|---|---|---|
//! | fetch | [`fetch`], [`robots`], [`account`] | a request | an answer, within the limits of its account | the account's record |
//! | read | [`read`]; for files, the port | an answer, or rows of a file | a page | none |
//! | check | [`check`] | a page | listings that can be sent, and rejects; or why nothing of it is | drift, refusals |
//! | diff | [`diff`] | listings | changes: what the stream does not have so | the index |
//! | publish | [`publish`](mod@publish), [`believe`] | changes | what the stream acknowledged | contradictions |
//! | settle | [`settle`] | the end of a scan or file | what is gone, the watermark, the checkpoint | completeness |
//!
//! What passes between the steps is in [`change`]: a listing that is shown, encoded once, and a change. What is known
//! of each listing is in [`index`], and nothing else changes an entry of it. [`record`] writes the run into the ledger.

mod account;
mod address;
mod believe;
mod change;
mod check;
mod common_move;
mod completeness;
mod confirm;
mod context;
mod diff;
mod error;
mod fetch;
mod files;
mod index;
mod jumps;
#[cfg(test)]
mod made;
mod origin;
mod page_scan;
mod pages;
mod peek;
mod polled;
mod progress;
mod publish;
mod quota;
mod read;
mod record;
mod robots;
mod scan;
mod search;
mod settle;
mod source_file;
mod tokens;

pub use account::release;
pub use context::{PollPorts, USER_AGENT};
pub use error::PollError;
pub use jumps::clock_jump;
pub use origin::{FileSet, Origin};
pub use peek::{Peeked, peek};
pub use polled::{LEFT_BY_SERVER, LEFT_OF, Polled};
pub use search::{DisplayTerms, OnDrift, Search};
pub use tokens::Tokens;

/// Polls a search once: fetches its pages, puts new and changed listings on the stream, says of
/// listings that are gone that they are, and saves what it saw. The run is in the ledger from its
/// beginning.
///
/// Nothing counts as seen before the stream has accepted it, so that whatever fails or is killed is
/// sent again by the next poll. A run that stops early leaves a checkpoint where the next goes on.
///
/// # Errors
/// When the source does not answer as it should or a port fails. The ledger says so as well.
pub async fn poll(search: &Search, run: &str, ports: PollPorts<'_>) -> Result<Polled, PollError> {
    let record = record::begin(search, run, ports).await?;
    let mut polled = Polled::default();
    let outcome = match &search.source {
        Origin::Http(source) => pages::poll(search, &**source, run, ports, &mut polled).await,
        Origin::Files(files) => files::poll(search, files, run, ports, &mut polled).await,
    };
    record::end(record, outcome, &mut polled, ports).await?;
    Ok(polled)
}
