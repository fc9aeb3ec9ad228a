use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures_util::stream::BoxStream;
use stoop_lake_tables::Lake;

use crate::support::{chunk, ingest, lines, rows, run};

/// A store whose process dies: after some writes every call fails, and the last write is done or not.
#[derive(Debug)]
pub(crate) struct Dying {
    store: Arc<dyn ObjectStore>,
    writes_left: AtomicI64,
    last_is_done: bool,
}

impl fmt::Display for Dying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dying {}", self.store)
    }
}

impl Dying {
    /// The same lake, through a store that dies.
    pub(crate) fn of(lake: &Lake, writes: i64, last_is_done: bool) -> Lake {
        let (store, base) = lake.clone().into_parts();
        Lake::with_store(Arc::new(Self { store, writes_left: AtomicI64::new(writes), last_is_done }), base)
    }

    fn dead() -> Error {
        Error::Generic { store: "dying", source: "the process is dead".into() }
    }

    fn check(&self) -> Result<()> {
        if self.writes_left.load(Ordering::SeqCst) < 0 { Err(Self::dead()) } else { Ok(()) }
    }
}

#[async_trait::async_trait]
impl ObjectStore for Dying {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let left = self.writes_left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return self.store.put_opts(location, payload, opts).await;
        }
        if left == 0 && self.last_is_done {
            self.store.put_opts(location, payload, opts).await?;
        }
        Err(Self::dead())
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put in parts".into(), implementer: "dying".into() })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check()?;
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check()?;
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.check()?;
        self.store.copy_opts(from, to, options).await
    }
}

#[test]
fn whenever_the_process_dies_the_next_one_completes_the_work() {
    let name = |at: usize| format!("object {at}");
    let mut contents = [lines(0..30), lines(20..50), lines(40..45)];
    contents[1].push(b"{\"v\":3,\"source\":7}".to_vec());
    let chunks: Vec<_> = contents.iter().enumerate().map(|(at, lines)| (name(at), chunk(&name(at), lines))).collect();
    let right = tempfile::tempdir().unwrap();
    run(ingest(&Lake::folder(right.path()).unwrap(), &chunks)).unwrap();
    let right = ["observations", "quarantine", "bronze"].map(|table| rows(right.path(), table));
    assert_eq!(right.each_ref().map(std::collections::BTreeMap::len), [50, 1, 3]);
    for last_is_done in [false, true] {
        let mut deaths = 0;
        for writes in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let lake = Lake::folder(folder.path()).unwrap();
            let first = run(ingest(&Dying::of(&lake, writes, last_is_done), &chunks));
            let is_dead = first.is_err();
            let second = run(ingest(&Lake::folder(folder.path()).unwrap(), &chunks)).unwrap();
            for (table, right) in ["observations", "quarantine", "bronze"].into_iter().zip(&right) {
                assert_eq!(&rows(folder.path(), table), right, "{table}, dead at write {writes}, done: {last_is_done}");
            }
            if !is_dead {
                assert_eq!(second.counts().lines, 0);
                break;
            }
            deaths += 1;
        }
        // Three tables; two or three months and a version for each chunk; quarantine; the files that were taken.
        assert!(deaths >= 15, "{deaths} deaths");
    }
}
