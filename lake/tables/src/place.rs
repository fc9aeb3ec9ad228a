use std::path::Path as FilePath;
use std::sync::Arc;

use deltalake::logstore::object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use deltalake::logstore::object_store::local::LocalFileSystem;
use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::prefix::PrefixStore;
use deltalake::logstore::{LogStoreRef, StorageConfig, default_logstore, object_store::ObjectStore};
use tokio::runtime::{Handle, RuntimeFlavor};
use url::Url;

use crate::error::{Doing, LakeError, doing};

/// The folder of all tables.
const TABLES: &str = "tables";

/// Where tables and, on AWS, bronze are: a data folder or a bucket.
#[derive(Clone, Debug)]
pub struct Lake {
    /// All of the file system, or the bucket.
    store: Arc<dyn ObjectStore>,
    /// The data folder or the beginning of the bucket, ending in `/`.
    base: Url,
}

impl Lake {
    /// The lake of a data folder. The first table that is written makes the folder if it is missing.
    ///
    /// # Errors
    /// If it is not a path of a file system.
    pub fn folder(data: &FilePath) -> Result<Self, LakeError> {
        let failed = Doing::new(format!("open the data folder {}", data.display()));
        let absolute = data.canonicalize().or_else(|_| std::path::absolute(data)).map_err(|error| failed.by(error))?;
        let base = Url::from_directory_path(&absolute).map_err(|()| failed.by("not a path of a file system"))?;
        Ok(Self { store: Arc::new(LocalFileSystem::new()), base })
    }

    /// The lake of a bucket, such as `s3://bucket/` or `s3://bucket/folder/`, with the credentials, region and endpoint
    /// that the environment names. Versions are committed by conditional puts, so no other lock is necessary. Its tables are
    /// opened in a runtime with several threads only.
    ///
    /// # Errors
    /// If the URL names no bucket.
    pub fn s3(url: &str) -> Result<Self, LakeError> {
        let failed = Doing::new(format!("open the lake {url}"));
        let base = Url::parse(&format!("{}/", url.trim_end_matches('/'))).map_err(|error| failed.by(error))?;
        let bucket = match (base.scheme(), base.host_str()) {
            ("s3", Some(bucket)) => bucket,
            _ => return Err(failed.by("not a URL like s3://bucket/")),
        };
        let endpoint = std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
        let mut builder =
            AmazonS3Builder::from_env().with_bucket_name(bucket).with_conditional_put(S3ConditionalPut::ETagMatch);
        if let Ok(endpoint) = endpoint {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        Ok(Self { store: Arc::new(builder.build().map_err(|error| failed.by(error))?), base })
    }

    /// The lake below `base` in any store of objects. `store` holds the whole file system or bucket.
    #[must_use]
    pub fn with_store(store: Arc<dyn ObjectStore>, base: Url) -> Self {
        Self { store, base }
    }

    /// The store and the base, to make a lake that observes or disturbs another.
    #[must_use]
    pub fn into_parts(self) -> (Arc<dyn ObjectStore>, Url) {
        (self.store, self.base)
    }

    /// Where a table is.
    #[must_use]
    pub fn url_of(&self, table: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{TABLES}/{table}/", self.base.path()));
        url
    }

    /// The data folder or bucket.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The store of all objects, and the path of the base in it.
    pub(crate) fn objects(&self) -> Result<(Arc<dyn ObjectStore>, Path), LakeError> {
        let path = Path::from_url_path(self.base.path()).map_err(doing(format!("read {}", self.base)))?;
        Ok((Arc::clone(&self.store), path))
    }

    /// Delta's library blocks the thread that reads a log. If that is the only one, the connections that the log comes
    /// from stand still until they time out.
    pub(crate) fn log_store(&self, table: &str) -> Result<LogStoreRef, LakeError> {
        let url = self.url_of(table);
        let is_alone = || Handle::try_current().is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::CurrentThread);
        if url.scheme() != "file" && is_alone() {
            return Err(doing(format!("open the table {url}"))("a bucket needs a runtime with several threads"));
        }
        let path = Path::from_url_path(url.path()).map_err(doing(format!("open the table {url}")))?;
        let prefixed: Arc<dyn ObjectStore> = Arc::new(PrefixStore::new(Arc::clone(&self.store), path));
        Ok(default_logstore(prefixed, Arc::clone(&self.store), &url, &StorageConfig::default()))
    }

    /// The names of the tables that there are.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub async fn tables(&self) -> Result<Vec<String>, LakeError> {
        let (store, base) = self.objects()?;
        let listed = store.list_with_delimiter(Some(&base.join(TABLES))).await;
        let listed = listed.map_err(doing(format!("list the tables of {}", self.base)))?;
        Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }
}
