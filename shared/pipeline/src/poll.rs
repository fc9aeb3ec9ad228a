//! A search in, observations on the stream out.

mod account;
mod believe;
mod breaker;
mod budget;
mod confirm;
mod context;
mod drift;
mod error;
mod feed;
mod fetch;
mod gone;
mod jumps;
mod origin;
mod peek;
mod polled;
mod progress;
mod quota;
mod record;
mod robots;
mod rows;
mod scan;
mod search;
mod take;
mod tokens;
mod watch;

pub use account::release;
pub use budget::{Account, AccountError};
pub use context::{Clock, PollPorts, USER_AGENT};
pub use drift::{OnDrift, Profiles};
pub use error::PollError;
pub use origin::{FileSet, Origin};
pub use peek::{Peeked, peek};
pub use polled::{LEFT_BY_SERVER, LEFT_OF, Polled};
pub use search::Search;
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
    let outcome = scan::scan(search, run, ports, &mut polled).await;
    record::end(record, outcome, &mut polled, ports).await?;
    Ok(polled)
}
