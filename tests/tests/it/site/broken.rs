//! Wrappers around the real stream and index that refuse, and that die midway.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_embedded::Database;
use stoop_pipeline::ports::{IndexChanges, PortError, SearchIndex, SearchState, SentElsewhere, Stream};

/// A stream with one line per record that refuses records on request.
pub(crate) struct RefusingStream {
    inner: Arc<Database>,
    /// The indexes to refuse in the next puts.
    refusals: Mutex<VecDeque<Vec<usize>>>,
    refuses_all: AtomicBool,
    /// How many records each put had.
    puts: Mutex<Vec<usize>>,
}

/// An index whose process dies: from one save on, all fail until it is restarted.
pub(crate) struct DyingIndex {
    inner: Arc<Database>,
    saves_left: AtomicUsize,
}

impl RefusingStream {
    pub(crate) fn new(inner: Arc<Database>) -> Self {
        Self { inner, refusals: Mutex::default(), refuses_all: AtomicBool::new(false), puts: Mutex::default() }
    }

    /// Refuses these indexes of the next put, of the put after it, and so on.
    pub(crate) fn refuse(&self, indexes: impl IntoIterator<Item = Vec<usize>>) {
        self.refusals.lock().unwrap().extend(indexes);
    }

    pub(crate) fn refuse_all(&self, on: bool) {
        self.refuses_all.store(on, Ordering::SeqCst);
    }

    /// How many records each put had since the last call.
    pub(crate) fn take_puts(&self) -> Vec<usize> {
        std::mem::take(&mut *self.puts.lock().unwrap())
    }
}

#[async_trait]
impl Stream for RefusingStream {
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError> {
        self.puts.lock().unwrap().push(records.len());
        if self.refuses_all.load(Ordering::SeqCst) {
            return Ok((0..records.len()).collect());
        }
        let refused = self.refusals.lock().unwrap().pop_front().unwrap_or_default();
        let all = records.iter().enumerate();
        let taken: Vec<_> = all.filter(|(index, _)| !refused.contains(index)).map(|(_, r)| r.clone()).collect();
        assert!(Stream::put(&*self.inner, &taken).await?.is_empty());
        Ok(refused)
    }

    /// One listing per record.
    fn record_bytes_max(&self) -> usize {
        330
    }
}

impl DyingIndex {
    pub(crate) fn new(inner: Arc<Database>) -> Self {
        Self { inner, saves_left: AtomicUsize::new(usize::MAX) }
    }

    /// Allows `n` more saves.
    pub(crate) fn die_after_saves(&self, n: usize) {
        self.saves_left.store(n, Ordering::SeqCst);
    }

    pub(crate) fn revive(&self) {
        self.die_after_saves(usize::MAX);
    }
}

#[async_trait]
impl SearchIndex for DyingIndex {
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError> {
        self.inner.load(search, source).await
    }

    async fn save(&self, search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError> {
        let counted = self.saves_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if counted.is_err() {
            return Err(PortError::unavailable("save the state of a search", "a made-up death"));
        }
        let is_saved = self.inner.save(search, state, changes).await?;
        if is_saved {
            let stored = self.inner.load(search, &state.source).await?;
            assert_eq!(stored.listings, state.listings, "the changes are not all that changed");
        }
        Ok(is_saved)
    }

    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError> {
        self.inner.held_elsewhere(search, source, native_ids).await
    }

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<SentElsewhere, PortError> {
        self.inner.sent_elsewhere(search, source).await
    }

    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError> {
        self.inner.ruling(search, source).await
    }
}
