//! The conformance suites on SQLite and folders.

use std::sync::Arc;

use async_trait::async_trait;
use stoop_domain::{Market, Observation};
use stoop_embedded::{AlertFilter, Database, FolderFiles, PageFolder};
use stoop_market::Cells;
use stoop_pipeline::ports::{Change, FilePattern, Files, Pages as _, PortError, Store};
use stoop_pipeline::{Ruling, SearchControl};
use stoop_tests::conformance::{self, StoreWitness};
use stoop_tests::made;
use tempfile::TempDir;

struct Embedded {
    database: Arc<Database>,
    // Removed with the witness.
    _folder: TempDir,
}

#[async_trait]
impl StoreWitness for Embedded {
    async fn lake(&self) -> Vec<Observation> {
        let mut seen = Vec::new();
        self.database.observations(|line| decoded(line, &mut seen)).unwrap();
        seen
    }

    async fn changes(&self) -> Vec<Change> {
        self.database.changes(0, usize::MAX).unwrap().into_iter().map(|(_, change)| change).collect()
    }

    async fn archive(&self, market: &Market) -> Cells {
        self.database.archive(market).unwrap()
    }

    fn exactly_once(&self) -> bool {
        true
    }
}

fn decoded(line: &[u8], seen: &mut Vec<Observation>) -> Result<(), PortError> {
    seen.push(stoop_wire::decode(line).unwrap());
    Ok(())
}

fn fresh() -> (Arc<Database>, TempDir) {
    let folder = TempDir::new().unwrap();
    let database = Database::open(&folder.path().join("stoop.db"), &folder.path().join("stoop-data")).unwrap();
    (database, folder)
}

#[tokio::test]
async fn the_database_is_a_store() {
    conformance::store_conformance(async || {
        let (database, folder) = fresh();
        let store: Arc<dyn Store> = database.clone();
        let witness: Arc<dyn StoreWitness> = Arc::new(Embedded { database, _folder: folder });
        (store, witness)
    })
    .await;
}

#[tokio::test]
async fn the_database_is_a_stream() {
    let (database, _folder) = fresh();
    let read = async || {
        let records = database.stream_read(0, usize::MAX).unwrap();
        records.into_iter().map(|record| (record.key, record.body)).collect()
    };
    conformance::stream_conformance(database.clone(), read).await;
}

#[tokio::test]
async fn the_database_is_a_ledger() {
    let (database, folder) = fresh();
    let file = rusqlite::Connection::open(folder.path().join("stoop.db")).unwrap();
    let rules_of = async |id: &str| -> String {
        let sql = "SELECT rules.body FROM alerts JOIN rules ON rules.id = alerts.rules WHERE alerts.id = ?1";
        file.query_row(sql, [id], |row| row.get(0)).unwrap()
    };
    let read = async || database.alerts(AlertFilter::All, 99).unwrap();
    conformance::ledger_conformance(database.clone(), read, rules_of, &*database).await;
    assert_eq!(database.alerts(AlertFilter::Sent, 99).unwrap().len(), 3);
    assert_eq!(database.alerts(AlertFilter::Suspect, 99).unwrap()[0].id.0, "b");
    assert_eq!(database.alerts(AlertFilter::All, 1).unwrap()[0].id.0, "e", "the newest comes first");
}

#[tokio::test]
async fn the_database_has_wide_areas() {
    let (database, _folder) = fresh();
    let roll = async |now| {
        database.roll_up(now, &|| false).unwrap();
    };
    conformance::wide_areas_conformance(&*database, &*database, roll).await;
}

#[tokio::test]
async fn the_database_has_followers_of_its_ledger() {
    let (database, _folder) = fresh();
    conformance::followers_conformance(&*database, &*database, &*database).await;
}

#[tokio::test]
async fn the_database_is_a_quarantine() {
    let (database, _folder) = fresh();
    conformance::quarantine_conformance(database.clone(), async || database.quarantined(99).unwrap()).await;
    let counts = database.quarantine_counts().unwrap();
    let counts: Vec<_> = counts.iter().map(|c| (c.source.as_str(), c.reason.as_str(), c.count)).collect();
    assert_eq!(counts, [("avito", "bad_value", 3), ("avito", "missing_field", 1)]);
}

#[tokio::test]
async fn the_database_is_a_search_index() {
    let (database, _folder) = fresh();
    let rule = async |search: &str, source: &str, text: &str| {
        database.rule(search, source, Ruling::parse(text).unwrap()).unwrap();
    };
    conformance::search_index_conformance(database.clone(), rule).await;
}

#[tokio::test]
async fn the_database_keeps_budgets() {
    let (database, _folder) = fresh();
    conformance::budgets_conformance(database).await;
}

#[tokio::test]
async fn the_database_is_a_run_ledger() {
    let (database, _folder) = fresh();
    conformance::run_ledger_conformance(database.clone(), async || database.runs(99).unwrap()).await;
    let newest_first: Vec<_> = database.runs(99).unwrap().into_iter().map(|run| run.id).collect();
    assert_eq!(newest_first, ["r2", "r1"]);
}

#[tokio::test]
async fn the_database_can_be_browsed() {
    let (database, _folder) = fresh();
    let keep = async |next| database.keep_next_poll(&next).unwrap();
    conformance::browse_conformance(&*database, &*database, &*database, keep).await;
}

#[tokio::test]
async fn the_database_keeps_controls() {
    let (database, _folder) = fresh();
    conformance::search_controls_conformance(&*database).await;
    let kept = database.control("zip-007").unwrap();
    assert_eq!((kept.paused_at, kept.by.as_str()), (None, "ann"));
    assert_eq!(database.control("zip-999").unwrap(), SearchControl::of("zip-999"), "nothing is asked of it");
}

#[tokio::test]
async fn a_folder_keeps_pages() {
    let folder = TempDir::new().unwrap();
    let pages = Arc::new(PageFolder::new(folder.path()));
    let read = async |run: &str, number: u32| {
        let path = folder.path().join(pages.folder_of(run).unwrap()).join(format!("{number}.zst"));
        let file = std::fs::File::open(path).ok()?;
        Some(zstd::decode_all(file).unwrap())
    };
    conformance::pages_conformance(pages.clone(), read).await;
}

#[tokio::test]
async fn a_folder_has_files() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let put = async |name: &str, bytes: Vec<u8>| {
        std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        std::fs::write(path(name), bytes).unwrap();
    };
    let remove = async |name: &str| std::fs::remove_file(path(name)).unwrap();
    let files = FolderFiles::new(folder.path());
    conformance::files_conformance(Arc::new(files.clone()), put, remove).await;

    let pattern = |text: &str| FilePattern::parse(text).unwrap();
    let error = files.list(&pattern("nowhere/*.csv"), 9).await.unwrap_err();
    assert_eq!(error.to_string(), "list the files nowhere/*.csv", "a folder that is not there is a mistake");
    let absolute = FolderFiles::new("elsewhere".as_ref());
    let all = pattern(&format!("{}/in/*.csv", folder.path().display()));
    assert_eq!(absolute.list(&all, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_database_says_how_it_fails() {
    let (database, folder) = fresh();
    let file = rusqlite::Connection::open(folder.path().join("stoop.db")).unwrap();
    let spoil = async |id: &stoop_domain::HomeId| {
        let sql = "UPDATE homes SET body = x'ff00ff' WHERE id = ?1";
        assert_eq!(file.execute(sql, [id.as_str()]).unwrap(), 1);
    };
    conformance::store_failures_conformance(&*database, spoil).await;
}

#[tokio::test]
async fn a_faulty_store_fails_as_requested() {
    use stoop_pipeline::ports::{Commit, CommitError, FailureKind};
    let (database, _folder) = fresh();
    let store = stoop_tests::Faulty::new(database.clone());
    let observation = made::observation("1", 0, 1);
    let commit = Commit { observations: vec![&observation], ..Commit::default() };
    store.fail_commits(1);
    store.conflict_commits(1);
    store.lose_answers(1);
    store.fail_reads(1);
    assert!(matches!(store.commit(&commit).await, Err(CommitError::Port(_))));
    assert!(matches!(store.commit(&commit).await, Err(CommitError::Conflict)));
    assert_eq!(database.counts().unwrap().observations, 0);
    assert!(matches!(store.commit(&commit).await, Err(CommitError::Port(_))));
    assert_eq!(database.counts().unwrap().observations, 1, "stored, but the answer was lost");
    store.commit(&commit).await.unwrap();
    assert!(store.homes(&[]).await.is_err());
    assert!(store.homes(&[]).await.is_ok());
    store.fail_as(FailureKind::Full);
    store.fail_commits(1);
    let Err(CommitError::Port(error)) = store.commit(&commit).await else { panic!("it is stored") };
    assert_eq!(error.kind(), FailureKind::Full);
}
