//! The environment of functions in tests: a database, a clock under control, and scripted faults.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use serde_json::value::RawValue;
use stoop_domain::{Home, HomeId, Market, Observation, Reject, Time};
use stoop_embedded::Database;
use stoop_emf::Meter;
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, ConfigFiles, Configuration, PortError, Quarantine, Store, Versioned};
use stoop_tests::Faulty;
pub(crate) use stoop_tests::StandingClock;

/// A database in a temporary folder.
pub(crate) struct Bench {
    pub(crate) database: Arc<Database>,
    folder: tempfile::TempDir,
}

/// The stored markets and homes.
pub(crate) type Image = (BTreeMap<Market, Vec<u8>>, BTreeMap<HomeId, Vec<u8>>);

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap();
        Self { database, folder }
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A market whose homes cancel out counts as missing.
    pub(crate) fn image(&self) -> Image {
        let markets = self.database.cells_where(|_| true).unwrap().into_iter();
        let markets = markets.filter(|(_, cells)| !cells.is_empty()).map(|(market, cells)| (market, cells.to_bytes()));
        let homes = self.database.homes_after(None, usize::MAX).unwrap().into_iter();
        (markets.collect(), homes.map(|(id, home)| (id, stoop_wire::home_to_bytes(&home))).collect())
    }

    /// The stored homes.
    pub(crate) fn homes(&self) -> Vec<String> {
        self.image().1.into_keys().map(|id| id.as_str().to_owned()).collect()
    }

    /// The observations in the lake.
    pub(crate) fn kept(&self) -> Vec<Observation> {
        let mut kept = Vec::new();
        let add = |line: &[u8]| -> Result<(), PortError> {
            kept.push(stoop_wire::decode(line).unwrap());
            Ok(())
        };
        self.database.observations(add).unwrap();
        kept
    }

    /// The number of rejects.
    pub(crate) fn quarantined(&self) -> u64 {
        self.database.quarantine_counts().unwrap().iter().map(|kind| kind.count).sum()
    }
}

/// The fault of a port's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No fault.
    None,
    /// It fails without effect.
    Before,
    /// It takes effect, and its response is lost.
    After,
    /// Another writer interfered; only for commits, otherwise like `None`.
    Conflict,
}

/// A database whose calls have the faults of a script, one after another; after it, none.
pub(crate) struct Scripted {
    database: Arc<Database>,
    store: Faulty<Database>,
    commits: Mutex<VecDeque<Fault>>,
    reads: Mutex<VecDeque<Fault>>,
    quarantine: Mutex<VecDeque<Fault>>,
}

impl Scripted {
    pub(crate) fn new(database: &Arc<Database>) -> Self {
        let script = || Mutex::new(VecDeque::new());
        let store = Faulty::new(Arc::clone(database));
        store.limit_items(100);
        Self { database: Arc::clone(database), store, commits: script(), reads: script(), quarantine: script() }
    }

    pub(crate) fn commits(self, faults: &[Fault]) -> Self {
        *self.commits.lock().unwrap() = faults.iter().copied().collect();
        self
    }

    pub(crate) fn reads(self, faults: &[Fault]) -> Self {
        *self.reads.lock().unwrap() = faults.iter().copied().collect();
        self
    }

    pub(crate) fn quarantine(self, faults: &[Fault]) -> Self {
        *self.quarantine.lock().unwrap() = faults.iter().copied().collect();
        self
    }

    /// Limits commits to this many items.
    pub(crate) fn of_items(self, items: usize) -> Self {
        self.store.limit_items(items);
        self
    }

    fn before_read(&self) {
        self.store.fail_reads(usize::from(matches!(next(&self.reads), Fault::Before | Fault::After)));
    }
}

fn next(script: &Mutex<VecDeque<Fault>>) -> Fault {
    script.lock().unwrap().pop_front().unwrap_or(Fault::None)
}

#[async_trait]
impl Store for Scripted {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.before_read();
        self.store.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.before_read();
        self.store.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        match next(&self.commits) {
            Fault::None => {}
            Fault::Before => self.store.fail_commits(1),
            Fault::After => self.store.lose_answers(1),
            Fault::Conflict => self.store.conflict_commits(1),
        }
        self.store.commit(commit).await
    }

    fn commit_items_max(&self) -> usize {
        self.store.commit_items_max()
    }
}

#[async_trait]
impl Quarantine for Scripted {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        let failed = || PortError::unavailable("put rejects in quarantine", "a made-up fault");
        let fault = next(&self.quarantine);
        if fault == Fault::Before {
            return Err(failed());
        }
        let new = self.database.put(rejects).await?;
        if fault == Fault::After { Err(failed()) } else { Ok(new) }
    }
}

/// An upload folder; it can be made unavailable.
#[derive(Default)]
pub(crate) struct Uploads {
    uploaded: Mutex<BTreeMap<String, String>>,
    accepted: Mutex<Option<ConfigFiles>>,
    is_away: Mutex<bool>,
}

impl Uploads {
    /// With this `stoop.toml` uploaded.
    pub(crate) fn of(text: &str) -> Self {
        let uploads = Self::default();
        uploads.upload(text);
        uploads
    }

    /// With this `stoop.toml` accepted.
    pub(crate) fn accepted(text: &str) -> Self {
        let uploads = Self::of(text);
        *uploads.accepted.lock().unwrap() = Some(uploads.files());
        uploads
    }

    pub(crate) fn upload(&self, text: &str) {
        self.uploaded.lock().unwrap().insert("stoop.toml".into(), text.to_owned());
    }

    /// With another accepted file.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        self.uploaded.lock().unwrap().insert(name.to_owned(), text.to_owned());
        *self.accepted.lock().unwrap() = Some(self.files());
        self
    }

    /// Copies the accepted configuration of another.
    pub(crate) fn accept_from(&self, other: &Self) {
        *self.accepted.lock().unwrap() = other.accepted.lock().unwrap().clone();
    }

    pub(crate) fn take_away(&self, is_away: bool) {
        *self.is_away.lock().unwrap() = is_away;
    }

    fn files(&self) -> ConfigFiles {
        let files = self.uploaded.lock().unwrap().clone();
        ConfigFiles { fingerprint: format!("{files:?}"), files }
    }

    fn there(&self) -> Result<(), PortError> {
        if *self.is_away.lock().unwrap() {
            return Err(PortError::unavailable("read the configuration", "a made-up fault"));
        }
        Ok(())
    }
}

#[async_trait]
impl Configuration for Uploads {
    async fn fingerprint(&self) -> Result<Option<String>, PortError> {
        self.there()?;
        let files = self.files();
        Ok((!files.files.is_empty()).then_some(files.fingerprint))
    }

    async fn uploaded(&self) -> Result<ConfigFiles, PortError> {
        self.there()?;
        Ok(self.files())
    }

    async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError> {
        self.there()?;
        Ok(self.accepted.lock().unwrap().clone())
    }

    async fn accept(&self, files: &ConfigFiles) -> Result<(), PortError> {
        self.there()?;
        *self.accepted.lock().unwrap() = Some(files.clone());
        Ok(())
    }
}

/// The meter's counts since the last call: sums of counts, and the number of durations.
pub(crate) fn counted(meter: &Meter) -> BTreeMap<String, u64> {
    let lines = meter.take(Time::from_ms(0));
    let lines = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut counted = BTreeMap::new();
    for line in lines {
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let value = &line[name];
            let count = match metric["Unit"].as_str() {
                Some("Count") => value.as_u64().unwrap(),
                _ => value.as_array().map_or(1, |values| values.len() as u64),
            };
            *counted.entry(name.to_owned()).or_default() += count;
        }
    }
    counted
}

/// One metric of [`counted`]; 0 if absent.
pub(crate) fn count_of(counted: &BTreeMap<String, u64>, name: &str) -> u64 {
    counted.get(name).copied().unwrap_or(0)
}

/// An event in the form that Lambda passes.
pub(crate) fn raw(event: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(event).unwrap()
}
