use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use stoop_pipeline::ports::{ConfigFiles, Configuration, PortError};

use crate::error::failed;
use crate::s3::{Got, Objects};

/// Where operators upload `stoop.toml` and its maps.
const UPLOADED: &str = "config/";

/// The accepted configuration: one object, so that it is replaced as a whole.
const ACCEPTED: &str = "accepted/config.json";

/// The most bytes of a configuration, which every function reads into memory.
const BYTES_MAX: i64 = 4 << 20;

/// The same as JSON, in which a byte may take six.
const ACCEPTED_BYTES_MAX: usize = 32 << 20;

/// The most files of a configuration: one page of a listing.
const FILES_MAX: usize = 1_000;

/// The configuration in the data bucket.
pub struct S3Configuration {
    client: Client,
    bucket: String,
    /// The accepted configuration as last read, with its `ETag`.
    last: Mutex<Option<(String, ConfigFiles)>>,
}

/// An uploaded object.
struct Uploaded {
    key: String,
    etag: String,
}

impl S3Configuration {
    /// The configuration in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.to_owned(), last: Mutex::new(None) }
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} in s3://{}/{UPLOADED}", self.bucket)
    }

    async fn list(&self) -> Result<Vec<Uploaded>, PortError> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(UPLOADED).send().await;
        let listed = listed.map_err(failed(|| self.doing("list the configuration")))?;
        let objects = listed.contents();
        let bytes: i64 = objects.iter().filter_map(aws_sdk_s3::types::Object::size).sum();
        if listed.is_truncated().unwrap_or(false) || objects.len() > FILES_MAX || bytes > BYTES_MAX {
            let why = format!(
                "it has {bytes} bytes in {} files or more; accepted: {BYTES_MAX} in {FILES_MAX}",
                objects.len()
            );
            return Err(PortError::refused(self.doing("list the configuration"), why));
        }
        let uploaded = objects.iter().filter_map(|object| {
            let (key, etag) = (object.key()?.to_owned(), object.e_tag()?.to_owned());
            (!key.ends_with('/')).then_some(Uploaded { key, etag })
        });
        Ok(uploaded.collect())
    }
}

fn fingerprint(uploaded: &[Uploaded]) -> String {
    let mut hasher = blake3::Hasher::new();
    for Uploaded { key, etag } in uploaded {
        hasher.update(key.as_bytes()).update(b"\0").update(etag.as_bytes()).update(b"\0");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[async_trait]
impl Configuration for S3Configuration {
    async fn fingerprint(&self) -> Result<Option<String>, PortError> {
        let uploaded = self.list().await?;
        Ok((!uploaded.is_empty()).then(|| fingerprint(&uploaded)))
    }

    async fn uploaded(&self) -> Result<ConfigFiles, PortError> {
        let uploaded = self.list().await?;
        let fingerprint = fingerprint(&uploaded);
        let mut files = BTreeMap::new();
        for Uploaded { key, etag } in uploaded {
            let what = || format!("read s3://{}/{key}", self.bucket);
            // A file that is replaced during the read has another ETag: the next tick reads it.
            let object = self.client.get_object().bucket(&self.bucket).key(&key).if_match(etag).send().await;
            let object = object.map_err(failed(what))?;
            let bytes = object.body.collect().await.map_err(|error| PortError::unavailable(what(), error))?;
            let text =
                String::from_utf8(bytes.to_vec()).map_err(|_| PortError::refused(what(), "it is not UTF-8 text"))?;
            files.insert(key[UPLOADED.len()..].to_owned(), text);
        }
        Ok(ConfigFiles { fingerprint, files })
    }

    async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError> {
        let last = self.last.lock().ok().and_then(|last| last.clone());
        let known = last.as_ref().map(|(etag, _)| etag.as_str());
        let objects = Objects::new(self.client.clone(), &self.bucket);
        let (etag, body) = match objects.get(ACCEPTED, known, ACCEPTED_BYTES_MAX).await? {
            Got::Object { etag, body } => (etag, body),
            Got::Unchanged => return Ok(last.map(|(_, files)| files)),
            Got::Missing => return Ok(None),
        };
        let unreadable = |error| PortError::damaged(format!("read {}", objects.name(ACCEPTED)), error);
        let files: ConfigFiles = serde_json::from_slice(&body).map_err(unreadable)?;
        if let Ok(mut last) = self.last.lock() {
            *last = Some((etag, files.clone()));
        }
        Ok(Some(files))
    }

    async fn accept(&self, files: &ConfigFiles) -> Result<(), PortError> {
        let what = || format!("write s3://{}/{ACCEPTED}", self.bucket);
        let body = serde_json::to_vec(files).map_err(|error| PortError::refused(what(), error))?;
        let request = self.client.put_object().bucket(&self.bucket).key(ACCEPTED).content_type("application/json");
        request.body(body.into()).send().await.map_err(failed(what))?;
        Ok(())
    }
}
