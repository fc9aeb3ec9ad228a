use async_trait::async_trait;
use stoop_domain::Time;

use super::PortError;
use super::index::{IndexChanges, SearchState};
use super::outline::SentElsewhere;

/// What each search has seen.
///
/// Contract: [`SearchIndex::save`] is conditional on the version that was loaded, and atomic.
#[async_trait]
pub trait SearchIndex: Send + Sync {
    /// The state of a search of `source`; a new one (version 0) if there is none. If the search had another source
    /// before, it may be the state from then.
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError>;

    /// Stores the state of a search of the source that it names, if its version is still the stored one; `false` if
    /// not. The stored version is one higher. `changes` are those since that version: other entries are as stored, and
    /// are not written again for each save.
    async fn save(&self, search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError>;

    /// For each of these listings of `source`, when another search than `search` that holds it present last saw it, by
    /// the beginning of its scan; `None` if none does. A search holds present what its last complete scan did not miss
    /// and it did not report gone. A search that was renamed or is no longer polled holds its listings for ever: the
    /// time shows that.
    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError>;

    /// The last observation of each listing that other searches of `source` have sent, or may have. Empty, and cheap,
    /// if there is no other.
    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<SentElsewhere, PortError>;

    /// The last ruling of a person on a loss or a move of prices that this search holds back, as written ([`crate::Ruling::parse`]);
    /// `None` if there never was one.
    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError>;
}
