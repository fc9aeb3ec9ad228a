//! A store of objects that a test listens to or disturbs.

use std::fmt;
use std::sync::Arc;

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures_util::stream::BoxStream;
use stoop_lake_tables::Lake;

/// What becomes of a write.
pub(crate) enum Fate {
    Done,
    /// It is done, and the caller gets this error.
    Lost(Error),
    Refused(Error),
}

/// What is asked before each call.
pub(crate) trait Hook: fmt::Debug + Send + Sync + 'static {
    fn write(&self, _: &Path) -> Fate {
        Fate::Done
    }

    fn read(&self, _: &Path) -> Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Hooked<H> {
    store: Arc<dyn ObjectStore>,
    hook: Arc<H>,
}

/// The same lake, through a store with this hook.
pub(crate) fn hooked<H: Hook>(lake: &Lake, hook: &Arc<H>) -> Lake {
    let (store, base) = lake.clone().into_parts();
    Lake::with_store(Arc::new(Hooked { store, hook: Arc::clone(hook) }), base)
}

impl<H: Hook> fmt::Display for Hooked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hooked {}", self.store)
    }
}

#[async_trait::async_trait]
impl<H: Hook> ObjectStore for Hooked<H> {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        match self.hook.write(location) {
            Fate::Done => self.store.put_opts(location, payload, opts).await,
            Fate::Lost(error) => self.store.put_opts(location, payload, opts).await.and(Err(error)),
            Fate::Refused(error) => Err(error),
        }
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotImplemented { operation: "put in parts".into(), implementer: "a hook".into() })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.hook.read(location)?;
        self.store.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.hook.read(prefix.unwrap_or(&Path::default()))?;
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.hook.read(from)?;
        self.store.copy_opts(from, to, options).await
    }
}
