//! Test fixtures for the steps: a search, its index in memory, listings.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Time, Watch};
use stoop_sources::Coverage;
use stoop_sources::declared::Map;

use super::change::ShownListing;
use super::index::Index;
use super::origin::{FileSet, Origin};
use super::search::Search;
use crate::ports::Clock;
use crate::ports::{
    FilePattern, IndexChanges, IndexManifest, PortError, SearchIndex, SearchState, SegmentName, Sent, SentElsewhere,
};

/// The index of one search, with conditional saves, and the observations that other searches sent.
#[derive(Default)]
pub(super) struct MadeIndex {
    pub(super) stored: Mutex<StoredIndex>,
    pub(super) elsewhere: HashMap<String, Sent>,
}

/// What is stored of an index.
#[derive(Default)]
pub(super) struct StoredIndex {
    manifest: IndexManifest,
    segments: Vec<(SegmentName, Vec<u8>)>,
    /// The bytes of all manifests and segments ever stored, and the number of segments among them.
    written: (usize, usize),
}

/// Runs a future that never waits.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

pub(super) fn hour(hour: i64) -> Time {
    Time::from_ms(1_768_003_200_000 + hour * Time::HOUR_MS)
}

/// A search of the files that match a pattern.
pub(super) fn search(pattern: &str) -> Search {
    let map = "name = \"mls\"\npurpose = \"sale\"\ncurrency = \"USD\"\n[fields]\nnative_id = { from = \"id\" }\n";
    let map = Map::parse(map, "mls.toml").expect("a map");
    let pattern = FilePattern::parse(pattern).expect("a pattern");
    Search::new("all", Origin::Files(FileSet { map, pattern, coverage: Coverage::Snapshot }))
}

pub(super) fn listing(price: i64) -> Listing {
    let address = Address { city: Some("Chicago".into()), country: Some("US".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(price));
    listing
}

/// A listing shown at this hour.
pub(super) fn shown(native_id: &str, at: i64, listing: Listing) -> ShownListing {
    ShownListing::new(Observation { watch: Watch::Complete, ..Observation::new("mls", native_id, hour(at), listing) })
}

impl MadeIndex {
    pub(super) fn index<'a>(&'a self, search: &'a Search) -> Index<'a> {
        now(Index::load(search, self, self)).expect("it is in memory")
    }

    pub(super) fn saved(&self) -> SearchState {
        let stored = self.stored();
        stored.manifest.whole(stored.segments.iter().map(|(_, bytes)| bytes.as_slice())).expect("it was encoded here")
    }

    /// The bytes of all manifests and segments stored so far, and the number of segments among them.
    pub(super) fn written(&self) -> (usize, usize) {
        self.stored().written
    }

    fn stored(&self) -> MutexGuard<'_, StoredIndex> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SearchIndex for MadeIndex {
    async fn load(&self, _search: &str, _source: &str) -> Result<SearchState, PortError> {
        Ok(self.saved())
    }

    async fn save(&self, _search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError> {
        let is_newest = {
            let mut stored = self.stored();
            let is_newest = stored.manifest.version() == state.version;
            if is_newest {
                let save = stored.manifest.next(state, changes, "test".into(), &(0..=0)).expect("it is in memory");
                stored.written.0 += save.manifest.encode().expect("it is in memory").len();
                if let Some((name, bytes)) = save.segment {
                    stored.written = (stored.written.0 + bytes.len(), stored.written.1 + 1);
                    stored.segments.push((name, bytes));
                }
                stored.segments.retain(|(name, _)| save.manifest.segments().contains(name));
                stored.manifest = save.manifest;
            }
            is_newest
        };
        // Reading a large index after each save takes long.
        if is_newest && state.listings.len() < 1_000 {
            let saved = SearchState { version: state.version + 1, ..state.clone() };
            assert_eq!(self.saved(), saved, "the changes are not all that changed");
        }
        Ok(is_newest)
    }

    async fn held_elsewhere(&self, _: &str, _: &str, native_ids: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        Ok(vec![None; native_ids.len()])
    }

    async fn sent_elsewhere(&self, _: &str, _: &str) -> Result<SentElsewhere, PortError> {
        Ok(self.elsewhere.clone().into_iter().collect())
    }

    async fn ruling(&self, _: &str, _: &str) -> Result<Option<String>, PortError> {
        Ok(None)
    }
}

#[async_trait]
impl Clock for MadeIndex {
    fn now(&self) -> Time {
        hour(0)
    }

    async fn sleep(&self, _ms: u64) {}
}
