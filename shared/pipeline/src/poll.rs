//! Polls a search and publishes observations to the stream.
//!
//! A poll walks the pages of a search ([`pages`]) or its files, in pages of rows ([`files`]). Each page passes the same
//! steps in the same order. Each step has a file or folder, and its own state.
//!
//! | Step | Where | In | Out | State |
//! |---|---|---|---|---|
//! | fetch | [`fetch`], [`robots`], [`account`] | a request | an answer, within the limits of its account | the account's record |
//! | read | [`read`]; for files, the port | an answer, or rows of a file | a page | none |
//! | check | [`check`] | a page | listings that can be sent, and rejects; or why none is taken | drift, refusals |
//! | diff | [`diff`] | listings | changes: what differs from the stream | the index |
//! | publish | [`publish`](mod@publish), [`believe`] | changes | what the stream acknowledged | contradictions |
//! | settle | [`settle`] | the end of a scan or file | what is gone, the watermark, the checkpoint | completeness |
//!
//! [`change`] contains the types that pass between steps: a shown listing, encoded once, and a change. [`index`]
//! contains what is known of each listing, and only it changes entries. [`record`] writes the run to the ledger.

mod account;
mod address;
mod believe;
mod change;
mod check;
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
pub use context::{Clock, PollPorts, USER_AGENT};
pub use error::PollError;
pub use origin::{FileSet, Origin};
pub use peek::{Peeked, peek};
pub use polled::{LEFT_BY_SERVER, LEFT_OF, Polled};
pub use search::{OnDrift, Search};
pub use tokens::Tokens;

/// Polls a search once: fetches its pages, publishes new and changed listings, reports gone listings, and saves the
/// index. The run is in the ledger from its beginning.
///
/// Nothing counts as seen before the stream has accepted it, so that the next poll sends again whatever a failure or
/// kill interrupted. A run that stops early leaves a checkpoint for the next.
///
/// # Errors
/// Fails if the source does not answer properly or a port fails. The ledger contains the error, too.
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
