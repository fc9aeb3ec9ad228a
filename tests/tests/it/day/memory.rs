use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use async_trait::async_trait;
use stoop_domain::{Observation, Reject, Time};
use stoop_pipeline::ports::{
    Account, Budgets, IndexChanges, IndexEntry, Pages, PortError, Quarantine, RunLedger, RunRecord, SearchIndex,
    SearchState, Sent, SentElsewhere, Stream,
};

/// Everything that polls store, in memory: a day of sixty sources has millions of index entries, and this does not test
/// a database.
#[derive(Default)]
pub(crate) struct Memory {
    /// The stream, line by line, by source.
    lines: Mutex<BTreeMap<String, Vec<Observation>>>,
    index: Mutex<BTreeMap<String, SearchState>>,
    rejects: Mutex<Vec<Reject>>,
    runs: Mutex<Vec<RunRecord>>,
    budgets: Mutex<BTreeMap<String, (Account, u64)>>,
}

impl Memory {
    /// A source's observations on the stream, in order.
    pub(crate) fn lines<T>(&self, source: &str, look: impl FnOnce(&[Observation]) -> T) -> T {
        look(self.lines.lock().unwrap().get(source).map_or(&[], Vec::as_slice))
    }

    pub(crate) fn state<T>(&self, search: &str, look: impl FnOnce(&SearchState) -> T) -> T {
        look(self.index.lock().unwrap().entry(search.to_owned()).or_default())
    }

    /// The number of refused rows of each source.
    pub(crate) fn rejects(&self, source: &str) -> usize {
        self.rejects.lock().unwrap().iter().filter(|reject| reject.source == source).count()
    }

    /// The final record of every run.
    pub(crate) fn runs(&self) -> Vec<RunRecord> {
        let runs = self.runs.lock().unwrap();
        runs.iter().filter(|run| run.ended_at.is_some()).cloned().collect()
    }
}

#[async_trait]
impl Stream for Memory {
    async fn put(&self, records: &[(String, Vec<u8>)]) -> Result<Vec<usize>, PortError> {
        let mut lines = self.lines.lock().unwrap();
        for line in records.iter().flat_map(|(_, body)| stoop_wire::lines(body)) {
            let observation = stoop_wire::decode(line).unwrap();
            lines.entry(observation.source.to_string()).or_default().push(observation);
        }
        Ok(Vec::new())
    }

    fn record_bytes_max(&self) -> usize {
        1 << 20
    }
}

#[async_trait]
impl SearchIndex for Memory {
    async fn load(&self, search: &str, _source: &str) -> Result<SearchState, PortError> {
        Ok(self.index.lock().unwrap().get(search).cloned().unwrap_or_default())
    }

    async fn save(&self, search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError> {
        let mut index = self.index.lock().unwrap();
        let stored = index.entry(search.to_owned()).or_default();
        if stored.version != state.version {
            return Ok(false);
        }
        assert_noted(&stored.listings, &state.listings, changes);
        *stored = SearchState { version: state.version + 1, ..state.clone() };
        Ok(true)
    }

    async fn held_elsewhere(&self, search: &str, source: &str, ids: &[String]) -> Result<Vec<Option<Time>>, PortError> {
        let index = self.index.lock().unwrap();
        let others = || index.iter().filter(|(name, state)| *name != search && state.source == source);
        Ok(ids.iter().map(|id| others().filter_map(|(_, state)| state.holds(id)).max()).collect())
    }

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<SentElsewhere, PortError> {
        let index = self.index.lock().unwrap();
        let others = index.iter().filter(|(name, state)| *name != search && state.source == source);
        let mut latest: HashMap<String, Sent> = HashMap::new();
        for (id, sent) in others.flat_map(|(_, state)| &state.listings).map(|(id, entry)| (id, entry.sent())) {
            if latest.get(id).is_none_or(|known| known.sighting < sent.sighting) {
                latest.insert(id.clone(), sent);
            }
        }
        Ok(latest.into_iter().collect())
    }

    async fn ruling(&self, _search: &str, _source: &str) -> Result<Option<String>, PortError> {
        Ok(None)
    }
}

/// Fails if an entry changed and is not among these changes: the stores would keep the old one.
fn assert_noted(before: &BTreeMap<String, IndexEntry>, after: &BTreeMap<String, IndexEntry>, changes: &IndexChanges) {
    let IndexChanges::Only { entries, seen } = changes else { return };
    for id in before.keys().chain(after.keys()).filter(|id| !entries.contains(*id)) {
        let (before, after) = (before.get(id), after.get(id));
        let marked = before.zip(after).filter(|_| seen.contains(id)).map(|(before, after)| {
            let (seen_in_scan, missing_since) = (after.seen_in_scan, None);
            IndexEntry { seen_in_scan, missing_since, ..before.clone() }
        });
        assert_eq!(marked.as_ref().or(before), after, "{id}");
    }
}

#[async_trait]
impl Budgets for Memory {
    async fn load(&self, account: &str) -> Result<(Account, u64), PortError> {
        Ok(self.budgets.lock().unwrap().get(account).cloned().unwrap_or_default())
    }

    async fn save(&self, account: &str, record: &Account, version: u64) -> Result<bool, PortError> {
        let mut budgets = self.budgets.lock().unwrap();
        if budgets.get(account).map_or(0, |(_, stored)| *stored) != version {
            return Ok(false);
        }
        budgets.insert(account.to_owned(), (record.clone(), version + 1));
        Ok(true)
    }
}

#[async_trait]
impl Pages for Memory {
    async fn put(&self, _: &str, _: u32, _: &[u8]) -> Result<(), PortError> {
        Ok(())
    }

    fn folder_of(&self, run: &str) -> Result<String, PortError> {
        Ok(run.to_owned())
    }
}

#[async_trait]
impl Quarantine for Memory {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        self.rejects.lock().unwrap().extend_from_slice(rejects);
        Ok(rejects.len())
    }
}

#[async_trait]
impl RunLedger for Memory {
    async fn record(&self, run: &RunRecord) -> Result<(), PortError> {
        self.runs.lock().unwrap().push(run.clone());
        Ok(())
    }
}
