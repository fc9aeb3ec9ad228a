use async_trait::async_trait;

use super::PortError;
use crate::search::control::SearchControl;

/// What people ask of searches. Only people write; the scheduler reads.
///
/// Contract: what [`SearchControls::keep`] returned from is in every later [`SearchControls::controls`], until the
/// control of the same search is kept again: the last one wins as a whole. There are few: a search that nobody ever
/// paused or polled by hand has none.
#[async_trait]
pub trait SearchControls: Send + Sync {
    /// All controls, by the search's name.
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError>;

    /// Replaces the control of its search.
    async fn keep(&self, control: &SearchControl) -> Result<(), PortError>;
}
